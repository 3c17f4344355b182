package bom

import (
	"cmp"
	stdjson "encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
	"github.com/sallyport/sallyport/internal/purl"
)

// Read reads a bill of materials of any of the formats. Name stands for the
// document in places and errors.
//
// What is in it comes back as a Package if it has the package URL of a version
// of a Python package, and as Unread otherwise: another ecosystem's, or nobody
// can say what. The one exception is what the document as a whole describes: it
// is a Package if it can be one, and is left out if not. Services are nobody's
// parts and are left out.
func Read(name string, data []byte) (*lockfile.List, error) {
	if len(data) > maxBytes {
		return nil, sallyport.Errorf(sallyport.Limit, "a bill of materials larger than %d MiB", maxBytes>>20).At("%s", name)
	}
	format, err := detect(newStream(name, data))
	if err != nil {
		return nil, err
	}
	read := map[string]func(*stream, *assembly) error{CycloneDX: readCycloneDX, SPDX: readSPDX}[format]
	a := assembly{name: name, edges: map[string][]string{}}
	if err := read(newStream(name, data), &a); err != nil {
		return nil, err
	}
	list := a.list()
	list.Files = []lockfile.File{{Path: name, Format: format, Digest: sallyport.Sum(data)}}
	return list, nil
}

// detect tells the formats apart by the first key that only one of them has.
func detect(s *stream) (format string, err error) {
	t, err := s.next()
	if err != nil {
		return "", err
	}
	for t.Kind == json.Object {
		k, err := s.next()
		if err != nil {
			return "", err
		}
		switch {
		case k.Kind == json.ObjectEnd:
			t = json.Token{}
			continue
		case k.Is("bomFormat"), k.Is("specVersion"):
			return CycloneDX, nil
		case k.Is("spdxVersion"), k.Is("SPDXID"):
			return SPDX, nil
		}
		if err := s.r.Skip(); err != nil {
			return "", s.wrong(err)
		}
	}
	return "", sallyport.Errorf(sallyport.Invalid, "neither CycloneDX nor SPDX 2 in JSON").At("%s", s.name).
		Try("convert it to CycloneDX 1.6 or SPDX 2.3, both as JSON")
}

// newer is the error of a version that we do not know.
func (s *stream) newer(format string) error {
	return sallyport.Errorf(sallyport.Newer, "a version of %s that is not known here", format).At("%s", s.name).
		Try("convert it to CycloneDX 1.6 or SPDX 2.3, both as JSON")
}

// An item is what either format says of one thing.
type item struct {
	ref        string
	line       int
	name       string
	version    string
	span       string // a range of versions instead of one
	purls      []string
	hashes     []string
	properties []property
}

// An assembly is a document while it is being read.
type assembly struct {
	name       string
	items      []item
	edges      map[string][]string // what needs what, by reference
	edgeCount  int
	subjects   []string // references of what the document describes
	unread     []lockfile.Unread
	incomplete bool // the document says that it is
	told       bool // and of what
}

func (a *assembly) add(it item) error {
	if len(a.items) == maxItems {
		return sallyport.Errorf(sallyport.Limit, "more than %d components", maxItems).At("%s:%d", a.name, it.line)
	}
	a.items = append(a.items, it)
	return nil
}

func (a *assembly) edge(from, to string) error {
	if a.edgeCount++; a.edgeCount > 8*maxItems {
		return sallyport.Errorf(sallyport.Limit, "more than %d dependencies", 8*maxItems).At("%s", a.name)
	}
	a.edges[from] = append(a.edges[from], to)
	return nil
}

// property takes a property of the whole document.
func (a *assembly) property(q property, line int) {
	if q.Name != unreadName {
		return
	}
	var u lockfile.Unread
	if err := stdjson.Unmarshal([]byte(q.Value), &u); err != nil || u.Reason == "" {
		u = lockfile.Unread{Place: lockfile.Place{File: a.name, Line: line}, Reason: lockfile.Syntax}
	}
	a.unread, a.told = append(a.unread, u), true
}

