package inspect

import (
	"errors"
	"io"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// A File is what an inspector looks at: a file on disk, a member of a
// container, or a part of either that is a file of its own.
type File struct {
	Name   string // slash path within the scanned folder, or within the container
	Member string // path within the file on disk: "inner.zip!data.pkl"; "" is that file itself
	Size   int64  // in bytes
	Around Around // what lies beside it; never nil

	r     io.ReaderAt
	disk  *disk // the file on disk, if these are its bytes as they lie there
	off   int64 // then where they begin in it
	depth int   // containers around it
	close func() error

	recalled map[string]any
}

// Recall returns what learn finds out about f, and does so without asking again
// where it is recalled already under the key: readings share so what takes a
// pass over the file. What learn could not find out is not remembered. It is for
// the one pass over f and not for concurrent use.
func Recall[T any](f *File, key string, learn func() (T, error)) (T, error) {
	if known, ok := f.recalled[key].(T); ok {
		return known, nil
	}
	found, err := learn()
	if err == nil {
		if f.recalled == nil {
			f.recalled = map[string]any{}
		}
		f.recalled[key] = found
	}
	return found, err
}

// Around is what lies beside a file: the files of its folder, or the other
// members of its container. Names are slash paths from the same folder as
// File.Name is; "" and names that leave are never found.
type Around interface {
	// Lookup finds out about a name without following links.
	Lookup(name string) (Entry, bool)
	// Names lists the regular files, sorted.
	Names() []string
	// Open opens a regular file, which the caller closes. Opening is not
	// inspecting: the engine inspects every file of a folder or container anyway.
	Open(name string) (*File, error)
}

// An Entry is what a name in a folder or a container stands for.
type Entry struct {
	Size    int64
	Regular bool // neither folder, link nor device, and nor is any folder on the way a link
	Links   int  // names that the file on disk has; 0 if that is unknown
}

// NewFile returns a file of the bytes of r for tests and for use in memory.
func NewFile(name string, r io.ReaderAt, size int64) *File {
	return &File{Name: name, Size: size, Around: nothing{}, r: r}
}

// ReadAt reads the file's bytes as io.ReaderAt wants it. It may be called
// concurrently.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > f.Size {
		return 0, format.Brokenf(off, "an offset leaves the file")
	}
	short := int64(len(p)) > f.Size-off
	if short {
		p = p[:f.Size-off]
	}
	n, err := f.r.ReadAt(p, off)
	if n == len(p) {
		err = nil
		if short {
			err = io.EOF
		}
	}
	return n, err
}

// Section is the part of n bytes from off on as a file called name. It shares
// its Around. A part that leaves the file is an error.
func (f *File) Section(name string, off, n int64) (*File, error) {
	if off < 0 || n < 0 || off > f.Size || n > f.Size-off {
		return nil, format.Brokenf(off, "a part of %d bytes leaves the file", n)
	}
	part := &File{Name: name, Member: f.inner(name), Size: n, Around: f.Around, disk: f.disk, off: f.off + off, depth: f.depth + 1}
	part.r = io.NewSectionReader(f.r, off, n)
	return part, nil
}

// Reader reads the whole file from its beginning.
func (f *File) Reader() io.Reader { return io.NewSectionReader(f, 0, f.Size) }

// Cursor reads the whole file from its beginning.
func (f *File) Cursor() *format.Cursor { return format.NewCursor(f, 0, f.Size) }

// Close releases what the file holds. Only files from Around.Open need it.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Base is the last element of the name, and Ext its extension in lower case.
func (f *File) Base() string { return path.Base(f.Name) }

// Ext is the extension of the name in lower case: ".onnx", or "".
func (f *File) Ext() string { return strings.ToLower(path.Ext(f.Name)) }

// OnDisk reports whether the file is one of the scanned folder, and not a
// member of another.
func (f *File) OnDisk() bool { return f.Member == "" }

// inner is the member path of something called name in f.
func (f *File) inner(name string) string {
	if f.Member == "" {
		return name
	}
	return f.Member + "!" + name
}

// nothing is around a file that lies alone.
type nothing struct{}

func (nothing) Lookup(string) (Entry, bool) { return Entry{}, false }
func (nothing) Names() []string             { return nil }
func (nothing) Open(string) (*File, error)  { return nil, errNoFile }

var errNoFile = errors.New("there is no such file")
