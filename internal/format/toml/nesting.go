package toml

import "strings"

// maxNesting bounds lists and tables within each other, and the parts of a
// dotted name. The decoder bounds neither: the stack that it needs grows with the
// first, and its time with the square of the second.
const maxNesting = 32

// overgrown returns the byte at which a text in TOML exceeds a bound like
// maxNesting, or -1.
// Of a text that is not TOML it may say either, up to the mistake.
func overgrown(text string, most int) int {
	depth, parts := 0, 0
	for i := 0; i < len(text); {
		size := 1
		switch text[i] {
		case '"', '\'':
			size = quoted(text[i:])
		case '#':
			if size = strings.IndexByte(text[i:], '\n'); size < 0 {
				return -1
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '.':
			parts++
		case '=', ',', '\n':
			parts = 0
		}
		if depth > most || parts > most {
			return i
		}
		i += size
	}
	return -1
}

// quoted returns the length of the text in quotes that s begins with. One of a
// single line that is not closed ends with its line.
func quoted(s string) int {
	quote := s[0]
	long := len(s) >= 3 && s[1] == quote && s[2] == quote
	begin := 1
	if long {
		begin = 3
	}
	for i := begin; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote == '"':
			i++
		case s[i] == '\n' && !long:
			return i
		case s[i] != quote:
		case !long:
			return i + 1
		case strings.HasPrefix(s[i:], s[:3]):
			// A long text may end in quotes of its own.
			return len(s) - len(strings.TrimLeft(s[i:], s[:1]))
		}
	}
	return len(s)
}
