package graphs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// savedModelText is a SavedModel with nodes and functions as given, and what
// stands beside its graph.
func savedModelText(nodes, functions, beside string) string {
	return `saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } graph_def { node { name: "x" op: "Placeholder" } ` +
		nodes + ` library { ` + functions + ` } } ` + beside + ` }`
}

func constant(name, text string) string {
	return fmt.Sprintf(`node { name: %q op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: %q } } } } `, name, text)
}

// saving is a function that saves like those of TensorFlow 2, to a name that its
// argument begins.
func saving(prefix string) string {
	return `function { signature { name: "__inference__traced_save_1" input_arg { name: "file_prefix" } }
		node_def { name: "part" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: "_temp/part" } } } }
		node_def { name: "odd" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: "/etc/cron.d/x" } } } }
		node_def { name: "computed" op: "AsString" input: "file_prefix" }
		node_def { name: "join" op: "StringJoin" input: "` + prefix + `" input: "part:output:0" }
		node_def { name: "sharded" op: "ShardedFilename" input: "join:output:0" }
		node_def { name: "save" op: "SaveV2" input: "sharded:filename:0" } } `
}

const (
	saverDef = `saver_def { filename_tensor_name: "saver_filename:0" } `
	callSave = `node { name: "saver_filename" op: "Placeholder" } node { name: "call" op: "StatefulPartitionedCall" input: "saver_filename" attr { key: "f" value { func { name: "__inference__traced_save_1" } } } } `
	lookup   = `node { name: "table" op: "HashTableV2" } node { name: "init" op: "InitializeTableFromTextFileV2" input: "table" input: "NAME" } `
)

