package env

import (
	"slices"

	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A pylockTable is a package as PEP 751 has it, as far as it matters here.
type pylockTable struct {
	Name, Version  string
	Marker         *string
	Requires       string `toml:"requires-python"`
	VCS, Directory map[string]any
	Archive, Sdist *pylockFile
	Wheels         []pylockFile
}

type pylockFile struct {
	URL    string
	Hashes map[string]string
}

// readPylock reads a lock of PEP 751. A run gets the packages whose markers
// hold without extras and groups.
func (l *Lock) readPylock(b []byte) error {
	l.Format = "pylock.toml"
	var root struct {
		Version      string `toml:"lock-version"`
		Environments []string
		Requires     string `toml:"requires-python"`
	}
	tables, err := toml.Decode(b, "packages", &root)
	if err != nil {
		return l.broken(b, 0, err)
	}
	if root.Version != "1.0" {
		return l.errorf(0, "a lock of another version than 1.0").Try("make the lock with a tool that writes lock-version 1.0")
	}
	var environments []*pep508.Marker
	for _, s := range root.Environments {
		m, err := pep508.ParseMarker(s)
		if err != nil {
			return l.errorf(0, "environments that cannot be read").Try(again)
		}
		environments = append(environments, m)
	}
	requires := map[string]string{}
	for _, table := range tables {
		var t pylockTable
		if err := table.Into(&t); err != nil {
			return l.broken(b, table.Line, err)
		}
		p, err := l.pylockPackage(t, table.Line)
		if err != nil {
			return err
		}
		requires[p.Name+"\x00"+p.Version] = t.Requires
		l.Packages = append(l.Packages, p)
	}
	l.choose = func(markers map[string]string) ([]Pin, error) {
		version := markers["python_full_version"]
		if err := l.pythonFits(root.Requires, version); err != nil {
			return nil, err
		}
		if len(environments) > 0 && !slices.ContainsFunc(environments, func(m *pep508.Marker) bool { return m.Holds(markers) }) {
			return nil, l.errorf(0, "the lock is not for this platform and Python %s", version).Try("make the lock again for this platform")
		}
		pins, err := l.selected(markers)
		for _, p := range pins {
			if err == nil && !satisfies(version, requires[p.Name+"\x00"+p.Version]) {
				err = l.errorf(p.line, "%s is not for Python %s", p.Name, version).Try("make the lock again for this Python")
			}
		}
		return pins, err
	}
	return nil
}

func (l *Lock) pylockPackage(t pylockTable, line int) (Pin, error) {
	p, err := l.pin(t.Name, t.Version, line)
	if err != nil {
		return p, err
	}
	if p.marker, err = l.condition(t.Marker, line); err != nil {
		return p, err
	}
	switch {
	case t.VCS != nil:
		return p, l.errorf(line, "%s is a checkout, which cannot be held by a hash", p.Name).Try("depend on a release of it")
	case t.Directory != nil:
		return p, l.errorf(line, "%s is a folder, which cannot be held by a hash", p.Name).Try("put its code into the project itself")
	case t.Archive != nil:
		if p.URL = t.Archive.URL; !urlForm.MatchString(p.URL) {
			return p, l.errorf(line, "%s does not come from an https URL", p.Name).Try("depend on a release of it")
		}
		p.Wheels = t.Archive.strong()
		return p, l.needs(p)
	}
	for _, w := range t.Wheels {
		h := w.strong()
		if len(h) == 0 {
			return p, l.errorf(line, "%s has a wheel without a strong hash", p.Name).Try(again)
		}
		p.Wheels = append(p.Wheels, h...)
	}
	if t.Sdist != nil {
		p.Sources = t.Sdist.strong()
	}
	return p, l.needs(p)
}

// strong returns the hashes of a file that still mean something.
func (f pylockFile) strong() []string {
	var out []string
	for _, algorithm := range []string{"sha256", "sha384", "sha512"} {
		if h := f.Hashes[algorithm]; h != "" {
			out = append(out, algorithm+":"+h)
		}
	}
	return out
}
