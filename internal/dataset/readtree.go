package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/sallyport/sallyport"
)

// A restoring is a tree, or a sample of it, on its way out of the store.
type restoring struct {
	c        *chain
	ctx      context.Context
	sample   *sample
	pattern  *regexp.Regexp
	root     *os.Root // where the tree goes
	grant    bool     // whether everybody may read it
	total    int64
	progress func(done, total int64)

	mu   sync.Mutex
	done int64
}

// restore writes the selected files and folders into root, which is empty, and
// returns how many files and bytes there are and the digest of what they are.
// Every file is checked against its hash before it is there.
func (r *restoring) restore() (records, bytes int64, content sallyport.Digest, err error) {
	sum := sha256.New()
	err = r.each(func(f *listed) error {
		f.hash(sum)
		if f.dir {
			return outputFailed(cause(r.root.MkdirAll(filepath.FromSlash(f.path), 0o700)))
		}
		records++
		bytes += f.size
		return nil
	})
	if err != nil {
		return 0, 0, "", err
	}
	r.total = bytes
	for _, inc := range r.c.all {
		gone := r.c.gone(inc)
		for n := range inc.Windows {
			if r.ctx.Err() != nil {
				return 0, 0, "", interrupted()
			}
			if err := r.window(inc, n, gone); err != nil {
				return 0, 0, "", err
			}
		}
	}
	err = r.each(func(f *listed) error { // now that nothing is put into them any more
		if !f.dir {
			return nil
		}
		name := filepath.FromSlash(f.path)
		return outputFailed(cause(errors.Join(r.root.Chmod(name, r.mode(f.mode, 0o555)), r.root.Chtimes(name, f.mtime, f.mtime))))
	})
	return records, bytes, contentOf(sum), err
}

