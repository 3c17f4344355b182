package graphs

import (
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxNested is how many graphs may lie in each other's strings before the
// innermost is followed no more.
const maxNested = 4

// attributes looks into all that a node's attributes hold. Each may stand once:
// of two, programs differ in which they take.
func (g *tfGraph) attributes(n *tfNode) error {
	var keys []string
	return n.part.Again().Fields(func(v protobuf.Value) error {
		if !v.Is("attr") {
			return nil
		}
		key, err := member(v.Message(), "key")
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k == key {
				g.odd(ruleEncoding, v.Off, key, "an attribute of a node stands twice: readers differ in which they take")
			}
		}
		if len(keys) == 64 {
			return format.Exceededf(v.Off, "a node has more than 64 attributes")
		}
		keys = append(keys, key)
		return g.strings(v.Message().Again())
	})
}

// strings looks for graphs in all strings of an attribute, however deep.
func (g *tfGraph) strings(m protobuf.Part) error {
	texts, content := false, protobuf.Value{}
	err := m.Fields(func(v protobuf.Value) error {
		switch v.Name() {
		case "dtype":
			texts = v.Bits == dtString
		case "tensor_content":
			content = v
		case "variant_val":
			g.p.Find(g.f, inspect.Finding{Rule: ruleNested, Verdict: inspect.Inconclusive, Offset: v.Off, What: "variant", Why: "a constant holds an object of a form that is not followed"})
		case "s", "string_val":
			return g.string(v)
		}
		if v.Field != nil && v.Field.Kind == protobuf.Embedded && v.Field.Type != nil {
			return g.strings(v.Message())
		}
		return nil
	})
	if err == nil && texts && content.Size > 0 {
		return format.Unsupportedf(content.Off, "a constant holds its strings in one piece")
	}
	return err
}

// dtString is DT_STRING of DataType.
const dtString = 7

// string judges a string that is a graph itself.
func (g *tfGraph) string(v protobuf.Value) error {
	if v.Size < 8 || !isGraph(glance(g.f, v.Off, v.Size, tfSchema().Message("GraphDef"))) {
		return nil
	}
	if g.nested == maxNested {
		return format.Exceededf(v.Off, "graphs lie in each other's strings more than %d deep", maxNested)
	}
	g.odd(ruleNested, v.Off, "GraphDef", "what runs it decides whether its operators are ever looked at")
	inner := &tfGraph{p: g.p, f: g.f, seen: map[tfAsk]string{}, nested: g.nested + 1}
	return inner.inspect(v.As(tfSchema().Message("GraphDef")))
}
