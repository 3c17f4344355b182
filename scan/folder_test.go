package scan

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// reading is of every file, and does something while it reads.
func reading(do func(f *inspect.File)) inspect.Reading {
	return inspect.Reading{Format: "any",
		Match:   func(*inspect.File, []byte) inspect.Fit { return inspect.Yes },
		Inspect: func(_ *inspect.Pass, f *inspect.File) error { do(f); return nil }}
}

// TestChangedWhileScanned wants an error of a file that somebody writes to.
func TestChangedWhileScanned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Scanner{engine: inspect.Scanner{Readings: []inspect.Reading{reading(func(*inspect.File) {
		os.WriteFile(path, []byte("another"), 0o600)
	})}}}
	var got error
	if err := s.Path(t.Context(), path, func(_ *Report, err error) { got = err }); err != nil || !errors.Is(got, errChanged) {
		t.Errorf("%v, %v", err, got)
	}
}

// TestFolderOrder wants reports in the order of names, whatever takes longer,
// and every file once.
func TestFolderOrder(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for _, name := range []string{"a/1", "a/2", "b", "c/d/e", "z"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		want = append(want, path)
	}
	s := &Scanner{engine: inspect.Scanner{Readings: []inspect.Reading{reading(func(f *inspect.File) { io.Copy(io.Discard, f.Reader()) })}}}
	var got []string
	err := s.Path(t.Context(), dir, func(r *Report, err error) {
		if err != nil || r.Verdict != Inert {
			t.Errorf("%s: %s, %v", r.Path, r.Verdict, err)
		}
		got = append(got, r.Path)
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
