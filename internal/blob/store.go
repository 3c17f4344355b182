package blob

import (
	"os"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// A Store is a folder of packs. It is safe for concurrent use, also by several
// processes.
type Store struct{ dir string }

// Open returns the store in dir, which is made if it is not there.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed(err)
	}
	return &Store{dir}, nil
}

// Read appends the bytes of a segment to dst. Without the ring that it was
// sealed under the error is of kind Denied, with a destroyed epoch NotFound,
// and if any byte is not what was written Corrupt, naming pack and offset.
func (s *Store) Read(seg state.Segment, ring *seal.Ring, dst []byte) ([]byte, error) {
	return read(s.dir, packSuffix, seg, ring, dst)
}

func read(dir, suffix string, seg state.Segment, ring *seal.Ring, dst []byte) ([]byte, error) {
	if ring == nil || ring.Name != seg.Ring {
		return nil, sallyport.Errorf(sallyport.Denied, "this identity's keys do not open what is sealed for %q", seg.Ring).
			Try("use an identity that may, with --as")
	}
	if seg.Off < int64(packHeader) || seg.Len < seal.Overhead+frameHeader || seg.Len > maxSealed {
		return nil, damaged(seg.Pack, seg.Off, "a segment's place is impossible")
	}
	key, at, err := unwrap(seg, ring)
	if err != nil {
		return nil, err
	}

	sealed := buffers.Get().(*[]byte)
	defer buffers.Put(sealed)
	*sealed = resize(*sealed, int(seg.Len))
	if err := readPack(dir, seg.Pack, suffix, seg.Off, *sealed); err != nil {
		return nil, err
	}
	frame := buffers.Get().(*[]byte)
	defer buffers.Put(frame)
	opened, err := key.Open((*frame)[:0], *sealed, at)
	if err != nil {
		return nil, damaged(seg.Pack, seg.Off, "a sealed segment does not open: its bytes were changed")
	}
	*frame = opened
	out, err := openFrame(dst, opened)
	if err != nil {
		return nil, damaged(seg.Pack, seg.Off, err.Error())
	}
	return out, nil
}

// Sweep removes the packs that referenced does not name, and what killed
// writers left, and returns how many files and bytes that were. The caller
// holds the site's exclusive lock: to a writer that has not recorded its
// segments yet, its packs are not referenced either.
func (s *Store) Sweep(referenced map[string]bool) (files int, freed int64, err error) {
	return sweepDir(s.dir, referenced)
}

// Remove removes a pack that no segment lies in any more.
func (s *Store) Remove(pack string) error { return removePack(s.dir, pack) }

// resize returns a slice of length n, b's memory if it suffices.
func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// Rewrap returns the key of a segment wrapped under the ring's newest epoch.
func (s *Store) Rewrap(seg state.Segment, ring *seal.Ring) ([]byte, error) {
	key, at, err := unwrap(seg, ring)
	if err != nil {
		return nil, err
	}
	_, wrapped := ring.WrapKey(key, at)
	return wrapped, nil
}

// unwrap returns the key of a segment, and the place that it is bound to.
func unwrap(seg state.Segment, ring *seal.Ring) (key seal.Key, at string, err error) {
	at = place(seg.Pack, seg.Off)
	key, err = ring.UnwrapKey(seg.Epoch, seg.Key, at)
	if sallyport.Is(err, sallyport.Corrupt) {
		err = damaged(seg.Pack, seg.Off, "the key of a segment does not unwrap")
	}
	return key, at, err
}
