package lockfile

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// Every lock names packages with versions in fields of their own. This is what
// the readers of locks share.

// locked takes a package of a lock, or says why it cannot be checked.
func (r *reader) locked(p Package) {
	_, badVersion := pep440.Parse(p.Version)
	_, badMarker := pep508.ParseMarker(p.Marker)
	switch {
	case !pep508.ValidName(p.Name):
		r.refuse(p, Syntax, p.Name)
	case p.Marker != "" && badMarker != nil:
		r.refuse(p, Marker, p.Version)
	case p.Version == "":
		r.refuse(p, Unpinned, "")
	case badVersion != nil:
		r.refuse(p, Version, p.Version)
	default:
		r.add(p)
	}
}

// refuse says that a package of a lock cannot be checked.
func (r *reader) refuse(p Package, why Reason, wants string) {
	u := Unread{Place: p.Place, Reason: why, Name: p.Name, Wants: wants, Marker: p.Marker, Groups: p.Groups, Direct: p.Direct}
	if !pep508.ValidName(u.Name) {
		u.Name = ""
	}
	r.unread(u)
}

// local takes a package that is a folder. In the project it is the project's own
// code, whose dependencies the lock holds; anywhere else nobody has checked it.
func (r *reader) local(p Package, folder string) {
	folder = strings.ReplaceAll(folder, `\`, "/")
	inside := path.Join(path.Dir(p.Place.File), strings.TrimPrefix(folder, "file://"))
	if path.IsAbs(inside) || strings.Contains(inside, ":") || inside == ".." || strings.HasPrefix(inside, "../") {
		r.refuse(p, Path, folder)
		return
	}
	p.Source = Source{Path: inside}
	if p.Version == "" {
		return // found out when it is built: it is nobody's release
	}
	r.locked(p)
}

// fromIndex is the source of a package of an index. The zero source is that of
// the default one.
func fromIndex(url string) Source {
	if defaultIndex.MatchString(url) {
		return Source{}
	}
	return Source{Index: url}
}

var defaultIndex = lazyregexp.New(`^https://(?:pypi\.org|pypi\.python\.org)(?:/simple|/pypi)?/*$`)

// named takes an index that packages of a lock come from. Each package says
// which one is its own, so that none is beside another.
func (r *reader) named(s Source, place Place) {
	if s.Index != "" {
		r.index(Index{URL: s.Index, Place: place})
	}
}

// A moment is a time of a lock, which writes it as one or as a text. One that
// cannot be read is as good as none.
type moment struct{ time.Time }

// UnmarshalTOML takes whatever the lock has.
func (m *moment) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case time.Time:
		m.Time = v.UTC()
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			m.Time = t.UTC()
		}
	}
	return nil
}

// first returns the earlier of two times, of which either may be missing.
func first(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// either joins markers, any of which may hold. Without a marker, it always does.
func either(markers []string) string {
	markers = slices.Compact(slices.Sorted(slices.Values(markers)))
	if len(markers) == 0 || slices.Contains(markers, "") {
		return ""
	}
	if len(markers) == 1 {
		return markers[0]
	}
	return "(" + strings.Join(markers, ") or (") + ")"
}

// unneeded marks as direct what no release in the lock needs: a lock that does
// not name the project's own wishes has nothing else to go by. Those that are
// known to be direct speak for themselves.
func unneeded(packages []Package) {
	needed := map[string]bool{}
	edges := false
	for _, p := range packages {
		if p.Direct {
			return
		}
		for _, n := range p.Needs {
			edges = true
			needed[n.Name] = needed[n.Name] || n.Name != p.Name && p.Source.Path == ""
		}
	}
	for i, p := range packages {
		packages[i].Direct = edges && !needed[p.Name] && p.Source.Path == ""
	}
}

// declared marks as direct what the declaration beside a lock asks for, and
// reports whether there is one that can be read.
func (r *reader) declared(lock string, packages []Package) bool {
	name, ok := r.beside(lock, "pyproject.toml")
	if !ok {
		return false
	}
	d := newReader(r.fsys)
	if d.file(name, false, nil) != nil {
		return false
	}
	wishes := map[string]bool{}
	for _, p := range d.list.Packages {
		wishes[p.Name] = wishes[p.Name] || p.Direct
	}
	for _, u := range d.list.Unread {
		wishes[u.Name] = wishes[u.Name] || u.Direct && !slices.Contains(u.Groups, buildGroup)
	}
	any := false
	for i := range packages {
		packages[i].Direct = packages[i].Direct || wishes[packages[i].Name]
		any = any || packages[i].Direct
	}
	return any
}

// direct marks what the project asks for, as far as that can be told.
func (r *reader) direct(lock string, packages []Package) {
	if !r.declared(lock, packages) {
		unneeded(packages)
	}
}

// tables decodes the tables [[key]] of a lock in TOML, and the rest into root.
// The line of each stands beside it.
func tables[T any](name string, b []byte, key string, root any) (all []T, lines []int, err error) {
	raw, err := toml.Decode(b, key, root)
	if err != nil {
		return nil, nil, broken(name, b, err)
	}
	all, at, err := toml.All[T](raw)
	if err != nil {
		return nil, nil, brokenTable(name, b, raw[at].Line, err)
	}
	for _, t := range raw {
		lines = append(lines, t.Line)
	}
	return all, lines, nil
}

// brokenTable is broken for a table of a lock: where the reader names no byte,
// its line is said.
func brokenTable(name string, b []byte, line int, err error) error {
	if e, ok := errors.AsType[*format.Error](err); ok && e.Off < 0 && line > 0 {
		off := 0
		for ; line > 1; line-- {
			off += 1 + bytes.IndexByte(b[off:], '\n')
		}
		err = &format.Error{Kind: e.Kind, Off: int64(off), Text: e.Text}
	}
	return broken(name, b, err)
}
