// Package zip reads zip archives (APPNOTE.TXT 6.3.10) and tells where other
// readers may see something else in them: those that go by the directory at the
// end, by the headers before each member, from the front, or from the back.
//
// Offsets are those of the file. Nothing is kept per member, so that an archive
// of any number of members takes the same memory.
package zip

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// A Doubt is a place where readers of zip archives may differ, or that writers
// do not write.
type Doubt struct {
	Off  int64
	What string // of the archive's own words, or "": a member's name
	Why  string
}

// An Archive is the directory of a zip archive. It is not for concurrent use.
type Archive struct {
	r    io.ReaderAt
	size int64

	base     int64  // where offsets count from
	dir      int64  // where the directory begins
	dirEnd   int64  // and where it ends
	members  uint64 // that it claims
	Trailing int64  // bytes after the archive's end
	Doubts   []Doubt

	cur *format.Cursor // of members' headers, kept for its buffer
}

// cursor reads from off on, up to the directory.
func (a *Archive) cursor(off int64) *format.Cursor {
	if a.cur == nil || a.cur.Err() != nil {
		a.cur = format.NewCursor(a.r, 0, a.dir)
	}
	a.cur.Move(off)
	return a.cur
}

const (
	endSize     = 22
	maxComment  = 1<<16 - 1
	locatorSize = 20
)

// An end is an end of central directory record (4.3.16), with what its zip64
// counterpart (4.3.14) says instead.
type end struct {
	off       int64 // of the record
	dirEnd    int64 // where the directory ends: at the first of the records
	disk      bool  // other disks are spoken of
	members   uint64
	size, dir uint64 // of the directory, and its offset from the base
	comment   int
	doubt     string
}

// Open finds the directory. ErrNone means that there is none.
func Open(r io.ReaderAt, size int64) (*Archive, error) {
	tail := make([]byte, min(size, endSize+maxComment))
	from := size - int64(len(tail))
	if n, err := r.ReadAt(tail, from); n < len(tail) {
		return nil, err
	}
	ends := findEnds(tail)
	for i := len(ends) - 1; i >= 0; i-- {
		e := readEnd(r, tail[ends[i]:], from+int64(ends[i]))
		a := &Archive{r: r, size: size}
		if !a.settle(e) {
			continue
		}
		for j, at := range ends {
			if off := from + int64(at); j != i && off >= a.dir {
				a.doubt(off, "a second end of the directory: which one is found depends on where a reader begins to look")
			}
		}
		return a, nil
	}
	return nil, ErrNone
}

// ErrNone is returned by Open for files without a directory of members.
var ErrNone = format.Brokenf(-1, "the file has no directory of members at its end")

// findEnds lists where end records may begin, at most the last hundred.
func findEnds(tail []byte) []int {
	var out []int
	for i := len(tail) - endSize; i >= 0 && len(out) < 100; i-- {
		if tail[i] == 'P' && bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) {
			out = append(out, i)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func readEnd(r io.ReaderAt, b []byte, off int64) end {
	le := binary.LittleEndian
	e := end{
		off: off, dirEnd: off, comment: int(le.Uint16(b[20:])),
		members: uint64(le.Uint16(b[10:])), size: uint64(le.Uint32(b[12:])), dir: uint64(le.Uint32(b[16:])),
		disk: le.Uint16(b[4:]) != 0 || le.Uint16(b[6:]) != 0 || le.Uint16(b[8:]) != le.Uint16(b[10:]),
	}
	e.wide(r)
	return e
}

// wide reads the zip64 records, if they stand before the end record.
func (e *end) wide(r io.ReaderAt) {
	c := format.NewCursor(r, 0, e.off)
	c.Move(e.off - locatorSize)
	if c.U32() != 0x07064b50 || c.Err() != nil {
		return
	}
	disk, claimed, disks := c.U32(), c.U64(), c.U32()
	// The record ends where its locator begins; the place that the locator says
	// counts from the base, which is not known yet.
	const fixed = 56
	off := e.off - locatorSize - fixed
	c.Move(off)
	if c.U32() != 0x06064b50 || c.Err() != nil {
		e.doubt = "a record of large sizes stands somewhere else than directly before its locator, or is extended"
		return
	}
	size := c.U64()
	c.Skip(4) // versions
	d1, d2, here, members, dirSize, dir := c.U32(), c.U32(), c.U64(), c.U64(), c.U64(), c.U64()
	if c.Err() != nil || size != fixed-12 {
		e.doubt = "a record of large sizes has another size than its own"
		return
	}
	agree := func(short, wide, all uint64) bool { return short == wide || short == all }
	if !agree(e.members, members, 1<<16-1) || !agree(e.size, dirSize, 1<<32-1) || !agree(e.dir, dir, 1<<32-1) {
		e.doubt = "the two ends of the directory say different things"
	}
	if base := off - int64(dirSize) - int64(dir); int64(claimed) != off-base {
		e.doubt = "the record of large sizes is somewhere else than its locator says"
	}
	e.disk = disk != 0 || disks > 1 || d1 != 0 || d2 != 0 || here != members
	e.members, e.size, e.dir, e.dirEnd = members, dirSize, dir, off
}

// settle makes e the archive's end and reports whether a directory stands there.
func (a *Archive) settle(e end) bool {
	if e.size > uint64(e.dirEnd) || e.dir > uint64(e.dirEnd)-e.size || e.members > e.size/dirHeader {
		return false
	}
	a.dirEnd, a.members = e.dirEnd, e.members
	a.dir = e.dirEnd - int64(e.size)
	a.base = a.dir - int64(e.dir)
	if e.size == 0 {
		if e.dir != 0 && a.base != 0 {
			return false
		}
	} else if c := format.NewCursor(a.r, a.dir, e.dirEnd-a.dir); c.U32() != dirMagic {
		return false
	}
	if e.doubt != "" {
		a.doubt(e.off, e.doubt)
	}
	if e.disk {
		a.doubt(e.off, "it speaks of parts on other disks")
	}
	if a.base != 0 {
		a.doubt(0, "bytes stand before it that its offsets do not count: some readers take them for the beginning")
	}
	if a.Trailing = a.size - e.off - endSize - int64(e.comment); a.Trailing < 0 {
		a.doubt(e.off, "its comment is longer than the file")
		a.Trailing = 0
	}
	return true
}

func (a *Archive) doubt(off int64, why string) {
	if len(a.Doubts) < 100 {
		a.Doubts = append(a.Doubts, Doubt{Off: off, Why: why})
	}
}

// Directory is where the directory of members begins.
func (a *Archive) Directory() int64 { return a.dir }
