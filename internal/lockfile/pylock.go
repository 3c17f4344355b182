package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A pylockTable is a package as PEP 751 has it.
type pylockTable struct {
	Name, Version, Marker, Index string
	Dependencies                 []struct{ Name, Version string }
	VCS                          *struct{ URL, Path string }
	Directory                    *struct{ Path string }
	Archive, Sdist               *pylockFile
	Wheels                       []pylockFile
}

type pylockFile struct {
	URL, Path string
	Hashes    map[string]string
	Uploaded  moment `toml:"upload-time"`
}

// readPylock reads a lock of PEP 751.
func (r *reader) readPylock(name string, b []byte) error {
	var root struct {
		Version string `toml:"lock-version"`
	}
	all, lines, err := tables[pylockTable](name, b, "packages", &root)
	if err != nil {
		return err
	}
	if root.Version != "1" && !strings.HasPrefix(root.Version, "1.") {
		return sallyport.Errorf(sallyport.Invalid, "a lock of another version than 1").At("%s", name).Try("make the lock with a tool that writes lock-version 1.0")
	}
	begin := len(r.list.Packages)
	for i, t := range all {
		r.pylockPackage(t, Place{name, lines[i]})
	}
	r.direct(name, r.list.Packages[begin:])
	return nil
}

func (r *reader) pylockPackage(t pylockTable, place Place) {
	p := Package{Name: pep508.Normal(t.Name), Version: t.Version, Place: place, Marker: t.Marker, Groups: groupsOf(t.Marker)}
	for _, n := range t.Dependencies {
		p.Needs = append(p.Needs, Need{Name: pep508.Normal(n.Name), Version: n.Version})
	}
	for _, f := range t.Wheels {
		p.archive(f)
	}
	if t.Sdist != nil {
		p.archive(*t.Sdist)
		p.Sdist = len(t.Wheels) == 0
	}
	switch {
	case t.VCS != nil:
		r.refuse(p, VCS, t.VCS.URL+t.VCS.Path)
	case t.Directory != nil:
		r.local(p, t.Directory.Path)
	case t.Archive != nil:
		r.pylockArchive(p, *t.Archive)
	default:
		p.Source = fromIndex(t.Index)
		if t.Index == "" {
			p.Source = Source{}
		}
		r.named(p.Source, p.Place)
		r.locked(p)
	}
}

// pylockArchive takes a package that is one file. If the lock has no version of
// it, its name has.
func (r *reader) pylockArchive(p Package, f pylockFile) {
	name, version, source := archiveName(f.URL + f.Path)
	if p.Version == "" && name == p.Name {
		p.Version = version
	}
	p.archive(f)
	p.Sdist = source
	switch {
	case !strings.Contains(f.URL, "://") || strings.HasPrefix(f.URL, "file:"):
		r.refuse(p, Path, f.URL+f.Path)
	case p.Version == "":
		r.refuse(p, URL, f.URL)
	default:
		p.Source = Source{URL: f.URL}
		r.locked(p)
	}
}

func (p *Package) archive(f pylockFile) {
	for _, algorithm := range slices.Sorted(maps.Keys(f.Hashes)) {
		p.Hashes = append(p.Hashes, algorithm+":"+f.Hashes[algorithm])
	}
	p.Uploaded = first(p.Uploaded, f.Uploaded.Time)
}

var groupForm = lazyregexp.New(`['"]([^'"]+)['"] in (?:extras|dependency_groups)`)

// groupsOf returns the extras and groups that a marker asks for, if it holds for
// nobody else.
func groupsOf(marker string) []string {
	var out []string
	for alternative := range strings.SplitSeq(marker, " or ") {
		found := groupForm.Get().FindAllStringSubmatch(alternative, -1)
		if len(found) == 0 {
			return nil
		}
		for _, m := range found {
			out = append(out, pep508.Normal(m[1]))
		}
	}
	return out
}
