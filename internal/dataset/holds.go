package dataset

import (
	"context"
	"regexp"
	"sort"
)

// A Hit is a version that holds records of a subject.
type Hit struct {
	Version *Version
	Records int64 // 0: a tree has a folder of the subject's and no file
}

// Holds returns the versions of all datasets that hold something of a subject,
// whose identifier is compared byte for byte.
func (s *Store) Holds(ctx context.Context, subject string) ([]Hit, error) {
	hits, err := s.HoldsEach(ctx, []string{subject})
	if err != nil {
		return nil, err
	}
	return hits[0], nil
}

// HoldsEach is Holds for each of several subjects. It reads every manifest
// once; for each subject it opens one index block for each run of each version,
// and then the segments that the index names, to see whether they hold the
// subject or another one with the same tag.
func (s *Store) HoldsEach(ctx context.Context, subjects []string) ([][]Hit, error) {
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	sets, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([][]Hit, len(subjects))
	for _, set := range sets {
		if err := s.holds(ctx, set, subjects, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// holds adds to each subject's hits those of one dataset. What an increment
// holds is looked up once, however many versions it is a part of.
func (s *Store) holds(ctx context.Context, set *Dataset, subjects []string, hits [][]Hit) error {
	versions, err := s.Versions(ctx, set.Name)
	if err != nil {
		return err
	}
	places := make([]map[int][]spot, len(subjects)) // by version, what its increment holds
	for i := range places {
		places[i] = map[int][]spot{}
	}
	for _, v := range versions {
		inc, err := s.increment(ctx, v)
		if err != nil {
			return err
		}
		c := &chain{s: s, set: set, all: []*increment{inc}, last: inc}
		gone := make(map[spot]bool)
		for _, d := range inc.Dropped {
			gone[spot{d.Version, d.Window, d.Entry, int64(d.Records)}] = true
		}
		for i, subject := range subjects {
			if places[i][v.Number], err = c.find(ctx, inc, []byte(subject)); err != nil {
				return err
			}
			hit, any, err := held(versions, v, places[i], gone)
			if err != nil {
				return err
			}
			if any {
				hits[i] = append(hits[i], hit)
			}
		}
	}
	return nil
}

// held returns what a version holds of a subject, in its own increment and in
// all that it extends, without what it has dropped.
func held(versions []*Version, v *Version, places map[int][]spot, gone map[spot]bool) (hit Hit, any bool, err error) {
	hit.Version = v
	for n := v.Number; n != 0; n = versions[n-1].Parent {
		for _, p := range places[n] {
			if !gone[p] {
				hit.Records += p.records
				any = true
			}
		}
		if p := versions[n-1].Parent; p < 0 || p >= n {
			return hit, any, corrupt(v.Ref(), "it extends a version that came after it")
		}
	}
	return hit, any, nil
}

// A spot is where a subject's records are: a window of a version's increment;
// of a tree, an entry of its listing.
type spot struct {
	version, window, entry int
	records                int64
}

// find returns the spots of an increment that hold something of a subject.
func (c *chain) find(ctx context.Context, inc *increment, subject []byte) ([]spot, error) {
	tag := inc.tagger().tag(subject)
	windows, err := c.lookup(ctx, inc, tag)
	if err != nil {
		return nil, err
	}
	var out []spot
	for _, w := range windows {
		if w >= len(inc.Windows) {
			return nil, corrupt(inc.Ref(), "its index names a window that it does not have")
		}
		if c.set.Format == Tree {
			err = c.findFiles(ctx, inc, w, subject, &out)
		} else {
			err = c.findRecords(ctx, inc, w, tag, subject, &out)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lookup returns the windows of an increment that the index names for a tag.
func (c *chain) lookup(ctx context.Context, inc *increment, tag uint64) (windows []int, err error) {
	var entries []entry
	for r, run := range inc.Index {
		i := sort.Search(len(run), func(i int) bool { return run[i].First > tag }) - 1
		if i < 0 {
			continue
		}
		body, err := c.indexBlock(ctx, inc, r, i)
		if err != nil {
			return nil, err
		}
		b, err := parseBlock(body)
		if err != nil {
			return nil, err
		}
		for b.left > 0 {
			if entries, err = b.next(entries[:0]); err != nil {
				return nil, err
			}
			if b.tag == tag {
				for _, e := range entries {
					windows = append(windows, int(e.window))
				}
			}
			if b.tag >= tag {
				break
			}
		}
	}
	return windows, nil
}

func (c *chain) findRecords(ctx context.Context, inc *increment, window int, tag uint64, subject []byte, out *[]spot) error {
	w := inc.Windows[window]
	b := bucket(tag, len(w.Buckets))
	if w.Buckets[b] < 0 {
		return corrupt(inc.Ref(), "its index names an empty bucket")
	}
	segs, err := c.s.segments(ctx, inc.Version, []int{w.Buckets[b]})
	if err != nil {
		return err
	}
	body, err := c.s.body(segs[0], inc.head(kindRecords, window, b), nil)
	if err != nil {
		return err
	}
	r, err := parseRecords(body, w.Records)
	if err != nil {
		return err
	}
	l, err := c.layout()
	if err != nil {
		return err
	}
	p := spot{version: inc.Version.Number, window: window}
	var buf []byte
	for r.left > 0 {
		r.nextNumber()
		have, f := l.subject(r.nextRecord(), buf)
		if f != nil {
			return damaged("a stored record is not one")
		}
		if string(have) == string(subject) {
			p.records++
		}
	}
	if p.records > 0 {
		*out = append(*out, p)
	}
	return nil
}

func (c *chain) findFiles(ctx context.Context, inc *increment, window int, subject []byte, out *[]spot) error {
	pattern, err := regexp.Compile(c.set.Pattern)
	if err != nil {
		return corrupt(inc.Ref(), "its pattern cannot be read")
	}
	files, err := c.listing(ctx, inc, window)
	if err != nil {
		return err
	}
	for i := range files {
		if files[i].erased {
			continue
		}
		have := subjectOf(pattern, &files[i])
		if have == nil || string(have) != string(subject) {
			continue
		}
		p := spot{version: inc.Version.Number, window: window, entry: i}
		if !files[i].dir {
			p.records = 1
		}
		*out = append(*out, p)
	}
	return nil
}
