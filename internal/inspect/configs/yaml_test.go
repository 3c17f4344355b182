package configs

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// honest are documents as real programs write or people keep them.
var honest = map[string]string{
	"params":   "train:\n  rate: 0.1\n  layers: [1, 2]\nname: \"a: b\"\nempty:\n",
	"compose":  "services:\n  web:\n    image: nginx:1\n    ports: [\"80:80\"]\n    environment:\n      - A=${HOME:-x}\n    command: >-\n      sh -c 'echo !hello'\n",
	"workflow": "on:\n  push:\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: |\n          echo ${{ github.ref }} && python -c 'import os'\n",
	"anchors":  "base: &b\n  a: 1\nx:\n  <<: *b\n  c: 2\ny:\n  <<: *b\n",
	"many":     "---\na: 1\n---\nb: 2\n...\n",
	"tags":     "a: !!str 1\nb: !!binary aGVsbG8=\nc: !!python/tuple [1, 2]\nd: !!set {a, b}\n",
	"cloud":    "Resources:\n  A:\n    Value: !Ref B\n    Other: !Sub \"${AWS::Region}-x\"\n    Third: !GetAtt A.Arn\n",
	"conda":    "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=23\n- pip:\n  - mlflow==2.9\nname: mlflow-env\n",
	"template": "{{- if .Values.a }}\na: {{ .Values.b }}\n{{ end }}\n",
	"notes":    "just text, nothing else",
	"json":     `{"a": [1, 2, {"b": "c"}], "d": null}`,
	"empty":    "",
	"comment":  "# !!python/object is bad, _target_ too\na: 1\n",
	"dvc":      "stages:\n  train:\n    cmd: python train.py\n    deps: [train.py]\n    outs:\n    - model\n",
}

// nemo is a configuration as it lies in a .nemo file, cut short.
const nemo = `sample_rate: 16000
train_ds:
  manifest_filepath: ???
  batch_size: 32
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  sample_rate: ${sample_rate}
encoder:
  _target_: nemo.collections.asr.modules.ConformerEncoder
  feat_in: ${model.preprocessor.features}
decoder:
  _target_: nemo.collections.asr.modules.ConvASRDecoder
optim:
  name: adamw
target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE
nemo_version: 1.20.0
`

// mlflow is an MLmodel file as mlflow.sklearn writes it.
const mlflow = `artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.3.2
mlflow_version: 2.9.2
model_uuid: 0b4e
utc_time_created: '2026-01-01 00:00:00.000000'
`

func TestYAMLHonest(t *testing.T) {
	for name, doc := range honest {
		r := scan(t, name+".yaml", []byte(doc), nil)
		if r.Verdict != inspect.Inert || doc != "" && r.Formats[0] != "yaml" {
			t.Errorf("%s: %s as %v", name, told(r), r.Formats)
			explain(t, r)
		}
	}
	for name, doc := range map[string]string{"model_config.yaml": nemo, "MLmodel": mlflow, "hydra.yaml": "_target_: torch.optim.Adam\nlr: 0.1\n_partial_: true\n"} {
		if r := scan(t, name, []byte(doc), nil); r.Verdict != inspect.Allowed {
			t.Errorf("%s: %s", name, told(r))
			explain(t, r)
		}
	}
}

// TestYAMLLarge wants a document of any size to pass that is surely plain, and
// one not to that may not be.
func TestYAMLLarge(t *testing.T) {
	plain := strings.Repeat("key: [1, 2, 3]\nother: text! a != b, ${x} \\d\\u2028\n", 20_000)
	if r := scan(t, "a.yaml", []byte(plain), nil); r.Verdict != inspect.Inert {
		t.Errorf("plain: %s", told(r))
	}
	if r := scan(t, "a.yaml", []byte(plain+"x: !!python/object/apply:os.system [id]\n"), nil); r.Verdict != inspect.Inconclusive {
		t.Errorf("active: %s", told(r))
	}
	for _, cut := range []int{1, 5, 10, 20} { // at the seam of two readings
		at := 32<<10 - cut
		doc := strings.Repeat("#", at-1) + "\n_target_: os.system\n" + plain
		if r := scan(t, "a.yaml", []byte(doc), nil); r.Verdict != inspect.Inconclusive {
			t.Errorf("at the seam: %s", told(r))
		}
	}
}

