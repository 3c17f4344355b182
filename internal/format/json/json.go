// Package json reads JSON documents of any size and any honesty.
//
// It is strict where parsers are known to disagree, because two readers that
// disagree about a document read two different documents: RFC 8259 and nothing
// beyond it, UTF-8 without a byte order mark, no halves of surrogate pairs, no
// text after the value, nesting up to 512. Parse also refuses keys that an
// object has twice; a Reader does if Unique is set. The one extension, on
// demand, is the NaN, Infinity and -Infinity that Python writes.
//
// A Reader streams tokens with their offsets in constant memory. Parse builds a
// tree of a small document.
package json

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// A Kind is what a value or a token is.
type Kind uint8

const (
	Null Kind = iota
	False
	True
	Number
	String
	Array  // of a token: its beginning
	Object // of a token: its beginning

	Key       // tokens only: a member's name; its value follows
	ArrayEnd  // tokens only
	ObjectEnd // tokens only
)

var kinds = [...]string{"null", "false", "true", "a number", "a string", "an array", "an object", "a key", "the end of an array", "the end of an object"}

func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return strconv.Itoa(int(k))
}

// A Token is one piece of a document.
type Token struct {
	Kind    Kind
	Escaped bool  // Text holds escapes
	Cut     bool  // the string or key is longer than Text; all of it was checked
	Off     int64 // byte where it begins, a string's at its quote
	// Text is what stands in the document: a number, or a string between its
	// quotes with escapes as they are. It is valid until the next token is read.
	Text []byte
}

// String is the text with its escapes resolved, in memory of its own.
func (t Token) String() string {
	if !t.Escaped {
		return string(t.Text)
	}
	return string(t.Append(nil))
}

// Append appends the text with its escapes resolved.
func (t Token) Append(dst []byte) []byte {
	if !t.Escaped {
		return append(dst, t.Text...)
	}
	return unescape(dst, t.Text)
}

// Is reports whether the text with its escapes resolved is s.
func (t Token) Is(s string) bool {
	if t.Cut || !t.Escaped {
		return !t.Cut && string(t.Text) == s
	}
	var short [64]byte
	return string(unescape(short[:0], t.Text)) == s
}

// Int is the number, if it is written without fraction or exponent and fits.
func (t Token) Int() (int64, bool) { return integer(t.Text) }

// Float is the number as near as a float64 comes to it, which for numbers
// beyond its range is infinite.
func (t Token) Float() (float64, bool) {
	if t.Kind != Number {
		return 0, false
	}
	v, _ := strconv.ParseFloat(string(t.Text), 64) // errors are of range only
	return v, true
}

// integer reads a decimal number that the reader has checked.
func integer[T ~string | ~[]byte](text T) (int64, bool) {
	digits, negative := text, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var v uint64
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	switch {
	case negative && v <= 1<<63:
		return -int64(v), true
	case !negative && v <= math.MaxInt64:
		return int64(v), true
	}
	return 0, false
}

// unescape resolves the escapes of text, which the reader has checked. Where
// text was cut, an escape at its end may be half and is left out.
func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			continue
		}
		i++
		if i == len(text) {
			break
		}
		if text[i] != 'u' {
			dst = append(dst, simple[text[i]])
			continue
		}
		r, ok := hex4(text[i+1:])
		if !ok {
			break
		}
		i += 4
		if r >= 0xd800 && r < 0xdc00 {
			if len(text) < i+7 {
				break
			}
			low, _ := hex4(text[i+3:])
			r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			i += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// simple are the escapes of one letter.
var simple = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hex4 reads four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
