package env

import (
	"slices"
	"strings"
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
	marker        marker
	line          int
}

// readUV reads uv.lock, version 1. A run gets what the project itself depends
// on; its extras and dependency groups are for development.
func (l *Lock) readUV(b []byte) error {
	l.Format = "uv.lock"
	root, tables, err := l.tables(b, "package")
	if err != nil {
		return err
	}
	if v, _ := root["version"].(int64); v != 1 {
		return l.errorf(0, "a uv.lock of another version than 1").Try("export it: uv export --format requirements-txt -o requirements.lock")
	}
	var all []uvPackage
	for _, t := range tables {
		p, err := l.uvPackage(t)
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
	requires := root.text("requires-python")
	l.choose = func(markers map[string]string) ([]Pin, error) {
		if err := l.pythonFits(requires, markers["python_full_version"]); err != nil {
			return nil, err
		}
		return l.walkUV(all, markers)
	}
	return nil
}

func (l *Lock) uvPackage(t table) (uvPackage, error) {
	pin, err := l.pin(t)
	p := uvPackage{Pin: pin, extras: map[string][]uvEdge{}}
	if err != nil {
		return p, err
	}
	source := t.sub("source")
	switch {
	case source.text("virtual") != "", source.text("editable") != "", source.text("directory") != "":
		p.root = true
	case source.text("registry") != "":
	case source.text("url") != "":
		if p.URL, _, _ = strings.Cut(source.text("url"), "#"); !urlForm.MatchString(p.URL) {
			return p, l.errorf(p.line, "%s does not come from an https URL", p.Name).Try("depend on a release of it")
		}
	case source.text("git") != "":
		return p, l.errorf(p.line, "%s is a checkout, which cannot be held by a hash", p.Name).Try("depend on a release of it")
	default:
		return p, l.errorf(p.line, "%s comes from a place that another machine does not have", p.Name).Try("depend on a release of it")
	}
	if p.needs, err = l.uvEdges(t, "dependencies"); err != nil {
		return p, err
	}
	optional := t.sub("optional-dependencies")
	for extra := range optional {
		if extra == lineKey {
			continue
		}
		if p.extras[extra], err = l.uvEdges(optional, extra); err != nil {
			return p, err
		}
	}
	if p.root {
		return p, nil
	}
	wheels, ok := t.tables("wheels")
	if !ok {
		return p, l.errorf(p.line, "%s has wheels that cannot be read", p.Name)
	}
	for _, w := range wheels {
		p.Wheels = append(p.Wheels, w.text("hash"))
	}
	if s := t.sub("sdist"); s != nil {
		p.Sources = append(p.Sources, s.text("hash"))
	}
	return p, l.needs(p.Pin)
}

func (l *Lock) uvEdges(t table, key string) ([]uvEdge, error) {
	tables, ok := t.tables(key)
	if !ok {
		return nil, l.errorf(t.line(), "dependencies that cannot be read").Try("make the lock again")
	}
	var out []uvEdge
	for _, d := range tables {
		e := uvEdge{name: normal(d.text("name")), version: d.text("version"), extras: d.texts("extra"), line: d.line()}
		var err error
		if e.marker, err = l.condition(d); err != nil {
			return nil, err
		}
		out = append(out, e)
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
			if e.marker != nil && !e.marker(markers) {
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
			return nil, l.errorf(e.line, "it is not clear which %s is meant", e.name).Try("make the lock again")
		}
		found = &all[i]
	}
	if found == nil {
		return nil, l.errorf(e.line, "%s is needed and not in the lock", e.name).Try("make the lock again")
	}
	return found, nil
}
