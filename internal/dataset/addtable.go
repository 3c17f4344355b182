package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// table reads a table and stores what of it is new.
func (a *adding) table(ctx context.Context) error {
	f, err := os.Open(a.src.Path)
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "it cannot be read: %w", err).At("%s", a.src.Path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return sallyport.Errorf(sallyport.Invalid, "it is not a regular file").At("%s", a.src.Path)
	}
	in := &feed{ctx: ctx, file: f, info: info, progress: a.progress}
	l := newLayout(a.set.Format, a.set.Subject)
	c, err := a.grown(in, l)
	if err != nil {
		return err
	}
	if a.report.Unchanged {
		return in.steady()
	}
	if c == nil {
		c = newCutter(l, in, a.src.Path)
		if a.m.Lead, err = c.lead(l.lead); err != nil {
			return err
		}
	}
	a.m.Header = l.names()
	for _, name := range a.m.Header {
		a.m.Profile.column(name)
	}
	if err := a.windows(c); err != nil {
		return err
	}
	if a.v.Parent != 0 {
		a.m.Profile = *a.old.last.Profile.plus(&a.m.Profile)
	}
	var before []*increment
	if a.v.Parent != 0 {
		before = a.old.all
	}
	a.m.Content = tableContent(append(slices.Clip(before), &increment{a.v, a.m}))
	a.report.NewBytes = in.done - a.v.Bytes
	return in.steady()
}

// grown looks whether the file begins with the whole newest version, and what
// follows begins with a new line. If so, the version to be extends that one,
// and what grown returns goes on where it ends. If not, grown returns nil, and
// the file is at its beginning again.
func (a *adding) grown(in *feed, l layout) (*cutter, error) {
	if a.old == nil || in.info.Size() < a.old.last.Bytes {
		return nil, nil
	}
	prefix := &lines{n: 1, last: '\n'}
	begins, err := a.old.begins(io.TeeReader(in, prefix))
	if err != nil {
		return nil, err
	}
	if begins {
		if in.done == in.info.Size() {
			a.report.Unchanged = true
			return nil, nil
		}
		if f := l.resume(a.old.last.Header); f != nil {
			return nil, f.at(a.src.Path, 1)
		}
		c := newCutter(l, in, a.src.Path)
		c.line = prefix.n
		follows := prefix.last == '\n'
		lead, err := c.lead(func(data []byte, whole bool) (int, *flaw) {
			n := l.blanks(data, whole)
			follows = follows || n > 0
			return n, nil
		})
		if err != nil {
			return nil, err
		}
		if follows {
			a.extend()
			a.m.Lead = lead
			return c, nil
		}
	}
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "it cannot be read twice: %w", err).At("%s", a.src.Path)
	}
	in.done = 0
	return nil, nil
}

// begins reports whether what r yields begins with the whole table. It reads no
// further than to the first piece that differs.
func (c *chain) begins(r io.Reader) (bool, error) {
	sum, buf := sha256.New(), make([]byte, feedStep)
	piece := func(n int64, want []byte) (bool, error) {
		sum.Reset()
		_, err := io.CopyBuffer(sum, io.LimitReader(r, n), buf)
		return bytes.Equal(sum.Sum(nil), want), err
	}
	for _, inc := range c.all {
		lead := sha256.Sum256(inc.Lead)
		if same, err := piece(int64(len(inc.Lead)), lead[:]); err != nil || !same {
			return false, err
		}
		for _, w := range inc.Windows {
			if same, err := piece(w.Bytes, w.Sum); err != nil || !same {
				return false, err
			}
		}
	}
	return true, nil
}

// lines counts lines, from 1, and remembers the last byte.
type lines struct {
	n    int64
	last byte
}

func (l *lines) Write(b []byte) (int, error) {
	if len(b) > 0 {
		l.n += int64(bytes.Count(b, []byte("\n")))
		l.last = b[len(b)-1]
	}
	return len(b), nil
}

