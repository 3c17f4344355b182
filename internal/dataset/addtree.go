package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"

	"github.com/sallyport/sallyport"
)

// A planting is a tree under way into the store.
type planting struct {
	*adding
	ctx     context.Context
	pattern *regexp.Regexp
	listed  *merged // what the newest version lists, from where the walk has come to
	mem     []byte  // what the small files of a batch are read into
	parts   []int   // segments of the large new files of a batch
	content hash.Hash
	files   int64 // met so far
	bytes   int64
	kept    int // files and folders that the newest version has
}

// tree reads a tree and stores what of it the newest version does not have.
func (a *adding) tree(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &planting{adding: a, ctx: ctx, pattern: regexp.MustCompile(a.set.Pattern), listed: new(merged), content: sha256.New()}
	if a.old != nil {
		var err error
		a.m.Dropped = slices.Clone(a.old.last.Dropped)
		if p.listed, err = a.old.listings(ctx); err != nil {
			cancel()
			return err
		}
	}
	w := &walker{ctx: ctx, root: a.src.Path, pattern: p.pattern, batches: make(chan batch)}
	var walking sync.WaitGroup
	defer walking.Wait()
	defer cancel()
	walking.Go(w.walk)
	for b := range w.batches {
		if b.err != nil {
			return b.err
		}
		if err := p.plant(b); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return interrupted()
	}
	return p.conclude()
}

// conclude settles what the version is once everything has been met.
func (p *planting) conclude() error {
	for p.listed.peek() != nil {
		if err := p.drop(); err != nil {
			return err
		}
	}
	if p.files == 0 {
		return sallyport.Errorf(sallyport.Invalid, "there is no file in it").At("%s", p.src.Path)
	}
	if p.kept > 0 {
		p.extend()
		p.report.Unchanged = len(p.m.Windows) == 0 && len(p.m.Dropped) == len(p.old.last.Dropped)
	} else {
		p.m.Dropped = nil
	}
	p.m.Content = contentOf(p.content)
	p.v.Records, p.v.Bytes = p.files-p.report.NewRecords, p.bytes-p.report.NewBytes
	return nil
}

