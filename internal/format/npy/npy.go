// Package npy reads the header of NumPy's array files, versions 1.0 to 3.0 of
// the format that numpy.lib.format describes: what the elements are, how many,
// and where their bytes lie. The header is a Python literal, of which it reads
// the small part that headers use; nothing is ever evaluated.
package npy

import (
	"math"
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
)

// Magic begins every file.
const Magic = "\x93NUMPY"

// maxHeader is more than the 10,000 bytes that NumPy reads without being asked.
const maxHeader = 256 << 10

// maxDims is NumPy's own limit, NPY_MAXDIMS of version 2.
const maxDims = 64

// A Header describes the array of a file.
type Header struct {
	Major   uint8
	Fortran bool    // the first index runs fastest
	Shape   []int64 // no dimensions: one element
	Item    int64   // bytes of an element
	Objects bool    // elements are or hold Python objects: the data is a pickle
	Start   int64   // byte where the data begins
	Size    int64   // bytes of the data, where it is no pickle
}

// Read reads the header that c stands at, and leaves c at the data.
func Read(c *format.Cursor) (*Header, error) {
	at := c.Offset()
	if string(c.Peek(len(Magic))) != Magic {
		if c.Err() != nil {
			return nil, c.Err()
		}
		return nil, format.Brokenf(at, "it does not begin as an array of NumPy")
	}
	c.Skip(int64(len(Magic)))
	h := &Header{Major: c.U8()}
	minor := c.U8()
	if c.Err() == nil && (h.Major < 1 || h.Major > 3 || minor != 0) {
		return nil, format.Unsupportedf(at, "version %d.%d of the format is not known", h.Major, minor)
	}
	var n uint64
	if h.Major == 1 {
		n = uint64(c.U16())
	} else {
		n = uint64(c.U32())
	}
	off := c.Offset()
	text := c.String(n, maxHeader)
	if c.Err() != nil {
		return nil, c.Err()
	}
	h.Start = c.Offset()
	return h, h.parse(text, off)
}

// parse reads the header's text, which begins at off.
func (h *Header) parse(text string, off int64) error {
	l := literal{text: text, off: off}
	v := l.whole()
	if l.err != nil {
		return l.err
	}
	if v.kind != dict || len(v.items) != 6 {
		return v.broken("a header is not a dictionary of three entries")
	}
	seen := map[string]bool{}
	for i := 0; i < len(v.items); i += 2 {
		key, value := v.items[i], v.items[i+1]
		var err error
		switch {
		case key.kind != str || seen[key.text]:
			err = key.broken("a header has an entry that is none or there twice")
		case key.text == "descr":
			h.Item, h.Objects, err = sizeOf(value)
		case key.text == "fortran_order" && value.kind == boolean:
			h.Fortran = value.n != 0
		case key.text == "shape" && value.kind == tuple:
			h.Shape, err = shapeOf(value)
		default:
			err = key.broken("a header has an entry that headers do not have")
		}
		if err != nil {
			return err
		}
		seen[key.text] = true
	}
	return h.size(v)
}

// size multiplies what there is.
func (h *Header) size(v *value) error {
	n, ok := product(h.Shape)
	size, ok2 := times(n, h.Item)
	if !ok || !ok2 {
		return v.broken("an array is larger than any file")
	}
	h.Size = size
	return nil
}

// shapeOf reads a tuple of dimensions.
func shapeOf(v *value) ([]int64, error) {
	if len(v.items) > maxDims {
		return nil, v.broken("an array has more dimensions than NumPy knows")
	}
	shape := []int64{}
	for _, d := range v.items {
		if d.kind != integer || d.n < 0 {
			return nil, d.broken("a dimension is not a number of elements")
		}
		shape = append(shape, d.n)
	}
	return shape, nil
}

// product multiplies dimensions as if none were zero, so that a zero hides
// nothing.
func product(dims []int64) (int64, bool) {
	n, zero := int64(1), false
	for _, d := range dims {
		if d == 0 {
			zero = true
			continue
		}
		var ok bool
		if n, ok = times(n, d); !ok {
			return 0, false
		}
	}
	if zero {
		return 0, true
	}
	return n, true
}

func times(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= math.MaxInt64
}
