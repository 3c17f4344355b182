//go:build amd64 || arm64

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/sallyport/sallyport"
	"golang.org/x/sys/unix"
)

// attacks are programs that try to do what a sandbox must not let them. Each
// returns what it got away with, or nil.
var attacks map[string]func(args []string) error

func init() {
	attacks = map[string]func([]string) error{
		"calls": callsThatMustFail, "descriptors": inheritedDescriptors, "write": writeEverywhere, "signal": signalOutside,
		"privileges": havePrivileges, "unix": connectUnixSocket, "core": enableCore, "nest": nestSandbox, "keeper": touchKeeper,
		"processes": takeProcesses, "daemon": leaveDaemon, "sleep": sleepLong,
		"foreign": foreignCall, "dissolve": dissolveConnection, "race": raceConnect, "race-unix": raceUnix,
		"send": sendEverywhere, "flood": floodNetwork, "user": changeUser, "supervise": superviseSleep,
	}
}

func try(name string) int {
	f := attacks[name]
	if f == nil {
		fmt.Println("there is no such attack")
		return 4
	}
	if err := f(os.Args[1:]); err != nil {
		fmt.Println(err)
		return 3
	}
	return 0
}

// callsThatMustFail makes system calls and wants the error that each must have:
// another would say that the kernel had a look at it first.
func callsThatMustFail([]string) error {
	var buf [256]byte
	p := uintptr(unsafe.Pointer(&buf[0]))
	const high = 1 << 32
	var failures []error
	for _, c := range []struct {
		name string
		call uintptr
		args [6]uintptr
		want unix.Errno
	}{
		{"vsock", unix.SYS_SOCKET, [6]uintptr{unix.AF_VSOCK, unix.SOCK_STREAM}, unix.EAFNOSUPPORT},
		{"packet socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_PACKET, unix.SOCK_RAW}, unix.EAFNOSUPPORT},
		{"crypto socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_ALG, unix.SOCK_SEQPACKET}, unix.EAFNOSUPPORT},
		{"netlink socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_NETLINK, unix.SOCK_RAW}, unix.EAFNOSUPPORT},
		{"socket of a family with upper bits", unix.SYS_SOCKET, [6]uintptr{high | unix.AF_VSOCK, unix.SOCK_STREAM}, unix.EAFNOSUPPORT},
		{"raw socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, unix.EAFNOSUPPORT},
		{"ping socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP}, unix.EAFNOSUPPORT},
		{"SCTP socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP}, unix.EAFNOSUPPORT},
		{"MPTCP socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, unix.EAFNOSUPPORT},
		{"unix datagram socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_UNIX, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC}, unix.EAFNOSUPPORT},
		{"unix raw socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_UNIX, unix.SOCK_RAW}, unix.EAFNOSUPPORT},
		{"unix datagram pair", unix.SYS_SOCKETPAIR, [6]uintptr{unix.AF_UNIX, unix.SOCK_DGRAM, 0, p}, unix.EAFNOSUPPORT},
		{"io_uring", unix.SYS_IO_URING_SETUP, [6]uintptr{8, p}, unix.ENOSYS},
		{"io_uring enter", unix.SYS_IO_URING_ENTER, [6]uintptr{0, 1}, unix.ENOSYS},
		{"user namespace by clone", unix.SYS_CLONE, [6]uintptr{unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)}, unix.EPERM},
		{"user namespace by clone, upper bits", unix.SYS_CLONE, [6]uintptr{high | unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)}, unix.EPERM},
		{"network namespace by clone", unix.SYS_CLONE, [6]uintptr{unix.CLONE_NEWNET | uintptr(unix.SIGCHLD)}, unix.EPERM},
		{"clone3", unix.SYS_CLONE3, [6]uintptr{p, 88}, unix.ENOSYS},
		{"user namespace by unshare", unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWUSER}, unix.EPERM},
		{"setns", unix.SYS_SETNS, [6]uintptr{0, 0}, unix.EPERM},
		{"ptrace me", unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_TRACEME}, unix.EPERM},
		{"ptrace the keeper", unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_SEIZE, 1}, unix.EPERM},
		{"process_vm_readv", unix.SYS_PROCESS_VM_READV, [6]uintptr{1, p, 1, p, 1}, unix.EPERM},
		{"process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, [6]uintptr{1, p, 1, p, 1}, unix.EPERM},
		{"pidfd_getfd", unix.SYS_PIDFD_GETFD, [6]uintptr{0, 0}, unix.EPERM},
		{"kcmp", unix.SYS_KCMP, [6]uintptr{1, 1}, unix.EPERM},
		{"TIOCSTI", unix.SYS_IOCTL, [6]uintptr{0, unix.TIOCSTI, p}, unix.EPERM},
		{"TIOCSTI, upper bits", unix.SYS_IOCTL, [6]uintptr{0, high | unix.TIOCSTI, p}, unix.EPERM},
		{"TIOCLINUX", unix.SYS_IOCTL, [6]uintptr{0, unix.TIOCLINUX, p}, unix.EPERM},
		{"TIOCLINUX, upper bits", unix.SYS_IOCTL, [6]uintptr{0, high<<7 | unix.TIOCLINUX, p}, unix.EPERM},
		{"mount", unix.SYS_MOUNT, [6]uintptr{p, p, p}, unix.EPERM},
		{"umount", unix.SYS_UMOUNT2, [6]uintptr{p}, unix.EPERM},
		{"pivot_root", unix.SYS_PIVOT_ROOT, [6]uintptr{p, p}, unix.EPERM},
		{"chroot", unix.SYS_CHROOT, [6]uintptr{p}, unix.EPERM},
		{"fsopen", unix.SYS_FSOPEN, [6]uintptr{p}, unix.EPERM},
		{"open_tree", unix.SYS_OPEN_TREE, [6]uintptr{0, p, 1}, unix.EPERM},
		{"move_mount", unix.SYS_MOVE_MOUNT, [6]uintptr{0, p, 0, p}, unix.EPERM},
		{"mount_setattr", unix.SYS_MOUNT_SETATTR, [6]uintptr{0, p, 0, p, 32}, unix.EPERM},
		{"bpf", unix.SYS_BPF, [6]uintptr{0, p, 8}, unix.EPERM},
		{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [6]uintptr{p}, unix.EPERM},
		{"keyctl", unix.SYS_KEYCTL, [6]uintptr{0}, unix.EPERM},
		{"add_key", unix.SYS_ADD_KEY, [6]uintptr{p, p}, unix.EPERM},
		{"request_key", unix.SYS_REQUEST_KEY, [6]uintptr{p, p}, unix.EPERM},
		{"userfaultfd", unix.SYS_USERFAULTFD, [6]uintptr{1}, unix.EPERM},
		{"kexec_load", unix.SYS_KEXEC_LOAD, [6]uintptr{}, unix.EPERM},
		{"kexec_file_load", unix.SYS_KEXEC_FILE_LOAD, [6]uintptr{}, unix.EPERM},
		{"init_module", unix.SYS_INIT_MODULE, [6]uintptr{p, 8, p}, unix.EPERM},
		{"finit_module", unix.SYS_FINIT_MODULE, [6]uintptr{0, p}, unix.EPERM},
		{"delete_module", unix.SYS_DELETE_MODULE, [6]uintptr{p}, unix.EPERM},
		{"memfd_secret", unix.SYS_MEMFD_SECRET, [6]uintptr{}, unix.ENOSYS},
		{"a filter of its own", unix.SYS_SECCOMP, [6]uintptr{unix.SECCOMP_SET_MODE_FILTER, 0, p}, unix.EPERM},
		{"a filter of its own by prctl", unix.SYS_PRCTL, [6]uintptr{unix.PR_SET_SECCOMP, 2, p}, unix.EPERM},
		{"personality", unix.SYS_PERSONALITY, [6]uintptr{0x0400000}, unix.EPERM},
		{"fanotify", unix.SYS_FANOTIFY_INIT, [6]uintptr{}, unix.EPERM},
		{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [6]uintptr{0, p}, unix.EPERM},
		{"syslog", unix.SYS_SYSLOG, [6]uintptr{3, p, 8}, unix.EPERM},
		{"sethostname", unix.SYS_SETHOSTNAME, [6]uintptr{p, 1}, unix.EPERM},
		{"swapon", unix.SYS_SWAPON, [6]uintptr{p}, unix.EPERM},
		{"reboot", unix.SYS_REBOOT, [6]uintptr{}, unix.EPERM},
		{"acct", unix.SYS_ACCT, [6]uintptr{p}, unix.EPERM},
		{"quotactl", unix.SYS_QUOTACTL, [6]uintptr{}, unix.EPERM},
		{"settimeofday", unix.SYS_SETTIMEOFDAY, [6]uintptr{p}, unix.EPERM},
		{"shared memory of System V", unix.SYS_SHMGET, [6]uintptr{0, 4096, 0o1600}, unix.ENOSYS},
		{"message queue of System V", unix.SYS_MSGGET, [6]uintptr{0, 0o1600}, unix.ENOSYS},
		{"a call that does not exist", 1000, [6]uintptr{}, unix.ENOSYS},
		{"a call of x32", 1<<30 | 39, [6]uintptr{}, unix.ENOSYS},
	} {
		buf = [256]byte{}
		r, _, errno := unix.RawSyscall6(c.call, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5])
		if errno == 0 && r == 0 && c.call == unix.SYS_CLONE {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		if errno != c.want {
			failures = append(failures, fmt.Errorf("%s: error %d, want %d", c.name, errno, c.want))
		}
	}
	return errors.Join(failures...)
}

// inheritedDescriptors looks for descriptors that came along.
func inheritedDescriptors([]string) error {
	for fd := 3; fd < 5000; fd++ {
		// This program's own are all close-on-exec; one that came along is not.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			to, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
			return fmt.Errorf("descriptor %d came along: %s", fd, to)
		}
	}
	return nil
}

// writeEverywhere writes to what it was not given, and reads what it was not shown.
func writeEverywhere(hostPaths []string) error {
	var failures []error
	note := func(what string, err error) {
		if err == nil {
			failures = append(failures, errors.New(what))
		}
	}
	for _, dir := range []string{"/", "/usr", "/usr/bin", "/etc", "/dev", "/proc", "/proc/sys/kernel", "/bound", "/lib"} {
		note("made a file in "+dir, os.WriteFile(filepath.Join(dir, "attack"), []byte("x"), 0o666))
		note("made a folder in "+dir, os.Mkdir(filepath.Join(dir, "attack-dir"), 0o777))
	}
	for _, file := range []string{"/etc/passwd", "/bound/file", "/usr/bin/env", "/attack", "/etc/ld.so.cache",
		"/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/ip_forward", "/proc/self/oom_score_adj", "/proc/sysrq-trigger", "/proc/1/mem"} {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		note("opened for writing: "+file, err)
		if err == nil {
			f.Close()
		}
		note("truncated "+file, os.Truncate(file, 0))
		note("removed "+file, os.Remove(file))
		note("changed the mode of "+file, os.Chmod(file, 0o777))
	}
	note("renamed a bound file", os.Rename("/bound/file", "/bound/other"))
	note("linked a bound file", os.Link("/bound/file", "/tmp/file"))
	for _, file := range append(hostPaths, "/etc/shadow", "/root", "/home", "/sys", "/work", "/proc/1/root", "/proc/1/environ", "/proc/1/fd",
		"/proc/1/maps", "/dev/tty", "/dev/vda", "/dev/kvm", "/dev/mem", "/boot", "/var", "/run", hidden) {
		f, err := os.Open(file)
		note("opened "+file, err)
		if err == nil {
			f.Close()
		}
	}
	for _, file := range []string{"/proc/keys", "/proc/key-users"} {
		b, _ := os.ReadFile(file)
		if len(b) > 0 {
			failures = append(failures, errors.New("read "+file))
		}
	}
	note("made a device", unix.Mknod("/tmp/disk", unix.S_IFBLK|0o666, 254<<8))
	return errors.Join(failures...)
}

// signalOutside sends signals to processes of the host, whose numbers it was told.
func signalOutside(pids []string) error {
	for _, p := range pids {
		pid, _ := strconv.Atoi(p)
		if pid > 50 && syscall.Kill(pid, syscall.SIGTERM) == nil { // smaller ones may be our own
			return fmt.Errorf("sent a signal to %d", pid)
		}
	}
	_ = syscall.Kill(1, syscall.SIGKILL) // process 1 does not die of it
	_ = syscall.Kill(1, syscall.SIGSTOP)
	return nil
}

func touchKeeper([]string) error {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGQUIT} {
		_ = syscall.Kill(1, s)
	}
	time.Sleep(time.Minute) // the sandbox should be gone by then, or the limit hit
	return nil
}

func havePrivileges([]string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for _, want := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
		"CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Uid:\t1000\t1000\t1000\t1000", "Gid:\t1000\t1000\t1000\t1000"} {
		if !strings.Contains(string(status), want) {
			return fmt.Errorf("not so: %s", want)
		}
	}
	if sid, _ := unix.Getsid(0); sid != os.Getpid() {
		return errors.New("it is in a session of somebody else's")
	}
	if b, _ := os.ReadFile("/proc/self/fdinfo/0"); strings.Contains(string(b), "tty") {
		return errors.New("it has a terminal")
	}
	return nil
}

// changeUser is run from an executable that is root's and has the set-user-ID bit.
func changeUser([]string) error {
	if os.Geteuid() != insideID || unix.Setuid(0) == nil {
		return fmt.Errorf("it became user %d", os.Geteuid())
	}
	return havePrivileges(nil)
}

func enableCore([]string) error {
	for _, v := range []uint64{0, 1 << 40} {
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: v, Max: v})
		_ = unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: v, Max: v}, nil)
	}
	// The upper and lower half of this address are judged apart.
	addr, _, errno := unix.RawSyscall6(unix.SYS_MMAP, 1<<32, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED, ^uintptr(0), 0)
	if errno == 0 {
		unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CORE, addr, 0, 0, 0) // the page is zero: no core
	}
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l.Cur != 1 || l.Max != 1 {
		return fmt.Errorf("the core limit is %d, %d: %v", l.Cur, l.Max, err)
	}
	return nil
}

