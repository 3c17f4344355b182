package lockfile

import (
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/pep440"
)

// buildGroup is the group of what builds a project. No lock holds it: it is
// installed apart, whenever a project is built.
const buildGroup = "build"

// settle takes out what was asked for in one place and pinned in another that
// is always read with it: in a lock that was made from the file, in a file of
// constraints, in a file that it includes.
func (r *reader) settle() {
	pinned := map[string][]int{}
	for i, p := range r.list.Packages {
		if len(pinned[p.Name]) < maxVersions { // a line that only another would answer stays
			pinned[p.Name] = append(pinned[p.Name], i)
		}
	}
	told := map[string][]string{} // the files that name what they could not pin
	for _, u := range r.list.Unread {
		if !slices.Contains(told[u.Name], u.Place.File) {
			told[u.Name] = append(told[u.Name], u.Place.File)
		}
	}
	r.list.Unread = slices.DeleteFunc(r.list.Unread, func(u Unread) bool {
		if u.Name == "" || slices.Contains(u.Groups, buildGroup) {
			return false
		}
		if slices.ContainsFunc(told[u.Name], func(file string) bool { return r.isLockOf(file, u.Place.File) }) {
			return true // the lock says it better
		}
		answered, choices := false, choicesOf(u.Wants)
		for _, i := range pinned[u.Name] {
			if p := &r.list.Packages[i]; r.answers(p, u) && (u.Reason != Range || takes(choices, p.Version)) {
				p.Direct = p.Direct || u.Direct
				answered = true
			}
		}
		return answered
	})
}

// answers reports whether a pin is what will be installed for a line that left
// the choice, if its version is one of those.
func (r *reader) answers(p *Package, u Unread) bool {
	lock := r.isLockOf(p.Place.File, u.Place.File)
	switch {
	case u.Reason != Unpinned && u.Reason != Range && !(lock && (u.Reason == Path || u.Reason == URL)):
		return false
	case p.Marker != "" && p.Marker != u.Marker && !lock:
		return false // pinned on some platforms only
	}
	return lock || r.together(p.Place.File, u.Place.File) || r.constrains(u.Place.File)
}

// choicesOf reads what a line asks for. One of the choices has to take a version.
func choicesOf(wants string) []pep440.Specifiers {
	if clauses, err := pep440.ParseSpecifiers(strings.TrimSuffix(wants, ",")); err == nil {
		return []pep440.Specifiers{clauses}
	}
	choices, _ := alternatives(wants)
	return choices
}

// takes reports whether a choice allows a version.
func takes(choices []pep440.Specifiers, version string) bool {
	v, err := pep440.Parse(version)
	return err == nil && slices.ContainsFunc(choices, func(c pep440.Specifiers) bool { return c.Contains(v) })
}

// together reports whether whoever installs from the second file installs from
// the first, because it is the same or is included.
func (r *reader) together(pins, asks string) bool {
	seen := map[string]bool{}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		if from == pins {
			return true
		}
		seen[from] = true
		return slices.ContainsFunc(r.includes[from], func(to string) bool { return !seen[to] && reaches(to) })
	}
	return reaches(asks)
}

// isLockOf reports whether a file was made from another: because it says so, or
// because of their names and places.
func (r *reader) isLockOf(lock, declaration string) bool {
	if lock == declaration {
		return false
	}
	if slices.Contains(r.madeFrom[lock], declaration) {
		return true
	}
	of, from := r.formatOf(lock), r.formatOf(declaration)
	if of == requirements && from == "requirements.in" {
		return stem(lock) == stem(declaration)
	}
	// A workspace has one lock, above its members.
	folder := path.Dir(lock)
	return slices.Contains(locksOf(of), from) && (folder == "." || strings.HasPrefix(declaration, folder+"/"))
}

func (r *reader) formatOf(name string) string {
	for _, f := range r.list.Files {
		if f.Path == name {
			return f.Format
		}
	}
	return ""
}

// stem is a path without what follows the last point.
func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
