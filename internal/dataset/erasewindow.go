package dataset

import (
	"context"
	"crypto/sha256"
	"regexp"
	"slices"
)

// opened is a window of an increment with all its records.
type opened struct {
	records [][]byte // by number; nil if there is none
	bucket  []int    // which bucket each is in
}

// openAll opens every bucket of a window.
func (e *Erasing) openAll(n, window int) (opened, error) {
	inc := e.increments[n]
	w := inc.Windows[window]
	o := opened{make([][]byte, w.Records), make([]int, w.Records)}
	err := parallel(len(w.Buckets), func(b int) error {
		if w.Buckets[b] < 0 {
			return nil
		}
		body, err := e.s.body(inc.Version.pending[w.Buckets[b]], inc.head(kindRecords, window, b), nil)
		if err != nil {
			return err
		}
		r, err := parseRecords(body, w.Records)
		if err != nil {
			return err
		}
		for r.left > 0 {
			i := r.nextNumber() // no two buckets have the same: merge has seen to it
			o.records[i], o.bucket[i] = r.nextRecord(), b
		}
		return nil
	})
	return o, err
}

// put writes the buckets of a window anew that lost something. What is erased is
// nil in o by now.
func (e *Erasing) put(n, window int, o opened, touched map[int]bool) error {
	inc := e.increments[n]
	w := &inc.Windows[window]
	for b := range touched {
		var numbers []uint32
		for i, of := range o.bucket {
			if of == b && o.records[i] != nil {
				numbers = append(numbers, uint32(i))
			}
		}
		var plain []byte
		if len(numbers) > 0 {
			plain = appendRecords(inc.head(kindRecords, window, b).append(nil), numbers, func(i int) []byte { return o.records[i] })
		}
		if err := e.replace(n, w.Buckets[b], plain); err != nil {
			return err
		}
		if plain == nil {
			w.Buckets[b] = -1
		}
	}
	return nil
}

// wipeTable takes the subjects out of a window of a table. Into left goes what
// stays of their entries in the index.
func (e *Erasing) wipeTable(_ context.Context, n, window int, subjects []string, left map[entryOf]uint32) ([]loss, error) {
	inc := e.increments[n]
	c := e.chain(n, false)
	l, err := c.layout()
	if err != nil {
		return nil, err
	}
	o, err := e.openAll(n, window)
	if err != nil {
		return nil, err
	}
	tags := inc.tagger()
	hashes := newTagger([32]byte(inc.Key), "values")
	losses := make([]loss, len(subjects))
	for i, s := range subjects {
		losses[i] = loss{spot: spot{version: inc.Version.Number, window: window}, subject: s}
		left[entryOf{tags.tag([]byte(s)), window}] = none
	}
	touched := map[int]bool{}
	w := &inc.Windows[window]
	sum := sha256.New()
	w.Bytes = 0
	var buf []byte
	for i, record := range o.records {
		if record == nil {
			continue
		}
		subject, f := l.subject(record, buf)
		if f != nil {
			return nil, damaged("a stored record is not one")
		}
		k := slices.Index(subjects, string(subject))
		if k < 0 {
			sum.Write(record)
			w.Bytes += int64(len(record))
			keep(left, entryOf{tags.tag(subject), window}, 1)
			continue
		}
		losses[k].records++
		losses[k].bytes += int64(len(record))
		w.Gone++
		touched[o.bucket[i]] = true
		o.records[i] = nil
		e.forget(n, l, record, hashes)
	}
	w.Sum = sum.Sum(nil)
	return losses, e.put(n, window, o, touched)
}

// keep notes records of somebody who stays, if they have the tag of somebody who
// goes.
func keep(left map[entryOf]uint32, at entryOf, records uint32) {
	now, ok := left[at]
	if !ok {
		return
	}
	if now == none {
		now = 0
	}
	left[at] = now + records
}

// forget takes the hashes of a record's values out of the profile of the
// version and of those that extend it. Others may have the same values; the
// number of different ones is an estimate.
func (e *Erasing) forget(n int, l layout, record []byte, hashes *tagger) {
	l.columns(record, func(name string, value []byte, k kind) {
		h := hashes.tag(value)
		for m := range e.increments {
			if e.extends(m, n) {
				for i := range e.increments[m].Profile.Columns {
					if c := &e.increments[m].Profile.Columns[i]; c.Name == name {
						c.forget(h)
					}
				}
			}
		}
	})
}

// extends reports whether version m is n or extends it.
func (e *Erasing) extends(m, n int) bool {
	for m > n {
		if m = e.increments[m].Parent - 1; m < 0 {
			return false
		}
	}
	return m == n
}

// wipeTree takes the subjects' files and folders out of a window of a tree.
// Entries are named by number elsewhere, so theirs stay, empty.
func (e *Erasing) wipeTree(ctx context.Context, n, window int, subjects []string, left map[entryOf]uint32) ([]loss, error) {
	inc := e.increments[n]
	c := e.chain(n, false)
	pattern, err := regexp.Compile(e.set.Pattern)
	if err != nil {
		return nil, damaged("the pattern of a tree cannot be read")
	}
	files, err := c.listing(ctx, inc, window)
	if err != nil {
		return nil, err
	}
	o, err := e.openAll(n, window)
	if err != nil {
		return nil, err
	}
	tags := inc.tagger()
	w := &inc.Windows[window]
	for _, s := range subjects {
		left[entryOf{tags.tag([]byte(s)), window}] = none
	}
	var losses []loss
	touched := map[int]bool{}
	part := 0
	for i := range files {
		f := &files[i]
		parts := f.parts()
		part += parts
		subject := subjectOf(pattern, f)
		if subject == nil || f.erased {
			continue
		}
		if !slices.Contains(subjects, string(subject)) {
			records := uint32(1)
			if f.dir {
				records = 0
			}
			keep(left, entryOf{tags.tag(subject), window}, records)
			continue
		}
		l := loss{spot: spot{version: inc.Version.Number, window: window, entry: i}, subject: string(subject), bytes: f.size}
		if !f.dir {
			l.records = 1
		}
		losses = append(losses, l)
		if o.records[i] != nil {
			touched[o.bucket[i]] = true
			o.records[i] = nil
		}
		for k := part - parts; k < part; k++ {
			e.drop(n, w.Parts[k])
			w.Parts[k] = -1
		}
		*f = file{erased: true, kept: parts}
	}
	if err := e.put(n, window, o, touched); err != nil {
		return nil, err
	}
	listing, before := inc.head(kindListing, window, 0).append(nil), ""
	for i := range files {
		listing = appendFile(listing, before, &files[i])
		if !files[i].erased {
			before = files[i].path
		}
	}
	return losses, e.replace(n, w.Listing-1, listing)
}
