package zip

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

const (
	dirMagic  = 0x02014b50
	dirHeader = 46
)

// Methods of compression (4.4.5) that are read.
const (
	Stored  = 0
	Deflate = 8
	Bzip2   = 12
	LZMA    = 14
	Zstd    = 93
	Xz      = 95
)

// Flags (4.4.4).
const (
	flagEncrypted  = 1 << 0
	flagMarker     = 1 << 1 // LZMA: the stream ends with a marker
	flagDescriptor = 1 << 3
	flagStrong     = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13
	flagsKnown     = flagDescriptor | flagUTF8 | 3<<1
)

// An Entry is what the directory says about a member.
type Entry struct {
	Name             string // as Python reads it: by its Unicode path if it has one
	Method           uint16
	Flags            uint16
	CRC              uint32
	Compressed, Size int64
	Header           int64  // where its own header begins
	At               int64  // where its entry in the directory begins
	Mode             uint32 // of Unix, with the file's type; 0 if unknown
	Doubts           []Doubt

	raw string // the name's bytes
}

// Encrypted reports whether the flags say that the data is.
func (e *Entry) Encrypted() bool { return e.Flags&(flagEncrypted|flagStrong|flagMasked) != 0 }

// Folder reports whether the name is that of a folder.
func (e *Entry) Folder() bool { return strings.HasSuffix(e.Name, "/") }

// Link reports whether the member stands for a link or a device of Unix.
func (e *Entry) Link() bool {
	t := e.Mode & 0o170000
	return t != 0 && t != 0o100000 && t != 0o040000
}

// A Walk reads the directory entry by entry.
type Walk struct {
	a    *Archive
	c    *format.Cursor
	seen uint64
}

// Walk begins at the first entry.
func (a *Archive) Walk() *Walk {
	return &Walk{a: a, c: format.NewCursor(a.r, a.dir, a.dirEnd-a.dir)}
}

// Next reads an entry. It returns io.EOF at the end of the directory.
func (w *Walk) Next() (*Entry, error) {
	if w.c.Left() == 0 && w.c.Err() == nil {
		if w.seen != w.a.members {
			return nil, format.Brokenf(w.a.dirEnd, "the directory says that it has %d members and has %d", w.a.members, w.seen)
		}
		return nil, io.EOF
	}
	w.seen++
	return w.a.entry(w.c)
}

// At reads the entry that begins at off, which was the At of one.
func (a *Archive) At(off int64) (*Entry, error) {
	c := format.NewCursor(a.r, a.dir, a.dirEnd-a.dir)
	c.Move(off)
	return a.entry(c)
}

// field returns the next n bytes, valid until the next read. Most come from what
// the cursor has read already: a name is not worth asking the system for.
func field(c *format.Cursor, n uint16) []byte {
	const most = 16 << 10 // that a cursor looks ahead
	if n > most {
		return c.Bytes(uint64(n), 1<<16)
	}
	b := c.Peek(int(n))
	c.Skip(int64(n))
	return b
}

// entry reads a directory header (4.3.12).
func (a *Archive) entry(c *format.Cursor) (*Entry, error) {
	e := &Entry{At: c.Offset()}
	if magic := c.U32(); c.Err() == nil && magic != dirMagic {
		return nil, format.Brokenf(e.At, "something else than a member stands in the directory")
	}
	creator := c.U16()
	c.Skip(2) // version needed
	e.Flags, e.Method = c.U16(), c.U16()
	c.Skip(4) // time
	e.CRC = c.U32()
	compressed, size := uint64(c.U32()), uint64(c.U32())
	nameLen, extraLen, commentLen := c.U16(), c.U16(), c.U16()
	disk := uint64(c.U16())
	c.Skip(2) // internal attributes
	attributes, header := c.U32(), uint64(c.U32())
	e.raw = string(field(c, nameLen))
	extra := bytes.Clone(field(c, extraLen))
	c.Skip(int64(commentLen))
	if c.Err() != nil {
		return nil, c.Err()
	}
	if host := creator >> 8; host == 3 || host == 19 {
		e.Mode = attributes >> 16
	}
	e.Name = e.raw
	x := e.extras(extra)
	x.widen(&size, &compressed, &header, &disk)
	if x.broken {
		e.doubt("its extra fields are not well formed")
	}
	if disk != 0 {
		e.doubt("it lies on another disk")
	}
	if extra := e.Flags &^ flagsKnown; extra != 0 && !e.Encrypted() {
		e.doubt("it has flags that writers do not set")
	}
	limit := uint64(a.dir - a.base)
	if header > limit || compressed > limit-header || size > 1<<62 {
		return nil, format.Brokenf(e.At, "a member lies outside the archive")
	}
	e.Header, e.Compressed, e.Size = a.base+int64(header), int64(compressed), int64(size)
	return e, nil
}

func (e *Entry) doubt(why string) { e.Doubts = append(e.Doubts, Doubt{e.At, e.raw, why}) }

// Extra is what the extra fields (4.5) say.
type extra struct {
	wide   []byte
	broken bool
}

// extras reads the fields that matter, and takes the name from the one for
// Unicode paths (4.6.9).
func (e *Entry) extras(b []byte) extra {
	var x extra
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			x.broken = true
			return x
		}
		field := b[4 : 4+n]
		switch id {
		case 0x0001:
			x.broken = x.broken || x.wide != nil
			x.wide = field
		case 0x7075:
			e.unicode(field)
		}
		b = b[4+n:]
	}
	return x
}

// unicode takes the name from a Unicode path field. Readers without Unicode go
// by the plain name, so an honest field says the same in other letters.
func (e *Entry) unicode(field []byte) {
	if len(field) < 5 || field[0] != 1 {
		return
	}
	name := string(field[5:])
	if binary.LittleEndian.Uint32(field[1:]) != crc32.ChecksumIEEE([]byte(e.raw)) || !utf8.ValidString(name) || name == e.raw {
		return
	}
	if ascii(e.raw) || ascii(name) {
		e.doubt("it has two names: readers that know Unicode go by another one")
	}
	e.Name = name
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// widen replaces the fields that are at their greatest by those of the zip64
// extra field (4.5.3), which has them in this order.
func (x *extra) widen(size, compressed, header, disk *uint64) {
	b := x.wide
	take := func(v *uint64, all uint64, n int) {
		if v == nil || *v != all {
			return
		}
		if len(b) < n {
			x.broken = x.broken || x.wide != nil
			return
		}
		if n == 8 {
			*v = binary.LittleEndian.Uint64(b)
		} else {
			*v = uint64(binary.LittleEndian.Uint32(b))
		}
		b = b[n:]
	}
	take(size, 1<<32-1, 8)
	take(compressed, 1<<32-1, 8)
	take(header, 1<<32-1, 8)
	take(disk, 1<<16-1, 4)
}
