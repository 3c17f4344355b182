package site

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/state"
)

// TestRenewal erases somebody and renews the keys, and looks for them in the
// site, in its files before and after, and in a backup from before beside the
// keys of today.
func TestRenewal(t *testing.T) {
	dir, me := newSite(t)
	s := open(t, dir, me)
	table := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(table, []byte("id,a\nMarigold,1\nRose,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Data().Add(t.Context(), "sam", "x", dataset.Source{Path: table, Subject: "id"}, nil); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := s.State.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	packs := files(t, filepath.Join(dir, "packs"))

	r, err := s.Renew()
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Data().Erase(t.Context(), "x", []string{"Marigold"}, r.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Commit(t.Context(), e.Record); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	hits, err := s.Data().Holds(t.Context(), "Rose")
	if err != nil || len(hits) != 1 {
		t.Errorf("who stayed is not found: %v, %v", hits, err)
	}
	for name, b := range files(t, filepath.Join(dir, "packs")) {
		if bytes.Equal(b, packs[name]) {
			t.Errorf("pack %s was not touched", name)
		}
	}

	// The backup beside the keys of today opens nothing at all.
	ring := s.data
	old, err := state.Open(filepath.Join(backup, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	n := 0
	if err := old.View(t.Context(), func(tx *state.Tx) error {
		return tx.EachSegment(func(seg state.Segment) error {
			n++
			if _, err := s.Blobs.Rewrap(seg, ring); !sallyport.Is(err, sallyport.NotFound) {
				t.Errorf("a segment of the backup opens: %v", err)
			}
			return nil
		})
	}); err != nil || n == 0 {
		t.Errorf("%d segments, %v", n, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "keys", "data-*")); len(left) != 1 {
		t.Errorf("rings: %v", left)
	}
	again := open(t, dir, me)
	if _, err := again.Renew(); !sallyport.Is(err, sallyport.Busy) {
		t.Errorf("renewed while others are at work: %v", err)
	}
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
