package graphs

import (
	"math"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// An onnxFunction is a function that the model brings along.
type onnxFunction struct {
	id      onnxName
	part    protobuf.Part
	opsets  map[string]int64
	nodes   int64                   // in its body
	calls   map[*onnxFunction]int64 // how often its body calls each other
	state   uint8                   // of the search for circles
	unfolds int64                   // nodes that remain when all calls are replaced by bodies
}

const (
	maxFunctions = 20_000
	maxUnfolded  = 50_000_000
)

// declare notes a function; its body is walked once all are known.
func (m *onnxModel) declare(part protobuf.Part) error {
	fn := &onnxFunction{part: part, opsets: map[string]int64{}, calls: map[*onnxFunction]int64{}}
	err := part.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			fn.id.name, err = v.String(maxName)
		case "domain":
			fn.id.domain, err = v.String(maxName)
			fn.id.domain = onnxDomain(fn.id.domain)
		case "overload":
			fn.id.overload, err = v.String(maxName)
		case "opset_import":
			err = m.opset(v.Message(), fn.opsets)
		case "node":
			fn.nodes++
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(m.functions) >= maxFunctions {
		return format.Exceededf(part.Off, "the model holds more than %d functions", maxFunctions)
	}
	if _, ok := m.functions[fn.id]; ok {
		m.invalid(part.Off, fn.id.String(), "two functions have one name")
	}
	if _, ok := onnxOps()[onnxListed(fn.id.domain, fn.id.name)]; ok {
		m.p.Find(m.f, inspect.Finding{Rule: ruleOp, Verdict: inspect.Suspicious, Offset: part.Off, What: fn.id.String(),
			Why: "a function of the model takes the name of a standard operator: programs differ in which they run"})
	}
	m.functions[fn.id] = fn
	return nil
}

// calls notes that the body under inspection calls a function.
func (m *onnxModel) calls(id onnxName) {
	if m.inside != nil {
		m.inside.calls[m.functions[id]]++
	}
}

// walkFunctions judges the bodies of all functions, and that they end.
func (m *onnxModel) walkFunctions() error {
	for _, fn := range m.functions {
		m.inside = fn
		scope := m.names.alone()
		if err := m.body(fn.part.Again(), scope); err != nil {
			return err
		}
		scope.drop()
	}
	m.inside = nil
	for _, fn := range m.functions {
		m.unfold(fn, 0)
	}
	return nil
}

// body walks a function's body like a graph: it sees its inputs and nothing else.
func (m *onnxModel) body(part protobuf.Part, scope *names) error {
	for _, turn := range []string{"input", "node", "output"} {
		err := part.Fields(func(v protobuf.Value) error {
			switch {
			case v.Name() != turn:
				return nil
			case turn == "node":
				return m.node(v.Message(), scope)
			}
			name, err := v.String(maxName)
			if err != nil {
				return err
			}
			if turn == "output" {
				if !scope.has(name) {
					m.invalid(v.Off, name, "an output of a function that no node computes")
				}
				return nil
			}
			fresh, err := scope.add(name)
			if err == nil && !fresh {
				m.invalid(v.Off, name, "two inputs of a function have one name")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unfold computes how large a function becomes in its caller's place, as
// runtimes put it there, and finds functions that call themselves.
func (m *onnxModel) unfold(fn *onnxFunction, depth int) int64 {
	const open, closed = 1, 2
	switch {
	case fn.state == closed:
		return fn.unfolds
	case fn.state == open || depth > 1000:
		m.invalid(fn.part.Off, fn.id.String(), "a function calls itself, directly or through others")
		return math.MaxInt32
	}
	fn.state = open
	total := fn.nodes
	for callee, times := range fn.calls {
		total = min(maxUnfolded+1, total+min(maxUnfolded+1, m.unfold(callee, depth+1))*min(times, 1<<20))
	}
	if total > maxUnfolded {
		m.invalid(fn.part.Off, fn.id.String(), "the calls of a function unfold into more nodes than any honest model has")
	}
	fn.state, fn.unfolds = closed, total
	return total
}
