//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sallyport/sallyport"
)

// bound makes a folder of the host's that is shown at /bound.
func bound(t *testing.T) (dir string, b Bind) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("the host's"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} { // the program is another user when root runs this
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, Bind{dir, "/bound"}
}

func TestCallsFail(t *testing.T) { repelled(t, "calls", Config{}) }

func TestPrivileges(t *testing.T) { repelled(t, "privileges", Config{}) }

func TestCoreDumpsStayOff(t *testing.T) { repelled(t, "core", Config{}) }

func TestNoSandboxWithinASandbox(t *testing.T) { repelled(t, "nest", Config{}) }

func TestForeignCallKills(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("NOT TESTED: only amd64 has calls of another architecture that a 64-bit program can make")
	}
	r, out := attack(t, "foreign", Config{})
	if r.Signal != "SIGSYS" {
		t.Errorf("ended by %s, exit %d, want SIGSYS: %s", r.Signal, r.Exit, out)
	}
}

func TestInheritedDescriptors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// As it comes from a shell: exec 77<secret.
	for _, fd := range []int{77, 1500} {
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
	}
	repelled(t, "descriptors", Config{})
}

func TestWriteAndReadOutside(t *testing.T) {
	dir, b := bound(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	repelled(t, "write", Config{Binds: []Bind{b}, Args: []string{secret, dir}})
	got, err := os.ReadFile(filepath.Join(dir, "file"))
	if err != nil || string(got) != "the host's" {
		t.Errorf("the bound file is now %q, %v", got, err)
	}
}

// Root and the ordinary user alike: whoever starts the sandbox can write to the
// bound file outside.
func TestSubmountsAreReadOnlyToo(t *testing.T) {
	_, out := sh(t, Config{Binds: []Bind{{"/dev", "/host-dev"}}}, "touch /host-dev/shm/attack && echo written; cat /host-dev/null && echo opened; true")
	if strings.Contains(out, "written") || strings.Contains(out, "opened") {
		t.Error(out)
	}
}

func TestSignalsStayInside(t *testing.T) {
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = c.Process.Kill(), c.Wait() }()
	repelled(t, "signal", Config{Args: []string{strconv.Itoa(os.Getpid()), strconv.Itoa(c.Process.Pid), strconv.Itoa(os.Getppid())}})
	if err := c.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error("the host's process is gone:", err)
	}
}

// A program that ends the keeper has ended itself, and not with success: with a
// result that says so, or, if the keeper had not told yet that it confines it,
// with the error that nobody knows whether it did.
func TestEndingTheKeeper(t *testing.T) {
	c := Config{
		Args: []string{"/attack"}, Env: []string{"PATH=/usr/bin:/bin", attackVariable + "=keeper", noSleep},
		Binds: append(System(), self), Limits: Limits{Time: 20 * time.Second},
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	r, err := Run(t.Context(), c)
	if sallyport.Is(err, sallyport.Unconfined) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit == 0 || r.Ended == Exited {
		t.Errorf("%s, exit %d: %s", r.Ended, r.Exit, out.String())
	}
}

func TestUnixSocketsOfTheHost(t *testing.T) {
	dir, b := bound(t)
	path := filepath.Join(dir, "daemon.sock")
	abstract := fmt.Sprintf("@sallyport-test-%d", os.Getpid())
	var reached []chan struct{}
	for _, a := range []string{path, abstract} {
		l, err := net.Listen("unix", a)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		reached = append(reached, accepted(l))
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	r := repelled(t, "unix", Config{Binds: []Bind{b}, Args: []string{"/bound/daemon.sock", "../bound/daemon.sock", "/proc/self/root/bound/daemon.sock", abstract}})
	repelled(t, "race-unix", Config{Binds: []Bind{b}, Args: []string{"/bound/daemon.sock"}})
	for i, c := range reached {
		select {
		case <-c:
			t.Errorf("daemon %d was reached", i)
		default:
		}
	}
	if !slices.ContainsFunc(r.Attempts, func(a Attempt) bool {
		return a.Protocol == "unix" && a.Host == "/bound/daemon.sock" && !a.Allowed && a.Process != ""
	}) {
		t.Errorf("not recorded: %+v", r.Attempts)
	}
}

func accepted(l net.Listener) chan struct{} {
	c := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}()
	return c
}

func TestUnixSocketsInside(t *testing.T) {
	r, out := python(t, Config{}, `
import os, socket, threading, multiprocessing
os.chdir("/tmp")
def serve(s):
    c, _ = s.accept(); c.sendall(c.recv(10)); c.close()
for bind, to in ("/tmp/a", "/tmp/a"), ("/tmp/b", "b"), ("\0abstract", "\0abstract"):
    s = socket.socket(socket.AF_UNIX); s.bind(bind); s.listen()
    threading.Thread(target=serve, args=(s,)).start()
    c = socket.socket(socket.AF_UNIX); c.connect(to); c.sendall(b"hello")
    assert c.recv(10) == b"hello"
with multiprocessing.Pool(2) as p:
    assert p.map(abs, [-1, -2, -3]) == [1, 2, 3]
m = multiprocessing.Manager(); d = m.dict(); d["x"] = 1; assert d["x"] == 1; m.shutdown()
print("fine")`)
	if out != "fine\n" || r.Exit != 0 || len(r.Attempts) > 0 {
		t.Errorf("exit %d, attempts %v: %s", r.Exit, r.Attempts, out)
	}
}

func TestSetUserIDPrograms(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root can make a program that becomes root; the run as root tests it")
	}
	dir, b := bound(t)
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "setuid")
	if err := os.WriteFile(file, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o6755|os.ModeSetuid|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	r, out := inside(t, Config{Args: []string{"/bound/setuid"}, Binds: []Bind{b}, Env: []string{attackVariable + "=user"}})
	if r.Exit != 0 {
		t.Error(out)
	}
}

