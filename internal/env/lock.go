package env

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A Lock is a lock file that has been read and understood to its last line.
type Lock struct {
	Format   string           // "requirements.txt", "uv.lock" or "pylock.toml"
	Digest   sallyport.Digest // of the file's bytes
	Packages []Pin            // every package that the file names, for any platform, in its order

	file    string
	indexes []string // --index-url and --extra-index-url of a requirements file
	// choose returns the pins that one interpreter needs.
	choose func(markers map[string]string) ([]Pin, error)
}

// A Pin is one version of one package, held fast by hashes.
type Pin struct {
	Name    string   // normalised (PEP 503)
	Version string   // empty if URL is set
	URL     string   // of an archive; empty means from the index
	Wheels  []string // "sha256:…" of every acceptable wheel, or of anything a requirements file accepts
	Sources []string // the same of source distributions, where the lock tells them apart

	line   int
	marker *pep508.Marker
}

// maxLock bounds a lock file, in bytes. A thousand packages with the hashes of
// every wheel take two MiB.
const maxLock = 16 << 20

// ReadLock reads a lock file: uv.lock, a pylock.toml (PEP 751), or anything
// else as a requirements file of pip. Every entry has to be pinned to one
// version and to hashes of its bytes; whatever is not understood is an error of
// kind Invalid that names the line.
func ReadLock(file string, b []byte) (*Lock, error) {
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if len(b) > maxLock {
		return nil, sallyport.Errorf(sallyport.Limit, "longer than %d MiB", maxLock>>20).At("%s", name)
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return nil, sallyport.Errorf(sallyport.Invalid, "not a text file in UTF-8").At("%s", name).Try("make the lock again")
	}
	l := &Lock{Digest: sallyport.Sum(b), file: name}
	var err error
	switch {
	case name == "uv.lock":
		err = l.readUV(b)
	case name == "pylock.toml", strings.HasPrefix(name, "pylock.") && strings.HasSuffix(name, ".toml"):
		err = l.readPylock(b)
	default:
		err = l.readRequirements(string(b))
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// errorf makes an error at a line of the lock; line 0 is the whole file.
func (l *Lock) errorf(line int, format string, args ...any) *sallyport.Error {
	e := sallyport.Errorf(sallyport.Invalid, format, args...)
	if line == 0 {
		return e.At("%s", l.file)
	}
	return e.At("%s:%d", l.file, line)
}

// selected returns those of the lock's packages whose markers hold, sorted by
// name, and refuses two versions of one package.
func (l *Lock) selected(markers map[string]string) ([]Pin, error) {
	var out []Pin
	for _, p := range l.Packages {
		if p.marker == nil || p.marker.Holds(markers) {
			out = append(out, p)
		}
	}
	return l.unique(out)
}

func (l *Lock) unique(pins []Pin) ([]Pin, error) {
	slices.SortStableFunc(pins, func(a, b Pin) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(pins); i++ {
		if pins[i].Name == pins[i-1].Name {
			return nil, l.errorf(pins[i].line, "%s is pinned twice for this Python", pins[i].Name).Try("keep one of the two, or give each a marker of its own")
		}
	}
	return pins, nil
}

var (
	nameForm = lazyregexp.New(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)
	// versionForm is a public or local version as PEP 440, appendix B, has it.
	versionForm = lazyregexp.New(`^v?([0-9]+!)?[0-9]+(\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?` +
		`(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\+[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*)?$`)
	hashForm = lazyregexp.New(`^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$`)
	urlForm  = lazyregexp.New(`^https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~:/@!$&'()*+,;=%?-]*$`)
)

// pin reads the name and version of a package.
func (l *Lock) pin(name, version string, line int) (Pin, error) {
	p := Pin{Name: pep508.Normal(name), Version: version, line: line}
	if !nameForm.MatchString(name) {
		return p, l.errorf(line, "a package without a proper name").Try(again)
	}
	if version != "" && !versionForm.MatchString(version) {
		return p, l.errorf(line, "%s has no proper version", p.Name).Try(again)
	}
	return p, nil
}

// condition reads the marker of an entry, if it has one.
func (l *Lock) condition(text *string, line int) (*pep508.Marker, error) {
	if text == nil {
		return nil, nil
	}
	m, err := pep508.ParseMarker(*text)
	if err != nil {
		return nil, l.errorf(line, "a marker that cannot be read: %w", err).Try(again)
	}
	return m, nil
}

// satisfies reports whether a version of Python is one that a requires-python
// allows. One that cannot be read satisfies nothing.
func satisfies(version, requires string) bool {
	if strings.HasSuffix(version, "+") {
		version += "local" // a build between releases
	}
	v, err := pep440.Parse(version)
	clauses, bad := pep440.ParseSpecifiers(requires)
	return err == nil && bad == nil && clauses.Contains(v)
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
		return l.errorf(p.line, "%s has no version", p.Name).Try(again)
	case len(p.Wheels)+len(p.Sources) == 0:
		return l.errorf(p.line, "%s has no hashes", p.Name).Try("make the lock again from an index that gives them")
	}
	for _, h := range slices.Concat(p.Wheels, p.Sources) {
		if !hashForm.MatchString(h) {
			return l.errorf(p.line, "%s has a hash that is none of SHA-256, SHA-384, SHA-512", p.Name).Try(again)
		}
	}
	return l.oneFile(p)
}
