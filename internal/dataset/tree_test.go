package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

var byFolder = regexp.MustCompile(`^(p\d+)/`)

// node is what a tree has at a path.
type node struct {
	dir   bool
	mode  fs.FileMode
	mtime time.Time
	text  string
}

func scan(t testing.TB, root string) map[string]node {
	t.Helper()
	out := make(map[string]node)
	check(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		n := node{dir: e.IsDir(), mode: info.Mode().Perm(), mtime: info.ModTime()}
		if !n.dir {
			n.text = string(read(t, path))
		}
		rel, err := filepath.Rel(root, path)
		out[filepath.ToSlash(rel)] = n
		return err
	}))
	return out
}

func plant(t testing.TB, root, path, text string, mode fs.FileMode, mtime time.Time) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(path))
	check(t, os.MkdirAll(filepath.Dir(full), 0o755))
	os.Remove(full)
	check(t, os.WriteFile(full, []byte(text), 0o600))
	check(t, os.Chmod(full, mode))
	check(t, os.Chtimes(full, mtime, mtime))
}

// sameTree compares trees; times are compared only if they ought to be kept.
func sameTree(t testing.TB, got, want map[string]node, times bool) {
	t.Helper()
	for path, w := range want {
		g, ok := got[path]
		if !ok {
			t.Fatalf("%s is missing", path)
		}
		if g.dir != w.dir || g.mode != w.mode || g.text != w.text || times && !g.mtime.Equal(w.mtime) {
			t.Fatalf("%s is %v %v %v of %d bytes, want %v %v %v of %d bytes", path, g.dir, g.mode, g.mtime, len(g.text), w.dir, w.mode, w.mtime, len(w.text))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d files and folders, want %d", len(got), len(want))
	}
}

func getTree(t testing.TB, s *Store, v *Version) map[string]node {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "out")
	check(t, s.Get(context.Background(), v.Ref(), dst, nil))
	info, err := os.Stat(dst)
	check(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v", info.Mode())
	}
	return scan(t, dst)
}

func TestTreeComesBack(t *testing.T) {
	s := newStore(t, t.TempDir())
	root := t.TempDir()
	old := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	r := rand.New(rand.NewPCG(8, 8))
	large := make([]byte, 2*partSize+12345)
	for i := range large {
		large[i] = byte(r.Uint32())
	}
	plant(t, root, "p1/a.bin", "text", 0o640, old)
	plant(t, root, "p1/empty", "", 0o600, old)
	plant(t, root, "p1/large", string(large), 0o444, old)
	plant(t, root, "p1/exact", string(large[:partSize]), 0o600, old)
	plant(t, root, "p2/x/y/z", "deep", 0o755, old.Add(time.Hour))
	plant(t, root, "p2/x.y", "order", 0o600, old)
	plant(t, root, "p2/new\nline ü \xff", "odd name", 0o600, old)
	check(t, os.MkdirAll(filepath.Join(root, "p3/nothing/here"), 0o750))
	check(t, os.Chtimes(filepath.Join(root, "p3/nothing"), old, old))
	check(t, os.Chmod(filepath.Join(root, "p2"), 0o500))
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "p2"), 0o700) })
	v, rep := add(t, s, "tree", Source{Path: root, Pattern: byFolder})
	if v.Records != 7 || v.Subjects != 2 || v.Bytes != rep.NewBytes || rep.NewRecords != 7 {
		t.Errorf("version %+v, report %+v", v, rep)
	}
	want := scan(t, root)
	n := want["p2"]
	n.mode |= 0o700 // what is in a folder must be there for its owner
	want["p2"] = n
	sameTree(t, getTree(t, s, v), want, true)
	for id, n := range map[string]int64{"p1": 4, "p2": 3, "p3": 0} {
		hits, err := s.Holds(t.Context(), id)
		check(t, err)
		if len(hits) != 1 || hits[0].Records != n {
			t.Errorf("%s: %+v, want %d records", id, hits, n)
		}
	}
}

