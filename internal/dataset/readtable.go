package dataset

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// A table comes back window by window: the buckets of the next windows are
// opened while the records of this one are put in order.

// maxUnsealed bounds the windows that are in memory at once.
const maxUnsealed = 2

// unsealed is a window with its buckets opened.
type unsealed struct {
	inc    *increment
	number int // of the window in the increment
	lead   []byte
	open   []bucketOf
	err    error
	done   chan struct{}
}

// bucketOf is an opened bucket: its records, and which of them are selected.
type bucketOf struct {
	records
	keep []bool // nil for all
	buf  *[]byte
}

// write writes the selected records of all increments, in order, and what
// stands before them, to w, and calls cut after each piece of the content. It
// returns how many records there were.
func (c *chain) write(ctx context.Context, sample *sample, w io.Writer, cut func()) (written int64, err error) {
	l, err := c.layout()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	windows := make(chan *unsealed, maxUnsealed-1)
	var opening sync.WaitGroup
	defer opening.Wait()
	defer cancel()
	opening.Go(func() { c.openWindows(ctx, l, sample, windows) })

	out := newPipe(w, cut)
	defer out.close()
	m := merger{out: out}
	for u := range windows {
		<-u.done
		if u.err != nil {
			return written, u.err
		}
		if u.number == 0 {
			out.write(u.lead)
			out.mark()
		}
		n, err := m.merge(u)
		if err != nil {
			return written, err
		}
		if u.open != nil {
			out.mark()
		}
		written += n
		if u.release(); out.failed.Load() {
			return written, out.close()
		}
	}
	if ctx.Err() != nil {
		return written, interrupted()
	}
	return written, out.close()
}

// openWindows sends every window in order, its buckets still being opened.
func (c *chain) openWindows(ctx context.Context, l layout, sample *sample, windows chan<- *unsealed) {
	defer close(windows)
	workers := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, inc := range c.all {
		lead := inc.Lead
		for n := range max(1, len(inc.Windows)) {
			u := &unsealed{inc: inc, number: n, lead: lead, done: make(chan struct{})}
			lead = nil
			select {
			case windows <- u:
			case <-ctx.Done():
				return
			}
			if len(inc.Windows) == 0 {
				close(u.done)
				continue
			}
			c.openWindow(ctx, u, l, sample, workers)
		}
	}
}

// openWindow starts opening the buckets of a window, one per free worker, and
// returns when all have started. u.done is closed when all are open.
func (c *chain) openWindow(ctx context.Context, u *unsealed, l layout, sample *sample, workers chan struct{}) {
	entry := u.inc.Windows[u.number]
	u.open = make([]bucketOf, len(entry.Buckets))
	var there []int
	for _, i := range entry.Buckets {
		if i >= 0 {
			there = append(there, i)
		}
	}
	segs, err := c.s.segments(ctx, u.inc.Version, there)
	if err != nil {
		u.err = err
		close(u.done)
		return
	}
	errs := make([]error, len(entry.Buckets))
	var opening sync.WaitGroup
	for b, i := range entry.Buckets {
		if i < 0 {
			continue
		}
		seg := segs[0]
		segs = segs[1:]
		workers <- struct{}{}
		opening.Go(func() {
			defer func() { <-workers }()
			errs[b] = c.openBucket(&u.open[b], u, b, seg, entry.Records, l, sample)
		})
	}
	go func() {
		opening.Wait()
		u.err = errors.Join(errs...)
		close(u.done)
	}()
}

func (c *chain) openBucket(into *bucketOf, u *unsealed, b int, seg state.Segment, limit int, l layout, sample *sample) error {
	into.buf = bodies.Get().(*[]byte)
	plain, err := c.s.Blobs.Read(seg, c.s.Ring, (*into.buf)[:0])
	if err != nil {
		return err
	}
	*into.buf = plain
	body, err := u.inc.head(kindRecords, u.number, b).cut(plain)
	if err != nil {
		return err
	}
	if into.records, err = parseRecords(body, limit); err != nil || sample == nil {
		return err
	}
	into.keep = make([]bool, into.left)
	r := into.records
	var buf []byte
	for i := range into.keep {
		r.nextNumber()
		subject, f := l.subject(r.nextRecord(), buf)
		if f != nil {
			return damaged("a stored record is not one")
		}
		into.keep[i] = sample.has(subject)
	}
	return nil
}

