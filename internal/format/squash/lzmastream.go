package squash

import (
	"encoding/binary"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// An lzmaReader reads one LZMA stream, as .lzma files, zip and 7z hold it.
type lzmaReader struct {
	lzmaDecoder
	owed  int64 // bytes that the stream will still yield; -1: until its end marker
	ended bool
}

// lzmaStream begins the stream that src yields, of n bytes or -1 if it has an
// end marker.
func lzmaStream(src *source, props byte, dict uint32, n int64) (*lzmaReader, error) {
	z := &lzmaReader{owed: n}
	z.src, z.win = src, newWindow(int64(dict))
	if err := z.properties(props, 0); err != nil {
		return nil, err
	}
	return z, z.begin(1 << 62)
}

// NewLZMA reads a stream without a header, whose properties (a byte, and the
// size of its dictionary) stand elsewhere and that yields n bytes; -1 if that is
// unknown and it ends with a marker.
func NewLZMA(r io.Reader, props []byte, n int64) *Reader {
	src := newSource(r)
	return &Reader{src: src, next: once(func() (io.Reader, error) {
		if len(props) != 5 {
			return nil, format.Brokenf(0, "the properties of an LZMA stream have %d bytes, not 5", len(props))
		}
		return lzmaStream(src, props[0], binary.LittleEndian.Uint32(props[1:]), n)
	})}
}

// openAlone reads the header of a .lzma file.
func openAlone(src *source) (io.Reader, error) {
	var h [13]byte
	if err := src.full(h[:]); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint64(h[5:]))
	if n < -1 || n > 1<<50 {
		return nil, format.Brokenf(5, "the size of an LZMA stream is none")
	}
	return lzmaStream(src, h[0], binary.LittleEndian.Uint32(h[1:]), n)
}

func (z *lzmaReader) Read(p []byte) (int, error) {
	for {
		if n := z.win.take(p); n > 0 {
			return n, nil
		}
		if z.ended {
			return 0, io.EOF
		}
		if z.owed == 0 {
			z.ended = true
			return 0, z.finish()
		}
		limit := z.owed
		if limit < 0 {
			limit = 1 << 62
		}
		before := z.win.total
		marker, err := z.decode(limit)
		if z.owed > 0 {
			z.owed -= z.win.total - before
		}
		if marker {
			if z.owed > 0 || !z.drained() {
				return 0, format.Brokenf(z.src.offset(), "an LZMA stream ends before its size says")
			}
			z.ended = true
		}
		if err != nil && z.win.taken == z.win.pos {
			return 0, err
		}
	}
}

// finish ends a stream whose size was known. Some writers put a marker there as
// well.
func (z *lzmaReader) finish() error {
	if z.pending > 0 {
		return format.Brokenf(z.src.offset(), "an LZMA stream goes on after its end")
	}
	if z.drained() {
		return io.EOF
	}
	if z.err != nil {
		return z.err
	}
	posState := z.win.total & z.pbMask
	if z.bit(&z.isMatch[z.state<<4+int(posState)]) == 1 && z.bit(&z.isRep[z.state]) == 0 {
		n := z.len(&z.length, int(posState)) + matchMin
		if z.distance(n) == endDistance && z.drained() {
			return io.EOF
		}
	}
	return format.Brokenf(z.src.offset(), "an LZMA stream goes on after its end")
}
