package dataset

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// newStore returns an empty store in dir.
func newStore(t testing.TB, dir string) *Store {
	t.Helper()
	signing, verifying := ledger.NewKey("test.example/site")
	owner, err := seal.NewIdentity("owner")
	check(t, err)
	identity, err := owner.Marshal("")
	check(t, err)
	ring, err := seal.NewRing("data").Wrap([]string{owner.Recipient()})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "identity"), identity, 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "signing"), []byte(signing), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "verifying"), []byte(verifying), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "ring"), ring, 0o600))
	return openStore(t, dir)
}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, db, err := openSite(dir)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	return s
}

// openSite opens what newStore has made.
func openSite(dir string) (*Store, *state.DB, error) {
	files := make(map[string][]byte)
	for _, name := range []string{"signing", "verifying", "ring", "identity"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		files[name] = b
	}
	db, err := state.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, nil, err
	}
	signer, err1 := note.NewSigner(string(files["signing"]))
	verifier, err2 := ledger.NewVerifier(string(files["verifying"]))
	blobs, err3 := blob.Open(filepath.Join(dir, "packs"))
	owner, err4 := seal.ParseIdentity(files["identity"], nil)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, db, err
	}
	log, err1 := ledger.Open(db, signer, verifier)
	ring, err2 := seal.OpenRing("data", files["ring"], owner)
	return &Store{log, blobs, ring}, db, errors.Join(err1, err2)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	return b
}

// file writes content to a new file of that name.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func add(t testing.TB, s *Store, name string, src Source) (*Version, AddReport) {
	t.Helper()
	v, r, err := s.Add(context.Background(), "sam", name, src, nil)
	check(t, err)
	return v, r
}

func addTable(t testing.TB, s *Store, name, subject, file, content string) (*Version, AddReport) {
	t.Helper()
	return add(t, s, name, Source{Path: write(t, file, content), Subject: subject})
}

// get returns the bytes of a version of a table.
func get(t testing.TB, s *Store, ref sallyport.Ref) []byte {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "out")
	check(t, s.Get(context.Background(), ref, dst, nil))
	return read(t, dst)
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Fatalf("%s: %d bytes, want %d; they part at %d", what, len(got), len(want), i)
	}
}

// fails checks that err is of the kind and says what and where, and that it
// says how to mend it.
func fails(t testing.TB, err error, kind sallyport.Kind, says string) {
	t.Helper()
	if !sallyport.Is(err, kind) {
		t.Fatalf("got %v error %v, want kind %v", sallyport.KindOf(err), err, kind)
	}
	if !regexp.MustCompile(says).MatchString(err.Error()) {
		t.Fatalf("error %q does not match %q", err, says)
	}
}

// unchanged checks that a store in dir has neither datasets nor packs.
func unchanged(t testing.TB, s *Store, dir string) {
	t.Helper()
	sets, err := s.List(context.Background())
	check(t, err)
	packs, err := os.ReadDir(filepath.Join(dir, "packs"))
	check(t, err)
	if len(sets) != 0 || len(packs) != 0 {
		t.Errorf("after an error there are %d datasets and %d packs", len(sets), len(packs))
	}
}
