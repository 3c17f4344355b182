//go:build amd64 || arm64

package sandbox

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// giveUp takes every privilege from the calling thread, which must be locked to
// its goroutine, and from all that it starts. The order is forced: each step
// needs what the next ones take. It returns the descriptor from which the
// filter's questions are read, and the ABI of Landlock that is in force.
func giveUp(p *plan) (listener, landlock int, err error) {
	if err := limitResources(p.Limits); err != nil {
		return -1, 0, failed("set resource limits", err)
	}
	rules, err := landlockRules(p)
	if err != nil {
		return -1, 0, failed("make Landlock rules", err)
	}
	if err := dropCapabilities(); err != nil {
		return -1, 0, failed("give up capabilities", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, 0, failed("give up new privileges", err)
	}
	landlock, err = rules.restrict()
	if err != nil {
		return -1, 0, failed("restrict with Landlock", err)
	}
	listener, err = filterCalls(p.Filter)
	if err != nil {
		return -1, 0, failed("install the system call filter", err)
	}
	return listener, landlock, nil
}

// limitResources sets the limits of setrlimit(2) for good: soft and hard alike.
//
// The core limit is 1 and not 0. A dump holds what the program has read, and
// where the machine pipes dumps to a program of its own, out here, a limit of 0
// does not keep the kernel from that; 1 does, and is too little for a file.
func limitResources(l resources) error {
	limits := []struct {
		resource int
		value    int64
	}{
		{unix.RLIMIT_CORE, 1},
		{unix.RLIMIT_FSIZE, l.FileSize},
		{unix.RLIMIT_NPROC, l.Processes},
		{unix.RLIMIT_MEMLOCK, 64 << 10},
	}
	for _, r := range limits {
		if r.value == 0 {
			continue
		}
		var have syscall.Rlimit
		if err := syscall.Getrlimit(r.resource, &have); err != nil {
			return err
		}
		value := min(uint64(r.value), have.Max)
		if err := syscall.Setrlimit(r.resource, &syscall.Rlimit{Cur: value, Max: value}); err != nil {
			return err
		}
	}
	if l.Cores == 0 {
		return nil
	}
	return pin(l.Cores)
}

// pin confines the calling thread to n of the cores that it may use.
func pin(n int64) error {
	var may, take unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return err
	}
	for cpu := 0; cpu < len(may)*64 && take.Count() < int(n); cpu++ {
		if may.IsSet(cpu) {
			take.Set(cpu)
		}
	}
	return unix.SchedSetaffinity(0, &take)
}

// dropCapabilities empties the bounding set, so that no program that is started
// can get a capability back, then all others.
func dropCapabilities() error {
	for c := uintptr(0); c <= 63; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err == unix.EINVAL {
			break // past the last one that the kernel knows
		} else if err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&head, &none[0])
}

// filterCalls installs the filter on the calling thread.
func filterCalls(filter string) (listener int, err error) {
	if len(filter) == 0 {
		return -1, unix.EINVAL
	}
	program := unix.SockFprog{Len: uint16(len(filter) / unix.SizeofSockFilter), Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.StringData(filter)))}
	defer runtime.KeepAlive(filter)
	// With WAIT_KILLABLE_RECV (Linux 5.19) a signal does not take back a question
	// that has been read, which would then be asked, and recorded, twice.
	for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0} {
		fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
			flags|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
		if errno == 0 {
			return int(fd), nil
		}
		if err = errno; errno != unix.EINVAL {
			break
		}
	}
	return -1, err
}
