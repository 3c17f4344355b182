// Package msgpack walks documents of MessagePack value by value, in constant
// memory and whatever their size. Strings and binary data are moved over; the
// walk says where they lie.
//
// The format is that of spec.md of the msgpack project.
package msgpack

import (
	"encoding/binary"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// A Kind is what a value is.
type Kind uint8

const (
	Nil Kind = iota
	Bool
	Int   // Number is an int64
	Uint  // Number is a uint64
	Float // Number are the bits, of a float64 or a float32
	Str
	Bin
	Array // Len values follow
	Map   // Len keys and values follow, by turns
	Ext
)

// A Value is one that was met. Of arrays and maps it is the beginning.
type Value struct {
	Kind   Kind
	Off    int64 // byte where it begins
	Number uint64
	Len    int64 // bytes of a Str, Bin or Ext; items of an Array, pairs of a Map
	At     int64 // where the bytes of a Str, Bin or Ext begin
	Type   int8  // of an Ext
	Depth  int   // how many arrays and maps it lies in
	Key    bool  // it is the key of a pair
}

const maxDepth = 128

// A Reader walks one document.
type Reader struct {
	c    *format.Cursor
	step func(int) error
	open []level
	done bool
}

// A level is an array or map that is not at its end.
type level struct {
	left  int64 // values
	pairs bool
}

// NewReader returns a reader of the document that is all that remains of c. Step
// is asked before every value, and its error ends the walk.
func NewReader(c *format.Cursor, step func(n int) error) *Reader {
	c.Order = binary.BigEndian
	return &Reader{c: c, step: step}
}

// Next returns the next value. At the end of the document it returns io.EOF;
// bytes that remain then are an error.
func (r *Reader) Next() (Value, error) {
	for len(r.open) > 0 && r.open[len(r.open)-1].left == 0 {
		r.open = r.open[:len(r.open)-1]
	}
	if len(r.open) == 0 && r.done {
		if r.c.Left() > 0 {
			r.c.Fail(format.Brokenf(r.c.Offset(), "%d bytes stand behind the end of the document", r.c.Left()))
		}
		if r.c.Err() != nil {
			return Value{}, r.c.Err()
		}
		return Value{}, io.EOF
	}
	r.done = true
	if err := r.step(1); err != nil {
		return Value{}, err
	}
	v := Value{Off: r.c.Offset(), Depth: len(r.open)}
	if n := len(r.open); n > 0 {
		l := &r.open[n-1]
		v.Key = l.pairs && l.left%2 == 0
		l.left--
	}
	r.value(&v)
	return v, r.c.Err()
}

// value reads a value from its first byte on.
func (r *Reader) value(v *Value) {
	c := r.c
	switch b := c.U8(); {
	case b < 0x80:
		v.Kind, v.Number = Uint, uint64(b)
	case b < 0x90:
		r.opens(v, Map, uint64(b&0xf))
	case b < 0xa0:
		r.opens(v, Array, uint64(b&0xf))
	case b < 0xc0:
		r.bytes(v, Str, uint64(b&0x1f))
	case b >= 0xe0:
		v.Kind, v.Number = Int, uint64(int64(int8(b)))
	case b == 0xc0:
		v.Kind = Nil
	case b == 0xc1:
		c.Fail(format.Brokenf(v.Off, "a byte that begins no value"))
	case b <= 0xc3:
		v.Kind, v.Number = Bool, uint64(b&1)
	case b <= 0xc6:
		r.bytes(v, Bin, r.sized(b-0xc4))
	case b <= 0xc9:
		r.ext(v, r.sized(b-0xc7))
	case b <= 0xcb:
		v.Kind, v.Number = Float, r.sized(b-0xca+2)
	case b <= 0xcf:
		v.Kind, v.Number = Uint, r.sized(b-0xcc)
	case b <= 0xd3:
		v.Kind, v.Number = Int, r.sized(b-0xd0)
		above := 64 - 8<<(b-0xd0) // bits that take the sign
		v.Number = uint64(int64(v.Number<<above) >> above)
	case b <= 0xd8:
		r.ext(v, 1<<(b-0xd4))
	case b <= 0xdb:
		r.bytes(v, Str, r.sized(b-0xd9))
	case b <= 0xdd:
		r.opens(v, Array, r.sized(b-0xdc+1))
	default:
		r.opens(v, Map, r.sized(b-0xde+1))
	}
}

// sized reads a number of 1, 2, 4 or 8 bytes, by its exponent of two.
func (r *Reader) sized(exponent uint8) uint64 {
	switch exponent {
	case 0:
		return uint64(r.c.U8())
	case 1:
		return uint64(r.c.U16())
	case 2:
		return uint64(r.c.U32())
	}
	return r.c.U64()
}

func (r *Reader) bytes(v *Value, k Kind, n uint64) {
	v.Kind, v.Len = k, r.c.Length(n)
	v.At = r.c.Offset()
	r.c.Skip(v.Len)
}

func (r *Reader) ext(v *Value, n uint64) {
	v.Type = int8(r.c.U8())
	r.bytes(v, Ext, n)
}

func (r *Reader) opens(v *Value, k Kind, n uint64) {
	v.Kind = k
	if len(r.open) == maxDepth {
		r.c.Fail(format.Exceededf(v.Off, "arrays and maps lie more than %d deep", maxDepth))
		return
	}
	each := int64(1)
	if k == Map {
		each = 2
	}
	v.Len = int64(r.c.Count(n, each))
	r.open = append(r.open, level{v.Len * each, k == Map})
}