// TestSavedModel judges models that differ from an honest one in one thing.
func TestSavedModel(t *testing.T) {
	nested := binary(t, tfSchema().Message("GraphDef"), `node { name: "w" op: "WriteFile" }`)
	twice := binary(t, tfSchema().Message("GraphDef"), `node { name: "c" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: `+quoted(nested)+` } } } }`)
	for _, c := range []struct {
		name, text string
		verdict    inspect.Verdict
		what       string
	}{
		{"honest", savedModelText(`node { name: "y" op: "Relu" input: "x" }`, "", ""), inspect.Inert, ""},
		{"reads", savedModelText(`node { name: "y" op: "ReadFile" input: "x" }`, "", ""), inspect.Malicious, "ReadFile"},
		{"writes", savedModelText(`node { name: "y" op: "WriteFile" input: "x" }`, "", ""), inspect.Malicious, "WriteFile"},
		{"calls Python", savedModelText(`node { name: "y" op: "EagerPyFunc" input: "x" }`, "", ""), inspect.Malicious, "EagerPyFunc"},
		{"in a function", savedModelText("", `function { signature { name: "f" } node_def { name: "y" op: "MatchingFiles" } }`, ""), inspect.Malicious, "MatchingFiles"},
		{"unknown", savedModelText(`node { name: "y" op: "Evil>Op" input: "x" }`, "", ""), inspect.Suspicious, "Evil>Op"},
		{"called by name", savedModelText(`node { name: "y" op: "f" input: "x" }`, `function { signature { name: "f" } node_def { name: "y" op: "Relu" } }`, ""), inspect.Inert, ""},
		{"dataset of a graph", savedModelText(`node { name: "y" op: "DatasetFromGraph" input: "x" }`, "", ""), inspect.Malicious, "DatasetFromGraph"},
		{"graph in a string", savedModelText(`node { name: "c" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: `+quoted(nested)+` } } } }`, "", ""), inspect.Malicious, "WriteFile"},
		{"graph in a graph in a string", savedModelText(`node { name: "c" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: `+quoted(twice)+` } } } }`, "", ""), inspect.Malicious, "WriteFile"},
		{"graph in an attribute", savedModelText(`node { name: "c" op: "NoOp" attr { key: "a" value { s: `+quoted(nested)+` } } }`, "", ""), inspect.Malicious, "WriteFile"},
		{"graph in a list", savedModelText(`node { name: "c" op: "NoOp" attr { key: "a" value { list { s: "" s: `+quoted(nested)+` } } } }`, "", ""), inspect.Malicious, "WriteFile"},
		{"strings in one piece", savedModelText(`node { name: "c" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING tensor_content: "\003abc" } } } }`, "", ""), inspect.Inconclusive, ""},
		{"variant", savedModelText(`node { name: "c" op: "Const" attr { key: "value" value { tensor { variant_val { type_name: "t" } } } } }`, "", ""), inspect.Inconclusive, "variant"},
		{"attribute twice", savedModelText(`node { name: "c" op: "NoOp" attr { key: "a" value { i: 1 } } attr { key: "a" value { i: 2 } } }`, "", ""), inspect.Suspicious, "a"},
		{"prints", savedModelText(`node { name: "c" op: "PrintV2" attr { key: "output_stream" value { s: "stderr" } } }`, "", ""), inspect.Inert, ""},
		{"prints into a file", savedModelText(`node { name: "c" op: "PrintV2" attr { key: "output_stream" value { s: "file:///etc/cron.d/x" } } }`, "", ""), inspect.Malicious, "PrintV2"},
		{"memory region", savedModelText(`node { name: "c" op: "ImmutableConst" }`, "", ""), inspect.Malicious, "ImmutableConst"},
		{"saves", savedModelText(callSave, saving("file_prefix"), saverDef), inspect.Inert, ""},
		{"saves elsewhere", savedModelText(callSave, saving("odd:output:0"), saverDef), inspect.Malicious, "SaveV2"},
		{"saves where it computes", savedModelText(callSave, saving("computed:output:0"), saverDef), inspect.Malicious, "SaveV2"},
		{"saves where its input says", savedModelText(strings.ReplaceAll(callSave, "saver_filename", "serving_default_path"), saving("file_prefix"), saverDef), inspect.Malicious, "SaveV2"},
		{"saves where a constant says", savedModelText(constant("k", "/etc/cron.d/x")+strings.ReplaceAll(callSave, `input: "saver_filename"`, `input: "k"`), saving("file_prefix"), saverDef), inspect.Malicious, "SaveV2"},
		{"saves from a branch", savedModelText(strings.ReplaceAll(callSave, "StatefulPartitionedCall", "If"), saving("file_prefix"), saverDef), inspect.Malicious, "SaveV2"},
		{"saves without a function", savedModelText(constant("k", "/tmp/x")+`node { name: "s" op: "SaveV2" input: "k" }`, "", saverDef), inspect.Malicious, "SaveV2"},
		{"saves like version 1", savedModelText(constant("save/filename/input", "model")+constant("save/StringJoin/inputs_1", "_temp_0123456789abcdef0123456789abcdef/part")+
			`node { name: "save/filename" op: "PlaceholderWithDefault" input: "save/filename/input" } node { name: "save/Const" op: "PlaceholderWithDefault" input: "save/filename" }
			node { name: "save/StringJoin" op: "StringJoin" input: "save/Const" input: "save/StringJoin/inputs_1" } node { name: "s" op: "SaveV2" input: "save/StringJoin" }`, "", `saver_def { filename_tensor_name: "save/Const:0" }`), inspect.Inert, ""},
		{"merges elsewhere", savedModelText(constant("k", "/tmp/x")+`node { name: "saver_filename" op: "Placeholder" } node { name: "s" op: "MergeV2Checkpoints" input: "saver_filename" input: "k" }`, "", saverDef), inspect.Malicious, "MergeV2Checkpoints"},
		{"names in a circle", savedModelText(`node { name: "a" op: "Identity" input: "b" } node { name: "b" op: "Identity" input: "a" } node { name: "s" op: "RestoreV2" input: "nowhere" }`, "", saverDef), inspect.Malicious, "RestoreV2"},
		{"table of a constant", savedModelText(constant("k", "/etc/passwd")+strings.ReplaceAll(lookup, "NAME", "k"), "", ""), inspect.Suspicious, "InitializeTableFromTextFileV2"},
		{"asset leaves", savedModelText("", "", `asset_file_def { tensor_info { name: "a:0" } filename: "../../secret" }`), inspect.Malicious, "../../secret"},
		{"asset absolute", savedModelText("", "", `asset_file_def { tensor_info { name: "a:0" } filename: "/etc/passwd" }`), inspect.Malicious, "/etc/passwd"},
		{"asset missing", savedModelText("", "", `asset_file_def { tensor_info { name: "a:0" } filename: "v.txt" }`), inspect.Inconclusive, "assets/v.txt"},
	} {
		b := binary(t, tfSchema().Message("SavedModel"), c.text)
		for name, b := range map[string][]byte{"saved_model.pb": b, "saved_model.pbtxt": []byte(c.text)} {
			r := scan(t, name, b)
			found := c.what == "" || len(r.Findings) > 0 && r.Findings[0].What == c.what
			if r.Verdict != c.verdict || !found || len(r.Formats) != 1 {
				t.Errorf("%s as %s: %s", c.name, name, story(r))
			}
		}
	}
}

