package installed

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// CheckFiles reads a folder of wheels and source distributions and holds each
// against what a list pins: that it is asked for, that its bytes are allowed,
// and that what is in it is what its name and its own RECORD say. Code that
// installing or starting would run is shown. Packages of the project itself need
// no file.
func CheckFiles(ctx context.Context, list *lockfile.List, fsys fs.FS) ([]Problem, error) {
	c := &checker{fsys: fsys, pins: map[string][]*pin{}}
	for _, p := range list.Packages {
		if p.Source.Path == "" {
			c.pins[p.Name] = append(c.pins[p.Name], &pin{Package: p})
		}
	}
	names, err := c.archives()
	if err != nil {
		return nil, err
	}
	jobs := make(chan string)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for name := range jobs {
				if ctx.Err() != nil {
					continue
				}
				said, err := c.archive(name)
				mu.Lock()
				failed = first(failed, err)
				c.problems = append(c.problems, said...)
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		jobs <- name
	}
	close(jobs)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, interrupted()
	}
	if failed != nil {
		return nil, failed
	}
	for _, pins := range c.pins {
		for _, p := range pins {
			if !p.found {
				c.problems = append(c.problems, Problem{Rule: Absent, Package: p.Name, Version: p.Version, What: "no file of the folder is of this package"})
			}
		}
	}
	inOrder(c.problems)
	return c.problems, nil
}

// A checker holds archives against pins.
type checker struct {
	fsys     fs.FS
	pins     map[string][]*pin // by name
	problems []Problem
}

// A pin is a package of the list, and whether there is a file of it.
type pin struct {
	lockfile.Package
	found bool
}

// archives returns the files of the folder and marks whose they are.
func (c *checker) archives() ([]string, error) {
	var names []string
	err := fs.WalkDir(c.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fault(err)
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			c.problems = append(c.problems, Problem{Rule: Link, Path: name, What: "a link or a device in the place of a file; it was not followed"})
			return nil
		case attests(name):
			return nil
		}
		names = append(names, name)
		if p := c.pin(name); p != nil {
			p.found = true
		}
		return nil
	})
	return names, err
}

// attests reports whether a file says something about another beside it.
func attests(name string) bool {
	for _, end := range []string{".attestation", ".provenance", ".metadata", ".asc"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// pin returns what the list says about a file, or nil.
func (c *checker) pin(name string) *pin {
	f, ok := dist.ParseFile(path.Base(name))
	if !ok {
		return nil
	}
	for _, p := range c.pins[f.Name] {
		if sameVersion(p.Version, f.Version) {
			return p
		}
	}
	return nil
}

// archive checks one file.
func (c *checker) archive(name string) ([]Problem, error) {
	file, ok := dist.ParseFile(path.Base(name))
	if !ok {
		return []Problem{{Rule: Unasked, Path: name, What: "not the name of a wheel or of a source distribution"}}, nil
	}
	f, err := c.fsys.Open(name)
	if err != nil {
		return nil, fault(err)
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	info, err := f.Stat()
	if err != nil || !ok {
		return nil, fault(first(err, fs.ErrInvalid))
	}
	a := &archive{path: name, file: file, pkg: file.Name, version: file.Version}
	if p := c.pin(name); p == nil {
		a.say(Unasked, "", 0, "the lock does not ask for this version of the package")
	} else if err := a.hashes(p.Hashes, io.NewSectionReader(at, 0, info.Size())); err != nil {
		return nil, fault(err)
	}
	if file.Wheel() {
		a.wheel(at, info.Size())
	} else {
		a.sdist(at, info.Size())
	}
	return a.said, nil
}

// An archive is one that is being checked.
type archive struct {
	path         string
	file         dist.File
	pkg, version string
	said         []Problem
}

// say notes a problem of the archive, or of a member.
func (a *archive) say(rule Rule, member string, line int, what string) {
	p := Problem{Rule: rule, Package: a.pkg, Version: a.version, Path: a.path, Line: line, What: what}
	if member != "" {
		p.Path += "/" + printable(member, 300)
	}
	a.said = append(a.said, p)
}

// hashes holds the bytes against the hashes that the lock allows, "sha256:…".
// Any one that fits will do: they are of several files.
func (a *archive) hashes(allowed []string, r io.Reader) error {
	got := sums{}
	for _, h := range allowed {
		algorithm, _, _ := strings.Cut(h, ":")
		got.add(algorithm)
	}
	if len(got) == 0 {
		a.say(Unrecorded, "", 0, "the lock names no SHA-256 or better for this package")
		return nil
	}
	if _, err := io.Copy(got.writer(), r); err != nil {
		return err
	}
	for _, h := range allowed {
		algorithm, want, _ := strings.Cut(h, ":")
		sum, err := hex.DecodeString(want)
		if s := got[algorithm]; s != nil && err == nil && bytes.Equal(sum, s.Sum(nil)) {
			return nil
		}
	}
	a.say(Mismatch, "", 0, "its bytes have none of the hashes that the lock allows for this package")
	return nil
}
