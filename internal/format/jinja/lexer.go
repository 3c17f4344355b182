package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// A kind is that of a token.
type kind uint8

const (
	end kind = iota
	data
	varBegin
	varEnd
	blockBegin
	blockEnd
	name
	str
	integer
	float
	operator
)

type token struct {
	kind kind
	off  int
	text string // a name, an operator, a number as written, a string resolved
}

// A lexer makes tokens of a template, as lexer.py of Jinja2 does.
type lexer struct {
	src  string
	pos  int
	in   string // "" outside; else the delimiter that ends the tag: "%}" or "}}"
	open []byte // brackets that wait for their end
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	for l.in == "" {
		t, ok, err := l.outside()
		if ok || err != nil {
			return t, err
		}
	}
	return l.inside()
}

// outside reads text up to a tag and the beginning of the tag, or a comment, or
// raw text; it reports false if that left nothing to tell.
func (l *lexer) outside() (token, bool, error) {
	start := l.pos
	rest := l.src[start:]
	at := nextTag(rest)
	if at < 0 {
		l.pos = len(l.src)
		if rest == "" {
			return token{kind: end, off: start}, true, nil
		}
		return token{data, start, rest}, true, nil
	}
	if at > 0 {
		l.pos += at
		return token{data, start, rest[:at]}, true, nil
	}
	switch rest[1] {
	case '#':
		n := strings.Index(rest[2:], "#}")
		if n < 0 {
			return token{}, false, l.broken(start, "a comment without an end")
		}
		l.pos += 2 + n + 2
		l.trim()
		return token{}, false, nil
	case '%':
		if n := rawTag(rest, "raw"); n > 0 {
			return token{}, false, l.raw(start, n)
		}
		l.begin("%}")
		return token{kind: blockBegin, off: start}, true, nil
	}
	l.begin("}}")
	return token{kind: varBegin, off: start}, true, nil
}

// nextTag finds the beginning of a tag or comment.
func nextTag(s string) int {
	for i := 0; ; {
		n := strings.IndexByte(s[i:], '{')
		if n < 0 || i+n+1 == len(s) {
			return -1
		}
		i += n
		if c := s[i+1]; c == '{' || c == '%' || c == '#' {
			return i
		}
		i++
	}
}

// begin moves over the two bytes that begin a tag, and a sign behind them that
// governs white space.
func (l *lexer) begin(closing string) {
	l.in = closing
	l.open = l.open[:0]
	l.pos += 2
	if l.pos < len(l.src) && (l.src[l.pos] == '-' || l.src[l.pos] == '+') {
		l.pos++
	}
}

// trim drops the line's end behind a block or comment.
func (l *lexer) trim() {
	if strings.HasPrefix(l.src[l.pos:], "\n") {
		l.pos++
	}
}

// rawTag returns the length of the tag {% word %} that s begins with, or 0.
func rawTag(s, word string) int {
	i := 2
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	i += spaces(s[i:])
	if !strings.HasPrefix(s[i:], word) {
		return 0
	}
	i += len(word)
	i += spaces(s[i:])
	if i < len(s) && (s[i] == '-' || s[i] == '+' && word == "endraw") {
		i++
	}
	if !strings.HasPrefix(s[i:], "%}") {
		return 0
	}
	return i + 2
}

// raw moves over raw text, whose tag has n bytes.
func (l *lexer) raw(start, n int) error {
	l.pos += n
	for {
		i := strings.Index(l.src[l.pos:], "{%")
		if i < 0 {
			return l.broken(start, "raw text without an end")
		}
		l.pos += i
		if n := rawTag(l.src[l.pos:], "endraw"); n > 0 {
			l.pos += n
			return nil
		}
		l.pos += 2
	}
}

// spaces counts the white space that s begins with.
func spaces(s string) int {
	return len(s) - len(strings.TrimLeftFunc(s, isSpace))
}

// isSpace is white space as Python's regular expressions have it.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// operators, the longer first.
var operators = [...]string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}