// A tree that changes at random, version after version: every version comes
// back, and only what is new is stored.
func TestTreeHistory(t *testing.T) {
	s := newStore(t, t.TempDir())
	root := t.TempDir()
	r := rand.New(rand.NewPCG(9, 9))
	var versions []*Version
	var want []map[string]node
	now := time.Now().Truncate(time.Second)
	for round := range 8 {
		for range 30 {
			path := fmt.Sprintf("p%d/%d/%d.bin", r.IntN(10), r.IntN(3), r.IntN(20))
			plant(t, root, path, strings.Repeat(fmt.Sprint(r.IntN(3)), r.IntN(2000)), 0o600, now)
		}
		for path, n := range scan(t, root) {
			if r.IntN(12) == 0 && !n.dir {
				check(t, os.Remove(filepath.Join(root, path)))
			}
		}
		if round == 5 {
			check(t, os.RemoveAll(filepath.Join(root, "p1")))
		}
		before := map[string]node{}
		if round > 0 {
			before = want[round-1]
		}
		want = append(want, scan(t, root))
		fresh, files := int64(0), int64(0)
		subjects := make(map[string]bool)
		for path, n := range want[round] {
			if n.dir {
				continue
			}
			files++
			subjects[byFolder.FindStringSubmatch(path)[1]] = true
			if b, ok := before[path]; !ok || b.text != n.text {
				fresh++
			}
		}
		v, rep := add(t, s, "tree", Source{Path: root, Pattern: byFolder})
		if v.Records != files || v.Subjects != int64(len(subjects)) || rep.NewRecords != fresh || rep.Appended != (round > 0) {
			t.Fatalf("round %d: %+v %+v, want %d files of %d subjects, %d new", round, v, rep, files, len(subjects), fresh)
		}
		versions = append(versions, v)
		same, rep := add(t, s, "tree", Source{Path: root})
		if !rep.Unchanged || same.Number != v.Number {
			t.Fatalf("round %d: added again it is %+v", round, rep)
		}
	}
	for i, v := range versions {
		sameTree(t, getTree(t, s, v), want[i], false)
	}
	hits, err := s.Holds(t.Context(), "p1")
	check(t, err)
	for i, v := range versions {
		n, found := int64(0), int64(0)
		for path, w := range want[i] {
			if strings.HasPrefix(path, "p1/") && !w.dir {
				n++
			}
		}
		for _, h := range hits {
			if h.Version.Number == v.Number {
				found = h.Records
			}
		}
		if n != found {
			t.Errorf("version %d: %d files of p1, want %d", v.Number, found, n)
		}
	}
	check(t, os.RemoveAll(root))
	plant(t, root, "p1/all new", "x", 0o600, now)
	v, rep := add(t, s, "tree", Source{Path: root, Pattern: byFolder})
	if rep.Appended && v.Parent == 0 || v.Records != 1 {
		t.Errorf("a tree with nothing in common: %+v %+v", v, rep)
	}
	sameTree(t, getTree(t, s, v), scan(t, root), false)
}

func TestTreeSample(t *testing.T) {
	s := newStore(t, t.TempDir())
	root := t.TempDir()
	for i := range 300 {
		plant(t, root, fmt.Sprintf("p%d/%d", i%100, i), fmt.Sprint(i), 0o600, time.Now())
	}
	check(t, os.Mkdir(filepath.Join(root, "nobody"), 0o755))
	v, _ := add(t, s, "tree", Source{Path: root, Pattern: byFolder})
	out, err := os.OpenRoot(t.TempDir())
	check(t, err)
	defer out.Close()
	whole, err := s.Extract(t.Context(), v, Selection{}, out, "whole")
	check(t, err)
	if whole.Digest != v.Root || whole.Records != 300 || whole.Subjects != 100 {
		t.Errorf("everything is %+v", whole)
	}
	x, err := s.Extract(t.Context(), v, Selection{Subjects: 10}, out, "ten")
	check(t, err)
	folders, files := 0, 0
	for path, n := range scan(t, filepath.Join(out.Name(), "ten")) {
		if n.dir && path != "nobody" {
			folders++
		} else if !n.dir {
			files++
		}
	}
	if folders != 10 || files != 30 || x.Records != 30 || x.Subjects != 10 || x.Digest == v.Root {
		t.Errorf("%d folders, %d files, %+v", folders, files, x)
	}
	_, err = s.WriteTo(t.Context(), v, Selection{}, new(strings.Builder))
	fails(t, err, sallyport.Usage, "is a tree")
}

