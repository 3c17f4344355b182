package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/sandbox"
)

func TestChoose(t *testing.T) {
	var all []int
	for i := range parts {
		all = append(all, i)
	}
	for names, want := range map[string][]int{"": all, "csv": {2}, "ledger,start": {0, len(parts) - 2}} {
		if got, err := choose(names); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
	for _, names := range []string{",", "csv,", "CSV", "csv tree"} {
		if got, err := choose(names); !sallyport.Is(err, sallyport.Usage) {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
}

func TestMakeRoom(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5}
	if _, err := makeRoom(t.TempDir(), scale{Table: 1 << 60}, all); !sallyport.Is(err, sallyport.NoSpace) {
		t.Errorf("no disk is so large: %v", err)
	}
	if _, err := makeRoom(filepath.Join(t.TempDir(), "absent"), quick, all); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("no folder: %v", err)
	}
	dir := t.TempDir()
	made, err := makeRoom(dir, scale{}, all)
	if err != nil || filepath.Dir(made) != must(filepath.EvalSymlinks(dir)) {
		t.Errorf("%q, %v", made, err)
	}
}

// TestSpend: a program's time and memory are its own, and its complaint is heard.
func TestSpend(t *testing.T) {
	c, err := spend(program(t.Context(), "sleep", "0.01"))
	if err != nil || c.seconds < 0.01 || c.memory < 1e5 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err = spend(program(t.Context(), "sh", "-c", "echo no luck >&2; exit 3")); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("a failure says %v", err)
	}
}

// TestLoad: what this process does is its own, and no share is out of range.
func TestLoad(t *testing.T) {
	before := loadNow()
	if _, err := spend(program(t.Context(), "sh", "-c", "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done")); err != nil {
		t.Fatal(err)
	}
	after := loadNow()
	if after.own <= before.own || after.all < before.all {
		t.Errorf("%+v, then %+v", before, after)
	}
	for _, c := range []struct {
		after load
		want  float64
	}{{load{10, 5, 5}, 0}, {load{10, 5, 1}, 0.4}, {load{10, 0, 0}, 1}, {load{10, 9, 2}, 0}, {load{}, 0}} {
		if got := c.after.others(load{}); got != c.want {
			t.Errorf("%+v: %v, want %v", c.after, got, c.want)
		}
	}
}

func TestInTurn(t *testing.T) {
	all := []string{"a", "b", "c"}
	if even, odd := inTurn(0, all), inTurn(1, all); !slices.Equal(even, all) || !slices.Equal(odd, []string{"c", "b", "a"}) || all[0] != "a" {
		t.Errorf("%v, %v", even, odd)
	}
}

// TestSame: whatever differs between two folders is noticed.
func TestSame(t *testing.T) {
	tree := func(files map[string]string) string {
		dir := t.TempDir()
		for name, content := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	long := strings.Repeat("x", 1<<20)
	want := tree(map[string]string{"a": "1", "b/c": long + "2", "e": long})
	for name, c := range map[string]struct {
		files map[string]string
		same  bool
	}{
		"the same":        {map[string]string{"a": "1", "b/c": long + "2", "e": long}, true},
		"one byte":        {map[string]string{"a": "1", "b/c": long + "3", "e": long}, false},
		"longer":          {map[string]string{"a": "1", "b/c": long + "2", "e": long + "x"}, false},
		"shorter":         {map[string]string{"a": "", "b/c": long + "2", "e": long}, false},
		"a file too many": {map[string]string{"a": "1", "b/c": long + "2", "e": long, "f": ""}, false},
		"one too few":     {map[string]string{"a": "1", "b/c": long + "2"}, false},
	} {
		got := tree(c.files)
		if err := same(want, got); (err == nil) != c.same {
			t.Errorf("%s: %v", name, err)
		}
		if err := warm(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := same(filepath.Join(want, "a"), filepath.Join(want, "a")); err != nil {
		t.Errorf("two files: %v", err)
	}
}

// TestSandboxes runs the parts that need no built command, a few times only.
func TestSandboxes(t *testing.T) {
	if err := sandbox.Preflight(); err != nil {
		t.Skipf("NOT PROVEN that sandboxes are measured: %v", err)
	}
	b := &bench{scale: scale{Starts: 3}, dir: t.TempDir(), log: t.Output()}
	if err := b.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.measureStart(t.Context()); err != nil {
		t.Fatal(err)
	}
	peer := 3
	if !b.has("bwrap") {
		t.Log("NOT PROVEN that bubblewrap is measured: it is missing")
		peer = 0
	}
	for _, m := range b.report.Measures {
		if len(m.ours) != 3 || len(m.theirs) != peer || slices.Min(m.ours) <= 0 {
			t.Errorf("%+v", m)
		}
	}
	if _, binds, err := interpreter(t.Context()); err != nil {
		t.Logf("NOT PROVEN that an interpreter is found: %v", err)
	} else if len(binds) == 0 {
		t.Error("the interpreter gets nothing to run with")
	}
}

// TestLedger measures appends on a real site; verifying takes the command.
func TestLedger(t *testing.T) {
	b := &bench{scale: scale{Appends: 5, Entries: 20}, dir: t.TempDir(), log: io.Discard}
	dir := filepath.Join(b.dir, "ledger")
	if err := b.fillLedger(context.Background(), dir, filepath.Join(dir, "bench.id")); err != nil {
		t.Fatal(err)
	}
	if m := b.report.Measures; len(m) != 1 || len(m[0].ours) != 5 {
		t.Errorf("%+v", m)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
