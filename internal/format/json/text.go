package json

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// string reads a string from its quote on.
func (r *Reader) string(t *Token, k Kind) error {
	t.Kind, t.Off = k, r.Offset()
	r.pos++
	r.begin()
	for {
		i := r.pos
		for i < len(r.buf) && plain(r.buf[i]) {
			i++
		}
		r.pos = i
		b, ok := r.peek()
		switch {
		case !ok:
			return r.ended()
		case plain(b): // in the next window
		case b == '"':
			r.text(t)
			r.pos++
			return nil
		case b == '\\':
			t.Escaped = true
			if err := r.escape(); err != nil {
				return err
			}
		case b < 0x20:
			return r.broken("a control character in a string")
		default:
			if err := r.rune(b); err != nil {
				return err
			}
		}
	}
}

// plain reports whether a string may hold a byte as it is without a closer look.
func plain(b byte) bool { return b-0x20 < 0x60 && b != '"' && b != '\\' }

// escape checks an escape and moves over it.
func (r *Reader) escape() error {
	r.pos++
	b, ok := r.peek()
	if !ok {
		return r.ended()
	}
	if b != 'u' {
		if simple[b] == 0 {
			return r.broken("an escape that JSON does not have")
		}
		r.pos++
		return nil
	}
	c, err := r.hex()
	if err != nil || c < 0xd800 || c > 0xdfff {
		return err
	}
	if c >= 0xdc00 {
		return r.broken("half of a surrogate pair")
	}
	if b, _ := r.peek(); b != '\\' {
		return r.broken("half of a surrogate pair")
	}
	r.pos++
	if b, _ := r.peek(); b != 'u' {
		return r.broken("half of a surrogate pair")
	}
	c, err = r.hex()
	if err == nil && (c < 0xdc00 || c > 0xdfff) {
		err = r.broken("half of a surrogate pair")
	}
	return err
}

// hex reads four hexadecimal digits behind the u that comes next.
func (r *Reader) hex() (rune, error) {
	r.pos++
	var digits [4]byte
	for i := range digits {
		b, ok := r.peek()
		if !ok {
			return 0, r.ended()
		}
		digits[i] = b
		r.pos++
	}
	c, ok := hex4(digits[:])
	if !ok {
		r.pos--
		return 0, r.broken("an escape without four hexadecimal digits")
	}
	return c, nil
}

// rune checks a character of several bytes, of which b is the first, and moves
// over it.
func (r *Reader) rune(b byte) error {
	if rest := r.buf[r.pos:]; len(rest) >= utf8.UTFMax {
		if c, n := utf8.DecodeRune(rest); c != utf8.RuneError || n > 1 {
			r.pos += n
			return nil
		}
		return r.broken("a byte that is not UTF-8")
	}
	c := [utf8.UTFMax]byte{b} // it may go on in the next window
	for n := 1; ; n++ {
		r.pos++
		if utf8.FullRune(c[:n]) {
			if d, size := utf8.DecodeRune(c[:n]); d == utf8.RuneError && size == 1 {
				r.pos--
				return r.broken("a byte that is not UTF-8")
			}
			return nil
		}
		next, ok := r.peek()
		if !ok {
			return r.ended()
		}
		c[n] = next
	}
}

// begin begins the text of a token at the next byte.
func (r *Reader) begin() { r.mark, r.long, r.cut = r.pos, r.long[:0], false }

// text ends it before the next byte.
func (r *Reader) text(t *Token) {
	t.Text = r.buf[r.mark:r.pos]
	if len(r.long) > 0 || r.cut || len(t.Text) > r.limit() {
		r.keep()
		t.Text, t.Cut = r.long, r.cut
	}
	r.mark = -1
}

// keep saves the text so far from leaving with the window.
func (r *Reader) keep() {
	more := r.buf[r.mark:r.pos]
	if room := r.limit() - len(r.long); len(more) > room {
		more, r.cut = more[:room], true
	}
	r.long = append(r.long, more...)
}

func (r *Reader) limit() int {
	if r.Text <= 0 {
		return window
	}
	return r.Text
}

// space moves over white space and returns the byte behind it.
func (r *Reader) space() (byte, bool) {
	for {
		b, ok := r.peek()
		if !ok || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, ok
		}
		r.pos++
	}
}

// peek returns the next byte, or false at the end of the source.
func (r *Reader) peek() (byte, bool) {
	if r.pos < len(r.buf) {
		return r.buf[r.pos], true
	}
	return r.fill()
}

// fill gets the next window.
func (r *Reader) fill() (byte, bool) {
	if r.srcErr != nil {
		return 0, false
	}
	if r.mark >= 0 {
		r.keep()
		r.mark = 0
	}
	r.base += int64(len(r.buf))
	if cap(r.buf) < window && len(r.buf) == cap(r.buf) {
		r.buf = make([]byte, 0, min(window, max(least, 8*cap(r.buf)))) // little for a small document: archives hold thousands
	}
	r.pos, r.buf = 0, r.buf[:0]
	for range 100 {
		n, err := r.src.Read(r.buf[:cap(r.buf)])
		r.buf = r.buf[:n]
		r.srcErr = err
		if n > 0 {
			return r.buf[0], true
		}
		if err != nil {
			return 0, false
		}
	}
	r.srcErr = io.ErrNoProgress
	return 0, false
}

// ended is the error of a document that stops too early.
func (r *Reader) ended() error {
	if !errors.Is(r.srcErr, io.EOF) {
		return r.srcErr
	}
	return r.broken("the document ends early")
}

func (r *Reader) broken(text string) error { return format.Brokenf(r.Offset(), "%s", text) }
