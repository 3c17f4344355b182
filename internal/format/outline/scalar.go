package outline

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// indicators are the characters that a plain text does not begin with.
const indicators = ",[]{}#&*!|>'\"%@`"

// value reads the value that begins at rest and is no block of keys or items.
// Its further lines are indented by more than outer.
func (p *parser) value(outer int) (Node, error) {
	leave, err := p.enter()
	if err != nil {
		return Node{}, err
	}
	defer leave()
	switch p.rest[0] {
	case '[', '{', '"', '\'':
		return p.flowValue(outer)
	case '|', '>':
		return p.literal(outer)
	}
	return p.plain(outer)
}

// plain reads a text without quotes, which may go on below.
func (p *parser) plain(outer int) (Node, error) {
	if err := p.startsPlain(p.rest); err != nil {
		return Node{}, err
	}
	n := Node{Line: p.line}
	var b strings.Builder
	for {
		text, commented := uncommented(p.rest)
		if strings.Contains(text+" ", ": ") || strings.Contains(text, ":\t") {
			return n, p.broken("a colon within a text without quotes")
		}
		b.WriteString(text)
		p.next()
		if p.done || p.indent <= outer || p.indent == 0 && marker(p.rest) {
			break
		}
		if commented || p.comment {
			return n, p.broken("a comment within a text")
		}
		if p.rest[0] == '\t' {
			return n, p.unsupported("a tab in the indentation")
		}
		b.WriteString(fold(p.empty))
	}
	n.Text = b.String()
	return n, nil
}

// startsPlain checks the first characters of a plain text.
func (p *parser) startsPlain(s string) error {
	switch {
	case strings.IndexByte("&*!", s[0]) >= 0:
		return p.unsupported("an anchor, an alias or a tag")
	case strings.IndexByte(indicators, s[0]) >= 0:
		return p.unsupported("a text that needs quotes")
	case strings.IndexByte("-?:", s[0]) >= 0 && (len(s) == 1 || strings.IndexByte(" \t", s[1]) >= 0):
		return p.unsupported("a text that needs quotes")
	}
	return nil
}

// uncommented cuts the comment off a plain text.
func uncommented(s string) (text string, commented bool) {
	for i := 1; i < len(s); i++ {
		if s[i] == '#' && (s[i-1] == ' ' || s[i-1] == '\t') {
			return strings.TrimRight(s[:i], " \t"), true
		}
	}
	return s, false
}

// fold is what stands for a line end in a text, with so many blank lines.
func fold(blank int) string {
	if blank == 0 {
		return " "
	}
	return strings.Repeat("\n", blank)
}

// literal reads a block of lines behind "|" or ">".
func (p *parser) literal(outer int) (Node, error) {
	n := Node{Line: p.line, Quoted: true}
	header, _ := uncommented(p.rest)
	folded, chomp := header[0] == '>', header[1:]
	if chomp != "" && chomp != "-" && chomp != "+" || outer < 0 {
		return n, p.unsupported("a block with an indentation of its own, or of nothing")
	}
	var lines []string
	column, begin := -1, p.end+1
	for ; begin < len(p.text); begin = p.end + 1 {
		end := len(p.text)
		if i := strings.IndexByte(p.text[begin:], '\n'); i >= 0 {
			end = begin + i
		}
		line := strings.TrimSuffix(p.text[begin:end], "\r")
		content := strings.TrimLeft(line, " ")
		indent := len(line) - len(content)
		if content != "" && column < 0 {
			column = max(indent, outer+1)
		}
		if content != "" && (indent < column || indent == 0 && marker(content)) {
			break
		}
		if content == "" && (column < 0 && indent > 0 || indent > column && column >= 0) || folded && strings.HasPrefix(content, " ") {
			return n, p.unsupported("a block with lines of spaces")
		}
		if folded && column >= 0 && (indent > column || strings.HasPrefix(content, "\t")) {
			return n, p.unsupported("a folded block with lines that are indented further")
		}
		lines = append(lines, line[min(max(column, 0), len(line)):])
		p.line, p.end = p.line+1, end
	}
	n.Text = chomped(lines, folded, chomp)
	if begin > len(p.text) && len(lines) > 0 && lines[len(lines)-1] != "" {
		n.Text = strings.TrimSuffix(n.Text, "\n") // the last line has no end
	}
	p.empty, p.comment = 0, false
	p.lineAt(begin)
	return n, nil
}

// chomped joins the lines of a block.
func chomped(lines []string, folded bool, chomp string) string {
	kept := len(lines)
	for kept > 0 && lines[kept-1] == "" {
		kept--
	}
	var b strings.Builder
	blank := 0
	for i, line := range lines[:kept] {
		if line == "" && folded {
			blank++
			continue
		}
		if i > 0 && folded && i > blank {
			b.WriteString(fold(blank))
		} else if i > 0 {
			b.WriteString(strings.Repeat("\n", max(1, blank)))
		}
		blank = 0
		b.WriteString(line)
	}
	switch {
	case chomp == "+":
		b.WriteString(strings.Repeat("\n", len(lines)-kept))
		fallthrough
	case chomp == "":
		if kept > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// quoteEnd returns the length of the quoted text that s begins with, or -1 if it
// is not closed.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\':
			i++
		case s[i] != s[0]:
		case s[0] == '\'' && strings.HasPrefix(s[i+1:], "'"):
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// unquote returns what a quoted text means.
func (p *parser) unquote(s string) (string, error) {
	double := s[0] == '"'
	s = s[1 : len(s)-1]
	if !double {
		s = strings.ReplaceAll(s, "''", "'")
	}
	if !strings.Contains(s, "\n") && (!double || !strings.Contains(s, `\`)) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && double:
			text, n, ok := escape(s[i+1:])
			if !ok {
				return "", p.broken("an escape in quotes that means nothing")
			}
			b.WriteString(text)
			i += 1 + n
		case c == '\n' || c == ' ' || c == '\t' || c == '\r':
			end := i + len(s[i:]) - len(strings.TrimLeft(s[i:], " \t\r\n"))
			space := s[i:end]
			if feeds := strings.Count(space, "\n"); feeds > 0 {
				space = fold(feeds - 1)
			}
			b.WriteString(space)
			i = end
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}

var escapes = map[byte]string{'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029"}

// escape returns what an escape means, less its backslash, and its length.
func escape(s string) (text string, n int, ok bool) {
	if s == "" {
		return "", 0, false
	}
	if line := strings.TrimPrefix(s, "\r"); strings.HasPrefix(line, "\n") {
		// The line goes on below, where it is indented.
		line = strings.TrimLeft(line[1:], " \t")
		return "", len(s) - len(line), !strings.HasPrefix(line, "\n") && !strings.HasPrefix(line, "\r")
	}
	if text, ok = escapes[s[0]]; ok {
		return text, 1, true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if digits == 0 || len(s) < 1+digits {
		return "", 0, false
	}
	c, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(c)) || c > utf8.MaxRune {
		return "", 0, false
	}
	return string(rune(c)), 1 + digits, true
}
