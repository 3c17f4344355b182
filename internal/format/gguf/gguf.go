// Package gguf reads the header of GGUF files, versions 1 to 3 in both byte
// orders: the metadata pairs and the descriptions of tensors, in the order of
// the file and in constant memory.
//
// The format is described in docs/gguf.md of the ggml project. Like its own
// loader, the reader wants the tensors to follow one another without holes.
package gguf

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// Magic begins every file.
const Magic = "GGUF"

// A Type is that of a metadata value.
type Type uint32

const (
	U8 Type = iota
	I8
	U16
	I16
	U32
	I32
	F32
	Bool
	String
	Array
	U64
	I64
	F64
)

// sizes are the bytes of one value; 0 for those that say it themselves.
var sizes = [...]int64{U8: 1, I8: 1, U16: 2, I16: 2, U32: 4, I32: 4, F32: 4, Bool: 1, String: 0, Array: 0, U64: 8, I64: 8, F64: 8}

const (
	maxKey       = 1<<16 - 1 // bytes
	maxName      = 64        // bytes of a tensor's name
	maxDims      = 4
	maxNested    = 8       // arrays in arrays
	maxRemember  = 1 << 17 // names that are held against duplicates
	alignment    = 32      // unless the file says another
	maxAlignment = 1 << 20 // more would be room to hide things in
)

// A Pair is a key and its value.
type Pair struct {
	Key    string
	Off    int64 // byte where the pair begins
	Type   Type
	Number uint64 // the value's bits, where it has a fixed size
	At     int64  // where a string's bytes begin
	Len    int64  // of a string in bytes, of an array in items
	Items  Type   // of an array
}

// A Tensor is the description of one.
type Tensor struct {
	Name  string
	Off   int64 // byte where the description begins
	Dims  []uint64
	Type  uint32
	Start int64 // byte within the file where its data begins
	Size  int64 // of its data in bytes, without padding
}

// A Reader reads one file. All pairs are read before the first tensor.
type Reader struct {
	Version uint32
	Order   binary.ByteOrder
	Pairs   uint64 // as the file counts them
	Tensors uint64

	c     *format.Cursor
	step  func(int) error
	pairs uint64 // read so far
	infos uint64
	align uint64
	end   uint64 // of the data so far, padded, from the data's beginning
	last  int64  // size of the last tensor's padding
	seed  maphash.Seed
	seen  map[uint64]struct{}
}

// Open reads the first fields. Step is asked before every piece of work with the
// number of its steps, and its error ends the reading.
func Open(c *format.Cursor, step func(n int) error) (*Reader, error) {
	r := &Reader{c: c, step: step, align: alignment, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}, Order: binary.LittleEndian}
	if string(c.Peek(len(Magic))) != Magic {
		return nil, firstOf(c.Err(), format.Brokenf(c.Offset(), "it does not begin as a GGUF file"))
	}
	c.Skip(int64(len(Magic)))
	c.Order = r.Order
	r.Version = c.U32()
	if r.Version&0xffff == 0 { // the other byte order
		r.Version = bits.ReverseBytes32(r.Version)
		r.Order = binary.BigEndian
		c.Order = r.Order
	}
	if c.Err() == nil && (r.Version == 0 || r.Version > 3) {
		return nil, format.Unsupportedf(4, "version %d of the format is not known", r.Version)
	}
	r.Tensors, r.Pairs = r.count(), r.count()
	c.Count(r.Tensors, 24)
	c.Count(r.Pairs, 13)
	return r, c.Err()
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// count reads a number of things, which version 1 keeps in four bytes.
func (r *Reader) count() uint64 {
	if r.Version == 1 {
		return uint64(r.c.U32())
	}
	return r.c.U64()
}

// name reads a key or the name of a tensor and holds it against those of its
// kind before.
func (r *Reader) name(kind string, limit int) string {
	start := r.c.Offset()
	n := r.count()
	if r.c.Err() == nil && n > uint64(limit) {
		r.c.Fail(format.Brokenf(start, "the name of a %s has %d bytes, more than %d", kind, n, limit))
	}
	s := r.c.String(n, limit)
	switch _, twice := r.seen[r.hash(kind, s)]; {
	case r.c.Err() != nil:
		return ""
	case !utf8.ValidString(s):
		r.c.Fail(format.Brokenf(start, "the name of a %s is not UTF-8", kind))
	case twice:
		r.c.Fail(format.Brokenf(start, "the name of a %s is there twice", kind))
	case len(r.seen) >= maxRemember:
		r.c.Fail(format.Exceededf(start, "it has more than %d names", maxRemember))
	}
	r.seen[r.hash(kind, s)] = struct{}{}
	return s
}

func (r *Reader) hash(kind, s string) uint64 { return maphash.String(r.seed, kind+"\x00"+s) }

