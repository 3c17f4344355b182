package ubjson

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
)

// tell writes the tokens of a document as a line.
func tell(b []byte) (string, error) {
	var out []string
	r := NewReader(bytes.NewReader(b), 0, int64(len(b)))
	for {
		t, err := r.Next()
		if err == io.EOF {
			return strings.Join(out, " "), nil
		}
		if err != nil {
			return strings.Join(out, " "), err
		}
		switch t.Kind {
		case json.Number:
			if t.Whole {
				out = append(out, fmt.Sprint(t.Int))
			} else {
				out = append(out, fmt.Sprint(t.Float))
			}
		case json.Key, json.String:
			out = append(out, fmt.Sprintf("%s:%q", t.Kind, t.Text))
		default:
			out = append(out, t.Kind.String())
		}
		if len(out) > 4*len(b)+4 {
			return "", fmt.Errorf("more tokens than bytes pay for")
		}
	}
}

func TestRead(t *testing.T) {
	names := map[json.Kind]string{}
	for k := json.Null; k <= json.ObjectEnd; k++ {
		names[k] = k.String()
	}
	for in, want := range map[string]string{
		"Z":                                     names[json.Null],
		"NNT":                                   names[json.True],
		"i\xff":                                 "-1",
		"U\xff":                                 "255",
		"I\xff\xfe":                             "-2",
		"l\x00\x01\x00\x00":                     "65536",
		"L\x00\x00\x00\x01\x00\x00\x00\x00":     "4294967296",
		"d\x3f\x80\x00\x00":                     "1",
		"D\x3f\xf8\x00\x00\x00\x00\x00\x00":     "1.5",
		"SU\x02ab":                              names[json.String] + `:"ab"`,
		"Cx":                                    names[json.String] + `:"x"`,
		"[U\x01NU\x02]":                         names[json.Array] + " 1 2 " + names[json.ArrayEnd],
		"[$U#i\x02\x07\x08":                     names[json.Array] + " 7 8 " + names[json.ArrayEnd],
		"[$l#L\x00\x00\x00\x00\x00\x00\x00\x00": names[json.Array] + " " + names[json.ArrayEnd],
		"[#i\x02TF":                             names[json.Array] + " " + names[json.True] + " " + names[json.False] + " " + names[json.ArrayEnd],
		"{i\x01aU\x05}":                         names[json.Object] + " " + names[json.Key] + `:"a" 5 ` + names[json.ObjectEnd],
		"{$U#i\x01i\x01a\x05":                   names[json.Object] + " " + names[json.Key] + `:"a" 5 ` + names[json.ObjectEnd],
	} {
		if got, err := tell([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for in, want := range map[string]format.Kind{
		"": format.Broken, "[": format.Broken, "[U": format.Broken, "x": format.Broken, "ZZ": format.Broken, "{]": format.Broken,
		"SU\x05ab": format.Broken, "SL\xff\xff\xff\xff\xff\xff\xff\xff": format.Broken, "SU\x01\xff": format.Broken,
		"[$l#L\x00\x00\x00\x10\x00\x00\x00\x00": format.Broken,
		"[#L\x7f\xff\xff\xff\xff\xff\xff\xff":   format.Broken,
		"[$Z#L\x00\x00\x00\x10\x00\x00\x00\x00": format.Unsupported,
		"[$[#i\x01]":                            format.Unsupported,
		"[$Ui\x01":                              format.Broken,
		strings.Repeat("[", 600):                format.Exceeded,
	} {
		if _, err := tell([]byte(in)); !format.Is(err, want) {
			t.Errorf("%.20q: %v", in, err)
		}
	}
}

func FuzzUBJSON(f *testing.F) {
	for _, s := range []string{"{L\x00\x00\x00\x00\x00\x00\x00\x01a[$l#L\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x05}", "[#i\x02TF", "SU\x02ab", "[NNd\x00\x00\x00\x00]", "{$U#i\x01i\x01a\x05"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := tell(b)
		if err != nil && !format.Is(err, format.Broken) && !format.Is(err, format.Unsupported) && !format.Is(err, format.Exceeded) {
			t.Fatal(err)
		}
	})
}
