package dataset

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/bits"
	"sync"

	"github.com/sallyport/sallyport/internal/seal"
)

// A tagger names subjects by tags: the first 64 bits of HMAC-SHA256 of the
// exact bytes of the subject, under a key of the dataset's. Tags decide which
// segment a record goes to and which subjects a sample holds, and they are what
// the index is sorted by. Two subjects may share one (among a million, with a
// chance of 3·10⁻⁸), so whatever must be true of one subject compares its bytes
// as well.
//
// The key is the same for all datasets of a site and for life (seal.Ring's
// Lasting), so that a sample of two tables is of the same people, and what one
// look-up finds by tag another can look for.
type tagger struct{ pool sync.Pool }

func newTagger(key seal.Key, purpose string) *tagger {
	k := key.Derive(purpose)
	return &tagger{sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, k[:])} }}}
}

// mac is a MAC with room for its result, which would otherwise be allocated
// for every record.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

func (t *tagger) tag(subject []byte) uint64 {
	m := t.pool.Get().(*mac)
	m.Reset()
	m.Write(subject)
	tag := binary.BigEndian.Uint64(m.Sum(m.sum[:0]))
	t.pool.Put(m)
	return tag
}

// bucket returns which of n buckets, a power of two, a tag belongs to. It is
// the tag's top bits, so that buckets are ranges of tags.
func bucket(tag uint64, n int) int { return int(tag >> (65 - bits.Len(uint(n)))) }

// buckets returns how many buckets to make of so many bytes: about one for
// every bucketSize, at most mostBuckets.
func buckets(size int) int {
	n := 1
	for n < mostBuckets && size > n*bucketSize {
		n <<= 1
	}
	return n
}
