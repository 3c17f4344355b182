package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// trySQL changes the database behind the ledger's back.
func (s *site) trySQL(script string, args ...any) error {
	db, err := sql.Open("sqlite", s.file()+"?_busy_timeout=10000")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(script, args...)
	return err
}

// secret stands in every document and must stand in no error.
const secret = "MrsSmith"

// story makes a site with replaced, deleted and live objects of two kinds.
func story(t testing.TB) *site {
	s := newSite(t)
	s.put(t, "run", "a", secret+" 1")
	s.put(t, "run", "b", secret+" 2")
	s.put(t, "data", "x", secret+" 3")
	s.put(t, "run", "a", secret+" 4")
	s.update(t, func(tx *Tx) error {
		_, err := tx.Delete("run.deleted", "run", "b", nil)
		return err
	})
	return s
}

// TestTampering changes rows as somebody would who knows the format and has
// everything but the key. Verify must notice, Get too where what it reads is
// not the newest that was signed, and nothing may be signed over it unnoticed.
func TestTampering(t *testing.T) {
	run := func(script string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			if err := s.trySQL(script); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		tamper func(*testing.T, *site)
		place  string // what the error of Verify names
		get    bool   // whether Get of run/a must notice
	}{
		{"document", run(`UPDATE object SET doc = CAST('"x"' AS BLOB) WHERE entry = 3`), "run/a", true},
		{"document, leaf and hashes", forge, "ledger", true},
		{"object without an entry", run(`INSERT INTO object VALUES (9, 'run', 'c', x'', x'')`), "run/c", false},
		{"object before all entries", run(`INSERT INTO object VALUES (-1, 'run', 'c', x'', x'')`), "run/c", false},
		{"object taken away", run(`DELETE FROM object WHERE entry = 3`), "run/a", false},
		{"all objects taken away", run(`DELETE FROM object`), "document", false},
		{"deleted object brought back", run(`INSERT INTO object VALUES (1, 'run', 'b', x'', x'')`), "run/b", false},
		{"object moved to another entry", run(`UPDATE object SET entry = 0 WHERE entry = 3`), "run/a", true},
		{"object under another name", run(`UPDATE object SET id = 'z' WHERE entry = 3`), "run/", false},
		{"objects exchanged", run(`UPDATE object SET id = 'tmp' WHERE entry = 3;
			UPDATE object SET kind = 'run', id = 'a' WHERE entry = 2;
			UPDATE object SET kind = 'data', id = 'x' WHERE entry = 3`), "", true},
		{"entry taken away", run(`DELETE FROM entry WHERE n = 1`), "entry 1", false},
		{"last entry taken away", run(`DELETE FROM entry WHERE n = 4`), "checkpoint", true},
		{"all entries taken away", run(`DELETE FROM entry`), "checkpoint", true},
		{"entries exchanged", run(`UPDATE entry SET n = 99 WHERE n = 0; UPDATE entry SET n = 0 WHERE n = 1;
			UPDATE entry SET n = 1 WHERE n = 99`), "entry 0", false},
		{"entry added", run(`INSERT INTO entry SELECT 5, hashes, leaf FROM entry WHERE n = 4`), "checkpoint", true},
		{"checkpoint taken away", run(`DELETE FROM checkpoint`), "rolled back", true},
		{"everything taken away", run(`DELETE FROM checkpoint; DELETE FROM entry; DELETE FROM object`), "rolled back", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := story(t)
			test.tamper(t, s)
			_, err := s.log.Verify(t.Context(), nil)
			wantKind(t, err, sallyport.Corrupt, test.place)
			if _, err := s.get("run", "a"); test.get {
				wantKind(t, err, sallyport.Corrupt)
			}
			s.log.Update(t.Context(), "mallory", func(tx *Tx) error {
				_, err := tx.Put("k.put", "k", "k", "v", nil)
				return err
			})
			if _, err := s.log.Verify(t.Context(), nil); !sallyport.Is(err, sallyport.Corrupt) {
				t.Errorf("writing on makes the ledger good again: %v", err)
			}
		})
	}
}

