package graphs

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
)

// tensorNode is the node that a tensor ("node:0", "node:output:0") comes from.
func tensorNode(tensor string) string {
	name, _, _ := strings.Cut(tensor, ":")
	return strings.TrimPrefix(name, "^")
}

// A tfAsk is the question whether a value is the name of the checkpoint or
// asset that the program gives which saves or loads the model.
type tfAsk struct {
	body   *tfBody
	node   string
	policy string
}

// Bounds of following file names, far above what savers need.
const (
	maxAsks  = 2000
	maxChain = 64
)

// ask follows a file name back to where it comes from, and says what is wrong
// with that, or "". Nodes are looked up by reading the body again.
func (g *tfGraph) ask(a tfAsk, depth int) (string, error) {
	if why, ok := g.seen[a]; ok {
		return why, nil
	}
	if len(g.seen) == maxAsks || depth == maxChain {
		return "", format.Exceededf(a.body.part.Off, "file names of the graph come from too far")
	}
	g.seen[a] = "" // a circle adds nothing
	why, err := g.follow(a, depth+1)
	g.seen[a] = why
	return why, err
}

func (g *tfGraph) follow(a tfAsk, depth int) (string, error) {
	for i, arg := range a.body.args {
		if arg == a.node {
			return g.callers(a, i, depth)
		}
	}
	var n *tfNode
	err := a.body.part.Fields(func(v protobuf.Value) error {
		if !v.Is(a.body.nodes) || n != nil {
			return nil
		}
		name, err := member(v.Message().Again(), "name")
		if err == nil && name == a.node {
			n, err = node(v.Message().Again())
		}
		return err
	})
	if err != nil || n == nil {
		return "the file's name comes from nowhere", err
	}
	switch n.op {
	case "Identity", "ShardedFilename", "ShardedFilespec", "StringJoin", "Pack", "ExpandDims", "Reshape", "StopGradient":
		return g.askAll(a, n.inputs, depth)
	case "Select", "SelectV2":
		return g.askAll(a, n.inputs[min(1, len(n.inputs)):], depth)
	case "Placeholder", "PlaceholderWithDefault":
		if !g.given(a.body, n.name, a.policy) {
			return "the file's name is an input of the model", nil
		}
		return g.askAll(a, n.inputs, depth)
	case "ReadVariableOp":
		if a.policy == "asset" && len(n.inputs) > 0 {
			return g.assigned(a, tensorNode(n.inputs[0]), depth)
		}
	case "Const":
		return g.constant(a, n)
	}
	return "the file's name is computed by the graph", nil
}

// askAll asks about all inputs that are values and, but for the first, texts.
func (g *tfGraph) askAll(a tfAsk, inputs []string, depth int) (string, error) {
	for _, in := range inputs {
		if strings.HasPrefix(in, "^") {
			continue
		}
		why, err := g.ask(tfAsk{a.body, tensorNode(in), a.policy}, depth)
		if why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// given reports whether a placeholder is the one that savers or loaders fill.
func (g *tfGraph) given(body *tfBody, name, policy string) bool {
	switch {
	case body != g.main:
		return false
	case policy == "asset":
		return g.assets[name] || !g.whole
	case g.whole && name == g.saver:
		return true
	}
	return name == "saver_filename" || strings.HasPrefix(name, "save") && (strings.HasSuffix(name, "/Const") || strings.HasSuffix(name, "/filename"))
}

// constant judges a constant in a file name: the parts that savers append, or
// the stand-in for the name of an asset.
func (g *tfGraph) constant(a tfAsk, n *tfNode) (string, error) {
	if a.policy == "asset" && a.body == g.main && g.assets[n.name] {
		return "", nil
	}
	value, _, err := n.attribute("value")
	if err != nil {
		return "", err
	}
	why := ""
	err = value.Fields(func(v protobuf.Value) error {
		if !v.Is("tensor") {
			return nil
		}
		return v.Message().Fields(func(v protobuf.Value) error {
			if !v.Is("string_val") {
				return nil
			}
			text, err := v.String(maxName)
			if err != nil || !saverPart(text) {
				why = "the model gives the file's name itself"
			}
			return nil
		})
	})
	return why, err
}

// saverPart reports whether savers append a text to the name of a checkpoint.
func saverPart(s string) bool {
	if unique, ok := strings.CutPrefix(s, "_temp_"); ok {
		unique, ok = strings.CutSuffix(unique, "/part")
		return ok && len(unique) == 32 && strings.Trim(unique, "0123456789abcdef") == ""
	}
	switch s {
	case "", "model", ".part", "_temp/part", "/part":
		return true
	}
	return false
}

// assigned asks about what is put into a variable of the main graph.
func (g *tfGraph) assigned(a tfAsk, variable string, depth int) (why string, err error) {
	err = a.body.part.Fields(func(v protobuf.Value) error {
		if !v.Is(a.body.nodes) || why != "" {
			return nil
		}
		n, err := node(v.Message().Again())
		if err != nil || n.op != "AssignVariableOp" || len(n.inputs) < 2 || tensorNode(n.inputs[0]) != variable {
			return err
		}
		why, err = g.ask(tfAsk{a.body, tensorNode(n.inputs[1]), a.policy}, depth)
		return err
	})
	return why, err
}

// callers asks about the value that each caller gives for an argument of a
// function.
func (g *tfGraph) callers(a tfAsk, arg, depth int) (why string, err error) {
	in := func(body *tfBody) error {
		return body.part.Fields(func(v protobuf.Value) error {
			if !v.Is(body.nodes) || why != "" {
				return nil
			}
			n, err := node(v.Message().Again())
			if err != nil || n.op == "" {
				return err
			}
			called, err := n.mentions(a.body.name)
			if err != nil || !called {
				return err
			}
			if n.op != "PartitionedCall" && n.op != "StatefulPartitionedCall" && n.op != a.body.name || arg >= len(n.inputs) {
				why = "the function that works on the file is called in a way that savers do not use"
				return nil
			}
			why, err = g.ask(tfAsk{body, tensorNode(n.inputs[arg]), a.policy}, depth)
			return err
		})
	}
	if err := in(g.main); err != nil || why != "" {
		return why, err
	}
	for _, f := range g.functions {
		if err := in(f); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// mentions reports whether a node calls a function, as its operator or by an
// attribute.
func (n *tfNode) mentions(function string) (bool, error) {
	if n.op == function {
		return true, nil
	}
	found := false
	var look func(m protobuf.Part) error
	look = func(m protobuf.Part) error {
		return m.Fields(func(v protobuf.Value) error {
			if v.Field == nil || v.Field.Type == nil || found {
				return nil
			}
			if v.Field.Type == tfSchema().Message("NameAttrList") {
				name, err := member(v.Message(), "name")
				found = found || name == function
				if err != nil {
					return err
				}
			}
			return look(v.Message())
		})
	}
	err := look(n.part.Again())
	return found, err
}
