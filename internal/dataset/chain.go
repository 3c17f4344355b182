package dataset

import (
	"context"
	"io"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/state"
)

// An increment is what one version added: its public half, its sealed half.
type increment struct {
	*Version
	*manifest
}

// A chain is a version with all that it extends, the oldest first.
type chain struct {
	s    *Store
	set  *Dataset
	all  []*increment
	last *increment // the version itself
}

// open reads the manifests that a version consists of.
func (s *Store) open(ctx context.Context, v *Version) (*chain, error) {
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	c := &chain{s: s}
	var versions []*Version
	err := s.Log.View(ctx, func(tx *ledger.Tx) (err error) {
		if c.set, err = getDataset(tx, v.Dataset); err != nil {
			return err
		}
		if versions, err = getVersions(tx, v.Dataset); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for n := v.Number; n != 0; {
		if n < 0 || n > len(versions) {
			return nil, corrupt(v.Ref(), "it extends a version that is not there")
		}
		u := versions[n-1]
		if u.Parent >= n {
			return nil, corrupt(v.Ref(), "it extends a version that came after it")
		}
		inc, err := s.increment(ctx, u)
		if err != nil {
			return nil, err
		}
		c.all = append([]*increment{inc}, c.all...)
		n = u.Parent
	}
	c.last = c.all[len(c.all)-1]
	return c, nil
}

// layout returns the layout of the version's records.
func (c *chain) layout() (layout, error) {
	l := newLayout(c.set.Format, c.set.Subject)
	if l.resume(c.last.Header) != nil {
		return nil, corrupt(c.last.Ref(), "its columns do not have the subject among them")
	}
	return l, nil
}

// increment reads a version's own manifest.
func (s *Store) increment(ctx context.Context, v *Version) (*increment, error) {
	segs, err := s.segments(ctx, v, v.Manifest)
	if err != nil {
		return nil, err
	}
	r := s.Blobs.OpenStream(segs, s.Ring)
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(b, v.count())
	if err != nil {
		return nil, err
	}
	if m.Dataset != v.Dataset || m.Number != v.Number || m.salted(m.Content) != v.Root {
		return nil, corrupt(v.Ref(), "its manifest is another version's")
	}
	return &increment{v, m}, nil
}

// segments returns where the segments of v with these indexes lie.
func (s *Store) segments(ctx context.Context, v *Version, indexes []int) (segs []state.Segment, err error) {
	if v.pending != nil {
		for _, x := range indexes {
			segs = append(segs, v.pending[x])
		}
		return segs, nil
	}
	ids := make([]int64, len(indexes))
	for i, x := range indexes {
		if ids[i], err = v.segment(x); err != nil {
			return nil, err
		}
	}
	err = s.Log.View(ctx, func(tx *ledger.Tx) error {
		segs, err = tx.State().SegmentsOf(ids)
		return err
	})
	return segs, err
}

// body reads a segment of an increment and takes its head off.
func (s *Store) body(seg state.Segment, h head, buf []byte) ([]byte, error) {
	b, err := s.Blobs.Read(seg, s.Ring, buf[:0])
	if err != nil {
		return nil, err
	}
	return h.cut(b)
}

// indexBlock returns the body of a block of an increment's index.
func (c *chain) indexBlock(ctx context.Context, inc *increment, run, i int) ([]byte, error) {
	segs, err := c.s.segments(ctx, inc.Version, []int{inc.Index[run][i].Segment})
	if err != nil {
		return nil, err
	}
	return c.s.body(segs[0], inc.head(kindIndex, run, i), nil)
}

// tallies returns the runs of the index of all increments.
func (c *chain) tallies(ctx context.Context) (out []*tally) {
	for _, inc := range c.all {
		for r, run := range inc.Index {
			out = append(out, &tally{blocks: len(run), read: func(i int) ([]byte, error) { return c.indexBlock(ctx, inc, r, i) }})
		}
	}
	return out
}

func interrupted() error {
	return sallyport.Errorf(sallyport.Interrupted, "stopped before it was done; nothing was changed")
}
