package json

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// tokens writes a document's tokens one after another, each as its kind and
// text.
func tokens(r *Reader) (string, error) {
	var out strings.Builder
	for {
		t, err := r.Next()
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		marks := map[Kind]string{Null: "null", False: "false", True: "true", Array: "[", ArrayEnd: "]", Object: "{", ObjectEnd: "}"}
		switch t.Kind {
		case Number:
			fmt.Fprintf(&out, "%s ", t.Text)
		case String:
			fmt.Fprintf(&out, "%q ", t.String())
		case Key:
			fmt.Fprintf(&out, "%q: ", t.String())
		default:
			out.WriteString(marks[t.Kind] + " ")
		}
		if t.Cut {
			out.WriteString("… ")
		}
	}
}

// TestTokens reads documents whole, byte by byte, and with white space that
// moves them over every edge of the window.
func TestTokens(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`null`, `null `},
		{` [1, -0, 2.50, 1e5, -1.5E-07, 0] `, `[ 1 -0 2.50 1e5 -1.5E-07 0 ] `},
		{`{"a":{"b":[]},"c" : "d"}`, `{ "a": { "b": [ ] } "c": "d" } `},
		{`["\u0041\n\"\\\/","\ud83d\ude00","é日😀"]`, `[ "A\n\"\\/" "😀" "é日😀" ] `},
		{`[true,false,null]`, `[ true false null ] `},
		{`""`, `"" `},
	} {
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(c.in), "bytes": iotest.OneByteReader(strings.NewReader(c.in)), "data with end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			if got, err := tokens(NewReader(src)); err != nil || got != c.want {
				t.Errorf("%s %s: %s, %v", name, c.in, got, err)
			}
		}
		for pad := range len(c.in) + 1 {
			in := strings.Repeat(" ", window-pad) + c.in
			if got, err := tokens(NewReader(strings.NewReader(in))); err != nil || got != c.want {
				t.Errorf("%s with %d bytes before the edge: %s, %v", c.in, pad, got, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		in   string
		off  int64
		kind format.Kind
	}{
		{``, 0, format.Broken}, {`  `, 2, format.Broken}, {"\ufeff1", 0, format.Broken},
		{`1 2`, 2, format.Broken}, {`{}x`, 2, format.Broken}, {`[1,]`, 3, format.Broken}, {`{"a":1,}`, 7, format.Broken},
		{`[1`, 2, format.Broken}, {`{"a"`, 4, format.Broken}, {`{"a" 1}`, 5, format.Broken}, {`{1:2}`, 1, format.Broken}, {`{"a":}`, 5, format.Broken},
		{`[1}`, 2, format.Broken}, {`{"a":1]`, 6, format.Broken}, {`01`, 1, format.Broken}, {`1.`, 2, format.Broken}, {`-`, 1, format.Broken},
		{`+1`, 0, format.Broken}, {`.5`, 0, format.Broken}, {`1e`, 2, format.Broken}, {`1e+`, 3, format.Broken}, {`-a`, 1, format.Broken},
		{`tru`, 3, format.Broken}, {`trux`, 3, format.Broken}, {`NaN`, 0, format.Broken}, {`Infinity`, 0, format.Broken}, {`-Infinity`, 1, format.Broken},
		{`"a`, 2, format.Broken}, {"\"a\nb\"", 2, format.Broken}, {`"\x"`, 2, format.Broken}, {`"\u12g4"`, 6, format.Broken}, {`"\u12`, 5, format.Broken},
		{`"\ud800"`, 7, format.Broken}, {`"\udc00"`, 7, format.Broken}, {`"\ud800\n"`, 8, format.Broken}, {`"\ud800\u0041"`, 13, format.Broken},
		{"\"\xff\"", 1, format.Broken}, {"\"\xc3", 2, format.Broken}, {"\"\xc3\"", 1, format.Broken}, {"\"\xed\xa0\x80\"", 1, format.Broken}, {"\"\xc0\x80 \"", 1, format.Broken},
		{`'a'`, 0, format.Broken}, {`[1 /* c */]`, 3, format.Broken},
		{strings.Repeat("[", 513), 512, format.Exceeded}, {strings.Repeat("1", 5000), 0, format.Exceeded},
	} {
		_, err := tokens(NewReader(strings.NewReader(c.in)))
		var e *format.Error
		if !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%.20q: %v", c.in, err)
		} else if e.Off != c.off && !strings.Contains(c.in, "\xc3\"") {
			t.Errorf("%.20q: at %d, want %d: %s", c.in, e.Off, c.off, e.Text)
		}
	}
	if _, err := tokens(NewReader(strings.NewReader(strings.Repeat("[", 512) + strings.Repeat("]", 512)))); err != nil {
		t.Error(err)
	}
}

// TestLiterals wants Python's numbers that are none only where they are asked
// for.
func TestLiterals(t *testing.T) {
	r := NewReader(strings.NewReader(`[NaN,Infinity,-Infinity,-1]`))
	r.Literals = true
	if got, err := tokens(r); err != nil || got != "[ NaN Infinity -Infinity -1 ] " {
		t.Error(got, err)
	}
	v, err := ParsePython(strings.NewReader(`-Infinity`), 0, 9, 1000)
	if f, ok := v.Float(); err != nil || !ok || !math.IsInf(f, -1) {
		t.Error(f, err)
	}
}

