package msgpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

func free(int) error { return nil }

// walk writes a document's values one behind the other.
func walk(data []byte) (string, error) {
	r := NewReader(format.NewCursor(bytes.NewReader(data), 0, int64(len(data))), free)
	var out []string
	for {
		v, err := r.Next()
		if err == io.EOF {
			return strings.Join(out, " "), nil
		}
		if err != nil {
			return strings.Join(out, " "), err
		}
		s := map[Kind]string{Nil: "nil"}[v.Kind]
		switch v.Kind {
		case Bool, Uint:
			s = fmt.Sprint(v.Number)
		case Int:
			s = fmt.Sprint(int64(v.Number))
		case Float:
			s = fmt.Sprintf("f%x", v.Number)
		case Str, Bin:
			s = fmt.Sprintf("%q", data[v.At:v.At+v.Len])
		case Ext:
			s = fmt.Sprintf("ext%d %q", v.Type, data[v.At:v.At+v.Len])
		case Array:
			s = fmt.Sprintf("[%d", v.Len)
		case Map:
			s = fmt.Sprintf("{%d", v.Len)
		}
		if v.Key {
			s += ":"
		}
		out = append(out, s)
	}
}

func TestWalk(t *testing.T) {
	for in, want := range map[string]string{
		"\xc0": "nil", "\xc2": "0", "\xc3": "1", "\x7f": "127", "\xff": "-1", "\xe0": "-32",
		"\xcc\xff": "255", "\xcd\xff\xff": "65535", "\xce\xff\xff\xff\xff": "4294967295", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff": fmt.Sprint(uint64(math.MaxUint64)),
		"\xd0\x80": "-128", "\xd1\x80\x00": "-32768", "\xd2\x80\x00\x00\x00": "-2147483648", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00": fmt.Sprint(math.MinInt64), "\xd1\x01\x02": "258",
		"\xca\x3f\x80\x00\x00": "f3f800000", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00": "f3ff0000000000000",
		"\xa2ab": `"ab"`, "\xd9\x01a": `"a"`, "\xda\x00\x01a": `"a"`, "\xdb\x00\x00\x00\x01a": `"a"`, "\xc4\x01a": `"a"`, "\xc5\x00\x01a": `"a"`, "\xc6\x00\x00\x00\x01a": `"a"`,
		"\xd4\x05a": `ext5 "a"`, "\xd5\x05ab": `ext5 "ab"`, "\xd8\xff0123456789abcdef": `ext-1 "0123456789abcdef"`, "\xc7\x00\x01": `ext1 ""`, "\xc8\x00\x01\x01a": `ext1 "a"`, "\xc9\x00\x00\x00\x01\x01a": `ext1 "a"`,
		"\x92\x01\x90": "[2 1 [0", "\xdc\x00\x01\x01": "[1 1", "\xdd\x00\x00\x00\x01\x01": "[1 1", "\x80": "{0",
		"\x82\xa1a\x91\x01\xa1b\x81\x02\x03": `{2 "a": [1 1 "b": {1 2: 3`, "\xde\x00\x01\x01\x02": "{1 1: 2", "\xdf\x00\x00\x00\x01\x01\x02": "{1 1: 2",
	} {
		if got, err := walk([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %s, want %s, %v", in, got, want, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for in, kind := range map[string]format.Kind{
		"": format.Broken, "\xc1": format.Broken, "\x91": format.Broken, "\x81\x01": format.Broken, "\xa2a": format.Broken, "\x01\x01": format.Broken, "\xdd\xff\xff\xff\xff\x01": format.Broken,
		"\xdf\xff\xff\xff\xff\x01": format.Broken, "\xc6\xff\xff\xff\xff": format.Broken, "\xd4": format.Broken, "\xcf\x01": format.Broken,
		strings.Repeat("\x91", 1000) + "\x01": format.Exceeded,
	} {
		if got, err := walk([]byte(in)); !format.Is(err, kind) {
			t.Errorf("%.10q: %.40s, %v", in, got, err)
		}
	}
}

// TestStopped wants the walk to end when it is told to.
func TestStopped(t *testing.T) {
	enough := errors.New("enough")
	r := NewReader(format.NewCursor(strings.NewReader("\x91\x01"), 0, 2), func(int) error { return enough })
	if _, err := r.Next(); err != enough {
		t.Error(err)
	}
}

func FuzzMsgpack(f *testing.F) {
	for _, s := range []string{"\x82\xa1a\x91\x01\xa1b\x81\x02\x03", "\xc7\x00\x01", "\xdf\x00\x00\x00\x01\x01\x02", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(format.NewCursor(bytes.NewReader(data), 0, int64(len(data))), free)
		var last int64 = -1
		for {
			v, err := r.Next()
			if err != nil {
				var e *format.Error
				if err != io.EOF && !errors.As(err, &e) {
					t.Fatal(err)
				}
				return
			}
			if v.Off <= last || v.At+v.Len > int64(len(data)) && v.Kind >= Str && v.Kind != Array && v.Kind != Map {
				t.Fatalf("%+v behind %d", v, last)
			}
			last = v.Off
		}
	})
}
