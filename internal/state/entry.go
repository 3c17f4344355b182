package state

import (
	"database/sql"

	"github.com/sallyport/sallyport"
)

// HashSize is the length of one hash of the ledger's tree: SHA-256.
const HashSize = 32

// An Entry is a row of the ledger: leaf n, and the hashes of all the complete
// subtrees whose last leaf it is, from the leaf itself (level 0) upwards, in
// one slice of a multiple of HashSize bytes.
type Entry struct {
	N      int64
	Leaf   []byte
	Hashes []byte
}

// PutEntry appends e. An entry that is there already is never replaced.
func (tx *Tx) PutEntry(e Entry) error {
	_, err := tx.exec(`INSERT INTO entry (n, hashes, leaf) VALUES (?, ?, ?)`, e.N, nonNil(e.Hashes), nonNil(e.Leaf))
	return err
}

// Entry returns entry n; an error of kind NotFound if there is none.
func (tx *Tx) Entry(n int64) (Entry, error) {
	e := Entry{N: n}
	found, err := tx.scan(`SELECT hashes, leaf FROM entry WHERE n = ?`, []any{n}, &e.Hashes, &e.Leaf)
	if err == nil && !found {
		err = noEntry(n)
	}
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Entries calls fn for the entries from ≤ n < to in order, and stops at its
// first error. The slices are fn's to keep.
func (tx *Tx) Entries(from, to int64, fn func(Entry) error) error {
	return tx.each(`SELECT n, hashes, leaf FROM entry WHERE n >= ? AND n < ? ORDER BY n`, []any{from, to},
		func(rows *sql.Rows) error {
			var e Entry
			if err := rows.Scan(&e.N, &e.Hashes, &e.Leaf); err != nil {
				return fault(err)
			}
			return fn(e)
		})
}

// Last returns the number of the last entry, or -1 if there is none.
func (tx *Tx) Last() (int64, error) {
	var n int64
	_, err := tx.scan(`SELECT coalesce(max(n), -1) FROM entry`, nil, &n)
	return n, err
}

// Hash returns the hash at a level that entry n completes.
func (tx *Tx) Hash(n int64, level int) (hash [HashSize]byte, err error) {
	var b []byte
	found, err := tx.scan(`SELECT substr(hashes, ?, ?) FROM entry WHERE n = ?`,
		[]any{1 + HashSize*level, HashSize, n}, &b)
	switch {
	case err != nil:
		return hash, err
	case !found:
		return hash, noEntry(n)
	case len(b) != HashSize:
		return hash, damaged("a hash of the ledger is missing").At("entry %d", n)
	}
	return [HashSize]byte(b), nil
}

// Checkpoint returns the newest signed checkpoint, or nil if there is none.
func (tx *Tx) Checkpoint() ([]byte, error) {
	var note []byte
	_, err := tx.scan(`SELECT note FROM checkpoint WHERE one = 1`, nil, &note)
	return note, err
}

// SetCheckpoint stores the newest signed checkpoint.
func (tx *Tx) SetCheckpoint(note []byte) error {
	_, err := tx.exec(`INSERT INTO checkpoint (one, note) VALUES (1, ?)
		ON CONFLICT DO UPDATE SET note = excluded.note`, nonNil(note))
	return err
}

func noEntry(n int64) error {
	return sallyport.Errorf(sallyport.NotFound, "the ledger has no entry %d", n)
}
