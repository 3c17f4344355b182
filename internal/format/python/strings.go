package python

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// isPrefix reports whether letters before a quote belong to the string.
func isPrefix(s string) bool {
	switch strings.ToLower(s) {
	case "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt", "ur":
		return true
	}
	return false
}

// str reads a string whose quotes begin here and whose prefix began at from. Of
// an f-string it reads the beginning only.
func (l *Lexer) str(from int, prefix string) (Token, error) {
	quote := l.src[l.pos : l.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(l.src[l.pos:], triple) {
		quote = triple
	}
	l.pos += len(quote)
	if strings.ContainsAny(prefix, "fFtT") {
		return l.token(FString, from), l.push(nest{'f', quote, strings.ContainsAny(prefix, "rR")})
	}
	t := l.token(String, from)
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == '\\' && l.pos+1 < len(l.src):
			l.pos++
			l.char()
		case strings.HasPrefix(l.src[l.pos:], quote):
			l.pos += len(quote)
			t.Text = l.src[from:l.pos]
			return t, nil
		case (c == '\n' || c == '\r') && len(quote) == 1:
			return Token{}, format.Brokenf(int64(from), "a string without an end")
		default:
			l.char()
		}
	}
	return Token{}, format.Brokenf(int64(from), "a string without an end")
}

// char moves one byte on, or past the end of a line within a string.
func (l *Lexer) char() {
	if c := l.src[l.pos]; c != '\n' && c != '\r' {
		l.pos++
		return
	}
	fresh := l.fresh
	l.newline()
	l.fresh = fresh
}

// text reads within an f-string: literal text, the beginning of a field, or the
// end.
func (l *Lexer) text() (Token, error) {
	from := l.pos
	top := l.nest[len(l.nest)-1]
	spec := top.kind == 's'
	t := l.token(FText, from)
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		special := rest[0] == '{' || rest[0] == '}' || !spec && strings.HasPrefix(rest, top.quote)
		double := !spec && (strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}"))
		switch {
		case double:
			l.pos += 2
		case special && l.pos > from:
			t.Text = l.src[from:l.pos]
			return t, nil
		case special:
			return l.textEnd(rest[0], top)
		case strings.HasPrefix(rest, `\N{`) && !top.raw && !spec:
			if i := strings.IndexAny(rest, "}\"'\r\n"); i > 0 && rest[i] == '}' {
				l.pos += i + 1
			} else {
				l.pos += 2
			}
		case rest[0] == '\\' && len(rest) > 1 && rest[1] != '{' && rest[1] != '}':
			l.pos++
			l.char()
		case (rest[0] == '\n' || rest[0] == '\r') && len(top.quote) == 1:
			return Token{}, format.Brokenf(int64(from), "a string without an end")
		default:
			l.char()
		}
	}
	return Token{}, format.Brokenf(int64(from), "a string without an end")
}

// textEnd reads the brace or quote that ends a piece of text.
func (l *Lexer) textEnd(c byte, top nest) (Token, error) {
	from := l.pos
	switch {
	case c == '{':
		l.pos++
		return l.token(Op, from), l.push(nest{'F', top.quote, top.raw})
	case c == '}' && top.kind == 's':
		l.pos++
		l.nest = l.nest[:len(l.nest)-2] // the specification and its field
		return l.token(Op, from), nil
	case c == '}':
		return Token{}, format.Brokenf(int64(from), "a brace that closes no field of its string")
	}
	l.pos += len(top.quote)
	l.nest = l.nest[:len(l.nest)-1]
	return l.token(FEnd, from), nil
}

// fieldOp reads the operators that mean something else in a field of an
// f-string: what ends the expression.
func (l *Lexer) fieldOp(rest string) (t Token, ok bool, err error) {
	from := l.pos
	switch {
	case rest[0] == '}':
		l.pos++
		l.nest = l.nest[:len(l.nest)-1]
	case rest[0] == ':':
		l.pos++
		top := l.nest[len(l.nest)-1]
		err = l.push(nest{'s', top.quote, top.raw})
	case rest[0] == '!' && !strings.HasPrefix(rest, "!="):
		l.pos++
	default:
		return t, false, nil
	}
	return l.token(Op, from), true, err
}

// Unquote returns the value of a String token as bytes of UTF-8. Escapes that it
// does not know stay as they are, as Python has it.
func Unquote(literal string) string {
	i := strings.IndexAny(literal, `"'`)
	if i < 0 {
		return ""
	}
	prefix, body := strings.ToLower(literal[:i]), literal[i:]
	n := 1
	if len(body) >= 6 && (strings.HasPrefix(body, `"""`) || strings.HasPrefix(body, "'''")) {
		n = 3
	}
	body = body[n : len(body)-n]
	if strings.Contains(prefix, "r") || !strings.Contains(body, `\`) {
		return body
	}
	var out strings.Builder
	for body != "" {
		i := strings.IndexByte(body, '\\')
		if i < 0 || i+1 >= len(body) {
			break
		}
		out.WriteString(body[:i])
		text, used := escape(body[i:], strings.Contains(prefix, "b"))
		out.WriteString(text)
		body = body[i+used:]
	}
	out.WriteString(body)
	return out.String()
}

// escape returns what the escape at the beginning of s stands for, and its
// length.
func escape(s string, bytes bool) (text string, used int) {
	const from, to = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
	c := s[1]
	if i := strings.IndexByte(from, c); i >= 0 {
		return to[i : i+1], 2
	}
	switch {
	case c == '\n':
		return "", 2
	case c >= '0' && c <= '7':
		n := 2
		for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[1:n], 8, 16)
		return string(rune(v)), n
	case c == 'x':
		return hex(s, 2)
	case c == 'u' && !bytes:
		return hex(s, 4)
	case c == 'U' && !bytes:
		return hex(s, 8)
	}
	return s[:1], 1
}

func hex(s string, digits int) (string, int) {
	if len(s) < 2+digits {
		return s[:1], 1
	}
	v, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return s[:1], 1
	}
	return string(rune(v)), 2 + digits
}
