package configs

import (
	"bytes"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxYAML is how large a document may be that is built into a tree, which takes
// about a hundred times its size, and maxPlain how large one of which only
// doubled keys are wanted. Larger ones pass if nothing in them can be a tag, a
// target or a resolver.
const (
	maxYAML  = 128 << 10
	maxPlain = 32 << 10
)

// maxNesting is how deep nodes may lie in each other.
const maxNesting = 200

// matchYAML goes by the name, since all text may be YAML.
func matchYAML(f *inspect.File, head []byte) inspect.Fit {
	if f.Ext() == ".yaml" || f.Ext() == ".yml" || f.Base() == "MLmodel" {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectYAML judges a document in two ways. Its bytes are searched for what
// could be active in any YAML, and only if there is some, or the document is
// small, it is parsed; so that one of any size passes that is surely plain.
func inspectYAML(p *inspect.Pass, f *inspect.File) error {
	active, text, err := search(p, f)
	if err != nil {
		return err
	}
	if !text {
		return inspect.ErrNotThis
	}
	if f.Size > maxPlain && !active {
		return nil
	}
	if f.Size > maxYAML {
		return format.Exceededf(0, "a YAML document of more than %d bytes has tags or names code", maxYAML)
	}
	data := make([]byte, f.Size)
	if n, err := f.ReadAt(data, 0); n < len(data) {
		return err
	}
	y := &document{p: p, f: f, anchors: map[string]ast.Node{}}
	y.raw(data, active)
	tree, err := y.parse(data)
	switch {
	case err == nil:
	case active:
		return err
	case format.Is(err, format.Broken) || format.Is(err, format.Exceeded):
		return nil // a template or plain text: nothing in it can be active
	default:
		return err
	}
	for _, doc := range tree.Docs {
		if err := y.node(doc.Body, 0); err != nil {
			return err
		}
	}
	return nil
}

// parse builds a tree. The parser is a library's, whose work grows with the
// square of lines and of nesting: the first is counted, the second bounded. If
// it stops in the middle, the document is as good as broken.
func (y *document) parse(data []byte) (tree *ast.File, err error) {
	lines := bytes.Count(data, []byte{'\n'})
	if err := y.p.Step(lines * lines / 8); err != nil {
		return nil, err
	}
	if nesting(data) > maxNesting {
		return nil, format.Exceededf(-1, "the document is nested deeper than %d", maxNesting)
	}
	defer func() {
		if recover() != nil {
			err = format.Brokenf(-1, "the document cannot be parsed")
		}
	}()
	if tree, err = parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()); err != nil {
		return nil, format.Brokenf(-1, "the document is not YAML as it should be")
	}
	return tree, nil
}

// nesting is at least how deep a document nests: brackets that are open at a
// time, in texts too, and dashes that follow each other.
func nesting(data []byte) int {
	deepest, open, dashes := 0, 0, 0
	for i, b := range data {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-':
			if i+1 < len(data) && data[i+1] == ' ' {
				dashes++
			}
		case '\n':
			dashes = 0
		}
		deepest = max(deepest, open, dashes)
	}
	return deepest
}
