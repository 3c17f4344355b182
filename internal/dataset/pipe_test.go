//go:build unix

package dataset

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

func TestTreeWithAPipe(t *testing.T) {
	root := t.TempDir()
	plant(t, root, "p1/a", "x", 0o600, time.Now())
	check(t, syscall.Mkfifo(filepath.Join(root, "p1/z"), 0o600))
	s := newStore(t, t.TempDir())
	_, _, err := s.Add(t.Context(), "sam", "x", Source{Path: root, Pattern: byFolder}, nil)
	fails(t, err, sallyport.Invalid, "file 1 in the order of names: .* a special file")
	_, _, err = s.Add(t.Context(), "sam", "x", Source{Path: filepath.Join(root, "p1/z"), Subject: "id"}, nil)
	fails(t, err, sallyport.Invalid, "neither a regular file nor a folder")
}