// release gives the memory of a window back.
func (u *unsealed) release() {
	for i := range u.open {
		if b := u.open[i].buf; b != nil {
			bodies.Put(b)
		}
	}
}

// A merger puts the records of windows in order again.
type merger struct {
	out *pipe
	of  []uint8 // which bucket each record of the window is in
}

const nowhere = 0xff

// merge writes the selected records of u and returns how many there are. Every
// number of the window must be in exactly one bucket, but for those that were
// erased, which must be in none.
func (m *merger) merge(u *unsealed) (written int64, err error) {
	if u.open == nil {
		return 0, nil
	}
	entry := u.inc.Windows[u.number]
	m.of = slices.Grow(m.of[:0], entry.Records)[:entry.Records]
	for i := range m.of {
		m.of[i] = nowhere
	}
	total := 0
	for b := range u.open {
		r := u.open[b].records // a copy: this walk does not move the real one
		total += r.left
		for r.left > 0 {
			m.of[r.nextNumber()] = uint8(b)
		}
	}
	if want := entry.Records - entry.Gone; total != want {
		return 0, corrupt(u.inc.Ref(), "a window has %d records and should have %d", total, want)
	}
	gone := 0
	for _, b := range m.of {
		if b == nowhere {
			if gone++; gone > entry.Gone {
				return 0, corrupt(u.inc.Ref(), "two buckets of a window hold the same record")
			}
			continue
		}
		o := &u.open[b]
		record := o.nextRecord()
		if o.keep != nil {
			keep := o.keep[0]
			o.keep = o.keep[1:]
			if !keep {
				continue
			}
		}
		m.out.write(record)
		written++
	}
	return written, nil
}

// A pipe gathers bytes and writes them in large pieces from a goroutine of its
// own, so that hashing and writing go on beside the merging.
type pipe struct {
	buf    []byte
	full   chan piece
	free   chan []byte
	ended  chan struct{}
	err    error       // of the writer; read after ended
	failed atomic.Bool // that there is one: no use in going on
	closed bool
}

// A piece is what is written at once.
type piece struct {
	data []byte
	last bool // a piece of the content ends here
}

const pipePiece = 1 << 20

func newPipe(w io.Writer, cut func()) *pipe {
	p := &pipe{full: make(chan piece, 2), free: make(chan []byte, 4), ended: make(chan struct{})}
	for range cap(p.free) - 1 {
		p.free <- make([]byte, 0, pipePiece)
	}
	p.buf = make([]byte, 0, pipePiece)
	go func() {
		defer close(p.ended)
		for b := range p.full {
			if p.err == nil {
				_, p.err = w.Write(b.data)
				p.failed.Store(p.err != nil)
			}
			if b.last {
				cut()
			}
			p.free <- b.data[:0]
		}
	}()
	return p
}

func (p *pipe) write(b []byte) {
	if len(p.buf)+len(b) > cap(p.buf) && len(p.buf) > 0 {
		p.send(false)
	}
	p.buf = append(p.buf, b...)
}

// mark ends a piece of the content.
func (p *pipe) mark() { p.send(true) }

func (p *pipe) send(last bool) {
	p.full <- piece{p.buf, last}
	p.buf = <-p.free
}

// close writes what is left and returns the first error of the writer.
func (p *pipe) close() error {
	if !p.closed {
		p.closed = true
		p.full <- piece{p.buf, false}
		close(p.full)
	}
	<-p.ended
	return outputFailed(p.err)
}

func outputFailed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return sallyport.Errorf(sallyport.NoSpace, "the disk that is written to is full: %w", err).Try("make room, or write elsewhere")
	case sallyport.KindOf(err) != sallyport.Internal:
		return err
	}
	return sallyport.Errorf(sallyport.Internal, "it cannot be written: %w", err)
}
