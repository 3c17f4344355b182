package env

import "slices"

// readPylock reads a lock of PEP 751. A run gets the packages whose markers
// hold without extras and groups.
func (l *Lock) readPylock(b []byte) error {
	l.Format = "pylock.toml"
	root, tables, err := l.tables(b, "packages")
	if err != nil {
		return err
	}
	if root.text("lock-version") != "1.0" {
		return l.errorf(0, "a lock of another version than 1.0").Try("make the lock with a tool that writes lock-version 1.0")
	}
	var environments []marker
	for _, s := range root.texts("environments") {
		m, err := parseMarker(s)
		if err != nil {
			return l.errorf(0, "environments that cannot be read").Try("make the lock again")
		}
		environments = append(environments, m)
	}
	requires := map[string]string{}
	for _, t := range tables {
		p, err := l.pylockPackage(t)
		if err != nil {
			return err
		}
		requires[p.Name+"\x00"+p.Version] = t.text("requires-python")
		l.Packages = append(l.Packages, p)
	}
	l.choose = func(markers map[string]string) ([]Pin, error) {
		version := markers["python_full_version"]
		if err := l.pythonFits(root.text("requires-python"), version); err != nil {
			return nil, err
		}
		if len(environments) > 0 && !slices.ContainsFunc(environments, func(m marker) bool { return m(markers) }) {
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

func (l *Lock) pylockPackage(t table) (Pin, error) {
	p, err := l.pin(t)
	if err != nil {
		return p, err
	}
	if p.marker, err = l.condition(t); err != nil {
		return p, err
	}
	switch {
	case t["vcs"] != nil:
		return p, l.errorf(p.line, "%s is a checkout, which cannot be held by a hash", p.Name).Try("depend on a release of it")
	case t["directory"] != nil:
		return p, l.errorf(p.line, "%s is a folder, which cannot be held by a hash", p.Name).Try("put its code into the project itself")
	case t["archive"] != nil:
		a := t.sub("archive")
		if p.URL = a.text("url"); !urlForm.MatchString(p.URL) {
			return p, l.errorf(p.line, "%s does not come from an https URL", p.Name).Try("depend on a release of it")
		}
		p.Wheels = strongHashes(a)
		return p, l.needs(p)
	}
	wheels, ok := t.tables("wheels")
	if !ok {
		return p, l.errorf(p.line, "%s has wheels that cannot be read", p.Name).Try("make the lock again")
	}
	for _, w := range wheels {
		h := strongHashes(w)
		if len(h) == 0 {
			return p, l.errorf(p.line, "%s has a wheel without a strong hash", p.Name).Try("make the lock again")
		}
		p.Wheels = append(p.Wheels, h...)
	}
	if s := t.sub("sdist"); s != nil {
		p.Sources = strongHashes(s)
	}
	return p, l.needs(p)
}

// strongHashes returns the hashes of a file that still mean something.
func strongHashes(file table) []string {
	var out []string
	hashes := file.sub("hashes")
	for _, algorithm := range []string{"sha256", "sha384", "sha512"} {
		if h := hashes.text(algorithm); h != "" {
			out = append(out, algorithm+":"+h)
		}
	}
	return out
}
