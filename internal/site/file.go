package site

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/sallyport/sallyport"
)

// writeFile writes a file whole or not at all: beside it, synced, renamed.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return cannotWrite(err, path)
	}
	defer os.Remove(f.Name()) // fails, rightly, once it is renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return cannotWrite(err, path)
	}
	return syncDir(filepath.Dir(path))
}

func cannotWrite(err error, path string) error {
	if errors.Is(err, syscall.ENOSPC) {
		return sallyport.Errorf(sallyport.NoSpace, "the disk is full").At("%s", path).Try("make room and try again; nothing was changed")
	}
	return sallyport.Errorf(sallyport.Invalid, "cannot write here: %w", err).At("%s", path)
}

// syncDir makes the names in a folder durable. Windows has no call for that
// and refuses to sync a folder, which is no error there.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return nil
}
