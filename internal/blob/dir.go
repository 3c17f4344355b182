package blob

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/sallyport/sallyport"
)

// Everything that knows packs to be files stands here.

const (
	packSuffix = ".pack"
	tempSuffix = ".tmp"

	packMagic   = "sallyport pack\n"
	packVersion = 1
	packHeader  = len(packMagic) + 1 + 16
)

// header returns the first bytes of the pack with this name.
func header(name string) []byte {
	id, err := hex.DecodeString(name)
	if err != nil || len(id) != 16 {
		return nil
	}
	return append(append([]byte(packMagic), packVersion), id...)
}

// createPack makes the temporary file of a new pack, header written.
func createPack(dir, name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+tempSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, failed(err)
	}
	if _, err := f.Write(header(name)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, failed(err)
	}
	return f, nil
}

// publishPacks gives synced packs their final names, durably.
func publishPacks(dir string, names []string) error {
	for _, n := range names {
		if err := os.Rename(filepath.Join(dir, n+tempSuffix), filepath.Join(dir, n+packSuffix)); err != nil {
			return failed(err)
		}
	}
	return syncDir(dir)
}

// discardPacks removes packs, published or not. What cannot be removed now is
// left to Sweep.
func discardPacks(dir string, names []string) {
	for _, n := range names {
		os.Remove(filepath.Join(dir, n+tempSuffix))
		os.Remove(filepath.Join(dir, n+packSuffix))
	}
}

// syncDir makes renames and removals durable. Windows orders them itself and
// cannot sync a folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return failed(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return failed(err)
	}
	return nil
}

// readPack fills buf from off in a pack, after checking the pack's header. The
// suffix says whether the pack is published.
func readPack(dir, name, suffix string, off int64, buf []byte) error {
	want := header(name)
	if want == nil {
		return sallyport.Errorf(sallyport.Corrupt, "a segment lies in a pack whose name is none")
	}
	f, err := os.Open(filepath.Join(dir, name+suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.Corrupt, "the pack is gone").At("pack %s", name).
			Try("restore this file of the site from a backup")
	} else if err != nil {
		return failed(err)
	}
	defer f.Close()
	var have [packHeader]byte
	if _, err := f.ReadAt(have[:], 0); err != nil && err != io.EOF {
		return failed(err)
	}
	if v := len(packMagic); string(have[:v]) == packMagic && have[v] > packVersion {
		return sallyport.Errorf(sallyport.Newer, "the pack has format version %d", have[v]).At("pack %s", name).
			Try("use a newer Sallyport")
	}
	if string(have[:]) != string(want) {
		return damaged(name, 0, "the pack's header is not its own")
	}
	if n, err := f.ReadAt(buf, off); n < len(buf) && err == io.EOF {
		return damaged(name, off, "the pack ends before the segment does")
	} else if n < len(buf) {
		return failed(err)
	}
	return nil
}

// removePack removes a pack; one that is gone already is removed.
func removePack(dir, name string) error {
	if header(name) == nil {
		return sallyport.Errorf(sallyport.Usage, "no pack has such a name")
	}
	if err := os.Remove(filepath.Join(dir, name+packSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	return syncDir(dir)
}

// sweepDir removes every pack that keep does not name and every temporary
// file, and returns how many files and bytes that were. Files that are not
// packs are left alone.
func sweepDir(dir string, keep map[string]bool) (files int, freed int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, failed(err)
	}
	for _, e := range entries {
		name, final := strings.CutSuffix(e.Name(), packSuffix)
		if !final {
			var temp bool
			if name, temp = strings.CutSuffix(e.Name(), tempSuffix); !temp {
				continue
			}
		}
		if header(name) == nil || final && keep[name] {
			continue
		}
		if info, err := e.Info(); err == nil {
			freed += info.Size()
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return files, freed, failed(err)
		}
		files++
	}
	return files, freed, syncDir(dir)
}

func damaged(pack string, off int64, what string) error {
	return sallyport.Errorf(sallyport.Corrupt, "%s", what).At("pack %s, offset %d", pack, off).
		Try("restore this file of the site from a backup")
}

// failed gives a kind to what the operating system said.
func failed(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return sallyport.Errorf(sallyport.NoSpace, "the disk of the site is full: %w", err).Try("make room, then do it again")
	}
	return sallyport.Errorf(sallyport.Internal, "the store of sealed segments: %w", err)
}
