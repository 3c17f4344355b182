package advisory

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/format/yaml"
)

// parseYAML reads a record that is kept as YAML. Every scalar but null is taken
// for a text as it is written, so that a version 1.10 without quotes does not
// become the number 1.1. Anchors, aliases and tags are refused.
func parseYAML(b []byte) (doc *json.Value, err error) {
	defer func() {
		if recover() != nil { // the parser is a library's and the bytes are anybody's
			doc, err = nil, fmt.Errorf("it is not YAML as it should be")
		}
	}()
	d, err := yaml.New("", b)
	if err != nil {
		return nil, fmt.Errorf("it is not YAML as it should be")
	}
	return tree(d.Root)
}

func tree(n ast.Node) (*json.Value, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		v := &json.Value{Kind: json.Object}
		for _, pair := range n.Values {
			if err := add(v, pair); err != nil {
				return nil, err
			}
		}
		return v, nil
	case *ast.MappingValueNode:
		v := &json.Value{Kind: json.Object}
		return v, add(v, n)
	case *ast.SequenceNode:
		v := &json.Value{Kind: json.Array}
		for _, item := range n.Values {
			child, err := tree(item)
			if err != nil {
				return nil, err
			}
			v.Items = append(v.Items, child)
		}
		return v, nil
	case *ast.NullNode:
		return &json.Value{Kind: json.Null}, nil
	case *ast.StringNode:
		return &json.Value{Kind: json.String, Text: n.Value}, nil
	case *ast.LiteralNode:
		return &json.Value{Kind: json.String, Text: n.Value.Value}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NanNode, *ast.InfinityNode:
		return &json.Value{Kind: json.String, Text: n.GetToken().Value}, nil
	}
	return nil, fmt.Errorf("it is YAML with anchors, tags or worse")
}

func add(v *json.Value, pair *ast.MappingValueNode) error {
	key, err := tree(pair.Key)
	if err != nil || key.Kind != json.String {
		return fmt.Errorf("it is YAML with keys that are no texts")
	}
	child, err := tree(pair.Value)
	if err != nil {
		return err
	}
	v.Members = append(v.Members, json.Member{Key: key.Text, Value: child})
	return nil
}
