package trees

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// scan inspects bytes with the readings of this package.
func scan(t testing.TB, name string, b []byte) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: Readings, Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(b), int64(len(b)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func has(r *inspect.Report, rule string) bool {
	return slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == rule })
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHonest wants everything that the libraries wrote to be inert, and to be
// known for what it is.
func TestHonest(t *testing.T) {
	formats := map[string]string{".json": "xgboost", ".ubj": "xgboost-ubjson", ".ser": "xgboost-ubjson", ".model": "xgboost-binary", ".txt": "lightgbm", ".cbm": "catboost", ".pmml": "pmml"}
	names, _ := filepath.Glob("testdata/*")
	n := 0
	for _, name := range names {
		want := formats[filepath.Ext(name)]
		if want == "" {
			continue
		}
		n++
		name = filepath.Base(name)
		if strings.HasPrefix(name, "cat-") && want == "xgboost" {
			want = "catboost-json"
		}
		r := scan(t, name, fixture(t, name))
		if r.Verdict != inspect.Inert || !slices.Equal(r.Formats, []string{want}) {
			t.Errorf("%s: %s, %v, %v", name, r.Verdict, r.Formats, r.Findings)
		}
	}
	if n < 30 {
		t.Errorf("only %d files", n)
	}
}

// replace changes the first match of a pattern, and fails if there is none.
func replace(t *testing.T, b []byte, pattern, with string) []byte {
	t.Helper()
	at := regexp.MustCompile(pattern).FindSubmatchIndex(b)
	if at == nil {
		t.Fatalf("no %s", pattern)
	}
	from, to := at[0], at[1]
	if len(at) > 2 {
		from, to = at[2], at[3]
	}
	return slices.Concat(b[:from], []byte(with), b[to:])
}

// TestChangedText breaks one thing in models of text; the library would take
// every one of them or crash on it.
func TestChangedText(t *testing.T) {
	for _, c := range []struct{ file, pattern, with, rule string }{
		{"xgb-binary.json", `"left_children":\[(\d+)`, "5000", "tree-index"},
		{"xgb-binary.json", `"left_children":\[(\d+)`, "-7", "tree-index"},
		{"xgb-binary.json", `"left_children":\[(\d+)`, "0", "tree-index"},
		{"xgb-binary.json", `"left_children":\[(\d+)`, "99999999999999999999", "tree-index"},
		{"xgb-binary.json", `"right_children":\[(\d+)`, "1", "tree-shape"},
		{"xgb-binary.json", `"right_children":\[(\d+,)`, "", "tree-shape"},
		{"xgb-binary.json", `"parents":\[\d+,(\d)`, "2", "tree-index"},
		{"xgb-binary.json", `"split_indices":\[(\d)`, "4", "tree-index"},
		{"xgb-binary.json", `"split_indices":\[(\d)`, "-5", "tree-index"},
		{"xgb-binary.json", `"split_indices":\[(\d)`, "2147483647", "tree-index"},
		{"xgb-binary.json", `"split_conditions":\[()`, "1,", "tree-shape"},
		{"xgb-binary.json", `"num_nodes":"(\d+)"`, "9", "tree-shape"},
		{"xgb-binary.json", `"num_trees":"(\d+)"`, "3", "tree-shape"},
		{"xgb-binary.json", `"tree_info":\[(0)`, "7", "tree-index"},
		{"xgb-binary.json", `"tree_info":\[(0)`, "-1", "tree-index"},
		{"xgb-binary.json", `"tree_info":\[(0)`, "0,0", "tree-shape"},
		{"xgb-binary.json", `"iteration_indptr":\[0,(1)`, "9", "tree-index"},
		{"xgb-binary.json", `"name":"(binary:logistic)"`, "os:system", "tree-name"},
		{"xgb-binary.json", `"name":"(gbtree)"`, "plugin", "tree-name"},
		{"xgb-binary.json", `"learner_model_param".*"num_feature":"(4)"`, "-4", "tree-shape"},
		{"xgb-binary.json", `()"tree_info"`, `"tree_info":[0,0],`, "broken"},
		{"xgb-binary.json", `"version":\[\d`, "", "broken"},
		{"xgb-category.json", `"categories_segments":\[(0)`, "5000", "tree-index"},
		{"xgb-category.json", `"categories_sizes":\[(\d+)`, "5000", "tree-index"},
		{"xgb-category.json", `"categories_nodes":\[(\d+)`, "5000", "tree-index"},
		{"xgb-category.json", `"categories":\[(\d+)`, "2000000000", "tree-index"},
		{"xgb-dart.json", `"weight_drop":\[()`, "1,", "tree-shape"},
		{"xgb-linear.json", `"weights":\[()`, "1,", "tree-shape"},
		{"xgb-vector.json", `"right_children":\[\d,\d,\d,(\d)`, "9", "tree-index"},
		{"lgb-binary.txt", `left_child=(\d+)`, "77", "tree-index"},
		{"lgb-binary.txt", `left_child=(\d+)`, "0", "tree-shape"},
		{"lgb-binary.txt", `left_child=(\d+)`, "-77", "tree-index"},
		{"lgb-binary.txt", `left_child=(\d+)`, "-1", "tree-shape"},
		{"lgb-binary.txt", `split_feature=(\d+)`, "4", "tree-index"},
		{"lgb-binary.txt", `split_feature=(\d+)`, "-1", "tree-index"},
		{"lgb-binary.txt", `num_leaves=(\d+)`, "900", "tree-shape"},
		{"lgb-binary.txt", `leaf_value=()`, "1 ", "tree-shape"},
		{"lgb-binary.txt", `tree_sizes=(\d+)`, "5", "tree-shape"},
		{"lgb-binary.txt", `tree_sizes=\d+( )`, " 1 ", "tree-shape"},
		{"lgb-binary.txt", `max_feature_idx=(3)`, "-3", "tree-shape"},
		{"lgb-binary.txt", `objective=(binary)`, "evil", "tree-name"},
		{"lgb-binary.txt", `(end of trees[\s\S]*)`, "Tree=9\nnum_leaves=2\n", "tree-shape"},
		{"lgb-category.txt", `cat_boundaries=0 (\d+)`, "90", "tree-index"},
		{"lgb-category.txt", `cat_boundaries=(0)`, "1", "tree-index"},
		{"lgb-category.txt", `num_cat=(\d+)`, "9", "tree-shape"},
		{"lgb-category.txt", `\nthreshold=(\S+)`, "77", "tree-index"},
		{"lgb-linear.txt", `leaf_features=(\d)`, "9", "tree-index"},
		{"lgb-linear.txt", `num_features=(\d)`, "900", "tree-index"},
		{"cat-symmetric.json", `"float_feature_index":(\d+)`, "400", "tree-index"},
		{"cat-symmetric.json", `"leaf_values":\s*\[()`, "1,", "tree-shape"},
		{"cat-depthwise.json", `"float_feature_index":(\d+)`, "-1", "tree-index"},
		{"cat-depthwise.json", `("left":)`, `"lift":`, "tree-shape"},
	} {
		r := scan(t, c.file, replace(t, fixture(t, c.file), c.pattern, c.with))
		if r.Verdict.Passes() || !has(r, c.rule) {
			t.Errorf("%s %s=%q: %s, %v", c.file, c.pattern, c.with, r.Verdict, r.Findings)
		}
	}
}

