package scan

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// zipped is an archive of stored members, given as name and content in turn.
func zipped(t *testing.T, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		m, err := w.CreateHeader(&zip.FileHeader{Name: members[i], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		m.Write([]byte(members[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWhole judges files by all readings together: what one makes of a part
// must not depend on what it looks like to another.
func TestWhole(t *testing.T) {
	const array = "\x93NUMPY\x01\x00\x3c\x00{'descr':'|O','fortran_order':False,'shape':(1,)}           \n"
	const pickled = "\x80\x02}q\x00."
	for name, c := range map[string]struct {
		data []byte
		want Verdict
	}{
		"text in place of objects": {zipped(t, "arr_0.npy", array+"(dp0\nV[poch\np1\n((lp2\nNac__builtin__\nbytesJp\nI33\n"), Suspicious},
		"numbers like a pickle":    {zipped(t, "a/data.pkl", pickled, "a/version", "3\n", "a/data/0", "\x82\x01+\x00\x00\x00\x00\x00", "a/data/1", "\x80\x02\xff\x00\x00\x00\x00\x00"), Inert},
		"a pickle like numbers":    {zipped(t, "a/data.pkl", pickled, "a/version", "3\n", "a/data/0", "\x80\x02cposix\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03."), Malicious},
	} {
		r, err := New(Options{}).Bytes(t.Context(), "a.bin", c.data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestWide wants configurations in encodings that only some programs take not to
// be text that names nothing.
func TestWide(t *testing.T) {
	utf16 := func(s string) []byte {
		out := []byte("\xff\xfe")
		for _, c := range []byte(s) {
			out = append(out, c, 0)
		}
		return out
	}
	const remote = `{"model_type": "net", "auto_map": {"AutoModel": "modeling.Net"}}`
	for _, c := range []struct {
		name string
		data []byte
		want Verdict
	}{
		{"config.json", []byte(remote), Suspicious},
		{"config.json", utf16(remote), Suspicious},
		{"config.json", utf16(remote)[2:], Suspicious},
		{"config.json", append([]byte("\xef\xbb\xbf"), remote...), Suspicious},
		{"config.json", utf16(`{"model_type": "net"}`), Inconclusive},
		{"tokenizer_config.json", utf16(`{"chat_template": "{{ x.__class__ }}"}`), Inconclusive},
		{"README.txt", utf16("a model of a net\r\n"), Inert},
		{"README.txt", []byte("ein Modell f\xfcr Gr\xf6\xdfen, und was man davon wissen muss\n"), Inert},
		{"config.json", []byte(`{"author": "M` + "\xfc" + `ller", "auto_map": {"AutoModel": "modeling.Net"}}`), Suspicious},
	} {
		r, err := New(Options{}).Bytes(t.Context(), c.name, c.data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.want {
			t.Errorf("%s %.30q: %s, want %s: %+v", c.name, c.data, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestLinks wants links to pass that lead to what is scanned, and no others.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run", "log.txt"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := map[string]Verdict{"latest": Allowed, "log": Allowed, "out": Inconclusive, "gone": Inconclusive, "whole": Inconclusive}
	for name, to := range map[string]string{"latest": "run", "log": "run/log.txt", "out": "../x", "gone": "nothing", "whole": t.TempDir()} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if err := New(Options{}).Path(t.Context(), dir, func(r *Report, err error) {
		if v, ok := want[filepath.Base(r.Path)]; err != nil || ok && r.Verdict != v {
			t.Errorf("%s: %s, %v", r.Path, r.Verdict, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
