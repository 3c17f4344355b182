// Package dist knows the files that describe a Python distribution: its RECORD,
// its entry points, the head of its metadata, and the names of folders and
// archives that carry one.
//
// Sources: the specifications of the Python Packaging Authority, "Recording
// installed projects", "Binary distribution format", "Source distribution
// format", "Entry points" and "Core metadata".
package dist

import (
	"strings"

	"github.com/sallyport/sallyport/internal/pep508"
)

// Folder returns the package and version that the name of a metadata folder
// holds: "typing_extensions-4.12.2.dist-info". The version is "" if it holds
// none.
func Folder(base string) (name, version string) {
	base = strings.TrimSuffix(base, ".dist-info")
	i := strings.LastIndexByte(base, '-')
	if i < 0 {
		return pep508.Normal(base), ""
	}
	return pep508.Normal(base[:i]), base[i+1:]
}

// A File is what the name of an archive says about it.
type File struct {
	Name    string // of the package, normalised
	Version string
	Build   string   // of a wheel, if it has one
	Tags    []string // of a wheel, each "cp311-cp311-manylinux_2_17_x86_64"; none: a source distribution
}

// Wheel reports whether the file is a wheel.
func (f File) Wheel() bool { return len(f.Tags) > 0 }

// maxTags bounds what the tag of one file name may unfold to.
const maxTags = 1024

// ParseFile reads the name of a wheel or of a source distribution. It reports
// false for all other names.
func ParseFile(base string) (File, bool) {
	if stem, ok := strings.CutSuffix(base, ".whl"); ok {
		return parseWheel(strings.Split(stem, "-"))
	}
	for _, end := range []string{".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"} {
		stem, ok := strings.CutSuffix(base, end)
		i := strings.LastIndexByte(stem, '-')
		if !ok || i <= 0 || i == len(stem)-1 {
			continue
		}
		return File{Name: pep508.Normal(stem[:i]), Version: stem[i+1:]}, true
	}
	return File{}, false
}

func parseWheel(parts []string) (File, bool) {
	if len(parts) != 5 && len(parts) != 6 {
		return File{}, false
	}
	for _, p := range parts {
		if p == "" {
			return File{}, false
		}
	}
	f := File{Name: pep508.Normal(parts[0]), Version: parts[1]}
	if len(parts) == 6 {
		f.Build = parts[2]
	}
	f.Tags = Tags(strings.Join(parts[len(parts)-3:], "-"))
	return f, f.Wheel()
}

// Tags unfolds a compressed set of tags, "py2.py3-none-any", into each of them.
// It returns none for what is no such set, or one of more than a thousand.
func Tags(set string) []string {
	parts := strings.Split(set, "-")
	if len(parts) != 3 {
		return nil
	}
	var sets [3][]string
	n := 1
	for i, p := range parts {
		sets[i] = strings.Split(p, ".")
		if n *= len(sets[i]); n > maxTags {
			return nil
		}
	}
	out := make([]string, 0, n)
	for _, python := range sets[0] {
		for _, abi := range sets[1] {
			for _, platform := range sets[2] {
				out = append(out, python+"-"+abi+"-"+platform)
			}
		}
	}
	return out
}
