package advisory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/pep440"
)

// An entry is an advisory with what it holds for which versions: positions in
// the order of its package's versions.
type entry struct {
	Advisory
	affected set
	named    []int  // ranks of local builds that a list names themselves
	fixed    []int  // ranks of versions that a record calls fixed and none affected
	unread   string // why more may be affected
}

// combine makes the entries of a package of what records say about it, and the
// order of the versions that they need.
func combine(name string, statements []statement) (order, []entry) {
	p := parsed{}
	o := p.order(statements)
	var entries []entry
	for _, group := range groups(statements) {
		entries = append(entries, join(name, group, o, p))
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	return compact(o, entries), entries
}

// parsed is versions by their spellings, each parsed once.
type parsed map[string]pep440.Version

func (p parsed) version(s string) pep440.Version {
	v, ok := p[s]
	if !ok {
		// What is no version as PEP 440 has it is that of no package that can be
		// asked for.
		v, _ = pep440.Parse(s)
		p[s] = v
	}
	return v
}

// order returns all versions that the statements name.
func (p parsed) order(statements []statement) order {
	var all []pep440.Version
	for _, s := range statements {
		for _, text := range s.versions {
			p.version(text)
		}
		for _, events := range s.ranges {
			for _, e := range events {
				if !e.version.IsZero() {
					all = append(all, e.version)
				}
			}
		}
	}
	for _, v := range p {
		if !v.IsZero() {
			all = append(all, v)
		}
	}
	return newOrder(all)
}

// groups puts together what is about one weakness: statements that name each
// other, or a third, as aliases.
func groups(statements []statement) [][]statement {
	parent := make([]int, len(statements))
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{} // statement that has the name
	for i, s := range statements {
		parent[i] = i
		for _, id := range append(s.aliases, s.id) {
			if other, ok := first[id]; ok {
				parent[root(i)] = root(other)
			} else {
				first[id] = i
			}
		}
	}
	at := map[int]int{}
	var out [][]statement
	for i, s := range statements {
		n, ok := at[root(i)]
		if !ok {
			n = len(out)
			at[root(i)] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], s)
	}
	return out
}

// leading is the order in which records lead their groups: one that calls the
// package an attack, then the Python ecosystem's own, then those that people
// keep, then all others. Copies of one record are in an order that does not depend
// on that in which they were read.
func leading(a, b statement) int {
	return cmp.Or(cmp.Compare(rank(a.id), rank(b.id)), strings.Compare(a.id, b.id), strings.Compare(a.summary, b.summary), strings.Compare(a.url, b.url))
}

func rank(id string) int {
	prefixes := []string{"MAL-", "PYSEC-", "GHSA-"}
	i := slices.IndexFunc(prefixes, func(p string) bool { return strings.HasPrefix(id, p) })
	if i < 0 {
		return len(prefixes)
	}
	return i
}

// join makes one entry of a group. It affects what any of the group says.
func join(name string, group []statement, o order, p parsed) entry {
	slices.SortFunc(group, leading)
	e := entry{Advisory: Advisory{ID: group[0].id, Package: name}}
	var worst rating
	var all []span
	for _, s := range group {
		e.Aliases = append(append(e.Aliases, s.aliases...), s.id)
		e.Sources = append(e.Sources, s.id)
		e.Summary = cmp.Or(e.Summary, s.summary)
		e.URL = cmp.Or(e.URL, s.url)
		e.Malicious = e.Malicious || s.malicious
		worst = worst.or(s.record.rating)
		if !s.published.IsZero() && (e.Published.IsZero() || s.published.Before(e.Published)) {
			e.Published = s.published
		}
		if s.modified.After(e.Modified) {
			e.Modified = s.modified
		}
		e.unread = cmp.Or(e.unread, s.unread)
		all = append(all, e.holds(s, o, p)...)
	}
	e.Severity, e.Score, e.Vector = worst.severity, worst.score, worst.vector
	e.affected = union(all)
	e.fixed = distinct(slices.DeleteFunc(e.fixed, func(i int) bool { return e.affected.holds(2*i + 1) }))
	e.named = distinct(e.named)
	e.Aliases = slices.DeleteFunc(distinct(e.Aliases), func(id string) bool { return id == e.ID })
	e.Sources = distinct(e.Sources)
	return e
}

// holds returns the positions that a statement holds, and keeps the versions
// that it names on the way.
func (e *entry) holds(s statement, o order, p parsed) []span {
	var out []span
	for _, events := range s.ranges {
		out = append(out, spans(events, o)...)
		for _, ev := range events {
			if ev.change == fixed && !ev.version.IsZero() {
				e.fixed = append(e.fixed, o.find(ev.version)/2)
			}
		}
	}
	for _, text := range s.versions {
		v := p.version(text)
		if v.IsZero() {
			continue
		}
		at := o.find(v)
		out = append(out, span{at, at + 1})
		if v.Local() != "" {
			e.named = append(e.named, at/2)
		}
	}
	return out
}

func distinct[T cmp.Ordered](all []T) []T {
	slices.Sort(all)
	return slices.Compact(all)
}

// compact takes the versions out of the order at which nothing begins or ends,
// and sets the entries' positions after those that stay.
func compact(o order, entries []entry) order {
	used := make([]bool, len(o))
	use := func(p position) {
		if p > 0 && p < o.end() {
			used[(p-1)/2] = true
		}
	}
	for _, e := range entries {
		for _, s := range e.affected {
			use(s[0])
			use(s[1])
		}
		for _, i := range slices.Concat(e.named, e.fixed) {
			used[i] = true
		}
	}
	var kept order
	now := make([]int, len(o)) // ranks among those that stay
	for i, v := range o {
		now[i] = len(kept)
		if used[i] {
			kept = append(kept, v)
		}
	}
	move := func(p position) position {
		switch p {
		case 0:
			return 0
		case o.end():
			return kept.end()
		}
		return p - 2*((p-1)/2-now[(p-1)/2])
	}
	for _, e := range entries {
		for i, s := range e.affected {
			e.affected[i] = span{move(s[0]), move(s[1])}
		}
		for _, ranks := range [][]int{e.named, e.fixed} {
			for i, r := range ranks {
				ranks[i] = now[r]
			}
		}
	}
	return kept
}
