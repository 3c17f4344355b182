package npy

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// A kind is that of a literal.
type kind uint8

const (
	none kind = iota
	boolean
	integer
	str
	tuple
	list
	dict // keys and values by turns
)

// A value is a Python literal.
type value struct {
	kind  kind
	off   int64 // byte where it begins
	n     int64
	text  string
	items []*value
}

func (v *value) broken(text string) error { return format.Brokenf(v.off, "%s", text) }

const (
	maxDepth = 32 // of literals in literals
	maxItems = 20_000
)

// A literal reads one: dictionaries, lists, tuples, strings without escapes but
// of quotes and backslashes, whole numbers, True, False and None. The first
// error stays.
type literal struct {
	text  string
	off   int64 // of the text's beginning
	pos   int
	depth int
	items int
	err   error
}

// whole reads a literal that is all of the text but for white space.
func (l *literal) whole() *value {
	v := l.value()
	l.space()
	if l.pos < len(l.text) {
		l.fail("something stands behind the header's dictionary")
	}
	return v
}

func (l *literal) fail(text string) {
	if l.err == nil {
		l.err = format.Brokenf(l.off+int64(l.pos), "%s", text)
	}
}

func (l *literal) space() {
	l.pos = len(l.text) - len(strings.TrimLeft(l.text[l.pos:], " \t\r\n\f"))
}

// next moves over white space and then over s if it comes next.
func (l *literal) next(s string) bool {
	l.space()
	ok := strings.HasPrefix(l.text[l.pos:], s)
	if ok {
		l.pos += len(s)
	}
	return ok
}

func (l *literal) value() *value {
	l.space()
	v := &value{off: l.off + int64(l.pos)}
	l.items++
	if l.depth++; l.depth > maxDepth || l.items > maxItems {
		l.fail("a header is larger or more nested than any array needs")
		return v
	}
	defer func() { l.depth-- }()
	switch {
	case l.next("{"):
		v.kind = dict
		l.list(v, "}")
	case l.next("["):
		v.kind = list
		l.list(v, "]")
	case l.next("("):
		v.kind = tuple
		if comma := l.list(v, ")"); len(v.items) == 1 && !comma {
			return v.items[0]
		}
	case l.next("True"):
		v.kind, v.n = boolean, 1
	case l.next("False"):
		v.kind = boolean
	case l.next("None"):
	case l.next("'"):
		l.string(v, '\'')
	case l.next(`"`):
		l.string(v, '"')
	default:
		l.number(v)
	}
	return v
}

// list reads values with commas between them up to the closing bracket, and
// reports whether there was a comma.
func (l *literal) list(v *value, closing string) (comma bool) {
	for l.err == nil && !l.next(closing) {
		if len(v.items) > 0 && !comma {
			l.fail("no comma where one must be")
			return
		}
		v.items = append(v.items, l.value())
		if v.kind == dict {
			if !l.next(":") {
				l.fail("no value behind a key")
			}
			v.items = append(v.items, l.value())
		}
		if comma = l.next(","); !comma && l.next(closing) {
			return
		}
	}
	return
}

func (l *literal) string(v *value, quote byte) {
	v.kind = str
	var b strings.Builder
	for ; l.pos < len(l.text) && l.text[l.pos] != '\n'; l.pos++ {
		c := l.text[l.pos]
		if c == quote {
			l.pos++
			v.text = b.String()
			return
		}
		if c == '\\' {
			if l.pos++; l.pos == len(l.text) || strings.IndexByte(`\'"`, l.text[l.pos]) < 0 {
				break
			}
			c = l.text[l.pos]
		}
		b.WriteByte(c)
	}
	l.fail("a string without an end, or with an escape that headers do not have")
}

// number reads a whole number, which Python 2 may have written with an L.
func (l *literal) number(v *value) {
	v.kind = integer
	digits := l.text[l.pos:]
	digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
	n, ok := number(digits)
	if !ok {
		l.fail("something that headers do not have")
		return
	}
	v.n = n
	l.pos += len(digits)
	if l.pos < len(l.text) && l.text[l.pos] == 'L' {
		l.pos++
	}
}