// What the program leaves behind ends with it, and before Run returns.
func TestDaemonsEnd(t *testing.T) {
	marker := fmt.Sprintf("daemon-%d-%d", os.Getpid(), time.Now().UnixNano())
	var out bytes.Buffer
	r, _ := attack(t, "daemon", Config{Args: []string{marker}, Stdout: &out})
	if r.Ended != Exited || r.Exit != 0 {
		t.Errorf("%s, exit %d", r.Ended, r.Exit)
	}
	if n := running(marker); n > 0 {
		t.Errorf("%d of its processes still run", n)
	}
}

// running counts the processes that have s among their arguments.
func running(s string) (n int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(s)) && !strings.HasPrefix(f, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			n++
		}
	}
	return n
}

// When the supervisor is killed, and so cannot clean up, all inside ends too.
func TestSupervisorKilled(t *testing.T) {
	marker := fmt.Sprintf("killed-%d-%d", os.Getpid(), time.Now().UnixNano())
	c := exec.Command("/proc/self/exe", marker, self.Source)
	c.Env = append(os.Environ(), attackVariable+"=supervise")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 7)
	if _, err := out.Read(line); err != nil || running(marker) < 2 {
		t.Fatalf("it did not start: %q, %v, %d", line, err, running(marker))
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	for range 1000 { // the kernel does it soon, but nobody waits for it
		if running(marker) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d processes still run", running(marker))
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	marker := fmt.Sprintf("interrupt-%d-%d", os.Getpid(), time.Now().UnixNano())
	seen := make(chan struct{}, 1)
	var out bytes.Buffer
	go func() { <-seen; cancel() }()
	collected := false
	r, err := Run(ctx, Config{Args: []string{"/attack", marker}, Env: []string{attackVariable + "=sleep"}, Binds: append(System(), self),
		Stdout:  &copyLines{&out, seen},
		Volumes: []Volume{{Target: "/out", Writable: true, Collect: func(*os.Root) error { collected = true; return nil }}}})
	if err != nil || r.Ended != Interrupted || r.Exit != 137 {
		t.Errorf("%+v, %v", r, err)
	}
	if collected || running(marker) > 0 {
		t.Errorf("collected: %v, running: %d", collected, running(marker))
	}
	// Before it began.
	if r, err := Run(ctx, Config{Args: []string{"true"}, Binds: System()}); err != nil || r.Ended != Interrupted {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNothingStays(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	once := func() {
		sh(t, Config{Volumes: []Volume{{Target: "/v", Fill: func(*os.Root) error { return nil }}}}, "true")
	}
	once()
	before, routines := count(), runtime.NumGoroutine()
	for range 5 {
		once()
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
	for range 100 { // a goroutine may take a moment to end
		if runtime.NumGoroutine() <= routines {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, then %d", routines, runtime.NumGoroutine())
}
