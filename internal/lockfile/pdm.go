package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A pdmTable is a package, or one with extras, as it stands in pdm.lock.
type pdmTable struct {
	Name, Version, Marker, Git, URL, Path string
	Editable                              bool
	Extras, Groups, Dependencies          []string
	Files                                 []pdmFile
}

type pdmFile struct{ File, URL, Hash string }

// readPDM reads pdm.lock, version 3 and 4.
func (r *reader) readPDM(name string, b []byte) error {
	var root struct {
		Metadata struct {
			Version string               `toml:"lock_version"`
			Files   map[string][]pdmFile // by "name version", until 4.3
		}
	}
	all, lines, err := tables[pdmTable](name, b, "package", &root)
	if err != nil {
		return err
	}
	if major, _, _ := strings.Cut(root.Metadata.Version, "."); major != "3" && major != "4" {
		return sallyport.Errorf(sallyport.Invalid, "a pdm.lock of another version than 3 and 4").At("%s", name).Try("make the lock with a release of PDM that writes one of them")
	}
	begin := len(r.list.Packages)
	for i, t := range all {
		if t.Files == nil {
			t.Files = root.Metadata.Files[t.Name+" "+t.Version]
		}
		r.pdmPackage(t, Place{name, lines[i]})
	}
	r.direct(name, r.list.Packages[begin:])
	return nil
}

func (r *reader) pdmPackage(t pdmTable, place Place) {
	p := Package{Name: pep508.Normal(t.Name), Version: t.Version, Place: place, Marker: t.Marker}
	for _, group := range t.Groups {
		if group == "default" {
			p.Groups = nil
			break
		}
		p.Groups = append(p.Groups, pep508.Normal(group))
	}
	for _, d := range t.Dependencies {
		// What cannot be read as a requirement leads to no package.
		if n, _ := pep508.Parse(d); n.Name != "" && n.Name != p.Name {
			p.Needs = append(p.Needs, Need{Name: n.Name, Marker: n.When})
		}
	}
	files := make([]poetryFile, len(t.Files))
	for i, f := range t.Files {
		name := f.File
		if name == "" {
			name, _, _ = strings.Cut(f.URL, "#")
		}
		files[i] = poetryFile{name, f.Hash}
	}
	p.files(files)
	switch {
	case t.Git != "":
		r.refuse(p, VCS, t.Git)
	case t.Path != "" && strings.HasSuffix(t.Path, ".whl"), t.Path != "" && len(t.Files) > 0:
		r.refuse(p, Path, t.Path)
	case t.Path != "":
		r.local(p, t.Path)
	case t.URL != "":
		p.Source = Source{URL: t.URL}
		r.locked(p)
	default:
		r.locked(p)
	}
}
