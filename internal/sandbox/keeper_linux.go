//go:build amd64 || arm64

package sandbox

import (
	"encoding/json"
	"errors"
	"io"
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
	control   = 3 // a socket to the supervisor, for a plan and then for words and answers
	firstTree = 4 // where the supervisor made the mounts: one for each, in the plan's order
)

// keep is the life of a keeper. Whatever goes wrong ends it, and with it, as
// process 1, everything inside.
func keep(conn *os.File) error {
	k := keeper{in: conn, out: json.NewEncoder(conn)}
	err := k.run()
	if f := (*failure)(nil); errors.As(err, &f) {
		_ = k.out.Encode(word{Failed: f}) // if nobody listens, nobody needs to know
	}
	return err
}

type keeper struct {
	in   io.Reader
	out  *json.Encoder
	plan plan
}

func (k *keeper) run() error {
	// Descriptors that the caller of the supervisor left open came along. From
	// here on no program that is started gets them.
	if err := unix.CloseRange(control, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return failed("close inherited files", err)
	}
	if err := k.plan.unpack(k.in); err != nil {
		return err
	}
	account, err := os.Open("/proc/self/io") // later on it will be root's
	if err != nil {
		account = nil // a kernel that does not count
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
	return k.start(account)
}

// ask says something and waits until the supervisor has done its part.
func (k *keeper) ask(w word) error {
	if err := k.out.Encode(w); err != nil {
		return err
	}
	_, err := io.ReadFull(k.in, make([]byte, 1))
	return err
}

// start starts the program, waits until it ends, ends what it left behind, and
// tells.
func (k *keeper) start(account *os.File) error {
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
	if data := uint64(k.plan.Limits.Data); data > 0 {
		// Not before, since the keeper would be held to it too. Watching is what
		// holds the limit; if the program has started another in this moment, that
		// one is held by watching alone. An error says that it has ended.
		_ = unix.Prlimit(main, unix.RLIMIT_DATA, &unix.Rlimit{Cur: data, Max: data}, nil)
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
	e.Read, e.Written = readIO(account)
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
