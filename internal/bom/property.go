package bom

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/vex"
)

// A property is something about a package that the formats have no words for.
// CycloneDX has properties; in SPDX each is an annotation, "name=value".
type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// The names of our properties.
const (
	ours          = "sallyport:"
	markerName    = ours + "marker"   // PEP 508: the package is needed on some platforms only
	groupName     = ours + "group"    // an extra or group that needs it; one property for each
	condaName     = ours + "conda"    // a Python package, built by a conda channel
	sdistName     = ours + "sdist"    // there is only source: installing it runs its code
	yankedName    = ours + "yanked"   // why its authors have withdrawn it
	uploadedName  = ours + "uploaded" // when it was published
	pathName      = ours + "path"     // a folder of the project, from where it is taken
	hashName      = ours + "hash"     // "sha256:…" of a file that may be installed, where there are several
	unreadName    = ours + "unread"   // of the document: a line that could not be read, as JSON
	exploitedName = ours + "exploited"
	epssName      = ours + "epss"
	assumedName   = ours + "assumed"
	maliciousName = ours + "malicious"
	statusName    = vex.Justification
	yes           = "true"
)

// propertiesOf returns what the formats have no words for.
func propertiesOf(p *lockfile.Package) []property {
	var out []property
	add := func(name, value string) {
		if value != "" {
			out = append(out, property{name, value})
		}
	}
	flag := func(name string, set bool) {
		if set {
			add(name, yes)
		}
	}
	add(markerName, p.Marker)
	for _, g := range p.Groups {
		add(groupName, g)
	}
	flag(condaName, p.Conda)
	flag(sdistName, p.Sdist)
	add(yankedName, p.Yanked)
	if !p.Uploaded.IsZero() {
		add(uploadedName, stamp(p.Uploaded))
	}
	add(pathName, local(p.Source.Path))
	return out
}

// local keeps a path that says something about the project, and of one that
// says something about a machine only its end.
func local(name string) string {
	if name == "" || filepath.IsLocal(name) {
		return name
	}
	return path.Base(filepath.ToSlash(name))
}

// apply is the way back of propertiesOf.
func (q property) apply(p *lockfile.Package) {
	switch q.Name {
	case markerName:
		p.Marker = q.Value
	case groupName:
		p.Groups = append(p.Groups, q.Value)
	case condaName:
		p.Conda = q.Value == yes
	case sdistName:
		p.Sdist = q.Value == yes
	case yankedName:
		p.Yanked = q.Value
	case uploadedName:
		p.Uploaded, _ = time.Parse(time.RFC3339, q.Value) // zero, which is not known, if it cannot be read
	case pathName:
		p.Source = lockfile.Source{Path: q.Value}
	case hashName:
		p.Hashes = append(p.Hashes, q.Value)
	}
}

// is reports whether a list has the property.
func is(list []property, name string) bool {
	return slices.Contains(list, property{name, yes})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// algorithms are the names of hashes: by lock files, CycloneDX and SPDX.
var algorithms = [][3]string{
	{"md5", "MD5", "MD5"},
	{"sha1", "SHA-1", "SHA1"},
	{"sha224", "", "SHA224"},
	{"sha256", "SHA-256", "SHA256"},
	{"sha384", "SHA-384", "SHA384"},
	{"sha512", "SHA-512", "SHA512"},
	{"sha3_256", "SHA3-256", "SHA3-256"},
	{"sha3_384", "SHA3-384", "SHA3-384"},
	{"sha3_512", "SHA3-512", "SHA3-512"},
	{"blake2b", "BLAKE2b-512", "BLAKE2b-512"},
	{"blake3", "BLAKE3", "BLAKE3"},
}

// Columns of algorithms.
const (
	lockColumn = iota
	cycloneDXColumn
	spdxColumn
)

// translate finds a hash's algorithm by one column and names it by another; ""
// where that has no name for it.
func translate(name string, from, to int) string {
	for _, a := range algorithms {
		if a[from] == name {
			return a[to]
		}
	}
	return ""
}

// splitHash takes a lock file's hash apart and names the algorithm by a column,
// where that has a name for it and the rest are hexadecimal digits.
func splitHash(h string, column int) (algorithm, digits string, ok bool) {
	name, digits, _ := strings.Cut(h, ":")
	algorithm = translate(name, lockColumn, column)
	return algorithm, digits, algorithm != "" && len(digits) >= 32 && strings.Trim(digits, "0123456789abcdef") == ""
}
