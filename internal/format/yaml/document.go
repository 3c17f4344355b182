// Package yaml reads YAML files that people write for Sallyport, or that lock
// their dependencies, strictly and within bounds.
package yaml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/sallyport/sallyport"
)

// A Document is a YAML file while it is being read. Whoever reads it walks the
// syntax tree by hand, for three reasons: every error can point at the exact
// place, aliases and tags never get a meaning, and nothing is decoded that was
// not asked for.
type Document struct {
	File  string
	Lines []string
	Root  ast.Node // nil when the file is empty
}

// A Pair is one key of a mapping with its value.
type Pair struct {
	Key   string
	At    ast.Node // where the key stands
	Value ast.Node
}

// An Entry is a text with the place where it stands.
type Entry struct {
	Text string
	At   ast.Node
}

// MaxDepth bounds how deeply lists and mappings nest. The parser's time grows
// with a power of the depth, and no file that people write comes near.
const MaxDepth = 64

// New parses a file of one document. Anchors, tags and merges are read and get
// no meaning: a reader that meets one refuses it.
func New(file string, b []byte) (*Document, error) {
	d := &Document{File: file}
	if !utf8.Valid(b) || slices.Contains(b, 0) {
		return nil, sallyport.Errorf(sallyport.Invalid, "not a text file in UTF-8").At("%s", file)
	}
	d.Lines = strings.Split(string(b), "\n")
	if line := tooDeep(d.Lines); line > 0 {
		return nil, sallyport.Errorf(sallyport.Invalid, "nested more than %d deep", MaxDepth).At("%s:%d", file, line)
	}
	parsed, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, d.syntax(err)
	}
	switch {
	case len(parsed.Docs) > 1:
		return nil, d.Errorf(parsed.Docs[1].Body, "a second document begins here").Try("keep one document in the file")
	case len(parsed.Docs) == 1 && parsed.Docs[0].Body != nil && parsed.Docs[0].Body.Type() != ast.CommentType:
		d.Root = parsed.Docs[0].Body
	}
	return d, nil
}

// tooDeep returns the number of the first line at which lists and mappings
// nest deeper than MaxDepth, or 0. It counts brackets without asking whether
// they stand in a text, so it errs only on files with unpaired brackets galore.
func tooDeep(lines []string) int {
	depth := 0
	for i, l := range lines {
		inline := 0
		for rest := strings.TrimLeft(l, " "); strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "? "); inline++ {
			rest = strings.TrimLeft(rest[2:], " ")
		}
		for _, c := range []byte(l) {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > MaxDepth || inline > MaxDepth {
				return i + 1
			}
		}
	}
	return 0
}

// syntax turns the parser's error into one that shows the line.
func (d *Document) syntax(err error) error {
	if se, ok := errors.AsType[goyaml.Error](err); ok && se.GetToken() != nil && se.GetToken().Position != nil {
		pos := se.GetToken().Position
		msg := se.GetMessage()
		if strings.Contains(msg, "already defined") {
			return d.ErrorAt(pos.Line, pos.Column, "this key stands here for the second time").Try("remove one of the two")
		}
		return d.ErrorAt(pos.Line, pos.Column, "not YAML: %s", Clean(msg)).Try("check brackets, quotes and indentation around the mark")
	}
	return sallyport.Errorf(sallyport.Invalid, "not YAML").At("%s", d.File)
}

// Errorf makes an error that points at n and shows its line.
func (d *Document) Errorf(n ast.Node, format string, args ...any) *sallyport.Error {
	line, col := Place(n)
	return d.ErrorAt(line, col, format, args...)
}

// Place returns the line and the column at which n begins, both from 1.
func Place(n ast.Node) (line, column int) {
	// A mapping's own token is the colon of its first key; its place is that key.
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return Place(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return Place(m.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1, 1
	}
	return n.GetToken().Position.Line, n.GetToken().Position.Column
}

// ErrorAt makes an error that points at a line and column, both from 1.
func (d *Document) ErrorAt(line, col int, format string, args ...any) *sallyport.Error {
	msg := fmt.Sprintf(format, args...)
	if line >= 1 && line <= len(d.Lines) {
		text := Clean(strings.TrimSuffix(d.Lines[line-1], "\r"))
		number := fmt.Sprintf("%4d", line)
		msg += fmt.Sprintf("\n%s | %s\n%s | %s^", number, text, strings.Repeat(" ", len(number)), strings.Repeat(" ", max(0, min(col, 120)-1)))
	}
	return sallyport.Errorf(sallyport.Invalid, "%s", msg).At("%s:%d:%d", d.File, line, col)
}

// Clean makes a text from a file safe for a terminal: control characters would
// let a project repaint the screen of whoever reads the error.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

// Pairs reads a mapping. Nothing at all is an empty mapping.
func (d *Document) Pairs(n ast.Node, what string) ([]Pair, error) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		return nil, d.Errorf(n, "%s is a mapping of keys to values", what)
	}
	out := make([]Pair, 0, len(values))
	for _, v := range values {
		// Only a plain or quoted text is a key here: not an alias, a tag, a merge.
		key, ok := v.Key.(ast.Node).(*ast.StringNode)
		if !ok {
			return nil, d.Errorf(v, "a key of %s is a plain text", what)
		}
		out = append(out, Pair{key.Value, key, v.Value})
	}
	return out, nil
}

// Fields reads a mapping whose keys are known, each with its own reader.
func (d *Document) Fields(n ast.Node, what string, known map[string]func(ast.Node) error) error {
	pairs, err := d.Pairs(n, what)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		read, ok := known[p.Key]
		if !ok {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			return d.Errorf(p.At, "%s has no key of this name", what).Try("%s", Suggest(p.Key, names))
		}
		if err := read(p.Value); err != nil {
			return err
		}
	}
	return nil
}

// Text reads one text.
func (d *Document) Text(n ast.Node, what string) (string, error) {
	var s string
	switch v := n.(type) {
	case *ast.StringNode:
		s = v.Value
	case *ast.LiteralNode:
		s = v.Value.Value
	default:
		return "", d.Errorf(n, "%s is a text", what)
	}
	if strings.TrimSpace(s) == "" {
		return "", d.Errorf(n, "%s is empty", what)
	}
	return s, nil
}

// Texts reads a list of texts. Nothing at all is an empty list.
func (d *Document) Texts(n ast.Node, what string) ([]Entry, error) {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.SequenceNode:
		out := make([]Entry, 0, len(v.Values))
		for _, e := range v.Values {
			s, err := d.Text(e, "each of "+what)
			if err != nil {
				return nil, err
			}
			out = append(out, Entry{s, e})
		}
		return out, nil
	}
	return nil, d.Errorf(n, "%s is a list", what).Try("write it in brackets: [a, b]")
}
