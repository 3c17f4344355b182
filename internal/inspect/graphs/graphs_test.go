package graphs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// scan inspects bytes that lie alone.
func scan(t testing.TB, name string, b []byte) *inspect.Report {
	t.Helper()
	return scanAround(t, name, b, nil)
}

func scanAround(t testing.TB, name string, b []byte, around inspect.Around) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: readings(), Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(b), int64(len(b)), around, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// scanFolder inspects one file of a folder, or all if name is "".
func scanFolder(t testing.TB, dir, name string) []*inspect.Report {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	folder := &inspect.Folder{Root: root}
	var out []*inspect.Report
	for _, n := range folder.Names() {
		if name != "" && n != name {
			continue
		}
		f, err := folder.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		s := inspect.Scanner{Readings: readings(), Temp: t.TempDir()}
		r, err := s.Scan(t.Context(), n, f, f.Size, folder, nil)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		out = append(out, r)
	}
	return out
}

// readings are those of this package, and one that stands for all who read text.
func readings() []inspect.Reading {
	return append(Readings(), inspect.Reading{
		Format: "text", Generic: true,
		Match: func(f *inspect.File, head []byte) inspect.Fit {
			if bytes.HasPrefix(head, []byte("{")) || f.Base() == "vocab.txt" {
				return inspect.Yes
			}
			return inspect.No
		},
		Inspect: func(*inspect.Pass, *inspect.File) error { return nil },
	})
}

// story is a report in one line.
func story(r *inspect.Report) string {
	out := []string{r.Verdict.String(), strings.Join(r.Formats, "+")}
	for _, f := range r.Findings[:min(3, len(r.Findings))] {
		out = append(out, fmt.Sprintf("%s %s at %d %q: %s", f.Rule.ID, f.Verdict, f.Offset, f.What, f.Why))
	}
	return strings.Join(out, "; ")
}

// TestHonest wants every model in testdata, each written by the library that it
// belongs to, to pass.
func TestHonest(t *testing.T) {
	reports := scanFolder(t, "testdata/honest", "")
	if len(reports) == 0 {
		t.Fatal("there are none")
	}
	for _, r := range reports {
		if !r.Verdict.Passes() || len(r.Formats) == 0 || len(r.Findings) > 0 {
			t.Errorf("%s: %s", r.Path, story(r))
		}
	}
}

// TestHonestElsewhere wants the models below the folders in SALLYPORT_MODELS to
// pass, of which there are too many to keep here: those that the libraries bring
// for their own tests.
func TestHonestElsewhere(t *testing.T) {
	dirs := os.Getenv("SALLYPORT_MODELS")
	if dirs == "" {
		t.Skip("SALLYPORT_MODELS names no folders")
	}
	for _, dir := range filepath.SplitList(dirs) {
		n := 0
		for _, r := range scanFolder(t, dir, "") {
			if !slices.Contains([]string{".onnx", ".pb", ".mlmodel", ".tflite", ".pbtxt", ".data", ".meta", ".bin"}, filepath.Ext(r.Path)) {
				continue
			}
			n++
			if !r.Verdict.Passes() || len(r.Formats) == 0 {
				t.Errorf("%s: %s", r.Path, story(r))
			}
		}
		t.Logf("%d models in %s", n, dir)
	}
}

// TestData reads every embedded schema and list.
func TestData(t *testing.T) {
	err := fs.WalkDir(data, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name = strings.TrimPrefix(name, "data/")
		if strings.HasSuffix(name, ".schema") {
			schema(name)()
		} else if len(list(name)()) < 50 {
			t.Errorf("%s is short", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
