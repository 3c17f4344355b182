package env

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A uvPackage is a package of uv.lock with the edges of its graph.
type uvPackage struct {
	Pin
	root   bool // the project itself, or a member of its workspace
	needs  []uvEdge
	extras map[string][]uvEdge // optional-dependencies
}

// A uvEdge is a dependency of one package on another.
type uvEdge struct {
	name, version string
	extras        []string
	marker        *pep508.Marker
	line          int // of the package that it leads from
}

// A uvTable is a package as it stands in uv.lock. There is more in one than this.
type uvTable struct {
	Name, Version string
	Source        struct{ Registry, URL, Git, Virtual, Editable, Directory string }
	Dependencies  []uvDependency
	Optional      map[string][]uvDependency `toml:"optional-dependencies"`
	Wheels        []uvFile
	Sdist         *uvFile
}

type uvDependency struct {
	Name, Version string
	Extra         []string
	Marker        *string
}

type uvFile struct{ Hash string }

// readUV reads uv.lock, version 1. A run gets what the project itself depends
// on; its extras and dependency groups are for development.
func (l *Lock) readUV(b []byte) error {
	l.Format = "uv.lock"
	var root struct {
		Version  int
		Requires string `toml:"requires-python"`
	}
	tables, err := toml.Decode(b, "package", &root)
	if err != nil {
		return l.broken(b, 0, err)
	}
	if root.Version != 1 {
		return l.errorf(0, "a uv.lock of another version than 1").Try("export it: uv export --format requirements-txt -o requirements.lock")
	}
	var all []uvPackage
	for _, table := range tables {
		var t uvTable
		if err := table.Into(&t); err != nil {
			return l.broken(b, table.Line, err)
		}
		p, err := l.uvPackage(t, table.Line)
		if err != nil {
			return err
		}
		all = append(all, p)
		if !p.root {
			l.Packages = append(l.Packages, p.Pin)
		}
	}
	if !slices.ContainsFunc(all, func(p uvPackage) bool { return p.root }) {
		return l.errorf(0, "the lock does not hold the project itself").Try("run uv lock in the folder of its pyproject.toml")
	}
	l.choose = func(markers map[string]string) ([]Pin, error) {
		if err := l.pythonFits(root.Requires, markers["python_full_version"]); err != nil {
			return nil, err
		}
		return l.walkUV(all, markers)
	}
	return nil
}

func (l *Lock) uvPackage(t uvTable, line int) (uvPackage, error) {
	pin, err := l.pin(t.Name, t.Version, line)
	p := uvPackage{Pin: pin, extras: map[string][]uvEdge{}}
	if err != nil {
		return p, err
	}
	switch source := t.Source; {
	case source.Virtual != "", source.Editable != "", source.Directory != "":
		p.root = true
	case source.Registry != "":
	case source.URL != "":
		if p.URL, _, _ = strings.Cut(source.URL, "#"); !urlForm.MatchString(p.URL) {
			return p, l.errorf(line, "%s does not come from an https URL", p.Name).Try("depend on a release of it")
		}
	case source.Git != "":
		return p, l.errorf(line, "%s is a checkout, which cannot be held by a hash", p.Name).Try("depend on a release of it")
	default:
		return p, l.errorf(line, "%s comes from a place that another machine does not have", p.Name).Try("depend on a release of it")
	}
	if p.needs, err = l.uvEdges(t.Dependencies, line); err != nil {
		return p, err
	}
	for extra, dependencies := range t.Optional {
		if p.extras[extra], err = l.uvEdges(dependencies, line); err != nil {
			return p, err
		}
	}
	if p.root {
		return p, nil
	}
	for _, w := range t.Wheels {
		p.Wheels = append(p.Wheels, w.Hash)
	}
	if t.Sdist != nil {
		p.Sources = append(p.Sources, t.Sdist.Hash)
	}
	return p, l.needs(p.Pin)
}

func (l *Lock) uvEdges(dependencies []uvDependency, line int) ([]uvEdge, error) {
	var out []uvEdge
	for _, d := range dependencies {
		m, err := l.condition(d.Marker, line)
		if err != nil {
			return nil, err
		}
		out = append(out, uvEdge{name: pep508.Normal(d.Name), version: d.Version, extras: d.Extra, marker: m, line: line})
	}
	return out, nil
}

// walkUV returns what the project depends on under the given markers: every
// package that an unbroken chain of edges whose markers hold leads to. Members
// of a workspace other than the first are reached as dependencies or not at all.
func (l *Lock) walkUV(all []uvPackage, markers map[string]string) ([]Pin, error) {
	var out []Pin
	seen := map[string]bool{}
	var visit func(p *uvPackage, extra string) error
	follow := func(edges []uvEdge) error {
		for _, e := range edges {
			if e.marker != nil && !e.marker.Holds(markers) {
				continue
			}
			p, err := l.find(all, e)
			if err != nil {
				return err
			}
			for _, extra := range append([]string{""}, e.extras...) {
				if err := visit(p, extra); err != nil {
					return err
				}
			}
		}
		return nil
	}
	visit = func(p *uvPackage, extra string) error {
		key := p.Name + "\x00" + p.Version + "\x00" + extra
		if seen[key] {
			return nil
		}
		seen[key] = true
		if extra != "" {
			return follow(p.extras[extra])
		}
		if p.root && len(seen) > 1 {
			return l.errorf(p.line, "%s is a folder, not a release", p.Name).Try("put its code into the project itself")
		}
		if !p.root {
			out = append(out, p.Pin)
		}
		return follow(p.needs)
	}
	first := slices.IndexFunc(all, func(p uvPackage) bool { return p.root })
	if err := visit(&all[first], ""); err != nil {
		return nil, err
	}
	return l.unique(out)
}

// find returns the one package that an edge leads to.
func (l *Lock) find(all []uvPackage, e uvEdge) (*uvPackage, error) {
	var found *uvPackage
	for i := range all {
		if all[i].Name != e.name || e.version != "" && all[i].Version != e.version {
			continue
		}
		if found != nil {
			return nil, l.errorf(e.line, "it is not clear which %s is meant", e.name).Try(again)
		}
		found = &all[i]
	}
	if found == nil {
		return nil, l.errorf(e.line, "%s is needed and not in the lock", e.name).Try(again)
	}
	return found, nil
}
