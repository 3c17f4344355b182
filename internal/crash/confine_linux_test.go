package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// confine does what a sandbox does: it starts a child in namespaces of its own,
// which filters itself with a listener that its parent's other thread answers,
// and writes where the same path means another file.
func confine(dir string) error {
	if os.Getpid() == 1 {
		return confined(dir)
	}
	if err := os.WriteFile(filepath.Join(dir, "before"), []byte("x"), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", "confine", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "after"), []byte("x"), 0o600)
}

// answer is what the listener says in place of the kernel.
const answer = 4321

// confined hides the directory under an empty one, writes there, and proves
// that its own filter works below the tracer's.
func confined(dir string) error {
	if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hidden"), []byte("x"), 0o600); err != nil {
		return err
	}
	listener := make(chan int)
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // this thread alone is filtered, and ends with the goroutine
		fd, err := listen()
		if err != nil {
			result <- err
			return
		}
		listener <- fd
		if got, _, errno := unix.RawSyscall(unix.SYS_GETPGID, 0, 0, 0); errno != 0 || got != answer {
			err = fmt.Errorf("getpgid: %d, %v", got, errno)
		}
		result <- err
	}()
	select {
	case fd := <-listener:
		return errors.Join(serve(fd), <-result)
	case err := <-result:
		return err
	}
}

// listen filters this thread's getpgid and returns the listener (seccomp_unotify(2)).
func listen() (int, error) {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: offNr, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETPGID, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
		bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF},
	})
	if err != nil {
		return 0, err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp listener: %w", errno)
	}
	return int(fd), nil
}

// serve answers one notification. Its two structures begin with the same id.
func serve(fd int) error {
	var request [80]byte
	ioctl := func(op uintptr, p unsafe.Pointer) error {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), op, uintptr(p)); errno != 0 {
			return fmt.Errorf("seccomp notification: %w", errno)
		}
		return nil
	}
	if err := ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&request)); err != nil {
		return err
	}
	response := struct {
		id           uint64
		value        int64
		errno, flags int32
	}{*(*uint64)(unsafe.Pointer(&request)), answer, 0, 0}
	return ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response))
}

// TestConfinedChildren proves that a program which confines its children runs
// under the tracer as it does without, and that what they write in a mount
// namespace of their own is no point.
func TestConfinedChildren(t *testing.T) {
	eachUser(t, func(t *testing.T, as *syscall.Credential) {
		dir := scratch(t, as)
		if err := program(t, "confine", dir, as).Run(); err != nil {
			t.Skipf("SKIPPED: tracing of confined children is not proven here, since this host cannot confine them: %v", err)
		}
		got := points(t, program(t, "confine", dir, as), dir)
		var names []string
		for _, p := range got {
			names = append(names, plain(p))
		}
		want := "open before, write before, open after, write after"
		if s := strings.Join(names, ", "); s != want {
			t.Fatalf("points: %s, want %s", s, want)
		}
		for n := range got {
			if _, killed, err := KillAt(program(t, "confine", dir, as), dir, n+1, After); err != nil || !killed {
				t.Errorf("after point %d: killed %v, %v", n+1, killed, err)
			}
		}
	})
}
