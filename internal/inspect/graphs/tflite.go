package graphs

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format/flat"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Source: tensorflow/compiler/mlir/lite/schema/schema.fbs of TensorFlow 2.21.
// The numbers of fields below are their places in that file.

var tfliteOps = list("tflite.ops")

// tfliteReading wraps: a zip archive with labels may follow the model in its
// file, as "TensorFlow Lite metadata" has it.
var tfliteReading = inspect.Reading{
	Format: "tflite", Extensions: []string{".tflite"}, Wraps: true,
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if len(head) >= 8 && bytes.Equal(head[4:8], []byte("TFL3")) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		b := flat.Open(f, f.Size)
		m := &tflite{p: p, f: f, b: b, root: b.Root()}
		return m.inspect()
	},
}

// A tflite is a model under inspection.
type tflite struct {
	p    *inspect.Pass
	f    *inspect.File
	b    *flat.Buffer
	root flat.Table

	codes, graphs, buffers, groups, outside flat.Vector
	calls                                   map[[2]int32]bool // subgraphs that run others
}

// Fields of Model.
const (
	modelVersion, modelCodes, modelGraphs, modelBuffers = 0, 1, 2, 4
	modelMetadataBuffer, modelMetadata, modelSignatures = 5, 6, 7
	modelGroups, modelExternal                          = 8, 9
	maxSubgraphs                                        = 100_000
	tfliteCustom, tfliteDelegate                        = 32, 51
	tfliteCustomCall, tfliteNewestKnown                 = 173, 209
)

func (m *tflite) inspect() error {
	m.calls = map[[2]int32]bool{}
	m.codes, m.graphs, m.buffers = m.root.Vector(modelCodes, 4), m.root.Vector(modelGraphs, 4), m.root.Vector(modelBuffers, 4)
	m.groups, m.outside = m.root.Vector(modelGroups, 4), m.root.Vector(modelExternal, 4)
	if v := m.root.U32(modelVersion, 0); m.b.Err() == nil && v != 3 {
		m.invalid(m.root.Off, "version", "no version of the format has this number")
	}
	for i := range m.codes.Len {
		if err := m.code(m.codes.Table(i)); err != nil {
			return err
		}
	}
	for i := range m.buffers.Len {
		m.buffer(m.buffers.Table(i))
		if err := m.step(); err != nil {
			return err
		}
	}
	for i := range m.graphs.Len {
		if err := m.graph(int32(i), m.graphs.Table(i)); err != nil {
			return err
		}
	}
	m.circles()
	return m.rest()
}

// step counts work and passes on the buffer's error.
func (m *tflite) step() error {
	if err := m.b.Err(); err != nil {
		return err
	}
	return m.p.Step(1)
}

// rest checks what refers to the graphs: metadata and signatures.
func (m *tflite) rest() error {
	ids := m.root.Vector(modelMetadataBuffer, 4)
	for i := range ids.Len {
		m.within(ids.I32(i), m.buffers.Len, ids.Off, "metadata")
		if err := m.step(); err != nil {
			return err
		}
	}
	meta := m.root.Vector(modelMetadata, 4)
	for i := range meta.Len {
		t := meta.Table(i)
		m.within(int32(t.U32(1, 0)), m.buffers.Len, t.Off, "metadata")
		if err := m.step(); err != nil {
			return err
		}
	}
	signatures := m.root.Vector(modelSignatures, 4)
	for i := range signatures.Len {
		if err := m.signature(signatures.Table(i)); err != nil {
			return err
		}
	}
	return m.b.Err()
}

func (m *tflite) signature(t flat.Table) error {
	graph := int32(t.U32(4, 0))
	if !m.within(graph, m.graphs.Len, t.Off, "signature") {
		return m.b.Err()
	}
	tensors := m.graphs.Table(int(graph)).Vector(graphTensors, 4).Len
	for _, slot := range []int{0, 1} {
		maps := t.Vector(slot, 4)
		for i := range maps.Len {
			entry := maps.Table(i)
			m.within(int32(entry.U32(1, 0)), tensors, entry.Off, "signature")
			if err := m.step(); err != nil {
				return err
			}
		}
	}
	return m.b.Err()
}

// within reports an index that is not one of n things.
func (m *tflite) within(i int32, n int, off int64, what string) bool {
	if m.b.Err() == nil && (i < 0 || int(i) >= n) {
		m.invalid(off, what, "an index is out of range")
		return false
	}
	return m.b.Err() == nil
}

func (m *tflite) invalid(off int64, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleInvalid, Verdict: inspect.Suspicious, Offset: off, What: what, Why: why})
}

func (m *tflite) op(off int64, v inspect.Verdict, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleOp, Verdict: v, Offset: off, What: what, Why: why})
}
