package crash

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// shimMain waits until the tracer holds it, filters its own thread and becomes
// the program. The filter is inherited by all that the program starts.
func shimMain(gate, path string, args []string) {
	fd, err := strconv.Atoi(gate)
	if err == nil {
		_, err = unix.Read(fd, make([]byte, 1)) // ends when the tracer closes its side
		unix.Close(fd)
	}
	if err == nil {
		err = install(filter())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(broken)
	}
	err = syscall.Exec(path, args, os.Environ())
	fmt.Fprintf(os.Stderr, "crash: start %s: %v\n", path, err)
	os.Exit(notStarted)
}

// install sets the filter for this thread. It asks for no_new_privs only where
// the kernel insists, so that a privileged program runs as it would untraced.
func install(filter []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	set := func() syscall.Errno {
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
		runtime.KeepAlive(filter)
		return errno
	}
	errno := set()
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		errno = set()
	}
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// Offsets in struct seccomp_data, and of the low half of an argument on the
// little-endian machines that Sallyport runs on.
const (
	offNr   = 0
	offArgs = 16
)

// filter returns the program that stops every call of the table. It does not
// look at the architecture, since it decides nothing but whether to look: a
// call of a foreign one that shares a number is looked at and let go.
func filter() []unix.SockFilter {
	trace := bpf.RetConstant{Val: unix.SECCOMP_RET_TRACE}
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	prog := []bpf.Instruction{bpf.LoadAbsolute{Off: offNr, Size: 4}}
	for _, nr := range slices.Sorted(maps.Keys(calls)) {
		c := calls[nr]
		if c.flags == none {
			prog = append(prog, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(nr), SkipFalse: 1}, trace)
			continue
		}
		prog = append(prog,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(nr), SkipFalse: 4},
			bpf.LoadAbsolute{Off: offArgs + 8*uint32(c.flags), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: creates, SkipFalse: 1},
			trace,
			allow)
	}
	raw, err := bpf.Assemble(append(prog, allow))
	if err != nil {
		panic(err) // the program is the same every time
	}
	out := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		out[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return out
}
