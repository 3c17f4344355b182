//go:build unix

package evidence

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSpecialFiles puts a pipe and a socket where a file should be. Opening a
// pipe would wait for ever.
func TestSpecialFiles(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"model.onnx", "new", SignatureFile, ProofFile, Dir + "/new"} {
		dir := s.folder(t, sampleRun(), nil)
		at := filepath.Join(dir, name)
		os.Remove(at)
		if err := syscall.Mkfifo(at, 0o600); err != nil {
			t.Fatal(err)
		}
		r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
		if r.Err() == nil || !strings.Contains(r.Err().Error(), "not") {
			t.Errorf("%s as a pipe: %v", name, r.Err())
		}
	}
	dir, err := os.MkdirTemp("", "s") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
	if r.Err() == nil {
		t.Error("a folder with a socket verifies")
	}
}
