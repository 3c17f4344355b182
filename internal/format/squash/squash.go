// Package squash expands compressed streams: gzip, zlib, raw deflate, bzip2, xz,
// LZMA, LZ4 and Zstandard. Every checksum that a format has is verified, memory
// is bounded whatever window a stream asks for, and a reader knows exactly where
// its stream ended, so that what follows can be told.
package squash

import (
	"bufio"
	"errors"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// maxWindow is how many bytes of what a stream has yielded are kept for it to
// refer to. A stream may announce more, as xz -9 does for files of any size; it
// ends with Exceeded only if it refers further back. Zstandard streams that
// announce more end at once.
const maxWindow = 16 << 20

// bufferSize is how much of a stream is read at a time.
const bufferSize = 32 << 10

// A Kind is a format of compressed streams.
type Kind uint8

const (
	Gzip    Kind = iota // RFC 1952, members one after another
	Zlib                // RFC 1950
	Deflate             // RFC 1951, without frame or checksum
	Bzip2               // streams one after another
	Xz                  // streams one after another, with LZMA2, delta and x86 filters
	LZMA                // the older .lzma of 13 bytes of header
	LZ4                 // frames one after another, also legacy ones
	Zstd                // RFC 8878, frames one after another
)

var kinds = [...]string{"gzip", "zlib", "deflate", "bzip2", "xz", "lzma", "lz4", "zstd"}

func (k Kind) String() string { return kinds[k] }

// A Reader expands a stream. Errors that the stream's bytes cause are
// *format.Error, with the offset in the stream at which it was noticed; all
// others are those of the reader below.
type Reader struct {
	src *source
	dec io.Reader // of the part that is being read; nil between parts
	// next begins the next part and returns io.EOF where none follows.
	next func() (io.Reader, error)
	err  error
	lent *inflater // if it is one's; nil once the stream has ended
	end  int64     // where that was
}

// Open returns a reader of what the stream r of the kind yields.
func Open(kind Kind, r io.Reader) *Reader {
	if kind == Deflate {
		return openDeflate(r)
	}
	src := newSource(r)
	z := &Reader{src: src}
	switch kind {
	case Gzip:
		z.next = gzipParts(src)
	case Zlib:
		z.next = once(func() (io.Reader, error) { return openZlib(src) })
	case Bzip2:
		z.next = once(func() (io.Reader, error) { return openBzip2(src), nil })
	case Xz:
		z.next = xzParts(src)
	case LZMA:
		z.next = once(func() (io.Reader, error) { return openAlone(src) })
	case LZ4:
		z.next = lz4Parts(src)
	case Zstd:
		z.next = zstdParts(src)
	}
	return z
}

// Read expands. It returns io.EOF where the stream ends, whatever follows.
func (z *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for z.err == nil {
		if z.dec == nil {
			if z.dec, z.err = z.next(); z.err != nil {
				break
			}
		}
		n, err := z.dec.Read(p)
		if err == io.EOF {
			z.dec = nil
			err = nil
		}
		if err != nil {
			z.err = err
		}
		if n > 0 {
			return n, nil
		}
	}
	if z.err != io.EOF || z.src.below.err != nil {
		z.err = z.src.fault(z.err)
	}
	if z.lent != nil {
		z.giveBack()
	}
	return 0, z.err
}

// Consumed is how many bytes of the stream have been used; after io.EOF, where
// it ended.
func (z *Reader) Consumed() int64 {
	if z.src.Reader == nil {
		return z.end
	}
	return z.src.offset()
}

// once is next of a format without parts.
func once(open func() (io.Reader, error)) func() (io.Reader, error) {
	opened := false
	return func() (io.Reader, error) {
		if opened {
			return nil, io.EOF
		}
		opened = true
		return open()
	}
}

// A source is buffered, and knows how many of its bytes have been used.
type source struct {
	*bufio.Reader
	below counter
	back  int64 // bytes that a decoder used and that belong to what follows
}

func newSource(r io.Reader) *source {
	s := &source{below: counter{r: r}}
	s.Reader = bufio.NewReaderSize(&s.below, bufferSize)
	return s
}

func (s *source) offset() int64 { return s.below.n - int64(s.Buffered()) - s.back }

// full fills b, and says that the stream is broken where it ends within.
func (s *source) full(b []byte) error {
	if _, err := io.ReadFull(s, b); err != nil {
		return s.fault(err)
	}
	return nil
}

// fault is what a decoder's error means for the one who reads: an error of the
// reader below comes before the decoder's, which may be its consequence.
func (s *source) fault(err error) error {
	var e *format.Error
	switch {
	case s.below.err != nil:
		return s.below.err
	case errors.As(err, &e):
		return err
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
		return format.Brokenf(s.offset(), "the compressed stream ends early")
	}
	return format.Brokenf(s.offset(), "the compressed stream is broken")
}

// A counter counts what is read from r and keeps its error.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
