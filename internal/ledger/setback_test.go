package ledger

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

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