func TestYAMLHostile(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{"a: !!python/object/apply:os.system [id]\n", "malicious yaml-tag"},
		{"a: !!python/object/new:type [x]\n", "malicious yaml-tag"},
		{"a: !!python/object:mine.Thing {}\n", "malicious yaml-tag"},
		{"a: !!python/name:os.system\n", "malicious yaml-tag"},
		{"a: !!python/module:os\n", "malicious yaml-tag"},
		{"- !!python/object/apply:subprocess.Popen\n  - id\n", "malicious yaml-tag"},
		{"a: !<tag:yaml.org,2002:python/object/apply:os.system> [id]\n", "malicious yaml-tag yaml-tag"},
		{"%TAG !e! tag:yaml.org,2002:python/object/apply:\n---\na: !e!os.system [id]\n", "malicious yaml-tag yaml-tag"},
		{"%TAG !e! tag:example.org:\n---\na: !e!x [id]\n", "suspicious yaml-tag"},
		{"a: !!pyth%6fn/object/apply:os.system [id]\n", "suspicious yaml-tag"},
		{"? !!python/object/apply:os.system [id]\n: 1\n", "suspicious broken"},
		{"a: &x !!python/object/apply:os.system [id]\nb: *x\n", "malicious yaml-tag"},
		{"a: 1\n---\nb: !!python/object/apply:os.system [id]\n", "malicious yaml-tag"},
		{"a: 1 #\u2028_target_: os.system\n", "suspicious yaml-lines"},
		{"a: 1 #\r_target_: os.system\n", "malicious yaml-target yaml-lines"},
		{"a: !include /etc/passwd\n", "suspicious yaml-tag"},
		{"a: !ENV ${HOME}\n", "suspicious yaml-tag"},
		{"a: !new:os.system\n  command: id\n", "malicious yaml-target"},
		{"a: !apply:mine.f [1]\n", "suspicious yaml-target"},
		{"a: !name:torch.nn.ReLU\n", "allowed"},

		{"chat_template: \"{{ a.__class__ }}\"\n", "malicious chat-template-code"},
		{"m:\n  - chat_template: |\n      {% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}\n", "malicious chat-template-code chat-template-code"},
		{"chat_template:\n  - {name: a, template: '{{ a.__class__ }}'}\n", "malicious chat-template-code"},
		{"a: &t '{{ a.__class__ }}'\nmy_chat_template: *t\n", "malicious chat-template-code"},
		{"chat_template: '{% for'\n", "suspicious chat-template-syntax"},
		{"chat_template: '{{ messages }}'\n", "allowed chat-template"},
		{"chat_template: chatml\n", "inert"},

		{"m:\n  _target_: os.system\n  command: id\n", "malicious yaml-target"},
		{"m: [{_target_: subprocess.Popen, args: [id]}]\n", "malicious yaml-target"},
		{"m:\n  \"_target_\": builtins.exec\n", "malicious yaml-target"},
		{"m:\n  \"\\x5ftarget\\u005f\": builtins.eval\n", "malicious yaml-target"},
		{"m:\n  _target_: eval\n", "malicious yaml-target"},
		{"m:\n  _target_: mine.Model\n", "suspicious yaml-target"},
		{"m:\n  _target_: torch.load\n", "malicious yaml-target"},
		{"m:\n  _target_: torch.nn.Linear.__init__.__globals__\n", "suspicious yaml-target"},
		{"m:\n  _target_: nemo.collections.asr.models.ASRModel.restore_from\n", "suspicious yaml-target"},
		{"m:\n  _target_: ${x}\nx: os.system\n", "suspicious yaml-target"},
		{"x: &t os.system\nm:\n  _target_: *t\n", "malicious yaml-target"},
		{"m:\n  _target_: [os.system]\n", "suspicious yaml-target"},
		{"m:\n  _target_: |-\n    os.system\n", "malicious yaml-target"},
		{"m:\n  ? _target_\n  : os.system\n", "malicious yaml-target"},
		{"m:\n  &k _target_: os.system\n", "malicious yaml-target"},
		{"m:\n  !!str _target_: os.system\n", "malicious yaml-target"},
		{"k: &k _target_\nm:\n  *k : os.system\n", "malicious yaml-target"},
		{"{m: {\"_target_\":os.system}}", "malicious yaml-target"},
		{"class_path: os.system\n", "malicious yaml-target"},
		{"a: ${oc.env:SECRET}\n", "suspicious yaml-resolver"},
		{"a: \"x${oc.decode:${oc.env:X}}\"\n", "suspicious yaml-resolver yaml-resolver"},
		{"a: 1\nb: 2\na: 3\n", "suspicious yaml-twice"},
		{"m:\n  _target_: torch.optim.Adam\n  _target_: os.system\n", "malicious yaml-target yaml-twice"},
		{"_target_: os.system\n\tx", "suspicious broken"},
	} {
		r := scan(t, "model_config.yaml", []byte(c.doc), nil)
		if got := told(r); got != c.want {
			t.Errorf("%q: %s, want %s", c.doc, got, c.want)
			explain(t, r)
		}
	}
	for doc, want := range map[string]string{
		strings.ReplaceAll(mlflow, "mlflow.sklearn", "mine.loader"):         "suspicious mlflow-code",
		strings.ReplaceAll(mlflow, "mlflow.sklearn", "mlflow.pyfunc.model"): "suspicious mlflow-code",
		strings.ReplaceAll(mlflow, "code: null", "code: code"):              "suspicious mlflow-code",
	} {
		if r := scan(t, "MLmodel", []byte(doc), nil); told(r) != want {
			t.Errorf("%s: %s", want, told(r))
			explain(t, r)
		}
	}
}

