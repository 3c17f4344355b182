// Package ubjson reads Universal Binary JSON (draft 12) as XGBoost writes it:
// big-endian numbers, strings and keys with their lengths in front, and arrays
// with a common type and a count.
//
// A Reader streams tokens with their offsets in constant memory. It refuses what
// would cost more work than it has bytes: counted arrays of types that take no
// bytes, and counts beyond what remains.
package ubjson

import (
	"encoding/binary"
	"io"
	"math"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
)

// maxDepth is how many arrays and objects may lie within each other, and maxText
// how long a key or string may be of which the text is told.
const (
	maxDepth = 512
	maxText  = 64 << 10
)

// A Token is one piece of a document.
type Token struct {
	Kind  json.Kind
	Off   int64 // byte of its type marker; of an element of a typed array, of its value
	Whole bool  // a Number is an integer and in Int
	Int   int64
	Float float64 // a Number that is not Whole
	Text  string  // of a Key or String; "" if Cut
	Cut   bool    // the string is longer than 64 KiB and was skipped
}

// A Reader reads a document token by token. It is not for concurrent use.
type Reader struct {
	c     *format.Cursor
	open  []container
	ended bool
}

// A container is an open array or object.
type container struct {
	object  bool
	key     bool // a key was read, its value follows
	counted bool
	left    int  // of a counted one
	typ     byte // of all elements; 0: each says its own
}

// NewReader reads the document that n bytes of r from off on are.
func NewReader(r io.ReaderAt, off, n int64) *Reader {
	c := format.NewCursor(r, off, n)
	c.Order = binary.BigEndian
	return &Reader{c: c}
}

// Next reads the next token. At the end of the document it returns io.EOF; bytes
// behind it, like everything else that is not UBJSON, are a *format.Error.
func (r *Reader) Next() (Token, error) {
	if err := r.c.Err(); err != nil {
		return Token{}, err
	}
	if len(r.open) == 0 && r.ended {
		if r.c.Left() > 0 {
			return Token{}, format.Brokenf(r.c.Offset(), "bytes behind the end of the document")
		}
		return Token{}, io.EOF
	}
	t := r.token()
	if len(r.open) == 0 {
		r.ended = true
	}
	return t, r.c.Err()
}

// token reads what the innermost container wants next.
func (r *Reader) token() Token {
	if len(r.open) == 0 {
		return r.value(r.c.Offset(), r.marker())
	}
	in := &r.open[len(r.open)-1]
	if in.key {
		in.key = false
		return r.element(in)
	}
	off := r.c.Offset()
	if in.counted {
		if in.left == 0 {
			return r.end(off)
		}
		in.left--
	} else {
		b := r.peekMarker()
		if in.object && b == '}' || !in.object && b == ']' {
			r.c.U8()
			return r.end(off)
		}
	}
	if in.object {
		in.key = true
		return r.str(off, json.Key, r.length())
	}
	return r.element(in)
}

func (r *Reader) end(off int64) Token {
	kind := json.ArrayEnd
	if r.open[len(r.open)-1].object {
		kind = json.ObjectEnd
	}
	r.open = r.open[:len(r.open)-1]
	return Token{Kind: kind, Off: off}
}

// element reads a value of a container.
func (r *Reader) element(in *container) Token {
	off := r.c.Offset()
	if in.typ != 0 {
		return r.value(off, in.typ)
	}
	return r.value(off, r.marker())
}

// peekMarker returns the next type marker without reading it, past those that
// mean nothing.
func (r *Reader) peekMarker() byte {
	for {
		b := r.c.Peek(1)
		if b == nil {
			return 0
		}
		if b[0] != 'N' {
			return b[0]
		}
		r.c.U8()
	}
}

func (r *Reader) marker() byte {
	r.peekMarker()
	return r.c.U8()
}

// value reads what follows a type marker.
func (r *Reader) value(off int64, typ byte) Token {
	switch typ {
	case 'Z':
		return Token{Kind: json.Null, Off: off}
	case 'T':
		return Token{Kind: json.True, Off: off}
	case 'F':
		return Token{Kind: json.False, Off: off}
	case 'd':
		return Token{Kind: json.Number, Off: off, Float: float64(math.Float32frombits(r.c.U32()))}
	case 'D':
		return Token{Kind: json.Number, Off: off, Float: math.Float64frombits(r.c.U64())}
	case 'C':
		return r.str(off, json.String, 1)
	case 'S', 'H':
		return r.str(off, json.String, r.length())
	case '[', '{':
		return r.begin(off, typ == '{')
	}
	n, ok := r.integer(typ)
	if !ok {
		r.c.Fail(format.Brokenf(off, "a type that UBJSON does not have"))
	}
	return Token{Kind: json.Number, Off: off, Whole: true, Int: n}
}

// integer reads a number of one of the whole types.
func (r *Reader) integer(typ byte) (n int64, ok bool) {
	switch typ {
	case 'i':
		return int64(int8(r.c.U8())), true
	case 'U':
		return int64(r.c.U8()), true
	case 'I':
		return int64(int16(r.c.U16())), true
	case 'l':
		return int64(int32(r.c.U32())), true
	case 'L':
		return int64(r.c.U64()), true
	}
	return 0, false
}

// size is how many bytes a value of the type takes at least; 0 for types that no
// counted array may have.
func size(typ byte) int64 {
	switch typ {
	case 'i', 'U', 'C':
		return 1
	case 'I', 'S', 'H':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return 0
}

// begin opens a container and reads its type and count, if it has them.
func (r *Reader) begin(off int64, object bool) Token {
	t := Token{Kind: json.Array, Off: off}
	if object {
		t.Kind = json.Object
	}
	if len(r.open) >= maxDepth {
		r.c.Fail(format.Exceededf(off, "more than %d arrays and objects within each other", maxDepth))
		return t
	}
	in := container{object: object}
	if r.next('$') {
		in.typ = r.c.U8()
		if size(in.typ) == 0 {
			r.c.Fail(format.Unsupportedf(off, "a typed array of values that take no bytes or are containers"))
		}
		if !r.next('#') {
			r.c.Fail(format.Brokenf(r.c.Offset(), "an array has a type and no count"))
		} else {
			in.counted = true
		}
	} else {
		in.counted = r.next('#')
	}
	if in.counted {
		least := max(size(in.typ), 1)
		if object {
			least += 2
		}
		in.left = r.c.Count(uint64(r.length()), least)
	}
	r.open = append(r.open, in)
	return t
}

// next reads b if it comes next.
func (r *Reader) next(b byte) bool {
	if r.c.Left() == 0 {
		return false
	}
	if p := r.c.Peek(1); p == nil || p[0] != b {
		return false
	}
	r.c.U8()
	return true
}

// length reads a number that counts bytes or elements.
func (r *Reader) length() int64 {
	off := r.c.Offset()
	n, ok := r.integer(r.c.U8())
	if r.c.Err() == nil && (!ok || n < 0) {
		r.c.Fail(format.Brokenf(off, "a length that is no whole number, or below zero"))
	}
	return n
}

func (r *Reader) str(off int64, kind json.Kind, n int64) Token {
	t := Token{Kind: kind, Off: off}
	if n > maxText {
		r.c.Skip(n)
		t.Cut = true
		return t
	}
	t.Text = r.c.String(uint64(n), maxText)
	if r.c.Err() == nil && !utf8.ValidString(t.Text) {
		r.c.Fail(format.Brokenf(off, "a string that is not UTF-8"))
	}
	return t
}
