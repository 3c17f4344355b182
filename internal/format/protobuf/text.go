package protobuf

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// FromText turns a message in the text format (protobuf.dev, "Text Format
// Language Specification") into the wire format, so that whoever reads one
// reads both. Enums says which number the name of an enum's value has;
// nil knows none. Fields
// that the type does not have, extensions and the long form of Any are errors.
func FromText(text []byte, t *Message, enums func(name string) (uint64, bool)) ([]byte, error) {
	p := &textParser{in: text, enums: enums}
	p.space()
	out, err := p.message(t, 0, 0)
	if err == nil && p.at < len(p.in) {
		err = p.broken("text follows the message")
	}
	return out, err
}

type textParser struct {
	in    []byte
	at    int
	enums func(string) (uint64, bool)
}

func (p *textParser) broken(why string) error { return format.Brokenf(int64(p.at), "%s", why) }

// space moves to the next token.
func (p *textParser) space() {
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '#':
			for p.at < len(p.in) && p.in[p.at] != '\n' {
				p.at++
			}
		case c == ' ' || c >= '\t' && c <= '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (p *textParser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

// take moves past a sign if it is next.
func (p *textParser) take(signs string) bool {
	if c := p.peek(); c != 0 && strings.IndexByte(signs, c) >= 0 {
		p.at++
		p.space()
		return true
	}
	return false
}

// word reads a name or a number.
func (p *textParser) word() string {
	from := p.at
	for c := p.peek(); c == '_' || c == '.' || c == '+' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'; c = p.peek() {
		p.at++
	}
	w := string(p.in[from:p.at])
	p.space()
	return w
}

// message reads fields to the sign that ends the message; 0 is the end of the
// text.
func (p *textParser) message(t *Message, end byte, depth int) (out []byte, err error) {
	if depth > maxDepth {
		return nil, format.Exceededf(int64(p.at), "messages lie in each other more than %d deep", maxDepth)
	}
	for {
		if p.at == len(p.in) || p.peek() == end && end != 0 {
			if p.at == len(p.in) && end != 0 {
				return nil, p.broken("the text ends within a message")
			}
			return out, nil
		}
		if p.peek() == '[' {
			return nil, format.Unsupportedf(int64(p.at), "an extension or a message of any type")
		}
		name := p.word()
		f := t.Named(name)
		if f == nil {
			return nil, format.Unsupportedf(int64(p.at), "%s has a field that this scanner does not know", t.Name)
		}
		colon := p.take(":")
		if out, err = p.values(out, f, colon, depth); err != nil {
			return nil, err
		}
		p.take(",;")
	}
}

// values reads the value of a field, or a list of them.
func (p *textParser) values(out []byte, f *Field, colon bool, depth int) ([]byte, error) {
	if !p.take("[") {
		return p.value(out, f, colon, depth)
	}
	for first := true; !p.take("]"); first = false {
		if !first && !p.take(",") || !f.Repeated {
			return nil, p.broken("a list is malformed or stands where none may")
		}
		var err error
		if out, err = p.value(out, f, colon, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *textParser) value(out []byte, f *Field, colon bool, depth int) ([]byte, error) {
	out = binary.AppendUvarint(out, f.Number<<3|f.Kind.wire())
	if f.Kind == Embedded {
		end := byte('}')
		if p.peek() == '<' {
			end = '>'
		}
		if f.Type == nil || !p.take("{<") {
			return nil, p.broken("a message is expected")
		}
		inner, err := p.message(f.Type, end, depth+1)
		if err != nil {
			return nil, err
		}
		p.at++
		p.space()
		return append(binary.AppendUvarint(out, uint64(len(inner))), inner...), nil
	}
	if !colon {
		return nil, p.broken("a colon is expected")
	}
	if f.Kind == Bytes {
		text, err := p.text()
		return append(binary.AppendUvarint(out, uint64(len(text))), text...), err
	}
	return p.number(out, f.Kind)
}

func (p *textParser) number(out []byte, k Kind) ([]byte, error) {
	word := p.word()
	if sign := p.peek(); word == "-" && sign != 0 {
		word += p.word()
	}
	if k == Fixed32 || k == Fixed64 { // models have only floating ones of these
		f, err := strconv.ParseFloat(strings.TrimSuffix(strings.ToLower(word), "f"), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, p.broken("a number is expected")
		}
		if k == Fixed32 {
			return binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(f))), nil
		}
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(f)), nil
	}
	n, ok := p.whole(word)
	if !ok {
		return nil, p.broken("a number or a known name of one is expected")
	}
	if k == Zigzag {
		n = n<<1 ^ uint64(int64(n)>>63)
	}
	return binary.AppendUvarint(out, n), nil
}

// whole is the number that a word stands for.
func (p *textParser) whole(word string) (uint64, bool) {
	switch word {
	case "true", "t", "True":
		return 1, true
	case "false", "f", "False":
		return 0, true
	}
	if n, err := strconv.ParseInt(word, 0, 64); err == nil {
		return uint64(n), true
	}
	if n, err := strconv.ParseUint(word, 0, 64); err == nil {
		return n, true
	}
	if p.enums == nil {
		return 0, false
	}
	return p.enums(word)
}

// text reads strings that follow each other as one.
func (p *textParser) text() (out []byte, err error) {
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		return nil, p.broken("a text is expected")
	}
	for quote = p.peek(); quote == '"' || quote == '\''; quote = p.peek() {
		p.at++
		for p.peek() != quote {
			c := p.peek()
			if p.at == len(p.in) || c == '\n' {
				return nil, p.broken("a text does not end")
			}
			p.at++
			if c != '\\' {
				out = append(out, c)
			} else if out, err = p.escape(out); err != nil {
				return nil, err
			}
		}
		p.at++
		p.space()
	}
	return out, nil
}

// escape reads what follows a backslash.
func (p *textParser) escape(out []byte) ([]byte, error) {
	c := p.peek()
	p.at++
	if i := strings.IndexByte(`abfnrtv\'"?`, c); i >= 0 && c != 0 {
		return append(out, "\a\b\f\n\r\t\v\\'\"?"[i]), nil
	}
	digits, base, most := 0, 8, 3
	switch {
	case c == 'x' || c == 'X':
		base, most = 16, 2
	case c == 'u':
		base, digits, most = 16, 4, 4
	case c == 'U':
		base, digits, most = 16, 8, 8
	case c >= '0' && c <= '7':
		p.at--
	default:
		return nil, p.broken("no character has this escape")
	}
	from := p.at
	for p.at < len(p.in) && p.at-from < most && isDigit(p.in[p.at], base) {
		p.at++
	}
	n, err := strconv.ParseUint(string(p.in[from:p.at]), base, 32)
	if err != nil || p.at-from < digits {
		return nil, p.broken("an escape has too few digits")
	}
	if digits > 0 {
		return utf8.AppendRune(out, rune(n)), nil
	}
	return append(out, byte(n)), nil
}

func isDigit(c byte, base int) bool {
	if base == 8 {
		return c >= '0' && c <= '7'
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
