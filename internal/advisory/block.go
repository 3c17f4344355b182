package advisory

import (
	"cmp"
	"slices"
	"time"

	"github.com/sallyport/sallyport/internal/pep440"
)

// A fact is what an index says about one version.
type fact struct {
	version string
	Facts
}

// A block is all that the database holds about one package. Only what is asked
// for is decoded: the texts of versions are parsed one by one while one is
// searched among them, and an advisory is read if it is a hit.
type block struct {
	name     string
	facts    []byte
	versions [][]byte // the order
	entries  []byte
}

// encodeBlock is a block's bytes.
func encodeBlock(facts []fact, o order, entries []entry) []byte {
	var e encoder
	var part encoder
	part.int(len(facts))
	for _, f := range facts {
		part.text(f.version)
		part.text(f.Yanked)
		part.time(f.Uploaded)
	}
	e.text(string(part))
	e.int(len(o))
	for _, v := range o {
		e.text(v.String())
	}
	e.int(len(entries))
	for i := range entries {
		part = part[:0]
		entries[i].encode(&part)
		e.text(string(part))
	}
	return e
}

// decodeBlock takes a block apart as far as matching needs it.
func decodeBlock(name string, b []byte) (*block, error) {
	d := &decoder{b: b}
	k := &block{name: name, facts: d.bytes()}
	n := d.count()
	k.versions = make([][]byte, 0, n)
	for range n {
		k.versions = append(k.versions, d.bytes())
	}
	if d.bad {
		return nil, d.err()
	}
	k.entries = d.b
	return k, nil
}

func (e *entry) encode(to *encoder) {
	to.int(len(e.affected))
	last := 0
	for _, s := range e.affected {
		to.int(s[0] - last)
		to.int(s[1] - s[0])
		last = s[1]
	}
	for _, ranks := range [][]int{e.named, e.fixed} {
		to.int(len(ranks))
		for _, r := range ranks {
			to.int(r)
		}
	}
	to.text(e.unread)
	to.text(e.ID)
	to.texts(e.Aliases)
	to.texts(e.Sources)
	to.text(e.Summary)
	to.text(e.URL)
	to.int(int(e.Severity))
	to.float(e.Score)
	to.text(e.Vector)
	to.bool(e.Malicious)
	to.time(e.Exploited)
	to.float(e.EPSS)
	to.time(e.Published)
	to.time(e.Modified)
}

// positions reads the part of an entry that says which versions it holds.
func (e *entry) positions(d *decoder, versions int) {
	last, end := 0, 2*versions+1
	n := d.count()
	e.affected = make(set, 0, n)
	for range n {
		from := last + d.int(end)
		last = from + d.int(end)
		e.affected = append(e.affected, span{from, last})
	}
	if last > end {
		d.fail()
	}
	for _, ranks := range []*[]int{&e.named, &e.fixed} {
		for range d.count() {
			*ranks = append(*ranks, d.int(versions-1))
		}
	}
	e.unread = d.text()
}

// about reads the rest.
func (e *entry) about(name string, d *decoder) error {
	e.Package = name
	e.ID = d.text()
	e.Aliases = d.texts()
	e.Sources = d.texts()
	e.Summary = d.text()
	e.URL = d.text()
	e.Severity = Severity(d.int(int(Critical)))
	e.Score = d.float()
	e.Vector = d.text()
	e.Malicious = d.bool()
	e.Exploited = d.time()
	e.EPSS = d.float()
	e.Published = d.time()
	e.Modified = d.time()
	return d.err()
}

