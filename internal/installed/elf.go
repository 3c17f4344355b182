package installed

import (
	"encoding/binary"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// Of the ELF specification (System V ABI, chapters 4 and 5).
const (
	ptLoad    = 1
	ptDynamic = 2
	dtStrtab  = 5
	dtSoname  = 14

	maxSegments = 4096
	maxDynamic  = 1 << 16 // entries
	maxSoname   = 256
)

// A segment is a part of an ELF file as the loader puts it into memory.
type segment struct {
	kind                uint32
	offset, addr, bytes uint64
}

// soname returns the name that an ELF library gives itself, or "".
func soname(r io.ReaderAt, size int64) string {
	c := format.NewCursor(r, 0, size)
	ident := c.Bytes(16, 16)
	if c.Err() != nil || string(ident[:4]) != "\x7fELF" {
		return ""
	}
	wide := ident[4] == 2
	if ident[5] == 2 {
		c.Order = binary.BigEndian
	}
	segments := readSegments(c, wide)
	for _, s := range segments {
		if s.kind == ptDynamic {
			return dynamicName(c, s, segments, wide)
		}
	}
	return ""
}

// word reads an address or an offset.
func word(c *format.Cursor, wide bool) uint64 {
	if wide {
		return c.U64()
	}
	return uint64(c.U32())
}

// move goes to an offset of the file.
func move(c *format.Cursor, off uint64) {
	if off > 1<<62 {
		off = 1 << 62 // beyond every file: the cursor says so
	}
	c.Move(int64(off))
}

// readSegments reads the program header table.
func readSegments(c *format.Cursor, wide bool) []segment {
	c.Skip(8) // type, machine, version
	word(c, wide)
	table := word(c, wide)
	word(c, wide)
	c.Skip(6) // flags, size of this header
	each, n := c.U16(), c.U16()
	if n > maxSegments {
		return nil
	}
	var out []segment
	for i := range uint64(n) {
		move(c, table+i*uint64(each))
		var s segment
		s.kind = c.U32()
		if wide {
			c.Skip(4) // flags
		}
		s.offset, s.addr = word(c, wide), word(c, wide)
		word(c, wide)
		s.bytes = word(c, wide)
		if c.Err() != nil {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// dynamicName reads the library's name by the dynamic section.
func dynamicName(c *format.Cursor, dynamic segment, segments []segment, wide bool) string {
	move(c, dynamic.offset)
	var strings, name uint64
	named := false
	for range maxDynamic {
		tag, value := word(c, wide), word(c, wide)
		if c.Err() != nil || tag == 0 {
			break
		}
		switch tag {
		case dtStrtab:
			strings = value
		case dtSoname:
			name, named = value, true
		}
	}
	if !named || c.Err() != nil {
		return ""
	}
	for _, s := range segments {
		if at := strings + name; s.kind == ptLoad && at >= s.addr && at-s.addr < s.bytes {
			move(c, s.offset+at-s.addr)
			return text(c)
		}
	}
	return ""
}

// text reads up to the byte that ends a string.
func text(c *format.Cursor) string {
	var out []byte
	for range maxSoname {
		b := c.U8()
		if c.Err() != nil {
			return ""
		}
		if b == 0 {
			return string(out)
		}
		out = append(out, b)
	}
	return ""
}
