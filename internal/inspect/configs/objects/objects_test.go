package objects

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// read runs a reader over a document, as an inspector does.
func read(t *testing.T, doc string, r Reader) error {
	t.Helper()
	var err error
	s := inspect.Scanner{Readings: []inspect.Reading{{
		Format:  "any",
		Match:   func(*inspect.File, []byte) inspect.Fit { return inspect.Yes },
		Inspect: func(p *inspect.Pass, f *inspect.File) error { err = r.Read(p, f.Reader()); return nil },
	}}}
	if _, err := s.Scan(t.Context(), "a", strings.NewReader(doc), int64(len(doc)), nil, nil); err != nil {
		t.Fatal(err)
	}
	return err
}

// TestRead wants objects in the order in which they end, with their members in
// any order, and two levels of what is kept.
func TestRead(t *testing.T) {
	var got []string
	r := Reader{Watched: []string{"a", "b", "in"}, Kept: []string{"in"}, Ended: func(o *Object) error {
		line := fmt.Sprintf("%d %q a=%s b=%v", o.Depth, o.Key, o.Text["a"], o.Kinds["b"])
		for in := o.Kept["in"]; in != nil; in = in.Kept["in"] {
			line += " in:" + in.Text["a"]
		}
		got = append(got, line)
		return nil
	}}
	err := read(t, `{"in":{"in":{"in":{"a":"3"},"a":"2"},"a":"\u0031"},"b":[{"x":{"b":-Infinity}}],"a":"0"}`, r)
	want := []string{
		`3 "in" a=3 b=null`, `2 "in" a=2 b=null in:3`, `1 "in" a=1 b=null in:2 in:3`, `3 "" a= b=a number`, `2 "" a= b=null`, `0 "" a=0 b=an array in:1 in:2`,
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v:\n%s\nwant:\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadErrors(t *testing.T) {
	stop := errors.New("stop")
	for _, c := range []struct {
		doc  string
		r    Reader
		want func(error) bool
	}{
		{`{"a":1}`, Reader{Watched: []string{"a"}, Began: func(*Object) error { return stop }}, func(err error) bool { return err == stop }},
		{`[{}]`, Reader{Ended: func(*Object) error { return stop }}, func(err error) bool { return err == stop }},
		{`{"a":1,"a":2}`, Reader{Unique: true}, func(err error) bool { return format.Is(err, format.Broken) }},
		{`{"a":1,"a":2}`, Reader{}, func(err error) bool { return err == nil }},
		{`{"a":`, Reader{}, func(err error) bool { return format.Is(err, format.Broken) }},
	} {
		if err := read(t, c.doc, c.r); !c.want(err) {
			t.Errorf("%s: %v", c.doc, err)
		}
	}
}

// TestHas tells null from what is there.
func TestHas(t *testing.T) {
	o := &Object{Kinds: map[string]json.Kind{"a": json.Null, "b": json.False}}
	if o.Has("a") || !o.Has("b") || o.Has("c") {
		t.Error(o.Has("a"), o.Has("b"), o.Has("c"))
	}
}

// TestListed wants a name and all below it to be listed, and no name that only
// begins so.
func TestListed(t *testing.T) {
	for name, want := range map[string]bool{
		"os": true, "os.system": true, "os.path.join": true, "posix.system": true, "ossify": false, "posix": false, "posix.systems": false, "": false,
	} {
		if Listed("os\n\n  posix.system\n", name) != want {
			t.Errorf("%q: listed %v, want %v", name, !want, want)
		}
	}
}
