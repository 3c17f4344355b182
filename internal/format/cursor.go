package format

import (
	"encoding/binary"
	"errors"
	"io"
)

// window is how many bytes a cursor holds at a time.
const window = 16 << 10

// A Cursor reads numbers and short strings, one after another, from a part of a
// file. The first error stays: every later read returns zero, so that a reader
// may check Err once for a group of fields. It must check Err before it acts on
// what it read, and in every loop whose end the file decides.
//
// A Cursor is not for concurrent use.
type Cursor struct {
	Order binary.ByteOrder // of the fixed-size numbers; little endian at first

	r        io.ReaderAt
	off, end int64
	buf      []byte // bytes from at on
	at       int64
	err      error
}

// NewCursor returns a cursor over the n bytes of r from off on. Offsets in its
// errors are those of r.
func NewCursor(r io.ReaderAt, off, n int64) *Cursor {
	if off < 0 || n < 0 {
		return &Cursor{err: Brokenf(off, "a part of the file has a negative place or size")}
	}
	return &Cursor{Order: binary.LittleEndian, r: r, off: off, end: off + n}
}

// Err returns the first error. Errors of the file's bytes are *Error; all
// others come from reading the file itself.
func (c *Cursor) Err() error { return c.err }

// Offset is where the next byte is read from.
func (c *Cursor) Offset() int64 { return c.off }

// Left is how many bytes remain; after an error, none.
func (c *Cursor) Left() int64 {
	if c.err != nil {
		return 0
	}
	return c.end - c.off
}

// Fail makes err the cursor's error, unless it has one.
func (c *Cursor) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// peek returns the next n <= window bytes, valid until the next read, or nil.
func (c *Cursor) peek(n int) []byte {
	if c.err != nil {
		return nil
	}
	if int64(n) > c.end-c.off {
		c.err = Brokenf(c.off, "the file ends within a field of %d bytes", n)
		return nil
	}
	have := int64(len(c.buf)) - (c.off - c.at)
	if c.off < c.at || have < int64(n) {
		size := int(min(window, c.end-c.off)) // little for a small file: archives hold thousands
		if cap(c.buf) < size {
			c.buf = make([]byte, size)
		}
		c.buf = c.buf[:size]
		c.at = c.off
		if m, err := c.r.ReadAt(c.buf, c.off); m < len(c.buf) {
			c.buf = c.buf[:m]
			if m < n {
				c.err = shortRead(c.off, err)
				return nil
			}
		}
	}
	i := int(c.off - c.at)
	return c.buf[i : i+n]
}

// shortRead is the error of a file that gave less than its size promised.
func shortRead(off int64, err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Brokenf(off, "the file ends before its size says")
	}
	return err
}

// Peek returns the next n bytes without moving, n at most 16 KiB, or nil at an
// error. They are valid until the next read.
func (c *Cursor) Peek(n int) []byte {
	if n < 0 || n > window {
		c.Fail(Exceededf(c.off, "a field of %d bytes is too long to look ahead", n))
	}
	return c.peek(n)
}

// Skip moves n bytes on.
func (c *Cursor) Skip(n int64) {
	if c.err == nil && (n < 0 || n > c.end-c.off) {
		c.err = Brokenf(c.off, "a length of %d bytes leaves the %d that remain", n, c.end-c.off)
	}
	if c.err == nil {
		c.off += n
	}
}

// Move goes to off, which must lie within the cursor's part or at its end.
func (c *Cursor) Move(off int64) {
	if c.err == nil && (off < 0 || off > c.end) {
		c.err = Brokenf(c.off, "an offset of %d bytes leaves the file", off)
	}
	if c.err == nil {
		c.off = off
	}
}

// U8 reads one byte.
func (c *Cursor) U8() uint8 {
	b := c.peek(1)
	if b == nil {
		return 0
	}
	c.off++
	return b[0]
}

// U16 reads two bytes as a number in c.Order.
func (c *Cursor) U16() uint16 {
	b := c.peek(2)
	if b == nil {
		return 0
	}
	c.off += 2
	return c.Order.Uint16(b)
}

// U32 reads four bytes as a number in c.Order.
func (c *Cursor) U32() uint32 {
	b := c.peek(4)
	if b == nil {
		return 0
	}
	c.off += 4
	return c.Order.Uint32(b)
}

// U64 reads eight bytes as a number in c.Order.
func (c *Cursor) U64() uint64 {
	b := c.peek(8)
	if b == nil {
		return 0
	}
	c.off += 8
	return c.Order.Uint64(b)
}

// Varint reads a base-128 number of at most ten bytes, as protocol buffers
// write it; one that does not fit 64 bits is an error.
func (c *Cursor) Varint() uint64 {
	start := c.off
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		b := c.U8()
		if c.err != nil {
			return 0
		}
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	c.Fail(Brokenf(start, "a number does not fit 64 bits"))
	return 0
}

// Length checks that n is a length that remains, and returns it as int64; a
// file that claims more gets an error.
func (c *Cursor) Length(n uint64) int64 {
	if c.err == nil && n > uint64(c.end-c.off) {
		c.err = Brokenf(c.off, "a length of %d bytes leaves the %d that remain", n, c.end-c.off)
	}
	if c.err != nil {
		return 0
	}
	return int64(n)
}

// Count checks that n things of at least size bytes each can still follow, and
// returns n as int; so that a loop or a slice of n is bounded by the file.
func (c *Cursor) Count(n uint64, size int64) int {
	if c.err == nil && n > uint64(c.end-c.off)/uint64(max(size, 1)) {
		c.err = Brokenf(c.off, "a count of %d leaves the %d bytes that remain", n, c.end-c.off)
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

// Bytes reads n bytes into memory of its own. More than limit, or than remain,
// is an error, and then nothing was allocated.
func (c *Cursor) Bytes(n uint64, limit int) []byte {
	c.Length(n)
	if c.err == nil && n > uint64(limit) {
		c.err = Exceededf(c.off, "a field of %d bytes is longer than the %d that are read", n, limit)
	}
	if c.err != nil {
		return nil
	}
	b := make([]byte, n)
	if m, err := c.r.ReadAt(b, c.off); m < len(b) {
		c.err = shortRead(c.off, err)
		return nil
	}
	c.off += int64(n)
	return b
}

// String is Bytes as a string. Nothing says that it is UTF-8.
func (c *Cursor) String(n uint64, limit int) string { return string(c.Bytes(n, limit)) }