// forge gives run/a another document, and makes its leaf and the stored hashes
// agree with it.
func forge(t *testing.T, s *site) {
	doc, salt := []byte(`"forged"`), []byte("salt")
	var b builder
	var leaf, hashes []byte
	err := s.db.View(t.Context(), func(tx *state.Tx) error {
		return tx.Entries(0, 4, func(row state.Entry) error {
			leaf = row.Leaf
			if row.N == 3 {
				e, err := ParseEntry(leaf)
				if err != nil {
					return err
				}
				e.Digest = digest(salt, doc)
				if leaf, err = e.Leaf(); err != nil {
					return err
				}
			}
			hashes = b.add(leaf)
			return nil
		})
	})
	if err == nil {
		err = s.trySQL(`UPDATE object SET salt = ?, doc = ? WHERE entry = 3`, salt, doc)
	}
	if err == nil {
		err = s.trySQL(`UPDATE entry SET leaf = ?, hashes = ? WHERE n = 3`, leaf, hashes)
	}
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.log.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.log.Update(t.Context(), "mallory", func(tx *Tx) error {
		_, err := tx.Put("k.put", "k", "k", "v", nil)
		return err
	})
	wantKind(t, err, sallyport.Corrupt, "signed")
	if after, err := s.log.Size(t.Context()); after != before || err != nil {
		t.Errorf("a forged tree was signed: %d entries, %v", after, err)
	}
}

// TestAnIndexThatHidesAnObject changes the index alone: by its name the object
// is not found any more, and only a look at the structure of the file tells.
func TestAnIndexThatHidesAnObject(t *testing.T) {
	s := story(t)
	s.db.Close()
	db, err := sql.Open("sqlite", s.file())
	if err != nil {
		t.Fatal(err)
	}
	var root, size int
	err = db.QueryRow(`SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema
		WHERE name = 'sqlite_autoindex_object_1'`).Scan(&root, &size)
	db.Close()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.file())
	if err != nil {
		t.Fatal(err)
	}
	page := b[(root-1)*size : root*size]
	at := bytes.Index(page, []byte("datax"))
	if at < 0 {
		t.Fatal("the index does not hold the name of the object")
	}
	page[at+4] = 'z'
	if err := os.WriteFile(s.file(), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	_, err = s.get("data", "x")
	wantKind(t, err, sallyport.NotFound)
	_, err = s.log.Verify(t.Context(), nil)
	wantKind(t, err, sallyport.Corrupt, "structure")
}

// TestAnObjectUnderAnotherDivisionOfItsName moves the slash between kind and id,
// which leaves the name in the entry as it is.
func TestAnObjectUnderAnotherDivisionOfItsName(t *testing.T) {
	s := newSite(t)
	s.put(t, "data", "wards/seven", "1")
	if err := s.trySQL(`UPDATE object SET kind = 'data/wards', id = 'seven'`); err != nil {
		t.Fatal(err)
	}
	_, err := s.log.Verify(t.Context(), nil)
	wantKind(t, err, sallyport.Corrupt, "data/wards/seven")
}

// TestAnOlderDocumentPutBack replaces an object by what it was before, with the
// salt and the entry that it had: by itself that is genuine, and only Verify
// knows that there is a newer one.
func TestAnOlderDocumentPutBack(t *testing.T) {
	s := newSite(t)
	s.put(t, "principal", "mallory", "steward")
	var old state.Object
	err := s.db.View(t.Context(), func(tx *state.Tx) (err error) {
		old, err = tx.Object("principal", "mallory")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "principal", "mallory", "no role any more")
	err = s.trySQL(`UPDATE object SET entry = ?, salt = ?, doc = ?`, old.Entry, old.Salt, old.Doc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.log.Verify(t.Context(), nil)
	wantKind(t, err, sallyport.Corrupt, "principal/mallory", "entry 1")
}

// TestASignedLeafOfAnotherPlace gives a site a signed tree whose first leaf
// says that it is the eighth.
func TestASignedLeafOfAnotherPlace(t *testing.T) {
	s := newSite(t)
	var b builder
	hashes := b.add([]byte(golden))
	h, err := sign(tlog.Tree{N: 1, Hash: b.root()}, s.log.signer)
	if err != nil {
		t.Fatal(err)
	}
	err = s.db.Update(t.Context(), func(tx *state.Tx) error {
		return errors.Join(tx.PutEntry(state.Entry{N: 0, Leaf: []byte(golden), Hashes: hashes}), tx.SetCheckpoint(h.note))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.log.Verify(t.Context(), nil)
	wantKind(t, err, sallyport.Corrupt, "entry 0")
	wantKind(t, s.log.Entries(t.Context(), 0, 1, func(Entry) error { return nil }), sallyport.Corrupt, "entry 0")
}