// inside reads a token of a tag.
func (l *lexer) inside() (token, error) {
	l.pos += spaces(l.src[l.pos:])
	start := l.pos
	rest := l.src[start:]
	if rest == "" {
		return token{kind: end, off: start}, nil
	}
	if len(l.open) == 0 {
		if n := l.closes(rest); n > 0 {
			return l.close(start, n), nil
		}
	}
	switch c := rest[0]; {
	case '0' <= c && c <= '9':
		return l.number(start), nil
	case c == '\'' || c == '"':
		return l.str(start, c)
	case c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= utf8.RuneSelf:
		return l.name(start)
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.pos += len(op)
			return token{operator, start, op}, l.balance(start, op[0])
		}
	}
	return token{}, l.broken(start, "a character that has no place in a tag")
}

// closes returns the length of the delimiter that ends the tag, if s begins
// with it.
func (l *lexer) closes(s string) int {
	switch {
	case strings.HasPrefix(s, l.in):
		return 2
	case s[0] == '-' && strings.HasPrefix(s[1:], l.in), s[0] == '+' && l.in == "%}" && strings.HasPrefix(s[1:], l.in):
		return 3
	}
	return 0
}

func (l *lexer) close(start, n int) token {
	l.pos += n
	t := token{kind: varEnd, off: start}
	if l.in == "%}" {
		t.kind = blockEnd
		l.trim()
	}
	l.in = ""
	return t
}

// balance keeps account of brackets, since an end of the tag within them is
// none.
func (l *lexer) balance(off int, op byte) error {
	switch op {
	case '(', '[', '{':
		l.open = append(l.open, op)
	case ')', ']', '}':
		n := len(l.open) - 1
		if n < 0 || l.open[n] != map[byte]byte{')': '(', ']': '[', '}': '{'}[op] {
			return l.broken(off, "a closing bracket without its opening one")
		}
		l.open = l.open[:n]
	}
	return nil
}

// name reads an identifier.
func (l *lexer) name(start int) (token, error) {
	for i, r := range l.src[start:] {
		if !wordRune(r) {
			l.pos = start + i
			break
		}
		l.pos = start + i + utf8.RuneLen(r)
		if i == 0 && !unicode.IsLetter(r) && r != '_' && !unicode.Is(unicode.Nl, r) {
			return token{}, l.broken(start, "a name that begins with neither letter nor underscore")
		}
	}
	if l.pos == start {
		return token{}, l.broken(start, "a character that has no place in a tag")
	}
	return token{name, start, l.src[start:l.pos]}, nil
}

func wordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nl, unicode.Pc)
}

// number reads an integer or a fraction. Digits may be parted by single
// underscores.
func (l *lexer) number(start int) token {
	s := l.src[start:]
	k, n := integer, 0
	if m := strings.IndexByte("bBoOxX", second(s)); s[0] == '0' && m >= 0 {
		if d := digits(s[2:], [...]string{"01_", "01234567_", "0123456789abcdefABCDEF_"}[m/2], true); d > 0 {
			n = 2 + d
		}
	}
	if n == 0 {
		n = digits(s, "0123456789_", false)
		f := n
		if f < len(s) && s[f] == '.' {
			if d := digits(s[f+1:], "0123456789_", false); d > 0 {
				f += 1 + d
			}
		}
		if f < len(s) && s[f]|0x20 == 'e' {
			e := f + 1
			if e < len(s) && (s[e] == '+' || s[e] == '-') {
				e++
			}
			if d := digits(s[e:], "0123456789_", false); d > 0 {
				f = e + d
			}
		}
		if f > n && (start == 0 || l.src[start-1] != '.') {
			k, n = float, f
		} else if s[0] == '0' {
			n = digits(s, "0_", false) // an integer has no leading zero
		}
	}
	l.pos += n
	return token{k, start, s[:n]}
}

func second(s string) byte {
	if len(s) < 2 {
		return ' '
	}
	return s[1]
}

// digits counts the bytes of s that are in set, in which single underscores
// stand between digits only, or also before the first.
func digits(s, set string, before bool) int {
	n := 0
	for i := 0; i < len(s) && strings.IndexByte(set, s[i]) >= 0; i++ {
		if s[i] == '_' {
			if i == 0 && !before || i > 0 && s[i-1] == '_' {
				break
			}
			continue
		}
		n = i + 1
	}
	return n
}

func (l *lexer) broken(off int, text string) error { return format.Brokenf(int64(off), "%s", text) }
