package run

import (
	"archive/tar"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
)

func TestParseSample(t *testing.T) {
	for text, want := range map[string]Sample{
		"": {}, "1": {Subjects: 1}, "500": {Subjects: 500}, "10%": {Percent: 10}, "0.5%": {Percent: 0.5}, "100%": {Percent: 100},
	} {
		got, err := ParseSample(text)
		if err != nil || got != want {
			t.Errorf("ParseSample(%q) = %v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("Sample %v is written %q, was %q", got, got.String(), text)
		}
	}
	for _, text := range []string{"0", "-1", "0%", "101%", "NaN%", "10 %", "%", "many", "1.5", "1e3"} {
		if got, err := ParseSample(text); !sallyport.Is(err, sallyport.Usage) {
			t.Errorf("ParseSample(%q) = %v, %v", text, got, err)
		}
	}
}

// TestExtend wants measurements on a line to be continued on it, and noise that
// falls never to promise less than was seen.
func TestExtend(t *testing.T) {
	line := []point{{100, 3}, {200, 5}, {400, 9}}
	if got := extend(line, 1000); math.Abs(got-21) > 1e-9 {
		t.Errorf("extend = %v, want 21", got)
	}
	if got := extend([]point{{100, 9}, {200, 3}}, 1000); got != 9 {
		t.Errorf("falling measurements promise %v, want the largest", got)
	}
	if got := distinct([]point{{3, 1}, {1, 1}, {3, 2}}); len(got) != 2 || got[0] != 1 || got[1] != 3 {
		t.Errorf("distinct = %v", got)
	}
}

func TestCompareMetrics(t *testing.T) {
	a := map[string]float64{"same": 1, "moved": 1, "gone": 2}
	b := map[string]float64{"same": 1, "moved": 1.5, "new": 3}
	got := compareMetrics(a, b)
	want := []Difference{{Metric: "gone", Missing: "now", Before: 2}, {Metric: "moved", Before: 1, Now: 1.5}, {Metric: "new", Missing: "before", Now: 3}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

// TestVerdict wants every way in which a stage can end to be told in a sentence
// with what to do, and only exit status 0 to be a success.
func TestVerdict(t *testing.T) {
	st := project.Stage{Name: "train", Limits: project.Limits{Time: time.Second, Memory: 1 << 30}}
	for _, c := range []struct {
		r    sandbox.Result
		tail string
		kind sallyport.Kind
		want string
	}{
		{sandbox.Result{Ended: sandbox.OutOfTime}, "", sallyport.Limit, "limit of 1s"},
		{sandbox.Result{Ended: sandbox.OutOfMemory}, "", sallyport.Limit, "limit of 1.0 GiB"},
		{sandbox.Result{Ended: sandbox.OutOfProcesses, Exit: 1}, "", sallyport.Limit, "processes"},
		{sandbox.Result{Ended: sandbox.OutOfFileSize}, "", sallyport.Limit, "file larger"},
		{sandbox.Result{Ended: sandbox.Interrupted}, "", sallyport.Interrupted, "stopped"},
		{sandbox.Result{Ended: sandbox.NotStarted, Exit: 127}, "", sallyport.StageFailed, "cannot be started"},
		{sandbox.Result{Ended: sandbox.Signalled, Signal: "SIGSEGV", Exit: 139}, "", sallyport.StageFailed, "SIGSEGV"},
		{sandbox.Result{Ended: sandbox.Exited, Exit: 1}, "OSError: [Errno 30] Read-only file system: 'x'", sallyport.StageFailed, "writes:"},
		{sandbox.Result{Ended: sandbox.Exited, Exit: 1}, "OSError: [Errno 28] No space left on device", sallyport.StageFailed, "did not fit"},
		{sandbox.Result{Ended: sandbox.Exited, Exit: 1}, "MemoryError", sallyport.StageFailed, "memory"},
		{sandbox.Result{Ended: sandbox.Exited, Exit: 3}, "", sallyport.StageFailed, "exit status 3"},
	} {
		err := verdict(st, &c.r, c.tail)
		e, ok := err.(*sallyport.Error)
		if !ok || e.Kind != c.kind || !strings.Contains(e.Error()+e.Mend, c.want) {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
	if err := verdict(st, &sandbox.Result{Ended: sandbox.Exited}, "Read-only file system"); err != nil {
		t.Errorf("a stage that exited with 0 failed: %v", err)
	}
}

func TestReads(t *testing.T) {
	st := project.Stage{Reads: []string{"data/a.csv", "model/", "tree/part"}}
	for p, want := range map[string]bool{
		"data/a.csv": true, "data/b.csv": false, "model/x/y": true, "models/x": false, "tree/": true, "tree/other": false,
	} {
		if reads(st, p) != want {
			t.Errorf("reads(%q) = %v", p, !want)
		}
	}
}

// TestUntarStaysInside lays out archives that want to leave.
func TestUntarStaysInside(t *testing.T) {
	for name, h := range map[string]tar.Header{
		"parent":   {Name: "../out", Mode: 0o644, Size: 1},
		"absolute": {Name: "/out", Mode: 0o644, Size: 1},
		"over":     {Name: "there", Mode: 0o644, Size: 1},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "there"), []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("x"))
		w.Close()
		if err := untar(root, &b, everything); err == nil {
			t.Errorf("%s: was laid out", name)
		}
		root.Close()
		if _, err := os.Lstat(filepath.Join(filepath.Dir(dir), "out")); err == nil {
			t.Errorf("%s: left the folder", name)
		}
	}
}

// FuzzUntar reads anything as a code snapshot and wants nothing outside of its
// folder to change.
func FuzzUntar(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "a/b.py", Mode: 0o755, Size: 2})
	w.Write([]byte("ok"))
	w.WriteHeader(&tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../x"})
	w.WriteHeader(&tar.Header{Name: "l/y", Mode: 0o644})
	w.Close()
	f.Add(b.Bytes())
	f.Add([]byte("not a tar"))
	f.Fuzz(func(t *testing.T, text []byte) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		_ = untar(root, bytes.NewReader(text), everything)
		left, err := os.ReadDir(outer)
		if err != nil || len(left) != 1 {
			t.Fatalf("something lies outside: %v %v", left, err)
		}
	})
}
