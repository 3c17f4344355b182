package zip

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format"
)

const localMagic = 0x04034b50

// A Local is where a member lies, by its own header.
type Local struct {
	Data   int64 // where its data begins
	End    int64 // behind its data and what describes it
	Doubts []Doubt
}

// Local reads the header before a member's data (4.3.7) and holds it against
// the directory.
func (a *Archive) Local(e *Entry) (*Local, error) {
	c := a.cursor(e.Header)
	if magic := c.U32(); c.Err() == nil && magic != localMagic {
		return nil, format.Brokenf(e.Header, "the directory points to a member where there is none")
	}
	c.Skip(2) // version needed
	flags, method := c.U16(), c.U16()
	c.Skip(4) // time
	crc, compressed, size := c.U32(), uint64(c.U32()), uint64(c.U32())
	nameLen, extraLen := c.U16(), c.U16()
	name := string(field(c, nameLen))
	fields := bytes.Clone(field(c, extraLen))
	l := &Local{Data: c.Offset()}
	c.Skip(e.Compressed)
	if c.Err() != nil {
		return nil, c.Err()
	}
	l.End = c.Offset()
	other := func(field string) {
		l.Doubts = append(l.Doubts, Doubt{e.Header, e.raw, "its own header has another " + field + " than the directory"})
	}
	if name != e.raw {
		l.Doubts = append(l.Doubts, Doubt{e.Header, e.raw + " and " + name, "its own header has another name than the directory"})
	}
	if method != e.Method {
		other("method of compression")
	}
	if (flags^e.Flags)&^(3<<1) != 0 {
		other("set of flags")
	}
	x := (&Entry{raw: name}).extras(fields)
	wide := x.wide != nil && (size == 1<<32-1 || compressed == 1<<32-1)
	x.widen(&size, &compressed, nil, nil)
	later := flags&flagDescriptor != 0
	if crc != e.CRC && !(later && crc == 0) {
		other("checksum")
	}
	if !same(compressed, e.Compressed, later) || !same(size, e.Size, later) {
		other("size")
	}
	if later {
		l.End = a.descriptor(e, l.End, wide)
		if l.End < 0 {
			l.Doubts = append(l.Doubts, Doubt{e.Header, e.raw, "what follows its data describes something else"})
			l.End = l.Data + e.Compressed
		}
	}
	return l, nil
}

// same holds a local size against the directory's. One that follows later may
// be left out.
func same(local uint64, size int64, later bool) bool {
	return local == uint64(size) || later && (local == 0 || local == 1<<32-1)
}

// descriptor reads the sizes that stand behind the data (4.3.9), with or without
// a magic number and in either width, and returns where they end; -1 if they
// are others than the directory's.
func (a *Archive) descriptor(e *Entry, off int64, wide bool) int64 {
	widths := []bool{wide, !wide}
	for _, w := range widths {
		for _, magic := range []bool{true, false} {
			c := a.cursor(off)
			if magic && c.U32() != 0x08074b50 {
				continue
			}
			crc := c.U32()
			var compressed, size uint64
			if w {
				compressed, size = c.U64(), c.U64()
			} else {
				compressed, size = uint64(c.U32()), uint64(c.U32())
			}
			if c.Err() == nil && crc == e.CRC && compressed == uint64(e.Compressed) && size == uint64(e.Size) {
				return c.Offset()
			}
		}
	}
	return -1
}
