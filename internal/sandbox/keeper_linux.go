//go:build amd64 || arm64

package sandbox

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keeperName is the first argument of a keeper, and the only one.
const keeperName = "sallyport-keeper"

// init is the door by which a keeper comes in: before main, on the main thread,
// to which the runtime holds init functions.
func init() {
	if len(os.Args) == 1 && os.Args[0] == keeperName {
		if err := keep(os.NewFile(control, "control")); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// Descriptors that a keeper starts with, after the usual three.
const (
	control   = 3 // a socket to the supervisor; JSON values, one to a line, both ways
	firstTree = 4 // where the supervisor made the mounts: one for each, in the plan's order
)

// A plan is all that a keeper needs to know.
type plan struct {
	Args, Env []string
	Dir       string
	Mounts    []mount // sorted, so that what lies inside another comes after it
	Given     bool    // the mounts were made by the supervisor
	Fill      bool    // the supervisor has something to put in
	Hosts     bool    // some host is allowed
	Limits    resources
	Filter    []byte // see assemble
}

// resources are what limitResources sets; 0 leaves one as it is.
type resources struct {
	FileSize, Data, Processes uint64
	Cores                     int
}

// A word is what a keeper says; the first two may come together. Descriptors in it are numbers of its own; the
// supervisor takes copies before it answers.
type word struct {
	Failed *failure  `json:",omitempty"`
	Built  *built    `json:",omitempty"`
	Filter *filtered `json:",omitempty"`
	Start  *started  `json:",omitempty"`
	Ended  *ended    `json:",omitempty"`
}

// A failure says what a keeper could not do.
type failure struct {
	Step  string
	Mount string `json:",omitempty"` // where something should have been put
	Errno syscall.Errno
}

func (f *failure) Error() string { return f.Step + ": " + f.Errno.Error() }

// failed wraps an error of a step of the keeper's.
func failed(step string, err error) error {
	f := &failure{Step: step}
	errors.As(err, &f.Errno)
	return f
}

// built says that all is in place, and may be filled where the plan says so.
type built struct {
	Volumes  []int // one for each mount that has no source, in the plan's order
	Proc     int
	Resolver [2]int // UDP and TCP, on port 53 of the loopback
	Door     int    // of the relay; -1 where there is none
}

// filtered says that nothing more can be taken from the thread that will start
// the program.
type filtered struct{ Listener, Landlock int }

// started says that the program runs, or why not.
type started struct {
	Process int // a pidfd
	Errno   syscall.Errno
}

// ended says how the program ended, and what it and all that it started used.
type ended struct {
	Status        syscall.WaitStatus
	User, System  time.Duration
	Largest       int64 // bytes of memory of the biggest process
	Read, Written int64
}

// keep is the life of a keeper. Whatever goes wrong ends it, and with it, as
// process 1, everything inside.
func keep(conn *os.File) error {
	k := keeper{in: json.NewDecoder(conn), out: json.NewEncoder(conn)}
	err := k.run()
	if f := (*failure)(nil); errors.As(err, &f) {
		_ = k.out.Encode(word{Failed: f}) // if nobody listens, nobody needs to know
	}
	return err
}

type keeper struct {
	in   *json.Decoder
	out  *json.Encoder
	plan plan
}

func (k *keeper) run() error {
	// Descriptors that the caller of the supervisor left open came along. From
	// here on no program that is started gets them.
	if err := unix.CloseRange(control, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return failed("close inherited files", err)
	}
	if err := k.in.Decode(&k.plan); err != nil {
		return err
	}
	io, err := os.Open("/proc/self/io") // later on it will be root's
	if err != nil {
		io = nil // a kernel that does not count
	}
	// Nobody with the same ID may look into this process; it has more than others.
	// Changing the ID does that too, but not for everybody.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return failed("hide the keeper", err)
	}
	if err := (identity{root: k.plan.Given}).become(); err != nil {
		return failed("take the ID", err)
	}
	built, err := k.build()
	if err != nil {
		return err
	}
	if k.plan.Fill {
		if err := k.ask(word{Built: built}); err != nil {
			return err
		}
		built = nil // said
	}
	if err := k.finish(); err != nil {
		return err
	}
	listener, landlock, err := giveUp(&k.plan)
	if err != nil {
		return err
	}
	if err := k.ask(word{Built: built, Filter: &filtered{listener, landlock}}); err != nil {
		return err
	}
	return k.start(io)
}

// ask says something and waits until the supervisor has done its part.
func (k *keeper) ask(w word) error {
	if err := k.out.Encode(w); err != nil {
		return err
	}
	var gone struct{}
	return k.in.Decode(&gone)
}

// start starts the program, waits until it ends, ends what it left behind, and
// tells.
func (k *keeper) start(io *os.File) error {
	if len(k.plan.Args) == 0 { // it was only to be seen that it could be done
		return k.out.Encode(word{Ended: &ended{}})
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed("open /dev/null", err)
	}
	pidfd := -1
	main, err := 0, error(nil)
	program, err := lookPath(k.plan.Args[0], k.plan.Env, k.plan.Dir)
	if err == nil {
		main, err = syscall.ForkExec(program, k.plan.Args, &syscall.ProcAttr{
			Dir: k.plan.Dir, Env: k.plan.Env, Files: []uintptr{uintptr(null), 1, 2},
			Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd},
		})
	}
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		return k.out.Encode(word{Start: &started{-1, errno}})
	}
	if err := k.out.Encode(word{Start: &started{Process: pidfd}}); err != nil {
		return err
	}
	e := ended{}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			break // no children are left
		}
		if pid == main {
			e.Status = status
			_ = syscall.Kill(-1, syscall.SIGKILL)
		}
	}
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage) // cannot fail
	e.User, e.System = time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())
	e.Largest = usage.Maxrss << 10
	e.Read, e.Written = readIO(io)
	return k.out.Encode(word{Ended: &e})
}

// readIO reads what a process and the children that it has waited for have read
// and written (proc_pid_io(5)).
func readIO(f *os.File) (read, written int64) {
	if f == nil {
		return 0, 0
	}
	var b [512]byte
	n, _ := f.ReadAt(b[:], 0)
	for line := range strings.Lines(string(b[:n])) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "rchar":
			read = number(value)
		case "wchar":
			written = number(value)
		}
	}
	return read, written
}

// lookPath finds a program as a shell would, in the program's own environment.
func lookPath(name string, env []string, dir string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	var search string
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			search = v
		}
	}
	err := error(fs.ErrNotExist)
	for _, folder := range strings.Split(search, ":") {
		if !path.IsAbs(folder) {
			folder = path.Join(dir, folder)
		}
		file := path.Join(folder, name)
		if info, e := os.Stat(file); e == nil && info.Mode().IsRegular() {
			if info.Mode()&0o111 != 0 {
				return file, nil
			}
			err = syscall.EACCES
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = syscall.ENOENT
	}
	return "", err
}
