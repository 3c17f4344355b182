package archives

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// texts are tried last, and in this order: text is what everything is that
// nobody knows better.
var texts = []inspect.Reading{
	markupReading,
	{Format: "json", Generic: true, Match: matchJSON, Inspect: inspectJSON},
	{Format: "text", Generic: true, Match: matchText, Inspect: inspectText},
}

func matchJSON(_ *inspect.File, head []byte) inspect.Fit {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectJSON accepts one whole document. Python writes NaN and Infinity.
func inspectJSON(p *inspect.Pass, f *inspect.File) error {
	r := json.NewReader(f.Reader())
	r.Literals = true
	for {
		switch _, err := r.Next(); {
		case err == io.EOF:
			return nil
		case isFormat(err):
			return inspect.ErrNotThis
		case err != nil:
			return err
		}
		if err := p.Step(1); err != nil {
			return err
		}
	}
}

// matchText wants no NUL, which UTF-8 text does not have and almost everything
// else does, or the mark of UTF-16.
func matchText(_ *inspect.File, head []byte) inspect.Fit {
	if _, ok := wide(head); ok || bytes.IndexByte(head, 0) < 0 {
		return inspect.Maybe
	}
	return inspect.No
}

// wide reports the order of bytes in UTF-16 text.
func wide(head []byte) (binary.ByteOrder, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return binary.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return binary.BigEndian, true
	}
	return nil, false
}

// inspectText accepts a file that is well-formed text to its end.
func inspectText(p *inspect.Pass, f *inspect.File) error {
	var head [2]byte
	f.ReadAt(head[:min(f.Size, 2)], 0)
	check := validUTF8
	if order, ok := wide(head[:]); ok {
		check = func(b []byte, end bool) (int, bool) { return validUTF16(order, b, end) }
	}
	buf := make([]byte, 64<<10)
	kept := 0
	for off := int64(0); off < f.Size; {
		n := min(f.Size-off, int64(len(buf)-kept))
		if m, err := f.ReadAt(buf[kept:kept+int(n)], off); int64(m) < n {
			return err
		}
		off += n
		b := buf[:kept+int(n)]
		used, ok := check(b, off == f.Size)
		if !ok {
			return inspect.ErrNotThis
		}
		kept = copy(buf, b[used:])
		if err := p.Step(int(n >> 6)); err != nil {
			return err
		}
	}
	return nil
}

// validUTF8 reports whether b is text, but for a character that its end cuts.
func validUTF8(b []byte, end bool) (used int, ok bool) {
	used = len(b)
	if !end {
		for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
			if utf8.RuneStart(b[len(b)-i]) {
				if !utf8.FullRune(b[len(b)-i:]) {
					used -= i
				}
				break
			}
		}
	}
	return used, utf8.Valid(b[:used]) && bytes.IndexByte(b[:used], 0) < 0
}

// validUTF16 wants surrogates in pairs.
func validUTF16(order binary.ByteOrder, b []byte, end bool) (used int, ok bool) {
	for len(b)-used >= 2 {
		r := rune(order.Uint16(b[used:]))
		size := 2
		if utf16.IsSurrogate(r) {
			if len(b)-used < 4 {
				break
			}
			if utf16.DecodeRune(r, rune(order.Uint16(b[used+2:]))) == utf8.RuneError {
				return used, false
			}
			size = 4
		}
		if r == 0 {
			return used, false
		}
		used += size
	}
	return used, !end || used == len(b)
}
