package graphs

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A tfGraph is a GraphDef under inspection.
type tfGraph struct {
	p         *inspect.Pass
	f         *inspect.File
	whole     bool            // it came with its savers and assets
	saver     string          // node that yields the name of a checkpoint
	assets    map[string]bool // nodes that yield the names of asset files
	main      *tfBody
	functions map[string]*tfBody
	seen      map[tfAsk]string // answers about file names
	nested    int              // graphs around it, in whose strings it lies
}

// A tfBody is a list of nodes: the graph's own or a function's.
type tfBody struct {
	part  protobuf.Part
	nodes string   // the field that they are in
	args  []string // of a function
	name  string   // of a function
}

// maxBodies bounds the functions of a graph.
const maxBodies = 100_000

// inspect judges a graph and its functions.
func (g *tfGraph) inspect(graph protobuf.Part) error {
	g.main = &tfBody{part: graph.Again(), nodes: "node"}
	g.functions = map[string]*tfBody{}
	err := graph.Fields(func(v protobuf.Value) error {
		if !v.Is("library") {
			return nil
		}
		return v.Message().Fields(func(v protobuf.Value) error {
			if v.Is("function") {
				return g.declare(v.Message())
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := g.walk(g.main); err != nil {
		return err
	}
	return g.main.part.Fields(func(v protobuf.Value) error {
		if !v.Is("library") {
			return nil
		}
		return v.Message().Again().Fields(func(v protobuf.Value) error {
			if !v.Is("function") {
				return nil
			}
			body, err := g.function(v.Message())
			if err == nil {
				err = g.walk(body)
			}
			return err
		})
	})
}

// declare notes a function of the library.
func (g *tfGraph) declare(part protobuf.Part) error {
	body, err := g.function(part)
	if err != nil {
		return err
	}
	if len(g.functions) >= maxBodies {
		return format.Exceededf(part.Off, "the graph holds more than %d functions", maxBodies)
	}
	if _, twice := g.functions[body.name]; twice {
		g.odd(ruleInvalid, part.Off, body.name, "two functions have one name")
	}
	g.functions[body.name] = body
	return nil
}

// function reads a FunctionDef's signature.
func (g *tfGraph) function(part protobuf.Part) (*tfBody, error) {
	body := &tfBody{part: part.Again(), nodes: "node_def"}
	err := part.Fields(func(v protobuf.Value) error {
		if !v.Is("signature") {
			return nil
		}
		return v.Message().Fields(func(v protobuf.Value) (err error) {
			switch v.Name() {
			case "name":
				body.name, err = v.String(maxName)
			case "input_arg":
				if len(body.args) < 4 { // names of files are among the first
					arg, err := member(v.Message(), "name")
					body.args = append(body.args, arg)
					return err
				}
			}
			return err
		})
	})
	return body, err
}

// A tfNode is a NodeDef.
type tfNode struct {
	part     protobuf.Part
	name, op string
	inputs   []string // the first of them
}

// node reads what stands in a node beside its attributes.
func node(part protobuf.Part) (*tfNode, error) {
	n := &tfNode{part: part}
	err := part.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			n.name, err = v.String(maxName)
		case "op":
			n.op, err = v.String(maxName)
		case "input":
			if len(n.inputs) < 8 {
				var in string
				in, err = v.String(maxName)
				n.inputs = append(n.inputs, in)
			}
		}
		return err
	})
	return n, err
}

// walk judges all nodes of a body.
func (g *tfGraph) walk(body *tfBody) error {
	return body.part.Fields(func(v protobuf.Value) error {
		if !v.Is(body.nodes) {
			return nil
		}
		n, err := node(v.Message())
		if err != nil {
			return err
		}
		if err := g.operator(body, n); err != nil {
			return err
		}
		return g.attributes(n)
	})
}

// operator judges what a node does.
func (g *tfGraph) operator(body *tfBody, n *tfNode) error {
	note, listed := tfOps()[n.op]
	if refused, ok := tfRefused()[n.op]; ok {
		how, why, _ := strings.Cut(refused, " ")
		verdict := inspect.Malicious
		if how == inspect.Suspicious.String() {
			verdict = inspect.Suspicious
		}
		g.find(n, verdict, "it "+why)
		return nil
	}
	_, local := g.functions[n.op]
	switch {
	case !listed && local, listed && note == "":
		return nil
	case !listed:
		g.find(n, inspect.Suspicious, "it is not one of TensorFlow's own that only compute: native code from elsewhere must be loaded to run it")
		return nil
	}
	return g.contract(note, body, n)
}

// find reports a node.
func (g *tfGraph) find(n *tfNode, v inspect.Verdict, why string) {
	found := inspect.Finding{Rule: ruleOp, Verdict: v, Offset: n.part.Off, What: n.op, Why: why}
	if g.p.Explain {
		found.Trace = []string{fmt.Sprintf("%d: node %q: %s(%s)", n.part.Off, n.name, n.op, strings.Join(n.inputs, ", "))}
	}
	g.p.Find(g.f, found)
}

func (g *tfGraph) odd(rule *inspect.Rule, off int64, what, why string) {
	g.p.Find(g.f, inspect.Finding{Rule: rule, Verdict: inspect.Suspicious, Offset: off, What: what, Why: why})
}

// attribute returns a node's attribute of a name as a message, if it is there.
func (n *tfNode) attribute(name string) (value protobuf.Part, ok bool, err error) {
	err = n.part.Again().Fields(func(v protobuf.Value) error {
		if !v.Is("attr") {
			return nil
		}
		key, err := member(v.Message().Again(), "key")
		if err != nil || key != name {
			return err
		}
		return v.Message().Again().Fields(func(v protobuf.Value) error {
			if v.Is("value") {
				value, ok = v.Message().Again(), true
			}
			return nil
		})
	})
	return value, ok, err
}
