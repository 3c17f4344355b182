package site

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
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
	printed := output(t, s, "what a stage printed about Marigold", "what another did")
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
	if err := r.Commit(t.Context(), func(tx *ledger.Tx) error {
		return errors.Join(e.Record(tx), tx.State().DeleteSegments(printed[:1]))
	}); err != nil {
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
	rings := map[string]*seal.Ring{"data": s.data, "output": s.output}
	old, err := state.Open(filepath.Join(backup, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	// And no key of before, wrapped as it was, is left in any file of the site.
	now := files(t, dir)
	n := map[string]int{}
	if err := old.View(t.Context(), func(tx *state.Tx) error {
		return tx.EachSegment(func(seg state.Segment) error {
			n[seg.Ring]++
			if _, err := s.Blobs.Rewrap(seg, rings[seg.Ring]); !sallyport.Is(err, sallyport.NotFound) {
				t.Errorf("a segment of the backup opens: %v", err)
			}
			for name, b := range now {
				if bytes.Contains(b, seg.Key) {
					t.Errorf("%s still holds a wrapped key of before", name)
				}
			}
			return nil
		})
	}); err != nil || n["data"] == 0 || n["output"] != 2 {
		t.Errorf("%v segments, %v", n, err)
	}
	if err := s.State.View(t.Context(), func(tx *state.Tx) error {
		seg, err := tx.Segment(printed[1])
		if err == nil {
			_, err = s.Blobs.Read(seg, s.output, nil)
		}
		if _, gone := tx.Segment(printed[0]); !sallyport.Is(gone, sallyport.NotFound) {
			t.Errorf("what was deleted is there: %v", gone)
		}
		return err
	}); err != nil {
		t.Errorf("what stayed does not open: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "keys", "data-*")); len(left) != 1 {
		t.Errorf("rings: %v", left)
	}
	again := open(t, dir, me)
	if _, err := again.Renew(); !sallyport.Is(err, sallyport.Busy) {
		t.Errorf("renewed while others are at work: %v", err)
	}
}

// output seals texts under the output ring, one segment each.
func output(t *testing.T, s *Site, texts ...string) (ids []int64) {
	t.Helper()
	w := s.Blobs.NewWriter(s.output)
	for _, text := range texts {
		if _, err := w.Put([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := s.State.Update(t.Context(), func(tx *state.Tx) (err error) {
		ids, err = w.Record(tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return ids
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