// TestChangedBinary does the same to models of bytes.
func TestChangedBinary(t *testing.T) {
	old := fixture(t, "old-xgb-binary.model")
	at := bytes.Index(old, []byte("gbtree")) + len("gbtree")
	node := at + gbtreeParamSize + treeParamSize
	for name, c := range map[string]struct {
		off   int
		value uint32
		rule  string
	}{
		"trees": {at, 50, "broken"}, "trees below zero": {at, 1 << 31, "broken"}, "nodes": {at + gbtreeParamSize + 4, 1 << 30, "broken"},
		"left": {node + 4, 900, "tree-index"}, "right": {node + 8, 1, "tree-shape"}, "left is root": {node + 4, 0, "tree-index"},
		"feature": {node + 12, 77, "tree-index"}, "parent": {node + nodeSize, 2, "tree-index"},
	} {
		b := slices.Clone(old)
		binary.LittleEndian.PutUint32(b[c.off:], c.value)
		if r := scan(t, "a.model", b); r.Verdict.Passes() || !has(r, c.rule) {
			t.Errorf("%s: %s, %v", name, r.Verdict, r.Findings)
		}
	}
	ubj := fixture(t, "xgb-binary.ubj")
	at = bytes.Index(ubj, []byte("left_children"))
	at += bytes.IndexByte(ubj[at:], '#') + 10
	b := slices.Clone(ubj)
	binary.BigEndian.PutUint32(b[at:], 900)
	if r := scan(t, "a.ubj", b); !has(r, "tree-index") {
		t.Errorf("ubjson: %s, %v", r.Verdict, r.Findings)
	}
	binary.BigEndian.PutUint32(b[at-8:], 1<<30)
	if r := scan(t, "a.ubj", b); !has(r, "broken") {
		t.Errorf("ubjson count: %s, %v", r.Verdict, r.Findings)
	}
	cbm := fixture(t, "cat-symmetric.cbm")
	for off, value := range map[int]uint32{4: 1 << 30, 8: 1 << 30} {
		b := slices.Clone(cbm)
		binary.LittleEndian.PutUint32(b[off:], value)
		if r := scan(t, "a.cbm", b); !has(r, "broken") {
			t.Errorf("catboost %d: %s, %v", off, r.Verdict, r.Findings)
		}
	}
	if r := scan(t, "a.cbm", append(slices.Clone(cbm), "payload"...)); !has(r, "broken") {
		t.Errorf("catboost with bytes behind it: %s", r.Verdict)
	}
}

