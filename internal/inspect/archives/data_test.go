package archives

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

func honest(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/honest/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHostileData wants programs to be told as such, and documents that run
// something, and whatever hides behind the end of an image.
func TestHostileData(t *testing.T) {
	objects := func(text string) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return join("%PDF-1.5\n1 0 obj <</Type/ObjStm/Filter/FlateDecode>>\nstream\r\n", b.Bytes(), "\nendstream\n%%EOF\n")
	}
	cases := []struct {
		file, rule string
		data       []byte
	}{
		{"A.class", "executable", []byte("\xca\xfe\xba\xbe\x00\x00\x00\x41")},
		{"a.wasm", "executable", []byte("\x00asm\x01\x00\x00\x00")},
		{"a.txt", "executable", []byte("#!/bin/sh\nrm -r /\n")},
		{"a.svg", "active-content", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		{"a.svg", "active-content", []byte(`<?xml version="1.0"?><svg><rect onload = "alert(1)"/></svg>`)},
		{"a.svg", "active-content", []byte(`<svg><a xlink:href="java&#115;cript:alert(1)">x</a></svg>`)},
		{"a.svg", "active-content", []byte(`<svg><image xlink:href="http://example.org/seen.png"/></svg>`)},
		{"a.svg", "active-content", []byte(`<svg><foreignObject><p/></foreignObject></svg>`)},
		{"a.svg", "active-content", []byte(`<!DOCTYPE svg [ <!ENTITY x SYSTEM "file:///etc/passwd"> ]><svg>&x;</svg>`)},
		{"a.png", "active-content", []byte(`<html><img src=x onerror=alert(1)>`)},
		{"a.txt", "active-content", []byte(`<html><textarea>" <b a="</textarea><script>alert(1)</script>"></html>`)},
		{"a.txt", "active-content", []byte(`<html><!-- a="--> <script>alert(1)</script> "></html>`)},
		{"a.txt", "active-content", []byte(`<html><meta http-equiv=refresh content="0;url=http://example.org"></html>`)},
		{"a.txt", "active-content", []byte(`<html><IFRAME SRC="//example.org"></IFRAME></html>`)},
		{"a.pdf", "active-content", []byte("%PDF-1.4\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert(1))>> >>\n%%EOF\n")},
		{"a.pdf", "active-content", []byte("%PDF-1.4\n1 0 obj <</S/#4caunch/F(a.exe)>>\n%%EOF\n")},
		{"a.pdf", "active-content", objects("1 0 <</S/JavaScript/JS(app.alert(1))>>")},
		{"a.pdf", "active-content", []byte("%PDF-1.5\n1 0 obj <</Type/ObjStm/Filter/LZWDecode>>\nstream\nxyz\nendstream\n%%EOF\n")},
		{"a.pdf", "encrypted", []byte("%PDF-1.5\ntrailer <</Encrypt 2 0 R>>\n%%EOF\n")},
		{"a.pdf", "broken", []byte("%PDF-1.4\n")},
		{"a.arrow", "active-content", []byte("ARROW1\x00\x00 arrow.py_extension_type ARROW1")},
		{"a.parquet", "active-content", join("PAR1", base64.StdEncoding.EncodeToString([]byte("x arrow.py_extension_type y")), "\x24\x00\x00\x00PAR1")},
		{"a.parquet", "broken", []byte("PAR1 and so on, without an end")},
		{"a.sqlite", "unsupported", append([]byte("SQLite format 3\x00"), make([]byte, 100)...)},
		{"a.png", "name-lies", []byte("hello")},
		{"a.json", "unknown-format", []byte("{\x00}")},
		{"a", "unknown-format", []byte{1, 2, 3, 0, 0xff}},
		{"a.txt", "unknown-format", []byte("hello \xff\xff")},
	}
	for _, name := range []string{"image.png", "image.jpg", "image.gif", "moving.gif", "image.bmp", "image.webp", "sound.wav"} {
		data := honest(t, name)
		cases = append(cases, []struct {
			file, rule string
			data       []byte
		}{
			{name, "trailing-bytes", join(data, "\x80\x04N.")},
			{name, "broken", data[:len(data)-9]},
		}...)
	}
	for _, c := range cases {
		r := scan(t, c.file, c.data)
		if r.Verdict.Passes() || !slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == c.rule }) {
			t.Errorf("%s %.60q: want %s:\n%s", c.file, c.data, c.rule, tell(r))
		}
	}
}

// TestObjectsOfDocument wants a newer document without scripts to pass.
func TestObjectsOfDocument(t *testing.T) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte("1 0 <</Type/Page/Parent 2 0 R>>"))
	w.Close()
	data := join("%PDF-1.5\n1 0 obj <</Type/ObjStm/Filter/FlateDecode>>\nstream\n", b.Bytes(), "\nendstream\n%%EOF\n")
	if r := scan(t, "a.pdf", data); r.Verdict != inspect.Inert {
		t.Error(tell(r))
	}
}

// TestExtensionNames finds the name in base 64 wherever it begins.
func TestExtensionNames(t *testing.T) {
	for pad := range 7 {
		s := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + extensionType + "and more"))
		if !slices.ContainsFunc(extensionNames(), func(n []byte) bool { return strings.Contains(s, string(n)) }) {
			t.Errorf("behind %d bytes it is not found in %s", pad, s)
		}
	}
}

// TestRandomStorages wants numbers that begin like something else to be taken
// for numbers where they stand as a tensor's.
func TestRandomStorages(t *testing.T) {
	var parts []part
	parts = append(parts, part{name: "m/data.pkl", data: "\x80\x02N."})
	for i, head := range []string{"x\x9c", "x\x01", "x^", "x\xda", "#!", "BM", "\x78\x9c\x4b", "{", "<", "II*\x00"} {
		noise := make([]byte, 3000)
		v := uint32(i + 1)
		for j := range noise {
			v = v*1664525 + 1013904223
			noise[j] = byte(v >> 24)
		}
		parts = append(parts, part{name: "m/data/" + string(rune('0'+i)), data: head + string(noise)})
	}
	if r := scan(t, "m.pt", zipOf(parts...)); !r.Verdict.Passes() {
		t.Error(tell(r))
	}
	lone := parts[1]
	if r := scan(t, "m.pt", zipOf(lone)); r.Verdict != inspect.Inconclusive {
		t.Errorf("without a pickle beside them: %s", tell(r))
	}
}

// TestPieces wants a damaged SentencePiece model not to be taken for one.
func TestPieces(t *testing.T) {
	data := honest(t, "spm.model")
	if r := scan(t, "spm.model", data[:len(data)-3]); r.Verdict.Passes() {
		t.Error(tell(r))
	}
}
