package python

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// Python itself refuses source that nests deeper.
const (
	maxNest   = 200
	maxIndent = 100
)

// A Lexer divides source into tokens. Its first error stays.
type Lexer struct {
	// Magics has lines that IPython gives a meaning of its own, "!ls" and "%time",
	// read as one token, and the question marks that ask it for help allowed.
	Magics bool

	src       string
	pos       int
	line      int
	lineStart int
	fresh     bool // at the beginning of a line that is not a continuation
	some      bool // the logical line has a token
	equals    bool // the last token is "="
	indents   []indent
	dedents   int // owed
	nest      []nest
	err       error
}

// An indent is the width of a line's beginning, with tabs to the next eighth
// column, and with tabs as one column: both must agree about what is deeper.
type indent struct{ col, alt int }

// A nest is an open bracket or a part of an f-string.
type nest struct {
	kind  byte // '(', '[', '{'; 'f' text, 'F' field, 's' format specification
	quote string
	raw   bool
}

// NewLexer returns a lexer of src, which Source has checked.
func NewLexer(src string) *Lexer { return &Lexer{src: src, line: 1, fresh: true} }

// clone returns a lexer that goes on from here by itself.
func (l *Lexer) clone() *Lexer {
	c := *l
	c.nest = append([]nest(nil), l.nest...)
	c.indents = append([]indent(nil), l.indents...)
	return &c
}

// Next returns the next token. After End it returns End.
func (l *Lexer) Next() (Token, error) {
	if l.err == nil {
		t, err := l.next()
		if err == nil {
			return t, nil
		}
		l.err = err
	}
	return Token{Off: l.pos, Line: l.line, Col: l.pos - l.lineStart}, l.err
}

func (l *Lexer) next() (Token, error) {
	if k := l.top(); k == 'f' || k == 's' {
		return l.text()
	}
	if l.fresh && len(l.nest) == 0 {
		if t, ok, err := l.margin(); ok || err != nil {
			return t, err
		}
	}
	if l.dedents > 0 {
		l.dedents--
		return l.token(Dedent, l.pos), nil
	}
	if err := l.space(); err != nil {
		return Token{}, err
	}
	if l.pos >= len(l.src) {
		return l.end()
	}
	c := l.src[l.pos]
	if c == '\n' || c == '\r' { // space stops here only where a line ends
		t := l.token(Newline, l.pos)
		l.newline()
		l.some = false
		return t, nil
	}
	begins := !l.some || l.equals
	l.some, l.equals = true, false
	switch {
	case l.Magics && begins && len(l.nest) == 0 && (c == '!' || c == '%' || c == '?'):
		from := l.pos
		l.comment()
		return l.token(Magic, from), nil
	case isNameStart(l.src[l.pos:]):
		return l.name()
	case c >= '0' && c <= '9', c == '.' && l.digitAt(l.pos+1):
		return l.number(), nil
	case c == '"' || c == '\'':
		return l.str(l.pos, "")
	}
	return l.op()
}

func (l *Lexer) top() byte {
	if len(l.nest) == 0 {
		return 0
	}
	return l.nest[len(l.nest)-1].kind
}

func (l *Lexer) push(n nest) error {
	if len(l.nest) >= maxNest {
		return format.Brokenf(int64(l.pos), "more than %d brackets within each other", maxNest)
	}
	l.nest = append(l.nest, n)
	return nil
}

// token makes a token of what lies between from and the present place.
func (l *Lexer) token(k Kind, from int) Token {
	return Token{Kind: k, Off: from, Line: l.line, Col: from - l.lineStart, Text: l.src[from:l.pos]}
}

// newline moves past one end of a line, written in any of the three ways.
func (l *Lexer) newline() {
	if l.src[l.pos] == '\r' && strings.HasPrefix(l.src[l.pos+1:], "\n") {
		l.pos++
	}
	l.pos++
	l.line++
	l.lineStart = l.pos
	l.fresh = true
}

