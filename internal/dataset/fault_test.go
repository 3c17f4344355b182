package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/crash"
	"github.com/sallyport/sallyport/internal/ledger"
)

// No changed byte of a pack goes unnoticed: what needs it then ends with an
// error that names the pack.
func TestChangedPacks(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	r := rand.New(rand.NewPCG(10, 10))
	header, records, _ := randomTable(r, 10, 3)
	v, _ := addTable(t, s, "d", "id", "a.csv", header+strings.Join(records, ""))
	packs, err := filepath.Glob(filepath.Join(dir, "packs", "*.pack"))
	check(t, err)
	if len(packs) != 1 {
		t.Fatalf("%d packs", len(packs))
	}
	name := strings.TrimSuffix(filepath.Base(packs[0]), ".pack")
	whole := read(t, packs[0])
	toGet, toIndex := 0, 0
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= byte(1 + r.IntN(255))
		check(t, os.WriteFile(packs[0], changed, 0o600))
		x, errGet := s.WriteTo(t.Context(), v, Selection{}, io.Discard)
		_, errHolds := s.Holds(t.Context(), "s1")
		err := errGet
		if err == nil {
			toIndex++
			err = errHolds
		} else {
			toGet++
		}
		if k := sallyport.KindOf(err); err == nil || k != sallyport.Corrupt && (k != sallyport.Newer || i != 15) || !strings.Contains(err.Error(), "pack "+name) {
			t.Fatalf("byte %d of %d: Get %v, Holds %v", i, len(whole), errGet, errHolds)
		}
		if errGet == nil && x.Digest != v.Root {
			t.Fatalf("byte %d: something else came out", i)
		}
	}
	check(t, os.WriteFile(packs[0], whole[:len(whole)/3], 0o600))
	dst := t.TempDir()
	fails(t, s.Get(t.Context(), v.Ref(), filepath.Join(dst, "out"), nil), sallyport.Corrupt, "pack "+name)
	if left, err := os.ReadDir(dst); err != nil || len(left) > 0 {
		t.Errorf("a Get that failed has left %v, %v", left, err)
	}
	if toGet == 0 || toIndex == 0 {
		t.Errorf("%d bytes matter to Get, %d to the index alone", toGet, toIndex)
	}
}

// Segments that have changed places in the state, rows and keys and all, do
// not pass for one another.
func TestSwappedSegments(t *testing.T) {
	s := newStore(t, t.TempDir())
	text := "id,v\n" + strings.Repeat("1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 60000) // more than a bucket
	v, _ := addTable(t, s, "d", "id", "a.csv", text+"2,b\n3,c\n4,d\n5,e\n6,f\n7,g\n8,h\n")
	swapped := 0
	for i := range v.count() {
		for j := range i {
			w := *v
			ids := make([]int64, v.count())
			for k := range ids {
				ids[k], _ = v.segment(k)
			}
			ids[i], ids[j] = ids[j], ids[i]
			w.Segments = spans(ids)
			swapped++
			check(t, s.Log.Update(t.Context(), "mallory", func(tx *ledger.Tx) error {
				_, err := tx.Put("version.added", "version", v.Ref().String(), w, nil)
				return err
			}))
			errGet := s.Get(t.Context(), v.Ref(), filepath.Join(t.TempDir(), "out"), nil)
			_, errHolds := s.Holds(t.Context(), "2")
			if !sallyport.Is(errGet, sallyport.Corrupt) && !sallyport.Is(errHolds, sallyport.Corrupt) {
				t.Fatalf("%d and %d: Get %v, Holds %v", i, j, errGet, errHolds)
			}
		}
	}
	if swapped < 3 {
		t.Fatalf("only %d pairs were swapped", swapped)
	}
}

// Nothing of a record, a column, a file name or a subject is on the disk in
// plaintext, in no file of the site, while an add is under way and after it.
func TestNoPlaintextAtRest(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	markers := []string{"Zebulon-4711", "vErYrArE disease", "secretcolumn", "secretfile", "tree-content-marker"}
	var b strings.Builder
	b.WriteString("id,secretcolumn\n")
	for i := range 20000 {
		fmt.Fprintf(&b, "Zebulon-4711-%d,vErYrArE disease %d\n", i%50, i)
	}
	table := write(t, "a.csv", b.String())
	root := t.TempDir()
	plant(t, root, "p1/secretfile", strings.Repeat("tree-content-marker", 100), 0o600, time.Now())
	look := func() {
		check(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			have := read(t, path)
			for _, m := range markers {
				if bytes.Contains(have, []byte(m)) {
					t.Errorf("%s holds %q", filepath.Base(path), m)
				}
			}
			return nil
		}))
	}
	_, _, err := s.Add(t.Context(), "sam", "d", Source{Path: table, Subject: "id"}, func(int64, int64) { look() })
	check(t, err)
	v, _ := add(t, s, "tree", Source{Path: root, Pattern: byFolder})
	_, err = s.Holds(t.Context(), "Zebulon-4711-3")
	check(t, err)
	_, err = s.Schema(t.Context(), v)
	check(t, err)
	look()
}

