package hdf5

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format"
)

// A walker is the state of a walk. All reading goes through its one cursor,
// which every function moves to where it reads and nobody expects to find where
// they left it.
type walker struct {
	c         *format.Cursor
	base, end int64 // addresses count from base on and lie before end
	moved     bool  // the superblock was written for another place
	offs      int   // bytes of an address
	lens      int   // bytes of a length
	visit     Visit
	work      int
	seen      map[int64]struct{} // headers of objects visited or in todo
	names     int                // bytes of names of objects
	todo      []*Object
}

// step counts work against the walk's limit and the visitor's.
func (w *walker) step(n int) error {
	if w.work += n; w.work > maxWork {
		return format.Exceededf(w.c.Offset(), "the structure takes more than %d steps to follow", maxWork)
	}
	if w.visit.Step == nil {
		return nil
	}
	return w.visit.Step(n)
}

// enqueue has an object visited unless it was or will be.
func (w *walker) enqueue(parent *Object, name string, at int64) error {
	if _, ok := w.seen[at]; ok {
		return nil
	}
	if len(w.seen) >= maxObjects {
		return format.Exceededf(at, "it has more than %d objects", maxObjects)
	}
	if w.names += len(name); w.names > maxNames {
		return format.Exceededf(at, "its objects have names of more than %d bytes together", maxNames)
	}
	w.seen[at] = struct{}{}
	w.todo = append(w.todo, &Object{Off: at, parent: parent, name: name})
	return nil
}

// number reads an unsigned number of size bytes, 1 to 8.
func (w *walker) number(size int) uint64 {
	b := w.c.Peek(size)
	if b == nil {
		return 0
	}
	var v uint64
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	w.c.Skip(int64(size))
	return v
}

// length reads a number of the size that the file uses for lengths.
func (w *walker) length() uint64 { return w.number(w.lens) }

// address reads an address and returns the place in the file that it stands
// for, or false for the address that says there is none. One beyond the end
// breaks the file.
func (w *walker) address() (at int64, ok bool) {
	from := w.c.Offset()
	v := w.number(w.offs)
	if v == ^uint64(0)>>(64-8*w.offs) {
		return 0, false
	}
	if w.c.Err() == nil && v >= uint64(w.end-w.base) {
		w.c.Fail(format.Brokenf(from, "an address lies beyond the end of the file"))
	}
	return w.base + int64(v), w.c.Err() == nil
}

// block checks that n bytes from off on lie within the file.
func (w *walker) block(off int64, n uint64) error {
	if off < w.base || off > w.end || n > uint64(w.end-off) {
		return format.Brokenf(off, "a block of %d bytes leaves the file", n)
	}
	return nil
}

// magic moves to at and reads four letters that must stand there, then a
// version, which it returns.
func (w *walker) magic(at int64, letters string) uint8 {
	w.c.Move(at)
	if b := w.c.Peek(len(letters)); b != nil && string(b) != letters {
		w.c.Fail(format.Brokenf(at, "a block does not begin with %s", letters))
	}
	w.c.Skip(int64(len(letters)))
	return w.c.U8()
}

// version is an error about a version that is not known.
func version(at int64, what string, v uint8) error {
	return format.Unsupportedf(at, "%s has version %d", what, v)
}

// text reads from at on the bytes before the first NUL, which must come before
// end.
func (w *walker) text(at, end int64) (string, error) {
	n := min(end-at, maxName+1)
	if n <= 0 {
		return "", format.Brokenf(at, "a text leaves its block")
	}
	w.c.Move(at)
	b := w.c.Peek(int(n))
	if b == nil {
		return "", w.c.Err()
	}
	i := bytes.IndexByte(b, 0)
	switch {
	case i >= 0:
		return string(b[:i]), w.step(1)
	case n > maxName:
		return "", format.Exceededf(at, "a name is longer than %d bytes", maxName)
	}
	return "", format.Brokenf(at, "a text does not end in its block")
}
