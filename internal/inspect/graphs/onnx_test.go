package graphs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// binary is a message given as text.
func binary(t testing.TB, m *protobuf.Message, text string) []byte {
	t.Helper()
	b, err := protobuf.FromText([]byte(text), m, graphEnum)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return b
}

func onnxFrom(t testing.TB, text string) []byte {
	return binary(t, onnxSchema().Message("ModelProto"), text)
}

// onnxModelText is a model whose graph is as given, with an input x and an
// output y.
func onnxModelText(graph string) string {
	return `ir_version: 8 opset_import { version: 17 } opset_import { domain: "ai.onnx.ml" version: 3 }
		graph { name: "g" ` + inputAndOutput + graph + ` } `
}

const inputAndOutput = `input { name: "x" type { tensor_type { elem_type: 1 } } } output { name: "y" type { tensor_type { elem_type: 1 } } } `

const relu = `node { op_type: "Relu" input: "x" output: "y" }`

// forestText is a TreeEnsembleRegressor; each list is given as text.
func forestText(trees, ids, modes, yes, no, features, targets string) string {
	ints := func(name, list string) string {
		return `attribute { name: "` + name + `" type: 7 ints: [` + list + `] } `
	}
	return `node { op_type: "TreeEnsembleRegressor" domain: "ai.onnx.ml" input: "x" output: "y" ` +
		ints("nodes_treeids", trees) + ints("nodes_nodeids", ids) + ints("nodes_truenodeids", yes) + ints("nodes_falsenodeids", no) +
		ints("nodes_featureids", features) + `attribute { name: "nodes_modes" type: 8 strings: [` + modes + `] } ` +
		ints("target_treeids", "0") + ints("target_nodeids", "1") + ints("target_ids", targets) + `attribute { name: "n_targets" type: 2 i: 1 } }`
}

const (
	threeModes = `"BRANCH_LEQ", "LEAF", "LEAF"`
	branches   = `"BRANCH_LEQ", "BRANCH_LEQ", "BRANCH_LEQ"`
)

func tensor(text string) string { return `initializer { name: "w" ` + text + ` } ` + relu }

