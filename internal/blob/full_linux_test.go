package blob

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

// fullEnv names the folder in which the test binary, started anew in its own
// user and mount namespaces, mounts a small file system and fills it.
const fullEnv = "SALLYPORT_TEST_FULL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fullEnv); dir != "" {
		if err := fill(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// exitNoMount is how the child says that it could not mount.
const exitNoMount = 77

func TestFullDisk(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fullEnv+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == exitNoMount {
		t.Skipf("NOT TESTED: a full disk, because this host lets nobody mount a small one: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// fill writes until the file system is full, and checks that the error says so
// and that what was begun is gone.
func fill(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println(err)
		os.Exit(exitNoMount)
	}
	s, err := Open(filepath.Join(dir, "packs"))
	if err != nil {
		return err
	}
	w := s.NewWriter(seal.NewRing("data"))
	for i := 0; ; i++ {
		noise := make([]byte, 100<<10)
		for j := 0; j < len(noise); j += seal.KeySize {
			k := seal.NewKey()
			copy(noise[j:], k[:])
		}
		_, err = w.Put(noise)
		if err != nil || i == 100 {
			break
		}
	}
	if !sallyport.Is(err, sallyport.NoSpace) {
		return fmt.Errorf("the disk is full and the error is %v", err)
	}
	if err := w.Finish(); !sallyport.Is(err, sallyport.NoSpace) {
		return fmt.Errorf("Finish after that: %v", err)
	}
	w.Abort()
	left, err := os.ReadDir(filepath.Join(dir, "packs"))
	if err != nil || len(left) != 0 {
		return fmt.Errorf("%d files are left, %v", len(left), err)
	}
	return nil
}
