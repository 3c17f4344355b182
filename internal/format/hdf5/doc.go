// Package hdf5 walks the structure of an HDF5 file without reading its data:
// objects, links, attributes, and where and how data sets are stored. It follows
// the HDF5 File Format Specification, version 3.0, for superblocks 0 to 3.
//
// Values of attributes are not copied but told as places in the file, where they
// always stand in one piece. What a file may refer to outside of itself, by
// external and user-defined links, external storage and virtual data sets, is
// told and never followed.
//
// Memory is bounded: one entry for each object, at most maxObjects, and the
// names on the way to them, at most maxNames bytes. Circles of hard links end
// because each object is visited once, circles of the file's own structure
// because each step is counted.
package hdf5

import (
	"bytes"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

const (
	maxObjects = 200_000 // objects of a file
	maxNames   = 8 << 20 // bytes of the names of objects
	maxName    = 4096    // bytes of one name or path
	maxWork    = 10_000_000
)

// A Visit is told what a file holds. Its functions may be nil; an error of
// theirs ends the walk and is returned.
type Visit struct {
	Step      func(n int) error // counts work: roughly one for each message, link or value
	Attribute func(a *Attribute) error
	Link      func(l *Link) error    // that is not a hard link
	Storage   func(s *Storage) error // of each data set
	Object    func(o *Object) error  // after all else about it
}

// A Kind says what an object is.
type Kind uint8

const (
	Unknown Kind = iota // it has no message that tells
	Group
	Dataset
	Datatype // named, to be shared
)

var kinds = [...]string{"unknown", "group", "dataset", "datatype"}

func (k Kind) String() string { return kinds[k] }

// An Object is a group, a data set or a named datatype.
type Object struct {
	Kind Kind  // known when Visit.Object is called
	Off  int64 // where its header begins in the file

	parent *Object
	name   string
}

// Path is the first way by hard links from the root group to the object: "/",
// "/a/b". It is cut short where it becomes longer than 4 KiB.
func (o *Object) Path() string {
	if o.parent == nil {
		return "/"
	}
	var names []string
	size := 0
	for ; o.parent != nil && size < maxName; o = o.parent {
		names = append(names, o.name)
		size += len(o.name) + 1
	}
	path := make([]byte, 0, size)
	for i := len(names) - 1; i >= 0; i-- {
		path = append(append(path, '/'), names[i]...)
	}
	return string(path[:min(len(path), maxName)])
}

// signature begins a superblock.
var signature = []byte("\x89HDF\r\n\x1a\n")

// Find looks for a superblock where the library looks for it, at 0, 512, 1024,
// 2048 and so on, and returns the first place that has one, or -1.
func Find(r io.ReaderAt, size int64) int64 {
	head := make([]byte, len(signature))
	for at := int64(0); at <= size-int64(len(head)); at = max(512, at*2) {
		if n, _ := r.ReadAt(head, at); n == len(head) && bytes.Equal(head, signature) {
			return at
		}
	}
	return -1
}

// Walk visits everything in the file whose size bytes r holds and whose
// superblock is at base, as Find found it. It returns where the file ends by its
// own account, or size if that does not say since the superblock was written for
// another place. Errors are *format.Error, or those of v or of reading r.
func Walk(r io.ReaderAt, size, base int64, v Visit) (end int64, err error) {
	w := &walker{c: format.NewCursor(r, 0, size), base: base, end: size, visit: v, seen: map[int64]struct{}{}}
	root, err := w.superblock()
	if err != nil {
		return 0, err
	}
	if err := w.enqueue(nil, "", root); err != nil {
		return 0, err
	}
	for len(w.todo) > 0 {
		o := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if err := w.object(o); err != nil {
			return 0, err
		}
	}
	if w.moved {
		return size, nil
	}
	return w.end, nil
}
