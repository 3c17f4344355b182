package tensors

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

func TestFlax(t *testing.T) {
	// array is an extension of a shape of one dimension, a type and data.
	array := func(kind byte, shape, dtype, data string) string {
		body := "\x93" + shape + string([]byte{byte(0xa0 + len(dtype))}) + dtype + string([]byte{0xc4, byte(len(data))}) + data
		return string([]byte{0xc7, byte(len(body)), kind}) + body
	}
	of := func(value string) string { return "\x81\xa1a" + value }
	f32 := array(1, "\x91\x02", "float32", "12345678")
	for name, c := range map[string]struct {
		data string
		want inspect.Verdict
	}{
		"array":            {of(f32), inspect.Inert},
		"scalar":           {of(array(3, "\x90", "int8", "1")), inspect.Inert},
		"alone":            {f32, inspect.Inert},
		"empty":            {"\x80", inspect.Inert},
		"numbers":          {of("\x94\x01\xff\xcb12345678\xc0"), inspect.Inert},
		"complex":          {of("\xc7\x13\x02\x92\xcb12345678\xcb12345678"), inspect.Inert},
		"other type":       {of("\xd4\x05x"), inspect.Suspicious},
		"time":             {of("\xd6\xff1234"), inspect.Suspicious},
		"bytes missing":    {of(array(1, "\x91\x02", "float32", "1234567")), inspect.Suspicious},
		"bytes more":       {of(array(1, "\x91\x02", "float32", "123456789")), inspect.Suspicious},
		"no shape":         {of(array(1, "\x01", "float32", "1234")), inspect.Suspicious},
		"negative shape":   {of(array(1, "\x91\xff", "float32", "1234")), inspect.Suspicious},
		"shape overflow":   {of(array(1, "\x92\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x02", "int8", "")), inspect.Suspicious},
		"objects":          {of(array(1, "\x91\x01", "object", "12345678")), inspect.Inconclusive},
		"trailing":         {of(f32) + "\x00", inspect.Suspicious},
		"trailing inside":  {of("\xc7\x0b\x01\x93\x91\x01\xa4int8\xc4\x011\x00"), inspect.Suspicious},
		"key is no text":   {"\x81\x01" + f32, inspect.Suspicious},
		"cut":              {of(f32)[:20], inspect.Suspicious},
		"not used byte":    {of("\xc1"), inspect.Suspicious},
		"huge map":         {"\xdf\xff\xff\xff\xff\xa1a\x01", inspect.Suspicious},
		"huge bytes":       {of("\xc6\xff\xff\xff\xff"), inspect.Suspicious},
		"deep":             {of(strings.Repeat("\x91", 500) + "\x01"), inspect.Inconclusive},
		"complex of three": {of("\xc7\x04\x02\x93\x01\x01\x01"), inspect.Suspicious},
	} {
		if r := scan(t, "a.msgpack", []byte(c.data), nil); r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestFlaxUnnamed wants a file without the extension to be taken for this format
// only if it is whole and holds an array.
func TestFlaxUnnamed(t *testing.T) {
	data := read(t, "flax_unnamed")
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"whole": {data, true}, "cut": {data[:len(data)-1], false}, "longer": {append(slices.Clone(data), 0), false}, "no array": {[]byte("\x81\xa1a\x01"), false},
	} {
		if r := scan(t, "a", c.data, nil); slices.Contains(r.Formats, "flax-msgpack") != c.want {
			t.Errorf("%s: %v", name, r.Formats)
		}
	}
}

// TestIndex wants the parts that an index names to lie beside it.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "m/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.safetensors", "m/a.safetensors", "m/sub/b.safetensors", "m/it.index.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a.safetensors", filepath.Join(dir, "m/link.safetensors")); err != nil {
		t.Fatal(err)
	}
	around := folder(t, dir)
	for doc, want := range map[string]inspect.Verdict{
		`{"metadata": {"total_size": 1}, "weight_map": {"w": "a.safetensors", "v": "sub/b.safetensors"}}`: inspect.Inert,
		`{"weight_map": {}}`:                                              inspect.Inert,
		`{"weight_map": {"w": "gone.safetensors"}}`:                       inspect.Inconclusive,
		`{"weight_map": {"w": "link.safetensors"}}`:                       inspect.Inconclusive,
		`{"weight_map": {"w": "sub"}}`:                                    inspect.Inconclusive,
		`{"weight_map": {"w": "../a.safetensors"}}`:                       inspect.Suspicious,
		`{"weight_map": {"w": "sub/../../a.safetensors"}}`:                inspect.Suspicious,
		`{"weight_map": {"w": "\u002e./a.safetensors"}}`:                  inspect.Suspicious,
		`{"weight_map": {"w": "/etc/passwd"}}`:                            inspect.Suspicious,
		`{"weight_map": {"w": "C:\\a"}}`:                                  inspect.Suspicious,
		`{"weight_map": {"w": ""}}`:                                       inspect.Suspicious,
		`{"weight_map": {"w": 1}}`:                                        inspect.Suspicious,
		`{"weight_map": {"w": "a.safetensors", "w": "a.safetensors"}}`:    inspect.Suspicious,
		`{"weight_map": {"w": "a.safetensors"}} x`:                        inspect.Suspicious,
		`{"weight_map": {"w": "a.safetensors"}, "weight_map": {"w": ""}}`: inspect.Suspicious,
		`{"weight_map": ["a"]}`:                                           inspect.Suspicious,
	} {
		if r := scan(t, "m/model.safetensors.index.json", []byte(doc), around); r.Verdict != want {
			t.Errorf("%s: %s, want %s: %+v", doc, r.Verdict, want, r.Findings)
		}
	}
	if r := scan(t, "model.safetensors.index.json", []byte(`{"weight_map": {"w": "gone.safetensors"}}`), nil); r.Verdict != inspect.Inert {
		t.Errorf("an index that lies alone: %s", r.Verdict)
	}
	if r := scan(t, "a.json", []byte(`{"x": "\"weight_map\"", "y": {"weight_map": 1}}`), nil); len(r.Formats) > 0 {
		t.Errorf("another document is taken for %v", r.Formats)
	}
}

func FuzzFlax(f *testing.F) {
	f.Add(read(f, "flax.msgpack"))
	f.Add(read(f, "chunked.msgpack"))
	f.Add([]byte("\x81\xa1a\xd4\x05x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"a", "a.msgpack"} {
			if r := scan(t, name, data, nil); strings.Contains(rules(r), "scanner-fault") {
				t.Fatal(r.Findings)
			}
		}
	})
}

// FuzzDocuments reads indexes and configurations.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 1}, "weight_map": {"w": "a.safetensors"}}`))
	f.Add([]byte(`{"a": [1], "chat_template": [{"name": "x", "template": "{{ x }}"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"a.index.json", "tokenizer_config.json"} {
			if r := scan(t, name, data, nil); strings.Contains(rules(r), "scanner-fault") {
				t.Fatal(r.Findings)
			}
		}
	})
}