// TestCut wants no file that ends early to pass.
func TestCut(t *testing.T) {
	for _, name := range []string{"xgb-multi.json", "xgb-multi.ubj", "old-xgb-multi.model", "lgb-multi.txt", "cat-symmetric.cbm", "nyoka.pmml", "jpmml.pmml"} {
		b := fixture(t, name)
		end := len(b)
		if i := bytes.Index(b, []byte("end of trees")); i > 0 {
			end = i - 200
		}
		for n := end - 3; n > 200; n -= 97 {
			if r := scan(t, name, b[:n]); r.Verdict.Passes() {
				t.Errorf("%s: its first %d bytes are %s", name, n, r.Verdict)
			}
		}
	}
}

func TestPMML(t *testing.T) {
	const ns = ` xmlns="http://www.dmg.org/PMML-4_4" version="4.4"`
	doc := func(inner string) string { return "<?xml version='1.0'?>\n<PMML" + ns + ">" + inner + "</PMML>" }
	for text, want := range map[string]inspect.Verdict{
		doc("<Header/>"): inspect.Inert,
		doc("<Extension name='repr'>PMMLPipeline(steps=[('c', Tree())])</Extension>"):       inspect.Inert,
		doc("<DefineFunction name='a.b.c'/><Apply function='a.b.c'/><Apply function='+'/>"): inspect.Inert,
		"<!DOCTYPE PMML [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + doc("")[22:]:          inspect.Malicious,
		"<?xml version='1.0'?>\n<!DOCTYPE PMML SYSTEM 'http://x/y.dtd'>" + doc("")[22:]:     inspect.Malicious,
		"<!DOCTYPE PMML [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><PMML" + ns + ">&c;</PMML>":   inspect.Malicious,
		"<!DOCTYPE PMML><PMML" + ns + "/>":                                                  inspect.Suspicious,
		doc("<?php x?>"):                                                                    inspect.Suspicious,
		doc("<Extension name='x' value='javascript:alert(1)'/>"):                            inspect.Suspicious,
		doc("<Extension><script>Runtime.getRuntime()</script></Extension>"):                 inspect.Suspicious,
		doc("<Apply function='java.lang.Runtime.exec'/>"):                                   inspect.Suspicious,
		doc("<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='/etc/passwd'/>"):    inspect.Suspicious,
		doc("<CustomModel/>"):       inspect.Suspicious,
		"<PMML xmlns='urn:other'/>": inspect.Suspicious,
		doc("") + "<PMML/>":         inspect.Suspicious,
	} {
		if r := scan(t, "a.pmml", []byte(text)); r.Verdict != want {
			t.Errorf("%s: %s, %v", text, r.Verdict, r.Findings)
		}
	}
	if r := scan(t, "a.xml", []byte("<html>PMML</html>")); len(r.Formats) > 0 {
		t.Errorf("another document is %v", r.Formats)
	}
}

// TestDeep bounds what a model of brackets costs.
func TestDeep(t *testing.T) {
	for _, text := range []string{`{"learner":{"attributes":` + strings.Repeat("[", 100_000), `{"oblivious_trees":[` + strings.Repeat(`{"splits":[`, 100_000)} {
		if r := scan(t, "a.json", []byte(text)); r.Verdict.Passes() {
			t.Errorf("%.40s: %s", text, r.Verdict)
		}
	}
}

func fuzz(f *testing.F, pattern string) {
	names, _ := filepath.Glob("testdata/" + pattern)
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && len(b) < 8000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := scan(t, "a", b)
		if has(r, "scanner-fault") {
			t.Fatalf("%v", r.Findings)
		}
	})
}

func FuzzXGBoost(f *testing.F)  { fuzz(f, "*xgb*.*") }
func FuzzLightGBM(f *testing.F) { fuzz(f, "*lgb*.txt") }
func FuzzTrees(f *testing.F)    { fuzz(f, "*[tla].[cp]*m*") }
