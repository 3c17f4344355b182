package json

import (
	"hash/maphash"

	"github.com/sallyport/sallyport/internal/format"
)

// maxKeys bounds the keys of open objects that are remembered.
const maxKeys = 1 << 19

// keys remembers the keys of each open object as 64-bit hashes under a secret
// seed: eight to sixteen bytes a key, however long it is. That two keys of an
// object of n keys are taken for one has the odds n²/2⁶⁵, and no file can
// choose them.
type keys struct {
	seed    maphash.Seed
	objects []set // for each open array and object
	total   int
	text    []byte
}

func (k *keys) open() {
	if k.objects == nil {
		k.seed = maphash.MakeSeed()
	}
	if n := len(k.objects); n < cap(k.objects) {
		k.objects = k.objects[:n+1]
		return
	}
	k.objects = append(k.objects, set{})
}

func (k *keys) close() {
	last := &k.objects[len(k.objects)-1]
	k.total -= last.n
	last.reset()
	k.objects = k.objects[:len(k.objects)-1]
}

// add remembers a key of the innermost object.
func (k *keys) add(t Token) error {
	text := t.Text
	if t.Cut {
		return format.Exceededf(t.Off, "a key is longer than %d bytes", len(t.Text))
	}
	if t.Escaped {
		k.text = t.Append(k.text[:0])
		text = k.text
	}
	if k.total++; k.total > maxKeys {
		return format.Exceededf(t.Off, "open objects have more than %d keys", maxKeys)
	}
	if !k.objects[len(k.objects)-1].add(maphash.Bytes(k.seed, text)) {
		return format.Brokenf(t.Off, "an object has a key twice")
	}
	return nil
}

// A set is a hash table with open addressing of numbers other than 0.
type set struct {
	n     int
	slots []uint64
}

// smallSet is how many slots a set keeps for the next object.
const smallSet = 64

func (s *set) reset() {
	if s.n = 0; len(s.slots) > smallSet { // clearing it for each small object would cost more than it saves
		s.slots = nil
	}
	clear(s.slots)
}

// add reports whether the hash is new.
func (s *set) add(h uint64) bool {
	if h == 0 {
		h = 1
	}
	if s.n*4 >= len(s.slots)*3 {
		old := s.slots
		s.slots = make([]uint64, max(8, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				s.put(o)
			}
		}
	}
	if !s.put(h) {
		return false
	}
	s.n++
	return true
}

func (s *set) put(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			return true
		}
	}
}
