package ledger

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// saltSize is the length of a salt in bytes: 128 bits, beyond guessing.
const saltSize = 16

// A Tx is a transaction on the log and the state. It belongs to one goroutine
// and ends with the function that it was given to.
type Tx struct {
	l      *Log
	st     *state.Tx
	by     string
	before head // what the Log had seen before the transaction
	loaded bool
	base   head    // the checkpoint that the transaction began with
	size   int64   // base.tree.N and the entries added since
	hashes *stored // of the tree
	failed error   // the first write that failed; the transaction cannot commit
}

func (l *Log) begin(st *state.Tx, before head) *Tx {
	return &Tx{l: l, st: st, before: before, hashes: &stored{st, make(map[int64]tlog.Hash)}}
}

// State returns the transaction on the state. Objects are for Put alone.
func (tx *Tx) State() *state.Tx { return tx.st }

// load reads the newest checkpoint and proves that it is the site's, that it is
// of the log that is stored, and that it continues what was seen before.
func (tx *Tx) load() error {
	if tx.loaded {
		return nil
	}
	msg, err := tx.st.Checkpoint()
	if err != nil {
		return err
	}
	last, err := tx.st.Last()
	if err != nil {
		return err
	}
	var h head
	switch {
	case msg == nil && tx.before.note != nil:
		return rolledBack(tx.before.tree.N, 0)
	case msg == nil:
	case bytes.Equal(msg, tx.before.note):
		h = tx.before
	default:
		if h, err = openCheckpoint(msg, tx.l.verifier); err != nil {
			return corrupt("the newest checkpoint is not one that this site signed: %w", err).At("checkpoint")
		}
		if err := tx.hashes.extends(tx.before.tree, h.tree); err != nil {
			return err
		}
	}
	if h.tree.N != last+1 {
		return corrupt("the checkpoint is of %d entries and the ledger has %d", h.tree.N, last+1).At("checkpoint")
	}
	tx.l.advance(h)
	tx.base, tx.size, tx.loaded = h, h.tree.N, true
	return nil
}

// continues is load, and proves that the log continues an older checkpoint.
func (tx *Tx) continues(old head) error {
	if err := tx.load(); err != nil {
		return err
	}
	return tx.hashes.extends(old.tree, tx.base.tree)
}

// loadAny is load for what needs a checkpoint.
func (tx *Tx) loadAny() error {
	if err := tx.load(); err != nil {
		return err
	}
	if tx.base.note == nil {
		return sallyport.Errorf(sallyport.NotFound, "the ledger has no entries yet")
	}
	return nil
}

// Put stores doc as the object id of a kind and appends the entry that says so:
// action is what happened ("run.finished"), holds what else it vouches for. A
// kind holds no slash. Put returns the entry's number.
func (tx *Tx) Put(action, kind, id string, doc any, holds map[string]sallyport.Digest) (n int64, err error) {
	if strings.Contains(kind, "/") {
		return 0, tx.fail(invalid("kind of object"))
	}
	raw, err := encode(doc)
	if err != nil {
		return 0, tx.fail(err)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	n, err = tx.add(Entry{Kind: action, Object: kind + "/" + id, Digest: digest(salt, raw), Holds: holds})
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, tx.fail(tx.st.PutObject(state.Object{Kind: kind, ID: id, Doc: raw, Salt: salt, Entry: n}))
}

// Delete deletes the object id of a kind, its document and its salt, and
// appends the entry that says so. The digests of the deleted document stay in
// the log and say nothing without the salt.
func (tx *Tx) Delete(action, kind, id string, holds map[string]sallyport.Digest) (n int64, err error) {
	if _, err := tx.st.Object(kind, id); err != nil {
		return 0, tx.fail(err)
	}
	n, err = tx.add(Entry{Kind: action, Object: kind + "/" + id, Holds: holds})
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, tx.fail(tx.st.DeleteObject(kind, id))
}

// fail makes a failed write final: a caller that goes on all the same must not
// commit half of it.
func (tx *Tx) fail(err error) error {
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// add appends e, with its number, time and principal, to the tree.
func (tx *Tx) add(e Entry) (int64, error) {
	if tx.l.signer == nil {
		return 0, sallyport.Errorf(sallyport.Denied, "the ledger was opened without its signing key").
			Try("use the site itself, not a copy for reading")
	}
	if err := tx.load(); err != nil {
		return 0, err
	}
	if tx.size == tx.base.tree.N {
		// The hashes that a new leaf builds on are those that make the root
		// that was signed; only from them is the next tree sure to continue it.
		root, err := tlog.TreeHash(tx.size, tx.hashes)
		if err != nil {
			return 0, err
		}
		if tx.base.note != nil && root != tx.base.tree.Hash {
			return 0, corrupt("the stored tree is not the one that was signed").At("ledger")
		}
	}
	e.N, e.By = tx.size, tx.by
	e.Time = tx.l.now().UTC().Truncate(time.Millisecond)
	leaf, err := e.Leaf()
	if err != nil {
		return 0, err
	}
	hashes, err := tx.hashes.append(e.N, leaf)
	if err != nil {
		return 0, err
	}
	if err := tx.st.PutEntry(state.Entry{N: e.N, Leaf: leaf, Hashes: hashes}); err != nil {
		return 0, err
	}
	tx.size++
	return e.N, nil
}

// seal signs the checkpoint over the entries that were added. Without any, it
// returns the zero head.
func (tx *Tx) seal() (head, error) {
	if tx.failed != nil {
		return head{}, tx.failed
	}
	if tx.size == tx.base.tree.N {
		return head{}, nil
	}
	root, err := tlog.TreeHash(tx.size, tx.hashes)
	if err != nil {
		return head{}, err
	}
	h, err := sign(tlog.Tree{N: tx.size, Hash: root}, tx.l.signer)
	if err != nil {
		return head{}, err
	}
	return h, tx.st.SetCheckpoint(h.note)
}

// digest is what a leaf holds of a document.
func digest(salt, doc []byte) sallyport.Digest {
	h := sha256.New()
	h.Write(salt)
	h.Write(doc)
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil)))
}

// encode writes a document as JSON: no spaces, fields in the order of the type, names of
// maps sorted, only what JSON demands escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "a document of type %T has no JSON form", v)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
