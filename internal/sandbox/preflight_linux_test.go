//go:build amd64 || arm64

package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"golang.org/x/sys/unix"
)

func TestPreflight(t *testing.T) {
	if err := Preflight(); err != nil {
		t.Error(err)
	}
}

// Each piece that a host can lack has a message that says how to come by it.
// That nothing runs without it is what TestNoSandboxWithinASandbox shows.
func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		failure  failure
		settings map[string]string
		kind     sallyport.Kind
		mend     string
	}{
		{failure{"make the namespaces", "", unix.EPERM}, map[string]string{"kernel/unprivileged_userns_clone": "0"}, sallyport.Unconfined, "sysctl kernel.unprivileged_userns_clone=1"},
		{failure{"make the namespaces", "", unix.ENOSPC}, map[string]string{"user/max_user_namespaces": "0"}, sallyport.Unconfined, "sysctl user.max_user_namespaces=10000"},
		{failure{"make the namespaces", "", unix.ENOSPC}, map[string]string{"user/max_user_namespaces": "9"}, sallyport.Unconfined, "raise user.max_user_namespaces"},
		{failure{"make the mounts private", "", unix.EACCES}, map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1"}, sallyport.Unconfined, "AppArmor"},
		{failure{"make the namespaces", "", unix.EPERM}, nil, sallyport.Unconfined, "seccomp profile"},
		{failure{"mount /proc", "", unix.EPERM}, nil, sallyport.Unconfined, "/proc"},
		{failure{"install the system call filter", "", unix.EINVAL}, nil, sallyport.Unconfined, "user notification"},
		{failure{"make the mount", "/x", unix.ENOSYS}, nil, sallyport.Unconfined, "5.14"},
		{failure{"make the mount", "/x", unix.EACCES}, nil, sallyport.Denied, "readable"},
		{failure{"attach the mount", "/x/y", unix.EROFS}, nil, sallyport.Invalid, "make the folder"},
		{failure{"change the root", "", unix.EINVAL}, nil, sallyport.Unconfined, "outside of containers"},
	} {
		proc := t.TempDir()
		for name, value := range c.settings {
			file := filepath.Join(proc, "sys", name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := diagnoseIn(proc, &c.failure)
		e, ok := err.(*sallyport.Error)
		if !ok || e.Kind != c.kind || !strings.Contains(e.Mend, c.mend) {
			t.Errorf("%+v: %v, %v", c.failure, err, e)
		}
	}
}
