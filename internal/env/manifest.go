package env

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// A manifest lists the files of a tree, sorted bytewise by path.
type manifest []entry

type entry struct {
	path   string // relative to the tree, with slashes
	mode   fs.FileMode
	digest sallyport.Digest
	size   int64
}

const manifestHead = "sallyport environment tree 1\n"

// bytes is the manifest's one form: the head line, then for each file its mode
// in octal (0444 or 0555), SHA-256 in hex, size in bytes and path, separated by
// single spaces and ended by a newline.
func (m manifest) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(manifestHead)
	for _, e := range m {
		fmt.Fprintf(&b, "%04o %s %d %s\n", e.mode, e.digest.Hex(), e.size, e.path)
	}
	return b.Bytes()
}

// parseManifest reads what bytes wrote. Its caller has checked the digest of
// text, so anything unexpected is a defect and an error all the same.
func parseManifest(text []byte) (manifest, error) {
	rest, ok := bytes.CutPrefix(text, []byte(manifestHead))
	if !ok {
		return nil, fmt.Errorf("not a manifest")
	}
	var m manifest
	for lines := bufio.NewScanner(bytes.NewReader(rest)); lines.Scan(); {
		var e entry
		var hex string
		head, path, _ := cutFields(lines.Text(), 3)
		if _, err := fmt.Sscanf(head, "%o %s %d", &e.mode, &hex, &e.size); err != nil {
			return nil, err
		}
		e.path = path
		var err error
		if e.digest, err = sallyport.ParseDigest(hex); err != nil {
			return nil, err
		}
		m = append(m, e)
	}
	if !bytes.Equal(m.bytes(), text) {
		return nil, fmt.Errorf("not a manifest")
	}
	return m, nil
}

// cutFields splits s after n fields that single spaces separate.
func cutFields(s string, n int) (head, tail string, ok bool) {
	at := 0
	for range n {
		i := strings.IndexByte(s[at:], ' ')
		if i < 0 {
			return s, "", false
		}
		at += i + 1
	}
	return s[:at-1], s[at:], true
}

func (m manifest) size() (total int64) {
	for _, e := range m {
		total += e.size
	}
	return total
}

// list walks a tree and returns its files without their digests. It refuses
// everything that is neither a regular file nor a part of the seat.
func list(tree string, p Python) (manifest, error) {
	seat := links(p)
	var m manifest
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(tree, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if _, ok := seat[name]; ok || name == seatConfig {
			return nil
		}
		if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return sallyport.Errorf(sallyport.Invalid, "a package installs a file whose name holds control characters or bad UTF-8")
		}
		if !d.Type().IsRegular() {
			return sallyport.Errorf(sallyport.Corrupt, "neither a file nor a folder").At("%s", name)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		m = append(m, entry{path: name, mode: info.Mode().Perm(), size: info.Size()})
		return nil
	})
	slices.SortFunc(m, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return m, err
}

// scan walks a tree and hashes its files in parallel.
func scan(ctx context.Context, tree string, p Python) (manifest, error) {
	m, err := list(tree, p)
	if err != nil {
		return nil, err
	}
	jobs := make(chan *entry)
	errs := make(chan error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var failed error
			for e := range jobs {
				if failed == nil && ctx.Err() == nil {
					e.digest, failed = fileDigest(filepath.Join(tree, filepath.FromSlash(e.path)))
				}
			}
			errs <- failed
		})
	}
	for i := range m {
		jobs <- &m[i]
	}
	close(jobs)
	wg.Wait()
	close(errs)
	if ctx.Err() != nil {
		return nil, interrupted()
	}
	for err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// protect takes every right to write away and leaves files one of two modes,
// whatever umask they were made under.
func protect(tree string) error {
	return filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode()&0o111 != 0 {
			return os.Chmod(path, 0o555)
		}
		return os.Chmod(path, 0o444)
	})
}
