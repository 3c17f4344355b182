//go:build unix

package flock

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Share waits until nobody holds the lock alone, then holds it with others.
func (l *Lock) Share() error { return l.flock(unix.LOCK_SH) }

// Alone waits until nobody else holds the lock, then holds it alone.
func (l *Lock) Alone() error { return l.flock(unix.LOCK_EX) }

// TryAlone holds the lock alone if nobody else holds it, and reports whether
// it does. If it does not, a lock that was held before may be lost: Share again.
func (l *Lock) TryAlone() (bool, error) {
	err := l.flock(unix.LOCK_EX | unix.LOCK_NB)
	return err == nil, ignore(err, unix.EWOULDBLOCK)
}

func (l *Lock) flock(how int) error {
	for {
		if err := unix.Flock(int(l.f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}
