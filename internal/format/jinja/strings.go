package jinja

import (
	"strings"
	"unicode/utf8"
)

// str reads a string, whose escapes are Python's.
func (l *lexer) str(start int, quote byte) (token, error) {
	i := start + 1
	for ; ; i++ {
		if i >= len(l.src) {
			return token{}, l.broken(start, "a string without an end")
		}
		if l.src[i] == '\\' {
			i++
		} else if l.src[i] == quote {
			break
		}
	}
	l.pos = i + 1
	raw := l.src[start+1 : i]
	if strings.IndexByte(raw, '\\') < 0 {
		return token{str, start, raw}, nil
	}
	text, ok := unescape(raw)
	if !ok {
		return token{}, l.broken(start, "an escape that is not whole")
	}
	return token{str, start, text}, nil
}

// unescape resolves the escapes of a string; those that Python does not know
// stay as they are. Names of characters (\N) have no place in a template and are
// refused, as are halves of surrogate pairs.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		if i+1 == len(s) {
			return "", false
		}
		r, n, ok := escape(s[i+1:])
		if !ok {
			return "", false
		}
		if r >= 0 {
			b.WriteRune(r)
		} else if r == unknown {
			b.WriteByte('\\')
			n = 0
		}
		i += 1 + n
	}
	return b.String(), true
}

const (
	nothing = -1 // an escape that stands for nothing
	unknown = -2 // a backslash that begins no escape
)

// escape reads what stands behind a backslash: the character and how many bytes
// of s it took.
func escape(s string) (rune, int, bool) {
	switch c := s[0]; c {
	case '\n':
		return nothing, 1, true
	case '\\', '\'', '"':
		return rune(c), 1, true
	case 'a', 'b', 'f', 'n', 'r', 't', 'v':
		return rune("\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)]), 1, true
	case 'x':
		return based(s[1:], 1, 2, 16)
	case 'u':
		return based(s[1:], 1, 4, 16)
	case 'U':
		return based(s[1:], 1, 8, 16)
	case 'N':
		return 0, 0, false
	default:
		if c < '0' || c > '7' {
			return unknown, 0, true
		}
		n := 1
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		return based(s, 0, n, 8)
	}
}

// based reads n digits behind before bytes that were read already.
func based(s string, before, n int, base rune) (rune, int, bool) {
	if len(s) < n {
		return 0, 0, false
	}
	var r rune
	for _, c := range []byte(s[:n]) {
		d := rune(strings.IndexByte("0123456789abcdef", c|0x20))
		if c >= '0' && c <= '9' {
			d = rune(c - '0')
		}
		if d < 0 || d >= base || r > utf8.MaxRune {
			return 0, 0, false
		}
		r = r*base + d
	}
	return r, before + n, utf8.ValidRune(r)
}
