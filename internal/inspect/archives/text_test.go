package archives

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz/lzma"

	"github.com/sallyport/sallyport/internal/inspect"
)

// TestLatin wants text of before UTF-8 to pass where people write it, and
// nothing that a program may read as something else.
func TestLatin(t *testing.T) {
	const german = "Die Gr\xf6\xdfe der Stichprobe betr\xe4gt 4999 F\xe4lle.\r\n"
	for _, c := range []struct {
		name, text string
		passes     bool
	}{
		{"README.txt", german, true},
		{"README", strings.Repeat(german, 2000), true},
		{"model", strings.Repeat(german, 2000), false},
		{"names.csv", "id;name\n1;M\xfcller\n2;O\x92Neil\n", true},
		{"names.csv", "id;name\n1;M\xfcller\n2;\x81\n", false},
		{"names.csv", "id;name\n1;M\xfcller\x00\n", false},
		{"names.csv", strings.Repeat(german, 2000) + "\x07", false},
		{"a.txt", "{\"auto_map\": \"M\xfcller\"}", false},
		{"a.txt", " [ {\"class_name\": \"M\xfcller\"}]", false},
		{"a.txt", "[M\xfcller]\nx = 1\n", true},
		{"a.txt", "<p>M\xfcller</p>", false},
		{"a.txt", "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0!\n", false}, // another alphabet
		{"a.py", "# M\xfcller\n", false},
		{"a.yaml", "name: M\xfcller\n", false},
		{"a.bin", german, false},
	} {
		if r := scan(t, c.name, []byte(c.text)); r.Verdict.Passes() != c.passes {
			t.Errorf("%s %.40q: %s", c.name, c.text, tell(r))
		}
	}
	random := make([]byte, 64)
	source := rand.NewChaCha8([32]byte{1})
	for range 1000 {
		source.Read(random)
		if r := scan(t, "a.txt", random); r.Verdict.Passes() && strings.Contains(tell(r), "as text") {
			t.Fatalf("%q is text", random)
		}
	}
}

// TestWide wants text in UTF-16 to pass, and documents in it not to: programs
// read them, and no reading follows what they name.
func TestWide(t *testing.T) {
	for text, passes := range map[string]bool{
		"Größe: 4999\n":           true,
		"[general]\r\nname=x\r\n": true,
		"[1 to 4]":                true,
		`{"auto_map": {}}`:        false,
		" \n[ {}]":                false,
		"{}":                      false,
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := order.AppendUint16(nil, 0xfeff)
			for _, u := range utf16.Encode([]rune(text)) {
				data = order.AppendUint16(data, u)
			}
			if r := scan(t, "a.txt", data); r.Verdict.Passes() != passes {
				t.Errorf("%q: %s", text, tell(r))
			}
		}
	}
}

// TestMatlab wants matrices of MATLAB 4, whose header has the shape of that of an
// LZMA stream, not to be taken for one, whatever numbers they hold.
func TestMatlab(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	taken := 0
	for _, rows := range []uint32{1, 2, 3, 4, 6, 8, 16, 24, 64, 96, 256, 1024} {
		for _, columns := range []uint32{1, 2, 10, 1000} {
			for kind, number := range []func(i uint32) float64{
				func(uint32) float64 { return 0 },
				func(uint32) float64 { return r.Float64() },
				func(i uint32) float64 { return float64(i) },
			} {
				var data []byte
				for _, v := range []uint32{0, rows, columns, 0, 2} {
					data = binary.LittleEndian.AppendUint32(data, v)
				}
				data = append(data, "x\x00"...)
				for i := range rows * columns {
					data = binary.LittleEndian.AppendUint64(data, math.Float64bits(number(i)))
				}
				if matchLZMA(nil, data) != inspect.No {
					taken++
				}
				if got := tell(scan(t, "a.mat", data)); strings.Contains(got, "lzma") || strings.Contains(got, "broken") {
					t.Errorf("%d by %d of kind %d: %s", rows, columns, kind, got)
				}
			}
		}
	}
	if taken == 0 {
		t.Error("no header has the shape of a stream's")
	}
}

// TestLZMA wants streams to be known: whole under any name, and broken ones by
// what they yield, by their name, or by how all writers begin.
func TestLZMA(t *testing.T) {
	text := make([]byte, 4*surelyLZMA)
	for i := range text {
		text[i] = fmt.Sprint(i % 977)[0]
	}
	packed := func(properties *lzma.Properties, text []byte) []byte {
		var b bytes.Buffer
		w, err := lzma.WriterConfig{Properties: properties, DictCap: 1 << 16, EOSMarker: true}.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	usual, other := &lzma.Properties{LC: 3, PB: 2}, &lzma.Properties{}
	half := func(b []byte) []byte { return b[:len(b)-len(b)/8] }
	for _, c := range []struct {
		name string
		data []byte
		is   bool
	}{
		{"a.dat", packed(usual, text), true},
		{"a.dat", packed(other, text), true},
		{"a.dat", packed(other, []byte("hello")), true},
		{"a.dat", half(packed(other, text)), true},
		{"a.dat", half(packed(usual, []byte("hello"))), true},
		{"a.lzma", half(packed(other, []byte("hello"))), true},
		{"a.dat", half(packed(other, []byte("hello"))), false},
	} {
		if r := scan(t, c.name, c.data); strings.Contains(tell(r), "as lzma") != c.is || !c.is && r.Verdict.Passes() {
			t.Errorf("%s, %d bytes: %s", c.name, len(c.data), tell(r))
		}
	}
}
