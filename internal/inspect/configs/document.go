package configs

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/tensors"
)

// A document is one under inspection.
type document struct {
	p       *inspect.Pass
	f       *inspect.File
	anchors map[string]ast.Node
}

func (y *document) find(rule *inspect.Rule, v inspect.Verdict, off int64, what, why string) {
	y.p.Find(y.f, inspect.Finding{Rule: rule, Verdict: v, Offset: off, What: what, Why: why})
}

// raw finds what may be written such that our parser and others see different
// things in it.
func (y *document) raw(data []byte, active bool) {
	if i := bytes.Index(data, []byte("yaml.org,2002:python")); i >= 0 {
		y.find(ruleTag, inspect.Malicious, int64(i), "tag:yaml.org,2002:python", "it is the full name of PyYAML's tags that run code")
	}
	if i := bytes.Index(data, []byte("%TAG")); i == 0 || i > 0 && data[i-1] == '\n' {
		y.find(ruleTag, inspect.Suspicious, int64(i), "%TAG", "it gives tags other names")
	}
	if !active {
		return
	}
	for i, b := range data {
		if b == '\r' && !bytes.HasPrefix(data[i+1:], []byte{'\n'}) || b == 0xc2 && bytes.HasPrefix(data[i:], []byte("\u0085")) ||
			b == 0xe2 && (bytes.HasPrefix(data[i:], []byte("\u2028")) || bytes.HasPrefix(data[i:], []byte("\u2029"))) {
			y.find(ruleLines, inspect.Suspicious, int64(i), string([]rune(string(data[i:min(i+3, len(data))]))[:1]), "what follows is a comment to one loader and a key to another")
			return
		}
	}
}

// node judges a node and all below it.
func (y *document) node(n ast.Node, depth int) error {
	if err := y.p.Step(1); err != nil {
		return err
	}
	if depth > maxNesting {
		return format.Exceededf(-1, "the document is nested deeper than %d", maxNesting)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return y.mapping(n.Values, depth)
	case *ast.MappingValueNode:
		return y.mapping([]*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if err := y.node(v, depth+1); err != nil {
				return err
			}
		}
	case *ast.AnchorNode:
		y.anchors[n.Name.String()] = n.Value
		return y.node(n.Value, depth+1)
	case *ast.TagNode:
		y.tag(n)
		if n.Value != nil {
			return y.node(n.Value, depth+1)
		}
	case *ast.MappingKeyNode:
		return y.node(n.Value, depth+1)
	case *ast.StringNode:
		y.scalar(n, n.Value)
	case *ast.LiteralNode:
		y.scalar(n, n.Value.Value)
	}
	return nil
}

// mapping judges the pairs of a mapping.
func (y *document) mapping(values []*ast.MappingValueNode, depth int) error {
	keys := map[string]bool{}
	for _, v := range values {
		key := y.text(v.Key)
		if keys[key] && key != "<<" && key != "" {
			y.find(ruleTwice, inspect.Suspicious, offset(v.Key), key, "one loader takes the first value, another the last")
		}
		keys[key] = true
		y.pair(key, v)
		if err := y.node(v.Key, depth+1); err != nil {
			return err
		}
		if err := y.node(v.Value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// pair judges a value by its key.
func (y *document) pair(key string, v *ast.MappingValueNode) {
	switch value := y.text(v.Value); key {
	case "_target_", "class_path":
		y.target(offset(v.Value), value)
	case "loader_module":
		if strings.HasPrefix(value, "mlflow.") && !strings.HasPrefix(value, "mlflow.pyfunc") {
			y.p.Global("mlflow " + value)
			return
		}
		y.find(ruleCode, inspect.Suspicious, offset(v.Value), value, "MLflow imports it and has it load the model")
	case "code", "code_path", "model_code_path":
		if y.f.Base() == "MLmodel" && value != "" && value != "null" {
			y.find(ruleCode, inspect.Suspicious, offset(v.Value), value, "MLflow puts it where Python imports from, and runs it on load")
		}
	}
	if strings.Contains(key, tensors.TemplateKey) {
		y.templates(key, v.Value, maxTemplates)
	}
}

// maxTemplates is how deep chat templates may lie below the key that says so.
const maxTemplates = 3

// templates judges chat templates: a text, or a list or mapping of them with
// their names.
func (y *document) templates(key string, n ast.Node, depth int) {
	if depth == 0 {
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			y.templates(key, v.Value, depth-1)
		}
	case *ast.MappingValueNode:
		y.templates(key, n.Value, depth-1)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			y.templates(key, v, depth-1)
		}
	default:
		if text := y.text(n); strings.Contains(text, "{") {
			tensors.Template(y.p, y.f, offset(n), key, text)
		}
	}
}

// target judges the name of something to call.
func (y *document) target(off int64, name string) {
	switch {
	case targets()[name]:
		module, class := name[:strings.LastIndexByte(name, '.')], name[strings.LastIndexByte(name, '.')+1:]
		y.p.Global(module + " " + class)
	case refused(name):
		y.find(ruleTarget, inspect.Malicious, off, name, "it is imported and called with what the file says")
	case name == "":
		y.find(ruleTarget, inspect.Suspicious, off, "_target_", "what is called is not written plainly")
	default:
		y.find(ruleTarget, inspect.Suspicious, off, name, "it is imported and called with what the file says")
	}
}

// text is the string that a scalar stands for, an alias followed once; of
// others it is "".
func (y *document) text(n ast.Node) string {
	if a, ok := n.(*ast.AliasNode); ok {
		n = y.anchors[a.Value.String()]
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.AnchorNode:
		return y.text(n.Value)
	case *ast.TagNode:
		return y.text(n.Value)
	case *ast.MappingKeyNode:
		return y.text(n.Value)
	case *ast.MergeKeyNode:
		return "<<"
	case *ast.NullNode, nil:
		return ""
	case ast.ScalarNode:
		return fmt.Sprint(n.GetValue())
	}
	return ""
}

// offset is where a node begins, or -1. The parser counts characters from 1.
func offset(n ast.Node) int64 {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return -1
	}
	return int64(max(n.GetToken().Position.Offset-1, 0))
}
