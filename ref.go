package sallyport

import (
	"fmt"
	"strconv"
	"strings"
)

// A Ref names a version of a dataset. Version 0 means the newest.
type Ref struct {
	Name    string
	Version int
}

// CheckName reports whether s can name a dataset, a principal or a project:
// 1 to 64 lower-case letters, digits, dots, dashes and underscores, the first
// and the last a letter or a digit. Names become file names and parts of URLs.
func CheckName(what, s string) error {
	outer := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	inner := func(r rune) bool { return r < 0x80 && (outer(byte(r)) || strings.ContainsRune("._-", r)) }
	if len(s) > 0 && len(s) <= 64 && outer(s[0]) && outer(s[len(s)-1]) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !inner(r) }) && !strings.Contains(s, "..") {
		return nil
	}
	return Errorf(Usage, "%q cannot name a %s", s, what).
		Try("use 1 to 64 lower-case letters, digits, dots, dashes and underscores")
}

// ParseRef reads NAME or NAME@VERSION.
func ParseRef(s string) (Ref, error) {
	name, v, found := strings.Cut(s, "@")
	if err := CheckName("dataset", name); err != nil {
		return Ref{}, err
	}
	if !found {
		return Ref{Name: name}, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || strconv.Itoa(n) != v { // "+1" and "01" would be second names of version 1
		return Ref{}, Errorf(Usage, "%q is not a version", v).Try("versions are 1, 2, 3, …: %s@1", name)
	}
	return Ref{name, n}, nil
}

func (r Ref) String() string {
	if r.Version == 0 {
		return r.Name
	}
	return fmt.Sprintf("%s@%d", r.Name, r.Version)
}
