package dataset

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/sallyport/sallyport"
)

// Get writes a version to dst, where nothing may be: the very bytes of the
// table, or the tree, for its owner's eyes only. What is written is checked
// against the version's root before it gets its name; until then it has a
// temporary one beside it.
//
// Kinds of errors: Denied (no key), NotFound, Usage (dst is there), Corrupt,
// NoSpace, Interrupted. After an error there is nothing at dst.
func (s *Store) Get(ctx context.Context, ref sallyport.Ref, dst string, progress func(done, total int64)) error {
	if err := s.mayOpen(); err != nil {
		return err
	}
	v, err := s.Find(ctx, ref)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(dst); err == nil {
		return sallyport.Errorf(sallyport.Usage, "there is something already").At("%s", dst).Try("give a path that does not exist")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.Usage, "it cannot be put there: %w", cause(err)).At("%s", dst).Try("give another path")
	}
	root, err := os.OpenRoot(filepath.Dir(filepath.Clean(dst)))
	if errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.NotFound, "there is no folder to put it in").At("%s", dst).Try("make the folder first")
	} else if err != nil {
		return outputFailed(err)
	}
	defer root.Close()
	var suffix [8]byte
	rand.Read(suffix[:])
	name := filepath.Base(filepath.Clean(dst))
	temp := "." + name + "." + hex.EncodeToString(suffix[:])
	defer root.RemoveAll(temp)
	x, err := s.extract(ctx, v, Selection{}, root, temp, extraction{progress: progress})
	if err != nil {
		return err
	}
	if x.Digest != v.Root {
		return corrupt(v.Ref(), "what came out is not what went in")
	}
	if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.Usage, "something was put there meanwhile").At("%s", dst).Try("give a path that does not exist")
	}
	return outputFailed(root.Rename(temp, name))
}

// Extracted is what a selection of a version holds. Digest commits to it: it is
// SHA-256(salt || content), as the version's root is, and for everything it is
// the root.
type Extracted struct {
	Records  int64
	Subjects int64
	Bytes    int64
	Digest   sallyport.Digest
}

// Extract writes the records that sel selects, in their order, to name in
// root, where nothing may be: a file, or a folder for a tree. A header is part
// of every selection. Everybody may read it: it is written for a program that
// runs under another ID, into a place that nobody else sees. After an error what
// was begun is gone.
func (s *Store) Extract(ctx context.Context, v *Version, sel Selection, root *os.Root, name string) (Extracted, error) {
	x, err := s.extract(ctx, v, sel, root, name, extraction{grant: true})
	if err != nil {
		return Extracted{}, err
	}
	if sel.everything() && x.Digest != v.Root {
		root.RemoveAll(name)
		return Extracted{}, corrupt(v.Ref(), "what came out is not what went in")
	}
	return x, nil
}

// extraction says how something is extracted.
type extraction struct {
	grant    bool                    // everybody may read it
	progress func(done, total int64) // may be nil
}

func (x extraction) mode() fs.FileMode {
	if x.grant {
		return 0o644
	}
	return 0o600
}

func (s *Store) extract(ctx context.Context, v *Version, sel Selection, root *os.Root, name string, how extraction) (x Extracted, err error) {
	c, err := s.open(ctx, v)
	if err != nil {
		return x, err
	}
	if c.set.Format == Tree {
		return c.extractTree(ctx, sel, root, name, how)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, how.mode())
	if err != nil {
		return x, outputFailed(err)
	}
	defer func() {
		err = errors.Join(err, outputFailed(f.Close()))
		if err != nil {
			root.Remove(name)
		}
	}()
	return c.writeTable(ctx, sel, f, how.progress)
}

// WriteTo writes the records of a table that sel selects to w, header first.
// After an error w has got a part of them.
func (s *Store) WriteTo(ctx context.Context, v *Version, sel Selection, w io.Writer) (Extracted, error) {
	c, err := s.open(ctx, v)
	if err != nil {
		return Extracted{}, err
	}
	if c.set.Format == Tree {
		return Extracted{}, sallyport.Errorf(sallyport.Usage, "dataset %s is a tree and not a table", v.Dataset).
			Try("get it as a folder with: sallyport data get %s -o PATH", v.Ref())
	}
	return c.writeTable(ctx, sel, w, nil)
}

func (c *chain) writeTable(ctx context.Context, sel Selection, w io.Writer, progress func(done, total int64)) (Extracted, error) {
	sample, err := c.sample(ctx, sel)
	if err != nil {
		return Extracted{}, err
	}
	subjects, err := c.count(ctx, sample)
	if err != nil {
		return Extracted{}, err
	}
	sum := newDigester()
	out := &counter{w: io.MultiWriter(sum, w), total: c.last.Bytes, progress: progress}
	records, err := c.write(ctx, sample, out, sum.cut)
	if err != nil {
		return Extracted{}, err
	}
	return Extracted{records, subjects, out.done, c.last.salted(sum.content())}, nil
}

func (c *chain) extractTree(ctx context.Context, sel Selection, root *os.Root, name string, how extraction) (x Extracted, err error) {
	sample, err := c.sample(ctx, sel)
	if err != nil {
		return x, err
	}
	subjects, err := c.count(ctx, sample)
	if err != nil {
		return x, err
	}
	if err := root.Mkdir(name, 0o700); err != nil {
		return x, outputFailed(err)
	}
	defer func() {
		if err != nil {
			root.RemoveAll(name)
		}
	}()
	into, err := root.OpenRoot(name)
	if err != nil {
		return x, outputFailed(err)
	}
	defer into.Close()
	pattern, err := regexp.Compile(c.set.Pattern)
	if err != nil {
		return x, corrupt(c.last.Ref(), "its pattern cannot be read")
	}
	r := &restoring{c: c, ctx: ctx, sample: sample, pattern: pattern, root: into, grant: how.grant, progress: how.progress}
	records, bytes, content, err := r.restore()
	return Extracted{records, subjects, bytes, c.last.salted(content)}, err
}

// counter counts what is written.
type counter struct {
	w           io.Writer
	done, total int64
	progress    func(done, total int64)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return n, err
}
