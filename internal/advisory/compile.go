package advisory

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
)

// Stats are what a database was made of.
type Stats struct {
	Files      int `json:"files"`      // that were read, also within archives
	Records    int `json:"records"`    // about packages of PyPI, withdrawn ones not counted
	Withdrawn  int `json:"withdrawn"`  // records
	Elsewhere  int `json:"elsewhere"`  // records about packages of other ecosystems alone
	Packages   int `json:"packages"`   // that records speak of
	Advisories int `json:"advisories"` // records of one weakness of one package are one
	Malicious  int `json:"malicious"`  // advisories about packages that are an attack
	Exploited  int `json:"exploited"`  // advisories that KEV lists
	Scored     int `json:"scored"`     // advisories that EPSS scores
	Listed     int `json:"listed"`     // packages of which an index says something
	Versions   int `json:"versions"`   // of these

	Unreadable int       `json:"unreadable"`       // files and records, wholly or in part
	Unread     []Unread  `json:"unread,omitempty"` // the first thousand of them
	AsOf       time.Time `json:"asOf,omitzero"`    // when the newest record was changed

	Digest sallyport.Digest `json:"-"` // of the database
}

// Unread is a record or a file that could not be read or evaluated. If its
// package is known, every version of that is matched, with the reason.
type Unread struct {
	File    string `json:"file,omitempty"`
	ID      string `json:"id,omitempty"`
	Package string `json:"package,omitempty"`
	Why     string `json:"why"`
}

// maxUnread bounds how many are named, maxSpool the bytes that all records may
// take: fifteen times what the real ones do. maxRecords bounds the records of
// all ecosystems, of which there are some 600,000: each is remembered by its ID.
const (
	maxUnread  = 1000
	maxSpool   = 256 << 20
	maxRecords = 3_000_000
)

// A compiler is a database that is being made.
type compiler struct {
	ctx    context.Context
	stats  Stats
	spool  spool
	newest map[string]seen // by a record's id
	most   int             // records
	listed map[string]bool // packages of which there are facts
	kev    map[string]time.Time
	epss   []score
	buffer bytes.Buffer // of the file that is being read
}

// seen is what is known of a record whose copies are met in any order.
type seen struct {
	modified  time.Time
	withdrawn bool
	ours      bool
}

// Compile reads every source that fsys holds and writes the database to out.
// The same sources make the same bytes. Sources are told by their content: OSV
// records in JSON or YAML, KEV, EPSS and documents of the simple index, and
// archives of any of these (zip, tar, gzip, Zstandard). Of several copies of a record the newest
// counts.
//
// What cannot be read is no error: it is counted and named in the Stats, and
// whoever makes a bundle decides.
func Compile(ctx context.Context, fsys fs.FS, out io.Writer) (Stats, error) {
	c := &compiler{
		ctx: ctx, spool: spool{notes: map[string][]note{}}, most: maxRecords,
		newest: map[string]seen{}, listed: map[string]bool{}, kev: map[string]time.Time{},
	}
	if err := c.walk(fsys); err != nil {
		return Stats{}, err
	}
	for _, s := range c.newest {
		switch {
		case s.withdrawn:
			c.stats.Withdrawn++
		case s.ours:
			c.stats.Records++
		default:
			c.stats.Elsewhere++
		}
	}
	slices.SortStableFunc(c.epss, func(a, b score) int { return a.compare(b.cve) })
	buffered := bufio.NewWriterSize(out, 1<<16)
	w := newWriter(buffered)
	for _, name := range slices.Sorted(maps.Keys(c.spool.notes)) {
		if err := ctx.Err(); err != nil {
			return Stats{}, interrupted(err)
		}
		c.pack(w, name)
	}
	digest, err := w.finish(c.stats)
	if err != nil {
		return Stats{}, err
	}
	c.stats.Digest = digest
	return c.stats, buffered.Flush()
}

