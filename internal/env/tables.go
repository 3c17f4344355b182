package env

import (
	"errors"
	"slices"
)

// A table is a TOML table of a lock, read by what is expected of it.
type table map[string]any

func (t table) line() int {
	n, _ := t[lineKey].(int64)
	return int(n)
}

func (t table) text(key string) string {
	s, _ := t[key].(string)
	return s
}

func (t table) sub(key string) table {
	m, _ := t[key].(map[string]any)
	return m
}

// texts returns the texts of a list.
func (t table) texts(key string) []string {
	var out []string
	list, _ := t[key].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// tables returns the tables of a list. ok is false if there is something else:
// what is not understood must not be passed over.
func (t table) tables(key string) (out []table, ok bool) {
	if t[key] == nil {
		return nil, true
	}
	list, ok := t[key].([]any)
	for _, v := range list {
		m, isTable := v.(map[string]any)
		out, ok = append(out, m), ok && isTable
	}
	return out, ok
}

// tables reads a lock in TOML and returns its root and its packages.
func (l *Lock) tables(b []byte, key string) (root table, packages []table, err error) {
	root, err = readTOML(string(b))
	if te, ok := errors.AsType[*tomlError](err); ok {
		return nil, nil, l.errorf(te.line, "not TOML: %s", te.msg).Try("make the lock again")
	}
	packages, ok := root.tables(key)
	if !ok {
		return nil, nil, l.errorf(0, "%s is not a list of tables", key).Try("make the lock again")
	}
	return root, packages, nil
}

// pin reads name and version of a package.
func (l *Lock) pin(t table) (Pin, error) {
	p := Pin{Name: normal(t.text("name")), Version: t.text("version"), line: t.line()}
	if !nameForm.MatchString(t.text("name")) {
		return p, l.errorf(p.line, "a package without a proper name").Try("make the lock again")
	}
	if p.Version != "" && !versionForm.MatchString(p.Version) {
		return p, l.errorf(p.line, "%s has no proper version", p.Name).Try("make the lock again")
	}
	return p, nil
}

// condition reads the marker of a table, if it has one.
func (l *Lock) condition(t table) (marker, error) {
	s, given := t["marker"]
	if !given {
		return nil, nil
	}
	text, _ := s.(string)
	m, err := parseMarker(text)
	if err != nil {
		return nil, l.errorf(t.line(), "a marker that cannot be read: %w", err).Try("make the lock again")
	}
	return m, nil
}

// pythonFits checks a lock's requires-python.
func (l *Lock) pythonFits(requires, version string) error {
	if !satisfies(version, requires) {
		return l.errorf(0, "the lock is for Python %s, and this is Python %s", requires, version).
			Try("set SALLYPORT_PYTHON to such a Python, or make the lock again for this one")
	}
	return nil
}

// needs checks that a pin of the index has a version and at least one hash.
func (l *Lock) needs(p Pin) error {
	switch {
	case p.Version == "" && p.URL == "":
		return l.errorf(p.line, "%s has no version", p.Name).Try("make the lock again")
	case len(p.Wheels)+len(p.Sources) == 0:
		return l.errorf(p.line, "%s has no hashes", p.Name).Try("make the lock again from an index that gives them")
	}
	for _, h := range slices.Concat(p.Wheels, p.Sources) {
		if !hashForm.MatchString(h) {
			return l.errorf(p.line, "%s has a hash that is none of SHA-256, SHA-384, SHA-512", p.Name).Try("make the lock again")
		}
	}
	return l.oneFile(p)
}
