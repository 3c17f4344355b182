//go:build linux

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/crash"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// TestKill kills the real command before each of its writes, each time on a
// fresh copy of a site, and finds the site and its ledger whole: everything that
// was there is there, what the command was to add is there wholly or not at all,
// the next command mends what is left, and the same command then succeeds.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short; killing at every write was not tried")
	}
	k := newKiller(t)
	for _, c := range []struct {
		name string
		args []string
		site bool // whether the command works on a site that is there
		run  bool // whether it needs a sandbox
	}{
		{name: "init", args: []string{"init", "--name", "demo", "--as", "anna"}},
		{name: "id new", args: []string{"id", "new", "bob", "--role", "operator"}, site: true},
		{name: "data add", args: []string{"data", "add", "more", "more.csv", "--subject", "id"}, site: true},
		{name: "data append", args: []string{"data", "add", "people", "more.csv", "--subject", "id"}, site: true},
		{name: "data get", args: []string{"data", "get", "people", "-o", "out.csv"}, site: true},
		{name: "deps update", args: []string{"deps", "update", "--from", "next.bundle"}, site: true},
		{name: "run", args: []string{"run"}, site: true, run: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.run && sandbox.Preflight() != nil {
				t.Skip("SKIPPED: this host cannot confine a run; killing one was not tried")
			}
			t.Parallel()
			from := k.bare
			if c.site {
				from = k.made
			}
			k.every(t, c.args, from, func(dir string, killed bool) { k.whole(t, dir, c.args, c.site, killed) })
		})
	}
}

// A killer has a binary and folders to copy: one with a project, one where the
// project has a site too.
type killer struct {
	bin, bare, made string
}

const killProject = `project: small
data:
  data/people.csv: people
stages:
  train:
    run: wc -l < data/people.csv > model/lines && echo '<img onx=1>' > model/page.html && echo '{"a":1}' > metrics/m.json
    reads: [data/people.csv]
    writes: [model/]
    metrics: metrics/m.json
limits: {cpu: 1, memory: 128MiB, time: 60s}
`

func newKiller(t *testing.T) *killer {
	k := &killer{bin: filepath.Join(t.TempDir(), "sallyport"), bare: t.TempDir(), made: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", k.bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	people := "id,note\n"
	for i := range 50 {
		people += strings.Repeat("7", i%7+1) + ",Marigold\n"
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(k.bare, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("people.csv", people)
	write("more.csv", people+"8,Marigold\n")
	write("advisory.json", `{"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "oldlib"}, "versions": ["1.0"]}]}`)
	write("sallyport.yaml", killProject)
	write(".gitignore", "*.csv\nhome/\n*.bundle\n")
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "."},
		{"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"},
	} {
		c := exec.Command("git", args...)
		c.Dir = k.bare
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	copyTree(t, k.made, k.bare)
	k.must(t, k.made, "init", "--name", "demo", "--as", "anna")
	k.must(t, k.made, "data", "add", "people", "people.csv", "--subject", "id")
	k.must(t, k.made, "deps", "update", "--from", "advisory.json", "--as-of", "today")
	time.Sleep(time.Second) // a bundle is numbered by the second in which it was made
	k.must(t, k.made, "deps", "bundle", "--from", "advisory.json", "--as-of", "today", "-o", "next.bundle")
	return k
}

// command returns the command line, to run in dir, where its identities are too.
func (k *killer) command(dir string, args ...string) *exec.Cmd {
	c := exec.Command(k.bin, args...)
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "SALLYPORT_HOME=" + filepath.Join(dir, "home")}
	return c
}

func (k *killer) must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	c := k.command(dir, args...)
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("sallyport %v: %v\n%s%s", args, err, out, errs.Bytes())
	}
	return string(out)
}

// every kills the command at each of its points, each time on a fresh copy of
// from, and lets check look at what is left.
func (k *killer) every(t *testing.T, args []string, from string, check func(dir string, killed bool)) {
	t.Helper()
	k.kill(t, args, from, func(_, _ crash.Point) bool { return true }, check)
}

