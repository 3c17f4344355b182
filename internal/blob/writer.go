package blob

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// packSize is where a pack ends: the segment that would cross it begins the
// next one. Packs are large so that few files hold much, and small enough to
// copy again when one segment of theirs is erased.
const packSize = 64 << 20

// maxSyncing bounds the full packs that are on their way to the disk, and with
// them the open files and the bytes that a last sync must wait for.
const maxSyncing = 2

// A Writer puts segments into new packs. Put is safe for concurrent use; the
// other methods are called when no Put is under way:
//
//	w := store.NewWriter(ring)
//	defer w.Abort()
//	… w.Put …
//	w.Finish()
//	log.Update(…, func(tx) { ids := w.Record(tx.State()) … })
type Writer struct {
	dir  string
	ring *seal.Ring

	mu       sync.Mutex
	open     *pack
	names    []string // every pack begun
	segments []state.Segment
	finished bool
	recorded bool

	failure atomic.Pointer[error] // the first: after it nothing succeeds

	syncing chan struct{}
	syncs   sync.WaitGroup
}

// pack is a pack that is being written. Places in it are given out under the
// Writer's lock and filled outside it.
type pack struct {
	name    string
	file    *os.File
	end     int64
	pending sync.WaitGroup
}

// NewWriter returns a writer whose segments are sealed under ring.
func (s *Store) NewWriter(ring *seal.Ring) *Writer {
	return &Writer{dir: s.dir, ring: ring, syncing: make(chan struct{}, maxSyncing)}
}

// Put seals plain, at most MaxSegment bytes, as a segment and returns its
// index, counted from 0.
func (w *Writer) Put(plain []byte) (int, error) {
	if len(plain) > MaxSegment {
		return 0, sallyport.Errorf(sallyport.Internal, "a segment of %d bytes is larger than a segment may be", len(plain))
	}
	if w.ring == nil {
		return 0, sallyport.Errorf(sallyport.Denied, "this identity's keys do not seal data of this site").
			Try("use an identity that may, with --as")
	}
	frame := buffers.Get().(*[]byte)
	defer buffers.Put(frame)
	*frame = appendFrame((*frame)[:0], plain)

	key := seal.NewKey()
	p, index, off, err := w.reserve(key, int64(len(*frame)+seal.Overhead))
	if err != nil {
		return 0, err
	}
	defer p.pending.Done()

	sealed := buffers.Get().(*[]byte)
	defer buffers.Put(sealed)
	*sealed = key.Seal((*sealed)[:0], *frame, place(p.name, off))
	if _, err := p.file.WriteAt(*sealed, off); err != nil {
		return 0, w.fail(failed(err))
	}
	return index, nil
}

// reserve gives out the next n bytes of the open pack to a segment with this
// key, and the next index. The caller tells p.pending when it has filled them,
// and takes no lock before it does: rotate waits for it under the lock.
func (w *Writer) reserve(key seal.Key, n int64) (p *pack, index int, off int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return nil, 0, 0, sallyport.Errorf(sallyport.Internal, "a segment was put after the last")
	}
	if err := w.failed(); err != nil {
		return nil, 0, 0, err
	}
	if w.open != nil && w.open.end > int64(packHeader) && w.open.end+n > packSize {
		w.rotate()
	}
	if w.open == nil {
		if err := w.begin(); err != nil {
			return nil, 0, 0, w.fail(err)
		}
	}
	p, off, index = w.open, w.open.end, len(w.segments)
	p.end += n
	p.pending.Add(1)
	epoch, wrapped := w.ring.WrapKey(key, place(p.name, off))
	w.segments = append(w.segments, state.Segment{Pack: p.name, Off: off, Len: n,
		Ring: w.ring.Name, Epoch: epoch, Key: wrapped})
	return p, index, off, nil
}

// begin opens the next pack. The caller holds the lock.
func (w *Writer) begin() error {
	var id [16]byte
	rand.Read(id[:])
	name := hex.EncodeToString(id[:])
	f, err := createPack(w.dir, name)
	if err != nil {
		return err
	}
	w.names = append(w.names, name)
	w.open = &pack{name: name, file: f, end: int64(packHeader)}
	return nil
}

// rotate sends the open pack to the disk in the background, once its last
// pending segment is written. The caller holds the lock.
func (w *Writer) rotate() {
	p := w.open
	w.open = nil
	w.syncing <- struct{}{}
	w.syncs.Go(func() {
		defer func() { <-w.syncing }()
		p.pending.Wait()
		if err := errors.Join(p.file.Sync(), p.file.Close()); err != nil {
			w.fail(failed(err))
		}
	})
}

// fail remembers the first failure and returns it.
func (w *Writer) fail(err error) error {
	w.failure.CompareAndSwap(nil, &err)
	return w.failed()
}

// failed returns the first failure, or nil.
func (w *Writer) failed() error {
	if err := w.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Read appends the bytes of a segment that this writer has put to dst, before
// Finish. It is for those who need again what they no longer hold in memory.
func (w *Writer) Read(index int, dst []byte) ([]byte, error) {
	w.mu.Lock()
	seg := w.segments[index]
	w.mu.Unlock()
	return read(w.dir, tempSuffix, seg, w.ring, dst)
}

// Finish makes everything that was put durable. The segments stay unreferenced
// until Record.
func (w *Writer) Finish() error {
	w.mu.Lock()
	if w.open != nil {
		w.rotate()
	}
	w.mu.Unlock()
	w.syncs.Wait()
	if err := w.failed(); err != nil || w.finished {
		return err
	}
	w.finished = true
	if err := publishPacks(w.dir, w.names); err != nil {
		return w.fail(err)
	}
	return nil
}

// Record writes the segments into the caller's transaction and returns the id
// of each index.
func (w *Writer) Record(tx *state.Tx) ([]int64, error) {
	if !w.finished || w.failed() != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "segments were recorded before they were durable")
	}
	w.recorded = true
	if err := tx.PutSegments(w.segments); err != nil {
		return nil, err
	}
	ids := make([]int64, len(w.segments))
	for i, s := range w.segments {
		ids[i] = s.ID
	}
	return ids, nil
}

// Abort removes what was written, unless it was recorded: then only the state
// knows whether the transaction came through, and what it does not refer to is
// left to Sweep.
func (w *Writer) Abort() {
	if w.recorded {
		return
	}
	w.fail(sallyport.Errorf(sallyport.Internal, "the writer was aborted"))
	w.mu.Lock()
	p := w.open
	w.open = nil
	w.mu.Unlock()
	if p != nil {
		p.file.Close()
	}
	w.syncs.Wait()
	discardPacks(w.dir, w.names)
	w.names = nil
}

// Written returns the segments in order of index, without their ids, after
// Finish: what was written can be read before a transaction records it.
func (w *Writer) Written() []state.Segment { return slices.Clone(w.segments) }
