// Package pep508 reads how Python packages ask for each other: names,
// requirements ("numpy[blas]>=2; python_version >= '3.11'") and the markers in
// them.
//
// Source: PEP 508, kept as "Dependency specifiers" by the Python Packaging
// Authority; where it is silent, what the reference implementation does
// (packaging.requirements), which the tests ask.
package pep508

import "strings"

// maxName bounds a package's name, in bytes. Longer ones are not published.
const maxName = 128

// ValidName reports whether s is a package's or an extra's name: letters and
// digits, and between them points, dashes and underscores.
func ValidName(s string) bool {
	return s != "" && len(s) <= maxName && nameLength(s) == len(s)
}

// nameLength returns how many bytes of s, from its beginning, are a name.
func nameLength(s string) int {
	end := 0
	for i := range len(s) {
		switch c := s[i]; {
		case letterOrDigit(c):
			end = i + 1
		case c != '.' && c != '-' && c != '_' || i == 0:
			return end
		}
	}
	return end
}

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// Normal returns the normalised form of a name (PEP 503): small letters, and
// one dash for each run of points, dashes and underscores.
func Normal(name string) string {
	var b strings.Builder
	separated := false
	for i := range len(name) {
		c := name[i]
		if c == '.' || c == '-' || c == '_' {
			separated = true
			continue
		}
		if separated {
			b.WriteByte('-')
			separated = false
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	if separated {
		b.WriteByte('-')
	}
	return b.String()
}
