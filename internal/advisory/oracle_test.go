package advisory

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport/internal/pep440"
)

// fullVariable names an archive of the whole PyPA database (tar, zip, of any
// compression), which the tests then use beside the records in testdata.
const fullVariable = "SALLYPORT_ADVISORIES"

// full is a file system that holds that archive.
func full(t testing.TB) fs.FS {
	t.Helper()
	path := os.Getenv(fullVariable)
	if path == "" {
		t.Skipf("SKIPPED, so nothing is proven here about the whole database: set %s to an archive of pypa/advisory-database", fullVariable)
	}
	b, err := os.ReadFile(path)
	check(t, err)
	return fstest.MapFS{filepath.Base(path): {Data: b}}
}

// database compiles and opens what fsys holds.
func database(t testing.TB, fsys fs.FS) (*DB, Stats) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "advisories")
	f, err := os.Create(path)
	check(t, err)
	stats, err := Compile(context.Background(), fsys, f)
	check(t, err)
	check(t, f.Close())
	db, err := Open(path)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	check(t, db.Verify())
	return db, stats
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t testing.TB, s string) pep440.Version {
	t.Helper()
	v, err := pep440.Parse(s)
	check(t, err)
	return v
}

var python = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	pins, err := filepath.Abs("testdata/requirements.txt")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(pins)
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "sallyport-test", fmt.Sprintf("advisory-%x", sha256.Sum256(text))[:25])
	bin := filepath.Join(home, "bin", "python")
	if _, err := os.Stat(filepath.Join(home, "whole")); err == nil {
		return bin, nil
	}
	if out, err := exec.Command("python3", "-m", "venv", "--clear", home).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	if out, err := exec.Command(bin, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-deps", "-r", pins).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, os.WriteFile(filepath.Join(home, "whole"), nil, 0o600)
})

// An opinion is what the oracle says about one version.
type opinion struct {
	Name    string
	Version string
	How     string
	Hits    map[string]struct {
		Verdict string
		Fixed   []string
	}
}

// opinions asks the oracle about versions of the records in a folder.
func opinions(t *testing.T, folder string, count int) []opinion {
	t.Helper()
	bin, err := python()
	if err != nil {
		t.Skipf("SKIPPED, so agreement with an independent evaluation is NOT proven here: %v", err)
	}
	cmd := exec.Command(bin, "testdata/oracle.py", folder, "5", fmt.Sprint(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	check(t, err)
	var all []opinion
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var o opinion
		check(t, json.Unmarshal(lines.Bytes(), &o))
		all = append(all, o)
	}
	return all
}

// TestOracle holds matching against an evaluation that shares nothing with it,
// over versions that the records in testdata name, in every spelling.
func TestOracle(t *testing.T) {
	db, _ := database(t, os.DirFS("testdata/pypa"))
	agree(t, db, opinions(t, "testdata/pypa", 150))
}

// TestOracleFull does so over a thousand random vulnerable versions of the whole
// database.
func TestOracleFull(t *testing.T) {
	db, _ := database(t, full(t))
	folder := t.TempDir()
	if out, err := exec.Command("tar", "-xf", os.Getenv(fullVariable), "-C", folder).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, so nothing is proven here about the whole database: tar: %s", out)
	}
	agree(t, db, opinions(t, folder, 1000))
}

func agree(t *testing.T, db *DB, all []opinion) {
	t.Helper()
	lost, extra, other, found := map[string]int{}, map[string]int{}, 0, map[string]int{}
	for _, o := range all {
		v := parse(t, o.Version)
		hits, err := db.Match(o.Name, v)
		check(t, err)
		by := map[string]Hit{}
		for _, h := range hits {
			if !slices.ContainsFunc(h.Sources, func(id string) bool { _, ok := o.Hits[id]; return ok }) {
				extra[o.How]++
				t.Errorf("%s %s (%s): %s is a hit, and the oracle has none", o.Name, o.Version, o.How, h.ID)
			}
			for _, id := range h.Sources {
				by[id] = h
			}
		}
		for id, want := range o.Hits {
			found[o.How]++
			h, ok := by[id]
			if !ok {
				lost[o.How]++
				t.Errorf("%s %s (%s): %s is lost", o.Name, o.Version, o.How, id)
				continue
			}
			if len(h.Sources) > 1 {
				continue // the oracle judges records one at a time
			}
			verdict := "yes"
			switch {
			case h.Unread != "":
				verdict = "unknown"
			case h.Assumed:
				verdict = "assumed"
			}
			same := slices.EqualFunc(h.Fixed, want.Fixed, func(a, b string) bool { return parse(t, a).Compare(parse(t, b)) == 0 })
			if verdict != want.Verdict || !same {
				other++
				t.Errorf("%s %s (%s): %s is %s, fixed in %q; want %s, fixed in %q", o.Name, o.Version, o.How, id, verdict, h.Fixed, want.Verdict, want.Fixed)
			}
		}
	}
	t.Logf("%d versions asked; hits by spelling %v; lost %v, extra %v, other verdicts %d", len(all), found, lost, extra, other)
	if len(all) == 0 || found["canonical"] == 0 {
		t.Error("the oracle was asked nothing")
	}
}