// plant reads the files of a batch and stores those that are new.
func (p *planting) plant(b batch) error {
	if p.ctx.Err() != nil {
		return interrupted()
	}
	if cap(p.mem) < b.size {
		p.mem = make([]byte, min(windowSize, 2*b.size))
	}
	const chunk = 32
	n := len(b.found)
	err := parallel((n+chunk-1)/chunk, func(c int) error {
		for i := c * chunk; i < min(n, (c+1)*chunk); i++ {
			if err := p.read(&b.found[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fresh := make([]*found, 0, n)
	p.parts = nil
	for i := range b.found {
		f := &b.found[i]
		isNew, err := p.settle(f)
		if err != nil {
			return err
		}
		f.hash(p.content)
		if isNew {
			fresh = append(fresh, f)
		}
		if !f.dir {
			p.files++
			p.bytes += f.size
		}
	}
	if p.progress != nil {
		p.progress(p.bytes, 0)
	}
	if len(fresh) == 0 {
		return nil
	}
	return p.store(fresh)
}

// read reads a small file into its place in p.mem and hashes it.
func (p *planting) read(f *found) error {
	if f.dir || f.parts() > 0 {
		return nil
	}
	in, err := p.open(f)
	if err != nil {
		return err
	}
	defer in.Close()
	into := p.mem[f.off : f.off+int(f.size)]
	if _, err := io.ReadFull(in, into); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return p.fault(f, "it cannot be read: %w", cause(err))
	}
	f.sum = sha256.Sum256(into)
	return p.steady(f, in)
}

func (p *planting) open(f *found) (*os.File, error) {
	in, err := os.Open(filepath.Join(p.src.Path, filepath.FromSlash(f.path)))
	if err != nil {
		return nil, p.fault(f, "it cannot be read: %w", cause(err))
	}
	return in, nil
}

// steady returns an error if an open file is not what was met on the walk, or
// has changed since.
func (p *planting) steady(f *found, in *os.File) error {
	now, err := in.Stat()
	if err == nil && os.SameFile(now, f.info) && now.Size() == f.size && now.ModTime().Equal(f.mtime) {
		return nil
	}
	return p.fault(f, "it changed while it was read; nothing was kept").Try("add the folder again when nothing writes to it")
}

func (p *planting) fault(f *found, format string, args ...any) *sallyport.Error {
	return sallyport.Errorf(sallyport.Invalid, format, args...).
		At("%s: file %d in the order of names, %s", p.src.Path, f.number, masked(p.pattern, &f.file))
}

// settle compares f with what the newest version lists at this place, and
// reports whether f is new. A new large file is then stored.
func (p *planting) settle(f *found) (isNew bool, err error) {
	for {
		l := p.listed.peek()
		if l == nil || comparePaths(l.path, f.path) > 0 {
			break
		}
		if l.path == f.path && l.size == f.size && f.parts() > 0 {
			if err := p.large(f, false); err != nil { // for its hash alone
				return false, err
			}
		}
		if l.same(&f.file) {
			p.kept++
			return false, p.listed.skip()
		}
		if err := p.drop(); err != nil {
			return false, err
		}
	}
	if f.parts() > 0 {
		err = p.large(f, true)
	}
	return true, err
}

// drop leaves out of the version what the newest one lists next.
func (p *planting) drop() error {
	l := p.listed.peek()
	d := dropped{Version: l.inc.Version.Number, Window: l.window, Entry: l.entry}
	if subject := subjectOf(p.pattern, &l.file); subject != nil {
		d.Tag = p.tags.tag(subject)
	}
	if !l.dir {
		d.Records = 1
	}
	p.m.Dropped = append(p.m.Dropped, d)
	return p.listed.skip()
}

// large reads a large file part by part and hashes it. With keep, its parts are
// stored too, on all processors.
func (p *planting) large(f *found, keep bool) error {
	in, err := p.open(f)
	if err != nil {
		return err
	}
	defer in.Close()
	n := f.parts()
	segments, errs := make([]int, n), make([]error, n)
	free := make(chan []byte, runtime.GOMAXPROCS(0))
	for range cap(free) {
		free <- nil
	}
	sum := sha256.New()
	var putting sync.WaitGroup
	defer putting.Wait()
	for i := range n {
		if p.ctx.Err() != nil {
			return interrupted()
		}
		buf := p.m.head(kindPart, len(p.m.Windows), len(p.parts)+i).append((<-free)[:0])
		at := len(buf)
		buf = slices.Grow(buf, partSize)[:at+int(min(partSize, f.size-int64(i)*partSize))]
		if _, err := io.ReadFull(in, buf[at:]); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return p.fault(f, "it cannot be read: %w", cause(err))
		}
		sum.Write(buf[at:])
		if !keep {
			free <- buf
			continue
		}
		putting.Go(func() {
			segments[i], errs[i] = p.w.Put(buf)
			free <- buf
		})
	}
	putting.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if keep {
		p.parts = append(p.parts, segments...)
	}
	f.sum = [sha256.Size]byte(sum.Sum(nil))
	return p.steady(f, in)
}

// store seals new files and folders as a window.
func (p *planting) store(fresh []*found) error {
	window := len(p.m.Windows)
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	*buf = p.m.head(kindListing, window, 0).append((*buf)[:0])
	tags := make([]uint64, len(fresh)) // 0 of a folder that is nobody's
	var files, folders []uint64        // the tags for the index
	size, before := 0, ""
	for i, f := range fresh {
		*buf = appendFile(*buf, before, &f.file)
		before = f.path
		if f.sub != nil {
			tags[i] = p.tags.tag(f.sub)
		}
		if f.dir {
			if f.sub != nil {
				folders = append(folders, tags[i])
			}
			continue
		}
		files = append(files, tags[i])
		p.report.NewRecords++
		p.report.NewBytes += f.size
		if f.parts() == 0 {
			size += int(f.size)
		}
	}
	listing, err := p.w.Put(*buf)
	if err != nil {
		return err
	}
	segments, err := p.putRecords(window, size, tags,
		func(i int) bool { return fresh[i].dir || fresh[i].size == 0 || fresh[i].parts() > 0 },
		func(i int) []byte { return p.mem[fresh[i].off : fresh[i].off+int(fresh[i].size)] })
	if err != nil {
		return err
	}
	p.m.Windows = append(p.m.Windows, windowEntry{Records: len(fresh), Buckets: segments, Listing: listing + 1, Parts: p.parts})
	return errors.Join(p.index.add(window, files, 1), p.index.add(window, folders, 0))
}
