package flock

import (
	"errors"

	"golang.org/x/sys/windows"
)

// Share waits until nobody holds the lock alone, then holds it with others.
func (l *Lock) Share() error { return l.lock(0) }

// Alone waits until nobody else holds the lock, then holds it alone.
func (l *Lock) Alone() error { return l.lock(windows.LOCKFILE_EXCLUSIVE_LOCK) }

// TryAlone holds the lock alone if nobody else holds it, and reports whether
// it does. If it does not, a lock that was held before is lost: Share again.
func (l *Lock) TryAlone() (bool, error) {
	err := l.lock(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// lock locks the first byte. Windows does not convert a lock, so what was held
// before goes first; that nothing was held is no error.
func (l *Lock) lock(flags uint32) error {
	h := windows.Handle(l.f.Fd())
	_ = windows.UnlockFileEx(h, 0, 1, 0, &windows.Overlapped{})
	return windows.LockFileEx(h, flags, 0, 1, 0, &windows.Overlapped{})
}
