package site

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// A Renewal replaces the keys of a site, while nobody else is at work on it:
// every living segment is wrapped under a new epoch of its ring, and the old
// epochs are destroyed. Whoever has a copy of the site's packs and state from
// before, and the keys of today, opens none of what was there.
//
// Destroying keys and overwriting what they opened are done both, since neither
// is enough alone: a key may have been copied, and a disk may keep what was
// written over.
type Renewal struct {
	s            *Site
	data, output *seal.Ring // with a new epoch, and the old ones
}

// Renew takes the site alone until Close. Others at work are an error of kind
// Busy.
func (s *Site) Renew() (*Renewal, error) {
	if s.data == nil || s.output == nil {
		return nil, sallyport.Errorf(sallyport.Denied, "the site's keys are not wrapped for %s", s.Who.Name).
			Try("use the identity of a steward, with --as")
	}
	ok, err := s.lock.TryAlone()
	if err == nil && !ok {
		err = sallyport.Errorf(sallyport.Busy, "others are at work on the site, and would write under the keys that are destroyed").
			Try("wait for their runs to end, or stop them, and do it again")
	}
	if err != nil {
		return nil, errors.Join(err, s.lock.Share())
	}
	return &Renewal{s, s.data.Renew(), s.output.Renew()}, nil
}

// Data is the datasets of the site, sealed under the new epoch from now on.
func (r *Renewal) Data() *dataset.Store {
	return &dataset.Store{Log: r.s.Log, Blobs: r.s.Blobs, Ring: r.data}
}

// Open reads a segment that is sealed under the old keys or the new.
func (r *Renewal) Open(seg state.Segment) ([]byte, error) {
	ring := r.data
	if seg.Ring == r.output.Name {
		ring = r.output
	}
	return r.s.Blobs.Read(seg, ring, nil)
}

// Commit does act and replaces the keys, in one transaction.
func (r *Renewal) Commit(ctx context.Context, act func(tx *ledger.Tx) error) error {
	newest := []*seal.Ring{r.data.Newest(), r.output.Newest()}
	err := r.s.Log.Update(ctx, r.s.Who.Name, func(tx *ledger.Tx) error {
		if err := act(tx); err != nil {
			return err
		}
		all, err := principals(tx)
		if err != nil {
			return err
		}
		for i, ring := range []*seal.Ring{r.data, r.output} {
			if _, err := tx.State().Rewrap(ring.Name, ring.Epoch, func(seg state.Segment) ([]byte, error) {
				return r.s.Blobs.Rewrap(seg, ring)
			}); err != nil {
				return err
			}
			doc, err := wrap(r.s.Dir, newest[i], all, rings[i].action)
			if err != nil {
				return err
			}
			if _, err := tx.Put("ring.renewed", "ring", doc.Name, doc, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.s.data, r.s.output = newest[0], newest[1]
	return nil
}

// Scrub removes what Commit left without a key: the old rings, deleted rows in
// the database's files, and the segments' bytes in the packs. It is safe to
// repeat, by whoever does so.
func (r *Renewal) Scrub(ctx context.Context) error {
	if err := r.s.sweepAlone(ctx); err != nil {
		return err
	}
	var living []state.Segment
	if err := r.s.State.View(ctx, func(tx *state.Tx) error {
		return tx.EachSegment(func(seg state.Segment) error {
			living = append(living, seg)
			return nil
		})
	}); err != nil {
		return err
	}
	if err := r.s.Blobs.Scrub(living); err != nil {
		return err
	}
	return r.s.State.Purge(ctx)
}

// Close lets others work again.
func (r *Renewal) Close() error { return r.s.lock.Share() }
