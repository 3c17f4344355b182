package graphs

import (
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Sources: onnx/onnx.proto, docs/IR.md, docs/ExternalData.md of onnx 1.23.

var (
	onnxSchema = schema("onnx.schema")
	onnxOps    = list("onnx.ops")
)

var onnxReading = inspect.Reading{
	Format: "onnx", Extensions: []string{".onnx"},
	Match: func(f *inspect.File, head []byte) inspect.Fit {
		if isONNX(f) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: inspectONNX,
}

// isONNX tells a ModelProto from the other messages that models lie in, none of
// which has a signature: a number in field 1, and in field 7 a graph in which a
// node has an operator or an output has a name.
func isONNX(f *inspect.File) bool {
	version, graph := false, false
	err := glance(f, 0, f.Size, onnxSchema().Message("ModelProto")).Fields(func(v protobuf.Value) error {
		switch v.Name() {
		case "ir_version":
			version = true
		case "graph":
			return v.Message().Fields(func(w protobuf.Value) (err error) {
				name := ""
				switch {
				case graph:
				case w.Is("node"):
					name, err = member(w.Message(), "op_type")
				case w.Is("output"):
					name, err = member(w.Message(), "name")
				}
				graph = graph || name != ""
				return err
			})
		}
		return nil
	})
	return version && graph && (err == nil || err == errEnough)
}

// An onnxModel is a model under inspection.
type onnxModel struct {
	p         *inspect.Pass
	f         *inspect.File
	ir        int64
	opsets    map[string]int64
	functions map[onnxName]*onnxFunction
	names     *names
	inside    *onnxFunction // that is being walked, or nil
}

// An onnxName names an operator or a function.
type onnxName struct{ domain, name, overload string }

func (n onnxName) String() string {
	if n.domain == "" {
		return n.name
	}
	return n.domain + "::" + n.name
}

// inspectONNX judges a model. What stands late in the file (opsets, functions)
// decides about what stands early, so the top is walked twice.
func inspectONNX(p *inspect.Pass, f *inspect.File) error {
	m := &onnxModel{p: p, f: f, opsets: map[string]int64{}, functions: map[onnxName]*onnxFunction{}, names: newNames()}
	model := wire(p, f, onnxSchema().Message("ModelProto"))
	if err := m.top(model); err != nil {
		return err
	}
	err := model.Fields(func(v protobuf.Value) error {
		switch v.Name() {
		case "graph":
			return m.graph(v.Message(), m.names)
		case "training_info":
			return m.training(v.Message())
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.walkFunctions()
}

// top reads what the whole model says about itself.
func (m *onnxModel) top(model protobuf.Part) error {
	err := model.Fields(func(v protobuf.Value) error {
		switch v.Name() {
		case "ir_version":
			m.ir = v.Int()
		case "opset_import":
			return m.opset(v.Message(), m.opsets)
		case "functions":
			return m.declare(v.Message())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if m.ir < 1 || m.ir > 100 {
		m.invalid(model.Off, "ir_version", "no version of ONNX has this number")
	}
	if m.ir >= 3 && len(m.opsets) == 0 {
		m.invalid(model.Off, "opset_import", "the model does not say which operators it means")
	}
	if m.ir < 3 && len(m.opsets) == 0 {
		m.opsets[""] = 1
	}
	return nil
}

func (m *onnxModel) opset(set protobuf.Part, to map[string]int64) error {
	domain, version := "", int64(0)
	err := set.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "domain":
			domain, err = v.String(maxName)
		case "version":
			version = v.Int()
		}
		return err
	})
	if err != nil {
		return err
	}
	domain = onnxDomain(domain)
	if was, ok := to[domain]; ok && was != version {
		m.invalid(set.Off, "opset_import", "two versions of one domain")
	}
	if len(to) > 1000 {
		m.invalid(set.Off, "opset_import", "more than a thousand domains")
		return nil
	}
	if version < 1 || version > 10_000 {
		m.invalid(set.Off, "opset_import", "no set of operators has this version")
	}
	to[domain] = version
	return nil
}

// maxName is how long a name in a graph may be.
const maxName = 64 << 10

// onnxDomain is the domain by its one name: "" and "ai.onnx" are the same.
func onnxDomain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

func (m *onnxModel) training(info protobuf.Part) error {
	return info.Fields(func(v protobuf.Value) error {
		if v.Is("initialization") || v.Is("algorithm") {
			return m.graph(v.Message(), m.names.within())
		}
		return nil
	})
}

// invalid reports that a part of the model does not fit.
func (m *onnxModel) invalid(off int64, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleInvalid, Verdict: inspect.Suspicious, Offset: off, What: what, Why: why})
}
