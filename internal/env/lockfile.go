package env

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockEvery is how often a waiting builder asks again.
const lockEvery = 100 * time.Millisecond

// buildMark stands in the name of a folder that is being built, between the id
// and something random. Nothing of that name ever counts as built.
const buildMark = ".build-"

// lock waits until this process alone may build the environment id.
func (s *Store) lock(ctx context.Context, id string, progress io.Writer) (unlock func(), err error) {
	// Lock files stay: removing one would let two holders lock different files.
	f, err := os.OpenFile(filepath.Join(s.Dir, id+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault("cannot make the lock of an environment", err)
	}
	for said := false; ; said = true {
		ok, err := tryLock(f)
		if ok {
			return func() { f.Close() }, nil
		}
		if err != nil {
			f.Close()
			return nil, fault("cannot lock the environment", err)
		}
		if !said {
			fmt.Fprintln(progress, "another sallyport is building this environment; waiting for it")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, interrupted()
		case <-time.After(lockEvery):
		}
	}
}

// sweep removes what builders that were killed have left. Each leftover is
// removed under the lock of its environment, which a living builder holds; own
// is the environment whose lock this process holds already.
func (s *Store) sweep(own string) {
	entries, _ := os.ReadDir(s.Dir)
	for _, e := range entries {
		id, _, isLeftover := strings.Cut(e.Name(), buildMark)
		dir := filepath.Join(s.Dir, e.Name())
		if !isLeftover {
			continue
		}
		if id == own {
			removeTree(dir)
			continue
		}
		f, err := os.OpenFile(filepath.Join(s.Dir, id+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			continue // a leftover is untidy, not wrong: the next builder tries again
		}
		if ok, _ := tryLock(f); ok {
			removeTree(dir)
		}
		f.Close()
	}
}
