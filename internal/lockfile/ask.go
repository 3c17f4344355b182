package lockfile

import (
	"cmp"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

var (
	checkoutForm = lazyregexp.New(`^\s*(?:git|hg|svn|bzr)\+|^\s*git@`)
	schemeForm   = lazyregexp.New(`^\s*(?:https?|ftp|file):`)
	archiveEnd   = lazyregexp.New(`(?i)\.(?:whl|zip|tar|tgz|tbz|txz|tar\.(?:gz|bz2|xz|lzma))(?:\[|$)`)
)

// ask reads one requirement as pip takes it: of PEP 508, or the URL or path of
// an archive, a checkout or a folder.
func (r *reader) ask(q request, hashes []string) error {
	req, err := pep508.Parse(q.text)
	u := q.unreadable(Syntax, req.Name, cmp.Or(req.URL, req.Wants, q.text))
	u.Marker = req.When
	switch {
	case variableForm.MatchString(scrub(q.text)):
		u.Reason = Variable
	case checkoutForm.MatchString(q.text):
		u.Reason, u.Name, u.Wants = VCS, nameIn(q.text), q.text
	case checkoutForm.MatchString(req.URL):
		u.Reason = VCS
	case err == nil && req.URL != "":
		r.archive(q, req, hashes)
		return nil
	case err == nil && archiveEnd.MatchString(q.text):
		return r.folder(q)
	case err == nil:
		r.pinned(q, req, hashes)
		return nil
	case schemeForm.MatchString(q.text):
		url, when, _ := strings.Cut(q.text, "; ") // a URL may hold semicolons
		r.archive(q, pep508.Requirement{Name: nameIn(url), URL: strings.TrimSpace(url), When: strings.TrimSpace(when)}, hashes)
		return nil
	case errors.Is(err, pep508.ErrMarker):
		u.Reason = Marker
	case isPath(beforeMarker(q.text)):
		return r.folder(q)
	case errors.Is(err, pep508.ErrVersion):
		u.Reason = Version
	}
	r.unread(u)
	return nil
}

// pinned takes a requirement of an index, exact or left open.
func (r *reader) pinned(q request, req pep508.Requirement, hashes []string) {
	exact, ok := req.Clauses.Exact()
	if !ok {
		u := q.unreadable(Range, req.Name, req.Wants)
		u.Marker = req.When
		switch {
		case len(req.Clauses) == 0:
			u.Reason = Unpinned
		case strings.HasPrefix(req.Wants, "==="):
			u.Reason = Version
		}
		r.unread(u)
		return
	}
	version := exact.String()
	if len(req.Clauses) == 1 {
		version = strings.Trim(req.Wants, "=, \t")
	}
	r.add(Package{Name: req.Name, Version: version, Place: q.place, Hashes: hashes, Marker: req.When, Groups: q.groups, Direct: q.direct})
}

// archive takes a requirement of a URL. The name of a wheel or of a source
// distribution holds its version.
func (r *reader) archive(q request, req pep508.Requirement, hashes []string) {
	u := q.unreadable(URL, req.Name, req.URL)
	u.Marker = req.When
	_, err := pep508.ParseMarker(req.When)
	name, version, source := archiveName(req.URL)
	switch {
	case req.When != "" && err != nil:
		u.Reason = Marker
	case strings.HasPrefix(req.URL, "file:"), !strings.Contains(req.URL, "://"):
		u.Reason, u.Name = Path, cmp.Or(u.Name, name)
	case version != "" && (req.Name == "" || req.Name == name):
		if sum := fragment(req.URL, "sha256"); sum != "" {
			hashes = append(hashes, "sha256:"+sum)
		}
		r.add(Package{Name: name, Version: version, Place: q.place, Hashes: hashes, Marker: req.When,
			Source: Source{URL: req.URL}, Groups: q.groups, Direct: q.direct, Sdist: source})
		return
	}
	r.unread(u)
}

// editable takes a checkout or a folder that is installed in place.
func (r *reader) editable(q request) error {
	if checkoutForm.MatchString(q.text) || strings.Contains(q.text, "://") || variableForm.MatchString(q.text) {
		return r.ask(q, nil)
	}
	return r.folder(q)
}

// folder takes a requirement of a path. A folder of the project itself asks for
// what its own declaration does; any other is the business of some machine.
func (r *reader) folder(q request) error {
	target := beforeMarker(q.text)
	target, _, _ = strings.Cut(target, "[") // its extras
	found := false
	// Installers differ in what a path begins at: the folder that they are started
	// in, which is the project's, or that of the file.
	for _, from := range []string{q.place.File, "."} {
		for _, declaration := range []string{"pyproject.toml", "setup.cfg", "setup.py"} {
			name, ok := r.beside(from, strings.TrimRight(target, `/\`)+"/"+declaration)
			if !ok {
				continue
			}
			found = true
			// What this file pins is installed together with that.
			r.includes[name] = append(r.includes[name], q.place.File)
			if err := r.follow(q.place, name, false, nil); err != nil {
				return err
			}
		}
	}
	if found {
		return nil
	}
	u := q.unreadable(Path, "", q.text)
	u.Name, _, _ = archiveName(q.text)
	r.unread(u)
	return nil
}

// isPath reports whether pip would look for a file or folder of that name.
func isPath(s string) bool {
	return strings.ContainsAny(s, `/\`) || strings.HasPrefix(s, ".") || archiveEnd.MatchString(s)
}

// beforeMarker is a requirement without its marker.
func beforeMarker(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.TrimSpace(s)
}

// nameIn returns the package that a URL names in its fragment.
func nameIn(url string) string {
	name, _, _ := strings.Cut(fragment(url, "egg"), "[")
	name, _, _ = strings.Cut(name, "=")
	if !pep508.ValidName(name) {
		return ""
	}
	return pep508.Normal(name)
}
