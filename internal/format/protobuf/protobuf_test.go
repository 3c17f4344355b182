package protobuf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

const testSchema = `
# A comment.
Node
1 string name
2 *Node children
3 int64 number value
4 string text value
5 *int32 packed
6 *float floats
7 sint64 signed
8 double real
`

func nodeType(t testing.TB) *Message {
	t.Helper()
	s, err := ParseSchema(testSchema)
	if err != nil {
		t.Fatal(err)
	}
	return s.Message("Node")
}

// told is all that a walk over a message yields, one word for each field.
func told(b []byte, t *Message, odd func(*format.Error) error) (string, error) {
	doc, part := Open(bytes.NewReader(b), 0, int64(len(b)), t)
	doc.Odd = odd
	var out []string
	err := tell(part, &out)
	return strings.Join(out, " "), err
}

func tell(m Part, out *[]string) error {
	return m.Fields(func(v Value) error {
		switch {
		case v.Field == nil:
			*out = append(*out, "?")
		case v.Field.Kind == Embedded:
			*out = append(*out, v.Name()+"{")
			err := tell(v.Message(), out)
			*out = append(*out, "}")
			return err
		case v.Field.Kind == Bytes:
			s, err := v.String(100)
			*out = append(*out, v.Name()+"="+s)
			return err
		default:
			return v.Numbers(func(bits uint64) error {
				*out = append(*out, v.Name()+"="+strconv.FormatInt(int64(bits), 10))
				return nil
			})
		}
		return nil
	})
}

