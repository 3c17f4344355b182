package graphs

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/flat"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Fields of SubGraph and Operator.
const (
	graphTensors, graphInputs, graphOutputs, graphOperators = 0, 1, 2, 3
	opCode, opInputs, opOutputs, opOptionsType, opOptions   = 0, 1, 2, 3, 4
	opCustom, opIntermediates, opLargeOff, opLargeSize      = 5, 8, 9, 10
	opOptions2Type, opOptions2                              = 11, 12
)

// code judges an operator that the model uses.
func (m *tflite) code(t flat.Table) error {
	code := tfliteCode(t)
	custom := t.Text(1, maxName)
	if err := m.step(); err != nil {
		return err
	}
	switch {
	case code == tfliteCustom && strings.HasPrefix(custom, "Flex"):
		m.p.Allow() // each operator carries its own node, which is judged there
	case code == tfliteCustom:
		if _, ok := tfliteOps()[custom]; ok {
			m.p.Allow()
		} else {
			m.op(t.Off, inspect.Suspicious, custom, "a custom operator: native code from elsewhere must be loaded to run it")
		}
	case code == tfliteDelegate:
		m.op(t.Off, inspect.Suspicious, "DELEGATE", "it stands for code in the program that loads the model, and is never written to a file")
	case code == tfliteCustomCall:
		m.op(t.Off, inspect.Suspicious, "STABLEHLO_CUSTOM_CALL", "it calls code by its name in the program that loads the model")
	case code < 0 || code > tfliteNewestKnown:
		m.op(t.Off, inspect.Inconclusive, "operator", "an operator that is newer than this scanner")
	}
	return nil
}

// tfliteCode is the operator's number: the greater of the old byte and the new
// field, as runtimes have it.
func tfliteCode(t flat.Table) int32 {
	return max(int32(int8(t.U8(0, 0))), t.I32(3, 0))
}

// graph checks a subgraph: its tensors, and that all it names is in range.
func (m *tflite) graph(id int32, t flat.Table) error {
	tensors := t.Vector(graphTensors, 4)
	for i := range tensors.Len {
		if err := m.tensor(tensors.Table(i)); err != nil {
			return err
		}
	}
	for _, slot := range []int{graphInputs, graphOutputs} {
		if err := m.indices(t, slot, tensors.Len, "subgraph"); err != nil {
			return err
		}
	}
	operators := t.Vector(graphOperators, 4)
	for i := range operators.Len {
		if err := m.operator(id, operators.Table(i), tensors.Len); err != nil {
			return err
		}
	}
	return m.step()
}

// indices checks a list of tensors; -1 stands for one that is left out.
func (m *tflite) indices(t flat.Table, slot, n int, what string) error {
	list := t.Vector(slot, 4)
	for i := range list.Len {
		if id := list.I32(i); id != -1 {
			m.within(id, n, list.Off, what)
		}
		if err := m.step(); err != nil {
			return err
		}
	}
	return m.b.Err()
}

// operator checks one step of a subgraph.
func (m *tflite) operator(graph int32, t flat.Table, tensors int) error {
	for _, slot := range []int{opInputs, opOutputs, opIntermediates} {
		if err := m.indices(t, slot, tensors, "operator"); err != nil {
			return err
		}
	}
	code := int32(t.U32(opCode, 0))
	if !m.within(code, m.codes.Len, t.Off, "operator code") {
		return m.b.Err()
	}
	m.runs(graph, t)
	custom := t.Vector(opCustom, 1)
	off, size := t.U64(opLargeOff, 0), t.U64(opLargeSize, 0)
	if off > 1 && (off > uint64(m.f.Size) || size > uint64(m.f.Size)-off) {
		m.invalid(t.Off, "operator", "its options leave the file")
		return m.b.Err()
	}
	kind := m.codes.Table(int(code))
	if name := kind.Text(1, maxName); tfliteCode(kind) == tfliteCustom && strings.HasPrefix(name, "Flex") {
		if off > 1 {
			return m.flex(name, int64(off), int64(size))
		}
		return m.flex(name, custom.Off, custom.Size())
	}
	return m.step()
}

// runs notes which subgraphs an operator runs. The numbers are those of the
// unions BuiltinOptions and BuiltinOptions2 and of the fields of their members.
func (m *tflite) runs(graph int32, t flat.Table) {
	note := func(to int32) {
		if m.within(to, m.graphs.Len, t.Off, "subgraph of an operator") && len(m.calls) < maxSubgraphs {
			m.calls[[2]int32{graph, to}] = true
		}
	}
	fields := func(options flat.Table, slots ...int) {
		for _, slot := range slots {
			note(options.I32(slot, 0))
		}
	}
	switch t.U8(opOptionsType, 0) {
	case 16, 103: // CallOptions, CallOnceOptions
		fields(t.Table(opOptions), 0)
	case 92, 93: // IfOptions, WhileOptions
		fields(t.Table(opOptions), 0, 1)
	}
	more := t.Table(opOptions2)
	switch t.U8(opOptions2Type, 0) { // Stablehlo…Options
	case 6, 21: // Reduce, Composite
		fields(more, 1)
	case 7: // Scatter
		fields(more, 6)
	case 13: // ReduceWindow
		fields(more, 5)
	case 14: // Sort
		fields(more, 2)
	case 15: // While
		fields(more, 0, 1)
	case 23: // Case
		branches := more.Vector(0, 4)
		for i := range branches.Len {
			note(branches.I32(i))
		}
	}
}

// circles wants no subgraph to run itself, directly or through others: the
// interpreter would never end.
func (m *tflite) circles() {
	next := map[int32][]int32{}
	for c := range m.calls {
		next[c[0]] = append(next[c[0]], c[1])
	}
	const open, closed = 1, 2
	state := map[int32]uint8{}
	var visit func(id int32, depth int) bool
	visit = func(id int32, depth int) bool {
		if state[id] == open || depth > 1000 {
			return true
		}
		if state[id] == closed {
			return false
		}
		state[id] = open
		for _, to := range next[id] {
			if visit(to, depth+1) {
				return true
			}
		}
		state[id] = closed
		return false
	}
	for id := range next {
		if visit(id, 0) {
			m.invalid(m.root.Off, "subgraph", "a subgraph runs itself, directly or through others")
			return
		}
	}
}

// flex judges an operator of TensorFlow that the model brings along. Its options
// are a FlexBuffer with the operator's name and its node; the node is what runs.
func (m *tflite) flex(name string, off, size int64) error {
	at, n, err := flat.SecondText(m.f, off, size)
	if format.Is(err, format.Broken) {
		m.invalid(off, name, "the options of an operator of TensorFlow do not hold its node")
		return nil
	}
	if err != nil {
		return err
	}
	doc, part := protobuf.Open(m.f, at, n, tfSchema().Message("NodeDef"))
	doc.Step = m.p.Step
	doc.Odd = func(e *format.Error) error { return e }
	g := &tfGraph{p: m.p, f: m.f, seen: map[tfAsk]string{}}
	node, err := node(part)
	if err != nil {
		return err
	}
	if "Flex"+node.op != name {
		m.invalid(at, name, "an operator of TensorFlow is another one than its name says")
	}
	g.main = &tfBody{part: part, nodes: "node"}
	if err := g.operator(g.main, node); err != nil {
		return err
	}
	return g.attributes(node)
}
