package lockfile

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
)

// decode returns a file's text. Windows writes files that begin with a byte
// order mark and may be in UTF-16; a text in any other encoding is left as it
// is, for what is not ASCII stands in comments.
func decode(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		return string(b[3:])
	case bytes.HasPrefix(b, []byte("\xFF\xFE")):
		return wide(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xFE\xFF")):
		return wide(b[2:], binary.BigEndian)
	}
	return string(b)
}

func wide(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2+1)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	if len(b) > 0 {
		units = append(units, unicode.ReplacementChar) // half a character is no text
	}
	return string(utf16.Decode(units))
}

// splitLines splits a text where Python does (str.splitlines), and so pip.
func splitLines(text string) []string {
	var out []string
	start := 0
	for i, c := range text {
		if i < start {
			continue // the second half of "\r\n"
		}
		switch c {
		case '\n', '\v', '\f', 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029:
			out = append(out, text[start:i])
			start = i + len(string(c))
		case '\r':
			out = append(out, text[start:i])
			start = i + 1
			if strings.HasPrefix(text[start:], "\n") {
				start++
			}
		}
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

// space reports whether Python takes a character for white space.
func space(c rune) bool { return unicode.IsSpace(c) || 0x1C <= c && c <= 0x1F }

// An entry is a line of a requirements file as pip takes it together: with the
// lines that a backslash at its end continues, and without comments.
type entry struct {
	line  int // the first
	text  string
	notes []string // the comments in and after it, without the number sign
}

// entries splits a requirements file. The first entry is empty and has the
// comments that stand before all others. The rules are those of pip: a line that
// is a comment ends one that was to be continued.
func entries(text string) []entry {
	out := []entry{{}}
	var logical strings.Builder
	first := 0
	flush := func() {
		if text, note, noted := cutComment(logical.String()); text != "" {
			out = append(out, entry{line: first, text: text})
			if noted {
				out[len(out)-1].notes = []string{note}
			}
		}
		logical.Reset()
		first = 0
	}
	for i, line := range splitLines(text) {
		blank, note, noted := cutComment(line)
		if first == 0 {
			first = i + 1
		}
		if noted && blank == "" && line != "" {
			flush()
			out[len(out)-1].notes = append(out[len(out)-1].notes, note)
			continue
		}
		more := strings.TrimRight(line, `\`)
		if more != line {
			// pip takes backslashes off both ends of a line that it continues.
			logical.WriteString(strings.TrimLeft(more, `\`))
			continue
		}
		logical.WriteString(line)
		flush()
	}
	flush()
	return out
}

// cutComment splits a line at its comment, which begins where a number sign
// stands first or after white space.
func cutComment(line string) (text, note string, noted bool) {
	before := ' '
	for i, c := range line {
		if c == '#' && space(before) {
			return strings.TrimFunc(line[:i], space), line[i+1:], true
		}
		before = c
	}
	return strings.TrimFunc(line, space), "", false
}

// words splits a command line as a shell does without expanding anything, and
// reports whether its quotes are closed.
func words(s string) (out []string, ok bool) {
	var word strings.Builder
	begun, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if begun {
				out = append(out, word.String())
				word.Reset()
				begun = false
			}
		case c == quote && quote != 0:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case c == '\\' && quote != '\'':
			if i++; i == len(s) {
				return nil, false
			}
			if quote == '"' && s[i] != '"' && s[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
			begun = true
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		out = append(out, word.String())
	}
	return out, quote == 0
}
