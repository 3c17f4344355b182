// Package pep440 reads and compares the versions of Python packages, and the
// specifiers that choose among them.
//
// Source: PEP 440, kept as "Version specifiers" by the Python Packaging
// Authority; where it is silent, what the reference implementation does
// (packaging.version), which the tests ask.
package pep440

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A Version is a public or local version. Two spellings of one version ("1.0"
// and "v1.0.0") compare as equal; compare with Compare, not with ==.
type Version struct {
	epoch   number
	release []number // without zeros at its end
	pre     phase    // a, b or rc, with its number
	post    number
	dev     number
	hasPost bool
	hasDev  bool
	local   []segment
	text    string // normalised
}

// A phase is the part of a version before its release.
type phase struct {
	letter string // "a", "b" or "rc"; "" for none
	n      number
}

// A segment is a part of a local version: a number, or a text in small letters.
type segment struct {
	n    number
	text string // "" for a number
}

// A number is a number's decimal digits without zeros before it: the standard
// sets no bound to it, and calendar versions reach beyond 64 bits. Zero is "".
type number string

func digits(s string) number { return number(strings.TrimLeft(s, "0")) }

func (n number) compare(m number) int {
	return cmp.Or(cmp.Compare(len(n), len(m)), cmp.Compare(n, m))
}

func (n number) String() string {
	if n == "" {
		return "0"
	}
	return string(n)
}

// maxVersion bounds a version's text, in bytes. Longer ones are not published.
const maxVersion = 512

// form is the regular expression of PEP 440, appendix B.
var form = lazyregexp.New(`(?i)^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)` +
	`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?` +
	`((?:-([0-9]+))|(?:[-_.]?(?:post|rev|r)[-_.]?([0-9]+)?))?` +
	`([-_.]?dev[-_.]?([0-9]+)?)?` +
	`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`)

var letters = map[string]string{"alpha": "a", "a": "a", "beta": "b", "b": "b", "preview": "rc", "pre": "rc", "c": "rc", "rc": "rc"}

// Parse reads a version in any spelling that PEP 440 allows. White space around
// it does not count. Anything else is an error of kind Invalid.
func Parse(s string) (Version, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxVersion {
		return Version{}, sallyport.Errorf(sallyport.Invalid, "a version of more than %d characters", maxVersion)
	}
	if plain(s) {
		return fromRelease(s), nil
	}
	m := form.FindStringSubmatch(s)
	if m == nil {
		return Version{}, sallyport.Errorf(sallyport.Invalid, "not a version as PEP 440 has it")
	}
	v := fromRelease(m[2])
	v.epoch = digits(m[1])
	if m[3] != "" {
		v.pre = phase{letters[strings.ToLower(m[3])], digits(m[4])}
	}
	if m[5] != "" {
		v.hasPost, v.post = true, digits(m[6]+m[7]) // at most one of them is there
	}
	if m[8] != "" {
		v.hasDev, v.dev = true, digits(m[9])
	}
	if m[10] != "" {
		for part := range strings.FieldsFuncSeq(m[10], func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
			v.local = append(v.local, newSegment(strings.ToLower(part)))
		}
	}
	v.text = v.normal(m[2])
	return v, nil
}

// plain reports whether a text is nothing but a release, as most versions are.
func plain(s string) bool {
	before := byte('.')
	for i := range len(s) {
		if s[i] == '.' && before == '.' || s[i] != '.' && (s[i] < '0' || s[i] > '9') {
			return false
		}
		before = s[i]
	}
	return before != '.'
}

// fromRelease makes a version of its release alone.
func fromRelease(release string) Version {
	v := Version{release: make([]number, 0, 4)}
	zeros := false
	for part := range strings.SplitSeq(release, ".") {
		v.release = append(v.release, digits(part))
		zeros = zeros || len(part) > 1 && part[0] == '0'
	}
	v.text = release
	if zeros {
		v.text = v.normal(release)
	}
	for len(v.release) > 1 && v.release[len(v.release)-1] == "" {
		v.release = v.release[:len(v.release)-1]
	}
	return v
}

func newSegment(part string) segment {
	if strings.Trim(part, "0123456789") == "" {
		return segment{n: digits(part)}
	}
	return segment{text: part}
}

func (s segment) String() string {
	if s.text != "" {
		return s.text
	}
	return s.n.String()
}

// String is the version in the spelling that the standard calls normal. Zeros at
// the end of the release stand as they were written.
func (v Version) String() string { return v.text }

func (v *Version) normal(release string) string {
	var b strings.Builder
	if v.epoch != "" {
		b.WriteString(v.epoch.String() + "!")
	}
	for part := range strings.SplitSeq(release, ".") {
		if b.Len() > 0 && b.String()[b.Len()-1] != '!' {
			b.WriteByte('.')
		}
		b.WriteString(digits(part).String())
	}
	if v.pre.letter != "" {
		b.WriteString(v.pre.letter + v.pre.n.String())
	}
	if v.hasPost {
		b.WriteString(".post" + v.post.String())
	}
	if v.hasDev {
		b.WriteString(".dev" + v.dev.String())
	}
	for i, s := range v.local {
		b.WriteString(map[bool]string{true: "+", false: "."}[i == 0] + s.String())
	}
	return b.String()
}

// IsZero reports whether v is no version at all.
func (v Version) IsZero() bool { return v.text == "" }

// IsPrerelease reports whether v came before its release.
func (v Version) IsPrerelease() bool { return v.pre.letter != "" || v.hasDev }

// Local is what follows the plus sign, normalised, or "".
func (v Version) Local() string {
	_, local, _ := strings.Cut(v.text, "+")
	return local
}

// Public is v without what follows the plus sign.
func (v Version) Public() Version {
	v.text, _, _ = strings.Cut(v.text, "+")
	v.local = nil
	return v
}

// Compare returns -1, 0 or +1 as v comes before w, is the same, or comes after.
func (v Version) Compare(w Version) int {
	return cmp.Or(
		v.epoch.compare(w.epoch),
		slices.CompareFunc(v.release, w.release, number.compare),
		v.comparePre(w),
		compareOptional(v.hasPost, v.post, w.hasPost, w.post),
		// A development release comes before what it leads to, not after.
		compareOptional(!v.hasDev, "", !w.hasDev, ""),
		v.dev.compare(w.dev),
		slices.CompareFunc(v.local, w.local, segment.compare),
	)
}

// comparePre compares phases: 1.0.dev1 < 1.0a1 < 1.0b1 < 1.0rc1 < 1.0.
func (v Version) comparePre(w Version) int {
	return cmp.Or(cmp.Compare(v.rank(), w.rank()), v.pre.n.compare(w.pre.n))
}

func (v Version) rank() int {
	switch {
	case v.pre.letter == "a":
		return 1
	case v.pre.letter == "b":
		return 2
	case v.pre.letter == "rc":
		return 3
	case v.hasDev && !v.hasPost:
		return 0
	}
	return 4
}

// compareOptional compares numbers of which one that is missing is least.
func compareOptional(has bool, n number, other bool, m number) int {
	switch {
	case has && other:
		return n.compare(m)
	case has:
		return 1
	case other:
		return -1
	}
	return 0
}

// compare orders the parts of local versions: texts come before numbers.
func (s segment) compare(t segment) int {
	switch {
	case s.text == "" && t.text == "":
		return s.n.compare(t.n)
	case s.text == "":
		return 1
	case t.text == "":
		return -1
	}
	return cmp.Compare(s.text, t.text)
}
