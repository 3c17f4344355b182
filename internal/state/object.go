package state

import (
	"database/sql"
	"iter"

	"github.com/sallyport/sallyport"
)

// An Object is a document under a kind ("run") and an id ("k3f9…"). Entry is
// the number of the newest ledger entry about it; Salt makes its digest there
// impossible to guess.
type Object struct {
	Kind, ID  string
	Doc, Salt []byte
	Entry     int64
}

// PutObject stores o in place of an older document under its kind and id.
func (tx *Tx) PutObject(o Object) error {
	// Not an upsert: the row's number is the entry's, and changes with it.
	if err := tx.DeleteObject(o.Kind, o.ID); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO object (entry, kind, id, salt, doc) VALUES (?, ?, ?, ?, ?)`,
		o.Entry, o.Kind, o.ID, nonNil(o.Salt), nonNil(o.Doc))
	return err
}

// Object returns the document under kind and id; an error of kind NotFound if
// there is none.
func (tx *Tx) Object(kind, id string) (Object, error) {
	o := Object{Kind: kind, ID: id}
	found, err := tx.scan(`SELECT entry, salt, doc FROM object WHERE kind = ? AND id = ?`,
		[]any{kind, id}, &o.Entry, &o.Salt, &o.Doc)
	if err == nil && !found {
		err = noObject(kind, id)
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}

// EntryOf returns the number of the newest entry about the document under kind
// and id, without reading the document; an error of kind NotFound if there is
// none.
func (tx *Tx) EntryOf(kind, id string) (n int64, err error) {
	found, err := tx.scan(`SELECT entry FROM object WHERE kind = ? AND id = ?`, []any{kind, id}, &n)
	if err == nil && !found {
		err = noObject(kind, id)
	}
	return n, err
}

// objectsOfKind names the index that holds each kind's entries in order, so that
// no documents are sorted in memory.
const objectsOfKind = `SELECT entry, kind, id, salt, doc FROM object INDEXED BY object_kind
	WHERE kind = ? ORDER BY entry`

// Objects yields the objects of a kind, or all of them if kind is empty, in
// the order of their entries. An error is the last thing that it yields. The
// loop must not write objects.
func (tx *Tx) Objects(kind string) iter.Seq2[Object, error] {
	query, args := `SELECT entry, kind, id, salt, doc FROM object ORDER BY entry`, []any(nil)
	if kind != "" {
		query, args = objectsOfKind, []any{kind}
	}
	return func(yield func(Object, error) bool) {
		err := tx.each(query, args, func(rows *sql.Rows) error {
			var o Object
			if err := rows.Scan(&o.Entry, &o.Kind, &o.ID, &o.Salt, &o.Doc); err != nil {
				return fault(err)
			}
			if !yield(o, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(Object{}, err)
		}
	}
}

// DeleteObject deletes the document under kind and id, if there is one.
func (tx *Tx) DeleteObject(kind, id string) error {
	_, err := tx.exec(`DELETE FROM object WHERE kind = ? AND id = ?`, kind, id)
	return err
}

func noObject(kind, id string) error {
	return sallyport.Errorf(sallyport.NotFound, "there is no %s %s", kind, id)
}

// nonNil keeps an empty value from becoming NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