// whole checks that a site which may have been killed has its first version,
// and either none or all of the second, and that it can be used.
func whole(t *testing.T, dir string, before, after []byte, path string) (second bool) {
	t.Helper()
	s := openStore(t, dir)
	_, err := s.Log.Verify(t.Context(), nil)
	check(t, err)
	versions, err := s.Versions(t.Context(), "d")
	check(t, err)
	if len(versions) < 1 || len(versions) > 2 {
		t.Fatalf("%d versions", len(versions))
	}
	same(t, "version 1", get(t, s, sallyport.Ref{Name: "d", Version: 1}), before)
	var packs map[string]bool
	check(t, s.Log.View(t.Context(), func(tx *ledger.Tx) (err error) {
		packs, err = tx.State().Packs()
		return err
	}))
	_, _, err = s.Blobs.Sweep(packs)
	check(t, err)
	left, err := os.ReadDir(filepath.Join(dir, "packs"))
	check(t, err)
	if len(left) != len(packs) {
		t.Fatalf("after Sweep there are %d files for %d packs", len(left), len(packs))
	}
	_, r := add(t, s, "d", Source{Path: path, Subject: "id"})
	if r.Unchanged != (len(versions) == 2) {
		t.Fatalf("%d versions, and adding again is %+v", len(versions), r)
	}
	same(t, "version 2", get(t, s, sallyport.Ref{Name: "d", Version: 2}), after)
	return len(versions) == 2
}

// Killed at every point at which it writes, an add leaves a whole site.
func TestKilledAtEveryWrite(t *testing.T) {
	base, before, after, path := killable(t, 200)
	dir := clone(t, base)
	points, err := crash.Points(child("add", dir, "d", path, "id"), dir)
	if errors.Is(err, crash.ErrNoTrace) {
		t.Skipf("NOT TESTED: being killed at every write, because %v; TestKilledAtAnyTime is left", err)
	}
	check(t, err)
	if len(points) < 5 {
		t.Fatalf("an add writes at %d points only: %v", len(points), points)
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	committed := 0
	for n := 1; n <= len(points); n += step {
		dir := clone(t, base)
		_, killed, err := crash.KillAt(child("add", dir, "d", path, "id"), dir, n, crash.When(n%2 == 0))
		if !killed {
			check(t, err)
		}
		if whole(t, dir, before, after, path) {
			committed++
		}
	}
	t.Logf("%d points, %d of them after the commit", len(points), committed)
}

// Killed at any time, an add leaves a whole site.
func TestKilledAtAnyTime(t *testing.T) {
	base, before, after, path := killable(t, 100000)
	rounds := 10
	if testing.Short() {
		rounds = 4
	}
	start := time.Now()
	check(t, child("add", clone(t, base), "d", path, "id").Run())
	took := time.Since(start)
	for range rounds {
		dir := clone(t, base)
		cmd := child("add", dir, "d", path, "id")
		cmd.Stderr = nil
		check(t, cmd.Start())
		time.Sleep(time.Duration(rand.Int64N(int64(took))))
		cmd.Process.Kill()
		cmd.Wait()
		whole(t, dir, before, after, path)
	}
}

// killable returns a site with one version of a dataset, and a file that makes
// the next.
func killable(t *testing.T, records int) (dir string, before, after []byte, path string) {
	dir = t.TempDir()
	s := newStore(t, dir)
	before = []byte("id,v\n1,a\n")
	add(t, s, "d", Source{Path: write(t, "a.csv", string(before)), Subject: "id"})
	var b bytes.Buffer
	b.Write(before)
	for i := range records {
		fmt.Fprintf(&b, "%d,%x\n", i, i*i)
	}
	return dir, before, b.Bytes(), write(t, "b.csv", b.String())
}

// clone copies a site.
func clone(t *testing.T, dir string) string {
	to := t.TempDir()
	check(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}