func TestBadTrees(t *testing.T) {
	ok := func(root string) { plant(t, root, "p1/SECRET", "x", 0o600, time.Now()) }
	for name, c := range map[string]struct {
		build   func(root string)
		pattern string
		kind    sallyport.Kind
		says    string
	}{
		"empty":      {func(string) {}, `^(p\d+)/`, sallyport.Invalid, "there is no file in it"},
		"no pattern": {ok, "", sallyport.Usage, "does not say whose"},
		"no group":   {ok, "^p1/", sallyport.Usage, "no group"},
		"no subject": {func(root string) { ok(root); plant(t, root, "q/SECRET", "x", 0o600, time.Now()) }, `^(p\d+)/`, sallyport.Invalid,
			"file 2 in the order of names: the pattern finds no subject"},
		"link": {func(root string) { ok(root); check(t, os.Symlink("SECRET", filepath.Join(root, "p1/z"))) }, `^(p\d+)/`, sallyport.Invalid,
			"file 1 in the order of names: what comes next is a symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			root, dir := t.TempDir(), t.TempDir()
			c.build(root)
			s := newStore(t, dir)
			src := Source{Path: root}
			if c.pattern != "" {
				src.Pattern = regexp.MustCompile(c.pattern)
			}
			_, _, err := s.Add(t.Context(), "sam", "x", src, nil)
			fails(t, err, c.kind, c.says)
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("a path is in the message: %v", err)
			}
			unchanged(t, s, dir)
		})
	}
	root := t.TempDir()
	ok(root)
	s := newStore(t, t.TempDir())
	if os.Getuid() != 0 { // root reads everything
		check(t, os.Chmod(filepath.Join(root, "p1/SECRET"), 0))
		_, _, err := s.Add(t.Context(), "sam", "x", Source{Path: root, Pattern: byFolder}, nil)
		fails(t, err, sallyport.Invalid, `file 1 in the order of names, …/SECRET: it cannot be read`)
	}
}

// A file that changes between the walk and the end of its reading is noticed.
func TestTreeThatChanges(t *testing.T) {
	s := newStore(t, t.TempDir())
	root := t.TempDir()
	plant(t, root, "p1/a", strings.Repeat("x", partSize+1), 0o600, time.Now())
	plant(t, root, "p1/b", "x", 0o600, time.Now())
	a, err := s.begin(t.Context(), "sam", "x", Source{Path: root, Pattern: byFolder})
	check(t, err)
	defer a.w.Abort()
	for _, path := range []string{"p1/a", "p1/b"} {
		full := filepath.Join(root, path)
		info, err := os.Lstat(full)
		check(t, err)
		f := found{info: info, number: 1, sub: []byte("p1"), file: file{path: path, mode: 0o600, mtime: info.ModTime(), size: info.Size()}}
		p := &planting{adding: a, ctx: t.Context(), pattern: byFolder, listed: new(merged), mem: make([]byte, partSize)}
		look := func() error {
			if f.parts() > 0 {
				return p.large(&f, true)
			}
			return p.read(&f)
		}
		check(t, look())
		for _, change := range []func(){
			func() { check(t, os.WriteFile(full, append(read(t, full), 'y'), 0o600)) },
			func() { check(t, os.Chtimes(full, time.Now(), time.Unix(1, 0))) },
			func() { check(t, os.Rename(full, full+"2")); check(t, os.WriteFile(full, []byte("z"), 0o600)) },
		} {
			change()
			fails(t, look(), sallyport.Invalid, `file 1 in the order of names, …/.: it changed while it was read`)
			info, err = os.Lstat(full)
			check(t, err)
			f.info, f.size, f.mtime = info, info.Size(), info.ModTime()
			check(t, look())
		}
	}
}
