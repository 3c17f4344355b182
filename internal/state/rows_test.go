package state

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

func TestObjects(t *testing.T) {
	db := fresh(t)
	put := func(entry int64, kind, id, doc string) {
		update(t, db, func(tx *Tx) error {
			return tx.PutObject(Object{Kind: kind, ID: id, Doc: []byte(doc), Salt: []byte("salt"), Entry: entry})
		})
	}
	list := func(kind string) (all string) {
		view(t, db, func(tx *Tx) error {
			for o, err := range tx.Objects(kind) {
				if err != nil {
					return err
				}
				all += fmt.Sprintf("%d:%s/%s=%s ", o.Entry, o.Kind, o.ID, o.Doc)
			}
			return nil
		})
		return all
	}
	put(0, "run", "b", "one")
	put(1, "data", "x", "two")
	put(2, "run", "a", "three")
	put(3, "run", "b", "four")
	if got, want := list("run"), "2:run/a=three 3:run/b=four "; got != want {
		t.Errorf("runs are %q, want %q", got, want)
	}
	if got, want := list(""), "1:data/x=two 2:run/a=three 3:run/b=four "; got != want {
		t.Errorf("all are %q, want %q", got, want)
	}
	view(t, db, func(tx *Tx) error {
		o, err := tx.Object("run", "b")
		if err != nil || o.Kind != "run" || o.ID != "b" || o.Entry != 3 || string(o.Doc) != "four" || string(o.Salt) != "salt" {
			t.Errorf("got %+v, %v", o, err)
		}
		if n, err := tx.EntryOf("run", "b"); n != 3 || err != nil {
			t.Errorf("newest entry is %d, %v", n, err)
		}
		_, err = tx.Object("run", "zzz")
		wantKind(t, err, sallyport.NotFound)
		_, err = tx.EntryOf("run", "zzz")
		wantKind(t, err, sallyport.NotFound)
		return nil
	})
	update(t, db, func(tx *Tx) error {
		return errors.Join(tx.DeleteObject("run", "b"), tx.DeleteObject("run", "b"))
	})
	if got, want := list("run"), "2:run/a=three "; got != want {
		t.Errorf("after deleting, runs are %q, want %q", got, want)
	}
}

func TestLoopsMayBeNestedAndLeftEarly(t *testing.T) {
	db := fresh(t)
	update(t, db, func(tx *Tx) (err error) {
		for i := range int64(10) {
			err = errors.Join(err, tx.PutObject(Object{Kind: "k", ID: fmt.Sprint(i), Entry: i}))
		}
		return err
	})
	pairs := 0
	view(t, db, func(tx *Tx) error {
		for a := range tx.Objects("k") {
			for b := range tx.Objects("k") {
				if _, err := tx.Object("k", b.ID); err != nil {
					return err
				}
				if b.ID == "5" {
					break
				}
				pairs++
			}
			if a.ID == "7" {
				break
			}
		}
		return nil
	})
	if pairs != 8*5 {
		t.Errorf("%d pairs, want 40", pairs)
	}
	update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "v") })
}

func TestListingAKindSortsNothing(t *testing.T) {
	view(t, fresh(t), func(tx *Tx) error {
		rows, err := tx.s.conn.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+objectsOfKind, "run")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			if strings.Contains(detail, "B-TREE") {
				t.Errorf("the plan sorts: %s", detail)
			}
		}
		return rows.Err()
	})
}

