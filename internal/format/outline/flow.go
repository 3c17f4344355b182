package outline

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// flowValue reads a value in brackets or quotes, which may go over several
// lines. Nothing else stands on its last one.
func (p *parser) flowValue(outer int) (Node, error) {
	f := &flow{p: p, i: p.off(), line: p.line}
	n, err := f.value()
	if err != nil {
		return n, err
	}
	after := p.text[f.i:]
	after, _, _ = strings.Cut(after, "\n")
	if after = strings.TrimRight(after, " \t\r"); !p.blank(after) {
		return n, f.broken("something behind a value in brackets or quotes")
	}
	p.line, p.end = f.line, f.i+len(p.text[f.i:])
	if i := strings.IndexByte(p.text[f.i:], '\n'); i >= 0 {
		p.end = f.i + i
	}
	p.next()
	return n, nil
}

// A flow reads byte by byte: within brackets, lines do not count.
type flow struct {
	p    *parser
	i    int
	line int
}

func (f *flow) broken(text string) error {
	return format.Brokenf(int64(f.i+f.p.skipped), "%s", text)
}

// space goes over white space, line ends and comments.
func (f *flow) space() error {
	for text := f.p.text; f.i < len(text); f.i++ {
		switch c := text[f.i]; {
		case c == '\n':
			f.line++
			if marker(firstLine(text[f.i+1:])) {
				return f.broken("a document that ends within brackets")
			}
		case c == '#' && strings.IndexByte(" \t\n", text[f.i-1]) >= 0:
			f.i += len(firstLine(text[f.i:])) - 1
		case c != ' ' && c != '\t' && c != '\r':
			return nil
		}
	}
	return f.broken("brackets that are not closed")
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(s, "\r")
}

func (f *flow) value() (Node, error) {
	f.p.depth++
	defer func() { f.p.depth-- }()
	if f.p.depth > maxDepth {
		return Node{}, format.Exceededf(int64(f.i+f.p.skipped), "nested more than %d deep", maxDepth)
	}
	switch f.p.text[f.i] {
	case '[':
		return f.list()
	case '{':
		return f.mapping()
	case '"', '\'':
		return f.quoted()
	}
	return f.plain()
}

func (f *flow) quoted() (Node, error) {
	n := Node{Line: f.line, Quoted: true}
	end := quoteEnd(f.p.text[f.i:])
	if end < 0 {
		return n, f.broken("quotes that are not closed")
	}
	s := f.p.text[f.i : f.i+end]
	for i := range len(s) {
		if s[i] == '\n' {
			f.line++
			if marker(firstLine(s[i+1:])) {
				return n, f.broken("a document that ends within quotes")
			}
		}
	}
	var err error
	n.Text, err = f.p.unquote(s)
	f.i += end
	return n, err
}

// plain reads a text without quotes, up to what ends it within brackets.
func (f *flow) plain() (Node, error) {
	n := Node{Line: f.line}
	text := f.p.text
	begin := f.i
	for ; f.i < len(text) && strings.IndexByte(",[]{}\n", text[f.i]) < 0; f.i++ {
		if text[f.i] == '#' && f.i > begin && strings.IndexByte(" \t", text[f.i-1]) >= 0 {
			break
		}
		if text[f.i] == ':' && f.endsKey() {
			break
		}
	}
	n.Text = strings.TrimRight(text[begin:f.i], " \t\r")
	if n.Text == "" {
		return n, f.broken("a value that is missing")
	}
	if f.p.startsPlain(n.Text) != nil || n.Text[0] == '?' {
		return n, format.Unsupportedf(int64(begin+f.p.skipped), "a text that needs quotes, an anchor, an alias or a tag")
	}
	return n, nil
}

// endsKey reports whether the colon here is that behind a key.
func (f *flow) endsKey() bool {
	return f.i+1 == len(f.p.text) || strings.IndexByte(" \t\r\n,[]{}", f.p.text[f.i+1]) >= 0
}

// list reads a list in brackets.
func (f *flow) list() (Node, error) {
	n := Node{Kind: List, Line: f.line}
	err := f.each(']', func() error {
		item, err := f.value()
		n.Nodes = append(n.Nodes, item)
		return err
	})
	return n, err
}

// mapping reads a mapping in braces.
func (f *flow) mapping() (Node, error) {
	n := Node{Kind: Map, Line: f.line}
	seen := map[string]bool{}
	err := f.each('}', func() error {
		item, err := f.pair()
		if err != nil {
			return err
		}
		if seen[item.Key] {
			return f.broken("a key that stands here for the second time")
		}
		seen[item.Key] = true
		n.Nodes = append(n.Nodes, item)
		return nil
	})
	return n, err
}

func (f *flow) pair() (Node, error) {
	var value Node
	key, err := f.value()
	switch {
	case err != nil:
		return value, err
	case key.Kind != Text || !key.Quoted && key.Text == "<<" || key.Line != f.line:
		return value, f.broken("a key that is no plain text")
	}
	if err := f.space(); err != nil {
		return value, err
	}
	if f.p.text[f.i] != ':' {
		return Node{Line: key.Line, Key: key.Text}, nil
	}
	if key.Line != f.line {
		return value, f.broken("a key of several lines")
	}
	f.i++
	if err := f.space(); err != nil {
		return value, err
	}
	if c := f.p.text[f.i]; c != ',' && c != '}' {
		if value, err = f.value(); err != nil {
			return value, err
		}
	}
	value.Key, value.Line = key.Text, key.Line
	return value, nil
}

// each reads what stands between brackets, with commas between.
func (f *flow) each(closing byte, item func() error) error {
	f.i++
	for {
		if err := f.space(); err != nil {
			return err
		}
		if f.p.text[f.i] == closing {
			f.i++
			return nil
		}
		if err := item(); err != nil {
			return err
		}
		if err := f.space(); err != nil {
			return err
		}
		switch f.p.text[f.i] {
		case ',':
			f.i++
		case closing:
		default:
			return f.broken("a comma that is missing")
		}
	}
}
