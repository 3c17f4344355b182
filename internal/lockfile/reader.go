package lockfile

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// Bounds of what is read. Whatever exceeds one is an error of kind Limit.
const (
	maxFile     = 16 << 20 // bytes; a thousand packages with the hashes of every wheel take two MiB
	maxIncludes = 64       // files that others include
	maxDepth    = 8        // files that include each other, one within the other
	maxEntries  = 100_000  // packages, unread lines and indexes in all; the largest locks have some thousands
)

// A reader gathers what files say. The readers of the formats call add, unread
// and index, and for files that a file names include.
type reader struct {
	fsys     fs.FS
	list     List
	seen     map[visit]bool      // each file is read once for each purpose
	within   []string            // the files that are being read, each included by the one before
	included int                 // how many files others have included
	includes map[string][]string // a file, and those that it includes
	madeFrom map[string][]string // a lock, and the declarations that it says it was made from
}

// A visit is a file and what it is read for.
type visit struct {
	name       string
	constraint bool
}

// Read reads the named files, slash-separated paths of fsys, and whatever they
// include. A file that is not there, cannot be understood as a whole or exceeds
// a bound is an error; a line that cannot be checked is Unread.
func Read(fsys fs.FS, names ...string) (*List, error) {
	r := newReader(fsys)
	for _, name := range names {
		if err := r.file(path.Clean(name), false, nil); err != nil {
			return nil, err
		}
	}
	r.settle()
	return r.list.sorted(), nil
}

func newReader(fsys fs.FS) *reader {
	return &reader{fsys: fsys, seen: map[visit]bool{}, includes: map[string][]string{}, madeFrom: map[string][]string{}}
}

// file reads one file, unless it has been read before for the same purpose. Its
// format is found out if it is not given.
func (r *reader) file(name string, constraint bool, f *kind) error {
	if r.seen[visit{name, constraint}] {
		return nil
	}
	r.seen[visit{name, constraint}] = true
	b, err := r.load(name)
	if err != nil {
		return err
	}
	if f == nil {
		if f, err = formatOf(name, b); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(r.list.Files, func(f File) bool { return f.Path == name }) {
		r.list.Files = append(r.list.Files, File{Path: name, Format: f.name, Digest: sallyport.Sum(b)})
	}
	r.within = append(r.within, name)
	defer func() { r.within = r.within[:len(r.within)-1] }()
	if err := f.read(r, name, b); err != nil {
		return err
	}
	if r.full() {
		return sallyport.Errorf(sallyport.Limit, "more than %d packages", maxEntries).At("%s", name)
	}
	return nil
}

// load reads a file's bytes.
func (r *reader) load(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, sallyport.Errorf(sallyport.Invalid, "a path that leaves the project").At("%s", name).Try("name files of the project by their paths in it")
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		kind := sallyport.Internal
		if errors.Is(err, fs.ErrNotExist) {
			kind = sallyport.NotFound
		}
		return nil, sallyport.Errorf(kind, "cannot be opened: %w", cause(err)).At("%s", name)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "cannot be read: %w", cause(err)).At("%s", name)
	}
	if len(b) > maxFile {
		return nil, sallyport.Errorf(sallyport.Limit, "longer than %d MiB", maxFile>>20).At("%s", name)
	}
	return b, nil
}

// cause is an error of the file system without the path, which stands before it
// already.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// include reads a file that the line at place names, by a path from the folder of
// its own file: of requirements, of constraints, or one of conda's. One that is
// not there or lies outside is Unread, not an error: the rest of the project can
// still be checked.
func (r *reader) include(place Place, target string, how effect) error {
	name, ok := r.beside(place.File, target)
	if !ok {
		r.unread(Unread{Place: place, Reason: Missing, Wants: target})
		return nil
	}
	format := &kind{name: requirements, read: (*reader).readRequirements}
	switch ext := path.Ext(name); {
	case how == includeConda && (ext == ".yml" || ext == ".yaml"):
		format = &kind{name: "environment.yml", read: (*reader).readEnvironment}
	case how == includeConda:
		format = &kind{name: "conda list", read: (*reader).readExplicit}
	}
	return r.follow(place, name, how == constrain, format)
}

// beside returns the path of a file that another names, and whether it is there.
func (r *reader) beside(from, target string) (string, bool) {
	if path.IsAbs(target) || strings.Contains(target, "://") {
		return "", false
	}
	name := path.Join(path.Dir(from), strings.ReplaceAll(target, `\`, "/"))
	info, err := fs.Stat(r.fsys, name)
	return name, err == nil && info.Mode().IsRegular()
}

// follow reads a file that another includes.
func (r *reader) follow(place Place, name string, constraint bool, f *kind) error {
	r.includes[place.File] = append(r.includes[place.File], name)
	if r.seen[visit{name, constraint}] {
		return nil // perhaps it is being read, and includes itself
	}
	if len(r.within) > maxDepth {
		return sallyport.Errorf(sallyport.Limit, "more than %d files that include each other", maxDepth).At("%s", place)
	}
	if r.included++; r.included > maxIncludes {
		return sallyport.Errorf(sallyport.Limit, "more than %d included files", maxIncludes).At("%s", place)
	}
	return r.file(name, constraint, f)
}

// constrains reports whether a file was read for the limits that it sets alone.
func (r *reader) constrains(name string) bool {
	return r.seen[visit{name, true}] && !r.seen[visit{name, false}]
}

// full reports whether there is more than is kept. What comes then is left out,
// for the file ends with an error.
func (r *reader) full() bool {
	return len(r.list.Packages)+len(r.list.Unread)+len(r.list.Indexes) > maxEntries
}

// add takes a package that a file pins.
func (r *reader) add(p Package) {
	if r.full() {
		return
	}
	p.Source.Index, p.Source.URL = scrub(p.Source.Index), scrub(p.Source.URL)
	r.list.Packages = append(r.list.Packages, p)
}

// unread takes a line that asks for something that cannot be checked.
func (r *reader) unread(u Unread) {
	if r.full() {
		return
	}
	u.Wants = strings.ToValidUTF8(scrub(u.Wants), "\uFFFD")
	r.list.Unread = append(r.list.Unread, u)
}

// index takes an index that a file names.
func (r *reader) index(i Index) {
	if r.full() {
		return
	}
	i.URL = scrub(i.URL)
	if !strings.Contains(i.URL, "://") {
		i.URL = i.URL[strings.LastIndexByte(i.URL, '@')+1:]
	}
	r.list.Indexes = append(r.list.Indexes, i)
}
