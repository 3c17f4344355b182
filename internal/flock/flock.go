// Package flock holds advisory locks on files. A lock ends with the process
// that holds it, so that a kill leaves nothing to clean up.
package flock

import (
	"os"

	"github.com/sallyport/sallyport"
)

// A Lock is an open lock file. Its methods are not safe for concurrent use.
type Lock struct{ f *os.File }

// Open opens the lock file at path, making it if need be, and holds nothing.
func Open(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot open the lock file: %w", err).At("%s", path)
	}
	return &Lock{f}, nil
}

// Close lets go of the lock.
func (l *Lock) Close() error { return l.f.Close() }
