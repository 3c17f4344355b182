//go:build amd64 || arm64

package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	r, _ := python(t, Config{Limits: Limits{Time: 700 * time.Millisecond}}, "while True: pass")
	if r.Ended != OutOfTime || r.Exit != 137 || r.Usage.User == 0 || r.Usage.Wall < 700*time.Millisecond || r.Usage.Memory < 1<<20 {
		t.Errorf("%+v", r)
	}
}

// One process takes all, or each of many takes little.
func TestMemory(t *testing.T) {
	for name, program := range map[string]string{
		"one":  "x = []\nwhile True: x.append(b'x' * (8<<20))",
		"many": "import os, time\nfor i in range(6):\n  if os.fork() == 0:\n    x = b'x' * (96<<20); time.sleep(60)\ntime.sleep(60)",
	} {
		r, out := python(t, Config{Limits: Limits{Memory: 400 << 20, Time: 50 * time.Second}}, program)
		if r.Ended != OutOfMemory || r.Usage.Memory < 300<<20 || r.Walls.Memory == "none" {
			t.Errorf("%s: %s, exit %d, %+v, %+v\n%s", name, r.Ended, r.Exit, r.Usage, r.Walls, out)
		}
		t.Logf("%s: %d MiB, %s", name, r.Usage.Memory>>20, r.Walls.Memory)
	}
}

// Memory that is in files is memory too. Watching lets both be filled in the worst case.
func TestMemoryInFiles(t *testing.T) {
	r, out := sh(t, Config{Limits: Limits{Memory: 64 << 20}}, "head -c 200000000 /dev/zero >/tmp/big; head -c 200000000 /dev/zero >/dev/shm/big; exit 9")
	if r.Ended == Exited && r.Exit == 0 || r.Usage.Memory > 200<<20 {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestPeak(t *testing.T) {
	r, out := python(t, Config{}, "import time\nx = bytearray(200<<20)\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(.2)")
	if r.Exit != 0 || r.Usage.Memory < 200<<20 || r.Usage.Memory > 400<<20 || r.Walls.Memory != "none" {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestProcesses(t *testing.T) {
	r, out := attack(t, "processes", Config{Limits: Limits{Processes: 40}})
	got, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(out), "got "))
	if r.Ended != OutOfProcesses || err != nil || got < 10 || got > 40+keeperThreads {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestForkBomb(t *testing.T) {
	r, _ := sh(t, Config{Limits: Limits{Processes: 60, Time: 2 * time.Second}}, "b() { b | b & b; }; b 2>/dev/null")
	if r.Ended == Exited && r.Exit == 0 {
		t.Errorf("%+v", r)
	}
}

func TestFileSize(t *testing.T) {
	r, out := inside(t, Config{Args: []string{"dd", "if=/dev/zero", "of=/tmp/x", "bs=64k", "count=100"}, Limits: Limits{FileSize: 1 << 20}})
	if r.Ended != OutOfFileSize || r.Signal != "SIGXFSZ" {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestFullVolume(t *testing.T) {
	size := int64(0)
	r, out := sh(t, Config{Volumes: []Volume{{Target: "/out", Writable: true, Size: 1 << 20, Collect: func(root *os.Root) error {
		info, err := root.Stat("x")
		if err == nil {
			size = info.Size()
		}
		return err
	}}}}, "head -c 5000000 /dev/zero >/out/x")
	if r.Exit == 0 || !strings.Contains(out, "No space left") || size != 1<<20 {
		t.Errorf("%+v, %d bytes\n%s", r, size, out)
	}
}

func TestCPU(t *testing.T) {
	spin := "import time\nend = time.time() + 1.5\nwhile time.time() < end: pass"
	r, out := python(t, Config{Limits: Limits{CPU: 0.25}}, spin)
	switch used := r.Usage.User + r.Usage.System; {
	case r.Exit != 0:
		t.Error(out)
	case strings.HasPrefix(r.Walls.CPU, "cgroup"):
		if used > r.Usage.Wall*2/3 {
			t.Errorf("used %v in %v with a quarter of a core", used, r.Usage.Wall)
		}
	default:
		r, out := python(t, Config{Limits: Limits{CPU: 1}}, "import os\nprint(len(os.sched_getaffinity(0)))\nos.sched_setaffinity(0, range(os.cpu_count()))")
		if r.Walls.CPU == "none" {
			t.Skip("NOT TESTED: this machine has one core and no CPU group")
		}
		if !strings.Contains(out, "1\n") || !strings.Contains(out, "PermissionError") {
			t.Errorf("%+v\n%s", r, out)
		}
	}
}

func TestUsage(t *testing.T) {
	r, out := sh(t, Config{}, "head -c 3000000 /dev/zero >/tmp/x; cat /tmp/x >/dev/null")
	if u := r.Usage; r.Exit != 0 || u.Written < 3_000_000 || u.Read < 3_000_000 || u.Wall == 0 || u.Memory == 0 {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		args   []string
		ended  Reason
		exit   int
		signal string
	}{
		{[]string{"true"}, Exited, 0, ""},
		{[]string{"sh", "-c", "exit 7"}, Exited, 7, ""},
		{[]string{"sh", "-c", "echo x >/dev/stdout && echo x >/dev/stderr && ! read x </dev/stdin"}, Exited, 0, ""},
		{[]string{"sh", "-c", "[ \"$1\" = \"$(printf '\\377')\" ]", "sh", "\xff"}, Exited, 0, ""},
		{[]string{"sh", "-c", "kill -TERM $$"}, Signalled, 143, "SIGTERM"},
		{[]string{"no-such-program"}, NotStarted, 127, ""},
		{[]string{"/no/such/program"}, NotStarted, 127, ""},
		{[]string{"/etc/passwd"}, NotStarted, 126, ""},
	} {
		r, out := inside(t, Config{Args: c.args})
		if r.Ended != c.ended || r.Exit != c.exit || r.Signal != c.signal {
			t.Errorf("%v: %+v\n%s", c.args, r, out)
		}
	}
}

// The limits leave no group behind.
func TestGroupsAreRemoved(t *testing.T) {
	sh(t, Config{Limits: Limits{Memory: 1 << 30, CPU: 1, Processes: 100}}, "true")
	h := ownHierarchies()
	for _, dir := range append([]string{h.v2}, h.v1["memory"], h.v1["cpu"], h.v1["pids"]) {
		if left, _ := filepath.Glob(filepath.Join(dir, "sallyport-"+strconv.Itoa(os.Getpid())+"-*")); len(left) > 0 {
			t.Error(left)
		}
	}
}
