package graphs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// coremlText is a model of a kind.
func coremlText(kind string) string {
	return `specificationVersion: 6 description { input { name: "x" } } ` + kind
}

func milText(op string) string {
	return coremlText(`mlProgram { version: 1 functions { key: "main" value { opset: "CoreML5" block_specializations { key: "CoreML5" value { operations { ` + op + ` } } } } } }`)
}

func blobText(file, offset string) string {
	return milText(`type: "const" attributes { key: "val" value { blobFileValue { fileName: "` + file + `" offset: ` + offset + ` } } }`)
}

func coremlNodes(nodes string) string {
	return coremlText(`treeEnsembleRegressor { treeEnsemble { ` + nodes + ` } }`)
}

// TestCoreML judges models that differ from an honest one in one thing.
func TestCoreML(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "weights"), 0o755)
	if err := os.WriteFile(filepath.Join(dir, "weights/weight.bin"), make([]byte, 256), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		verdict    inspect.Verdict
		what       string
	}{
		{"honest", milText(`type: "relu"`), inspect.Inert, ""},
		{"unknown operator", milText(`type: "evil"`), inspect.Suspicious, "evil"},
		{"in a branch", milText(`type: "cond" blocks { operations { type: "evil" } }`), inspect.Suspicious, "evil"},
		{"custom layer", coremlText(`neuralNetwork { layers { name: "l" custom { className: "Evil" } } }`), inspect.Suspicious, "Evil"},
		{"custom layer in a loop", coremlText(`neuralNetwork { layers { loop { bodyNetwork { layers { custom { className: "Evil" } } } } } }`), inspect.Suspicious, "Evil"},
		{"custom model", coremlText(`customModel { className: "Evil" }`), inspect.Suspicious, "Evil"},
		{"custom model in a pipeline", coremlText(`pipeline { models { specificationVersion: 4 description { } customModel { className: "Evil" } } }`), inspect.Suspicious, "Evil"},
		{"linked model", coremlText(`linkedModel { linkedModelFile { linkedModelFileName { defaultValue: "m" } } }`), inspect.Suspicious, "linked model"},
		{"opaque model", coremlText(`serializedModel { identifier: "id" model: "abc" }`), inspect.Inconclusive, "id"},
		{"weights", blobText("@model_path/weights/weight.bin", "64"), inspect.Inert, ""},
		{"weights beyond the file", blobText("@model_path/weights/weight.bin", "256"), inspect.Suspicious, "weights/weight.bin"},
		{"weights far beyond", blobText("@model_path/weights/weight.bin", "18446744073709551552"), inspect.Suspicious, "weights/weight.bin"},
		{"weights elsewhere", blobText("@model_path/../../secret", "64"), inspect.Malicious, "../../secret"},
		{"weights anywhere", blobText("/etc/passwd", "64"), inspect.Malicious, "/etc/passwd"},
		{"weights of the program", blobText("secret.bin", "64"), inspect.Suspicious, "secret.bin"},
		{"weights missing", blobText("@model_path/w.bin", "64"), inspect.Inconclusive, "w.bin"},
		{"tree", coremlNodes(`nodes { nodeId: 0 trueChildNodeId: 1 falseChildNodeId: 2 } nodes { nodeId: 1 nodeBehavior: 6 } nodes { nodeId: 2 nodeBehavior: 6 }`), inspect.Inert, ""},
		{"tree in a circle", coremlNodes(`nodes { nodeId: 0 trueChildNodeId: 1 falseChildNodeId: 2 } nodes { nodeId: 1 nodeBehavior: 0 trueChildNodeId: 1 falseChildNodeId: 2 } nodes { nodeId: 2 nodeBehavior: 6 }`), inspect.Suspicious, "tree ensemble"},
		{"tree with a missing child", coremlNodes(`nodes { nodeId: 0 trueChildNodeId: 1 falseChildNodeId: 9 } nodes { nodeId: 1 nodeBehavior: 6 }`), inspect.Suspicious, "tree ensemble"},
		{"two kinds", coremlText(`identity { } customModel { className: "Evil" }`), inspect.Suspicious, "Evil"},
	} {
		b := binary(t, coremlSchema().Message("Model"), c.text)
		if err := os.WriteFile(filepath.Join(dir, "m.mlmodel"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		r := scanFolder(t, dir, "m.mlmodel")[0]
		found := c.what == ""
		for _, f := range r.Findings {
			found = found || f.What == c.what
		}
		if r.Verdict != c.verdict || !found {
			t.Errorf("%s: %s", c.name, story(r))
		}
	}
}

// TestCoreMLWeights wants a file of weights to be whole.
func TestCoreMLWeights(t *testing.T) {
	b := make([]byte, 192)
	b[0], b[4] = 1, 2
	copy(b[64:], []byte{0xef, 0xbe, 0xad, 0xde, 1, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 128})
	if r := scan(t, "weight.bin", b[:144]); r.Verdict != inspect.Inert || len(r.Formats) != 1 {
		t.Errorf("honest: %s", story(r))
	}
	for name, change := range map[string]func(b []byte) []byte{
		"cut":       func(b []byte) []byte { return b[:143] },
		"appended":  func(b []byte) []byte { return append(b, make([]byte, 200)...) },
		"count":     func(b []byte) []byte { b[0] = 9; return b },
		"huge":      func(b []byte) []byte { b[79] = 0xff; return b },
		"elsewhere": func(b []byte) []byte { b[80] = 64; return b },
	} {
		if r := scan(t, "weight.bin", change(append([]byte(nil), b[:144]...))); r.Verdict != inspect.Suspicious {
			t.Errorf("%s: %s", name, story(r))
		}
	}
}

func FuzzCoreML(f *testing.F) {
	for _, text := range []string{milText(`type: "relu"`), blobText("@model_path/w", "64"), coremlText(`customModel { className: "c" }`), coremlNodes(`nodes { nodeId: 0 nodeBehavior: 6 }`)} {
		f.Add(binary(f, coremlSchema().Message("Model"), text))
	}
	honest(f, ".mlmodel")
	fuzz(f, "m.mlmodel")
}
