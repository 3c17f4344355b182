package graphs

import (
	enc "encoding/binary"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// A table is a FlatBuffers table for tests, by the numbers of its fields: uint8,
// int32, uint64, string, []byte, []int32, table or []table.
type table map[int]any

// flatBuffer writes a table as a buffer with the mark of TensorFlow Lite.
func flatBuffer(root table) []byte {
	b := append(make([]byte, 4), "TFL3"...)
	at := writeTable(&b, root)
	enc.LittleEndian.PutUint32(b, uint32(at))
	return b
}

func pad(b *[]byte, n int) {
	for len(*b)%n != 0 {
		*b = append(*b, 0)
	}
}

// writeTable appends a virtual table, its table and all that it leads to.
func writeTable(b *[]byte, t table) int {
	last := -1
	for slot := range t {
		last = max(last, slot)
	}
	pad(b, 8)
	vtable := len(*b)
	*b = append(*b, make([]byte, 4+2*(last+1))...)
	pad(b, 8)
	at := len(*b)
	size := 8 + 8*len(t)
	*b = append(*b, make([]byte, size)...)
	enc.LittleEndian.PutUint16((*b)[vtable:], uint16(4+2*(last+1)))
	enc.LittleEndian.PutUint16((*b)[vtable+2:], uint16(size))
	enc.LittleEndian.PutUint32((*b)[at:], uint32(at-vtable))
	field := at + 8
	for slot := 0; slot <= last; slot++ {
		v, ok := t[slot]
		if !ok {
			continue
		}
		enc.LittleEndian.PutUint16((*b)[vtable+4+2*slot:], uint16(field-at))
		switch v := v.(type) {
		case uint8:
			(*b)[field] = v
		case int:
			enc.LittleEndian.PutUint32((*b)[field:], uint32(v))
		case uint64:
			enc.LittleEndian.PutUint64((*b)[field:], v)
		default:
			to := writeValue(b, v)
			enc.LittleEndian.PutUint32((*b)[field:], uint32(to-field))
		}
		field += 8
	}
	return at
}

func writeValue(b *[]byte, v any) int {
	pad(b, 4)
	at := len(*b)
	count := func(n int) { *b = enc.LittleEndian.AppendUint32(*b, uint32(n)) }
	switch v := v.(type) {
	case string:
		count(len(v))
		*b = append(*b, v+"\x00"...)
	case []byte:
		count(len(v))
		*b = append(*b, v...)
	case []int:
		count(len(v))
		for _, n := range v {
			count(n)
		}
	case table:
		return writeTable(b, v)
	case []table:
		count(len(v))
		first := len(*b)
		*b = append(*b, make([]byte, 4*len(v))...)
		for i, t := range v {
			to := writeTable(b, t)
			enc.LittleEndian.PutUint32((*b)[first+4*i:], uint32(to-first-4*i))
		}
	}
	return at
}

// liteModel is a model of one addition; change may alter it.
func liteModel(change func(model, graph, constant, op, code table)) []byte {
	code := table{3: 0, 0: uint8(0)}
	constant := table{0: []int{2}, 1: uint8(0), 2: 1, 3: "w"}
	op := table{opCode: 0, opInputs: []int{0, 1}, opOutputs: []int{2}}
	graph := table{
		graphTensors: []table{{0: []int{2}, 2: 0, 3: "x"}, constant, {0: []int{2}, 2: 0, 3: "y"}},
		graphInputs:  []int{0}, graphOutputs: []int{2}, graphOperators: []table{op},
	}
	model := table{
		modelVersion: 3, modelCodes: []table{code}, modelGraphs: []table{graph},
		modelBuffers: []table{{}, {0: []byte("12345678")}},
	}
	if change != nil {
		change(model, graph, constant, op, code)
	}
	return flatBuffer(model)
}

// flexNode is a FlexBuffer with a name and a node.
func flexNode(name string, node []byte) []byte {
	b := append([]byte{byte(len(name))}, name...)
	b = append(b, 0, byte(len(node)))
	second := len(b)
	b = append(append(b, node...), 0, 2)
	vector := len(b)
	b = append(b, byte(vector-1), byte(vector+1-second), flexText<<2, flexText<<2)
	return append(b, byte(len(b)-vector), 10<<2, 1)
}

const flexText = 5

// TestTFLite judges models that differ from an honest one in one thing.
func TestTFLite(t *testing.T) {
	relu := binary(t, tfSchema().Message("NodeDef"), `name: "n" op: "Relu"`)
	write := binary(t, tfSchema().Message("NodeDef"), `name: "n" op: "WriteFile"`)
	custom := func(name string, options []byte) func(m, g, k, op, code table) {
		return func(_, _, _, op, code table) { code[3], code[0], code[1], op[opCustom] = 32, uint8(32), name, options }
	}
	for _, c := range []struct {
		name    string
		change  func(model, graph, constant, op, code table)
		verdict inspect.Verdict
		what    string
	}{
		{"honest", nil, inspect.Inert, ""},
		{"known custom operator", custom("TFLite_Detection_PostProcess", nil), inspect.Allowed, ""},
		{"unknown custom operator", custom("Evil", nil), inspect.Suspicious, "Evil"},
		{"operator of TensorFlow", custom("FlexRelu", flexNode("Relu", relu)), inspect.Allowed, ""},
		{"that writes", custom("FlexWriteFile", flexNode("WriteFile", write)), inspect.Malicious, "WriteFile"},
		{"that lies", custom("FlexRelu", flexNode("Relu", write)), inspect.Malicious, "WriteFile"},
		{"that holds no node", custom("FlexRelu", []byte("no flexible buffer")), inspect.Suspicious, "FlexRelu"},
		{"delegate", func(_, _, _, _, code table) { code[3] = 51 }, inspect.Suspicious, "DELEGATE"},
		{"call by name", func(_, _, _, _, code table) { code[3] = 173 }, inspect.Suspicious, "STABLEHLO_CUSTOM_CALL"},
		{"newer operator", func(_, _, _, _, code table) { code[3] = 5000 }, inspect.Inconclusive, "operator"},
		{"version", func(m, _, _, _, _ table) { m[modelVersion] = 9 }, inspect.Suspicious, "version"},
		{"no such operator", func(_, _, _, op, _ table) { op[opCode] = 1 }, inspect.Suspicious, "operator code"},
		{"no such input", func(_, _, _, op, _ table) { op[opInputs] = []int{0, 3} }, inspect.Suspicious, "operator"},
		{"input left out", func(_, _, _, op, _ table) { op[opInputs] = []int{0, 1, -1} }, inspect.Inert, ""},
		{"input below", func(_, _, _, op, _ table) { op[opInputs] = []int{0, -2} }, inspect.Suspicious, "operator"},
		{"no such output", func(_, g, _, _, _ table) { g[graphOutputs] = []int{7} }, inspect.Suspicious, "subgraph"},
		{"no such buffer", func(_, _, k, _, _ table) { k[2] = 2 }, inspect.Suspicious, "w"},
		{"short constant", func(_, _, k, _, _ table) { k[0] = []int{3} }, inspect.Suspicious, "w"},
		{"long constant", func(_, _, k, _, _ table) { k[0] = []int{1} }, inspect.Suspicious, "w"},
		{"negative shape", func(_, _, k, _, _ table) { k[0] = []int{-2} }, inspect.Suspicious, "w"},
		{"size beyond 64 bits", func(_, _, k, _, _ table) { k[0] = []int{1 << 30, 1 << 30, 1 << 30} }, inspect.Suspicious, "w"},
		{"newer type", func(_, _, k, _, _ table) { k[1] = uint8(99) }, inspect.Inconclusive, "w"},
		{"texts", func(m, _, k, _, _ table) {
			k[1], k[0] = uint8(tfliteString), []int{1}
			m[modelBuffers] = []table{{}, {0: []byte("\x01\x00\x00\x00\x0c\x00\x00\x00\x0e\x00\x00\x00ab")}}
		}, inspect.Inert, ""},
		{"texts that leave", func(m, _, k, _, _ table) {
			k[1], k[0] = uint8(tfliteString), []int{1}
			m[modelBuffers] = []table{{}, {0: []byte("\x01\x00\x00\x00\x0c\x00\x00\x00\xff\x00\x00\x00ab")}}
		}, inspect.Suspicious, "w"},
		{"texts without end", func(m, _, k, _, _ table) {
			k[1], k[0] = uint8(tfliteString), []int{1}
			m[modelBuffers] = []table{{}, {0: []byte("\xff\xff\xff\x7f\x0c\x00\x00\x00\x0e\x00\x00\x00ab")}}
		}, inspect.Suspicious, "w"},
		{"buffer beyond the file", func(m, _, _, _, _ table) {
			m[modelBuffers] = []table{{}, {1: uint64(1 << 40), 2: uint64(8)}}
		}, inspect.Suspicious, "buffer"},
		{"runs itself", func(_, _, _, op, _ table) { op[opOptionsType], op[opOptions] = uint8(93), table{0: 0, 1: 0} }, inspect.Suspicious, "subgraph"},
		{"runs what is not there", func(_, _, _, op, _ table) { op[opOptionsType], op[opOptions] = uint8(92), table{0: 5, 1: 6} }, inspect.Suspicious, "subgraph of an operator"},
		{"signature of no graph", func(m, _, _, _, _ table) { m[modelSignatures] = []table{{4: 3}} }, inspect.Suspicious, "signature"},
		{"signature of no tensor", func(m, _, _, _, _ table) {
			m[modelSignatures] = []table{{0: []table{{0: "x", 1: 9}}, 4: 0}}
		}, inspect.Suspicious, "signature"},
		{"metadata of no buffer", func(m, _, _, _, _ table) { m[modelMetadata] = []table{{0: "m", 1: 9}} }, inspect.Suspicious, "metadata"},
		{"data elsewhere", func(m, _, k, _, _ table) {
			k[10], m[modelGroups], m[modelExternal] = 1, []table{{0: "../secret"}}, []table{{0: 1, 1: 0, 3: uint64(8)}}
		}, inspect.Malicious, "../secret"},
	} {
		r := scan(t, "m.tflite", liteModel(c.change))
		found := c.what == "" || len(r.Findings) > 0 && r.Findings[0].What == c.what
		if r.Verdict != c.verdict || !found {
			t.Errorf("%s: %s", c.name, story(r))
		}
	}
}

// TestTFLiteBytes changes every byte of honest models: whatever is found, it must
// be found without a fault.
func TestTFLiteBytes(t *testing.T) {
	b := liteModel(nil)
	for i := range b {
		c := append([]byte(nil), b...)
		c[i] ^= 0x81
		if r := scan(t, "m.tflite", c); len(r.Findings) > 0 && r.Findings[0].Rule.ID == "scanner-fault" {
			t.Errorf("byte %d: %s", i, story(r))
		}
	}
	for n := range b {
		if r := scan(t, "m.tflite", b[:n]); n > 0 && n < 40 && r.Verdict.Passes() {
			t.Errorf("%d bytes: %s", n, story(r))
		}
	}
}

func FuzzTFLite(f *testing.F) {
	f.Add(liteModel(nil))
	node := binary(f, tfSchema().Message("NodeDef"), `name: "n" op: "Relu"`)
	f.Add(liteModel(func(_, _, _, op, code table) {
		code[3], code[1], op[opCustom] = 32, "FlexRelu", flexNode("Relu", node)
	}))
	honest(f, ".tflite")
	fuzz(f, "m.tflite")
}