// TestONNX judges models that differ from an honest one in one thing.
func TestONNX(t *testing.T) {
	for _, c := range []struct {
		name, text string
		verdict    inspect.Verdict
		what       string // of a finding
	}{
		{"honest", onnxModelText(relu), inspect.Inert, ""},
		{"of the runtime", onnxModelText(`node { op_type: "FastGelu" domain: "com.microsoft" input: "x" output: "y" }`) + `opset_import { domain: "com.microsoft" version: 1 }`, inspect.Allowed, ""},
		{"unknown operator", onnxModelText(`node { op_type: "Evil" input: "x" output: "y" }`), inspect.Suspicious, "Evil"},
		{"unknown domain", onnxModelText(`node { op_type: "Relu" domain: "evil" input: "x" output: "y" }`), inspect.Suspicious, "evil::Relu"},
		{"calls Python", onnxModelText(`node { op_type: "PyOp" domain: "ai.onnx.contrib" input: "x" output: "y" }`), inspect.Malicious, "ai.onnx.contrib::PyOp"},
		{"calls Python in training", onnxModelText(`node { op_type: "PythonOp" domain: "com.microsoft" input: "x" output: "y" }`), inspect.Malicious, "com.microsoft::PythonOp"},
		{"vendor's program", onnxModelText(`node { op_type: "EPContext" domain: "com.microsoft" input: "x" output: "y" }`), inspect.Suspicious, "com.microsoft::EPContext"},
		{"in a branch", onnxModelText(`node { op_type: "If" input: "x" output: "y" attribute { name: "then_branch" type: 5 g { name: "b" node { op_type: "Evil" input: "x" output: "z" } output { name: "z" } } } }`), inspect.Suspicious, "Evil"},
		{"in training", onnxModelText(relu) + `training_info { algorithm { name: "a" node { op_type: "Evil" input: "x" output: "z" } output { name: "z" } } }`, inspect.Suspicious, "Evil"},
		{"in a function", onnxModelText(relu) + `functions { name: "F" domain: "f" input: "a" output: "b" opset_import { version: 17 } node { op_type: "Evil" input: "a" output: "b" } }`, inspect.Suspicious, "Evil"},
		{"function", onnxModelText(`node { op_type: "F" domain: "f" input: "x" output: "y" }`) + `opset_import { domain: "f" version: 1 } functions { name: "F" domain: "f" input: "a" output: "b" opset_import { version: 17 } node { op_type: "Relu" input: "a" output: "b" } }`, inspect.Inert, ""},
		{"function that calls itself", onnxModelText(relu) + `functions { name: "F" domain: "f" input: "a" output: "b" node { op_type: "F" domain: "f" input: "a" output: "b" } }`, inspect.Suspicious, "f::F"},
		{"functions that call each other", onnxModelText(relu) + `functions { name: "F" domain: "f" input: "a" output: "b" node { op_type: "G" domain: "f" input: "a" output: "b" } } functions { name: "G" domain: "f" input: "a" output: "b" node { op_type: "F" domain: "f" input: "a" output: "b" } }`, inspect.Suspicious, ""},
		{"functions that unfold", onnxModelText(relu) + unfolding(40), inspect.Suspicious, ""},
		{"function named as an operator", onnxModelText(relu) + `functions { name: "Relu" input: "a" output: "b" node { op_type: "Abs" input: "a" output: "b" } }`, inspect.Suspicious, "Relu"},
		{"domain not imported", strings.ReplaceAll(onnxModelText(`node { op_type: "Scaler" domain: "ai.onnx.ml" input: "x" output: "y" }`), `opset_import { domain: "ai.onnx.ml" version: 3 }`, ""), inspect.Suspicious, "ai.onnx.ml::Scaler"},
		{"undefined input", onnxModelText(`node { op_type: "Relu" input: "q" output: "y" }`), inspect.Suspicious, "q"},
		{"wrong order", onnxModelText(`node { op_type: "Relu" input: "z" output: "y" } node { op_type: "Relu" input: "x" output: "z" }`), inspect.Suspicious, "z"},
		{"computed twice", onnxModelText(relu + relu), inspect.Suspicious, "y"},
		{"graph without a name", strings.Replace(onnxModelText(relu), `name: "g" `, "", 1), inspect.Suspicious, "graph"},
		{"output without a type", strings.Replace(onnxModelText(relu), `"y" type { tensor_type { elem_type: 1 } }`, `"y"`, 1), inspect.Suspicious, "y"},
		{"attribute without a type", onnxModelText(`node { op_type: "Relu" input: "x" output: "y" attribute { name: "a" i: 1 } }`), inspect.Suspicious, "a"},
		{"attribute without a value", onnxModelText(`node { op_type: "Relu" input: "x" output: "y" attribute { name: "a" type: 2 } }`), inspect.Suspicious, "a"},
		{"missing output", onnxModelText(""), inspect.Suspicious, "y"},
		{"graph twice", onnxModelText(relu) + `graph { node { op_type: "Relu" input: "x" output: "y" } input { name: "x" } output { name: "y" } }`, inspect.Suspicious, "graph of ModelProto stands twice: readers differ in which they take"},
		{"wrong value", onnxModelText(`node { op_type: "Relu" input: "x" output: "y" attribute { name: "a" type: 2 f: 1.0 } }`), inspect.Suspicious, "a"},
		{"good data", onnxModelText(tensor(`dims: [2, 2] data_type: 1 float_data: [1, 2, 3, 4]`)), inspect.Inert, ""},
		{"good raw data", onnxModelText(tensor(`dims: [2, 1] data_type: 1 raw_data: "12345678"`)), inspect.Inert, ""},
		{"good half bytes", onnxModelText(tensor(`dims: [3] data_type: 22 raw_data: "12"`)), inspect.Inert, ""},
		{"short raw data", onnxModelText(tensor(`dims: [2, 2] data_type: 1 raw_data: "12345678"`)), inspect.Suspicious, "w"},
		{"long data", onnxModelText(tensor(`dims: [1] data_type: 1 float_data: [1, 2]`)), inspect.Suspicious, "w"},
		{"no data", onnxModelText(tensor(`dims: [1] data_type: 1`)), inspect.Suspicious, "w"},
		{"data twice", onnxModelText(tensor(`dims: [1] data_type: 1 float_data: 1 raw_data: "1234"`)), inspect.Suspicious, "w"},
		{"other data", onnxModelText(tensor(`dims: [1] data_type: 1 int64_data: 1`)), inspect.Suspicious, "w"},
		{"negative shape", onnxModelText(tensor(`dims: [-1] data_type: 1`)), inspect.Suspicious, "w"},
		{"shape beyond 64 bits", onnxModelText(tensor(`dims: [4294967296, 4294967296] data_type: 1 raw_data: ""`)), inspect.Suspicious, "w"},
		{"size beyond 64 bits", onnxModelText(tensor(`dims: [4611686018427387904] data_type: 1 raw_data: ""`)), inspect.Suspicious, "w"},
		{"unknown type", onnxModelText(tensor(`dims: [1] data_type: 99 raw_data: "1"`)), inspect.Suspicious, "w"},
		{"sparse", onnxModelText(`sparse_initializer { dims: [4] values { name: "s" dims: [2] data_type: 1 float_data: [1, 2] } indices { dims: [2] data_type: 7 int64_data: [0, 3] } } ` + relu), inspect.Inert, ""},
		{"sparse out of range", onnxModelText(`sparse_initializer { dims: [4] values { name: "s" dims: [2] data_type: 1 float_data: [1, 2] } indices { dims: [2] data_type: 7 int64_data: [0, 4] } } ` + relu), inspect.Suspicious, "s"},
		{"sparse out of range, raw", onnxModelText(`sparse_initializer { dims: [4] values { name: "s" dims: [1] data_type: 1 float_data: 1 } indices { dims: [1] data_type: 7 raw_data: "\377\377\377\377\377\377\377\377" } } ` + relu), inspect.Suspicious, "s"},
		{"forest", onnxModelText(forestText("0, 0, 0", "0, 1, 2", threeModes, "1, 0, 0", "2, 0, 0", "0, 0, 0", "0")), inspect.Inert, ""},
		{"forest with a missing child", onnxModelText(forestText("0, 0, 0", "0, 1, 2", threeModes, "1, 0, 0", "7, 0, 0", "0, 0, 0", "0")), inspect.Suspicious, "TreeEnsembleRegressor"},
		{"forest in a circle", onnxModelText(forestText("0, 0, 0", "0, 1, 2", branches, "1, 2, 0", "2, 0, 1", "0, 0, 0", "0")), inspect.Suspicious, "TreeEnsembleRegressor"},
		{"forest of unequal lists", onnxModelText(forestText("0, 0, 0", "0, 1", threeModes, "1, 0, 0", "2, 0, 0", "0, 0, 0", "0")), inspect.Suspicious, "TreeEnsembleRegressor"},
		{"forest with a negative feature", onnxModelText(forestText("0, 0, 0", "0, 1, 2", threeModes, "1, 0, 0", "2, 0, 0", "-1, 0, 0", "0")), inspect.Suspicious, "TreeEnsembleRegressor"},
		{"forest with an output out of range", onnxModelText(forestText("0, 0, 0", "0, 1, 2", threeModes, "1, 0, 0", "2, 0, 0", "0, 0, 0", "5")), inspect.Suspicious, "TreeEnsembleRegressor"},
		{"tree without end", onnxModelText(forestText("0, 0, 0", "0, 1, 1", threeModes, "1, 0, 0", "1, 0, 0", "0, 0, 0", "0")), inspect.Suspicious, "TreeEnsembleRegressor"},
	} {
		r := scan(t, "m.onnx", onnxFrom(t, c.text))
		found := c.what == "" || len(r.Findings) > 0 && r.Findings[0].What == c.what
		if r.Verdict != c.verdict || !found || c.verdict.Passes() && len(r.Findings) > 0 {
			t.Errorf("%s: %s", c.name, story(r))
		}
	}
}

