package flat

import (
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// Types of FlexBuffers (flatbuffers.dev, "FlexBuffers").
const (
	flexText   = 5
	flexVector = 10
)

// SecondText finds the second element of a FlexBuffer that is a vector of two
// texts, such as those in which TensorFlow Lite keeps operators of TensorFlow,
// and returns where in r its n bytes lie. Another form is an error.
func SecondText(r io.ReaderAt, off, size int64) (at, n int64, err error) {
	f := &flex{c: format.NewCursor(r, off, size), begin: off, end: off + size}
	f.c.Move(max(off, f.end-2))
	kind, width := f.c.U8(), int64(f.c.U8())
	vector := f.back(f.end-2-width, width)
	width = 1 << (kind & 3) // of the vector's elements
	if count := f.number(vector-width, width); f.c.Err() == nil && (kind>>2 != flexVector || count != 2) {
		f.c.Fail(format.Brokenf(off, "a flexible buffer is no vector of two texts"))
	}
	f.c.Move(max(off, vector+2*width))
	f.c.U8()
	kind = f.c.U8()
	if f.c.Err() == nil && kind>>2 != flexText {
		f.c.Fail(format.Brokenf(off, "a flexible buffer is no vector of two texts"))
	}
	at = f.back(vector+width, width)
	width = 1 << (kind & 3)
	n = f.number(at-width, width)
	f.c.Move(max(off, at))
	f.c.Skip(n)
	return at, n, f.c.Err()
}

type flex struct {
	c          *format.Cursor
	begin, end int64
}

// number reads an unsigned number of width bytes.
func (f *flex) number(at, width int64) int64 {
	if at < f.begin && f.c.Err() == nil {
		f.c.Fail(format.Brokenf(f.begin, "an offset leaves the flexible buffer"))
	}
	f.c.Move(max(at, f.begin))
	var n uint64
	switch width {
	case 1:
		n = uint64(f.c.U8())
	case 2:
		n = uint64(f.c.U16())
	case 4:
		n = uint64(f.c.U32())
	case 8:
		n = f.c.U64()
	default:
		f.c.Fail(format.Brokenf(f.begin, "a flexible buffer has numbers of no known width"))
	}
	if n > uint64(f.end-f.begin) && f.c.Err() == nil {
		f.c.Fail(format.Brokenf(at, "an offset or a length leaves the flexible buffer"))
	}
	if f.c.Err() != nil {
		return 0
	}
	return int64(n)
}

// back follows the offset at at, which leads backward.
func (f *flex) back(at, width int64) int64 { return at - f.number(at, width) }