// margin measures the beginning of a line that has code, and skips lines that
// have none.
func (l *Lexer) margin() (t Token, ok bool, err error) {
	for {
		var in indent
		for ; l.pos < len(l.src); l.pos++ {
			switch l.src[l.pos] {
			case ' ':
				in.col, in.alt = in.col+1, in.alt+1
				continue
			case '\t':
				in.col, in.alt = in.col/8*8+8, in.alt+1
				continue
			case '\f':
				in = indent{}
				continue
			}
			break
		}
		if l.pos >= len(l.src) {
			return t, false, nil
		}
		switch l.src[l.pos] {
		case '#':
			l.comment()
			if l.pos < len(l.src) {
				l.newline()
			}
			continue
		case '\n', '\r':
			l.newline()
			continue
		case '\\': // the line goes on in the next; its margin is this one
			if n := l.joined(); n > 0 {
				l.pos += n
				l.line++
				l.lineStart = l.pos
				for l.pos < len(l.src) && (l.src[l.pos] == ' ' || l.src[l.pos] == '\t') {
					l.pos++
				}
				if l.pos < len(l.src) && (l.src[l.pos] == '\n' || l.src[l.pos] == '\r') {
					l.newline()
					continue
				}
			}
		}
		l.fresh = false
		return l.indent(in)
	}
}

// indent compares a line's margin with those of the blocks around it.
func (l *Lexer) indent(in indent) (t Token, ok bool, err error) {
	now := indent{}
	if n := len(l.indents); n > 0 {
		now = l.indents[n-1]
	}
	switch {
	case in == now:
		return t, false, nil
	case in.col > now.col && in.alt > now.alt:
		if len(l.indents) >= maxIndent {
			return t, false, format.Brokenf(int64(l.pos), "more than %d blocks within each other", maxIndent)
		}
		l.indents = append(l.indents, in)
		return l.token(Indent, l.pos), true, nil
	}
	for len(l.indents) > 0 && l.indents[len(l.indents)-1].col > in.col {
		l.indents = l.indents[:len(l.indents)-1]
		l.dedents++
	}
	now = indent{}
	if n := len(l.indents); n > 0 {
		now = l.indents[n-1]
	}
	if now != in {
		return t, false, format.Brokenf(int64(l.pos), "a line is indented like no block around it")
	}
	return t, false, nil
}

// joined returns the length of a backslash with the end of its line, or 0.
func (l *Lexer) joined() int {
	rest := l.src[l.pos+1:]
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		return 3
	case rest != "" && (rest[0] == '\n' || rest[0] == '\r'):
		return 2
	}
	return 0
}

// space skips what separates tokens. It stops at the end of a logical line.
func (l *Lexer) space() error {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\f':
			l.pos++
		case '#':
			l.comment()
		case '\n', '\r':
			if len(l.nest) == 0 {
				return nil
			}
			l.newline()
			l.fresh = false
		case '\\':
			n := l.joined()
			if n == 0 || l.pos+n >= len(l.src) && len(l.nest) > 0 {
				return format.Brokenf(int64(l.pos), "a backslash that joins no line")
			}
			l.pos += n
			l.line++
			l.lineStart = l.pos
		default:
			return nil
		}
	}
	return nil
}

func (l *Lexer) comment() {
	if i := strings.IndexAny(l.src[l.pos:], "\r\n"); i >= 0 {
		l.pos += i
	} else {
		l.pos = len(l.src)
	}
}

// end closes a last line without a newline and all blocks.
func (l *Lexer) end() (Token, error) {
	switch {
	case len(l.nest) > 0:
		return Token{}, format.Brokenf(int64(l.pos), "the source ends within a bracket or string")
	case l.some:
		l.some = false
		return l.token(Newline, l.pos), nil
	case len(l.indents) > 0:
		l.indents = l.indents[:len(l.indents)-1]
		return l.token(Dedent, l.pos), nil
	}
	return l.token(End, l.pos), nil
}

