package lockfile

import (
	"cmp"
	"slices"
)

// sorted brings a list into its order, and says nothing twice.
func (l *List) sorted() *List {
	l.Packages = merged(l.Packages)
	slices.SortStableFunc(l.Packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), a.Place.compare(b.Place))
	})
	slices.SortStableFunc(l.Unread, func(a, b Unread) int {
		return cmp.Or(a.Place.compare(b.Place), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Wants, b.Wants))
	})
	l.Unread = slices.CompactFunc(l.Unread, func(a, b Unread) bool {
		return a.Place == b.Place && a.Name == b.Name && a.Reason == b.Reason && a.Wants == b.Wants && a.Marker == b.Marker && slices.Equal(a.Groups, b.Groups)
	})
	l.Indexes = firsts(l.Indexes)
	return l
}

func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line))
}

// merged joins what several lines say of the same version from the same place.
// The first that names it gives its place.
func merged(all []Package) []Package {
	type key struct {
		name, version string
		source        Source
		conda         bool
	}
	at := map[key]int{}
	var out []Package
	var markers [][]string // of each, joined at the end: there may be as many as lines
	for _, p := range all {
		k := key{p.Name, p.Version, p.Source, p.Conda}
		if i, ok := at[k]; ok {
			out[i].join(p)
			markers[i] = append(markers[i], p.Marker)
			continue
		}
		at[k] = len(out)
		out = append(out, p.clone())
		markers = append(markers, []string{p.Marker})
	}
	for i := range out {
		out[i].Marker = either(markers[i])
		out[i].tidy()
	}
	return out
}

// clone returns p with lists of its own.
func (p Package) clone() Package {
	p.Hashes, p.Groups, p.Needs = slices.Clone(p.Hashes), slices.Clone(p.Groups), slices.Clone(p.Needs)
	return p
}

// join adds what another line says, but for the marker. Where the two differ, the
// one that asks for more attention holds.
func (p *Package) join(q Package) {
	p.Hashes = append(p.Hashes, q.Hashes...)
	p.Needs = append(p.Needs, q.Needs...)
	if len(p.Groups) == 0 || len(q.Groups) == 0 {
		p.Groups = nil // the project itself needs it
	} else {
		p.Groups = append(p.Groups, q.Groups...)
	}
	p.Direct, p.Sdist = p.Direct || q.Direct, p.Sdist || q.Sdist
	p.Uploaded = first(p.Uploaded, q.Uploaded)
	p.Yanked = cmp.Or(p.Yanked, q.Yanked)
}

// tidy sorts the lists of a package, and takes out what they hold twice.
func (p *Package) tidy() {
	slices.Sort(p.Hashes)
	p.Hashes = slices.Compact(p.Hashes)
	slices.Sort(p.Groups)
	p.Groups = slices.Compact(p.Groups)
	slices.SortFunc(p.Needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Marker, b.Marker))
	})
	p.Needs = slices.Compact(p.Needs)
}

// firsts keeps the first place of each index.
func firsts(all []Index) []Index {
	type key struct {
		url   string
		extra bool
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(all, func(i Index) bool {
		k := key{i.URL, i.Extra}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

// Add takes over what another list says.
func (l *List) Add(other *List) {
	l.Files = append(l.Files, other.Files...)
	l.Packages = append(l.Packages, other.Packages...)
	l.Unread = append(l.Unread, other.Unread...)
	l.Indexes = append(l.Indexes, other.Indexes...)
	l.sorted()
}
