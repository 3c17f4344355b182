package pep508

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/internal/pep440"
)

// What Parse says about a requirement whose name it could read.
var (
	ErrMarker  = errors.New("a marker that cannot be read")
	ErrVersion = errors.New("a version that cannot be read")
)

var errRequirement = errors.New("not a requirement of PEP 508")

// A Requirement is what a package, or a person, asks for.
type Requirement struct {
	Name    string   // normalised
	Extras  []string // normalised
	Wants   string   // the clauses as they were written, without brackets
	Clauses pep440.Specifiers
	URL     string // where it is to come from; then there are no clauses
	Marker  *Marker
	When    string // the marker as it was written
}

// Parse reads a requirement. If it has a name but something after that cannot be
// read, what could be is returned beside ErrVersion or ErrMarker; of anything
// else the error says only that it is none.
func Parse(s string) (Requirement, error) {
	s = strings.Trim(s, blank)
	n := nameLength(s)
	if n == 0 || n > maxName {
		return Requirement{}, errRequirement
	}
	r := Requirement{Name: Normal(s[:n])}
	rest, ok := r.readExtras(strings.TrimLeft(s[n:], blank))
	if !ok {
		return Requirement{}, errRequirement
	}
	if url, isURL := strings.CutPrefix(rest, "@"); isURL {
		return r.readURL(strings.TrimLeft(url, blank))
	}
	if rest != "" && !strings.ContainsRune("<>=!~(;", rune(rest[0])) {
		return Requirement{}, errRequirement
	}
	clauses, condition, marked := strings.Cut(rest, ";")
	var err error
	if r.Wants, err = unbracketed(strings.Trim(clauses, blank)); err == nil {
		r.Clauses, err = pep440.ParseSpecifiers(strings.TrimSuffix(r.Wants, ","))
	}
	if err != nil {
		r.When = strings.Trim(condition, blank)
		return r, ErrVersion
	}
	if !marked {
		return r, nil
	}
	return r.readMarker(condition)
}

// blank is the white space of the grammar.
const blank = " \t"

// readExtras reads "[a, b]", and returns what follows.
func (r *Requirement) readExtras(s string) (rest string, ok bool) {
	inside, bracketed := strings.CutPrefix(s, "[")
	if !bracketed {
		return s, true
	}
	inside, rest, ok = strings.Cut(inside, "]")
	if !ok {
		return "", false
	}
	rest = strings.TrimLeft(rest, blank)
	if strings.Trim(inside, blank) == "" {
		return rest, true
	}
	for extra := range strings.SplitSeq(inside, ",") {
		if extra = strings.Trim(extra, blank); !ValidName(extra) {
			return "", false
		}
		r.Extras = append(r.Extras, Normal(extra))
	}
	return rest, true
}

// readURL reads what follows "@". A URL may hold semicolons; the one before a
// marker has white space before it.
func (r Requirement) readURL(s string) (Requirement, error) {
	end := strings.IndexAny(s, blank)
	if end < 0 {
		end = len(s)
	}
	r.URL = s[:end]
	if r.URL == "" {
		return Requirement{}, errRequirement
	}
	rest := strings.Trim(s[end:], blank)
	if rest == "" {
		return r, nil
	}
	condition, ok := strings.CutPrefix(rest, ";")
	if !ok {
		return Requirement{}, errRequirement
	}
	return r.readMarker(condition)
}

func (r Requirement) readMarker(s string) (Requirement, error) {
	r.When = strings.Trim(s, blank)
	var err error
	if r.Marker, err = ParseMarker(r.When); err != nil {
		return r, ErrMarker
	}
	return r, nil
}

// unbracketed takes the brackets off "(>=1,<2)".
func unbracketed(s string) (string, error) {
	inside, ok := strings.CutPrefix(s, "(")
	if !ok {
		return s, nil
	}
	inside, ok = strings.CutSuffix(inside, ")")
	if !ok {
		return s, ErrVersion
	}
	return strings.Trim(inside, blank), nil
}
