package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// fresh opens a new database that closes with the test.
func fresh(t testing.TB) *DB {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "state.db"))
}

func reopen(t testing.TB, path string) *DB {
	t.Helper()
	db, err := open(path, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func update(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, kind sallyport.Kind) {
	t.Helper()
	if !sallyport.Is(err, kind) {
		t.Fatalf("got %v (%v), want an error of kind %v", err, sallyport.KindOf(err), kind)
	}
}

// raw runs SQL on the file of db through a connection of its own.
func raw(t testing.TB, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
}

func TestOpenKeepsWhatWasWritten(t *testing.T) {
	// Names that mean something in a URI are plain names here.
	for _, name := range []string{"state.db", "a b", "q?mode=memory", "100%41", "ä#ü;", "'quote\""} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `?"`) {
			continue // no such file names there
		}
		path := filepath.Join(t.TempDir(), name)
		db := reopen(t, path)
		update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "v") })
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 || entries[0].Name() != name {
			t.Fatalf("%q: closing leaves %v", name, entries)
		}
		view(t, reopen(t, path), func(tx *Tx) error {
			if v, err := tx.Setting("k"); v != "v" {
				t.Fatalf("%q: setting is %q, %v", name, v, err)
			}
			return nil
		})
	}
}

func TestFilesAreThePrivateOnesOfTheirOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: this system has no permission bits")
	}
	db := fresh(t)
	update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "v") })
	files := filesOf(t, db)
	if len(files) != 3 {
		t.Fatalf("%d files, want the database and its two journals", len(files))
	}
	for name := range files {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestDurabilitySettings(t *testing.T) {
	db := fresh(t)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1",
		"application_id": fmt.Sprint(applicationID), "user_version": fmt.Sprint(version)}
	for _, run := range []func(context.Context, func(*Tx) error) error{db.Update, db.View} {
		err := run(t.Context(), func(tx *Tx) error {
			for name, value := range want {
				var got string
				if err := tx.row("PRAGMA " + name).Scan(&got); err != nil || got != value {
					t.Errorf("%s is %q, %v; want %q", name, got, err, value)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.db")
	reopen(t, own).Close()
	whole, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		bytes []byte
		sql   string
		kind  sallyport.Kind
	}{
		{"text", []byte(strings.Repeat("not a database\n", 1000)), "", sallyport.Corrupt},
		{"one byte", []byte("x"), "", sallyport.Corrupt},
		{"half", whole[:len(whole)/2], "", sallyport.Corrupt},
		{"half a page", whole[:2048], "", sallyport.Corrupt},
		{"somebody else's database", nil, "CREATE TABLE t (x)", sallyport.Corrupt},
		{"another application's id", whole, "PRAGMA application_id = 1", sallyport.Corrupt},
		{"newer", whole, fmt.Sprintf("PRAGMA user_version = %d", version+1), sallyport.Newer},
		{"no version", whole, "PRAGMA user_version = 0", sallyport.Corrupt},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			if test.bytes != nil {
				if err := os.WriteFile(path, test.bytes, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.sql != "" {
				raw(t, path, test.sql)
			}
			before, _ := os.ReadFile(path)
			db, err := open(path, time.Second)
			if err == nil { // a cut file may still open; reading it must tell
				defer db.Close()
				err = db.Check(t.Context())
			}
			wantKind(t, err, test.kind)
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the refused file was changed")
			}
		})
	}
	_, err = Open(filepath.Join(dir, "no", "such", "folder.db"))
	wantKind(t, err, sallyport.NotFound)
}

func TestAfterCloseEverythingFailsAtOnce(t *testing.T) {
	db := fresh(t)
	update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "v") })
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	nothing := func(*Tx) error { return nil }
	wantKind(t, db.Update(t.Context(), nothing), sallyport.Internal)
	wantKind(t, db.View(t.Context(), nothing), sallyport.Internal)
	wantKind(t, db.Purge(t.Context()), sallyport.Internal)
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			db, err := open(path, 30*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if err := db.Update(t.Context(), func(tx *Tx) error { return tx.SetSetting(fmt.Sprint(i), "v") }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	view(t, reopen(t, path), func(tx *Tx) error {
		for i := range 8 {
			if v, err := tx.Setting(fmt.Sprint(i)); v != "v" {
				t.Errorf("what opener %d wrote is %q, %v", i, v, err)
			}
		}
		return nil
	})
}

func TestEverySchemaIsPartOfTheProgram(t *testing.T) {
	files, err := fs.Glob(schema, "schema/*.sql")
	if err != nil || len(files) != version || files[version-1] != fmt.Sprintf("schema/%03d.sql", version) {
		t.Fatalf("schema files are %v, %v; want 1 to %d", files, err, version)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	db := fresh(t)
	mine := errors.New("mine")
	err := db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.SetSetting("k", "v"); err != nil {
			return err
		}
		return mine
	})
	if err != mine {
		t.Fatalf("got %v, want the function's own error", err)
	}
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not pass through")
			}
		}()
		db.Update(t.Context(), func(tx *Tx) error {
			if err := tx.SetSetting("k", "v"); err != nil {
				t.Error(err)
			}
			panic("boom")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err = db.Update(ctx, func(tx *Tx) error {
		err := tx.SetSetting("k", "v")
		cancel()
		return errors.Join(err, tx.SetSetting("l", "v"))
	})
	wantKind(t, err, sallyport.Interrupted)
	wantKind(t, db.Update(ctx, func(tx *Tx) error { return nil }), sallyport.Interrupted)
	view(t, db, func(tx *Tx) error {
		if v, err := tx.Setting("k"); v != "" || err != nil {
			t.Errorf("something of it was kept: %q, %v", v, err)
		}
		return nil
	})
	update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "after") })
}

