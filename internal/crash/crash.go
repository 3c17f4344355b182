// Package crash stops a real program at a chosen write, for tests that what a
// program leaves behind is whole whenever it ends.
//
// The program runs, unchanged, as a child of a tracer, which is the test
// binary started a second time. A seccomp filter (seccomp(2),
// SECCOMP_RET_TRACE) stops the program at every call that can change a file and
// at nothing else, so that it runs at nearly its own speed. The tracer counts
// the calls that touch a given directory, in whatever thread or process of the
// program they happen, and kills the whole tree at the one that was asked for.
// The kernel kills the tree if the tracer ends for any reason.
//
// What one test needs is Points, to learn how many there are, and then KillAt
// for each. Threads are scheduled anew in every run, so the points of two runs
// may differ a little in number and order.
//
// Not seen are stores through a shared memory mapping, io_uring, and ioctls
// that clone files. What a process does in a mount namespace of its own is not
// counted, because its paths mean something else there.
package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// ErrNoTrace means that this host does not let one process trace another. A
// test that gets it may skip, and says so.
var ErrNoTrace = errors.New("this host does not allow tracing")

// A Point is one call that was about to change something in the directory.
type Point struct {
	Call string // the system call: "write", "renameat"
	Path string // what it touches, relative to the directory; for two names the first of them that lies below it
}

func (p Point) String() string { return p.Call + " " + p.Path }

// When says on which side of a point the program dies.
type When bool

const (
	Before When = false // the call has no effect, and no later point is reached
	After  When = true  // the call has had its effect, and no later point is reached
)

func (w When) String() string {
	if w == After {
		return "after"
	}
	return "before"
}

// patience is how long a program may run. Then it is killed with its tree and
// the caller gets an error, so that a test of a program that hangs does not.
var patience = 5 * time.Minute

// Points runs cmd to its end and returns the points at which KillAt can stop
// it. The directory must exist. Processes that outlive the program are killed.
// Points uses cmd up, as Run does, and returns the same errors.
func Points(cmd *exec.Cmd, dir string) ([]Point, error) {
	seen, err := trace(cmd, order{Dir: dir})
	return seen.points, err
}

// KillAt runs cmd and kills it and all its children with SIGKILL at the n-th
// point, counted from 1. It returns when all of them are gone. If the program
// ends before it reaches that point, killed is false and err is what Run would
// have returned.
func KillAt(cmd *exec.Cmd, dir string, n int, when When) (at Point, killed bool, err error) {
	seen, err := trace(cmd, order{Dir: dir, Kill: n, When: when})
	if err != nil || !seen.killed {
		return Point{}, false, err
	}
	return seen.points[len(seen.points)-1], true, nil
}

// An order is what the tracer is told, as JSON in its first argument.
type order struct {
	Dir      string // absolute, without symbolic links
	Kill     int    // the point to kill at, 0 for none
	When     When
	Files    int // how many descriptors the program inherits; the report goes to the next
	Patience time.Duration
}

// An event is one line of the tracer's report, also JSON.
type event struct {
	Point   *Point `json:",omitempty"`
	Killed  bool   `json:",omitempty"`
	NoTrace string `json:",omitempty"` // why tracing did not begin
	Late    bool   `json:",omitempty"` // patience ran out
}

type seen struct {
	points []Point
	killed bool
}

// trace runs cmd below a tracer: cmd becomes the command that starts the
// tracer, which finds the program's own path and arguments in its own. All else
// that cmd says (environment, directory, files, credentials) holds for both.
func trace(cmd *exec.Cmd, o order) (seen, error) {
	if runtime.GOOS != "linux" {
		return seen{}, fmt.Errorf("crash: %w: it is not Linux", ErrNoTrace)
	}
	if cmd.Err != nil {
		return seen{}, cmd.Err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return seen{}, err
	}
	if o.Dir, err = filepath.EvalSymlinks(dir); err != nil {
		return seen{}, err
	}
	o.Files, o.Patience = 3+len(cmd.ExtraFiles), patience
	text, err := json.Marshal(o)
	if err != nil {
		return seen{}, err
	}
	report, end, err := os.Pipe()
	if err != nil {
		return seen{}, err
	}
	cmd.Args = append([]string{tracerName, string(text), cmd.Path}, cmd.Args...)
	cmd.Path = "/proc/self/exe" // also where the test binary's own folder is closed to cmd's user
	cmd.ExtraFiles = append(cmd.ExtraFiles, end)
	err = cmd.Start()
	end.Close()
	if err != nil {
		report.Close()
		return seen{}, err
	}
	got, err := read(report)
	report.Close() // a tracer that has more to say ends here
	if ended := cmd.Wait(); !got.killed {
		err = errors.Join(err, ended)
	}
	return got, err
}

// read collects the tracer's report, which ends when the tracer does.
func read(report io.Reader) (seen, error) {
	var s seen
	for lines := json.NewDecoder(report); ; {
		var e event
		if err := lines.Decode(&e); err == io.EOF {
			return s, nil
		} else if err != nil {
			return s, fmt.Errorf("crash: the tracer's report: %w", err)
		}
		switch {
		case e.Point != nil:
			s.points = append(s.points, *e.Point)
		case e.Killed:
			s.killed = true
		case e.NoTrace != "":
			return s, fmt.Errorf("crash: %w: %s", ErrNoTrace, e.NoTrace)
		case e.Late:
			return s, fmt.Errorf("crash: the program was killed because it ran longer than %v", patience)
		}
	}
}

// tracerName is the name by which the test binary, started again, knows that it
// is to be the tracer.
const tracerName = "sallyport-crash-tracer"