// each calls fn with every selected file and folder in the order of paths.
func (r *restoring) each(fn func(*listed) error) error {
	all, err := r.c.listings(r.ctx)
	if err != nil {
		return err
	}
	for f := all.peek(); f != nil; f = all.peek() {
		if r.has(&f.file) {
			if err := fn(f); err != nil {
				return err
			}
		}
		if err := all.skip(); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether a file or folder is selected. Folders that are nobody's
// always are.
func (r *restoring) has(f *file) bool {
	if r.sample == nil {
		return true
	}
	subject := subjectOf(r.pattern, f)
	return subject == nil || r.sample.has(subject)
}

// window writes the selected files of a window.
func (r *restoring) window(inc *increment, n int, gone map[[2]int]bool) error {
	files, err := r.c.listing(r.ctx, inc, n)
	if err != nil {
		return err
	}
	want := make([]bool, len(files))
	parts, any := make([]int, len(files)), false // where the parts of each file begin
	next := 0
	for i := range files {
		want[i] = !files[i].dir && !files[i].erased && !gone[[2]int{n, i}] && r.has(&files[i])
		any = any || want[i]
		parts[i] = next
		next += files[i].parts()
	}
	if next != len(inc.Windows[n].Parts) {
		return corrupt(inc.Ref(), "a window has not as many parts as its files")
	}
	if !any {
		return nil
	}
	contents, release, err := r.contents(inc, n, files)
	if err != nil {
		return err
	}
	defer release()
	const chunk = 32
	return parallel((len(files)+chunk-1)/chunk, func(c int) error {
		dir := &folder{root: r.root}
		defer dir.close()
		for i := c * chunk; i < min(len(files), (c+1)*chunk); i++ {
			f := &files[i]
			if !want[i] {
				continue
			}
			read := func(int) ([]byte, error) { return contents[i], nil }
			if p := f.parts(); p > 0 {
				read = func(k int) ([]byte, error) { return r.part(inc, n, parts[i]+k) }
			}
			if err := r.write(dir, f, inc, read); err != nil {
				return err
			}
		}
		return nil
	})
}

// contents opens the buckets of a window and returns the bytes of each of its
// small files, and what gives their memory back.
func (r *restoring) contents(inc *increment, n int, files []file) (contents [][]byte, release func(), err error) {
	w := inc.Windows[n]
	contents = make([][]byte, len(files))
	bufs := make([]*[]byte, len(w.Buckets))
	release = func() {
		for _, b := range bufs {
			if b != nil {
				bodies.Put(b)
			}
		}
	}
	var there, of []int
	for b, i := range w.Buckets {
		if i >= 0 {
			there, of = append(there, i), append(of, b)
		}
	}
	segs, err := r.c.s.segments(r.ctx, inc.Version, there)
	if err != nil {
		return nil, nil, err
	}
	err = parallel(len(segs), func(i int) error {
		b := bodies.Get().(*[]byte)
		bufs[of[i]] = b
		plain, err := r.c.s.Blobs.Read(segs[i], r.c.s.Ring, (*b)[:0])
		if err != nil {
			return err
		}
		*b = plain
		body, err := inc.head(kindRecords, n, of[i]).cut(plain)
		if err != nil {
			return err
		}
		rec, err := parseRecords(body, len(files))
		if err != nil {
			return err
		}
		for rec.left > 0 {
			contents[rec.nextNumber()] = rec.nextRecord()
		}
		return nil
	})
	if err != nil {
		release()
		return nil, nil, err
	}
	return contents, release, nil
}

// part opens a part of a large file.
func (r *restoring) part(inc *increment, n, i int) ([]byte, error) {
	segs, err := r.c.s.segments(r.ctx, inc.Version, []int{inc.Windows[n].Parts[i]})
	if err != nil {
		return nil, err
	}
	return r.c.s.body(segs[0], inc.head(kindPart, n, i), nil)
}

// write writes a file, whose bytes read returns part by part.
func (r *restoring) write(dir *folder, f *file, inc *increment, read func(part int) ([]byte, error)) error {
	in, name, err := dir.of(f.path)
	if err != nil {
		return outputFailed(cause(err))
	}
	out, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return outputFailed(cause(err))
	}
	defer out.Close()
	sum := sha256.New()
	for k := range max(1, f.parts()) {
		b, err := read(k)
		if err != nil {
			return err
		}
		sum.Write(b)
		if _, err := out.Write(b); err != nil {
			return outputFailed(cause(err))
		}
		r.report(len(b))
	}
	if [sha256.Size]byte(sum.Sum(nil)) != f.sum {
		return corrupt(inc.Ref(), "a file does not have the hash that it was added with")
	}
	if err := errors.Join(out.Chmod(r.mode(f.mode, 0o444)), out.Close(), in.Chtimes(name, f.mtime, f.mtime)); err != nil {
		return outputFailed(cause(err))
	}
	return nil
}

// mode is the mode that something gets: its own, and what everybody may do.
func (r *restoring) mode(own, everybody fs.FileMode) fs.FileMode {
	if r.grant {
		return own | everybody
	}
	return own
}

func (r *restoring) report(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += int64(n)
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
}

// A folder keeps the folder of the last file open, since the next is mostly in
// the same one.
type folder struct {
	root *os.Root
	path string
	open *os.Root
}

// of returns the folder that a slash path is in, which is made if need be, and
// the path's last element.
func (d *folder) of(slash string) (*os.Root, string, error) {
	parent, name := path.Split(slash)
	if parent == "" {
		return d.root, name, nil
	}
	if d.open != nil && d.path == parent {
		return d.open, name, nil
	}
	d.close()
	local := filepath.FromSlash(path.Clean(parent))
	if err := d.root.MkdirAll(local, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, "", err
	}
	var err error
	d.open, err = d.root.OpenRoot(local)
	d.path = parent
	return d.open, name, err
}

func (d *folder) close() {
	if d.open != nil {
		d.open.Close()
		d.open = nil
	}
}
