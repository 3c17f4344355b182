package lockfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A poetryTable is a package as it stands in poetry.lock.
type poetryTable struct {
	Name, Version string
	Optional      bool
	Category      string // of 1.0 and 1.1: "main" or a group
	Groups        []string
	Markers       any    // a text, or one for each group
	Marker        string // of 1.0
	Files         []poetryFile
	Dependencies  map[string]any
	Extras        map[string][]string
	Source        struct{ Type, URL, Reference string }
}

type poetryFile struct{ File, Hash string }

// A poetryLock is what stands around the packages.
type poetryLock struct {
	Extras   map[string][]string
	Metadata struct {
		Version string                  `toml:"lock-version"`
		Files   map[string][]poetryFile // until 2.0
		Hashes  map[string][]string     // until 1.1
	}
}

// readPoetry reads poetry.lock, from version 1.0 to 2.x.
func (r *reader) readPoetry(name string, b []byte) error {
	var root poetryLock
	all, lines, err := tables[poetryTable](name, b, "package", &root)
	if err != nil {
		return err
	}
	if major, _, _ := strings.Cut(root.Metadata.Version, "."); major != "1" && major != "2" && (major != "" || root.Metadata.Hashes == nil) {
		return sallyport.Errorf(sallyport.Invalid, "a poetry.lock of another version than 1 and 2").At("%s", name).Try("make the lock with a release of Poetry that writes one of them")
	}
	root.normalise()
	begin := len(r.list.Packages)
	later := map[string][]Need{} // what packages need for extras of theirs
	for i, t := range all {
		p, extras := root.package_(t, Place{name, lines[i]})
		later[p.Name] = append(later[p.Name], extras...)
		r.poetryPackage(t, p)
	}
	packages := r.list.Packages[begin:]
	forExtras(packages, later)
	r.direct(name, packages)
	return nil
}

// normalise brings the names by which files and extras are found into one form.
func (l *poetryLock) normalise() {
	files := map[string][]poetryFile{}
	for name, list := range l.Metadata.Files {
		files[pep508.Normal(name)] = list
	}
	for name, hashes := range l.Metadata.Hashes {
		for _, h := range hashes {
			files[pep508.Normal(name)] = append(files[pep508.Normal(name)], poetryFile{Hash: "sha256:" + h})
		}
	}
	l.Metadata.Files = files
}

// package_ returns a package, and what it needs only if extras of it are wanted.
func (l *poetryLock) package_(t poetryTable, place Place) (p Package, extras []Need) {
	p = Package{Name: pep508.Normal(t.Name), Version: t.Version, Place: place, Marker: cmp.Or(poetryMarker(t.Markers), t.Marker)}
	p.Groups = l.groups(t, p.Name)
	files := t.Files
	if files == nil {
		files = l.Metadata.Files[p.Name]
	}
	p.files(files)
	for _, name := range slices.Sorted(maps.Keys(t.Dependencies)) {
		for _, d := range poetryNeeds(t.Dependencies[name]) {
			n := Need{Name: pep508.Normal(name), Marker: d.Marker}
			if d.Optional {
				extras = append(extras, n)
			} else {
				p.Needs = append(p.Needs, n)
			}
		}
	}
	return p, extras
}

// files takes the hashes of a package's files, which have all names or none.
func (p *Package) files(files []poetryFile) {
	p.Sdist = len(files) > 0
	for _, f := range files {
		if f.Hash != "" {
			p.Hashes = append(p.Hashes, f.Hash)
		}
		if f.File == "" || strings.HasSuffix(f.File, ".whl") {
			p.Sdist = false
		}
	}
}

// groups returns for whom a package is there: none for the project itself.
func (l *poetryLock) groups(t poetryTable, name string) []string {
	groups := t.Groups
	if len(groups) == 0 && t.Category != "" {
		groups = []string{t.Category}
	}
	var out []string
	for _, g := range groups {
		if g == "main" {
			out = nil
			break
		}
		out = append(out, pep508.Normal(g))
	}
	if len(out) > 0 || !t.Optional {
		return out
	}
	for _, extra := range slices.Sorted(maps.Keys(l.Extras)) {
		if slices.ContainsFunc(l.Extras[extra], func(s string) bool { return pep508.Normal(s) == name }) {
			out = append(out, pep508.Normal(extra))
		}
	}
	return out
}

// poetryMarker is a package's marker. That for one group is as good as any
// other's: the groups say for themselves who needs the package.
func poetryMarker(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		var all []string
		for _, m := range v {
			s, _ := m.(string)
			all = append(all, s)
		}
		return either(all)
	}
	return ""
}

type poetryNeed struct {
	Marker   string
	Optional bool
}

// poetryNeeds reads a dependency: a version, a table, or a list of them for
// different machines.
func poetryNeeds(v any) []poetryNeed {
	switch v := v.(type) {
	case map[string]any:
		marker, _ := v["markers"].(string)
		optional, _ := v["optional"].(bool)
		return []poetryNeed{{marker, optional}}
	case []any:
		var out []poetryNeed
		for _, item := range v {
			out = append(out, poetryNeeds(item)...)
		}
		return out
	case []map[string]any:
		var out []poetryNeed
		for _, item := range v {
			out = append(out, poetryNeeds(item)...)
		}
		return out
	}
	return []poetryNeed{{}}
}

// forExtras adds needs of extras. The lock does not say which extras are wanted,
// so that one is believed only of a package that is there for no other reason.
func forExtras(packages []Package, later map[string][]Need) {
	needed := map[string]bool{}
	for _, p := range packages {
		for _, n := range p.Needs {
			needed[n.Name] = true
		}
	}
	for i := range packages {
		for _, n := range later[packages[i].Name] {
			if !needed[n.Name] {
				packages[i].Needs = append(packages[i].Needs, n)
			}
		}
	}
}

func (r *reader) poetryPackage(t poetryTable, p Package) {
	switch source := t.Source; source.Type {
	case "", "pypi":
		r.locked(p)
	case "legacy":
		p.Source = fromIndex(source.URL)
		r.named(p.Source, p.Place)
		r.locked(p)
	case "url":
		p.Source = Source{URL: source.URL}
		r.locked(p)
	case "git", "hg", "svn":
		r.refuse(p, VCS, source.URL)
	case "directory":
		r.local(p, source.URL)
	case "file":
		r.refuse(p, Path, source.URL)
	default:
		r.refuse(p, Syntax, source.URL)
	}
}
