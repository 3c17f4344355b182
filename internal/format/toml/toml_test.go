package toml

import (
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/sallyport/sallyport/internal/format"
)

const lock = `version = 1
list = [
    "[[package]]",
]

[[package]]
name = "a"
[package.source]
url = "u"

[[package]] # the second
name = "b"
wheels = [
    { hash = "x" },
]

[metadata]
made = 'today'
`

func TestDecode(t *testing.T) {
	var root struct {
		Version  int
		Metadata struct{ Made string }
	}
	tables, err := Decode([]byte(lock), "package", &root)
	if err != nil || len(tables) != 2 || root.Version != 1 || root.Metadata.Made != "today" {
		t.Fatalf("%v, %d tables, %+v", err, len(tables), root)
	}
	var p struct {
		Name   string
		Source struct{ URL string }
		Wheels []struct{ Hash string }
	}
	if err := tables[0].Into(&p); err != nil || p.Name != "a" || p.Source.URL != "u" || tables[0].Line != 6 {
		t.Errorf("%v, %+v at %d", err, p, tables[0].Line)
	}
	if err := tables[1].Into(&p); err != nil || p.Name != "b" || p.Wheels[0].Hash != "x" || tables[1].Line != 11 {
		t.Errorf("%v, %+v at %d", err, p, tables[1].Line)
	}
}

// Every way to write tables is either understood or an error, never no tables.
func TestDecodeOtherWays(t *testing.T) {
	for _, tc := range []struct {
		text string
		want int // tables, or -1 for an error
	}{
		{"", 0},
		{"package = []", 0},
		{"package = [{name = 'a'}, {name = 'b'}]", 2},
		{"[[ package ]]\nname = 'a'", 1},
		{"[['package']]\nname = 'a'", 1},
		{"  [[package]]\n  name = 'a'", 1},
		{"[[package]]\r\nname = 'a'\r\n[[package]]\r\n", 2},
		{"[[package]]\n[[package.files]]\n[[package.files]]\n[package.extras]", 1},
		{"[[packages]]\n[[package]]", 1},
		{"[[package]]\n[[ package ]]", -1},
		{"package = [{name = 'a'}]\n[[package]]", -1},
		{"[package]\nname = 'a'", -1},
		{"package.name = 'a'", -1},
		{"package = 'a'", -1},
		{"[package.source]\n[[package]]", -1},
		{"a = '''\n[[package]]\n'''", -1},
		{"[[package]]\na = [\n[1],\n]", -1},
		{"[[package]]\nname = 'a'\nname = 'b'", -1},
		{"[[package]]\nname = 'a'\nName = 'b'", -1},
		{"Version = 1\nversion = 2", -1},
		{"[a]\n[[package]]\n[a]", -1},
		{"version = 'one'", -1},
		{"[[package]]\nname = 1", -1},
		{"a = " + strings.Repeat("[", 99), -1},
		{"a\xff = 1", -1},
	} {
		var root struct{ Version int }
		tables, err := Decode([]byte(tc.text), "package", &root)
		for _, table := range tables {
			var p struct{ Name string }
			if into := table.Into(&p); into != nil {
				err = into
			}
		}
		if got := len(tables); err == nil && got != tc.want || err != nil && tc.want >= 0 {
			t.Errorf("%q: %d tables, %v; want %d", tc.text, got, err, tc.want)
		}
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	text := strings.Replace(lock, `"b"`, `b`, 1)
	tables, err := Decode([]byte(text), "package", &struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	e, ok := tables[1].Into(&struct{}{}).(*format.Error)
	if !ok || e.Kind != format.Broken || !strings.HasPrefix(text[e.Off:], "name = b") {
		t.Errorf("%v", e)
	}
}

// Table by table, a text means what the library says that it means as a whole.
func FuzzDecode(f *testing.F) {
	f.Add(lock)
	f.Add("package = [{name = 'a'}, {name = 'b'}]")
	f.Add("[[package]]\na = '''\n[[package]]\n'''")
	f.Add("[[package]]\n[[package.a]]\n[[package.a]]\n[package.a.b]\n[c]\n[[package]]\n[c.d]")
	f.Add("[[package]]\r\na = \"\"\"\r\n[x]\\\r\n\"\"\"")
	f.Fuzz(func(t *testing.T, s string) {
		root := map[string]any{}
		tables, err := Decode([]byte(s), "package", &root)
		if err != nil {
			return
		}
		delete(root, "package")
		var list []map[string]any
		for _, table := range tables {
			m := map[string]any{}
			if table.Into(&m) != nil {
				return
			}
			list = append(list, m)
		}
		whole := map[string]any{}
		if _, err := toml.Decode(s, &whole); err != nil {
			t.Fatalf("the pieces are TOML, the whole is not: %v", err)
		}
		var want []map[string]any
		switch v := whole["package"].(type) {
		case []map[string]any:
			want = v
		case []any:
			for _, x := range v {
				want = append(want, x.(map[string]any))
			}
		}
		delete(whole, "package")
		if !equal(root, whole) || !equal(list, want) {
			t.Fatalf("%v and %v\nwhole: %v and %v", root, list, whole, want)
		}
	})
}

// equal is deep equality for which NaN is itself.
func equal(a, b any) bool {
	return reflect.DeepEqual(a, b) || toText(a) == toText(b)
}

func toText(v any) string {
	var b strings.Builder
	_ = toml.NewEncoder(&b).Encode(map[string]any{"v": v})
	return b.String()
}
