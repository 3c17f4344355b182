package outline

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// A parser stands at a line that has content, or is done. What is before rest on
// that line has been read.
type parser struct {
	text    string
	skipped int    // bytes before text
	end     int    // where the line ends, at its line feed
	line    int    // from 1
	indent  int    // column of rest
	rest    string // of the line, without white space around it
	empty   int    // blank lines before it
	comment bool   // a comment stands between it and the line before
	done    bool
	depth   int
}

// next goes to the next line with content.
func (p *parser) next() {
	p.empty, p.comment = 0, false
	begin := p.end
	if p.line > 0 {
		begin++
	}
	p.lineAt(begin)
}

// lineAt goes to the first line with content from the one that begins at a byte.
func (p *parser) lineAt(begin int) {
	for ; begin < len(p.text); begin = p.end + 1 {
		p.line++
		p.end = len(p.text)
		if n := strings.IndexByte(p.text[begin:], '\n'); n >= 0 {
			p.end = begin + n
		}
		line := p.text[begin:p.end]
		p.rest = strings.TrimLeft(line, " ")
		p.indent = len(line) - len(p.rest)
		p.rest = strings.TrimRight(p.rest, " \t\r")
		switch {
		case strings.Trim(p.rest, "\t") == "":
			p.empty++
		case p.rest[0] == '#':
			p.comment = true
		default:
			return
		}
	}
	p.done, p.rest, p.indent = true, "", -1
	p.end = len(p.text)
}

// off is the byte at which rest begins.
func (p *parser) off() int {
	begin := strings.LastIndexByte(p.text[:p.end], '\n') + 1
	return min(begin+max(p.indent, 0), p.end)
}

func (p *parser) broken(text string) error {
	return format.Brokenf(int64(p.off()+p.skipped), "%s", text)
}

func (p *parser) unsupported(text string) error {
	return format.Unsupportedf(int64(p.off()+p.skipped), "%s", text)
}

// to goes on to the part of rest from byte n, less white space.
func (p *parser) to(n int) {
	after := p.rest[n:]
	trimmed := strings.TrimLeft(after, " \t")
	p.indent += n + len(after) - len(trimmed)
	p.rest = trimmed
}

// blank reports whether nothing but a comment follows on a line.
func (p *parser) blank(s string) bool {
	t := strings.TrimLeft(s, " \t")
	return t == "" || t[0] == '#' && len(t) < len(s)
}

// dash reports whether a line is an item of a list.
func dash(s string) bool {
	return s == "-" || strings.HasPrefix(s, "- ") || strings.HasPrefix(s, "-\t")
}

// enter counts a level of nesting; the function that it returns leaves it.
func (p *parser) enter() (leave func(), err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, format.Exceededf(int64(p.off()+p.skipped), "nested more than %d deep", maxDepth)
	}
	return func() { p.depth-- }, nil
}

// block reads the value that begins at rest, within one that is indented by
// outer.
func (p *parser) block(outer int) (Node, error) {
	leave, err := p.enter()
	if err != nil {
		return Node{}, err
	}
	defer leave()
	switch {
	case p.rest[0] == '\t':
		return Node{}, p.broken("a tab in the indentation")
	case dash(p.rest):
		return p.list(p.indent)
	}
	_, _, isKey, err := p.key()
	switch {
	case err != nil:
		return Node{}, err
	case isKey:
		return p.mapping(p.indent)
	}
	return p.value(outer)
}

// list reads items, the dashes of which stand in a column.
func (p *parser) list(column int) (Node, error) {
	n := Node{Kind: List, Line: p.line}
	for !p.done && p.indent == column && dash(p.rest) {
		item, err := p.item(column)
		if err != nil {
			return n, err
		}
		n.Nodes = append(n.Nodes, item)
	}
	return n, p.outdented(column)
}

func (p *parser) item(column int) (Node, error) {
	if p.blank(p.rest[1:]) {
		return p.below(column, false)
	}
	if strings.Contains(p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest[1:], " \t"))], "\t") {
		return Node{}, p.unsupported("a tab behind a dash")
	}
	p.to(1)
	return p.block(column)
}

// mapping reads keys that stand in a column, with their values.
func (p *parser) mapping(column int) (Node, error) {
	n := Node{Kind: Map, Line: p.line}
	seen := map[string]bool{}
	for !p.done && p.indent == column && !dash(p.rest) && !(column == 0 && marker(p.rest)) {
		line := p.line
		key, length, ok, err := p.key()
		switch {
		case err != nil:
			return n, err
		case !ok:
			return n, p.broken("a line that is neither a key nor an item of a list")
		case key == "<<":
			return n, p.unsupported("a merge")
		case seen[key]:
			return n, p.broken("a key that stands here for the second time")
		}
		seen[key] = true
		var value Node
		if p.blank(p.rest[length:]) {
			value, err = p.below(column, true)
		} else {
			p.to(length)
			value, err = p.value(column)
		}
		if err != nil {
			return n, err
		}
		value.Key, value.Line = key, line
		n.Nodes = append(n.Nodes, value)
	}
	return n, p.outdented(column)
}

// below reads the value that begins on a line of its own, or nothing. That of a
// key may be a list that is not indented.
func (p *parser) below(column int, ofKey bool) (Node, error) {
	line := p.line
	p.next()
	switch {
	case !p.done && p.indent > column:
		return p.block(column)
	case !p.done && ofKey && p.indent == column && dash(p.rest):
		return p.block(column)
	}
	return Node{Line: line}, nil
}

// outdented checks that what follows belongs to something further out.
func (p *parser) outdented(column int) error {
	if !p.done && p.indent > column {
		return p.broken("an indentation that fits nothing before it")
	}
	return nil
}

// key reads the key that rest begins with, and the length of it with its colon.
func (p *parser) key() (key string, length int, ok bool, err error) {
	switch c := p.rest[0]; c {
	case '"', '\'':
		end := quoteEnd(p.rest)
		if end < 0 {
			return "", 0, false, nil
		}
		after := strings.TrimLeft(p.rest[end:], " \t")
		if !colon(after) {
			return "", 0, false, nil
		}
		key, err = p.unquote(p.rest[:end])
		return key, len(p.rest) - len(after) + 1, true, err
	case '[', '{', '#', '|', '>':
		return "", 0, false, nil
	case '?':
		if len(p.rest) == 1 || p.rest[1] == ' ' || p.rest[1] == '\t' {
			return "", 0, false, p.unsupported("a key of several lines")
		}
	}
	for i := range len(p.rest) {
		switch {
		case p.rest[i] == '#' && i > 0 && strings.IndexByte(" \t", p.rest[i-1]) >= 0:
			return "", 0, false, nil
		case !colon(p.rest[i:]):
		case i == 0 || strings.IndexByte(indicators, p.rest[0]) >= 0:
			return "", 0, false, p.unsupported("a key that is no plain text")
		default:
			return strings.TrimRight(p.rest[:i], " \t"), i + 1, true, nil
		}
	}
	return "", 0, false, nil
}

// colon reports whether s begins with the colon behind a key.
func colon(s string) bool {
	return strings.HasPrefix(s, ":") && (len(s) == 1 || s[1] == ' ' || s[1] == '\t')
}
