package project

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

const params = `# seeds
seed: 7          # of everything
split: {test: 0.2, by: "patient"}
model:
  depth: 3
  rate: 1.0e-02  # learning rate
  layers:
    - 64
    - 32
  name: 'it''s "ü"'   # quoted
  early: true
  warm:
`

func TestSetParams(t *testing.T) {
	for _, tc := range []struct{ set, old, new string }{
		{"seed=8", "seed: 7 ", "seed: 8 "},
		{"seed=0.5", "seed: 7 ", "seed: 0.5 "},
		{"split.test=.3", "0.2", "0.3"},
		{"split.by=site", `"patient"`, `"site"`},
		{"split.by=1.10", `"patient"`, `"1.10"`},
		{"model.rate=1e-5", "1.0e-02", "1.0e-05"},
		{"model.layers.1=16", "- 32", "- 16"},
		{`model.name=a "b" \ # c=d`, `'it''s "ü"'`, `"a \"b\" \\ # c=d"`},
		{"model.early=false", "true", "false"},
		{"model.warm=3", "warm:", "warm: 3"},
	} {
		got, err := SetParams([]byte(params), []string{tc.set})
		if want := strings.Replace(params, tc.old, tc.new, 1); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", tc.set, err, got)
		}
	}
	got, err := SetParams([]byte(`{"a": {"b": "x"}, "c": [1, 2.5]}`), []string{"a.b=y", "c.1=3", "a.b=z"})
	if want := `{"a": {"b": "z"}, "c": [1, 3]}`; err != nil || string(got) != want {
		t.Errorf("JSON: %s, %v", got, err)
	}
}

func TestSetParamsMistakes(t *testing.T) {
	for set, want := range map[string]string{
		"seed":              "write --set model.depth=3",
		"sede=3":            "did you mean seed?",
		"model.dept=3":      "did you mean model.depth?",
		"model=3":           "model.",
		"model.depth=three": "",
		"model.early=1":     "",
		"seed=NaN":          "",
		"split.by=a\nb: c":  "",
	} {
		_, err := SetParams([]byte(params), []string{set})
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != sallyport.Usage || !strings.Contains(e.Mend, want) {
			t.Errorf("%s: %v, try %v, want %q", set, err, e, want)
		}
	}
	for _, file := range []string{"a: |\n  x\n  y\n", "a: &x 1\nb: 2\n", "a: x\n  y\n"} {
		if got, err := SetParams([]byte(file), []string{"a=z"}); err == nil {
			t.Errorf("%q became %q", file, got)
		}
	}
}

func TestReadMetrics(t *testing.T) {
	want := Metrics{
		Values:    map[string]float64{"auc.mean": 0.75, "auc.ci.0": 0.7, "auc.ci.1": 0.8, "n": 4259, "ok": 1, "bad": 0, "tiny": 1e-5},
		NotFinite: map[string]string{"loss": "nan", "up": "+inf", "down": "-inf"},
	}
	for file, text := range map[string]string{
		"m.json": `{"auc": {"mean": 0.75, "ci": [0.7, 0.8]}, "n": 4259, "ok": true, "bad": false, "tiny": 1e-5,
			"loss": NaN, "up": Infinity, "down": -Infinity, "none": null}`,
		"m.yaml": "auc:\n  mean: 0.75\n  ci: [0.7, 0.8]\nn: 4259\nok: true\nbad: false\ntiny: 1e-5\nloss: .nan\nup: .inf\ndown: -.inf\nnone: null\n",
	} {
		if got, err := ReadMetrics(file, []byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", file, got, err)
		}
	}
}

