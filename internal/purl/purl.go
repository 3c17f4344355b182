// Package purl reads and writes package URLs, the names by which bills of
// materials and statements about vulnerabilities call packages:
// "pkg:pypi/numpy@2.1.0".
//
// Source: the purl specification 1.0 (ECMA-427).
package purl

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// The types that we have to do with.
const (
	PyPI    = "pypi"
	Conda   = "conda"
	Generic = "generic"
)

// The qualifiers that we write.
const (
	Index    = "repository_url" // of the registry, where it is not the type's own
	Download = "download_url"   // of the archive
	VCS      = "vcs_url"        // of the checkout
	Channel  = "channel"        // of a conda package
)

// A PURL is a package URL in its parts, without escapes.
type PURL struct {
	Type       string
	Namespace  string
	Name       string
	Version    string
	Qualifiers map[string]string
	Subpath    string
}

// maxLength bounds a package URL, in bytes.
const maxLength = 8 << 10

// Parse reads a package URL. Its error does not hold the text.
func Parse(s string) (PURL, error) {
	p, what := parse(s)
	if what != "" {
		return PURL{}, sallyport.Errorf(sallyport.Invalid, "not a package URL: %s", what).Try("write it like pkg:pypi/numpy@2.1.0")
	}
	return p, nil
}

// parse reads a package URL, or says what is wrong with it. It takes parts off
// the right, as the specification has it, because a name may hold what
// separates others.
func parse(s string) (p PURL, wrong string) {
	if len(s) > maxLength {
		return p, "it is too long"
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !strings.EqualFold(scheme, "pkg") {
		return p, "it does not begin with pkg:"
	}
	rest, subpath, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	rest = strings.Trim(rest, "/")
	typ, rest, ok := strings.Cut(rest, "/")
	if !ok || !validType(typ) {
		return p, "it has no type"
	}
	p.Type = strings.ToLower(typ)
	rest = strings.TrimLeft(rest, "/")
	// A version follows the last @, unless a part of the path begins with that: npm's scopes do.
	if at := strings.LastIndexByte(rest, '@'); at > 0 && rest[at-1] != '/' {
		if p.Version, ok = unescape(rest[at+1:]); !ok {
			return p, "its version cannot be read"
		}
		rest = rest[:at]
	}
	rest = strings.TrimRight(rest, "/")
	slash := strings.LastIndexByte(rest, '/')
	if p.Name, ok = unescape(rest[slash+1:]); !ok || p.Name == "" {
		return p, "it has no name"
	}
	if p.Namespace, ok = segments(rest[:max(slash, 0)]); !ok {
		return p, "its namespace cannot be read"
	}
	if p.Subpath, ok = segments(subpath); !ok {
		return p, "its subpath cannot be read"
	}
	p.Qualifiers, wrong = qualifiers(query)
	return p.normal(), wrong
}

// validType reports whether s is a package type: letters, digits, points, dashes
// and, in old ones, plus signs; not a digit first.
func validType(s string) bool { return validKey(s, ".-+") }

func validKey(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		letter, digit := 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9'
		if !letter && (!digit || i == 0) && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return s != ""
}

// unescape resolves percent signs, behind which there must be UTF-8.
func unescape(s string) (string, bool) {
	out, err := url.PathUnescape(s)
	return out, err == nil && utf8.ValidString(out)
}

// segments resolves the escapes of a path. Empty parts and those that would walk
// the tree do not count, and no part may turn out to be several.
func segments(path string) (string, bool) {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		text, ok := unescape(part)
		if !ok || strings.Contains(text, "/") {
			return "", false
		}
		if text != "" && text != "." && text != ".." {
			out = append(out, text)
		}
	}
	return strings.Join(out, "/"), true
}

// qualifiers reads the pairs after the question mark, or says what is wrong.
func qualifiers(query string) (map[string]string, string) {
	var out map[string]string
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if value == "" {
			continue // the specification: the same as if it were not there
		}
		text, ok := unescape(value)
		key = strings.ToLower(key)
		if !ok || !validKey(key, ".-_") {
			return nil, "a qualifier cannot be read"
		}
		if _, twice := out[key]; twice {
			return nil, "a qualifier is there twice"
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = text
	}
	return out, ""
}

// normal applies the rules of the types that we write.
func (p PURL) normal() PURL {
	if p.Type == PyPI {
		p.Name = strings.ReplaceAll(strings.ToLower(p.Name), "_", "-")
	}
	return p
}

// String returns the canonical spelling.
func (p PURL) String() string {
	p = p.normal()
	var b strings.Builder
	b.WriteString("pkg:" + p.Type)
	for part := range strings.SplitSeq(p.Namespace, "/") {
		if part != "" {
			b.WriteString("/" + escape(part))
		}
	}
	b.WriteString("/" + escape(p.Name))
	if p.Version != "" {
		b.WriteString("@" + escape(p.Version))
	}
	separator := "?"
	for _, key := range slices.Sorted(maps.Keys(p.Qualifiers)) {
		if value := p.Qualifiers[key]; value != "" {
			b.WriteString(separator + key + "=" + escape(value))
			separator = "&"
		}
	}
	separator = "#"
	for part := range strings.SplitSeq(p.Subpath, "/") {
		if part != "" {
			b.WriteString(separator + escape(part))
			separator = "/"
		}
	}
	return b.String()
}

// escape escapes every byte but letters, digits and ".-_~:", which is what the
// specification leaves as it is.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte(".-_~:", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}
