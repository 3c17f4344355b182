package ledger

import (
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

var everyByte = flag.Bool("everybyte", false, "change every byte of the files, not a sample (minutes)")

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
		for _, i := range sample(original, 30) {
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
