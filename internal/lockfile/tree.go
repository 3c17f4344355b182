package lockfile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/pep508"
)

// A graph is the packages of a list, by their places in it, and who needs whom.
type graph struct {
	list  *List
	needs [][]int // sorted by name and version, without repetitions
	users [][]int // the same edges the other way
	tops  []int   // what the project asks for by name, and what nobody is known to need
}

// maxVersions bounds to how many versions of a package one need may lead, and by
// how many pins a line may be answered. Any more stand by themselves.
const maxVersions = 100

// graph follows the needs of every package. One that several versions could
// meet leads to each of them.
func (l *List) graph() *graph {
	g := &graph{list: l, needs: make([][]int, len(l.Packages)), users: make([][]int, len(l.Packages))}
	byName := map[string][]int{}
	for i, p := range l.Packages {
		if len(byName[p.Name]) < maxVersions {
			byName[p.Name] = append(byName[p.Name], i)
		}
	}
	for from, p := range l.Packages {
		for _, n := range p.Needs {
			for _, to := range byName[n.Name] {
				if to != from && (n.Version == "" || n.Version == l.Packages[to].Version) {
					g.needs[from] = append(g.needs[from], to)
				}
			}
		}
		slices.Sort(g.needs[from])
		g.needs[from] = slices.Compact(g.needs[from])
		for _, to := range g.needs[from] {
			g.users[to] = append(g.users[to], from)
		}
	}
	for i, p := range l.Packages {
		if p.Source.Path == "" && (p.Direct || len(g.users[i]) == 0) {
			g.tops = append(g.tops, i)
		}
	}
	return g
}

// Why returns why a package is there: for each package that the project asks for
// by name, or that nobody is known to need, the shortest chain of names from it
// to the package, if there is one. The shortest comes first. A package that the
// project asks for itself has a chain of one.
func (l *List) Why(name string) [][]string {
	g := l.graph()
	toward := g.toward(pep508.Normal(name))
	var chains [][]string
	for _, top := range g.tops {
		if toward[top] < 0 {
			continue
		}
		chain := []string{l.Packages[top].Name}
		for at := top; toward[at] != at; {
			at = toward[at]
			chain = append(chain, l.Packages[at].Name)
		}
		chains = append(chains, chain)
	}
	slices.SortStableFunc(chains, func(a, b []string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b))
	})
	return slices.CompactFunc(chains, slices.Equal)
}

// toward returns, for each package, the next one on a shortest way to a package
// of the name: itself at the end, and -1 where there is no way.
func (g *graph) toward(name string) []int {
	next := slices.Repeat([]int{-1}, len(g.needs))
	var queue []int
	for i, p := range g.list.Packages {
		if p.Name == name {
			next[i] = i
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, user := range g.users[at] {
			if next[user] < 0 {
				next[user] = at
				queue = append(queue, user)
			}
		}
	}
	return next
}

// A Branch is a package of the tree, with what it needs below it.
type Branch struct {
	Package  *Package `json:"-"`
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Marker   string   `json:"marker,omitempty"` // of the need that leads here
	Repeated bool     `json:"repeated,omitempty"`
	Needs    []Branch `json:"needs,omitempty"`
}

// Tree returns the packages as a tree: at the top the project itself where the
// list has it, then what it asks for by name and what nobody is known to need.
// Every package is there; what one needs stands below it only the first time, so
// that the tree is no larger than the list's edges, and one that comes again is
// marked as repeated.
func (l *List) Tree() []Branch {
	g := l.graph()
	shown := make([]bool, len(l.Packages))
	var branch func(i int, marker string) Branch
	branch = func(i int, marker string) Branch {
		p := &l.Packages[i]
		b := Branch{Package: p, Name: p.Name, Version: p.Version, Marker: marker}
		if shown[i] {
			b.Repeated = len(g.needs[i]) > 0
			return b
		}
		shown[i] = true
		for _, to := range g.needs[i] {
			b.Needs = append(b.Needs, branch(to, l.marker(p, to)))
		}
		return b
	}
	var out []Branch
	below := make([]bool, len(l.Packages)) // the project itself
	for i, p := range l.Packages {
		if p.Source.Path != "" && len(g.users[i]) == 0 {
			out = append(out, branch(i, ""))
			for _, to := range g.needs[i] {
				below[to] = true
			}
		}
	}
	for _, top := range g.tops {
		if !below[top] {
			out = append(out, branch(top, ""))
		}
	}
	// Packages that need each other, and that nobody else needs.
	for i := range l.Packages {
		if !shown[i] {
			out = append(out, branch(i, ""))
		}
	}
	return out
}

// marker returns under which condition a package needs another.
func (l *List) marker(p *Package, to int) string {
	var all []string
	for _, n := range p.Needs {
		if n.Name == l.Packages[to].Name && (n.Version == "" || n.Version == l.Packages[to].Version) {
			all = append(all, n.Marker)
		}
	}
	return either(all)
}

// String is the branch as lines, indented by what it is below of.
func (b Branch) String() string {
	var out strings.Builder
	b.write(&out, "")
	return out.String()
}

func (b Branch) write(out *strings.Builder, indent string) {
	out.WriteString(indent + b.Name + " " + b.Version)
	if b.Repeated {
		out.WriteString(" …")
	}
	out.WriteByte('\n')
	for _, n := range b.Needs {
		n.write(out, indent+"  ")
	}
}
