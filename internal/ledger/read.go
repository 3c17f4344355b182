package ledger

import (
	"encoding/json"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// Get reads the object id of a kind into a value, as encoding/json does. What
// it reads is proven: the document by the digest in its leaf, the leaf by the
// tree, the tree by the signed checkpoint. Kinds of errors: NotFound; Corrupt,
// naming the object, if a proof fails.
func (tx *Tx) Get(kind, id string, into any) error {
	o, err := tx.st.Object(kind, id)
	if err != nil {
		return err
	}
	if _, err := tx.check(o); err != nil {
		return err
	}
	if json.Unmarshal(o.Doc, into) != nil { // whose error quotes the document
		return sallyport.Errorf(sallyport.Internal, "the document is genuine but does not fit %T", into).At("%s/%s", kind, id)
	}
	return nil
}

// Each calls fn with every object of a kind in the order of their newest
// entries, proven like Get's. It stops at fn's first error. The slice raw is
// fn's to keep. Fn must not change objects.
func (tx *Tx) Each(kind string, fn func(id string, raw []byte, entry Entry) error) error {
	for o, err := range tx.st.Objects(kind) {
		if err != nil {
			return err
		}
		e, err := tx.check(o)
		if err != nil {
			return err
		}
		if err := fn(o.ID, o.Doc, e); err != nil {
			return err
		}
	}
	return nil
}

// check proves an object and returns its entry.
func (tx *Tx) check(o state.Object) (Entry, error) {
	row, err := tx.st.Entry(o.Entry)
	if err != nil {
		return Entry{}, asCorrupt(err, "%s/%s", o.Kind, o.ID)
	}
	e, err := tx.prove(row)
	if err != nil {
		return Entry{}, err
	}
	return e, match(o, e)
}

// match reports, as an error of kind Corrupt, if o is not the object that e
// vouches for.
func match(o state.Object, e Entry) error {
	// Kind and id each by itself: "a/b" and "c" are not "a" and "b/c".
	kind, id, _ := strings.Cut(e.Object, "/")
	if o.Kind != kind || o.ID != id || e.Digest != digest(o.Salt, o.Doc) {
		return corrupt("the stored document is not the one that entry %d of the ledger vouches for", e.N).At("%s/%s", o.Kind, o.ID)
	}
	return nil
}

// prove checks a row against the signed tree and returns its entry. An entry
// that this transaction added is in no signed tree yet, and out of reach of
// everybody else.
func (tx *Tx) prove(row state.Entry) (Entry, error) {
	if err := tx.load(); err != nil {
		return Entry{}, err
	}
	if tree := tx.base.tree; row.N < tree.N {
		proof, err := tlog.ProveRecord(tree.N, row.N, tx.hashes)
		if err != nil {
			return Entry{}, err
		}
		if tlog.CheckRecord(proof, tree.N, tree.Hash, row.N, tlog.RecordHash(row.Leaf)) != nil {
			return Entry{}, corrupt("the entry is not the one in the signed tree").At("entry %d", row.N)
		}
	}
	e, err := ParseEntry(row.Leaf)
	if err != nil || e.N != row.N {
		return Entry{}, corrupt("the entry cannot be read").At("entry %d", row.N)
	}
	return e, nil
}
