package ledger

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
)

// many appends entries to the site until it has n.
func (s *site) many(t testing.TB, n int) {
	t.Helper()
	size, err := s.log.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.update(t, func(tx *Tx) error {
		for i := int(size); i < n; i++ {
			if _, err := tx.Put("k.put", "k", fmt.Sprint(i), i, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestExportIsWhatOthersVerify exports logs of sizes around the edges of tiles.
// A checker that shares nothing with this package (testdata/check.py, which
// needs only Python) verifies all of it, and package tlog its tiles.
func TestExportIsWhatOthersVerify(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED, exports are not checked by another program: there is no python3")
	}
	s := newSite(t)
	for _, size := range []int{1, 255, 256, 257, 513} {
		s.many(t, size)
		dir := filepath.Join(t.TempDir(), "log")
		if err := s.log.Export(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		proof, leaf, err := s.log.Proof(t.Context(), int64(size/2))
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{"x.tlog-proof": proof, "x.leaf": leaf} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(python, "testdata/check.py", dir).CombinedOutput()
		if want := fmt.Sprintf("ok: %d entries of %s", size, origin); err != nil || strings.TrimSpace(string(out)) != want {
			t.Fatalf("%d entries: the checker says %q, %v; want %q", size, out, err, want)
		}
		readTiles(t, s, dir)

		// The checker is no rubber stamp.
		lines := filepath.Join(dir, "entries.jsonl")
		b, _ := os.ReadFile(lines)
		if err := os.WriteFile(lines, bytes.Replace(b, []byte("alice"), []byte("mallo"), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python, "testdata/check.py", dir).CombinedOutput(); err == nil {
			t.Fatalf("%d entries: the checker accepts a changed entry: %s", size, out)
		}
	}
}

// tileDir reads an exported folder for tlog.TileHashReader, which checks each
// tile against the root.
type tileDir string

func (d tileDir) Height() int                     { return tileHeight }
func (d tileDir) SaveTiles([]tlog.Tile, [][]byte) {}
func (d tileDir) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1) // c2sp.org/tlog-tiles has one height
		b, err := os.ReadFile(filepath.Join(string(d), filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

func readTiles(t *testing.T, s *site, dir string) {
	t.Helper()
	v, _ := NewVerifier(s.vkey)
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := openCheckpoint(msg, v)
	if err != nil {
		t.Fatal(err)
	}
	var indexes []int64
	for n := range h.tree.N {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	hashes, err := tlog.TileHashReader(h.tree, tileDir(dir)).ReadHashes(indexes)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "entries.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")) {
		if tlog.RecordHash(line) != hashes[n] {
			t.Fatalf("line %d of entries.jsonl is not leaf %d", n, n)
		}
	}
}

func TestTileNames(t *testing.T) {
	for n, want := range map[int64]string{0: "000", 7: "007", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067"} {
		if got := tileName(n); got != want {
			t.Errorf("tile %d is %s, want %s", n, got, want)
		}
	}
}

func TestExportLeavesNothingHalfDone(t *testing.T) {
	s := story(t)
	parent := t.TempDir()
	wantKind(t, s.log.Export(t.Context(), parent), sallyport.Usage)
	wantKind(t, s.log.Export(t.Context(), filepath.Join(parent, "no", "such")), sallyport.Internal)
	forge(t, s)
	wantKind(t, s.log.Export(t.Context(), filepath.Join(parent, "log")), sallyport.Corrupt, "signed")
	if err := s.trySQL(`UPDATE entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'alice', 'mallo') AS BLOB) WHERE n = 2`); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.log.Export(t.Context(), filepath.Join(parent, "log")), sallyport.Corrupt, "entry 2")
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("a failed export leaves %v", left)
	}
}