// unfolding are n functions of which each calls the next twice.
func unfolding(n int) string {
	var b strings.Builder
	for i := range n {
		letter := func(i int) string { return strings.Repeat("f", i+1) }
		call := `node { op_type: "` + letter(i+1) + `" domain: "f" input: "a" output: "b" } node { op_type: "` + letter(i+1) + `" domain: "f" input: "b" output: "c" }`
		if i == n-1 {
			call = `node { op_type: "Relu" input: "a" output: "c" }`
		}
		b.WriteString(`functions { name: "` + letter(i) + `" domain: "f" input: "a" output: "c" ` + call + ` } `)
	}
	return b.String()
}

// TestONNXFiles judges models whose tensors lie in other files.
func TestONNXFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("m/w.data", make([]byte, 64))
	write("m/sub/w.data", make([]byte, 64))
	write("m/twice", make([]byte, 64))
	write("secret", make([]byte, 64))
	if err := os.Symlink("../secret", filepath.Join(dir, "m/link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("../m", filepath.Join(dir, "m/folder")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "m/twice"), filepath.Join(dir, "m/hard")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		entries string // key, value, key, value, …
		verdict inspect.Verdict
	}{
		{"location w.data", inspect.Inert},
		{"location sub/w.data offset 48 length 16", inspect.Inert},
		{"location w.data offset 48 length 16 checksum abc", inspect.Inert},
		{"location w.data offset 49 length 16", inspect.Suspicious},
		{"location w.data offset 56", inspect.Suspicious},
		{"location w.data length 15", inspect.Suspicious},
		{"location w.data offset -1", inspect.Suspicious},
		{"location w.data offset 9223372036854775807", inspect.Suspicious},
		{"location w.data offset 99999999999999999999", inspect.Suspicious},
		{"location w.data location ../secret", inspect.Malicious},
		{"location w.data location w.data", inspect.Suspicious},
		{"location w.data basepath /etc", inspect.Suspicious},
		{"location w.data __class__ evil", inspect.Suspicious},
		{"location ../secret", inspect.Malicious},
		{"location sub/../../secret", inspect.Malicious},
		{"location /etc/passwd", inspect.Malicious},
		{`location ..\\secret`, inspect.Malicious},
		{`location C:\\secret`, inspect.Malicious},
		{"location */_ORT_MEM_ADDR_/*", inspect.Malicious},
		{"location ./w.data", inspect.Suspicious},
		{"location link", inspect.Suspicious},
		{"location folder/w.data", inspect.Suspicious},
		{"location sub", inspect.Suspicious},
		{"location hard", inspect.Suspicious},
		{"location absent", inspect.Inconclusive},
		{"offset 0", inspect.Malicious},
	} {
		entries := ""
		for words := strings.Fields(c.entries); len(words) > 1; words = words[2:] {
			entries += `external_data { key: "` + words[0] + `" value: "` + words[1] + `" } `
		}
		in := `dims: [4] data_type: 1 data_location: 1 ` + entries
		for where, graph := range map[string]string{
			"initializer": tensor(in),
			"attribute":   `node { op_type: "Constant" output: "c" attribute { name: "value" type: 4 t { ` + in + ` } } } ` + relu,
			"sparse":      `sparse_initializer { dims: [4] values { name: "s" ` + in + ` } indices { dims: [4] data_type: 7 int64_data: [0, 1, 2, 3] } } ` + relu,
			"branch":      `node { op_type: "If" input: "x" output: "z" attribute { name: "then_branch" type: 5 g { name: "b" initializer { name: "w" ` + in + ` } output { name: "w" } } } } ` + relu,
		} {
			write("m/m.onnx", onnxFrom(t, onnxModelText(graph)))
			r := scanFolder(t, dir, "m/m.onnx")[0]
			if r.Verdict != c.verdict {
				t.Errorf("%s in %s: %s", c.entries, where, story(r))
			}
		}
	}
	// the files that hold the data are known by the models that name them
	write("m/m.onnx", onnxFrom(t, onnxModelText(tensor(`dims: [4] data_type: 1 data_location: 1 external_data { key: "location" value: "w.data" }`))))
	for name, verdict := range map[string]inspect.Verdict{"m/w.data": inspect.Inert, "m/sub/w.data": inspect.Inconclusive} {
		if r := scanFolder(t, dir, name)[0]; r.Verdict != verdict {
			t.Errorf("%s: %s", name, story(r))
		}
	}
}

