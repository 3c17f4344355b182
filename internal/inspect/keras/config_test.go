package keras

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/sallyport/sallyport/internal/inspect"
)

// model puts a layer into a configuration.
func model(layer string) string {
	return `{"module":"keras","class_name":"Sequential","config":{"name":"s","layers":[` + layer + `]},"registered_name":null}`
}

// call is an object that names a function.
func call(module, name string) string {
	return `{"module":"` + module + `","class_name":"function","config":"` + name + `","registered_name":"` + name + `"}`
}

// TestConfig judges configurations written by hand: those of old versions that
// must pass, and every known way to name code.
func TestConfig(t *testing.T) {
	dense := `{"class_name":"Dense","config":{"units":1,"activation":"relu"}}`
	for _, c := range []struct{ name, text, want string }{
		// Keras 2 and tf.keras.
		{"keras 2", `{"class_name":"Model","config":{"layers":[` + dense + `]},"keras_version":"2.2.4","backend":"tensorflow"}`, "allowed"},
		{"tf.keras 2.11", `{"class_name":"Functional","config":{"layers":[{"class_name":"TFOpLambda","config":{"name":"m","function":"math.multiply"},"inbound_nodes":[["a",0,0,{"y":2}]]},{"class_name":"SlicingOpLambda","config":{"function":"__operators__.getitem"}}]}}`, "allowed"},
		{"tf.keras 2.15", `{"module":"keras.src.engine.functional","class_name":"Functional","config":{"layers":[{"module":"keras.layers","class_name":"Dense","config":{"kernel_initializer":{"module":"keras.initializers","class_name":"GlorotUniform","config":{"seed":null},"registered_name":null}},"registered_name":null}]},"registered_name":"Functional"}`, "allowed"},
		{"shapes", model(`{"class_name":"Dense","config":{},"build_config":{"input_shape":{"class_name":"__tuple__","items":[null,2]}}}`), "allowed"},
		{"type spec", model(`{"class_name":"InputLayer","config":{"type_spec":{"class_name":"__typespec__","spec_name":"RaggedTensorSpec","module":"tensorflow.python.ops.ragged.ragged_tensor","config":[[null],"float32"],"registered_name":null}}}`), "allowed"},
		{"words", model(`{"module":"keras.layers","class_name":"TextVectorization","config":{"vocabulary":["a","/b"],"standardize":"lower"},"registered_name":null}`), "allowed"},
		{"keras hub", `{"module":"keras_hub.src.models.gemma.gemma_backbone","class_name":"GemmaBackbone","config":{"vocabulary_size":2},"registered_name":"keras_hub>GemmaBackbone"}`, "allowed"},
		{"loss", model(`{"class_name":"Dense","config":{},"compile_config":{"loss":` + call("builtins", "mse") + `}}`), "allowed"},
		{"specification", model(`{"class_name":"Dense","config":{},"input_spec":{"class_name":"InputSpec","config":{"axes":{"-1":4}},"shared_object_id":3}}`), "allowed"},
		{"plain names", model(`{"class_name":"Dense","config":{}}`)[:1] + `"compile_config":{"optimizer":"RMSprop","loss":{"a":"mse","b":["MeanSquaredError","mean_squared_error"]},"loss_weights":["x"],"metrics":[["acc"],["AUC","binary_io_u","f1_score"]],"weighted_metrics":null},` + model(dense)[1:], "allowed"},
		{"names in classes", `{"class_name":"Sequential","config":{},"training_config":{"loss":"auto","metrics":[[{"config":{"name":"mine","fn":"x"},"class_name":"MeanMetricWrapper"}]]}}`, "allowed"},
		{"ragged", model(`{"class_name":"InstanceMethod","config":{"method_name":"to_tensor"}}`), "allowed"},

		// Lambda in every coat.
		{"lambda of keras 2", model(`{"class_name":"Lambda","config":{"function":["4wEAAAA=",null,null],"function_type":"lambda"}}`), "malicious keras-lambda"},
		{"lambda of keras 3", model(`{"module":"keras.layers","class_name":"Lambda","config":{"function":{"class_name":"__lambda__","config":{"code":"4wE="}}},"registered_name":null}`), "malicious keras-lambda keras-lambda"},
		{"lambda with the class last", model(`{"config":{"function":["4wEAAAA=",null,null]},"class_name":"Lambda"}`), "malicious keras-lambda"},
		{"lambda in a wrapper", model(`{"class_name":"TimeDistributed","config":{"layer":{"class_name":"Lambda","config":{"function":["4w==",null,null]}}}}`), "malicious keras-lambda"},
		{"lambda in an unknown key", `{"class_name":"Sequential","config":{},"x":[[{"y":{"class_name":"__lambda__","config":{"value":"4w=="}}}]]}`, "malicious keras-lambda"},
		{"lambda by escapes", model(`{"cl\u0061ss_name":"L\u0061mbda","config":{"function":["4w==",null,null]}}`), "malicious keras-lambda"},
		{"lambda by name", model(`{"class_name":"Lambda","config":{"function":"mine","function_type":"function"}}`), "suspicious keras-lambda"},
		{"lambda of the system", model(`{"class_name":"Lambda","config":{"function":"os.system","module":"os"}}`), "malicious keras-lambda"},
		{"lambda without anything", model(`{"class_name":"Lambda","config":null}`), "suspicious keras-lambda"},
		{"registered lambda", model(`{"module":"keras.src.layers.core.lambda_layer","class_name":"Lambda","config":{"function":["4w=="]},"registered_name":"Lambda"}`), "malicious keras-lambda"},

		{"module of a value", model(`{"module":"os","class_name":"TensorShape","config":{}}`), "malicious keras-class"},

		// Names of losses and such.
		{"loss by name", `{"class_name":"Sequential","config":{},"compile_config":{"loss":"mine"}}`, "suspicious keras-function"},
		{"loss by output", `{"class_name":"Sequential","config":{},"compile_config":{"loss":{"out":["mse","mine"]}}}`, "suspicious keras-function"},
		{"metric by name", `{"compile_config":{"metrics":[["acc"],["mine"]]},"class_name":"Sequential","config":{}}`, "suspicious keras-function"},
		{"optimizer by name", model(`{"class_name":"Dense","config":{},"compile_config":{"optimizer":"os.system"}}`), "malicious keras-function"},

		// Modules, classes, functions.
		{"CVE-2025-1550", model(`{"module":"os","class_name":"function","config":"system","registered_name":"system"}`), "malicious keras-function"},
		{"CVE-2025-1550 run", model(`{"module":"subprocess","class_name":"run","config":{"args":["id"]},"registered_name":null}`), "malicious keras-class"},
		{"CVE-2025-8747", model(call("keras.utils", "get_file")), "malicious keras-function"},
		{"CVE-2025-8747 inside", model(call("keras.src.utils.file_utils", "get_file")), "malicious keras-function"},
		{"CVE-2025-8747 dotted", model(call("keras", "utils.get_file")), "malicious keras-function"},
		{"CVE-2025-9906", model(call("keras.config", "enable_unsafe_deserialization")), "malicious keras-function"},
		{"load model", model(call("keras.models", "load_model")), "malicious keras-function"},
		{"load model as a class", model(`{"module":"keras.models","class_name":"load_model","config":{},"registered_name":null}`), "malicious keras-class"},
		{"builtins", model(call("builtins", "exec")), "suspicious keras-function"},
		{"builtins eval as a class", model(`{"module":"builtins","class_name":"eval","config":{},"registered_name":null}`), "malicious keras-class"},
		{"numpy", model(call("numpy", "load")), "malicious keras-function"},
		{"unknown numpy", model(call("numpy", "vectorize")), "suspicious keras-function"},
		{"activation of elsewhere", model(call("os", "relu")), "malicious keras-function"},
		{"main", model(`{"module":"__main__","class_name":"Mine","config":{},"registered_name":"Custom>Mine"}`), "suspicious keras-class"},
		{"custom of keras 2", model(`{"class_name":"Custom>Mine","config":{}}`), "suspicious keras-class"},
		{"registered in place", model(`{"module":"keras.layers","class_name":"Dense","config":{},"registered_name":"Custom>Evil"}`), "suspicious keras-class"},
		{"wrong module", model(`{"module":"mine.layers","class_name":"Dense","config":{},"registered_name":null}`), "suspicious keras-class"},
		{"module that is none", model(`{"module":["os"],"class_name":"Dense","config":{},"registered_name":null}`), "suspicious keras-class"},
		{"class that is none", model(`{"module":"keras.layers","class_name":["Dense"],"config":{}}`), "suspicious keras-class"},
		{"function in an initializer", model(`{"class_name":"Dense","config":{"kernel_initializer":` + call("os", "system") + `}}`), "malicious keras-function"},
		{"function in compile", model(`{"class_name":"Dense","config":{},"compile_config":{"loss":` + call("shutil", "rmtree") + `}}`), "malicious keras-function"},
		{"function in inbound nodes", model(`{"class_name":"Dense","config":{},"inbound_nodes":[{"args":[` + call("os", "system") + `],"kwargs":{}}]}`), "malicious keras-function"},
		{"standardize", model(`{"class_name":"TextVectorization","config":{"standardize":` + call("builtins", "mine") + `}}`), "suspicious keras-function"},
		{"type spec of elsewhere", model(`{"class_name":"__typespec__","spec_name":"system","module":"os","config":[],"registered_name":null}`), "malicious keras-class"},
		{"torch", model(`{"module":"keras.layers","class_name":"TorchModuleWrapper","config":{"module":{"class_name":"__tensor__"}},"registered_name":null}`), "malicious keras-class"},
		{"saved model", model(`{"module":"keras.layers","class_name":"TFSMLayer","config":{"filepath":"/tmp/m"},"registered_name":null}`), "malicious keras-path keras-class"},
		{"jax", model(`{"module":"keras.layers","class_name":"JaxLayer","config":{},"registered_name":null}`), "malicious keras-class"},
		{"list at the top", `[{"module":"os","class_name":"system","config":{},"registered_name":null}]`, "malicious keras-class"},
		{"below the top", `{"a":{"module":"os","class_name":"system","config":{},"registered_name":null}}`, "malicious keras-class"},

		// Functions of TensorFlow.
		{"write file", model(`{"class_name":"TFOpLambda","config":{"function":"io.write_file"}}`), "malicious keras-function"},
		{"py_function", model(`{"class_name":"TFOpLambda","config":{"function":"py_function"}}`), "malicious keras-function"},
		{"raw", model(`{"class_name":"TFOpLambda","config":{"function":"raw_ops.WriteFile"}}`), "malicious keras-function"},
		{"unknown op", model(`{"class_name":"TFOpLambda","config":{"function":"map_fn"}}`), "suspicious keras-function"},
		{"no op", model(`{"class_name":"TFOpLambda","config":{}}`), "suspicious keras-function"},
		{"method", model(`{"class_name":"InstanceMethod","config":{"method_name":"__reduce__"}}`), "suspicious keras-function"},
		{"class method", model(`{"class_name":"ClassMethod","config":{"cls_ref":"io","method_name":"from_tensor"}}`), "suspicious keras-function"},

		// Files that layers read.
		{"CVE-2025-12058", model(`{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"/etc/passwd"},"registered_name":null}`), "malicious keras-path"},
		{"vocabulary of the net", model(`{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"http://169.254.169.254/x"},"registered_name":null}`), "malicious keras-path"},
		{"vocabulary above", model(`{"class_name":"IntegerLookup","config":{"vocabulary":"../v.txt"}}`), "malicious keras-path"},
		{"vocabulary beside", model(`{"class_name":"TextVectorization","config":{"vocabulary":"v.txt"}}`), "suspicious keras-path"},

		// What readers may understand differently.
		{"key twice", `{"class_name":"Sequential","config":{},"config":{"layers":[]}}`, "suspicious broken"},
		{"cut short", `{"class_name":"Sequential","config":{"layers":[`, "suspicious broken"},
		{"byte order mark", "\xef\xbb\xbf" + model(dense), "suspicious broken"},
		{"half a surrogate first", `{"\ud800":1,"class_name":"Sequential","config":{}}`, "suspicious broken"},

		{"too deep first", `{"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `,"class_name":"Lambda","config":{}}`, "inconclusive limit"},

		// Not of Keras.
		{"other json", `{"model_type":"bert","layers":[1,2,{"class_name":"x"}]}`, "inert"},
		{"broken json", `{"a":`, "inert"},
		{"lines of json", `{"class_name":"a","n":1}` + "\n" + `{"class_name":"b"}`, "inert"},
		{"text", "hello", "inert"},
	} {
		r := scan(t, "model.json", []byte(c.text), nil)
		if got := told(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
			for _, f := range r.Findings {
				t.Logf("%s %s: %s", f.Member, f.What, f.Why)
			}
		}
	}
}

// TestUTF16 wants a configuration in an encoding that Python's reader takes not
// to pass as text.
func TestUTF16(t *testing.T) {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(model(`{"class_name":"Lambda","config":{}}`))) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	if r := scan(t, "config.json", b.Bytes(), nil); r.Verdict.Passes() {
		t.Error(told(r))
	}
}

// weights is a folder with the weights of a model in it.
type weights struct{}

func (weights) Lookup(name string) (inspect.Entry, bool) {
	return inspect.Entry{Regular: true}, name == "model.weights.h5"
}
func (weights) Names() []string                    { return []string{"model.weights.h5"} }
func (weights) Open(string) (*inspect.File, error) { return nil, fs.ErrNotExist }

// TestBeside wants the configuration beside weights to be judged also where it
// does not look like one: the loader makes objects of all that it holds.
func TestBeside(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":{"class_name":"Evil","config":{}}}`: "suspicious keras-class",
		`{"a":`:           "suspicious broken",
		`{"hidden": 12}`:  "inert",
		model(`{"a":{}}`): "allowed",
	} {
		if got := told(scan(t, "config.json", []byte(text), weights{})); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestWithoutRefused wants every verdict to stand, if milder, without the list
// of what is surely bad.
func TestWithoutRefused(t *testing.T) {
	old := refusedText
	defer func() { refusedText = old }()
	refusedText = ""
	for _, layer := range []string{call("os", "system"), call("keras.utils", "get_file"), call("builtins", "exec"),
		`{"module":"subprocess","class_name":"run","config":{},"registered_name":null}`,
		`{"class_name":"TFOpLambda","config":{"function":"io.write_file"}}`} {
		if r := scan(t, "config.json", []byte(model(layer)), nil); r.Verdict != inspect.Suspicious {
			t.Errorf("%s: %s", layer, told(r))
		}
	}
}

// TestLists checks the lists against each other: nothing that is refused may be
// allowed.
func TestLists(t *testing.T) {
	l := known()
	if len(l.classes) < 1000 || len(l.functions) < 50 || len(l.tfops) < 500 {
		t.Errorf("%d classes, %d functions, %d operations", len(l.classes), len(l.functions), len(l.tfops))
	}
	for name := range l.tfops {
		if refused("tensorflow." + name) {
			t.Errorf("tensorflow.%s is both", name)
		}
	}
	for _, name := range []string{"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "get_file", "load_model"} {
		if _, ok := l.classes[name]; ok || l.functions[name] {
			t.Errorf("%s is allowed", name)
		}
	}
}

// FuzzKerasConfig wants every text to be judged in good order, and one that
// names a Lambda layer where all can see never to pass.
func FuzzKerasConfig(f *testing.F) {
	f.Add([]byte(model(call("os", "system"))))
	f.Add([]byte(model(`{"class_name":"Lambda","config":{"function":["4w==",null,null]}}`)))
	f.Add([]byte(`[{"class_name":"Dense","config":{"vocabulary":"x"}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := inspect.Scanner{Readings: Readings[1:]}
		r, err := s.Scan(t.Context(), "config.json", bytes.NewReader(data), int64(len(data)), weights{}, nil)
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		for _, found := range r.Findings {
			if found.Rule.ID == "scanner-fault" {
				t.Fatal("it stopped in the middle")
			}
		}
		if strings.HasPrefix(string(data), `{"class_name":"Lambda","config":{`) && r.Verdict.Passes() {
			t.Fatalf("it passes as %s", r.Verdict)
		}
	})
}
