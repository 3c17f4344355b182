package pep440

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// Specifiers is a list of clauses, all of which have to hold: ">=1.2,<2".
// An empty one takes every version.
type Specifiers []Specifier

// A Specifier is one clause.
type Specifier struct {
	op      string  // ===, ==, ~=, !=, <=, >=, < or >
	version Version // of ===, only if it is one
	prefix  bool    // ==1.2.* or !=1.2.*
	text    string  // of ===: compared letter by letter
}

var clauseForm = lazyregexp.New(`^(===|==|~=|!=|<=|>=|<|>)\s*(\S+)$`)

// ParseSpecifiers reads a list of clauses with commas between them. Anything
// that PEP 440 does not allow is an error of kind Invalid.
func ParseSpecifiers(s string) (Specifiers, error) {
	var out Specifiers
	if strings.TrimSpace(s) == "" {
		return out, nil
	}
	for clause := range strings.SplitSeq(s, ",") {
		c, err := parseClause(strings.TrimSpace(clause))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parseClause(s string) (Specifier, error) {
	bad := sallyport.Errorf(sallyport.Invalid, "not a version specifier as PEP 440 has it")
	m := clauseForm.FindStringSubmatch(s)
	if m == nil {
		return Specifier{}, bad
	}
	c := Specifier{op: m[1], text: m[2]}
	number := m[2]
	if c.op == "==" || c.op == "!=" {
		number, c.prefix = strings.CutSuffix(number, ".*")
	}
	var err error
	c.version, err = Parse(number)
	switch {
	case c.op == "===":
		return c, nil // of any text
	case err != nil:
		return Specifier{}, bad
	case c.prefix && !releaseOnly(number):
		return Specifier{}, bad
	case c.op == "~=" && (strings.Count(releaseOf(number), ".") == 0 || len(c.version.local) > 0):
		return Specifier{}, bad
	case strings.ContainsAny(c.op, "<>") && len(c.version.local) > 0:
		return Specifier{}, bad
	}
	if c.prefix || c.op == "~=" {
		c.text = number
	}
	return c, nil
}

// Exact returns the one version that the clauses leave, and whether there is one:
// that of "==1.2" or "===1.2" without a wildcard, if the others take it too.
func (s Specifiers) Exact() (Version, bool) {
	i := slices.IndexFunc(s, func(c Specifier) bool {
		return !c.prefix && (c.op == "==" || c.op == "===") && !c.version.IsZero()
	})
	if i < 0 || !s.Contains(s[i].version) {
		return Version{}, false
	}
	return s[i].version, true
}

// Contains reports whether every clause takes v. Whether versions before a
// release are wanted is for the caller to know; here they are.
func (s Specifiers) Contains(v Version) bool {
	return !slices.ContainsFunc(s, func(c Specifier) bool { return !c.contains(v) })
}

func (c Specifier) contains(v Version) bool {
	switch c.op {
	case "===":
		return strings.EqualFold(v.text, c.text)
	case "==":
		return c.equal(v)
	case "!=":
		return !c.equal(v)
	case "<=":
		return v.Public().Compare(c.version) <= 0
	case ">=":
		return v.Public().Compare(c.version) >= 0
	case "~=":
		// ~=1.4.5 is >=1.4.5, ==1.4.*
		parts := releaseParts(c.text)
		return v.Public().Compare(c.version) >= 0 && c.version.epoch == v.epoch && startsWith(v, parts[:len(parts)-1])
	case "<":
		// "<" takes no earlier version of the very release that it names, unless it
		// names such a one itself.
		return v.Public().Compare(c.version) < 0 && (c.version.IsPrerelease() || !v.IsPrerelease() || !sameRelease(v, c.version))
	case ">":
		return c.after(v)
	}
	return false
}

// after is ">": a later version, but neither a post-release nor a local build of
// the very one that it names.
func (c Specifier) after(v Version) bool {
	switch {
	case v.Compare(c.version) <= 0:
		return false
	case v.hasPost && !c.version.hasPost && sameRelease(v, c.version):
		return false
	}
	return len(v.local) == 0 || v.Public().Compare(c.version) != 0
}

func (c Specifier) equal(v Version) bool {
	if c.prefix {
		return c.version.epoch == v.epoch && startsWith(v, releaseParts(c.text))
	}
	if len(c.version.local) == 0 {
		v = v.Public()
	}
	return v.Compare(c.version) == 0
}

// sameRelease compares epochs and releases alone.
func sameRelease(v, w Version) bool { return v.epoch == w.epoch && slices.Equal(v.release, w.release) }

// startsWith reports whether v's release, with zeros after it as far as need
// be, begins with the parts.
func startsWith(v Version, parts []number) bool {
	for i, n := range parts {
		if i < len(v.release) && v.release[i] != n || i >= len(v.release) && n != "" {
			return false
		}
	}
	return true
}

var releaseForm = lazyregexp.New(`^v?(?:[0-9]+!)?([0-9]+(?:\.[0-9]+)*)`)

// releaseOnly reports whether a version has nothing after its release: only of
// such a one may a prefix be asked for.
func releaseOnly(text string) bool {
	return releaseForm.FindString(strings.ToLower(text)) == strings.ToLower(text)
}

// releaseOf is the release part of a version's text, as it was written: zeros at
// its end count in a prefix.
func releaseOf(text string) string {
	if m := releaseForm.FindStringSubmatch(strings.ToLower(text)); m != nil {
		return m[1]
	}
	return ""
}

func releaseParts(text string) []number {
	var out []number
	for part := range strings.SplitSeq(releaseOf(text), ".") {
		out = append(out, digits(part))
	}
	return out
}
