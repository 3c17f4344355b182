package dataset

import (
	"context"
	"maps"
	"slices"
	"sort"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// Subjects leave every version of a dataset at once. Only the segments that
// hold something of theirs are written anew: the buckets of their records, the
// blocks of the index that name their tags, listings, and the manifests of the
// versions that have any of this. Each such version gets a new salt, content
// hash and root, since the old ones could confirm a guess.
//
// What was replaced is deleted in the transaction that records the erasure, with
// its keys. Destroying the epoch that wrapped them, and removing the packs, is
// the site's part.

// An Erasing is an erasure that is written and durable, and is not recorded yet.
// Nothing has changed before Record.
type Erasing struct {
	Dataset  string
	Versions []Change // the versions that change, in order
	Written  int64    // bytes that were written anew, sealed

	s          *Store
	set        *Dataset
	seen       []sallyport.Digest // roots of all versions, as they were
	increments []*increment       // all versions, as they will be
	changed    []bool
	ids        [][]int64 // by version and index: the segment; -1-k is what data put k-th
	data       *blob.Writer
	manifests  *blob.Writer
	dead       []int64
}

// A Change is what a version loses.
type Change struct {
	Version  sallyport.Ref
	Records  int64
	Subjects int64
	Before   sallyport.Digest // root
	After    sallyport.Digest
}

// Erase prepares taking everything of the subjects, whose identifiers are
// compared byte for byte, out of all versions of a dataset. What is written anew
// is sealed under ring. Without anything to erase it returns nil.
func (s *Store) Erase(ctx context.Context, name string, subjects []string, ring *seal.Ring) (_ *Erasing, err error) {
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	set, err := s.Dataset(ctx, name)
	if err != nil {
		return nil, err
	}
	e := &Erasing{Dataset: name, s: s, set: set, data: s.Blobs.NewWriter(ring), manifests: s.Blobs.NewWriter(ring)}
	defer func() {
		if err != nil {
			e.Abort()
		}
	}()
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	lost, err := e.rewrite(ctx, subjects)
	if err != nil || lost == nil {
		e.Abort()
		return nil, err
	}
	if err := e.data.Finish(); err != nil {
		return nil, err
	}
	if err := e.conclude(ctx, lost); err != nil {
		return nil, err
	}
	if err := e.manifests.Finish(); err != nil {
		return nil, err
	}
	for _, seg := range slices.Concat(e.data.Written(), e.manifests.Written()) {
		e.Written += seg.Len
	}
	return e, nil
}

// load reads every version and where its segments lie.
func (e *Erasing) load(ctx context.Context) error {
	versions, err := e.s.Versions(ctx, e.Dataset)
	if err != nil {
		return err
	}
	for _, v := range versions {
		inc, err := e.s.increment(ctx, v)
		if err != nil {
			return err
		}
		e.seen = append(e.seen, v.Root)
		ids := make([]int64, 0, v.count())
		for _, s := range v.Segments {
			for id := range s[1] {
				ids = append(ids, s[0]+id)
			}
		}
		if err := e.s.Log.View(ctx, func(tx *ledger.Tx) error {
			inc.Version.pending, err = tx.State().SegmentsOf(there(ids))
			return err
		}); err != nil {
			return err
		}
		inc.Version.pending = spread(ids, inc.Version.pending)
		e.increments, e.ids = append(e.increments, inc), append(e.ids, ids)
	}
	e.changed = make([]bool, len(versions))
	return nil
}

// there returns the ids that are segments; 0 stands for one that was erased.
func there(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == 0 })
}

// spread puts segments where their ids are.
func spread(ids []int64, segs []state.Segment) []state.Segment {
	out := make([]state.Segment, len(ids))
	for i, id := range ids {
		if id != 0 {
			out[i], segs = segs[0], segs[1:]
		}
	}
	return out
}

// replace puts plain in the place of a segment of the n-th version; nil leaves
// nothing there.
func (e *Erasing) replace(n, index int, plain []byte) error {
	e.drop(n, index)
	if plain == nil {
		return nil
	}
	k, err := e.data.Put(plain)
	e.ids[n][index] = int64(-1 - k)
	return err
}

// drop gives a segment of the n-th version up.
func (e *Erasing) drop(n, index int) {
	if id := e.ids[n][index]; id > 0 {
		e.dead = append(e.dead, id)
	}
	e.ids[n][index] = 0
}

// A loss is what an increment loses of one subject in one window.
type loss struct {
	spot
	subject string
	bytes   int64
}

