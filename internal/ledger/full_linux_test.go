package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport"
)

// insideFull is set in the process that may mount a small disk.
const insideFull = "LEDGER_TEST_FULL"

// TestFullDisk fills a disk of 1 MiB to the last byte, in a mount namespace of
// its own.
func TestFullDisk(t *testing.T) {
	if os.Getenv(insideFull) != "" {
		fillDisk(t)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), insideFull+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("SKIPPED, a full disk is not tested: this host gives no user namespace: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func fillDisk(t *testing.T) {
	dir := os.Getenv(insideFull)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("SKIPPED, a full disk is not tested: this host mounts no disk: %v", err)
	}
	s := &site{dir: dir}
	s.skey, s.vkey = NewKey(origin)
	s.open(t)
	for round := range 3 {
		ballast := filepath.Join(dir, "ballast")
		if err := fill(ballast, round*7919); err != nil {
			t.Fatal(err)
		}
		kept := s.verify(t).Size
		var err error
		for i := 0; err == nil; i++ {
			err = s.log.Update(t.Context(), "alice", func(tx *Tx) error {
				_, err := tx.Put("k.put", "k", fmt.Sprintf("%d-%d", round, i), make([]byte, 100+i*round), nil)
				return err
			})
			if err == nil {
				kept++
			}
		}
		wantKind(t, err, sallyport.NoSpace)
		if r := s.verify(t); r.Size != kept {
			t.Errorf("%d entries are there, and %d were acknowledged", r.Size, kept)
		}
		s.db.Close() // on the full disk
		_, _, err = s.tryOpen()
		if err != nil {
			wantKind(t, err, sallyport.NoSpace)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		s.open(t)
		if r := s.verify(t); r.Size != kept {
			t.Errorf("%d entries are left, and %d were acknowledged", r.Size, kept)
		}
		s.put(t, "k", fmt.Sprint("after ", round), "there is room again")
	}
}

// fill writes a file until the disk is full, and then gives back some of it.
func fill(path string, spare int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(0)
	for err == nil {
		var n int
		n, err = f.Write(make([]byte, 4096))
		size += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return f.Truncate(max(0, size-int64(spare)))
}