// quoted is a string as the text format has it.
func quoted(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\%03o`, c)
	}
	return `"` + out.String() + `"`
}

// TestTensorFlowForms wants the same operator to be found in every message that
// holds a graph.
func TestTensorFlowForms(t *testing.T) {
	for form, text := range map[string]string{
		"GraphDef":     `node { name: "w" op: "WriteFile" }`,
		"MetaGraphDef": `graph_def { node { name: "w" op: "WriteFile" } }`,
		"SavedModel":   `meta_graphs { graph_def { node { name: "w" op: "WriteFile" } } }`,
	} {
		for name, b := range map[string][]byte{"m.pb": binary(t, tfSchema().Message(form), text), "m.pbtxt": []byte(text), "m": []byte("# graph\n" + text)} {
			if r := scan(t, name, b); r.Verdict != inspect.Malicious || len(r.Formats) != 1 {
				t.Errorf("%s as %s: %s", form, name, story(r))
			}
		}
	}
}

// TestHidden wants models not to be hidden by what their readers skip: fields of
// wrong kinds and long comments. All bytes of these are letters, so that they
// would pass as texts.
func TestHidden(t *testing.T) {
	graph := binary(t, tfSchema().Message("GraphDef"), `node { name: "w" op: "WriteFile" }`)
	onnx := onnxFrom(t, onnxModelText(`node { op_type: "PyOp" domain: "ai.onnx.contrib" input: "x" output: "y" }`))
	comments := strings.Repeat("# a comment\n", 1000)
	text := `node { name: "w" op: "WriteFile" }`
	for name, b := range map[string][]byte{
		"graph":               append([]byte("\x22\x01a\x1a\x01a"), graph...), // "versions" and "version" of other kinds
		"graph, unknown":      append([]byte("\x7a\x01a"), graph...),
		"onnx":                append([]byte("\x2a\x01a\x08\x08"), onnx...),
		"onnx, mistyped":      append([]byte("\x10\x09"), onnx...),
		"long comments":       []byte(comments + text),
		"comments within":     []byte("node # x\n # y\n{ name: 'w' op: 'WriteFile' }"),
		"number in base 16":   []byte("saved_model_schema_version: 0x1 meta_graphs [ { graph_def { " + text + " } } ]"),
		"onnx as text":        []byte("# a\nproducer_name: \"a b\" " + onnxModelText(`node { op_type: "PyOp" domain: "ai.onnx.contrib" input: "x" output: "y" }`)),
		"negative":            []byte("version: -1 " + text),
		"separated strangely": []byte("\v\f\r" + text),
	} {
		r := scan(t, "README", b)
		if r.Verdict != inspect.Malicious || len(r.Formats) != 1 {
			t.Errorf("%s: %s", name, story(r))
		}
	}
}

// TestTextOfOthers wants other texts, and other messages as text, to be left to
// those who know them.
func TestTextOfOthers(t *testing.T) {
	for _, text := range []string{"version: '3'\nservices:\n  node: x\n", "item {\n  id: 1\n  name: 'cat'\n}\n", "node {\n  prose, not a graph\n", "library\n", "", "name: \"ensemble\"\nplatform: \"x\"\n"} {
		if r := scan(t, "config.txt", []byte(text)); len(r.Formats) > 0 {
			t.Errorf("%q: %s", text, story(r))
		}
	}
	if r := scan(t, "graph.pbtxt", []byte("node {\n  name: 'a' op: 'WriteFile' new_field: 1 }")); r.Verdict.Passes() {
		t.Errorf("unknown field: %s", story(r))
	}
}

// TestKerasObjects wants the configurations of Keras objects to be handed on.
func TestKerasObjects(t *testing.T) {
	layer := `metadata: '{"class_name": "Lambda"}' identifier: "_tf_keras_layer"`
	for name, b := range map[string][]byte{
		"keras_metadata.pb": binary(t, tfSchema().Message("KerasSavedMetadata"), `nodes { node_id: 1 node_path: "root" `+layer+` version { producer: 2 } }`),
		"saved_model.pb":    binary(t, tfSchema().Message("SavedModel"), savedModelText("", "", `object_graph_def { nodes { user_object { `+layer+` } } }`)),
	} {
		var seen []string
		spy := inspect.Reading{
			Format:  "spy",
			Match:   func(f *inspect.File, head []byte) inspect.Fit { return inspect.Fit(2 * min(1, len(f.Member))) },
			Inspect: func(_ *inspect.Pass, f *inspect.File) error { seen = append(seen, f.Member); return nil },
		}
		s := inspect.Scanner{Readings: append(Readings(), spy)}
		if _, err := s.Scan(t.Context(), name, bytes.NewReader(b), int64(len(b)), nil, nil); err != nil || len(seen) != 1 || seen[0] != "config.json" {
			t.Errorf("%s: %q, %v", name, seen, err)
		}
	}
}

// TestNotGraphs wants other messages and strings not to be taken for graphs: a
// ConfigProto, a TrackableObjectGraph and a sentencepiece model begin like one.
func TestNotGraphs(t *testing.T) {
	for _, s := range []string{"CgcKA0NQVRABCgcKA0dQVRAAMgIqADgB", "ClMKBQgBEgF2CgkIAhIFdm9jYWIKCQgDEgV0YWJsZQ==", "Cg4KBTx1bms+FQAAAAAYAgoMCgM8cz4VAAAAABgD"} {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		if r := scan(t, "m.model", b); len(r.Formats) > 0 {
			t.Errorf("%q: %s", b, story(r))
		}
	}
}

// TestAssets follows an asset into the model's folder.
func TestAssets(t *testing.T) {
	dir := t.TempDir()
	text := savedModelText(`node { name: "asset" op: "Placeholder" } `+strings.ReplaceAll(lookup, "NAME", "asset"), "", `asset_file_def { tensor_info { name: "asset:0" } filename: "v.txt" }`)
	os.Mkdir(filepath.Join(dir, "assets"), 0o755)
	if err := os.WriteFile(filepath.Join(dir, "saved_model.pb"), binary(t, tfSchema().Message("SavedModel"), text), 0o644); err != nil {
		t.Fatal(err)
	}
	asset := filepath.Join(dir, "assets/v.txt")
	os.WriteFile(asset, []byte("{}"), 0o644)
	if r := scanFolder(t, dir, "saved_model.pb")[0]; r.Verdict != inspect.Inert {
		t.Errorf("beside: %s", story(r))
	}
	os.Remove(asset)
	if err := os.Symlink("/etc/passwd", asset); err != nil {
		t.Skip(err)
	}
	if r := scanFolder(t, dir, "saved_model.pb")[0]; r.Verdict != inspect.Suspicious {
		t.Errorf("link: %s", story(r))
	}
}

func FuzzSavedModel(f *testing.F) {
	f.Add(binary(f, tfSchema().Message("SavedModel"), savedModelText(callSave, saving("file_prefix"), saverDef)))
	f.Add([]byte(savedModelText(callSave, saving("file_prefix"), saverDef)))
	honest(f, ".pb")
	fuzz(f, "saved_model.pb")
}
