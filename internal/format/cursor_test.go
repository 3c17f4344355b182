package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func TestCursorReads(t *testing.T) {
	data := []byte{1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x02, 'a', 'b', 'c'}
	c := NewCursor(bytes.NewReader(data), 0, int64(len(data)))
	if a, b, d, e := c.U8(), c.U16(), c.U32(), c.U64(); a != 1 || b != 2 || d != 3 || e != 4 {
		t.Errorf("numbers: %d %d %d %d", a, b, d, e)
	}
	if v := c.Varint(); v != 300 {
		t.Errorf("varint: %d", v)
	}
	if s := c.String(3, 3); s != "abc" || c.Left() != 0 || c.Err() != nil {
		t.Errorf("string %q, %d left, %v", s, c.Left(), c.Err())
	}
	c = NewCursor(bytes.NewReader(data), 1, 2)
	c.Order = binary.BigEndian
	if v := c.U16(); v != 0x200 || c.Offset() != 3 {
		t.Errorf("big endian: %#x at %d", v, c.Offset())
	}
}

// TestCursorBounds proves that no claim of the file leads beyond its end or to
// an allocation that its bytes do not pay for.
func TestCursorBounds(t *testing.T) {
	data := bytes.Repeat([]byte{0xff}, 40)
	for name, read := range map[string]func(*Cursor){
		"field":         func(c *Cursor) { c.Skip(38); c.U64() },
		"skip":          func(c *Cursor) { c.Skip(41) },
		"skip back":     func(c *Cursor) { c.Skip(-1) },
		"move":          func(c *Cursor) { c.Move(41) },
		"move before":   func(c *Cursor) { c.Move(-1) },
		"length":        func(c *Cursor) { c.Length(c.U64()) },
		"count":         func(c *Cursor) { c.Count(11, 4) },
		"huge count":    func(c *Cursor) { c.Count(1<<63, 8) },
		"bytes":         func(c *Cursor) { c.Bytes(c.U64(), 1<<40) },
		"long varint":   func(c *Cursor) { c.Varint() },
		"limit":         func(c *Cursor) { c.Bytes(10, 9) },
		"peek too much": func(c *Cursor) { c.Peek(window + 1) },
	} {
		c := NewCursor(bytes.NewReader(data), 0, int64(len(data)))
		read(c)
		var e *Error
		if !errors.As(c.Err(), &e) || e.Off < 0 {
			t.Errorf("%s: error %v", name, c.Err())
		}
		if c.Left() != 0 || c.U8() != 0 || c.Bytes(1, 1) != nil {
			t.Errorf("%s: it reads on after the error", name)
		}
	}
}

// TestCursorShortFile wants a file that is shorter than its size to be broken,
// and one that cannot be read not to be.
func TestCursorShortFile(t *testing.T) {
	c := NewCursor(strings.NewReader("abc"), 0, 8)
	if c.U64(); !Is(c.Err(), Broken) {
		t.Errorf("short: %v", c.Err())
	}
	bad := errors.New("the disk is gone")
	c = NewCursor(failing{bad}, 0, 8)
	if c.U64(); c.Err() != bad {
		t.Errorf("unreadable: %v", c.Err())
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func FuzzCursor(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte("0123456789"))
	f.Fuzz(func(t *testing.T, data, does []byte) {
		c := NewCursor(bytes.NewReader(data), 0, int64(len(data)))
		for _, d := range does {
			switch d % 9 {
			case 0:
				c.U8()
			case 1:
				c.U16()
			case 2:
				c.U32()
			case 3:
				c.U64()
			case 4:
				c.Varint()
			case 5:
				c.Bytes(uint64(d), 64)
			case 6:
				c.Skip(int64(d))
			case 7:
				c.Move(int64(d))
			case 8:
				c.Peek(int(d))
			}
			if c.Offset() < 0 || c.Offset() > int64(len(data)) {
				t.Fatalf("at %d of %d", c.Offset(), len(data))
			}
			if c.Err() != nil && c.U8() != 0 {
				t.Fatal("it reads on after an error")
			}
		}
	})
}
