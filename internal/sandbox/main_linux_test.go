//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attackVariable holds the name of the attack that this executable is to try:
// inside a sandbox the tests run themselves.
const attackVariable = "SANDBOX_TEST_ATTACK"

// noSleep keeps the race detector from waiting a second at the end of each process.
const noSleep = "GORACE=atexit_sleep_ms=0"

// stranger is the ID under which root runs all tests a second time.
const stranger = 54321

func TestMain(m *testing.M) {
	if name := os.Getenv(attackVariable); name != "" {
		os.Exit(try(name))
	}
	flag.Parse()
	keeperEnv = append(keeperEnv, noSleep)
	if err := Preflight(); err != nil {
		fmt.Printf("NO SANDBOX TEST CAN RUN HERE: %v\n", err)
		os.Exit(1)
	}
	remove, err := copySelf()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	remove()
	if os.Getuid() == 0 && code == 0 && !fuzzing() {
		fmt.Printf("=== once more as user %d\n", stranger)
		code = again()
	}
	os.Exit(code)
}

func fuzzing() bool {
	for _, name := range []string{"test.fuzz", "test.bench", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return true
		}
	}
	f := flag.Lookup("test.fuzzworker")
	return f != nil && f.Value.String() == "true"
}

// again runs the tests as an ordinary user.
func again() int {
	var args []string
	for _, a := range os.Args[1:] {
		name := strings.TrimLeft(strings.SplitN(a, "=", 2)[0], "-")
		if name != "test.coverprofile" && name != "test.testlogfile" && name != "test.gocoverdir" {
			args = append(args, a)
		}
	}
	c := exec.Command("/proc/self/exe", args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Env = append(os.Environ(), "HOME=/nonexistent", "TMPDIR=/tmp")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	if err := c.Run(); err != nil {
		fmt.Println("as an ordinary user:", err)
		return 1
	}
	return 0
}

// self shows this executable inside.
var self = Bind{Target: "/attack"}

// copySelf makes a copy of this executable that anybody can run.
func copySelf() (remove func(), err error) {
	dir, err := os.MkdirTemp("", "sandbox-test-")
	if err != nil {
		return nil, err
	}
	self.Source = filepath.Join(dir, "attack")
	exe, err := os.ReadFile("/proc/self/exe")
	return func() { os.RemoveAll(dir) }, errors.Join(err, os.WriteFile(self.Source, exe, 0o755), os.Chmod(dir, 0o755))
}

// inside completes c with what every test wants and runs it.
func inside(t *testing.T, c Config) (*Result, string) {
	t.Helper()
	var out bytes.Buffer
	c.Binds = append(c.Binds, System()...)
	c.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"}, c.Env...)
	if c.Stdout == nil {
		c.Stdout, c.Stderr = &out, &out
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a test that hangs meets it
	defer cancel()
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r, out.String()
}

// repelled runs an attack and fails unless it was repelled.
func repelled(t *testing.T, name string, c Config) *Result {
	t.Helper()
	r, out := attack(t, name, c)
	if r.Ended != Exited || r.Exit != 0 {
		t.Errorf("%s was not repelled: %s, exit %d %s\n%s", name, r.Ended, r.Exit, r.Signal, out)
	}
	return r
}

func attack(t *testing.T, name string, c Config) (*Result, string) {
	t.Helper()
	if attacks[name] == nil {
		t.Fatalf("there is no attack called %s", name)
	}
	c.Args = append([]string{"/attack"}, c.Args...)
	c.Env = append(c.Env, attackVariable+"="+name, noSleep)
	c.Binds = append(c.Binds, self)
	return inside(t, c)
}

// python runs a program of Python's inside.
func python(t *testing.T, c Config, program string) (*Result, string) {
	t.Helper()
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Skip("NOT TESTED: this needs /usr/bin/python3")
	}
	c.Args = []string{"/usr/bin/python3", "-c", program}
	return inside(t, c)
}

// sh runs a shell script inside.
func sh(t *testing.T, c Config, script string) (*Result, string) {
	t.Helper()
	c.Args = []string{"sh", "-c", script}
	return inside(t, c)
}
