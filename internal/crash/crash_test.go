//go:build linux

package crash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs are what the test binary runs as when its first argument says so.
var programs = map[string]func(dir string) error{
	"steps":   steps,
	"threads": threads,
	"family":  family,
	"confine": confine,
	"sleep":   func(string) error { time.Sleep(time.Hour); return nil },
	"fail":    func(string) error { os.Exit(7); return nil },
	"orphan":  orphan,
}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && programs[os.Args[1]] != nil {
		if err := programs[os.Args[1]](os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program returns the command of one of the programs, for a user.
func program(t *testing.T, name, dir string, as *syscall.Credential) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", name, dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + scratch(t, as)}
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	return cmd
}

// eachUser runs a test as the current user and, if that is root, as an
// ordinary one too.
func eachUser(t *testing.T, test func(t *testing.T, as *syscall.Credential)) {
	t.Run("self", func(t *testing.T) { t.Parallel(); test(t, nil) })
	t.Run("ordinary", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("SKIPPED: self is an ordinary user already")
		}
		t.Parallel()
		test(t, &syscall.Credential{Uid: 65534, Gid: 65534})
	})
}

// scratch returns an empty directory that the user can write to.
func scratch(t *testing.T, as *syscall.Credential) string {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func points(t *testing.T, cmd *exec.Cmd, dir string) []Point {
	t.Helper()
	got, err := Points(cmd, dir)
	mustTrace(t, err)
	return got
}

func mustTrace(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, ErrNoTrace) {
		t.Skipf("SKIPPED: nothing that kills at a write point is proven here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// step is one call of the program "steps" and the point that it is.
type step struct {
	call func() error
	want string // without the "at" and numbers by which old and new calls differ
}

// plan returns the steps in a directory. Each changes what snapshot sees.
func plan(dir string) []step {
	in := func(name string) string { return filepath.Join(dir, name) }
	var a *os.File
	return []step{
		{func() error { return os.Mkdir(in("sub"), 0o755) }, "mkdir sub"},
		{func() (err error) { a, err = os.Create(in("sub/a")); return }, "open sub/a"},
		{func() error { _, err := a.WriteString("one\n"); return err }, "write sub/a"},
		{func() error { _, err := a.WriteAt([]byte("two"), 8); return err }, "pwrite sub/a"},
		{func() error { return a.Truncate(9) }, "ftruncate sub/a"},
		{func() error { return a.Chmod(0o600) }, "fchmod sub/a"},
		{func() error { return syscall.Fallocate(int(a.Fd()), 0, 0, 100) }, "fallocate sub/a"},
		{func() error { return os.Link(in("sub/a"), in("b")) }, "link b"},
		{func() error { return os.Symlink("b", in("c")) }, "symlink c"},
		{func() error { return os.Rename(in("b"), in("sub/d")) }, "rename sub/d"},
		{func() error { return os.Truncate(in("sub/d"), 3) }, "truncate sub/d"},
		{func() error { return os.Chmod(in("sub"), 0o700) }, "fchmod sub"},
		{func() error { return os.Chtimes(in("sub"), time.Unix(1, 0), time.Unix(2, 0)) }, "utimens sub"},
		{func() error { return os.Remove(in("c")) }, "unlink c"},
		{func() error { return os.Rename(in("sub"), in("sub2")) }, "rename sub2"},
	}
}

// steps takes every step, and between them does what is no point.
func steps(dir string) error {
	elsewhere, err := os.MkdirTemp("", "crash-elsewhere")
	if err != nil {
		return err
	}
	defer os.RemoveAll(elsewhere)
	for _, s := range plan(dir) {
		if err := s.call(); err != nil {
			return err
		}
		if err := distract(dir, elsewhere); err != nil {
			return err
		}
	}
	return nil
}

// distract reads in the directory, and writes to pipes, devices and elsewhere.
func distract(dir, elsewhere string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	_, err = w.WriteString("x")
	null, err2 := os.OpenFile(os.DevNull, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	defer null.Close()
	_, err = null.WriteString("x")
	_, err2 = os.ReadDir(dir)
	return errors.Join(err, err2, os.WriteFile(filepath.Join(elsewhere, filepath.Base(dir)), nil, 0o600))
}

// snapshot describes everything in a directory that a step can change.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		fmt.Fprintf(&b, "%s %v %v", rel, info.Mode(), info.ModTime().Unix() == 2)
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", text)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// plain takes from a point what differs between architectures.
func plain(p Point) string {
	call := strings.TrimRight(p.Call, "0123456789")
	call = strings.TrimSuffix(strings.TrimSuffix(call, "at"), "at2")
	return call + " " + p.Path
}

// TestEachPoint proves that each step is seen once and in order, and that a
// kill before point n leaves what n-1 steps make and a kill after it what n do.
func TestEachPoint(t *testing.T) {
	eachUser(t, func(t *testing.T, as *syscall.Credential) {
		dir := scratch(t, as)
		got := points(t, program(t, "steps", dir, as), dir)
		model := scratch(t, as)
		states := []string{snapshot(t, model)}
		var want []string
		for _, s := range plan(model) {
			if err := s.call(); err != nil {
				t.Fatal(err)
			}
			states, want = append(states, snapshot(t, model)), append(want, s.want)
		}
		var calls []string
		for _, p := range got {
			calls = append(calls, plain(p))
		}
		if !slices.Equal(calls, want) {
			t.Fatalf("points:\n%q\nwant\n%q", calls, want)
		}
		for n := 1; n <= len(want); n++ {
			for _, when := range []When{Before, After} {
				dir := scratch(t, as)
				at, killed, err := KillAt(program(t, "steps", dir, as), dir, n, when)
				if err != nil || !killed || plain(at) != want[n-1] {
					t.Fatalf("%v point %d: at %v, killed %v, %v", when, n, at, killed, err)
				}
				state := states[n-1]
				if when == After {
					state = states[n]
				}
				if left := snapshot(t, dir); left != state {
					t.Errorf("%v point %d, %v:\n%swant\n%s", when, n, at, left, state)
				}
			}
		}
	})
}

const writers, lines = 8, 12

// threads writes lines to a file each, from threads of the operating system.
func threads(dir string) error {
	var group sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		group.Go(func() {
			runtime.LockOSThread()
			errs[i] = scribble(filepath.Join(dir, fmt.Sprint(i)))
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func scribble(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for range lines {
		if _, err := io.WriteString(f, "line\n"); err != nil {
			return err
		}
	}
	return nil
}

// family does the same in child processes.
func family(dir string) error {
	var all []*exec.Cmd
	for i := range writers {
		sub := filepath.Join(dir, fmt.Sprint(i))
		script := fmt.Sprintf(`exec > "$0"; i=0; while [ $i -lt %d ]; do echo line; i=$((i+1)); done`, lines)
		cmd := exec.Command("/bin/sh", "-c", script, sub)
		if i == 0 {
			sub := filepath.Join(dir, "sub")
			if err := os.Mkdir(sub, 0o755); err != nil {
				return err
			}
			cmd = exec.Command("/proc/self/exe", "threads", sub)
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		all = append(all, cmd)
	}
	var err error
	for _, cmd := range all {
		err = errors.Join(err, cmd.Wait())
	}
	return err
}

// effects counts what points have left: directories, files and lines.
func effects(t *testing.T, dir string) int {
	t.Helper()
	n := -1
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n++
		if d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(p)
		n += strings.Count(string(text), "line\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestManyThreads proves that not one point more happens than was asked for,
// whatever runs at the same time.
func TestManyThreads(t *testing.T) {
	for name, total := range map[string]int{
		"threads": writers * (1 + lines),
		"family":  1 + (2*writers-1)*(1+lines),
	} {
		t.Run(name, func(t *testing.T) {
			eachUser(t, func(t *testing.T, as *syscall.Credential) {
				dir := scratch(t, as)
				if got := len(points(t, program(t, name, dir, as), dir)); got != total || effects(t, dir) != total {
					t.Fatalf("%d points with %d effects, want %d", got, effects(t, dir), total)
				}
				for n := 1; n <= total; n += 17 {
					for _, when := range []When{Before, After} {
						dir := scratch(t, as)
						_, killed, err := KillAt(program(t, name, dir, as), dir, n, when)
						if err != nil || !killed {
							t.Fatalf("%v point %d: killed %v, %v", when, n, killed, err)
						}
						want := n - 1
						if when == After {
							want = n
						}
						if got := effects(t, dir); got != want {
							t.Errorf("%v point %d: %d effects, want %d", when, n, got, want)
						}
					}
				}
			})
		})
	}
}

func TestPointNotReached(t *testing.T) {
	dir := scratch(t, nil)
	_, killed, err := KillAt(program(t, "steps", dir, nil), dir, 1000, Before)
	mustTrace(t, err)
	if killed {
		t.Error("killed at a point that there is not")
	}
}

func TestProgramFails(t *testing.T) {
	dir := scratch(t, nil)
	_, err := Points(program(t, "fail", dir, nil), dir)
	if errors.Is(err, ErrNoTrace) {
		mustTrace(t, err)
	}
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("%v, want exit status 7", err)
	}
	_, err = Points(exec.Command("/nonexistent/program"), dir)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != notStarted || errors.Is(err, ErrNoTrace) {
		t.Errorf("no such program: %v, want exit status %d", err, notStarted)
	}
}

// orphan leaves a process behind that holds its standard output open.
func orphan(dir string) error {
	cmd := exec.Command("/proc/self/exe", "sleep", dir)
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "left"), nil, 0o600)
}

// TestNobodySurvives proves it by a pipe that every process holds open: reading
// it ends when the last of them is gone.
func TestNobodySurvives(t *testing.T) {
	eachUser(t, func(t *testing.T, as *syscall.Credential) {
		gone := func(name string, run func(cmd *exec.Cmd, dir string) error) {
			t.Helper()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			dir := scratch(t, as)
			cmd := program(t, name, dir, as)
			cmd.Stdout = w
			err = run(cmd, dir)
			w.Close()
			mustTrace(t, err)
			if _, err := io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		gone("orphan", func(cmd *exec.Cmd, dir string) error {
			_, err := Points(cmd, dir)
			return err
		})
		gone("orphan", func(cmd *exec.Cmd, dir string) error {
			_, killed, err := KillAt(cmd, dir, 1, Before)
			if err == nil && !killed {
				err = errors.New("not killed")
			}
			return err
		})
	})
}

// TestImpatience proves that a program which hangs is killed and reported.
func TestImpatience(t *testing.T) {
	defer func(p time.Duration) { patience = p }(patience)
	patience = 300 * time.Millisecond
	dir := scratch(t, nil)
	_, err := Points(program(t, "sleep", dir, nil), dir)
	if errors.Is(err, ErrNoTrace) {
		mustTrace(t, err)
	}
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v, want that it ran too long", err)
	}
}
