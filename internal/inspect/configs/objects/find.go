package objects

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

var errFound = errors.New("found")

// Any reports whether a document has an object that is what is looked for, by
// those of its watched members that have begun. Only a document that has the sign
// is read for it, and only so far.
func Any(p *inspect.Pass, f *inspect.File, sign string, watched []string, is func(*Object) bool) (bool, error) {
	if s, err := Look(p, f); err != nil {
		return false, err
	} else if !s.Has(sign) {
		return false, s.Err
	}
	r := Reader{Watched: watched, Began: func(o *Object) error {
		if is(o) {
			return errFound
		}
		return nil
	}}
	err := r.Read(p, f.Reader())
	if err == errFound {
		return true, nil
	}
	return false, err
}

// Listed reports whether a dotted name is in a list with one on a line, or lies
// below one of those.
func Listed(list, name string) bool {
	for entry := range strings.Lines(list) {
		entry = strings.TrimSpace(entry)
		if rest, ok := strings.CutPrefix(name, entry); ok && entry != "" && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}
