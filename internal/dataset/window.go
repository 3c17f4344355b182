package dataset

import (
	"bytes"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// A table is cut into windows of whole records, and the records of a window are
// given to buckets by their subjects. The sizes bound what is in memory at once:
// two windows, and a bucket for each processor.
const (
	windowSize    = 16 << 20
	windowRecords = 256 << 10
	maxRecord     = 16 << 20
	bucketSize    = 128 << 10 // what an erasure writes anew, at least
	mostBuckets   = 16        // that are made of a window: of a full one they are larger
	maxBuckets    = 32        // that are read
)

// A window is a stretch of a table.
type window struct {
	number int
	line   int64    // the line of its first byte, from 1
	data   []byte   // its records one after another
	ends   []uint32 // where each record ends
	tags   []uint64 // of the records' subjects
	buf    []byte   // the memory that data is a part of
}

func (w *window) record(i int) []byte {
	if i == 0 {
		return w.data[:w.ends[0]]
	}
	return w.data[w.ends[i-1]:w.ends[i]]
}

// lineOf returns the line that the i-th record begins at.
func (w *window) lineOf(i int) int64 {
	return w.line + int64(bytes.Count(w.data[:int(w.ends[i])-len(w.record(i))], []byte("\n")))
}

// A cutter cuts what in yields into windows. Windows that are given back on
// free are used again.
type cutter struct {
	layout  layout
	in      io.Reader
	file    string
	free    chan *window
	size    int    // of windows, in bytes
	records int    // of windows, at most
	longest int    // record
	whole   bool   // in is at its end
	rest    []byte // what was read and is not in a window yet
	line    int64  // of the first byte of rest
	number  int
}

func newCutter(l layout, in io.Reader, file string) *cutter {
	c := &cutter{layout: l, in: in, file: file, free: make(chan *window, 2), line: 1,
		size: windowSize, records: windowRecords, longest: maxRecord}
	for range cap(c.free) {
		c.free <- new(window)
	}
	return c
}

// fill moves the rest into the memory of w and reads on until that is size
// bytes.
func (c *cutter) fill(w *window, size int) error {
	size = max(size, len(c.rest))
	if len(w.buf) < size {
		w.buf = make([]byte, size)
	}
	n := copy(w.buf, c.rest)
	for n < size && !c.whole {
		m, err := c.in.Read(w.buf[n:size])
		n += m
		if err == io.EOF {
			c.whole = true
		} else if err != nil {
			return err
		}
	}
	if i := bytes.IndexByte(w.buf[len(c.rest):n], 0); i >= 0 {
		f := flaw{what: "there is a NUL byte; this is not a text file", mend: "if it is UTF-16, convert it to UTF-8"}
		return f.at(c.file, c.line+int64(bytes.Count(w.buf[:len(c.rest)+i], []byte("\n"))))
	}
	c.rest = w.buf[:n]
	return nil
}

// lead reads what stands before the first record: as much as skip says.
func (c *cutter) lead(skip func(data []byte, whole bool) (int, *flaw)) ([]byte, error) {
	w := <-c.free
	defer func() { c.free <- w }()
	var n int
	var f *flaw
	for size := c.size; ; size = 2 * c.longest {
		if err := c.fill(w, size); err != nil {
			return nil, err
		}
		n, f = skip(c.rest, c.whole)
		if c.whole || size > c.size || f == nil && !c.undecided(c.rest[n:]) {
			break
		}
	}
	if f == nil && n > c.longest {
		f = &flaw{what: "there are more than 16 MiB before the first record", mend: "check its quotes and line ends"}
	}
	if f != nil {
		return nil, f.at(c.file, c.line)
	}
	lead := bytes.Clone(c.rest[:n])
	c.advance(n)
	return lead, nil
}

// advance takes the first n bytes off the rest.
func (c *cutter) advance(n int) {
	c.line += int64(bytes.Count(c.rest[:n], []byte("\n")))
	c.rest = c.rest[n:]
}

// next returns the next window, or io.EOF after the last. A record that cannot
// be is an error only when it comes first: what is wrong before it is then
// found before.
func (c *cutter) next() (*window, error) {
	w := <-c.free
	for size := c.size; ; size = 2 * c.longest {
		if err := c.fill(w, size); err != nil {
			return nil, err
		}
		w.ends = c.layout.split(c.rest, w.ends[:0], c.records, c.whole)
		if n := len(w.ends); n > 0 && !c.whole && c.undecided(c.rest[w.ends[n-1]:]) {
			// Whether a blank line follows, which would belong to the last
			// record, is not known yet: keep that record for the next window.
			w.ends = w.ends[:n-1]
		}
		if len(w.ends) > 0 || c.whole || size > c.size {
			break
		}
	}
	end := 0
	for i, e := range w.ends {
		if int(e)-end > c.longest {
			w.ends = w.ends[:i]
			break
		}
		end = int(e)
	}
	if len(w.ends) == 0 {
		if len(c.rest) == 0 {
			return nil, io.EOF
		}
		return nil, c.layout.stuck(c.rest).at(c.file, c.line)
	}
	w.number, w.line, w.data = c.number, c.line, c.rest[:end]
	c.number++
	c.advance(end)
	return w, nil
}

// undecided reports whether what follows a record might yet be a blank line.
func (c *cutter) undecided(tail []byte) bool {
	return len(bytes.Trim(tail, space)) == 0
}

// parallel calls fn with 0 … n-1, on as many processors as there are, and
// returns the error of the lowest number, so that what is said about bad input
// does not depend on chance. All of fn's calls are made, whatever they return.
func parallel(n int, fn func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[i] = fn(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