// Pair reads the next pair, or reports false when there is none.
func (r *Reader) Pair() (Pair, bool, error) {
	if r.c.Err() != nil || r.pairs == r.Pairs {
		return Pair{}, false, r.c.Err()
	}
	if err := r.step(1); err != nil {
		return Pair{}, false, err
	}
	r.pairs++
	p := Pair{Off: r.c.Offset()}
	p.Key = r.name("key", maxKey)
	p.Type = r.kind()
	switch p.Type {
	case String:
		p.Len = r.c.Length(r.count())
		p.At = r.c.Offset()
		r.c.Skip(p.Len)
	case Array:
		p.Items, p.Len = r.array(0)
	default:
		p.Number = r.number(p.Type)
	}
	if p.Key == "general.alignment" && r.c.Err() == nil {
		r.setAlignment(p)
	}
	return p, r.c.Err() == nil, r.c.Err()
}

// kind reads the type of a value.
func (r *Reader) kind() Type {
	off := r.c.Offset()
	t := Type(r.c.U32())
	if r.c.Err() == nil && int(t) >= len(sizes) {
		r.c.Fail(format.Brokenf(off, "type %d of a value is not known", t))
	}
	if r.c.Err() != nil {
		return U8
	}
	return t
}

// number reads a value of fixed size.
func (r *Reader) number(t Type) uint64 {
	switch sizes[t] {
	case 1:
		off := r.c.Offset()
		v := r.c.U8()
		if t == Bool && v > 1 {
			r.c.Fail(format.Brokenf(off, "a truth value is neither 0 nor 1"))
		}
		return uint64(v)
	case 2:
		return uint64(r.c.U16())
	case 4:
		return uint64(r.c.U32())
	}
	return r.c.U64()
}

// array moves over an array.
func (r *Reader) array(depth int) (Type, int64) {
	if depth == maxNested {
		r.c.Fail(format.Exceededf(r.c.Offset(), "arrays lie more than %d deep", maxNested))
		return U8, 0
	}
	t := r.kind()
	least := sizes[t]
	if least == 0 {
		least = 4
	}
	n := r.c.Count(r.count(), least)
	if sizes[t] > 0 {
		r.c.Skip(int64(n) * sizes[t])
		return t, int64(n)
	}
	for range n {
		if err := r.step(1); err != nil {
			r.c.Fail(err)
		}
		if t == String {
			r.c.Skip(r.c.Length(r.count()))
		} else {
			r.array(depth + 1)
		}
		if r.c.Err() != nil {
			return t, 0
		}
	}
	return t, int64(n)
}

func (r *Reader) setAlignment(p Pair) {
	if p.Type != U32 || bits.OnesCount64(p.Number) != 1 || p.Number > maxAlignment {
		r.c.Fail(format.Brokenf(p.Off, "the alignment is not a power of two up to %d", maxAlignment))
		return
	}
	r.align = p.Number
}

// Tensor reads the next description, or reports false when there is none. After
// the last, Data tells where the data ends.
func (r *Reader) Tensor() (Tensor, bool, error) {
	if r.c.Err() != nil || r.infos == r.Tensors {
		return Tensor{}, false, r.c.Err()
	}
	if err := r.step(1); err != nil {
		return Tensor{}, false, err
	}
	r.infos++
	t := Tensor{Off: r.c.Offset()}
	t.Name = r.name("tensor", maxName)
	dims := r.c.U32()
	if dims > maxDims {
		r.c.Fail(format.Brokenf(t.Off, "a tensor has %d dimensions, more than %d", dims, maxDims))
		return t, false, r.c.Err()
	}
	for range dims {
		t.Dims = append(t.Dims, r.count())
	}
	t.Type = r.c.U32()
	start := r.c.U64()
	if r.c.Err() == nil {
		r.place(&t, start)
	}
	return t, r.c.Err() == nil, r.c.Err()
}

// place checks that a tensor's data begins where those before it end.
func (r *Reader) place(t *Tensor, start uint64) {
	size, err := bytesOf(t)
	if err != nil {
		r.c.Fail(err)
		return
	}
	if start != r.end {
		r.c.Fail(format.Brokenf(t.Off, "a tensor's data begins at %d of the data and not at %d, where those before it end", start, r.end))
		return
	}
	t.Start, t.Size = int64(start), int64(size)
	padded := (size + r.align - 1) &^ (r.align - 1)
	sum, carry := bits.Add64(r.end, padded, 0)
	if carry != 0 || padded < size || sum > 1<<62 {
		r.c.Fail(format.Brokenf(t.Off, "the tensors together are larger than any file"))
		return
	}
	r.end, r.last = sum, int64(padded-size)
}

// Data returns where the data of all tensors begins and ends, and where the
// padding behind it does, as bytes of the file. Every tensor must have been read.
func (r *Reader) Data() (start, end, padded int64) {
	at := uint64(r.c.Offset())
	start = int64((at + r.align - 1) &^ (r.align - 1))
	return start, start + int64(r.end) - r.last, start + int64(r.end)
}