func TestSegments(t *testing.T) {
	db := fresh(t)
	segments := make([]Segment, 1000)
	for i := range segments {
		segments[i] = Segment{Pack: fmt.Sprintf("p%d", i%3), Off: int64(i) << 33, Len: int64(i), Ring: "main", Epoch: i % 7, Key: []byte{byte(i), 1}}
	}
	update(t, db, func(tx *Tx) error { return tx.PutSegments(segments) })
	ids := make([]int64, len(segments))
	for i, s := range segments {
		ids[i] = s.ID
	}
	if !slices.IsSorted(ids) || ids[0] < 1 {
		t.Fatal("the IDs do not rise")
	}
	same := func(a, b Segment) bool {
		return a.ID == b.ID && a.Pack == b.Pack && a.Off == b.Off && a.Len == b.Len &&
			a.Ring == b.Ring && a.Epoch == b.Epoch && bytes.Equal(a.Key, b.Key)
	}
	view(t, db, func(tx *Tx) error {
		slices.Reverse(ids)
		got, err := tx.SegmentsOf(append(ids, ids[0]))
		if err != nil {
			return err
		}
		slices.Reverse(segments)
		if !slices.EqualFunc(got, append(segments, segments[0]), same) {
			t.Error("SegmentsOf gives other segments, or another order")
		}
		if got, err := tx.SegmentsOf(nil); len(got) != 0 || err != nil {
			t.Errorf("no IDs give %v, %v", got, err)
		}
		one, err := tx.Segment(ids[0])
		if err != nil || !same(one, segments[0]) {
			t.Errorf("got %+v, %v", one, err)
		}
		packs, err := tx.Packs()
		if err != nil || len(packs) != 3 || !packs["p0"] || !packs["p1"] || !packs["p2"] {
			t.Errorf("packs are %v, %v", packs, err)
		}
		return nil
	})
	newest := segments[0]
	update(t, db, func(tx *Tx) error {
		return errors.Join(tx.DeleteSegments(ids), tx.DeleteSegments(ids[:1]), tx.DeleteSegments(nil))
	})
	view(t, db, func(tx *Tx) error {
		_, err := tx.Segment(newest.ID)
		wantKind(t, err, sallyport.NotFound)
		_, err = tx.SegmentsOf(ids)
		wantKind(t, err, sallyport.NotFound)
		if packs, err := tx.Packs(); len(packs) != 0 || err != nil {
			t.Errorf("packs are %v, %v", packs, err)
		}
		return nil
	})
	update(t, db, func(tx *Tx) error {
		again := []Segment{{Pack: "p"}}
		err := tx.PutSegments(again)
		if again[0].ID <= newest.ID {
			t.Errorf("the ID %d was used before", again[0].ID)
		}
		return err
	})
}

func TestEntries(t *testing.T) {
	db := fresh(t)
	hashes := bytes.Repeat([]byte{1}, HashSize)
	update(t, db, func(tx *Tx) (err error) {
		if n, err := tx.Last(); n != -1 || err != nil {
			t.Errorf("the last of no entries is %d, %v", n, err)
		}
		if note, err := tx.Checkpoint(); note != nil || err != nil {
			t.Errorf("there is a checkpoint %q, %v", note, err)
		}
		for n := range int64(10) {
			err = errors.Join(err, tx.PutEntry(Entry{N: n, Leaf: []byte{byte(n)}, Hashes: append(hashes, bytes.Repeat([]byte{byte(n)}, HashSize)...)}))
		}
		return errors.Join(err, tx.SetCheckpoint([]byte("old")), tx.SetCheckpoint([]byte("new")))
	})
	view(t, db, func(tx *Tx) error {
		if n, err := tx.Last(); n != 9 || err != nil {
			t.Errorf("the last entry is %d, %v", n, err)
		}
		if note, err := tx.Checkpoint(); string(note) != "new" || err != nil {
			t.Errorf("the checkpoint is %q, %v", note, err)
		}
		var got []byte
		err := tx.Entries(3, 6, func(e Entry) error {
			got = append(got, e.Leaf...)
			return nil
		})
		if err != nil || !bytes.Equal(got, []byte{3, 4, 5}) {
			t.Errorf("entries 3 to 6 are %v, %v", got, err)
		}
		stop := errors.New("stop")
		if err := tx.Entries(0, 10, func(Entry) error { return stop }); err != stop {
			t.Errorf("got %v, want the function's own error", err)
		}
		if h, err := tx.Hash(7, 1); err != nil || h != [HashSize]byte(bytes.Repeat([]byte{7}, HashSize)) {
			t.Errorf("hash is %x, %v", h, err)
		}
		_, err = tx.Hash(7, 2)
		wantKind(t, err, sallyport.Corrupt)
		_, err = tx.Hash(10, 0)
		wantKind(t, err, sallyport.NotFound)
		_, err = tx.Entry(10)
		wantKind(t, err, sallyport.NotFound)
		e, err := tx.Entry(4)
		if err != nil || e.N != 4 || e.Leaf[0] != 4 || len(e.Hashes) != 2*HashSize {
			t.Errorf("entry 4 is %+v, %v", e, err)
		}
		return nil
	})
}
