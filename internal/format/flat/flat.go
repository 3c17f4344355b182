package flat

import (
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// A Buffer is a FlatBuffer. The first error stays: every later read returns
// zero, so that a reader may check Err once for a group of fields, and must in
// every loop whose end the file decides. It is not for concurrent use.
type Buffer struct {
	c    *format.Cursor
	size int64
	left int64 // tables that may still be visited
}

// slack is how many tables a buffer of any size may have visited.
const slack = 1024

// Open returns the size bytes of r as a buffer.
func Open(r io.ReaderAt, size int64) *Buffer {
	return &Buffer{c: format.NewCursor(r, 0, size), size: size, left: size/4 + slack}
}

// Err returns the first error; those of the bytes are *format.Error.
func (b *Buffer) Err() error { return b.c.Err() }

// Root is the table that the buffer's first offset leads to.
func (b *Buffer) Root() Table { return b.table(b.follow(0)) }

// follow reads the offset at at and returns where it leads.
func (b *Buffer) follow(at int64) int64 {
	b.c.Move(at)
	off := int64(b.c.U32())
	if b.Err() == nil && (off == 0 || off > b.size-at) {
		b.c.Fail(format.Brokenf(at, "an offset leaves the file or leads to itself"))
	}
	return at + off
}

// A Table is a table in a buffer; the zero Table has no fields.
type Table struct {
	Off int64 // of its first byte

	b      *Buffer
	fields int64 // where its virtual table has the offsets of fields
	count  int   // of them
	size   int64 // of the table
}

// table reads what says where a table's fields are.
func (b *Buffer) table(at int64) Table {
	if b.left--; b.left < 0 {
		b.c.Fail(format.Exceededf(at, "the buffer leads to the same tables over and over"))
	}
	b.c.Move(at)
	vtable := at - int64(int32(b.c.U32()))
	if b.Err() == nil && (vtable < 0 || vtable > b.size-4) {
		b.c.Fail(format.Brokenf(at, "a virtual table leaves the file"))
	}
	b.c.Move(vtable)
	length, size := int64(b.c.U16()), int64(b.c.U16())
	if b.Err() == nil && (length < 4 || length%2 != 0 || length > b.size-vtable || size < 4 || size > b.size-at) {
		b.c.Fail(format.Brokenf(vtable, "a table or its virtual table is longer than what remains"))
	}
	if b.Err() != nil {
		return Table{}
	}
	return Table{Off: at, b: b, fields: vtable + 4, count: int(length-4) / 2, size: size}
}

// field is where a field of n bytes lies, or 0 if the table does not have it.
func (t Table) field(slot int, n int64) int64 {
	if t.b == nil || slot >= t.count || t.b.Err() != nil {
		return 0
	}
	t.b.c.Move(t.fields + 2*int64(slot))
	off := int64(t.b.c.U16())
	if off == 0 {
		return 0
	}
	if off < 4 || off > t.size-n {
		t.b.c.Fail(format.Brokenf(t.Off, "a field lies outside of its table"))
		return 0
	}
	t.b.c.Move(t.Off + off)
	return t.Off + off
}

// Has reports whether the table has a field.
func (t Table) Has(slot int) bool { return t.field(slot, 1) != 0 }

// U8 reads a field of one byte; absent is what it is if the table has it not.
func (t Table) U8(slot int, absent uint8) uint8 {
	if t.field(slot, 1) == 0 {
		return absent
	}
	return t.b.c.U8()
}

// I32 reads a signed field of four bytes.
func (t Table) I32(slot int, absent int32) int32 {
	if t.field(slot, 4) == 0 {
		return absent
	}
	return int32(t.b.c.U32())
}

// U32 reads a field of four bytes.
func (t Table) U32(slot int, absent uint32) uint32 {
	if t.field(slot, 4) == 0 {
		return absent
	}
	return t.b.c.U32()
}

// U64 reads a field of eight bytes.
func (t Table) U64(slot int, absent uint64) uint64 {
	if t.field(slot, 8) == 0 {
		return absent
	}
	return t.b.c.U64()
}

// Table follows a field to another table; the zero Table if there is none.
func (t Table) Table(slot int) Table {
	at := t.field(slot, 4)
	if at == 0 {
		return Table{}
	}
	return t.b.table(t.b.follow(at))
}

// Text reads a string; more than limit bytes of it are an error.
func (t Table) Text(slot, limit int) string {
	v := t.Vector(slot, 1)
	if v.Len == 0 {
		return ""
	}
	t.b.c.Move(v.Off)
	return t.b.c.String(uint64(v.Len), limit)
}

// A Vector is a vector in a buffer.
type Vector struct {
	Off int64 // of its first element
	Len int

	b    *Buffer
	item int64
}

// Vector follows a field to a vector whose elements have size bytes each.
func (t Table) Vector(slot int, size int64) Vector {
	at := t.field(slot, 4)
	if at == 0 {
		return Vector{}
	}
	b := t.b
	b.c.Move(b.follow(at))
	n := b.c.U32()
	v := Vector{b: b, item: size, Len: b.c.Count(uint64(n), size), Off: b.c.Offset()}
	if b.Err() != nil {
		return Vector{}
	}
	return v
}

// Size is how many bytes the elements take.
func (v Vector) Size() int64 { return int64(v.Len) * v.item }

// Table is the table that element i leads to, i below Len.
func (v Vector) Table(i int) Table { return v.b.table(v.b.follow(v.Off + int64(i)*v.item)) }

// I32 is element i of a vector of signed four-byte numbers.
func (v Vector) I32(i int) int32 {
	v.b.c.Move(v.Off + int64(i)*v.item)
	return int32(v.b.c.U32())
}
