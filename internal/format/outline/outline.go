// Package outline reads the part of YAML that lock files and lists of packages
// are written in, in time and memory that grow with the text and no faster:
// mappings and lists, by indentation or in brackets, of plain, quoted and
// literal texts.
//
// What gives YAML its traps is not read but refused: tags, anchors, aliases,
// merges, keys that are no texts or stand twice, directives, and more than one
// document. Every value is a text; whether 3.10 is a number is for the caller to
// know.
package outline

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// A Kind says what a Node is.
type Kind uint8

// The kinds.
const (
	Text Kind = iota
	List
	Map
)

// A Node is a value of a document.
type Node struct {
	Kind   Kind
	Quoted bool   // a text in quotes or a block, which is never a null or a number
	Line   int    // where it begins, from 1
	Key    string // in the mapping that it stands in
	Text   string // of a Text
	Nodes  []Node // of a List or a Map, in their order
}

// Null reports whether n is nothing: no text at all, or one of the words for it.
func (n *Node) Null() bool {
	if n == nil {
		return true
	}
	return n.Kind == Text && !n.Quoted && (n.Text == "" || n.Text == "~" || strings.EqualFold(n.Text, "null"))
}

// Get returns the value of a key of a mapping, or nil. A nil Node has none.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for i := range n.Nodes {
		if n.Nodes[i].Key == key {
			return &n.Nodes[i]
		}
	}
	return nil
}

// maxDepth bounds nodes within each other.
const maxDepth = 64

// Parse reads a document. Errors are of package format: they name a byte and
// repeat nothing of the text.
func Parse(text []byte) (*Node, error) {
	p := &parser{text: strings.TrimPrefix(string(text), "\uFEFF")}
	p.skipped = len(text) - len(p.text)
	if err := p.characters(); err != nil {
		return nil, err
	}
	p.next()
	if !p.done && marker(p.rest) && strings.HasPrefix(p.rest, "---") && p.indent == 0 {
		if !p.blank(p.rest[3:]) {
			return nil, p.unsupported("a value behind the mark of a document's beginning")
		}
		p.next()
	}
	root, err := p.root()
	if err != nil {
		return nil, err
	}
	if !p.done && p.indent == 0 && marker(p.rest) && strings.HasPrefix(p.rest, "...") && p.blank(p.rest[3:]) {
		p.next()
	}
	if !p.done {
		return nil, p.unsupported("more than one document, or a line that belongs to nothing")
	}
	return root, nil
}

func (p *parser) root() (*Node, error) {
	switch {
	case p.done:
		return &Node{Line: 1}, nil
	case p.indent == 0 && marker(p.rest):
		return nil, p.unsupported("a document without content")
	}
	root, err := p.block(-1)
	return &root, err
}

// characters refuses what loaders see differently, or not as text at all.
func (p *parser) characters() error {
	for i := 0; i < len(p.text); {
		c, n := utf8.DecodeRuneInString(p.text[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			return format.Brokenf(int64(i+p.skipped), "not a text in UTF-8")
		case c == '\r' && !strings.HasPrefix(p.text[i:], "\r\n"), c == 0x85, c == 0x2028, c == 0x2029:
			return format.Unsupportedf(int64(i+p.skipped), "a line end that is seen differently by different readers")
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7F, c == 0xFEFF:
			return format.Brokenf(int64(i+p.skipped), "a control character")
		}
		i += n
	}
	return nil
}

// marker reports whether a line marks the beginning or the end of a document, if
// it is not indented.
func marker(line string) bool {
	return (strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")) && (len(line) == 3 || line[3] == ' ' || line[3] == '\t')
}
