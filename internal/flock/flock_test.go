package flock

import (
	"path/filepath"
	"testing"
)

// TestLock holds one lock file through two handles, which exclude each other as
// two processes do.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, b := open(t, path), open(t, path)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alone := func(l *Lock, want bool) {
		t.Helper()
		if got, err := l.TryAlone(); err != nil || got != want {
			t.Errorf("TryAlone = %v, %v, want %v", got, err, want)
		}
	}
	must(a.Share())
	must(b.Share()) // together
	alone(a, false)
	must(a.Share()) // what a conversion may have lost
	alone(b, false)
	must(a.Close())
	alone(b, true)
	c := open(t, path)
	alone(c, false)
	must(b.Share()) // from alone to shared
	must(c.Share())
	must(c.Close())
	must(b.Alone())
	d := open(t, path)
	alone(d, false)
	must(b.Close())
	alone(d, true)
}

func open(t *testing.T, path string) *Lock {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