// TestLongText wants long text whole up to the limit, and checked beyond it.
func TestLongText(t *testing.T) {
	long := strings.Repeat(`0123456789é\n`, 20_000)
	var whole string
	if err := stdjson.Unmarshal([]byte(`"`+long+`"`), &whole); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 5, 1000, window, window + 1, len(long), len(long) + 1} {
		r := NewReader(strings.NewReader(`{"` + long + `" : "` + long + `"}`))
		r.Text = limit
		r.Next()
		for _, kind := range []Kind{Key, String} {
			token, err := r.Next()
			if err != nil || token.Kind != kind || token.Cut != (limit < len(long)) || len(token.Text) != min(max(limit, 0)+window*(1-min(limit, 1)), len(long)) {
				t.Fatalf("limit %d: kind %s of %d bytes, cut %v, %v", limit, token.Kind, len(token.Text), token.Cut, err)
			}
			if s := token.String(); !strings.HasPrefix(whole, strings.ToValidUTF8(s, "")) || !token.Cut && s != whole {
				t.Errorf("limit %d: other text", limit)
			}
		}
		if token, err := r.Next(); err != nil || token.Kind != ObjectEnd {
			t.Error(err)
		}
	}
	r := NewReader(strings.NewReader(`"` + long + "\x01\""))
	if _, err := r.Next(); !format.Is(err, format.Broken) {
		t.Errorf("what is cut is not checked: %v", err)
	}
}

func TestUnique(t *testing.T) {
	for in, want := range map[string]bool{
		`{"a":1,"b":2}`: true, `{"a":1,"a":2}`: false, `{"a":1,"\u0061":2}`: false, `{"a":{"a":{"a":1}}}`: true,
		`[{"a":1},{"a":2}]`: true, `{"a":[{"b":1}],"b":1}`: true, `{"a":{"b":1},"a":1}`: false, `{"":1,"":2}`: false,
	} {
		r := NewReader(strings.NewReader(in))
		r.Unique = true
		if _, err := tokens(r); (err == nil) != want {
			t.Errorf("%s: %v", in, err)
		}
		if _, err := tokens(NewReader(strings.NewReader(in))); err != nil {
			t.Errorf("%s without Unique: %v", in, err)
		}
		if _, err := Parse(strings.NewReader(in), 0, int64(len(in)), 1<<20); (err == nil) != want {
			t.Errorf("%s as a tree: %v", in, err)
		}
	}
	var many bytes.Buffer
	many.WriteString(`{`)
	for i := range 100_000 {
		fmt.Fprintf(&many, `"k%d":%d,`, i, i)
	}
	for last, want := range map[string]bool{`"k77":0}`: false, `"x":0}`: true} {
		r := NewReader(io.MultiReader(bytes.NewReader(many.Bytes()), strings.NewReader(last)))
		r.Unique = true
		if _, err := tokens(r); (err == nil) != want {
			t.Errorf("many keys and %s: %v", last, err)
		}
	}
}

// endless yields a document of members without end.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	s := "{"
	if e.n > 0 {
		s = fmt.Sprintf(`"%d":0,`, e.n)
	}
	e.n++
	return copy(b, s), nil
}

// TestUniqueBounded wants the memory of keys to end before the keys do.
func TestUniqueBounded(t *testing.T) {
	r := NewReader(&endless{})
	r.Unique = true
	if _, err := tokens(r); !format.Is(err, format.Exceeded) {
		t.Error(err)
	}
}