// nestSandbox asks for a sandbox where none can be had.
func nestSandbox([]string) error {
	ran := "/tmp/ran"
	_, err := Run(context.Background(), Config{Args: []string{"touch", ran}, Env: []string{"PATH=/usr/bin"}, Binds: System()})
	if !sallyport.Is(err, sallyport.Unconfined) {
		return fmt.Errorf("Run: %v", err)
	}
	if err := Preflight(); !sallyport.Is(err, sallyport.Unconfined) {
		return fmt.Errorf("Preflight: %v", err)
	}
	if _, err := os.Stat(ran); err == nil {
		return errors.New("the program ran unconfined")
	}
	return nil
}

// takeProcesses starts processes until it is refused one, and says how many it got.
func takeProcesses([]string) error {
	got := 0
	for range 2000 {
		c := exec.Command("/usr/bin/sleep", "60")
		if err := c.Start(); err != nil {
			time.Sleep(4 * interval) // without a cgroup the limit has to be seen
			return fmt.Errorf("got %d", got)
		}
		got++
	}
	return nil
}

// leaveDaemon leaves a process behind that belongs to nobody.
func leaveDaemon(args []string) error {
	switch {
	case len(args) == 1: // the first: start the second and end at once
		c := exec.Command("/proc/self/exe", args[0], "2")
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return c.Start()
	case args[1] == "2":
		c := exec.Command("/proc/self/exe", args[0], "3")
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return c.Start()
	}
	time.Sleep(time.Minute)
	return nil
}

func sleepLong([]string) error {
	fmt.Println("asleep")
	time.Sleep(time.Minute)
	return nil
}

// superviseSleep is no attack: it runs outside, to be killed there.
func superviseSleep(args []string) error {
	_, err := Run(context.Background(), Config{Args: []string{"/attack", args[0]}, Env: []string{attackVariable + "=sleep"},
		Binds: append(System(), Bind{args[1], "/attack"}), Stdout: os.Stdout})
	return err
}

// copyLines copies to a writer and says when a line was seen.
type copyLines struct {
	w    io.Writer
	seen chan struct{}
}

func (c *copyLines) Write(p []byte) (int, error) {
	select {
	case c.seen <- struct{}{}:
	default:
	}
	return c.w.Write(p)
}
