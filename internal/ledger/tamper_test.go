package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

var everyByte = flag.Bool("everybyte", false, "change every byte of the files, not a sample (minutes)")

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

// content is everything that the ledger tells of itself.
func content(t testing.TB, log *Log) (string, error) {
	var b strings.Builder
	each := func(tx *Tx, kind string) error {
		return tx.Each(kind, func(id string, raw []byte, e Entry) error {
			fmt.Fprintf(&b, "%s/%s %s %+v\n", kind, id, raw, e)
			return nil
		})
	}
	err := log.View(t.Context(), func(tx *Tx) error {
		for _, kind := range []string{"run", "data"} {
			if err := each(tx, kind); err != nil {
				return err
			}
		}
		for _, name := range []string{"run/a", "run/b", "data/x"} {
			kind, id, _ := strings.Cut(name, "/")
			var doc string
			if err := tx.Get(kind, id, &doc); err != nil && !sallyport.Is(err, sallyport.NotFound) {
				return err
			}
			fmt.Fprintf(&b, "%s=%s\n", name, doc)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	err = log.Entries(t.Context(), 0, 1<<40, func(e Entry) error {
		fmt.Fprintf(&b, "%+v\n", e)
		return nil
	})
	if err != nil {
		return "", err
	}
	msg, err := log.Checkpoint(t.Context())
	return b.String() + string(msg), err
}

// judge fails the test if the log differs from what it was and nobody notices.
func judge(t *testing.T, log *Log, want, what string) {
	t.Helper()
	_, err := log.Verify(t.Context(), nil)
	if err == nil {
		got, err := content(t, log)
		if err == nil && got != want {
			t.Errorf("%s: the content changed and nobody noticed", what)
		}
		if err != nil {
			t.Errorf("%s: Verify finds nothing and reading fails: %v", what, err)
		}
		return
	}
	if strings.Contains(fmt.Sprintf("%v", err), secret) {
		t.Errorf("%s: the error quotes a document: %v", what, err)
	}
	if sallyport.KindOf(err) == sallyport.Internal {
		t.Errorf("%s: %v has no kind", what, err)
	}
}

// TestEveryByteOfEveryColumn changes, one at a time, bytes of each row that the
// ledger vouches for.
func TestEveryByteOfEveryColumn(t *testing.T) {
	s := story(t)
	want, err := content(t, s.log)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", s.file()+"?_busy_timeout=10000&_synchronous=OFF")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	changed := 0
	for _, c := range []struct{ table, column, form string }{
		{"object", "doc", "x'%x'"}, {"object", "salt", "x'%x'"},
		{"object", "kind", "CAST(x'%x' AS TEXT)"}, {"object", "id", "CAST(x'%x' AS TEXT)"},
		{"entry", "leaf", "x'%x'"}, {"entry", "hashes", "x'%x'"}, {"checkpoint", "note", "x'%x'"},
	} {
		cells := map[int64][]byte{}
		rows, err := db.Query(fmt.Sprintf(`SELECT rowid, CAST(%s AS BLOB) FROM %s`, c.column, c.table))
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id int64
			var cell []byte
			if err := rows.Scan(&id, &cell); err != nil {
				t.Fatal(err)
			}
			cells[id] = cell
		}
		rows.Close()
		for id, cell := range cells {
			set := func(b []byte) error {
				_, err := db.Exec(fmt.Sprintf(`UPDATE %s SET %s = `+c.form+` WHERE rowid = %d`, c.table, c.column, b, id))
				return err
			}
			for _, i := range sample(cell, 60) {
				b := bytes.Clone(cell)
				b[i] ^= 1 << (i % 8)
				if err := set(b); err != nil {
					t.Fatal(err)
				}
				changed++
				if _, err := s.log.Verify(t.Context(), nil); !sallyport.Is(err, sallyport.Corrupt) {
					t.Errorf("%s.%s byte %d of row %d: got %v", c.table, c.column, i, id, err)
				} else if strings.Contains(err.Error(), secret) {
					t.Errorf("the error quotes a document: %v", err)
				}
			}
			for _, b := range [][]byte{nil, cell[:len(cell)-1], append(bytes.Clone(cell), 0)} {
				if err := set(b); err != nil {
					t.Fatal(err)
				}
				if _, err := s.log.Verify(t.Context(), nil); !sallyport.Is(err, sallyport.Corrupt) {
					t.Errorf("%s.%s of row %d with %d bytes: got %v", c.table, c.column, id, len(b), err)
				}
			}
			if err := set(cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := content(t, s.log); got != want || err != nil {
		t.Fatalf("the test did not put everything back: %v", err)
	}
	t.Logf("%d bytes changed, each noticed", changed)
}

// TestEveryByteOfTheFiles changes bytes of the database, of its write-ahead log
// and of the remembered checkpoint, and opens what is left.
func TestEveryByteOfTheFiles(t *testing.T) {
	s := story(t)
	want, err := content(t, s.log)
	if err != nil {
		t.Fatal(err)
	}
	// The copy with a write-ahead log is one of a site that was killed.
	killed := copySite(t, s)
	s.db.Close()
	closed := copySite(t, s)
	for name, from := range map[string]*site{"database": closed, "checkpoint": closed, "write-ahead log": killed} {
		path := map[string]string{"database": s.file(), "checkpoint": s.memory(), "write-ahead log": s.file() + "-wal"}[name]
		original, err := os.ReadFile(filepath.Join(from.dir, filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, i := range sample(original, 100) {
			victim := copySite(t, from)
			b := bytes.Clone(original)
			b[i] ^= 1 << (i % 8)
			if err := os.WriteFile(filepath.Join(victim.dir, filepath.Base(path)), b, 0o600); err != nil {
				t.Fatal(err)
			}
			tried++
			db, log, err := victim.tryOpen()
			if err == nil {
				judge(t, log, want, fmt.Sprintf("byte %d of the %s", i, name))
				db.Close()
			} else if sallyport.KindOf(err) == sallyport.Internal || strings.Contains(err.Error(), secret) {
				t.Errorf("byte %d of the %s: %v", i, name, err)
			}
			os.RemoveAll(victim.dir)
		}
		t.Logf("%d bytes of the %s changed", tried, name)
	}
}

// sample picks about many of the positions that hold something and a few of
// those that are empty, or all of them if asked for.
func sample(b []byte, many int) (at []int) {
	full, empty := 0, 0
	holding := len(b) - bytes.Count(b, []byte{0})
	for i, c := range b {
		n, every := &full, max(1, holding/many)
		if c == 0 {
			n, every = &empty, 8*every
		}
		if *n%every == 0 || *everyByte {
			at = append(at, i)
		}
		*n++
	}
	return at
}

// copySite copies the files of a site as they are on the disk right now.
func copySite(t testing.TB, s *site) *site {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := &site{dir: dir, skey: s.skey, vkey: s.vkey}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() || strings.HasSuffix(f.Name(), "-shm") { // which SQLite makes anew
			continue
		}
		from, err := os.Open(filepath.Join(s.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(from)
		from.Close()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f.Name()), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
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

func TestASetBackDatabaseIsNoticed(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	s.put(t, "k", "b", "1")
	s.db.Close()
	backup := copySite(t, s)
	s.open(t)
	s.put(t, "k", "c", "1")
	s.db.Close()
	restore(t, s, backup)
	_, _, err := s.tryOpen()
	wantKind(t, err, sallyport.Corrupt, "rolled back", "3 entries and has 2")

	// A site that went its own way from the backup on: as many entries, others.
	memory, err := os.ReadFile(s.memory())
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(s.memory())
	s.open(t)
	s.put(t, "k", "d", "1")
	if err := os.WriteFile(s.memory(), memory, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.log.Verify(t.Context(), nil)
	wantKind(t, err, sallyport.Corrupt, "rolled back")
	s.db.Close()
	_, _, err = s.tryOpen()
	wantKind(t, err, sallyport.Corrupt, "rolled back")
}

// TestASetBackDatabaseIsNoticedByWhoHasItOpen sets the rows back to an earlier
// state that was signed as well.
func TestASetBackDatabaseIsNoticedByWhoHasItOpen(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	early, err := s.log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "k", "b", "1")
	if err := s.trySQL(`DELETE FROM entry WHERE n = 1; DELETE FROM object WHERE entry = 1; UPDATE checkpoint SET note = ?`, early); err != nil {
		t.Fatal(err)
	}
	_, err = s.get("k", "a")
	wantKind(t, err, sallyport.Corrupt, "rolled back")
	err = s.log.Update(t.Context(), "alice", func(tx *Tx) error {
		_, err := tx.Put("k.put", "k", "c", "1", nil)
		return err
	})
	wantKind(t, err, sallyport.Corrupt, "rolled back")
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

// restore puts the database of a backup in the place of that of s.
func restore(t *testing.T, s, backup *site) {
	t.Helper()
	b, err := os.ReadFile(backup.file())
	if err == nil {
		err = os.WriteFile(s.file(), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheRememberedCheckpointMayBeBehindOrEmptyButNotChanged(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	behind, err := os.ReadFile(s.memory())
	if err != nil || len(behind)%sector != 0 {
		t.Fatalf("%d bytes remembered, %v", len(behind), err)
	}
	s.put(t, "k", "b", "1")
	s.db.Close()
	_, stranger := NewKey(origin)
	for _, test := range []struct {
		name  string
		bytes []byte
		kind  sallyport.Kind
		good  bool
	}{
		{"behind", behind, 0, true},
		{"empty", nil, 0, true},
		{"zeroes", make([]byte, sector), 0, true},
		{"changed", bytes.Replace(behind, []byte("\n1\n"), []byte("\n9\n"), 1), sallyport.Corrupt, false},
		{"cut", behind[:40], sallyport.Corrupt, false},
		{"something else", []byte(stranger), sallyport.Corrupt, false},
	} {
		if err := os.WriteFile(s.memory(), test.bytes, 0o644); err != nil {
			t.Fatal(err)
		}
		db, _, err := s.tryOpen()
		if err == nil {
			db.Close()
		}
		if (err == nil) != test.good || err != nil && !sallyport.Is(err, test.kind) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	os.Remove(s.memory())
	if err := os.Mkdir(s.memory(), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.tryOpen()
	wantKind(t, err, sallyport.Unknown)
}
