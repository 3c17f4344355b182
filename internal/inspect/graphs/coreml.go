package graphs

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Source: the .proto files of coremltools 9.0.

var (
	coremlSchema = schema("coreml.schema")
	milOps       = list("mil.ops")
)

var coremlReading = inspect.Reading{
	Format: "coreml", Extensions: []string{".mlmodel"},
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		if isCoreML(f) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		m := &coreml{p: p, f: f}
		return m.walk(wire(p, f, coremlSchema().Message("Model")))
	},
}

// isCoreML tells a Model from other messages: a small number in field 1, a
// description that is one, and a member of the oneof of all kinds of models.
func isCoreML(f *inspect.File) bool {
	version, described, kind := false, false, false
	err := glance(f, 0, f.Size, coremlSchema().Message("Model")).Fields(func(v protobuf.Value) error {
		switch {
		case v.Is("specificationVersion"):
			version = v.Int() > 0 && v.Int() < 1000
		case v.Is("description"):
			described = true
			return v.Message().Fields(func(protobuf.Value) error { return nil })
		case v.Field != nil && v.Number >= 200:
			kind = true
			return v.Message().Fields(func(protobuf.Value) error { return nil })
		}
		return nil
	})
	return version && described && kind && (err == nil || err == errEnough)
}

// A coreml is a model under inspection.
type coreml struct {
	p *inspect.Pass
	f *inspect.File
}

// walk goes through a message and all that lies in it.
func (m *coreml) walk(part protobuf.Part) error {
	if part.Type == coremlSchema().Message("TreeEnsembleParameters") {
		if err := m.trees(part.Again()); err != nil {
			return err
		}
	}
	return part.Fields(func(v protobuf.Value) error {
		if v.Field == nil || v.Field.Type == nil {
			return nil
		}
		if err := m.judge(v); err != nil {
			return err
		}
		return m.walk(v.Message())
	})
}

// judge looks at those messages that name code or files.
func (m *coreml) judge(v protobuf.Value) error {
	part := v.Message().Again()
	switch v.Field.Type.Name {
	case "CustomModel", "CustomLayerParams":
		class, err := member(part, "className")
		if err == nil {
			m.op(v.Off, inspect.Suspicious, class, "a class of the program that loads the model runs")
		}
		return err
	case "SerializedModel":
		id, err := member(part, "identifier")
		if err == nil {
			m.op(v.Off, inspect.Inconclusive, id, "a model in a form that only its own program reads")
		}
		return err
	case "LinkedModel":
		m.p.Find(m.f, inspect.Finding{Rule: ruleFile, Verdict: inspect.Suspicious, Offset: v.Off, What: "linked model", Why: "another model is searched for and loaded"})
	case "Operation":
		kind, err := member(part, "type")
		if _, ok := milOps()[kind]; err == nil && !ok {
			m.op(v.Off, inspect.Suspicious, kind, "it is not one of Core ML's own operators")
		}
		return err
	case "Value.BlobFileValue":
		return m.blob(part)
	}
	return nil
}

func (m *coreml) op(off int64, verdict inspect.Verdict, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleOp, Verdict: verdict, Offset: off, What: what, Why: why})
}

// blob checks a constant whose data lies in a file of the package.
func (m *coreml) blob(part protobuf.Part) error {
	var name string
	var off uint64
	err := part.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "fileName":
			name, err = v.String(maxName)
		case "offset":
			off = v.Bits
		}
		return err
	})
	if err != nil {
		return err
	}
	name, inside := strings.CutPrefix(name, "@model_path/")
	if !inside && !leaves(name) {
		m.p.Find(m.f, inspect.Finding{Rule: ruleFile, Verdict: inspect.Suspicious, Offset: part.Off, What: name, Why: "it is not a file of the model's package"})
		return nil
	}
	if entry, ok := beside(m.p, m.f, part.Off, name); ok && (off%64 != 0 || off < 64 || off > uint64(entry.Size)-min(uint64(entry.Size), 64)) {
		m.invalid(part.Off, name, "the place of a constant leaves the file that should hold it")
	}
	return nil
}

func (m *coreml) invalid(off int64, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleInvalid, Verdict: inspect.Suspicious, Offset: off, What: what, Why: why})
}

// trees checks the nodes of a tree ensemble, of which those of one tree stand
// together.
func (m *coreml) trees(part protobuf.Part) error {
	const leaf = 6 // TreeNodeBehavior.LeafNode
	one := tree{index: map[int64]int32{}}
	seen := map[int64]struct{}{}
	current, why := int64(0), ""
	finish := func() {
		_, twice := seen[current]
		if why == "" && twice {
			why = "the nodes of a tree do not stand together"
		}
		if why == "" {
			why = one.check()
		}
		if len(seen) < maxTree {
			seen[current] = struct{}{}
		}
		one.clear()
	}
	err := part.Fields(func(v protobuf.Value) error {
		if !v.Is("nodes") || why != "" {
			return nil
		}
		var n [14]int64
		err := v.Message().Again().Fields(func(v protobuf.Value) error {
			if v.Number < uint64(len(n)) {
				n[v.Number] = v.Int()
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(one.children) > 0 && n[1] != current {
			finish()
		}
		current = n[1]
		mode := "BRANCH_LEQ"
		if n[3] == leaf {
			mode = "LEAF"
		}
		if why == "" {
			why, err = one.add(part.Off, mode, n[2], n[12], n[13], n[10])
		}
		return err
	})
	if len(one.children) > 0 && why == "" {
		finish()
	}
	if why != "" {
		m.invalid(part.Off, "tree ensemble", why)
	}
	return err
}
