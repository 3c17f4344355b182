package json

import (
	"errors"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

const (
	window    = 64 << 10 // bytes that a reader holds at most
	least     = 1 << 10  // and at first
	maxDepth  = 512
	maxNumber = 4096 // bytes of one number
)

// A Reader reads a document token by token. Set its fields before the first
// call of Next. It is not for concurrent use.
type Reader struct {
	Literals bool // NaN, Infinity and -Infinity are numbers
	Unique   bool // keys that an object has twice are an error; up to half a million keys of open objects
	Text     int  // bytes of a string that a token holds at most; 0 is 64 KiB

	src    io.Reader
	buf    []byte // bytes of the document from base on; those from pos on are unread
	pos    int
	base   int64
	mark   int    // where in buf the text of the current token begins; -1: nowhere
	long   []byte // what of that text has left buf
	cut    bool   // it is longer than Text allows
	want   want
	nest   []bool // open arrays (false) and objects (true)
	keys   keys
	srcErr error // that ended src
	err    error // that ended the reader
}

// want is what may come next.
type want uint8

const (
	wantValue    want = iota
	wantFirst         // a value or the end of the array
	wantFirstKey      // a key or the end of the object
	wantKey
	wantComma // or the end of what is open
	wantNothing
)

// NewReader returns a reader of the document that src yields.
func NewReader(src io.Reader) *Reader { return &Reader{src: src, mark: -1} }

// Depth is how many arrays and objects are open.
func (r *Reader) Depth() int { return len(r.nest) }

// Offset is how many bytes have been read as tokens.
func (r *Reader) Offset() int64 { return r.base + int64(r.pos) }

// Next reads the next token. At the end of the document it returns io.EOF. A
// document that is not JSON ends with a *format.Error, and every other error is
// that of the source; errors stay.
func (r *Reader) Next() (Token, error) {
	if r.err != nil {
		return Token{}, r.err
	}
	var t Token
	if r.err = r.next(&t); r.err != nil {
		return Token{}, r.err
	}
	return t, nil
}

// Skip drops the next value: after a Key its own, in an array the next item.
// Where the end of an array or object comes next, it drops that.
func (r *Reader) Skip() error {
	depth := r.Depth()
	for {
		t, err := r.Next()
		if err != nil {
			return err
		}
		if t.Kind != Key && r.Depth() <= depth {
			return nil
		}
	}
}

// Leave drops the rest of the innermost open array or object, and its end.
func (r *Reader) Leave() error {
	for depth := r.Depth(); depth > 0 && r.Depth() >= depth; {
		if _, err := r.Next(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) next(t *Token) error {
	for {
		b, ok := r.space()
		if !ok {
			if r.want == wantNothing && errors.Is(r.srcErr, io.EOF) {
				return io.EOF
			}
			return r.ended()
		}
		switch r.want {
		case wantNothing:
			return r.broken("text after the end of the document")
		case wantComma:
			in := r.nest[len(r.nest)-1]
			switch {
			case b == ',' && in:
				r.want = wantKey
			case b == ',':
				r.want = wantValue
			case b == '}' && in || b == ']' && !in:
				return r.closes(t)
			default:
				return r.broken("neither a comma nor the end of what is open")
			}
			r.pos++
		case wantFirst:
			if b == ']' {
				return r.closes(t)
			}
			return r.value(t, b)
		case wantFirstKey, wantKey:
			if b == '}' && r.want == wantFirstKey {
				return r.closes(t)
			}
			if b != '"' {
				return r.broken("no key where one must be")
			}
			return r.key(t)
		default:
			return r.value(t, b)
		}
	}
}

// value reads a value that begins with b.
func (r *Reader) value(t *Token, b byte) error {
	switch {
	case b == '"':
		r.after()
		return r.string(t, String)
	case b == '-' || '0' <= b && b <= '9':
		return r.number(t)
	case b == '[':
		return r.opens(t, Array)
	case b == '{':
		return r.opens(t, Object)
	case b == 't':
		return r.literal(t, "true", True)
	case b == 'f':
		return r.literal(t, "false", False)
	case b == 'n':
		return r.literal(t, "null", Null)
	case b == 'N' && r.Literals:
		return r.literal(t, "NaN", Number)
	case b == 'I' && r.Literals:
		return r.literal(t, "Infinity", Number)
	}
	return r.broken("no value where one must be")
}

// after notes that a value has ended.
func (r *Reader) after() {
	r.want = wantComma
	if len(r.nest) == 0 {
		r.want = wantNothing
	}
}

func (r *Reader) opens(t *Token, k Kind) error {
	if len(r.nest) >= maxDepth {
		return format.Exceededf(r.Offset(), "arrays and objects lie more than %d deep", maxDepth)
	}
	t.Kind, t.Off = k, r.Offset()
	r.pos++
	r.nest = append(r.nest, k == Object)
	r.want = wantFirst
	if k == Object {
		r.want = wantFirstKey
	}
	if r.Unique {
		r.keys.open()
	}
	return nil
}

func (r *Reader) closes(t *Token) error {
	t.Kind, t.Off = ArrayEnd, r.Offset()
	if r.nest[len(r.nest)-1] {
		t.Kind = ObjectEnd
	}
	r.pos++
	r.nest = r.nest[:len(r.nest)-1]
	r.after()
	if r.Unique {
		r.keys.close()
	}
	return nil
}

// key reads a key and the colon behind it. Both are one token, so that after a
// Key there is always a value.
func (r *Reader) key(t *Token) error {
	if err := r.string(t, Key); err != nil {
		return err
	}
	if r.Unique {
		if err := r.keys.add(*t); err != nil {
			return err
		}
	}
	if len(r.long) == 0 && (r.pos == len(r.buf) || r.buf[r.pos] != ':') {
		r.long = append(r.long, t.Text...) // the window may move on before the colon
		t.Text = r.long
	}
	b, ok := r.space()
	if !ok {
		return r.ended()
	}
	if b != ':' {
		return r.broken("no colon behind a key")
	}
	r.pos++
	r.want = wantValue
	return nil
}

// literal reads a word of the language.
func (r *Reader) literal(t *Token, word string, k Kind) error {
	t.Kind, t.Off = k, r.Offset()
	r.begin()
	for i := range len(word) {
		b, ok := r.peek()
		if !ok {
			return r.ended()
		}
		if b != word[i] {
			return r.broken("no value where one must be")
		}
		r.pos++
	}
	r.text(t)
	r.after()
	return nil
}

// number reads a number: an optional minus, an integer without leading zeros,
// an optional fraction, an optional exponent.
func (r *Reader) number(t *Token) error {
	t.Kind, t.Off = Number, r.Offset()
	if n := whole(r.buf[r.pos:min(len(r.buf), r.pos+maxNumber)]); n > 0 {
		t.Text = r.buf[r.pos : r.pos+n]
		r.pos += n
		r.after()
		return nil
	}
	r.begin()
	if r.buf[r.pos] == '-' {
		r.pos++
		if b, ok := r.peek(); ok && b == 'I' && r.Literals {
			return r.infinity(t)
		}
	}
	b, _ := r.peek()
	if b == '0' {
		r.pos++
	} else if r.digits() == 0 {
		return r.brokenNumber()
	}
	if b, ok := r.peek(); ok && b == '.' {
		r.pos++
		if r.digits() == 0 {
			return r.brokenNumber()
		}
	}
	if b, ok := r.peek(); ok && b|0x20 == 'e' {
		r.pos++
		if b, ok := r.peek(); ok && (b == '+' || b == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return r.brokenNumber()
		}
	}
	r.text(t)
	if t.Cut || len(t.Text) > maxNumber {
		return format.Exceededf(t.Off, "a number has more than %d digits", maxNumber)
	}
	r.after()
	return nil
}

// whole is how long the number is that begins b, or 0 where that takes a closer
// look: because it is broken or may go on behind b.
func whole(b []byte) int {
	i := 0
	if b[0] == '-' {
		i++
	}
	from := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == from || i-from > 1 && b[from] == '0' {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		from = i + 1
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		if i == from {
			return 0
		}
	}
	if i == len(b) || b[i]|0x20 == 'e' {
		return 0
	}
	return i
}

// infinity reads the rest of -Infinity.
func (r *Reader) infinity(t *Token) error {
	off := t.Off
	err := r.literal(t, "Infinity", Number)
	t.Off, t.Text = off, negativeInfinity
	return err
}

var negativeInfinity = []byte("-Infinity")

// digits moves over decimal digits and counts them, up to more than maxNumber.
func (r *Reader) digits() int {
	n := 0
	for {
		if _, ok := r.peek(); !ok {
			return n
		}
		i := r.pos
		for i < len(r.buf) && r.buf[i]-'0' <= 9 {
			i++
		}
		n += i - r.pos
		r.pos = i
		if i < len(r.buf) {
			return n
		}
	}
}

func (r *Reader) brokenNumber() error {
	if _, ok := r.peek(); !ok {
		return r.ended()
	}
	return r.broken("a number without digits")
}
