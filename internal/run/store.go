package run

import (
	"context"
	"io"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// A shelf takes the sealed bytes of one step of a run. They are durable and
// can be read once it is closed, and belong to the site once a transaction
// records them; until then they vanish with a discard or the next sweep.
type shelf struct {
	blobs *blob.Store
	ring  *seal.Ring
	w     *blob.Writer
}

func newShelf(blobs *blob.Store, ring *seal.Ring) *shelf {
	return &shelf{blobs, ring, blobs.NewWriter(ring)}
}

// put keeps everything that r yields.
func (sh *shelf) put(r io.Reader) (Stored, error) {
	stream := sh.w.Stream()
	if _, err := io.CopyBuffer(stream, r, make([]byte, 256<<10)); err != nil {
		return Stored{}, err
	}
	return sh.keep(stream)
}

// keep ends a stream that was written to.
func (sh *shelf) keep(stream *blob.Stream) (Stored, error) {
	if err := stream.Close(); err != nil {
		return Stored{}, err
	}
	return Stored{Size: stream.Size(), Digest: stream.Digest(), shelf: sh, indexes: stream.Segments()}, nil
}

func (sh *shelf) close() error { return sh.w.Finish() }
func (sh *shelf) discard()     { sh.w.Abort() }

// record makes everything on the shelves part of the site, and tells the
// stored values where they lie.
func record(tx *ledger.Tx, shelves []*shelf, stored []*Stored) error {
	ids := map[*shelf][]int64{}
	for _, sh := range shelves {
		var err error
		if ids[sh], err = sh.w.Record(tx.State()); err != nil {
			return err
		}
	}
	for _, st := range stored {
		if st.shelf == nil {
			continue // it was recorded before, or there is nothing
		}
		st.Segments = make([]int64, len(st.indexes))
		for i, index := range st.indexes {
			st.Segments[i] = ids[st.shelf][index]
		}
	}
	return nil
}

// open reads stored bytes back, whether they are recorded yet or not.
func (s *Service) open(ctx context.Context, st Stored) (io.ReadCloser, error) {
	if st.shelf != nil {
		written := st.shelf.w.Written()
		segs := make([]state.Segment, len(st.indexes))
		for i, index := range st.indexes {
			segs[i] = written[index]
		}
		return s.Blobs.OpenStream(segs, s.Output), nil
	}
	if st.Size > 0 && len(st.Segments) == 0 {
		return nil, destroyed()
	}
	var segs []state.Segment
	if err := s.Log.View(ctx, func(tx *ledger.Tx) (err error) {
		segs, err = tx.State().SegmentsOf(st.Segments)
		return err
	}); err != nil {
		return nil, err
	}
	return s.Blobs.OpenStream(segs, s.Output), nil
}

func destroyed() *sallyport.Error {
	return sallyport.Errorf(sallyport.NotFound, "it was destroyed when somebody was taken out of what it was made from").
		Try("see the erasure with: sallyport erasures")
}