func TestFields(t *testing.T) {
	m := nodeType(t)
	for text, want := range map[string]string{
		`name: "a" children { name: "b" } children { number: -2 }`: "name=a children{ name=b } children{ number=-2 }",
		`packed: [1, 2] packed: 300`:                               "packed=1 packed=2 packed=300",
		`signed: -5`:                                               "signed=-5",
	} {
		b, err := FromText([]byte(text), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := told(b, m, nil); got != want || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if got, err := told([]byte{5<<3 | 2, 3, 1, 0xac, 2}, m, nil); got != "packed=1 packed=300" || err != nil {
		t.Errorf("packed: %q, %v", got, err)
	}
}

// TestBroken wants what is no message to end the walk, with the byte to blame.
func TestBroken(t *testing.T) {
	m := nodeType(t)
	for name, b := range map[string][]byte{
		"number 0":             {0, 1},
		"group":                {1<<3 | 3, 1<<3 | 4},
		"wire type 6":          {1<<3 | 6},
		"cut tag":              {0x80},
		"cut number":           {3 << 3, 0x80},
		"cut text":             {1<<3 | 2, 5, 'a'},
		"long length":          {1<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"negative length":      {1<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"longer than parent":   {2<<3 | 2, 2, 1<<3 | 2, 4, 'a', 'b', 'c', 'd'},
		"tag beyond 32 bits":   {0xff, 0xff, 0xff, 0xff, 0x7f, 0},
		"packed within one":    {5<<3 | 2, 1, 0x80, 1},
		"number beyond parent": {2<<3 | 2, 1, 3 << 3, 1},
	} {
		if _, err := told(b, m, func(*format.Error) error { return nil }); !format.Is(err, format.Broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOdd wants what parsers take silently to be told.
func TestOdd(t *testing.T) {
	m := nodeType(t)
	for name, c := range map[string]struct {
		b    []byte
		kind format.Kind
		want string
	}{
		"unknown field":   {[]byte{99<<3&0x7f | 0x80, 99 >> 4, 1}, format.Unsupported, "?"},
		"other wire type": {[]byte{1 << 3, 1}, format.Broken, "?"},
		"twice":           {[]byte{3 << 3, 1, 3 << 3, 2}, format.Broken, "number=1 number=2"},
		"oneof":           {[]byte{3 << 3, 1, 4<<3 | 2, 1, 'a'}, format.Broken, "number=1 text=a"},
	} {
		var seen []*format.Error
		got, err := told(c.b, m, func(e *format.Error) error { seen = append(seen, e); return nil })
		if err != nil || got != c.want || len(seen) != 1 || seen[0].Kind != c.kind {
			t.Errorf("%s: %q, %v, %v", name, got, seen, err)
		}
		if _, err := told(c.b, m, nil); !format.Is(err, c.kind) {
			t.Errorf("%s without anyone to tell: %v", name, err)
		}
	}
}

// TestDepth wants messages within messages to be followed as deep as parsers do
// and no deeper.
func TestDepth(t *testing.T) {
	m := nodeType(t)
	var b []byte
	for n := 0; n <= 200; n++ {
		_, err := told(b, m, nil)
		if deep := n > maxDepth; deep != format.Is(err, format.Exceeded) || !deep && err != nil {
			t.Fatalf("%d deep: %v", n, err)
		}
		b = append(binary.AppendUvarint([]byte{2<<3 | 2}, uint64(len(b))), b...)
	}
}

// TestStep wants whoever counts to be able to stop the walk.
func TestStep(t *testing.T) {
	b := bytes.Repeat([]byte{5 << 3, 1}, 100)
	stop := errors.New("enough")
	doc, part := Open(bytes.NewReader(b), 0, int64(len(b)), nodeType(t))
	n := 0
	doc.Step = func(int) error {
		if n++; n > 10 {
			return stop
		}
		return nil
	}
	if err := part.Check(); err != stop {
		t.Errorf("error %v", err)
	}
}

// TestColumn reads fields side by side, packed and not.
func TestColumn(t *testing.T) {
	b := slices.Concat([]byte{5 << 3, 7, 5<<3 | 2, 3, 1, 0xac, 2, 1<<3 | 2, 1, 'a', 5<<3 | 2, 0}, []byte{5 << 3, 9})
	_, part := Open(bytes.NewReader(b), 0, int64(len(b)), nodeType(t))
	c, d := part.Column("packed"), part.Column("packed")
	for _, want := range []uint64{7, 1, 300, 9} {
		x, ok := c.Next()
		y, ok2 := d.Next()
		if x != want || y != want || !ok || !ok2 {
			t.Fatalf("%d %v and %d %v, want %d", x, ok, y, ok2, want)
		}
	}
	if _, ok := c.Next(); ok || c.Err != nil {
		t.Errorf("it goes on, or %v", c.Err)
	}
}

func TestParseSchema(t *testing.T) {
	for _, text := range []string{"1 int32 a", "M\nx int32 a", "M\n1 int32", "M\n1 N a", "M\n1 int32 a\nM\n", "M\n2 int32 a\n1 int32 b"} {
		if _, err := ParseSchema(text); err == nil {
			t.Errorf("%q is a schema", text)
		}
	}
}

func TestFromText(t *testing.T) {
	m := nodeType(t)
	enums := func(name string) (uint64, bool) { return 42, name == "THE_ANSWER" }
	for text, want := range map[string]string{
		`name: "a\n\x41\101\u00e9" 'b'  # said twice` + "\n\"c\"": "name=a\nAA\u00e9bc",
		`children: < name: 'x', > ; children {}`:                  "children{ name=x } children{ }",
		`children [ { number: 0x10 }, { number: 010 } ]`:          "children{ number=16 } children{ number=8 }",
		`number: THE_ANSWER`:                                      "number=42",
		`packed: [ ]`:                                             "",
		`number: true`:                                            "number=1",
	} {
		b, err := FromText([]byte(text), m, enums)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := told(b, m, nil); got != want || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`name "a"`, `name: "a`, `name: a`, `children {`, `children: 1`, `number: x`, `number: [1]`, `}`, `packed: [1`, `packed: [1 2]`,
		`[a.b]: 1`, `other: 1`, `name: "\q"`, `name: "\u12"`, `number: `, `name: "a` + "\n" + `"`, strings.Repeat("children {", 200)} {
		if b, err := FromText([]byte(text), m, enums); err == nil {
			t.Errorf("%s: %x", text, b)
		}
	}
}

func FuzzProtobuf(f *testing.F) {
	m := nodeType(f)
	for _, text := range []string{`name: "a" children { name: "b" } children { number: -2 }`, `packed: [1, 2] floats: 1.5 signed: -3 real: 2`} {
		b, err := FromText([]byte(text), m, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var at int64
		doc, part := Open(bytes.NewReader(b), 0, int64(len(b)), m)
		doc.Odd = func(e *format.Error) error { return nil }
		err := part.Fields(func(v Value) error {
			if v.Off < at || v.Off+v.Size > int64(len(b)) {
				t.Fatalf("a value at %d of %d bytes after %d", v.Off, v.Size, at)
			}
			at = v.Off + v.Size
			return nil
		})
		var e *format.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		told(b, m, doc.Odd)
		for c := part.Column("packed"); ; {
			if _, ok := c.Next(); !ok {
				break
			}
		}
	})
}

func FuzzText(f *testing.F) {
	m := nodeType(f)
	f.Add([]byte(`name: "a\n" children { number: -2 packed: [1, 2] } floats: 1.5`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := FromText(text, m, func(string) (uint64, bool) { return 1, true })
		if err != nil {
			return
		}
		if _, err := told(b, m, func(e *format.Error) error { return nil }); err != nil && !format.Is(err, format.Exceeded) {
			t.Fatalf("%q became %x: %v", text, b, err)
		}
	})
}
