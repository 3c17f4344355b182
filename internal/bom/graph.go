package bom

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/purl"
)

// A graph is what needs what: packages by their positions in a list.
type graph struct {
	direct []int   // that the project asks for
	needs  [][]int // of each package, in order and without repetitions
	known  bool    // the files say what needs what; otherwise an absent edge means nothing
}

// graphOf resolves the needs of a list. A need that the list has no package for
// is one of another platform or of an extra that nobody asked for.
func graphOf(list *lockfile.List) graph {
	named := map[string][]int{}
	for i := range list.Packages {
		named[list.Packages[i].Name] = append(named[list.Packages[i].Name], i)
	}
	g := graph{needs: make([][]int, len(list.Packages))}
	for i := range list.Packages {
		p := &list.Packages[i]
		if p.Direct {
			g.direct = append(g.direct, i)
		}
		for _, need := range p.Needs {
			g.known = true
			for _, j := range named[need.Name] {
				if need.Version == "" || need.Version == list.Packages[j].Version {
					g.needs[i] = append(g.needs[i], j)
				}
			}
		}
		slices.Sort(g.needs[i])
		g.needs[i] = slices.Compact(g.needs[i])
	}
	return g
}

// carriers finds packages by their names. Where a list has two versions of one,
// it has them for different platforms, and either stands for what carries a part.
func carriers(list *lockfile.List) map[string]int {
	out := map[string]int{}
	for i := range list.Packages {
		out[list.Packages[i].Name] = i
	}
	return out
}

// nameOf returns a package's package URL.
func nameOf(p *lockfile.Package) purl.PURL {
	u := purl.PURL{Type: purl.PyPI, Name: p.Name, Version: p.Version, Qualifiers: map[string]string{}}
	switch {
	case p.Conda:
		u.Type = purl.Conda
		u.Qualifiers[purl.Channel] = p.Source.Index
	case p.Source.Index != "":
		u.Qualifiers[purl.Index] = p.Source.Index
	}
	switch url := p.Source.URL; {
	case url == "":
	case isVCS(url):
		u.Qualifiers[purl.VCS] = url
	default:
		u.Qualifiers[purl.Download] = url
	}
	return u
}

// isVCS reports whether a URL is that of a checkout: "git+https://…".
func isVCS(url string) bool {
	kind, _, _ := strings.Cut(url, "+")
	return slices.Contains([]string{"git", "hg", "svn", "bzr"}, kind)
}

// sourceOf is the way back from a package URL.
func sourceOf(u purl.PURL) lockfile.Source {
	q := u.Qualifiers
	switch {
	case q[purl.VCS] != "":
		return lockfile.Source{URL: q[purl.VCS]}
	case q[purl.Download] != "":
		return lockfile.Source{URL: q[purl.Download]}
	case u.Type == purl.Conda:
		return lockfile.Source{Index: q[purl.Channel]}
	}
	return lockfile.Source{Index: q[purl.Index]}
}

// names gives out names that are not taken.
type names map[string]bool

// next returns s, or s with a number after the separator.
func (n names) next(s, separator string) string {
	name := s
	for i := 2; n[name]; i++ {
		name = s + separator + strconv.Itoa(i)
	}
	n[name] = true
	return name
}
