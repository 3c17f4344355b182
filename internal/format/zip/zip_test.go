package zip

import (
	stdzip "archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// made is an archive by the standard library, which writes descriptors.
func made(t testing.TB) []byte {
	var b bytes.Buffer
	w := stdzip.NewWriter(&b)
	for name, text := range map[string]string{"a.txt": "hello", "folder/b.txt": "hello, hello, hello"} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(text))
	}
	w.SetComment("a comment")
	w.Close()
	return b.Bytes()
}

// read reads all members, and what is doubtful about any.
func read(data []byte) (map[string]string, []Doubt, error) {
	a, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	doubts := a.Doubts
	members := map[string]string{}
	for w := a.Walk(); ; {
		e, err := w.Next()
		if err == io.EOF {
			return members, doubts, nil
		}
		if err != nil {
			return members, doubts, err
		}
		l, err := a.Local(e)
		if err != nil {
			return members, doubts, err
		}
		doubts = append(append(doubts, e.Doubts...), l.Doubts...)
		r, err := a.Data(e, l)
		if err != nil {
			return members, doubts, err
		}
		b, err := io.ReadAll(io.LimitReader(r, 32<<20))
		if err != nil {
			return members, doubts, err
		}
		members[e.Name] = string(b)
	}
}

// TestStandard reads what the standard library writes, and archives by Python
// in every method, as the standard library reads those that it can.
func TestStandard(t *testing.T) {
	archives := [][]byte{made(t)}
	names, err := filepath.Glob("../../inspect/archives/testdata/honest/*.zip")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, data)
	}
	for i, data := range archives {
		got, doubts, err := read(data)
		if err != nil || len(doubts) > 0 {
			t.Errorf("archive %d: %v, %v", i, doubts, err)
		}
		std, err := stdzip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(std.File) != len(got) {
			t.Errorf("archive %d: %d members, not %d", i, len(got), len(std.File))
		}
		for _, f := range std.File {
			r, err := f.Open()
			if errors.Is(err, stdzip.ErrAlgorithm) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(r)
			if err != nil || got[f.Name] != string(want) {
				t.Errorf("archive %d, %s: %d bytes, not %d, %v", i, f.Name, len(got[f.Name]), len(want), err)
			}
		}
	}
}

// TestNone wants files that are no archives to be told apart from broken ones.
func TestNone(t *testing.T) {
	for _, s := range []string{"", "PK", "PK\x05\x06", "PK\x03\x04 and so on, without any end that one could find"} {
		if _, err := Open(bytes.NewReader([]byte(s)), int64(len(s))); err != ErrNone {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestChanged flips every bit of an archive: what is read without doubt and
// error is what was written, but for names, times and the like.
func TestChanged(t *testing.T) {
	data := made(t)
	want, _, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	texts := func(m map[string]string) (out []int) {
		for _, s := range m {
			out = append(out, len(s))
		}
		return out
	}
	sum := 0
	for _, n := range texts(want) {
		sum += n
	}
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			got, doubts, err := read(data)
			if err == nil && len(doubts) == 0 {
				n := 0
				for _, x := range texts(got) {
					n += x
				}
				if n != sum || len(got) != len(want) {
					t.Errorf("byte %d, bit %d: %q", i, bit, got)
				}
			}
			data[i] ^= 1 << bit
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(made(f))
	names, _ := filepath.Glob("../../inspect/archives/testdata/honest/*.zip")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, err := read(data)
		var e *format.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
}