func TestViewIsOneSnapshotAndCannotWrite(t *testing.T) {
	db := fresh(t)
	update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "old") })
	view(t, db, func(tx *Tx) error {
		if v, _ := tx.Setting("k"); v != "old" {
			t.Fatalf("setting is %q", v)
		}
		update(t, db, func(tx *Tx) error { return tx.SetSetting("k", "new") })
		if v, _ := tx.Setting("k"); v != "old" {
			t.Errorf("the snapshot changed to %q", v)
		}
		return nil
	})
	err := db.View(t.Context(), func(tx *Tx) error { return tx.SetSetting("k", "written") })
	wantKind(t, err, sallyport.Denied)
	view(t, db, func(tx *Tx) error {
		if v, _ := tx.Setting("k"); v != "new" {
			t.Errorf("setting is %q", v)
		}
		return nil
	})
}

func TestASecondWriterWaitsAndThenIsBusy(t *testing.T) {
	db := fresh(t)
	other, err := open(db.path, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	update(t, db, func(*Tx) error {
		err := other.Update(t.Context(), func(*Tx) error { return nil })
		wantKind(t, err, sallyport.Busy)
		return other.View(t.Context(), func(tx *Tx) error { // readers never wait
			_, err := tx.Setting("k")
			return err
		})
	})
	if err := other.Update(t.Context(), func(*Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAFullDatabaseIsNoSpaceAndStaysWhole(t *testing.T) {
	db := fresh(t)
	update(t, db, func(tx *Tx) error { return tx.PutObject(Object{Kind: "k", ID: "before", Doc: []byte("d")}) })
	limit := func(n int) {
		update(t, db, func(tx *Tx) error {
			var got int
			return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", n)).Scan(&got)
		})
	}
	limit(1) // SQLite takes the present size instead
	err := db.Update(t.Context(), func(tx *Tx) error {
		return tx.PutObject(Object{Kind: "k", ID: "big", Doc: make([]byte, 1<<20), Entry: 1})
	})
	wantKind(t, err, sallyport.NoSpace)
	if err := db.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit(1 << 20)
	update(t, db, func(tx *Tx) error {
		if _, err := tx.Object("k", "big"); !sallyport.Is(err, sallyport.NotFound) {
			t.Errorf("part of a failed update is there: %v", err)
		}
		_, err := tx.Object("k", "before")
		return err
	})
}

// filesOf reads all the files of a database.
func filesOf(t testing.TB, db *DB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(db.path + "*")
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return files
}

func TestPurgeLeavesNothingOfWhatWasDeleted(t *testing.T) {
	db := fresh(t)
	secrets := [][]byte{bytes.Repeat([]byte("the document"), 2000), []byte("its salt, 16 byt"),
		[]byte("the key of a segment"), []byte("the older document")}
	var ids []int64
	update(t, db, func(tx *Tx) error {
		segments := []Segment{{Pack: "p", Key: []byte("a key that stays")}, {Pack: "p", Key: secrets[2]}}
		err := tx.PutSegments(segments)
		ids = append(ids, segments[1].ID)
		return errors.Join(err,
			tx.PutObject(Object{Kind: "run", ID: "1", Doc: secrets[0], Salt: secrets[1], Entry: 1}),
			tx.PutObject(Object{Kind: "run", ID: "2", Doc: secrets[3], Entry: 2}))
	})
	there := func(secret []byte) bool {
		return slices.ContainsFunc(slices.Collect(mapValues(filesOf(t, db))), func(b []byte) bool {
			return bytes.Contains(b, secret[:min(16, len(secret))])
		})
	}
	for _, s := range secrets {
		if !there(s) {
			t.Fatalf("%q is not in the files even before", s[:12])
		}
	}
	update(t, db, func(tx *Tx) error {
		return errors.Join(tx.DeleteObject("run", "1"), tx.DeleteSegments(ids),
			tx.PutObject(Object{Kind: "run", ID: "2", Doc: []byte("new"), Entry: 3}))
	})
	view(t, db, func(tx *Tx) error { // a reader that is in the way
		if _, err := tx.Setting("k"); err != nil {
			return err
		}
		hasty, err := open(db.path, 10*time.Millisecond)
		if err != nil {
			return err
		}
		defer hasty.Close()
		if err := hasty.Update(t.Context(), func(tx *Tx) error { return tx.SetSetting("k", "v") }); err != nil {
			return err
		}
		wantKind(t, hasty.Purge(t.Context()), sallyport.Busy)
		return nil
	})
	if err := db.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if there(s) {
			t.Errorf("%q is still in the files", s[:12])
		}
	}
}

func mapValues(m map[string][]byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestFaultsHoldNoValues(t *testing.T) {
	db := fresh(t)
	const secret = "Mrs Smith"
	update(t, db, func(tx *Tx) error { return tx.SetSetting(secret, secret) })
	var n int
	var err error
	view(t, db, func(tx *Tx) error {
		_, err = tx.scan(`SELECT value FROM setting`, nil, &n) // text is no number
		return nil
	})
	wantKind(t, err, sallyport.Corrupt)
	update(t, db, func(tx *Tx) error {
		e := Entry{N: 1, Leaf: []byte(secret)}
		if again := errors.Join(tx.PutEntry(e), tx.PutEntry(e)); again == nil {
			t.Error("an entry was replaced")
		} else {
			err = errors.Join(err, again)
		}
		return nil
	})
	if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
		t.Errorf("the error quotes a value: %v", err)
	}
}