// search finds v among ascending versions, of which it parses those that it meets.
// It returns where v is or would be.
func search(versions [][]byte, v pep440.Version) (i int, found bool, err error) {
	low, high := 0, len(versions)
	for low < high {
		middle := (low + high) / 2
		w, err := pep440.Parse(string(versions[middle]))
		if err != nil {
			return 0, false, corrupt("a version in it is none")
		}
		switch c := w.Compare(v); {
		case c == 0:
			return middle, true, nil
		case c < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false, nil
}

// find returns a version's position.
func (k *block) find(v pep440.Version) (position, error) {
	i, found, err := search(k.versions, v)
	if found {
		return 2*i + 1, err
	}
	return 2 * i, err
}

// each calls f with every entry, of which only the positions are read, and with
// what reads the rest.
func (k *block) each(f func(e *entry, about func() error) error) error {
	d := &decoder{b: k.entries}
	for range d.count() {
		var e entry
		rest := &decoder{b: d.bytes()}
		e.positions(rest, len(k.versions))
		if rest.bad {
			return rest.err()
		}
		if err := f(&e, func() error { return e.about(k.name, rest) }); err != nil {
			return err
		}
	}
	return d.err()
}

// match returns the advisories that affect v. A local build is affected if its
// public version is: it was built from the same source, or nobody says that it
// was not.
func (k *block) match(v pep440.Version) ([]Hit, error) {
	at, err := k.find(v)
	if err != nil {
		return nil, err
	}
	public := at
	if v.Local() != "" {
		if public, err = k.find(v.Public()); err != nil {
			return nil, err
		}
	}
	var hits []Hit
	err = k.each(func(e *entry, about func() error) error {
		holds := e.affected.holds(at) || e.affected.holds(public)
		if !holds && e.unread == "" {
			return nil
		}
		if err := about(); err != nil {
			return err
		}
		h := Hit{Advisory: e.Advisory, Assumed: v.Local() != "" && !(at%2 == 1 && slices.Contains(e.named, at/2))}
		if !holds {
			h.Unread = e.unread
		}
		for _, r := range e.fixed {
			if 2*r+1 > at {
				h.Fixed = append(h.Fixed, string(k.versions[r]))
			}
		}
		hits = append(hits, h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hits, nil
}

// all returns every advisory.
func (k *block) all() ([]Advisory, error) {
	var out []Advisory
	err := k.each(func(e *entry, about func() error) error {
		err := about()
		out = append(out, e.Advisory)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// factsOf returns what the index says about v.
func (k *block) factsOf(v pep440.Version) (Facts, bool, error) {
	versions, facts, err := k.allFacts()
	if err != nil {
		return Facts{}, false, err
	}
	i, found, err := search(versions, v)
	if !found || err != nil {
		return Facts{}, false, err
	}
	return facts[i], true, nil
}

func (k *block) allFacts() (versions [][]byte, facts []Facts, err error) {
	d := &decoder{b: k.facts}
	for range d.count() {
		versions = append(versions, d.bytes())
		facts = append(facts, Facts{d.text(), d.time()})
	}
	return versions, facts, d.err()
}

// merge makes one fact of those about one version that several documents, or
// several spellings of it, have: withdrawn only if by all, published with the
// first.
func merge(facts []fact) []fact {
	p := parsed{}
	facts = slices.DeleteFunc(facts, func(f fact) bool { return p.version(f.version).IsZero() })
	slices.SortFunc(facts, func(a, b fact) int {
		return cmp.Or(p.version(a.version).Compare(p.version(b.version)), cmp.Compare(a.version, b.version))
	})
	var out []fact
	for _, f := range facts {
		last := len(out) - 1
		if last < 0 || p.version(out[last].version).Compare(p.version(f.version)) != 0 {
			out = append(out, f)
			continue
		}
		if f.Yanked == "" {
			out[last].Yanked = ""
		}
		out[last].Uploaded = earlier(out[last].Uploaded, f.Uploaded)
	}
	return out
}

// earlier is the first of two times, of which one may not be said.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// verify reads all of a block.
func (k *block) verify() error {
	if _, err := k.all(); err != nil {
		return err
	}
	facts, _, err := k.allFacts()
	if err != nil {
		return err
	}
	for _, versions := range [][][]byte{k.versions, facts} {
		var last pep440.Version
		for i, text := range versions {
			v, err := pep440.Parse(string(text))
			if err != nil || i > 0 && last.Compare(v) >= 0 {
				return corrupt("versions in it are not in order")
			}
			last = v
		}
	}
	return nil
}