// What a stage could smuggle out, or hurt its reader with, is refused, and the
// refusal itself gives away neither key nor value.
func TestMetricsMistakes(t *testing.T) {
	many := "{" + strings.Repeat(`"a": 1, `, maxValues) + `"b": 1}`
	lots := make([]string, maxValues+1)
	for i := range lots {
		lots[i] = "1"
	}
	for name, tc := range map[string]struct {
		file, text, place string
		kind              sallyport.Kind
	}{
		"a text":            {"m.json", "{\"a\": 1,\n \"secret\": \"secret\"}", "m.json:2", sallyport.Invalid},
		"a text in YAML":    {"m.yaml", "a: 1\nsecret: secret\n", "m.yaml:2", sallyport.Invalid},
		"a marked text":     {"m.json", `{"a": "\u0000secret"}`, "m.json:1", sallyport.Invalid},
		"twice":             {"m.json", "{\"secret\": 1,\n\"secret\": 1}", "m.json:2", sallyport.Invalid},
		"twice by dots":     {"m.json", "{\"secret.x\": 1,\n\"secret\": {\"x\": 1}}", "m.json:2", sallyport.Invalid},
		"twice in YAML":     {"m.yaml", "secret: 1\nsecret: 2\n", "m.yaml:2:1", sallyport.Invalid},
		"not JSON":          {"m.json", `{"secret": 1`, "m.json:1", sallyport.Invalid},
		"more than one":     {"m.json", `{"secret": 1} {}`, "m.json:1", sallyport.Invalid},
		"a bare number":     {"m.json", "1", "m.json:1", sallyport.Invalid},
		"a bare YAML value": {"m.yml", "secret", "m.yml:1", sallyport.Invalid},
		"out of range":      {"m.json", `{"secret": 1e999}`, "m.json:1", sallyport.Invalid},
		"deep":              {"m.json", strings.Repeat("[", 1000), "m.json:1", sallyport.Invalid},
		"deep YAML":         {"m.yaml", "secret: " + strings.Repeat("[", 1000), "m.yaml:1", sallyport.Invalid},
		"same key galore":   {"m.json", many, "m.json:1", sallyport.Invalid},
		"many":              {"m.json", `{"a": [` + strings.Join(lots, ",") + "]}", "m.json:1", sallyport.Limit},
		"huge":              {"m.json", strings.Repeat(" ", maxValueBytes+1), "m.json", sallyport.Limit},
		"an alias":          {"m.yaml", "a: &x 1\nsecret: *x\n", "m.yaml:1", sallyport.Invalid},
		"a control key":     {"m.json", `{"\u001b[2Jsecret": 1}`, "m.json:1", sallyport.Invalid},
		"a long key":        {"m.json", `{"` + strings.Repeat("secret", 100) + `": 1}`, "m.json:1", sallyport.Invalid},
		"not UTF-8":         {"m.json", "{\"secret\xff\": 1}", "m.json", sallyport.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadMetrics("metrics/"+tc.file, []byte(tc.text))
			e, ok := errors.AsType[*sallyport.Error](err)
			if !ok || e.Kind != tc.kind || e.Place != tc.place {
				t.Fatalf("got %v, want kind %v at %s", err, tc.kind, tc.place)
			}
			if strings.Contains(e.Error()+e.Mend, "secret") {
				t.Errorf("the error repeats what it read: %v", err)
			}
		})
	}
}

func TestReadParams(t *testing.T) {
	got, err := ReadParams("params.yaml", []byte(params+"date: 2024-01-01\nnan: .nan\nbig: 18446744073709551615\n10: ten\ntext: |\n  two\n"))
	want := map[string]any{"seed": int64(7), "split.test": 0.2, "split.by": "patient", "model.depth": int64(3), "model.rate": 0.01,
		"model.layers.0": int64(64), "model.layers.1": int64(32), "model.name": `it's "ü"`, "model.early": true, "model.warm": nil,
		"date": "2024-01-01", "nan": "nan", "big": float64(math.MaxUint64), "10": "ten", "text": "two\n"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %v\nwant %v", err, got, want)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}

// Python writes the metrics files that people have; its json module, with every
// number that it can write, is the oracle.
func TestPythonMetrics(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 here, so its json module was not compared with")
	}
	out, err := exec.Command(python, "-c", `
import json
print(json.dumps({"a": float("nan"), "b": [float("inf"), -float("inf")], 'NaN "q\\': 5e-324, "Infinity": 1.7976931348623157e308,
                  "é": -0.0, "t": True, "big": 2**53}, indent=1))`).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadMetrics("m.json", out)
	want := Metrics{map[string]float64{`NaN "q\`: 5e-324, "Infinity": math.MaxFloat64, "é": 0, "t": 1, "big": 1 << 53},
		map[string]string{"a": "nan", "b.0": "+inf", "b.1": "-inf"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzReadValues(f *testing.F) {
	f.Add("m.json", []byte(`{"a": {"b": [1, NaN, "x"]}, "c": -Infinity}`))
	f.Add("m.yaml", []byte(params))
	f.Add("m.yml", []byte("a: [1, {b: .inf}]\n"))
	f.Fuzz(func(t *testing.T, file string, b []byte) {
		if m, err := ReadMetrics(file, b); err == nil {
			if len(m.Values)+len(m.NotFinite) > maxValues {
				t.Fatal("too many values")
			}
			if _, err := json.Marshal(m); err != nil {
				t.Fatal(err)
			}
		}
		p, err := ReadParams(file, b)
		if err != nil {
			return
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
	})
}

// Setting any one parameter changes it and nothing else, or is refused.
func FuzzSetParams(f *testing.F) {
	f.Add([]byte(params), "8")
	f.Add([]byte(`{"a": {"b": "x"}, "c": [1, 2]}`), "true")
	f.Add([]byte("a:\n  b:   # none\nc: 'x' \n"), `"q" # \`)
	f.Fuzz(func(t *testing.T, b []byte, value string) {
		before, err := ReadParams("params.yaml", b)
		if err != nil || len(before) > 20 {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(before)) {
			out, err := SetParams(b, []string{key + "=" + value})
			if err != nil || strings.Contains(key, "=") {
				continue
			}
			after, err := ReadParams("params.yaml", out)
			if err != nil {
				t.Fatalf("%s=%s: %v in %q", key, value, err, out)
			}
			delete(after, key)
			rest := maps.Clone(before)
			delete(rest, key)
			if !reflect.DeepEqual(after, rest) {
				t.Fatalf("setting %q changed more: %q", key, out)
			}
		}
	})
}
