package graphs

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// graph walks a graph in the order in which it means something: what it is given,
// what it holds, its nodes, each of which may use only what was there before it,
// and what it yields.
func (m *onnxModel) graph(g protobuf.Part, scope *names) error {
	held := scope.alone()
	named := false
	turns := []struct {
		field string
		walk  func(protobuf.Value) error
	}{
		{"name", func(v protobuf.Value) error { named = v.Size > 0; return nil }},
		{"input", func(v protobuf.Value) error { return m.define(v, scope) }},
		{"initializer", func(v protobuf.Value) error { return m.initializer(v.Message(), scope, held) }},
		{"sparse_initializer", func(v protobuf.Value) error {
			_, err := m.sparse(v.Message(), scope)
			return err
		}},
		{"node", func(v protobuf.Value) error { return m.node(v.Message(), scope) }},
		{"output", func(v protobuf.Value) error { return m.yields(v, scope) }},
	}
	for i, turn := range turns {
		if i == 1 {
			g = g.Again()
		}
		err := g.Fields(func(v protobuf.Value) error {
			if v.Is(turn.field) {
				return turn.walk(v)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !named {
		m.invalid(g.Off, "graph", "a graph without a name")
	}
	held.drop()
	return nil
}

// yields wants an output of a graph to be there.
func (m *onnxModel) yields(v protobuf.Value, scope *names) error {
	name, err := m.valueInfo(v, scope)
	if err == nil && !scope.has(name) {
		m.invalid(v.Off, name, "an output of the graph that no node computes")
	}
	return err
}

// valueInfo reads the name of an input or an output, which in the main graph says
// also of which type it is.
func (m *onnxModel) valueInfo(v protobuf.Value, scope *names) (name string, err error) {
	typed := false
	err = v.Message().Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			name, err = v.String(maxName)
		case "type":
			typed, err = onnxTyped(v.Message())
		}
		return err
	})
	if err == nil && !typed && scope == m.names {
		m.invalid(v.Off, name, "an input or an output of the model does not say of which type it is")
	}
	return name, err
}

// onnxTyped reports whether a TypeProto names a type down to its elements.
func onnxTyped(t protobuf.Part) (typed bool, err error) {
	err = t.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "", "denotation", "shape", "key_type":
		case "elem_type", "value_type", "tensor_type", "sparse_tensor_type", "sequence_type", "map_type", "optional_type":
			if typed = v.Bits != 0; v.Field.Type != nil {
				typed, err = onnxTyped(v.Message())
			}
		default:
			typed = true
		}
		return err
	})
	return typed, err
}

// member reads a text field of a message.
func member(m protobuf.Part, field string) (text string, err error) {
	err = m.Fields(func(v protobuf.Value) (err error) {
		if v.Is(field) {
			text, err = v.String(maxName)
		}
		return err
	})
	return text, err
}

// define puts the name of an input into the scope.
func (m *onnxModel) define(v protobuf.Value, scope *names) error {
	name, err := m.valueInfo(v, scope)
	if err != nil {
		return err
	}
	fresh, err := scope.add(name)
	if err == nil && !fresh {
		m.invalid(v.Off, name, "two inputs have one name")
	}
	return err
}

// initializer checks a tensor and puts its name into the scope, where an input
// of the same name, for which it is the default, may be already.
func (m *onnxModel) initializer(t protobuf.Part, scope, held *names) error {
	tensor, err := m.tensor(t)
	if err != nil {
		return err
	}
	fresh, err := held.add(tensor.name)
	if err == nil && !fresh {
		m.invalid(t.Off, tensor.name, "two tensors have one name")
	}
	if tensor.name == "" {
		m.invalid(t.Off, "initializer", "an initializer without a name")
	}
	if err == nil {
		_, err = scope.add(tensor.name)
	}
	return err
}

// An onnxNode is what stands in a node beside its attributes.
type onnxNode struct {
	onnxName
	label           string
	inputs, outputs []string
}

// maxOutputs bounds the outputs of one node, which are held in memory.
const maxOutputs = 1 << 14

