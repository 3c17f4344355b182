// Package tar reads tar archives of all dialects (POSIX.1-2017 pax, ustar, GNU,
// and the seventh edition's) and tells where other readers may see something
// else in them.
//
// Offsets are those of the file. Nothing is kept per member.
package tar

import (
	"bytes"
	"io"
	"strconv"

	"github.com/sallyport/sallyport/internal/format"
)

const (
	block   = 512
	maxName = 64 << 10 // bytes of a long name
	maxPax  = 1 << 20  // bytes of a pax header
	maxMeta = 16       // headers about one member
)

// Types of members (ustar), where '\x00' is a file as well.
const (
	File       = '0'
	Hard       = '1'
	Symbolic   = '2'
	Char       = '3'
	Block      = '4'
	Folder     = '5'
	Pipe       = '6'
	Contiguous = '7'
)

// A Doubt is a place where readers of tar archives may differ, or that writers
// do not write.
type Doubt struct {
	Off  int64
	What string // of the archive's own words, or ""
	Why  string
}

// An Entry is a member.
type Entry struct {
	Name   string
	Target string // of a link
	Type   byte
	Size   int64 // of its data
	Header int64 // where its first header begins
	Data   int64 // where its data begins
	Sparse bool  // its data is a map and pieces of it
	Doubts []Doubt
}

// Regular reports whether the member is a file.
func (e *Entry) Regular() bool { return e.Type == File || e.Type == Contiguous }

// A Reader reads an archive member by member.
type Reader struct {
	c      *format.Cursor
	Doubts []Doubt // about the archive as a whole, known after the last member
	ended  bool
}

// NewReader reads the archive that begins at the beginning of r.
func NewReader(r io.ReaderAt, size int64) *Reader {
	return &Reader{c: format.NewCursor(r, 0, size)}
}

// Begins reports whether head is that of an archive: its first header's checksum
// is right. No other format has the checksum of a tar header by accident, but
// one may be built to.
func Begins(head []byte) bool {
	return len(head) >= block && !zero(head[:block]) && sumRight(head[:block])
}

// Next reads the next member's headers. It returns io.EOF at the end.
func (t *Reader) Next() (*Entry, error) {
	if t.ended {
		return nil, io.EOF
	}
	e := &Entry{Header: t.c.Offset()}
	var m meta
	for range maxMeta {
		at := t.c.Offset()
		if t.c.Left() == 0 && t.c.Err() == nil {
			t.ended = true
			t.doubt(at, "it ends without the two empty blocks that writers put there")
			return nil, m.dangling(at, io.EOF)
		}
		h := t.c.Peek(block)
		if t.c.Err() != nil {
			return nil, t.c.Err()
		}
		if zero(h) {
			return nil, m.dangling(at, t.end())
		}
		if !sumRight(h) {
			return nil, format.Brokenf(at, "the checksum of a header is wrong")
		}
		h = bytes.Clone(h)
		t.c.Skip(block)
		size, ok := number(h[124:136])
		if !ok {
			return nil, format.Brokenf(at+124, "the size of a member is none")
		}
		switch h[156] {
		case 'L', 'K', 'x', 'X', 'g':
			if err := t.meta(&m, h[156], size); err != nil {
				return nil, err
			}
		default:
			return t.finish(e, h, size, &m)
		}
	}
	return nil, format.Exceededf(t.c.Offset(), "more than %d headers stand before one member", maxMeta)
}

// finish makes an entry of a member's own header and those before it.
func (t *Reader) finish(e *Entry, h []byte, size int64, m *meta) (*Entry, error) {
	at := t.c.Offset() - block
	e.Type = h[156]
	e.Name, e.Target = text(h[:100]), text(h[157:257])
	prefix := text(h[345:500])
	posix := string(h[257:263]) == "ustar\x00"
	if prefix != "" && string(h[257:262]) == "ustar" {
		if posix {
			e.Name = prefix + "/" + e.Name
		} else {
			e.doubt(at+345, "part of its name stands where only some dialects have one")
		}
	}
	if e.Type == 0 {
		e.Type = File
		if len(e.Name) > 0 && e.Name[len(e.Name)-1] == '/' {
			e.Type = Folder
		}
	}
	e.Size = size
	m.apply(e, size, at)
	if e.Type == 'S' {
		e.Type, e.Sparse = File, true
		e.doubt(at, "it is sparse: readers that do not know that see other bytes")
	}
	e.Data = t.c.Offset()
	switch e.Type {
	case Hard, Symbolic, Char, Block, Folder, Pipe:
		if e.Size != 0 {
			e.doubt(at+124, "it is no file and has data: readers disagree where the next member begins")
		}
		return e, nil
	}
	if e.Size < 0 || e.Size > t.c.Left() {
		return nil, format.Brokenf(at+124, "a member of %d bytes leaves the %d that remain", e.Size, t.c.Left())
	}
	t.c.Skip(min((e.Size+block-1)/block*block, t.c.Left()))
	return e, t.c.Err()
}

func (e *Entry) doubt(off int64, why string) { e.Doubts = append(e.Doubts, Doubt{off, e.Name, why}) }

func (t *Reader) doubt(off int64, why string) { t.Doubts = append(t.Doubts, Doubt{Off: off, Why: why}) }

// end reads what follows the last member: two empty blocks, and more of them to
// fill a record.
func (t *Reader) end() error {
	t.ended = true
	at := t.c.Offset()
	if t.c.Left() < 2*block {
		t.doubt(at, "it ends without the two empty blocks that writers put there")
	}
	for t.c.Left() > 0 {
		n := int(min(t.c.Left(), 16<<10))
		if b := t.c.Peek(n); t.c.Err() == nil && !zero(b) {
			t.doubt(t.c.Offset(), "bytes follow its end: some readers stop there and some go on")
			return io.EOF
		}
		t.c.Skip(int64(n))
	}
	if err := t.c.Err(); err != nil {
		return err
	}
	return io.EOF
}

var empty [16 << 10]byte

func zero(b []byte) bool { return bytes.Equal(b, empty[:len(b)]) }

// sumRight checks the sum of a header's bytes, its own field counted as spaces.
// Some old writers add the bytes as signed.
func sumRight(h []byte) bool {
	want, ok := number(h[148:156])
	if !ok {
		return false
	}
	var plain, signed int64
	for i, b := range h {
		if 148 <= i && i < 156 {
			b = ' '
		}
		plain += int64(b)
		signed += int64(int8(b))
	}
	return want == plain || want == signed
}

// text is a field up to its NUL.
func text(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

// number reads octal digits between spaces and NULs, or the base 256 of GNU.
func number(b []byte) (int64, bool) {
	if b[0]&0x80 != 0 {
		if b[0] != 0x80 { // negative, or beyond what any file has
			return 0, false
		}
		var v uint64
		for _, x := range b[1:] {
			if v >= 1<<55 {
				return 0, false
			}
			v = v<<8 | uint64(x)
		}
		return int64(v), v < 1<<62
	}
	s := string(bytes.Trim(b, " \x00"))
	if s == "" {
		return 0, true
	}
	v, err := strconv.ParseUint(s, 8, 62)
	return int64(v), err == nil
}