// windows cuts what c reads into windows and stores them, one while the next
// is read.
func (a *adding) windows(c *cutter) error {
	type cut struct {
		w   *window
		err error
	}
	next := make(chan cut)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	defer reader.Wait()
	defer close(stop)
	reader.Go(func() {
		for {
			w, err := c.next()
			select {
			case next <- cut{w, err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	})
	for {
		n := <-next
		if n.err == io.EOF {
			return nil
		} else if n.err != nil {
			return n.err
		}
		err := a.window(c, n.w)
		c.free <- n.w
		if err != nil {
			return err
		}
	}
}

// tagChunk is how many records are tagged by one processor at a time.
const tagChunk = 8192

// window checks, tags and stores the records of a window.
func (a *adding) window(c *cutter, w *window) error {
	n := len(w.ends)
	w.tags = slices.Grow(w.tags[:0], n)[:n]
	var sum [sha256.Size]byte
	var hashing sync.WaitGroup
	hashing.Go(func() { sum = sha256.Sum256(w.data) })
	defer hashing.Wait()
	var notUTF8 atomic.Int64
	err := parallel((n+tagChunk-1)/tagChunk, func(chunk int) error {
		var buf []byte
		from, to := chunk*tagChunk, min(n, (chunk+1)*tagChunk)
		for i := from; i < to; i++ {
			subject, f := c.layout.subject(w.record(i), buf)
			if f != nil {
				return f.at(c.file, w.lineOf(i))
			}
			w.tags[i] = a.tags.tag(subject)
		}
		notUTF8.Add(w.notUTF8(from, to))
		return nil
	})
	if err != nil {
		return err
	}
	a.report.NotUTF8 += notUTF8.Load()
	a.report.NewRecords += int64(n)
	a.sample(c.layout, w)
	segments, err := a.putRecords(w.number, len(w.data), w.tags, nil, w.record)
	if err != nil {
		return err
	}
	hashing.Wait()
	a.m.Windows = append(a.m.Windows, windowEntry{Records: n, Buckets: segments, Bytes: int64(len(w.data)), Sum: sum[:]})
	return a.index.add(w.number, w.tags, 1)
}

// sample takes some records of a window into the profile: one of every so many,
// and which one its tag decides, so that no period of the data shows in it.
func (a *adding) sample(l layout, w *window) {
	n := len(w.ends)
	most := samplesPerWindow
	if len(a.m.Windows) == 0 {
		most = samplesOfFirst
	}
	step := (n + most - 1) / most
	for i := 0; i < n; i += step {
		a.m.Profile.look(l, w.record(i+int(w.tags[i]%uint64(min(step, n-i)))), a.hashes)
	}
}

// notUTF8 returns how many of the records from … to-1 are not valid UTF-8.
func (w *window) notUTF8(from, to int) (n int64) {
	if utf8.Valid(w.data[int(w.ends[from])-len(w.record(from)) : w.ends[to-1]]) {
		return 0
	}
	for i := from; i < to; i++ {
		if !utf8.Valid(w.record(i)) {
			n++
		}
	}
	return n
}

// bodies holds the memory that segments are put together in.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// putRecords gives the records of a window, size bytes in all, to buckets by
// their tags, seals each bucket as a segment, and returns the segments'
// indexes, -1 for a bucket without records. Records for which skip, if there
// is one, is true are left out.
func (a *adding) putRecords(window, size int, tags []uint64, skip func(i int) bool, record func(i int) []byte) ([]int, error) {
	n := buckets(size)
	segments := make([]int, n)
	numbers := a.deal(tags, n, skip)
	err := parallel(n, func(b int) (err error) {
		if len(numbers[b]) == 0 {
			segments[b] = -1
			return nil
		}
		buf := bodies.Get().(*[]byte)
		defer bodies.Put(buf)
		*buf = appendRecords(a.m.head(kindRecords, window, b).append((*buf)[:0]), numbers[b], record)
		segments[b], err = a.w.Put(*buf)
		return err
	})
	return segments, err
}

// deal returns the numbers of the records that are not to be skipped, by
// bucket, in order. They stay as they are until the next call.
func (a *adding) deal(tags []uint64, n int, skip func(i int) bool) (numbers [maxBuckets][]uint32) {
	var count [maxBuckets]int
	for i, t := range tags {
		if skip == nil || !skip(i) {
			count[bucket(t, n)]++
		}
	}
	a.numbers = slices.Grow(a.numbers[:0], len(tags))[:len(tags)]
	from := 0
	for b, c := range count[:n] {
		numbers[b] = a.numbers[from : from : from+c]
		from += c
	}
	for i, t := range tags {
		if skip == nil || !skip(i) {
			b := bucket(t, n)
			numbers[b] = append(numbers[b], uint32(i))
		}
	}
	return numbers
}
