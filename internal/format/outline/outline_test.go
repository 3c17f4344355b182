package outline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/sallyport/sallyport/internal/format"
)

// value is a node as the values that others make of it, every one a text.
func value(n *Node) any {
	switch n.Kind {
	case List:
		out := []any{}
		for i := range n.Nodes {
			out = append(out, value(&n.Nodes[i]))
		}
		return out
	case Map:
		out := map[string]any{}
		for i := range n.Nodes {
			out[n.Nodes[i].Key] = value(&n.Nodes[i])
		}
		return out
	}
	return n.Text
}

// The values are those of PyYAML's BaseLoader, which makes a text of every
// scalar.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      `""`,
		"# nothing\n":                           `""`,
		"a":                                     `"a"`,
		"---\na: b\n...\n":                      `{"a":"b"}`,
		"\uFEFFa: b":                            `{"a":"b"}`,
		"a:\n- b\n- c\nd:\n  - e":               `{"a":["b","c"],"d":["e"]}`,
		"- a: b\n  c: d\n- e":                   `[{"a":"b","c":"d"},"e"]`,
		"-\n  a: b\n- - c\n  - d":               `[{"a":"b"},["c","d"]]`,
		"a: b # c\nd: e#f":                      `{"a":"b","d":"e#f"}`,
		"a:\nb: ~\nc: null":                     `{"a":"","b":"~","c":"null"}`,
		"a: one\n  two\n\n  three":              `{"a":"one two\nthree"}`,
		"a: 'it''s'\nb: \"\\x41\\n\"":           `{"a":"it's","b":"A\n"}`,
		"a: \"one \\\n  two\n  three\"":         `{"a":"one two three"}`,
		"\"a b\": c\n'd': e":                    `{"a b":"c","d":"e"}`,
		"a: [b, 'c', {d: e}, ]\nf: {g: [h], i}": `{"a":["b","c",{"d":"e"}],"f":{"g":["h"],"i":""}}`,
		"a: [\n  b, # c\n  d\n]\ne: f":          `{"a":["b","d"],"e":"f"}`,
		"a: |\n  b\n    c\n\n  d\ne: f":         `{"a":"b\n  c\n\nd\n","e":"f"}`,
		"a: |-\n  b\nc: >\n  d\n  e\n":          `{"a":"b","c":"d e\n"}`,
		"a: >-\n  b\n\n  c\n\n\n  d\n":          `{"a":"b\nc\n\nd"}`,
		"a: |+\n  b\n\nc: d":                    `{"a":"b\n\n","c":"d"}`,
		"a: http://b/c:d":                       `{"a":"http://b/c:d"}`,
		"a: -b\nc: ?d\ne: :f":                   `{"a":"-b","c":"?d","e":":f"}`,
		"a:\r\n- b\r\n- c\r\n":                  `{"a":["b","c"]}`,
		"- a\n    - b":                          `["a - b"]`,
	} {
		n, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, _ := json.Marshal(value(n)); string(got) != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

// What is not read is refused at its byte, never read as something else.
func TestRefused(t *testing.T) {
	for text, kind := range map[string]format.Kind{
		"a: ^&x b":                       format.Unsupported,
		"a: ^*x":                         format.Unsupported,
		"- ^!!python/object:os.system x": format.Unsupported,
		"^<<: a":                         format.Unsupported,
		"^? a\n: b":                      format.Unsupported,
		"%YAML 1.2\n---\na: b":           format.Unsupported,
		"a: b\n^---\nc: d":               format.Unsupported,
		"a: b\n^a: c":                    format.Broken,
		"a: {b: c, b: d^}":               format.Broken,
		"a: b\n  ^c: d":                  format.Broken,
		"a:\n    b: c\n  ^d: e":          format.Broken,
		"a: ^b: c":                       format.Broken,
		"a: [b, c^":                      format.Broken,
		"a: ^\"b":                        format.Broken,
		"a: 'b'^ c":                      format.Broken,
		"a: ^\"\\q\"":                    format.Broken,
		"a:\n^\t- b":                     format.Broken,
		"- a\n^b: c":                     format.Unsupported,
		"a\x00":                          format.Broken,
		"a\xff":                          format.Broken,
		"a^\rb":                          format.Unsupported,
		"a: b^\u2028c":                   format.Unsupported,
		"a: ^@b":                         format.Unsupported,
		"a: ^- b":                        format.Unsupported,
		"a: ^|2\n   b":                   format.Unsupported,
		strings.Repeat("[", 99):          format.Exceeded,
		strings.Repeat("- ", 99) + "a":   format.Exceeded,
		strings.Repeat("- ", 9e5):        format.Exceeded,
	} {
		at := strings.IndexByte(text, '^')
		_, err := Parse([]byte(strings.Replace(text, "^", "", 1)))
		if !format.Is(err, kind) {
			t.Errorf("%.40q: %v", text, err)
		} else if e := err.(*format.Error); at >= 0 && e.Off != int64(at) {
			t.Errorf("%q: %v, want byte %d", text, err, at)
		}
	}
}

func TestLines(t *testing.T) {
	n, err := Parse([]byte("# one\na:\n  - b\n  -\n    c: [d,\n      e]\nf: |\n  g\n\nh: i"))
	if err != nil {
		t.Fatal(err)
	}
	list := n.Get("a")
	c := list.Nodes[1].Get("c")
	if list.Line != 2 || list.Nodes[0].Line != 3 || list.Nodes[1].Line != 5 || c.Nodes[0].Line != 5 || c.Nodes[1].Line != 6 || n.Get("f").Line != 7 || n.Get("h").Line != 10 {
		t.Errorf("%+v", n)
	}
	if n.Get("x").Get("y") != nil || !n.Get("x").Null() || list.Get("a") != nil {
		t.Error("what is not there was found")
	}
}

// Another implementation reads the lists and locks of the tools' formats alike.
func TestOthersAgree(t *testing.T) {
	files, _ := filepath.Glob("../../lockfile/testdata/locks/*/*")
	read := 0
	for _, file := range files {
		if !strings.HasSuffix(file, ".yml") && filepath.Base(file) != "pixi.lock" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := yaml.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		n, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		same(t, file, n, want)
		read++
	}
	if read < 4 {
		t.Errorf("%d files", read)
	}
}

// same compares a node with what a library made of it. Numbers, truths and nulls
// are texts here.
func same(t *testing.T, at string, n *Node, want any) {
	t.Helper()
	switch want := want.(type) {
	case []any:
		if n.Kind != List || len(n.Nodes) != len(want) {
			t.Fatalf("%s: not the same list", at)
		}
		for i := range want {
			same(t, at, &n.Nodes[i], want[i])
		}
	case map[string]any:
		if len(want) == 0 && n.Kind != Map || len(n.Nodes) != len(want) {
			t.Fatalf("%s: not the same mapping", at)
		}
		for key, v := range want {
			same(t, at+" "+key, n.Get(key), v)
		}
	case string:
		if n.Kind != Text || n.Text != want {
			t.Errorf("%s: %q, want %q", at, n.Text, want)
		}
	case nil:
		if !n.Null() {
			t.Errorf("%s: %q, want nothing", at, n.Text)
		}
	default:
		if n.Kind != Text || n.Quoted {
			t.Errorf("%s: %+v, want %v", at, n, reflect.TypeOf(want))
		}
	}
}

// FuzzParse wants whatever is read to be written as JSON, which is YAML too, and
// read again as the same.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../lockfile/testdata/locks/*/*.yml")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(string(b[:min(len(b), 1500)]))
		}
	}
	f.Add("a: |\n  b\nc: 'd\n  e'\nf: {g: [h, \"i\"]}\n- x")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse([]byte(s))
		if err != nil {
			if e, ok := err.(*format.Error); !ok || e.Off < 0 || e.Off > int64(len(s)) {
				t.Fatalf("%#v", err)
			}
			return
		}
		again, err := json.Marshal(value(n))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(again)
		if err != nil {
			// JSON leaves some characters as they are that are refused here, and may
			// be one level deeper than the text was.
			if format.Is(err, format.Unsupported) || format.Is(err, format.Broken) && strings.ContainsAny(string(again), "\x7f\uFEFF") || format.Is(err, format.Exceeded) {
				return
			}
			t.Fatalf("%s: %v", again, err)
		}
		if !reflect.DeepEqual(value(n), value(m)) {
			t.Fatalf("%s\nagain: %v", again, value(m))
		}
		if count(n) > len(s)+1 {
			t.Fatalf("%d nodes of %d bytes", count(n), len(s))
		}
	})
}

func count(n *Node) int {
	c := 1
	for i := range n.Nodes {
		c += count(&n.Nodes[i])
	}
	return c
}

// BenchmarkParse reads a lock of 3,000 entries.
func BenchmarkParse(b *testing.B) {
	text := []byte("package:\n" + strings.Repeat("- name: x\n  version: 1.0\n  manager: conda\n  platform: linux-64\n  dependencies:\n    a: '>=1'\n    b: ''\n"+
		"  url: https://conda.example.org/x.conda\n  hash:\n    md5: abc\n    sha256: def\n  category: main\n  optional: false\n", 3000))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