// node judges one node.
func (m *onnxModel) node(part protobuf.Part, scope *names) error {
	var n onnxNode
	err := part.Fields(func(v protobuf.Value) (err error) {
		var s string
		switch v.Name() {
		case "op_type":
			n.name, err = v.String(maxName)
		case "domain":
			n.domain, err = v.String(maxName)
			n.domain = onnxDomain(n.domain)
		case "overload":
			n.overload, err = v.String(maxName)
		case "name":
			n.label, err = v.String(maxName)
		case "input":
			s, err = v.String(maxName)
			if err == nil && s != "" && !scope.has(s) {
				m.invalid(v.Off, s, "a node uses a value that nothing before it defines")
			}
			if m.p.Explain && len(n.inputs) < 16 {
				n.inputs = append(n.inputs, s)
			}
		case "output":
			s, err = v.String(maxName)
			if len(n.outputs) == maxOutputs {
				return format.Exceededf(v.Off, "a node has more than %d outputs", maxOutputs)
			}
			n.outputs = append(n.outputs, s)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.operator(part.Off, &n)
	if err := m.attributes(part.Again(), scope, &n); err != nil {
		return err
	}
	for _, o := range n.outputs {
		if o == "" {
			continue // an optional output that nobody wants
		}
		fresh, err := scope.add(o)
		if err != nil {
			return err
		}
		if !fresh {
			m.invalid(part.Off, o, "a value is computed twice under one name")
		}
	}
	if n.domain == "ai.onnx.ml" && strings.HasPrefix(n.name, "TreeEnsemble") {
		return m.trees(part, n.name)
	}
	return nil
}

// onnxHost are operators that call the Python of the process that loads them.
const onnxHost = " ai.onnx.contrib::PyOp ai.onnx.contrib::PyCustomOp com.microsoft::PyOp com.microsoft::PythonOp com.microsoft::PythonOpGrad "

// operator judges what a node does.
func (m *onnxModel) operator(off int64, n *onnxNode) {
	found := inspect.Finding{Rule: ruleOp, Verdict: inspect.Suspicious, Offset: off, What: n.String()}
	if m.p.Explain {
		found.Trace = []string{fmt.Sprintf("%d: node %q: %s(%s) -> %s", off, n.label, n, strings.Join(n.inputs, ", "), strings.Join(n.outputs, ", "))}
	}
	_, standard := onnxOps()[onnxListed(n.domain, n.name)]
	_, local := m.functions[onnxName{n.domain, n.name, n.overload}]
	switch {
	case strings.Contains(onnxHost, " "+n.String()+" "):
		found.Verdict, found.Why = inspect.Malicious, "it calls Python code of the process that loads the model"
	case local:
		m.calls(onnxName{n.domain, n.name, n.overload})
		m.wantDomain(off, n)
		return
	case n.overload != "":
		found.Why = "it calls a function that the model does not hold"
	case !standard && knownDomain(n.domain):
		found.Why = "no version of its domain has an operator of this name"
	case !standard:
		found.Why = "its domain is unknown: native code from elsewhere must be loaded to run it"
	default:
		m.wantDomain(off, n)
		if n.domain != "" && !strings.HasPrefix(n.domain, "ai.onnx.ml") {
			m.p.Allow()
		}
		return
	}
	m.p.Find(m.f, found)
}

// wantDomain wants the domain of an operator to be imported.
func (m *onnxModel) wantDomain(off int64, n *onnxNode) {
	if _, ok := m.imported()[n.domain]; !ok && m.ir >= 3 {
		m.invalid(off, n.String(), "the model does not import the domain of this operator")
	}
}

// imported are the domains that the body under inspection may use.
func (m *onnxModel) imported() map[string]int64 {
	if m.inside != nil && len(m.inside.opsets) > 0 {
		return m.inside.opsets
	}
	return m.opsets
}

// onnxListed is the key of an operator in the list.
func onnxListed(domain, name string) string {
	if domain == "" {
		domain = "ai.onnx"
	}
	return domain + "/" + name
}

// knownDomain reports whether the list has operators of the domain.
func knownDomain(d string) bool {
	switch d {
	case "", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training", "ai.onnx.training", "ai.onnx.contrib",
		"com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc":
		return true
	}
	return false
}
