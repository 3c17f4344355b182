package pickle

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// piece is how much of a long text is looked at at a time.
const piece = 64 << 10

// bytesAt returns n bytes of the view, valid until the next call.
func (m *Machine) bytesAt(off int64, n int) ([]byte, error) {
	if i := off - m.base; i >= 0 && i+int64(n) <= int64(m.loaded) {
		return m.buf[i : i+int64(n)], nil
	}
	if cap(m.scratch) < n {
		m.scratch = make([]byte, max(n, 512))
	}
	got, err := m.view.ReadAt(m.scratch[:n], off)
	if got == n {
		err = nil
	}
	if err == io.EOF {
		err = m.broken("the file ends before its size says")
	}
	return m.scratch[:got], err
}

// utf8 checks that n bytes are UTF-8, in which surrogates may stand alone.
func (m *Machine) utf8(off, n int64) error {
	for end := off + n; off < end; {
		b, err := m.bytesAt(off, int(min(end-off, piece)))
		if err != nil {
			return err
		}
		good := wellFormed(b)
		if good < len(b) && (end-off <= piece || len(b)-good >= utf8.UTFMax) {
			return m.broken("%s is not UTF-8", m.op)
		}
		off += int64(good)
	}
	return nil
}

// wellFormed is how many bytes at the beginning are UTF-8 with surrogates.
func wellFormed(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	for i := 0; i < len(b); {
		switch r, n := utf8.DecodeRune(b[i:]); {
		case r != utf8.RuneError || n > 1:
			i += n
		case len(b)-i >= 3 && b[i] == 0xed && b[i+1]&0xe0 == 0xa0 && b[i+2]&0xc0 == 0x80:
			i += 3
		default:
			return i
		}
	}
	return len(b)
}

// quoted executes STRING and UNICODE, whose lines may be of any length.
func (m *Machine) quoted(op Op) error {
	off := m.at + 1
	end, ended, err := m.lineEnd(off)
	if err != nil {
		return err
	}
	if !ended {
		return m.broken("the stream ends within %s", op)
	}
	from, to := off, end
	kind := Str
	if op == OpString {
		kind = Str8
		if from, to, err = m.unquote(off, end); err != nil {
			return err
		}
	}
	e := escapes{unicode: op == OpUnicode}
	for from < to {
		b, err := m.bytesAt(from, int(min(to-from, piece)))
		if err != nil {
			return err
		}
		if !e.check(b) {
			return m.broken("%s with a bad escape", op)
		}
		from += int64(len(b))
	}
	if e.left > 0 || e.begun && !e.unicode {
		return m.broken("%s with a bad escape", op)
	}
	m.push(m.written(kind))
	return m.skip(off, end+1-off)
}

// unquote returns what lies between the quotes of a STRING.
func (m *Machine) unquote(off, end int64) (from, to int64, err error) {
	if end-off < 2 {
		return 0, 0, m.broken("STRING without quotes")
	}
	b, err := m.bytesAt(off, 1)
	if err != nil {
		return 0, 0, err
	}
	quote := b[0]
	if b, err = m.bytesAt(end-1, 1); err != nil {
		return 0, 0, err
	}
	if b[0] != quote || quote != '\'' && quote != '"' {
		return 0, 0, m.broken("STRING without quotes")
	}
	return off + 1, end - 1, nil
}

// lineEnd finds the newline that ends a line.
func (m *Machine) lineEnd(off int64) (end int64, ended bool, err error) {
	if off == m.frame {
		m.frame = noFrame
	}
	for end = off; end < m.end; {
		b, err := m.bytesAt(end, int(min(m.end-end, piece)))
		if err != nil {
			return 0, false, err
		}
		i := bytes.IndexByte(b, '\n')
		ended = i >= 0
		if end += int64(i); !ended {
			end += int64(len(b)) + 1
		}
		if end >= m.frame {
			if err := m.straddle(off); err != nil {
				return 0, false, err
			}
			return m.lineEnd(off)
		}
		if ended {
			break
		}
	}
	return end, ended, nil
}

// escapes checks the escapes of a text that comes in pieces: \xhh for STRING,
// \uhhhh and \Uhhhhhhhh for UNICODE; all others are valid.
type escapes struct {
	unicode bool
	begun   bool // a backslash was the last byte
	left    int  // hexadecimal digits that have to follow
	rune    uint32
}

func (e *escapes) check(b []byte) bool {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case e.left > 0:
			digit, ok := hex(c)
			e.rune = e.rune<<4 | digit
			if e.left--; !ok || e.left == 0 && e.rune > utf8.MaxRune {
				return false
			}
		case e.begun:
			e.begun, e.rune = false, 0
			switch {
			case !e.unicode && c == 'x':
				e.left = 2
			case e.unicode && c == 'u':
				e.left = 4
			case e.unicode && c == 'U':
				e.left = 8
			}
		default:
			n := bytes.IndexByte(b[i:], '\\')
			if n < 0 {
				return true
			}
			i += n
			e.begun = true
		}
	}
	return true
}

func hex(c byte) (uint32, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint32(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint32(c|0x20-'a') + 10, true
	}
	return 0, false
}