// TestONNXCut wants no model that ends early to pass.
func TestONNXCut(t *testing.T) {
	whole := onnxFrom(t, onnxModelText(tensor(`dims: [2, 2] data_type: 1 float_data: [1, 2, 3, 4]`)))
	for n := range whole {
		if r := scan(t, "m.onnx", whole[:n]); r.Verdict.Passes() && n > 0 {
			t.Errorf("%d of %d bytes: %s", n, len(whole), story(r))
		}
	}
}

func FuzzONNX(f *testing.F) {
	f.Add(onnxFrom(f, onnxModelText(relu)))
	f.Add(onnxFrom(f, onnxModelText(forestText("0, 0, 0", "0, 1, 2", threeModes, "1, 0, 0", "2, 0, 0", "0, 0, 0", "0"))))
	f.Add(onnxFrom(f, onnxModelText(relu)+unfolding(3)))
	f.Add(onnxFrom(f, onnxModelText(tensor(`dims: [2, 2] data_type: 1 float_data: [1, 2, 3, 4]`))))
	honest(f, ".onnx")
	fuzz(f, "m.onnx")
}

// honest adds the honest files with an extension as seeds.
func honest(f *testing.F, ext string) {
	filepath.WalkDir("testdata/honest", func(name string, _ os.DirEntry, _ error) error {
		if filepath.Ext(name) == ext {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
		return nil
	})
}

// fuzz wants no bytes to crash a reading.
func fuzz(f *testing.F, name string) {
	s := inspect.Scanner{Readings: readings(), Limits: inspect.Limits{Work: 1 << 20}}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := s.Scan(t.Context(), name, bytes.NewReader(b), int64(len(b)), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range r.Findings {
			if found.Rule.ID == "scanner-fault" {
				t.Fatal(story(r))
			}
		}
	})
}