// record keeps a record for the database. What is wrong with it is told.
func (c *compiler) record(file string, r record, wrong error) error {
	if r.id == "" {
		// What it says counts all the same, under a name that no other has.
		r.id = "unnamed-" + sallyport.Sum([]byte(file)).Short()
	}
	now := seen{r.modified, r.withdrawn, len(r.affects) > 0}
	if before, ok := c.newest[r.id]; ok && before.modified.Equal(now.modified) {
		now.withdrawn = now.withdrawn && before.withdrawn
		now.ours = now.ours || before.ours
	} else if ok && before.modified.After(now.modified) {
		return nil
	}
	if c.newest[r.id] = now; len(c.newest) > c.most {
		return sallyport.Errorf(sallyport.Limit, "the sources hold more than %d records", c.most).Try("leave out those of other ecosystems than PyPI")
	}
	if len(r.affects) > 0 && r.modified.After(c.stats.AsOf) {
		c.stats.AsOf = r.modified
	}
	if r.withdrawn {
		return nil
	}
	if wrong != nil {
		c.unread(Unread{File: line(file, maxSummary), ID: r.id, Why: wrong.Error()})
	}
	for _, a := range r.affects {
		var e encoder
		e.bool(true)
		(&statement{r, a}).encode(&e)
		if err := c.put(a.name, e); err != nil {
			return err
		}
	}
	return nil
}

// facts keeps what an index says about a package.
func (c *compiler) facts(name string, facts []fact) error {
	var e encoder
	e.bool(false)
	e.int(len(facts))
	for _, f := range facts {
		e.text(f.version)
		e.text(f.Yanked)
		e.time(f.Uploaded)
	}
	if !c.listed[name] {
		c.listed[name] = true
		c.stats.Listed++
	}
	return c.put(name, e)
}

func (c *compiler) put(name string, b []byte) error {
	if c.spool.size += len(b); c.spool.size > maxSpool {
		return sallyport.Errorf(sallyport.Limit, "the sources hold more than a database takes")
	}
	c.spool.put(name, b)
	return nil
}

func (c *compiler) unread(u Unread) {
	c.stats.Unreadable++
	if len(c.stats.Unread) < maxUnread {
		c.stats.Unread = append(c.stats.Unread, u)
	}
}

// pack writes a package's block.
func (c *compiler) pack(w *writer, name string) {
	var statements []statement
	var facts []fact
	c.spool.each(name, func(d *decoder) {
		if !d.bool() {
			for range d.count() {
				facts = append(facts, fact{d.text(), Facts{d.text(), d.time()}})
			}
			return
		}
		var s statement
		s.decode(d)
		if current := c.newest[s.id]; s.modified.Equal(current.modified) {
			statements = append(statements, s)
		}
	})
	if len(statements)+len(facts) == 0 {
		return // all that was said has been withdrawn, or was about others
	}
	for _, s := range statements {
		if s.unread != "" {
			c.unread(Unread{ID: s.id, Package: name, Why: s.unread})
		}
	}
	facts = merge(facts)
	o, entries := combine(name, statements)
	for i := range entries {
		c.priority(&entries[i])
	}
	c.stats.Versions += len(facts)
	c.stats.Advisories += len(entries)
	if len(entries) > 0 {
		c.stats.Packages++
	}
	w.block(name, encodeBlock(facts, o, entries))
}

// priority adds what is known about the exploitation of an advisory.
func (c *compiler) priority(e *entry) {
	for _, id := range slices.Concat(e.Aliases, []string{e.ID}) {
		number, ok := parseCVE(id)
		if !ok {
			continue
		}
		e.Exploited = earlier(e.Exploited, c.kev[id])
		if i, found := slices.BinarySearchFunc(c.epss, number, score.compare); found {
			e.EPSS = max(e.EPSS, float64(c.epss[i].probability))
		}
	}
	if e.Malicious {
		c.stats.Malicious++
	}
	if !e.Exploited.IsZero() {
		c.stats.Exploited++
	}
	if e.EPSS > 0 {
		c.stats.Scored++
	}
}