// turns kills the command where it turns to something else. Half of a transaction
// is none, wherever in it; and who is killed loses nothing that is not synced yet.
func (k *killer) turns(t *testing.T, args []string, from string, check func(dir string, killed bool)) {
	t.Helper()
	k.kill(t, args, from, func(before, at crash.Point) bool {
		return at != before && !slices.Contains([]string{"open", "fchown", "fsync"}, at.Call)
	}, check)
}

// kill kills the command at those of its points that are worth it, by the point
// before.
func (k *killer) kill(t *testing.T, args []string, from string, worth func(before, at crash.Point) bool, check func(dir string, killed bool)) {
	t.Helper()
	dir := filepath.Join(scratch(t), "p")
	copyTree(t, dir, from)
	points, err := crash.Points(k.command(dir, args...), dir)
	if errors.Is(err, crash.ErrNoTrace) {
		t.Skipf("SKIPPED: this host does not let a program be traced; killing it at every write was not tried: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if len(points) < 10 {
		t.Fatalf("only %d points: the harness sees too little", len(points))
	}
	tried := 0
	defer func() { t.Logf("killed at %d of %d points", tried, len(points)) }()
	for n := 1; n <= len(points); n++ {
		if n > 1 && !worth(points[n-2], points[n-1]) {
			continue
		}
		tried++
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		copyTree(t, dir, from)
		at, killed, err := crash.KillAt(k.command(dir, args...), dir, n, crash.Before)
		if err != nil {
			t.Fatal(err)
		}
		check(dir, killed)
		if t.Failed() {
			t.Fatalf("killed before point %d of %d: %s %s", n, len(points), at.Call, at.Path)
		}
	}
}

// scratch is a folder in memory where there is one: what a kill leaves does not
// depend on the disk, and thousands of syncs do.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "sallyport-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// whole looks at what a killed command has left.
func (k *killer) whole(t *testing.T, dir string, args []string, site, killed bool) {
	t.Helper()
	there := site
	if _, err := os.Stat(filepath.Join(dir, ".sallyport")); err == nil {
		there = true
	}
	if there {
		k.must(t, dir, "log", "verify")
	}
	if site {
		back := filepath.Join(dir, "back.csv")
		k.must(t, dir, "data", "get", "people@1", "-o", back)
		if !bytes.Equal(read(t, back), read(t, filepath.Join(dir, "people.csv"))) {
			t.Error("what was there before has changed")
		}
		k.must(t, dir, "deps", "watch") // by one bundle or the other, whole
	}
	if out := k.ask(dir, "runs"); strings.Contains(out, "running") {
		t.Errorf("a run is still said to be running:\n%s", out)
	}
	if !killed {
		return
	}
	k.again(t, dir, args, there)
	k.must(t, dir, "log", "verify")
	noLeftovers(t, dir)
}

// again runs the command once more: it succeeds, or it had succeeded before the
// kill and says that there is nothing to do any more.
func (k *killer) again(t *testing.T, dir string, args []string, there bool) {
	t.Helper()
	out, err := k.command(dir, args...).CombinedOutput()
	if err == nil {
		return
	}
	text := string(out)
	switch {
	case args[0] == "init" && there && strings.Contains(text, "already"):
	case args[0] == "id" && strings.Contains(text, "enrolled already"):
	case args[0] == "data" && args[1] == "get" && strings.Contains(text, "already"):
	case args[0] == "deps" && strings.Contains(text, "already"):
	default:
		t.Errorf("sallyport %v after the kill: %v\n%s", args, err, text)
	}
}

// ask returns what a command prints, also when there is no site yet.
func (k *killer) ask(dir string, args ...string) string {
	out, _ := k.command(dir, args...).CombinedOutput()
	return string(out)
}

// noLeftovers finds that nothing temporary is left in the site.
func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	for _, sub := range []string{"keys", "packs", "runs", "advisories"} {
		files, err := os.ReadDir(filepath.Join(dir, ".sallyport", sub))
		if err != nil && (sub != "advisories" || !errors.Is(err, fs.ErrNotExist)) {
			t.Fatal(err)
		}
		if sub == "advisories" && len(files) > 1 {
			t.Errorf("left over: %d databases of advisories", len(files))
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), ".") || strings.HasSuffix(f.Name(), ".tmp") {
				t.Errorf("left over: %s/%s", sub, f.Name())
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func copyTree(t *testing.T, to, from string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from+"/.", to+"/").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
