package crash

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A test binary that was started as tracer or as shim never gets further than
// here. Both must stay on one thread (ptrace(2): requests come from the thread
// that attached; seccomp(2): a filter holds for its thread), and the main
// goroutine is on the main thread for as long as packages initialise.
func init() {
	switch os.Args[0] {
	case tracerName:
		os.Exit(tracerMain(os.Args[1], os.Args[2], os.Args[3:]))
	case shimName:
		shimMain(os.Args[1], os.Args[2], os.Args[3:])
	}
}

// shimName is the name by which the test binary, started again, knows that it
// is to become the program.
const shimName = "sallyport-crash-shim"

// Exit codes of the tracer that are not the program's own.
const (
	broken     = 125 // nothing could be traced, or nobody reads the report
	notStarted = 127 // there is no such program, as a shell would say it
)

// options of ptrace: follow whatever the program starts, stop where the filter
// says so, and kill all of it when the tracer is gone.
const options = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

type tracer struct {
	order
	report *os.File
	space  string // the mount namespace whose paths count

	program int          // the process whose end is the end
	threads map[int]bool // traced, stopped at least once and not yet reaped: safe to signal by number
	begun   bool         // the shim has become the program
	count   int          // points so far
	inside  map[int]bool // threads in the call of a point, which is not over yet
	last    int          // the thread at the point to kill at, once it is reached
	let     bool         // the last thread was let into its call
	dying   bool         // all have been told to die
	exit    int          // the program's exit code, as a shell would give it
}

// tracerMain runs the program and returns its exit code.
func tracerMain(text, path string, args []string) int {
	t := tracer{threads: map[int]bool{}, inside: map[int]bool{}, exit: broken}
	if err := json.Unmarshal([]byte(text), &t.order); err != nil {
		fmt.Fprintln(os.Stderr, "crash: the tracer's order:", err)
		return broken
	}
	t.report = os.NewFile(uintptr(t.Files), "report")
	time.AfterFunc(t.Patience, func() {
		t.say(event{Late: true})
		os.Exit(broken)
	})
	if err := t.start(path, args); err != nil {
		t.say(event{NoTrace: err.Error()})
		return broken
	}
	t.follow()
	if !t.begun && t.exit == broken {
		t.say(event{NoTrace: "no seccomp filter can be set; standard error says why"})
	}
	return t.exit
}

// say writes one line of the report. It is called by the watchdog too, and one
// write of a line this short is one whole line.
func (t *tracer) say(e event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = t.report.Write(append(line, '\n'))
	}
	if err != nil {
		os.Exit(broken) // nobody listens any more
	}
}

// start starts the shim, takes hold of it, and opens the gate at which it
// waits, so that no call of the program's escapes.
func (t *tracer) start(path string, args []string) error {
	var err error
	if t.space, err = os.Readlink("/proc/self/ns/mnt"); err != nil {
		return err
	}
	gate, open, err := os.Pipe()
	if err != nil {
		return err
	}
	defer open.Close()
	files := make([]uintptr, t.Files, t.Files+1)
	for i := range files {
		files[i] = uintptr(i)
	}
	argv := append([]string{shimName, strconv.Itoa(t.Files), path}, args...)
	t.program, err = syscall.ForkExec("/proc/self/exe", argv,
		&syscall.ProcAttr{Env: os.Environ(), Files: append(files, gate.Fd())})
	gate.Close()
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(t.program), 0, options, 0, 0); errno != 0 {
		unix.Kill(t.program, unix.SIGKILL)
		return fmt.Errorf("ptrace: %w", errno)
	}
	t.threads[t.program] = true
	return nil
}

// follow serves the tree until the last of it is gone.
func (t *tracer) follow() {
	for {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return // ECHILD: nobody is left
		case status.Stopped():
			t.stopped(tid, status)
		default:
			t.ended(tid, status)
		}
	}
}

func (t *tracer) ended(tid int, status unix.WaitStatus) {
	delete(t.threads, tid)
	if tid == t.program {
		t.exit = status.ExitStatus()
		if status.Signaled() {
			t.exit = 128 + int(status.Signal())
		}
		t.killAll() // what outlives the program
	}
	t.done(tid) // dead in its call, of which no stop will say that it is over
}

// stopped answers one stop of a thread (ptrace(2), "Stopped states").
func (t *tracer) stopped(tid int, status unix.WaitStatus) {
	t.threads[tid] = true
	signal := status.StopSignal()
	switch cause := int(status) >> 16; {
	case t.dying:
		t.kill(tid)
	case cause == unix.PTRACE_EVENT_SECCOMP:
		t.call(tid)
	case cause == unix.PTRACE_EVENT_EXEC:
		// A thread that is not the first takes the first one's number over, and
		// its own is free for any new process.
		if former, err := unix.PtraceGetEventMsg(tid); err == nil && int(former) != tid {
			delete(t.threads, int(former))
		}
		t.begun = true
		unix.PtraceCont(tid, 0)
	case cause == unix.PTRACE_EVENT_STOP && signal != unix.SIGTRAP:
		unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_LISTEN, uintptr(tid), 0, 0, 0, 0) // stays stopped, as it was told
	case cause != 0:
		unix.PtraceCont(tid, 0)
	case signal == unix.SIGTRAP|0x80:
		unix.PtraceCont(tid, 0) // only threads that are inside were asked to stop at the end of their call
		t.done(tid)
	default:
		unix.PtraceCont(tid, int(signal))
	}
}

// call answers the stop of a thread that is about to make a call which can
// change a file. Once the last point is reached, every other thread waits at
// its next one, and dies waiting.
func (t *tracer) call(tid int) {
	p, ok := t.point(tid)
	switch {
	case !ok:
		unix.PtraceCont(tid, 0)
		return
	case t.last != 0:
		return
	}
	t.say(event{Point: &p})
	t.count++
	if t.count == t.Kill {
		t.last = tid
		t.finish()
		return
	}
	if p.Call != "splice" { // it may wait for a thread that waits for us
		t.inside[tid] = true
	}
	unix.PtraceSyscall(tid, 0)
}

// done notes that a thread's call is over.
func (t *tracer) done(tid int) {
	delete(t.inside, tid)
	t.finish()
}

// finish kills the tree at the last point, but not before all earlier points
// have had their effect: a thread that was let go is not yet through its call,
// and a fatal signal would still make the kernel skip it (seccomp(2),
// SECCOMP_RET_TRACE). The last call itself is skipped so, or let in and over.
func (t *tracer) finish() {
	switch {
	case t.last == 0 || t.dying || len(t.inside) > 0:
	case t.When == After && !t.let && t.threads[t.last]:
		t.let, t.inside[t.last] = true, true
		unix.PtraceSyscall(t.last, 0)
	default:
		t.say(event{Killed: true})
		t.killAll()
	}
}

func (t *tracer) killAll() {
	t.dying = true
	for tid := range t.threads {
		t.kill(tid)
	}
}

// kill kills the whole process that tid is a thread of. Threads that are not
// known yet stop once before they do anything, and are killed then.
func (t *tracer) kill(tid int) {
	unix.RawSyscall(unix.SYS_TKILL, uintptr(tid), uintptr(unix.SIGKILL), 0)
}

// syscallInfo is struct ptrace_syscall_info at a seccomp stop (ptrace(2)).
type syscallInfo struct {
	_    [24]byte // op, architecture, instruction and stack pointers
	Nr   uint64
	Args [6]uint64
	_    [8]byte // the filter's data
}

func syscallOf(tid int) (syscallInfo, error) {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return info, errno
	}
	return info, nil
}
