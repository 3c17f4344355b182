package ledger

import (
	"bytes"
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// cacheLimit bounds the hashes that a transaction keeps. Neighbouring entries
// share all but two of the hashes that prove them.
const cacheLimit = 4096

// stored reads the hashes of the tree from the database for package tlog. What
// it has read it may keep: within a transaction nobody changes a hash.
type stored struct {
	tx    *state.Tx
	cache map[int64]tlog.Hash // by tlog's index of stored hashes
}

// ReadHashes implements tlog.HashReader.
func (s *stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := s.cache[index]
		if !ok {
			// Hash k of a level is complete with the last leaf below it.
			level, k := tlog.SplitStoredHashIndex(index)
			last := (k+1)<<level - 1
			b, err := s.tx.Hash(last, level)
			if err != nil {
				return nil, asCorrupt(err, "entry %d", last)
			}
			h = b
			s.keep(index, h)
		}
		out[i] = h
	}
	return out, nil
}

func (s *stored) keep(index int64, h tlog.Hash) {
	if len(s.cache) >= cacheLimit {
		clear(s.cache)
	}
	s.cache[index] = h
}

// append computes the hashes that leaf number n adds and returns them in the
// form that package state stores.
func (s *stored) append(n int64, leaf []byte) ([]byte, error) {
	hashes, err := tlog.StoredHashes(n, leaf, s)
	if err != nil {
		return nil, err
	}
	var row []byte
	for level, h := range hashes {
		row = append(row, h[:]...)
		s.keep(tlog.StoredHashIndex(level, n>>level), h)
	}
	return row, nil
}

// extends reports, as an error of kind Corrupt, if the tree of now is not the
// tree of before with more leaves.
func (s *stored) extends(before, now tlog.Tree) error {
	if before.N == 0 {
		return nil
	}
	if before.N > now.N {
		return rolledBack(before.N, now.N)
	}
	proof, err := tlog.ProveTree(now.N, before.N, s)
	if err != nil {
		return err
	}
	if tlog.CheckTree(proof, now.N, now.Hash, before.N, before.Hash) != nil {
		return sallyport.Errorf(sallyport.Corrupt, "the first %d entries of the ledger are not those that were signed before: the ledger was rolled back, or its tree was changed", before.N).
			At("ledger").Try("restore the newest backup of the site; whoever holds an older checkpoint can say which is right")
	}
	return nil
}

// A builder computes a tree from its leaves alone, without the code that has
// stored it.
type builder struct {
	n     int64         // leaves so far
	peaks [64]tlog.Hash // by level: the complete subtrees that are not yet part of a larger one
}

// check adds a row of the ledger and returns its entry. An error of kind
// Corrupt says what is wrong with the row.
func (b *builder) check(row state.Entry) (Entry, error) {
	if row.N != b.n {
		return Entry{}, corrupt("a row of the ledger is missing").At("entry %d", b.n)
	}
	e, err := ParseEntry(row.Leaf)
	if err != nil || e.N != row.N {
		return Entry{}, corrupt("the entry cannot be read").At("entry %d", row.N)
	}
	if !bytes.Equal(b.add(row.Leaf), row.Hashes) {
		return Entry{}, corrupt("the stored hashes are not those of the entries").At("entry %d", row.N)
	}
	return e, nil
}

// add returns the hashes that a leaf completes: its own, and that of every pair
// of equal subtrees that it joins (RFC 6962 §2.1).
func (b *builder) add(leaf []byte) []byte {
	h := tlog.RecordHash(leaf)
	row := append(make([]byte, 0, 4*tlog.HashSize), h[:]...)
	level := 0
	for ; b.n>>level&1 == 1; level++ {
		h = tlog.NodeHash(b.peaks[level], h)
		row = append(row, h[:]...)
	}
	b.peaks[level] = h
	b.n++
	return row
}

// root joins the subtrees that are left, the smallest first. The root of no
// leaves is the hash of nothing.
func (b *builder) root() tlog.Hash {
	if b.n == 0 {
		return sha256.Sum256(nil)
	}
	left := uint64(b.n)
	h := b.peaks[bits.TrailingZeros64(left)]
	for left &= left - 1; left != 0; left &= left - 1 {
		h = tlog.NodeHash(b.peaks[bits.TrailingZeros64(left)], h)
	}
	return h
}

// finish reports, as an error of kind Corrupt, if the leaves are not all those
// of a checkpoint.
func (b *builder) finish(h head) error {
	if b.n != h.tree.N {
		return corrupt("a row of the ledger is missing").At("entry %d", b.n)
	}
	if h.note != nil && b.root() != h.tree.Hash {
		return corrupt("the entries are not those of the signed checkpoint").At("ledger")
	}
	return nil
}

func rolledBack(before, now int64) error {
	return sallyport.Errorf(sallyport.Corrupt, "the ledger was rolled back: it had %d entries and has %d", before, now).
		At("ledger").Try("restore the newest backup of the site; entries from %d on are missing", now)
}

// asCorrupt turns a missing row, which is an answer in package state, into the
// damage that it is here, where the row has to be.
func asCorrupt(err error, format string, args ...any) error {
	if !sallyport.Is(err, sallyport.NotFound) {
		return err
	}
	return corrupt("a row of the ledger is missing").At(format, args...)
}

func corrupt(format string, args ...any) *sallyport.Error {
	return sallyport.Errorf(sallyport.Corrupt, format, args...).
		Try("restore the site's folder from a backup, then run: sallyport log verify")
}
