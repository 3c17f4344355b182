package inspect

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// A Folder is a folder on disk as Around has it. Names are paths from its root
// on, and no link is ever followed.
type Folder struct {
	Root *os.Root

	once  sync.Once
	names []string
	links []string
	err   error
}

// Names lists the regular files of the folder and all folders below, sorted.
func (d *Folder) Names() []string {
	d.list()
	return d.names
}

// Links lists what is neither a regular file nor a folder, sorted: links,
// pipes, devices. They are not inspected.
func (d *Folder) Links() []string {
	d.list()
	return d.links
}

// Err says why the folder could not be listed whole.
func (d *Folder) Err() error {
	d.list()
	return d.err
}

func (d *Folder) list() {
	d.once.Do(func() {
		d.err = fs.WalkDir(d.Root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir():
			case e.Type().IsRegular():
				d.names = append(d.names, name)
			default:
				d.links = append(d.links, name)
			}
			return nil
		})
		slices.Sort(d.names)
		slices.Sort(d.links)
	})
}

// Lookup finds out about a name without following links.
func (d *Folder) Lookup(name string) (Entry, bool) {
	if !fs.ValidPath(name) {
		return Entry{}, false
	}
	for i, c := range name { // no folder on the way may be a link
		if c == '/' {
			if info, err := d.Root.Lstat(name[:i]); err != nil {
				return Entry{}, false
			} else if !info.IsDir() {
				return Entry{}, true
			}
		}
	}
	info, err := d.Root.Lstat(name)
	if err != nil {
		return Entry{}, false
	}
	return Entry{Size: info.Size(), Regular: info.Mode().IsRegular(), Links: linksOf(info)}, true
}

// Open opens a regular file.
func (d *Folder) Open(name string) (*File, error) {
	if e, ok := d.Lookup(name); !ok || !e.Regular {
		return nil, errNoFile
	}
	f, err := d.Root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{Name: name, Size: info.Size(), Around: d, r: f, close: f.Close}, nil
}

// Beside joins a name that stands in f to f's folder: "weights.bin" in
// "model/a.onnx" is "model/weights.bin". It returns "" for a name that leaves,
// is absolute, or is written in more than one way ("a//b", "./a", "a\b").
func (f *File) Beside(name string) string {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return ""
	}
	return path.Join(path.Dir(f.Name), name)
}