// name reads an identifier, or the string that it turns out to be the prefix of.
func (l *Lexer) name() (Token, error) {
	from := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if c < utf8.RuneSelf {
			if !isAlnum(c) && c != '_' {
				break
			}
			l.pos++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.In(r, unicode.L, unicode.Nl, unicode.Other_ID_Start, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue) {
			break
		}
		l.pos += n
	}
	if l.pos < len(l.src) && (l.src[l.pos] == '"' || l.src[l.pos] == '\'') && isPrefix(l.src[from:l.pos]) {
		return l.str(from, l.src[from:l.pos])
	}
	return l.token(Name, from), nil
}

func isNameStart(s string) bool {
	c := s[0]
	if c < utf8.RuneSelf {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_ID_Start)
}

func (l *Lexer) digitAt(i int) bool { return i < len(l.src) && l.src[i] >= '0' && l.src[i] <= '9' }

// number reads a number. A name may follow without space, as in "1if x else y".
func (l *Lexer) number() Token {
	from := l.pos
	if base := strings.ToLower(l.src[from:min(from+2, len(l.src))]); base == "0x" || base == "0o" || base == "0b" {
		l.pos += 2
		digits := map[string]string{"0x": "0123456789abcdefABCDEF_", "0o": "01234567_", "0b": "01_"}[base]
		for l.pos < len(l.src) && strings.IndexByte(digits, l.src[l.pos]) >= 0 {
			l.pos++
		}
		return l.token(Number, from)
	}
	l.digits()
	if l.pos < len(l.src) && l.src[l.pos] == '.' {
		l.pos++
		l.digits()
	}
	if l.pos < len(l.src) && (l.src[l.pos]|0x20) == 'e' {
		i := l.pos + 1
		if i < len(l.src) && (l.src[i] == '+' || l.src[i] == '-') {
			i++
		}
		if l.digitAt(i) {
			l.pos = i
			l.digits()
		}
	}
	if l.pos < len(l.src) && (l.src[l.pos]|0x20) == 'j' {
		l.pos++
	}
	return l.token(Number, from)
}

func (l *Lexer) digits() {
	for l.digitAt(l.pos) || l.pos < len(l.src) && l.src[l.pos] == '_' && l.digitAt(l.pos+1) {
		l.pos++
	}
}

const (
	ops3 = "**= //= >>= <<= ..."
	ops2 = "** // >> << == != <= >= -> := += -= *= /= %= &= |= ^= @= <>"
	ops1 = "+-*/%@&|^~<>()[]{},:;.=`"
)

// op reads an operator and keeps account of brackets.
func (l *Lexer) op() (Token, error) {
	rest := l.src[l.pos:]
	if l.top() == 'F' {
		if t, ok, err := l.fieldOp(rest); ok || err != nil {
			return t, err
		}
	}
	n := 0
	switch {
	case len(rest) >= 3 && isOp(ops3, rest[:3]):
		n = 3
	case len(rest) >= 2 && isOp(ops2, rest[:2]):
		n = 2
	case strings.IndexByte(ops1, rest[0]) >= 0:
		n = 1
	case rest[0] == '?' && l.Magics:
		n = 1
	default:
		return Token{}, format.Brokenf(int64(l.pos), "a character that has no place in source")
	}
	from := l.pos
	l.equals = rest[:n] == "="
	switch c := rest[0]; c {
	case '(', '[', '{':
		if err := l.push(nest{kind: c}); err != nil {
			return Token{}, err
		}
	case ')', ']', '}':
		if l.top() != map[byte]byte{')': '(', ']': '[', '}': '{'}[c] {
			return Token{}, format.Brokenf(int64(from), "a bracket closes none or another kind")
		}
		l.nest = l.nest[:len(l.nest)-1]
	}
	l.pos += n
	return l.token(Op, from), nil
}

// isOp reports whether op is one of the list, in which spaces separate.
func isOp(list, op string) bool { return !strings.Contains(op, " ") && strings.Contains(list, op) }