// rewrite writes everything anew that holds something of the subjects, and
// returns what was lost; nil if there was nothing.
func (e *Erasing) rewrite(ctx context.Context, subjects []string) (lost [][]loss, err error) {
	any := false
	lost = make([][]loss, len(e.increments))
	for n, inc := range e.increments {
		c := e.chain(n, false)
		byWindow := map[int][]string{}
		tags := map[uint64]bool{}
		for _, subject := range subjects {
			spots, err := c.find(ctx, inc, []byte(subject))
			if err != nil {
				return nil, err
			}
			for _, p := range spots {
				if !slices.Contains(byWindow[p.window], subject) {
					byWindow[p.window] = append(byWindow[p.window], subject)
				}
				tags[inc.tagger().tag([]byte(subject))] = true
			}
		}
		left := map[entryOf]uint32{}
		for _, w := range slices.Sorted(maps.Keys(byWindow)) {
			wipe := e.wipeTable
			if e.set.Format == Tree {
				wipe = e.wipeTree
			}
			l, err := wipe(ctx, n, w, byWindow[w], left)
			if err != nil {
				return nil, err
			}
			lost[n] = append(lost[n], l...)
			any = true
		}
		if err := e.reindex(ctx, n, slices.Sorted(maps.Keys(tags)), left); err != nil {
			return nil, err
		}
	}
	if !any {
		return nil, nil
	}
	return lost, nil
}

// chain returns the n-th version, alone or with all that it extends, as it will
// be so far.
func (e *Erasing) chain(n int, whole bool) *chain {
	c := &chain{s: e.s, set: e.set, last: e.increments[n]}
	for at := n + 1; at != 0; at = e.increments[at-1].Parent {
		c.all = append([]*increment{e.increments[at-1]}, c.all...)
		if !whole {
			break
		}
	}
	return c
}

// entryOf names an entry of the index. What is left of it after an erasure is
// more than nothing only if two subjects have one tag.
type entryOf struct {
	tag    uint64
	window int
}

// none is what is left of an entry that goes. An entry of 0 records is one of a
// folder.
const none = ^uint32(0)

// reindex writes the blocks of the n-th version's index anew that name the tags.
func (e *Erasing) reindex(ctx context.Context, n int, tags []uint64, left map[entryOf]uint32) error {
	inc := e.increments[n]
	c := e.chain(n, false)
	for r, run := range inc.Index {
		for _, i := range blocksOf(run, tags) {
			body, err := c.indexBlock(ctx, inc, r, i)
			if err != nil {
				return err
			}
			entries, err := entriesOf(body)
			if err != nil {
				return err
			}
			kept := entries[:0]
			for _, x := range entries {
				if now, ok := left[entryOf{x.tag, int(x.window)}]; ok {
					x.records = now
				}
				if x.records != none {
					kept = append(kept, x)
				}
			}
			if err := e.replace(n, run[i].Segment, appendBlock(inc.head(kindIndex, r, i).append(nil), kept)); err != nil {
				return err
			}
			if run[i].First, err = e.fence(ctx, n, r, i, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// fence returns what the manifest says of a block that holds these entries: the
// first tag. Of an empty block it is the one after the last of the block
// before, so that look-ups for those tags still come there, and no tag that was
// erased stays.
func (e *Erasing) fence(ctx context.Context, n, r, i int, entries []entry) (uint64, error) {
	if len(entries) > 0 {
		return entries[0].tag, nil
	}
	if i--; i < 0 {
		return 0, nil
	}
	before, err := e.blockEntries(ctx, n, r, i)
	if err != nil {
		return 0, err
	}
	if len(before) > 0 {
		return before[len(before)-1].tag + 1, nil
	}
	return e.increments[n].Index[r][i].First + 1, nil
}

// blockEntries reads a block of the n-th version's index as it will be.
func (e *Erasing) blockEntries(ctx context.Context, n, r, i int) ([]entry, error) {
	inc := e.increments[n]
	var body []byte
	var err error
	if k := e.ids[n][inc.Index[r][i].Segment]; k < 0 {
		if body, err = e.data.Read(int(-1-k), nil); err == nil {
			body, err = inc.head(kindIndex, r, i).cut(body)
		}
	} else {
		body, err = e.chain(n, false).indexBlock(ctx, inc, r, i)
	}
	if err != nil {
		return nil, err
	}
	return entriesOf(body)
}

// blocksOf returns which blocks of a run tags would be in, each once, in order.
func blocksOf(run []fence, tags []uint64) (blocks []int) {
	for _, t := range tags {
		if i := sort.Search(len(run), func(i int) bool { return run[i].First > t }) - 1; i >= 0 {
			blocks = append(blocks, i)
		}
	}
	return slices.Compact(blocks)
}

// entriesOf reads the body of an index block.
func entriesOf(body []byte) ([]entry, error) {
	b, err := parseBlock(body)
	var out []entry
	for err == nil && b.left > 0 {
		out, err = b.next(out)
	}
	if err == nil {
		_, err = b.next(nil)
	}
	return out, err
}

// Dead lists the segments that go, and Fresh those that come in their place.
func (e *Erasing) Dead() []int64 { return e.dead }

// Fresh lists what was written anew, without IDs.
func (e *Erasing) Fresh() []state.Segment {
	return slices.Concat(e.data.Written(), e.manifests.Written())
}

// Abort removes what was written, unless it was recorded.
func (e *Erasing) Abort() {
	e.data.Abort()
	e.manifests.Abort()
}