// list makes packages of the items, and edges of the references.
func (a *assembly) list() *lockfile.List {
	list := &lockfile.List{Packages: []lockfile.Package{}}
	places := map[string][]int{} // of packages in the list, by reference
	for i := range a.items {
		for _, p := range a.packages(&a.items[i]) {
			places[a.items[i].ref] = append(places[a.items[i].ref], len(list.Packages))
			list.Packages = append(list.Packages, p)
		}
	}
	for from, to := range a.edges {
		subject := slices.Contains(a.subjects, from)
		for _, ref := range to {
			for _, j := range places[ref] {
				list.Packages[j].Direct = list.Packages[j].Direct || subject
				need := lockfile.Need{Name: list.Packages[j].Name, Version: list.Packages[j].Version}
				for _, i := range places[from] {
					list.Packages[i].Needs = append(list.Packages[i].Needs, need)
				}
			}
		}
	}
	for i := range list.Packages {
		p := &list.Packages[i]
		slices.SortFunc(p.Needs, func(x, y lockfile.Need) int {
			return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version))
		})
		p.Needs = slices.Compact(p.Needs)
	}
	slices.SortStableFunc(list.Packages, func(x, y lockfile.Package) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Place.Line, y.Place.Line))
	})
	if a.incomplete && !a.told {
		a.unread = append(a.unread, lockfile.Unread{
			Place: lockfile.Place{File: a.name}, Reason: lockfile.Missing, Wants: "what the document leaves out, as it says of itself",
		})
	}
	list.Unread = a.unread
	return list
}

// packages returns the packages that an item is, none or one as a rule, and
// takes note of what it may be otherwise.
func (a *assembly) packages(it *item) (out []lockfile.Package) {
	place := lockfile.Place{File: a.name, Line: it.line}
	unread := func(reason lockfile.Reason, name, wants string) {
		a.unread = append(a.unread, lockfile.Unread{Place: place, Reason: reason, Name: name, Wants: wants})
	}
	subject := it.ref != "" && len(a.subjects) == 1 && a.subjects[0] == it.ref
	python := false
	for _, text := range it.purls {
		u, err := purl.Parse(text)
		if err != nil {
			unread(lockfile.Syntax, "", "a package URL that cannot be read")
			python = true
			continue
		}
		if !isPython(u, it) {
			continue
		}
		name := pep508.Normal(u.Name)
		python = true
		version, reason := it.versionOf(u)
		switch {
		case !pep508.ValidName(name):
			unread(lockfile.Syntax, "", "the package URL of a package that cannot exist")
		case reason == "":
			out = append(out, it.asPackage(u, name, version, place))
		case reason != lockfile.Unpinned || !subject:
			unread(reason, name, version)
		}
	}
	if !python && !subject {
		name := pep508.Normal(it.name)
		if !pep508.ValidName(name) {
			name = ""
		}
		unread(lockfile.Native, name, cmp.Or(strings.Join(it.purls, " "), it.version))
	}
	return out
}

// isPython reports whether a package URL is that of a Python package. A conda
// package may be one, and only our own documents say which.
func isPython(u purl.PURL, it *item) bool {
	return u.Type == purl.PyPI && u.Namespace == "" || u.Type == purl.Conda && is(it.properties, condaName)
}

// versionOf returns the version of an item, or what is there instead and why it
// is none. The package URL and the item must agree about it.
func (it *item) versionOf(u purl.PURL) (string, lockfile.Reason) {
	text := cmp.Or(u.Version, it.version)
	switch {
	case text == "" && it.span != "":
		return it.span, lockfile.Range
	case text == "":
		return "", lockfile.Unpinned
	}
	v, err := pep440.Parse(text)
	if err != nil {
		return text, lockfile.Version
	}
	if it.version != "" && it.version != text {
		if other, err := pep440.Parse(it.version); err != nil || other.Compare(v) != 0 {
			return text + " and " + it.version, lockfile.Version
		}
	}
	return text, ""
}

func (it *item) asPackage(u purl.PURL, name, version string, place lockfile.Place) lockfile.Package {
	p := lockfile.Package{Name: name, Version: version, Place: place, Hashes: slices.Clone(it.hashes), Source: sourceOf(u)}
	for _, q := range it.properties {
		q.apply(&p)
	}
	return p
}