func TestSkip(t *testing.T) {
	r := NewReader(strings.NewReader(`{"a":[1,{"b":2}],"c":{"d":[]},"e":3}`))
	r.Next()
	for _, want := range []string{"a", "c"} {
		if token, err := r.Next(); err != nil || !token.Is(want) {
			t.Fatal(token, err)
		}
		if err := r.Skip(); err != nil || r.Depth() != 1 {
			t.Fatal(r.Depth(), err)
		}
	}
	if err := r.Leave(); err != nil || r.Depth() != 0 {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
	if err := r.Skip(); err != io.EOF {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-0": 0, "42": 42, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64} {
		token, _ := NewReader(strings.NewReader(in)).Next()
		if got, ok := token.Int(); !ok || got != want {
			t.Errorf("%s: %d %v", in, got, ok)
		}
	}
	for _, in := range []string{"9223372036854775808", "-9223372036854775809", "1.0", "1e3", "99999999999999999999"} {
		token, _ := NewReader(strings.NewReader(in)).Next()
		if got, ok := token.Int(); ok {
			t.Errorf("%s: %d", in, got)
		}
		if _, ok := token.Float(); !ok {
			t.Errorf("%s is no float", in)
		}
	}
}

func TestParse(t *testing.T) {
	const in = `xx{"a":[1,"b",true,null],"c":{"d":1.5}}yy`
	v, err := Parse(strings.NewReader(in), 2, int64(len(in)-4), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	a := v.Get("a")
	if !a.Is(Array) || len(a.Items) != 4 || a.Items[1].Str() != "b" || a.Items[1].Off != 10 || a.Items[3].Kind != Null || v.Members[0].Off != 3 {
		t.Errorf("%+v", a)
	}
	if f, ok := v.Get("c").Get("d").Float(); f != 1.5 || !ok {
		t.Error(f)
	}
	if v.Get("x").Get("y").Get("z") != nil || v.Get("a").Str() != "" {
		t.Error("something is there that is not")
	}
	if n, ok := a.Items[0].Int(); n != 1 || !ok {
		t.Error(n)
	}
	_, err = Parse(strings.NewReader(in), 2, int64(len(in)-2), 1<<20)
	var e *format.Error
	if !errors.As(err, &e) || e.Off != int64(len(in)-2) {
		t.Errorf("text behind the value: %v", err)
	}
	if _, err := Parse(strings.NewReader(in), 2, int64(len(in)-4), 100); !format.Is(err, format.Exceeded) {
		t.Errorf("the limit: %v", err)
	}
}

// TestSourceError wants an error of the source as it is.
func TestSourceError(t *testing.T) {
	bad := errors.New("the disk is gone")
	r := NewReader(io.MultiReader(strings.NewReader(`[1,`), iotest.ErrReader(bad)))
	if _, err := tokens(r); err != bad {
		t.Error(err)
	}
	if _, err := r.Next(); err != bad {
		t.Error("the error went away")
	}
	if _, err := Parse(strings.NewReader("[1"), 0, 10, 1000); !format.Is(err, format.Broken) {
		t.Error(err)
	}
}

// TestNoAllocation wants tokens to cost nothing each.
func TestNoAllocation(t *testing.T) {
	doc := []byte(`[` + strings.Repeat(`{"left":[1,2,3.25],"name":"a\tb"},`, 5000) + `0]`)
	n := testing.AllocsPerRun(5, func() {
		r := NewReader(bytes.NewReader(doc))
		for {
			token, err := r.Next()
			if err != nil {
				return
			}
			token.Int()
			token.Float()
			token.Is("left")
		}
	})
	if n > 50 {
		t.Errorf("%.0f allocations", n)
	}
}

func BenchmarkTokens(b *testing.B) {
	numbers := `[` + strings.Repeat(`0.12345,-1.5E-7,12,`, 50_000) + `0]`
	objects := `[` + strings.Repeat(`{"name":"layer","children":[1,2,-1],"on":true}, `, 20_000) + `0]`
	text := `["` + strings.Repeat(`The quick brown fox; `, 50_000) + `"]`
	for name, doc := range map[string]string{"numbers": numbers, "objects": objects, "text": text} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for range b.N {
				r := NewReader(strings.NewReader(doc))
				for {
					if _, err := r.Next(); err != nil {
						break
					}
				}
			}
		})
	}
}

// plainValue is a tree as encoding/json has it.
func plainValue(v *Value) any {
	switch v.Kind {
	case False, True:
		return v.Kind == True
	case Number:
		return stdjson.Number(v.Text)
	case String:
		return v.Text
	case Array:
		a := []any{}
		for _, i := range v.Items {
			a = append(a, plainValue(i))
		}
		return a
	case Object:
		o := map[string]any{}
		for _, m := range v.Members {
			o[m.Key] = plainValue(m.Value)
		}
		return o
	}
	return nil
}

// FuzzJSON holds the reader against the standard library's, which is not as
// strict: what ours takes, it takes to the same value; what ours refuses, it
// refuses but for the differences that the package comment lists.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,true,false,null,"x\u00e9\ud83d\ude00\n"]}`, `{"a":1,"a":2}`, `"\ud800"`, `[[[]]]`, `{"":{}}`, "\ufeff{}", `[NaN]`, "\"\xff\"", ` 1 `, `[1,]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(bytes.NewReader(data), 0, int64(len(data)), 1<<22)
		streamed, serr := tokens(NewReader(iotest.HalfReader(bytes.NewReader(data))))
		std := stdjson.NewDecoder(bytes.NewReader(data))
		std.UseNumber()
		var want any
		stdErr := std.Decode(&want)
		if stdErr == nil {
			if _, end := std.Token(); end != io.EOF {
				stdErr = errors.New("it goes on")
			}
		}
		switch {
		case err == nil && serr != nil:
			t.Fatalf("as a tree it is fine, as tokens %v after %s", serr, streamed)
		case err == nil && stdErr != nil:
			t.Fatalf("accepted, and encoding/json: %v", stdErr)
		case err == nil && !reflect.DeepEqual(plainValue(v), want):
			t.Fatalf("%v, want %v", plainValue(v), want)
		case err != nil && stdErr == nil:
			known := !utf8.Valid(data) || format.Is(err, format.Exceeded) || strings.Contains(err.Error(), "twice") || strings.Contains(err.Error(), "surrogate")
			if !known {
				t.Fatalf("encoding/json accepts, ours: %v", err)
			}
		}
	})
}
