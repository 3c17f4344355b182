//go:build amd64 || arm64

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport"
	"golang.org/x/sys/unix"
)

// Preflight builds a sandbox around nothing and takes it down again. An error
// is of kind Unconfined, names the piece that this host lacks, and says how to
// come by it.
func Preflight() error {
	_, err := run(context.Background(), Config{})
	return err
}

func unconfined(step string, err error) *sallyport.Error {
	return sallyport.Errorf(sallyport.Unconfined, "cannot confine a program here: could not %s: %w", step, err)
}

// diagnose says what a failure means for the person who has to mend it.
func diagnose(f *failure) error { return diagnoseIn("/proc", f) }

func diagnoseIn(proc string, f *failure) error {
	e := unconfined(f.Step, f.Errno)
	if f.Mount != "" {
		e = e.At("%s", f.Mount)
	}
	setting := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(proc, "sys", name)) // absent where there is no such setting
		return strings.TrimSpace(string(b))
	}
	denied := errors.Is(f.Errno, unix.EPERM) || errors.Is(f.Errno, unix.EACCES)
	switch {
	case f.Mount != "" && errors.Is(f.Errno, unix.EROFS):
		return sallyport.Errorf(sallyport.Invalid, "there is no place for it in what is bound around it").At("%s", f.Mount).
			Try("make the folder or file there first; nothing is ever written into a bind")
	case f.Mount != "" && denied && f.Step == "make the mount":
		return cannotBind(f.Mount, f.Errno)
	case errors.Is(f.Errno, unix.ENOSYS):
		return e.Try("Linux 5.14 or later is needed; this is %s", release())
	case f.Step == "install the system call filter":
		return e.Try("a kernel with CONFIG_SECCOMP_FILTER and user notification (5.5 or later) is needed; inside a container, its own filter must allow seccomp(2)")
	case denied && setting("kernel/unprivileged_userns_clone") == "0":
		return e.Try("allow user namespaces: sysctl kernel.unprivileged_userns_clone=1")
	case setting("user/max_user_namespaces") == "0":
		return e.Try("allow user namespaces: sysctl user.max_user_namespaces=10000")
	case errors.Is(f.Errno, unix.ENOSPC):
		return e.Try("too many namespaces are in use: raise user.max_user_namespaces, or end other sandboxes")
	case denied && setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
		return e.Try("AppArmor keeps unprivileged programs from user namespaces: give this program a profile that allows userns, or, for all programs, sysctl kernel.apparmor_restrict_unprivileged_userns=0")
	case denied && f.Step == "mount /proc":
		return e.Try("parts of /proc are covered, as most container engines do it: run outside of the container, or let it see all of /proc (systempaths=unconfined)")
	case denied && f.Step == "make the namespaces":
		return e.Try("user namespaces are refused: inside a container, its seccomp profile must allow clone(2) and unshare(2); elsewhere look for a security module that forbids them")
	}
	return e.Try("this host does not let a program confine another; try one with Linux 5.14 or later, outside of containers")
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "an unknown one"
	}
	return fmt.Sprint("Linux ", unix.ByteSliceToString(u.Release[:]))
}
