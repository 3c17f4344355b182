package configs

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// unpack reads a file of testdata.
func unpack(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// text stands in for the readings of other packages.
var text = inspect.Reading{
	Format: "text", Generic: true,
	Match:   func(*inspect.File, []byte) inspect.Fit { return inspect.Maybe },
	Inspect: func(*inspect.Pass, *inspect.File) error { return nil },
}

func scan(t testing.TB, name string, data []byte, around inspect.Around) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: append(append([]inspect.Reading{}, Readings...), text)}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), around, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// told is what a report says, a word for each finding.
func told(r *inspect.Report) string {
	words := []string{r.Verdict.String()}
	for _, f := range r.Findings {
		words = append(words, f.Rule.ID)
	}
	return strings.Join(words, " ")
}

func explain(t *testing.T, r *inspect.Report) {
	for _, f := range r.Findings {
		t.Logf("%d %s: %s", f.Offset, f.What, f.Why)
	}
}

// TestSkopsHonest wants the schemas that skops writes to pass.
func TestSkopsHonest(t *testing.T) {
	names, _ := filepath.Glob("testdata/good-*.json.gz")
	if len(names) < 9 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		if r := scan(t, "schema.json", unpack(t, name), nil); r.Verdict != inspect.Allowed || r.Formats[0] != "skops-schema" {
			t.Errorf("%s: %s as %v", name, told(r), r.Formats)
			explain(t, r)
		}
	}
}

// archive is what lies in a skops file beside its schema.
type archive struct{}

func (archive) Lookup(name string) (inspect.Entry, bool) {
	return inspect.Entry{Regular: true}, name == "1.npy"
}
func (archive) Names() []string                    { return []string{"1.npy"} }
func (archive) Open(string) (*inspect.File, error) { return nil, fs.ErrNotExist }

// TestSkopsHostile tries every way to have something else made than an
// estimator.
func TestSkopsHostile(t *testing.T) {
	in := func(node string) string {
		return `{"__class__":"list","__module__":"builtins","__loader__":"ListNode","content":[` + node + `],"protocol":2,"_skops_version":"0.11.0"}`
	}
	node := func(loader, module, class, more string) string {
		return in(`{"__class__":"` + class + `","__module__":"` + module + `","__loader__":"` + loader + `"` + more + `}`)
	}
	str := `{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"\"x\"","is_json":true}`
	logistic := `{"__class__":"LogisticRegression","__module__":"sklearn.linear_model._logistic","__loader__":"ObjectNode"}`
	for _, c := range []struct{ name, text, want string }{
		{"plain", in(str), "inert"},
		{"estimator", in(logistic), "allowed"},
		{"file", node("NdArrayNode", "numpy", "ndarray", `,"type":"numpy","file":"1.npy"`), "allowed"},
		{"function of the system", node("FunctionNode", "os", "system", ""), "malicious skops-type"},
		{"type of the system", node("TypeNode", "os", "system", ""), "malicious skops-type"},
		{"builtin", node("FunctionNode", "builtins", "eval", ""), "malicious skops-type"},
		{"unknown function", node("FunctionNode", "mine", "f", ""), "suspicious skops-type"},
		{"unknown object", node("ObjectNode", "mine", "Model", ""), "suspicious skops-type"},
		{"object by a constructor", node("ConstructorFromReduceNode", "subprocess", "Popen", `,"content":`+str), "malicious skops-type"},
		{"estimator by a constructor", node("ConstructorFromReduceNode", "sklearn.linear_model._logistic", "LogisticRegression", `,"content":`+str), "suspicious skops-type"},
		{"loss of another type", node("LossNode", "os", "system", `,"__reduce__":{"args":`+str+`},"content":`+str), "malicious skops-type"},
		{"container of another type", node("ListNode", "subprocess", "Popen", `,"content":[]`), "malicious skops-type"},
		{"dictionary of another type", node("DictNode", "mine", "Dict", `,"content":{}`), "suspicious skops-type"},
		{"array of another type", node("NdArrayNode", "os", "system", ""), "malicious skops-type"},
		{"state of another type", node("RandomStateNode", "mine", "State", ""), "suspicious skops-type"},
		{"CVE-2025-54412", node("OperatorFuncNode", "sklearn.linear_model._stochastic_gradient", "call", `,"attrs":`+str), "malicious skops-disguise"},
		{"operator", node("OperatorFuncNode", "operator", "methodcaller", `,"attrs":`+str), "malicious skops-type"},
		{"item getter", node("OperatorFuncNode", "operator", "itemgetter", `,"attrs":`+str), "allowed"},
		{"CVE-2025-54413", node("MethodNode", "builtins", "str", `,"content":{"func":"__globals__","obj":`+logistic+`}`), "malicious skops-disguise"},
		{"method", node("MethodNode", "sklearn.linear_model._logistic", "LogisticRegression", `,"content":{"func":"predict","obj":`+logistic+`}`), "suspicious skops-type"},
		{"method of nothing", node("MethodNode", "a", "b", ""), "suspicious skops-disguise"},
		{"partial", node("PartialNode", "functools", "partial", `,"content":{"func":{"__class__":"system","__module__":"posix","__loader__":"FunctionNode"}}`), "malicious skops-type"},
		{"function of protocol 0", node("FunctionNode", "numpy", "log", `,"content":{"module_path":"os","function":"system"}`), "malicious skops-type"},
		{"bit generator", node("RandomGeneratorNode", "numpy.random._generator", "Generator", `,"content":{"bit_generator":{"__class__":"dict","__module__":"builtins","__loader__":"DictNode","content":{"bit_generator":{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"\"seed\""}}}}`), "suspicious skops-type"},
		{"honest bit generator", node("RandomGeneratorNode", "numpy.random._generator", "Generator", `,"content":{"bit_generator":{"__class__":"dict","__module__":"builtins","__loader__":"DictNode","content":{"bit_generator":{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"\"PCG64\""}}}}`), "allowed"},
		{"unknown loader", node("EvalNode\u001b[", "builtins", "str", ""), "malicious skops-type"},
		{"loader that is no name", in(`{"__class__":"str","__module__":"builtins","__loader__":[1]}`), "malicious skops-type"},
		{"missing member", node("NdArrayNode", "numpy", "ndarray", `,"type":"numpy","file":"2.npy"`), "suspicious skops-member"},
		{"member that leaves", node("NdArrayNode", "numpy", "ndarray", `,"type":"numpy","file":"../../etc/passwd"`), "suspicious skops-member"},
		{"key twice", in(`{"__class__":"str","__class__":"x","__module__":"builtins","__loader__":"JsonNode"}`), "suspicious broken"},
		{"cut short", in(str)[:150], "suspicious broken"},
		{"mark", "\xef\xbb\xbf" + in(str), "suspicious broken"},
		{"other json", `{"a":{"__loader__":"x"}}`, "inert"},
	} {
		r := scan(t, "schema.json", []byte(strings.ReplaceAll(c.text, "\x1b", `\u001b`)), archive{})
		if got := told(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
			explain(t, r)
		}
	}
}

func FuzzSkops(f *testing.F) {
	f.Add([]byte(`{"__class__":"list","__module__":"builtins","__loader__":"ListNode","content":[{"__class__":"system","__module__":"os","__loader__":"FunctionNode","file":"x"}]}`))
	f.Add([]byte(`{"__loader__":"MethodNode","__module__":"a","__class__":"b","content":{"func":"f","obj":{"__module__":"a","bit_generator":{}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := scan(t, "schema.json", data, archive{})
		if strings.Contains(told(r), "scanner-fault") {
			t.Fatal("it stopped in the middle")
		}
	})
}