// TestYAMLOtherEncodings wants UTF-16, which PyYAML reads, not to pass.
func TestYAMLOtherEncodings(t *testing.T) {
	doc := "\xff\xfea\x00:\x00 \x001\x00"
	if r := scan(t, "a.yaml", []byte(doc), nil); r.Verdict.Passes() {
		t.Error(told(r))
	}
}

// TestYAMLBombs wants documents that grow when they are followed, or nest, to
// be done in a moment.
func TestYAMLBombs(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 40; i++ {
		p := string(rune('a'+i%26)) + strings.Repeat("z", i)
		q := "a0"
		if i > 1 {
			q = string(rune('a'+(i-1)%26)) + strings.Repeat("z", i-1)
		}
		laughs.WriteString(p + ": &" + p + " [*" + q + ", *" + q + "]\n")
	}
	if r := scan(t, "a.yaml", []byte(laughs.String()), nil); r.Verdict != inspect.Inert {
		t.Errorf("laughs: %s", told(r))
	}
	for _, doc := range []string{strings.Repeat("[", 50_000), strings.Repeat("- ", 30_000) + "a", strings.Repeat("{a: ", 20_000), "_target_: &a *a\n", "a: &a [*a]\n"} {
		scan(t, "a.yaml", []byte(doc), nil)
	}
}

func FuzzYAML(f *testing.F) {
	for _, doc := range honest {
		f.Add([]byte(doc))
	}
	f.Add([]byte(nemo))
	f.Add([]byte(mlflow))
	f.Add([]byte("a: !!python/object/apply:os.system [id]\n? *b\n: &b !x y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := scan(t, "a.yaml", data, nil)
		if strings.Contains(told(r), "scanner-fault") {
			t.Fatal("it stopped in the middle")
		}
	})
}
