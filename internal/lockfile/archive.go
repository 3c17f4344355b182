package lockfile

import (
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// archiveName returns what the file name at the end of a URL or path says: the
// package, normalised, its version, and whether it is a source distribution. Of
// any other name they are empty.
func archiveName(s string) (name, version string, source bool) {
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	base := s[strings.LastIndexAny(s, `/\`)+1:]
	if plain, err := url.PathUnescape(base); err == nil {
		base = plain // "%2B" of a local version
	}
	f, ok := dist.ParseFile(base)
	if _, err := pep440.Parse(f.Version); !ok || err != nil || !pep508.ValidName(f.Name) {
		return "", "", false
	}
	return f.Name, f.Version, !f.Wheel()
}
