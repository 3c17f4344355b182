package tensors

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// pickle stands for the reader of pickles, which judges arrays of objects.
var pickle = inspect.Reading{
	Format: "pickle",
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if bytes.HasPrefix(head, []byte{0x80}) && bytes.HasSuffix(head, []byte{'.'}) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: func(p *inspect.Pass, _ *inspect.File) error {
		p.Global("seen pickle")
		return nil
	},
}

var scanner = inspect.Scanner{Readings: append(slices.Clone(Readings), pickle)}

// scan judges bytes as the file called name.
func scan(t testing.TB, name string, data []byte, around inspect.Around) *inspect.Report {
	t.Helper()
	r, err := scanner.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), around, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rules lists what a report found, without what is only said for information.
func rules(r *inspect.Report) string {
	var out []string
	for _, f := range r.Findings {
		if f.Verdict > inspect.Allowed {
			out = append(out, f.Rule.ID)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// folder is a folder of files as Around.
func folder(t testing.TB, dir string) *inspect.Folder {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &inspect.Folder{Root: root}
}

// TestHonest wants files that the libraries write to pass: those of testdata,
// and those of the folder that SALLYPORT_SCAN_BENIGN names.
func TestHonest(t *testing.T) {
	dirs := []string{"testdata/honest"}
	if more := os.Getenv("SALLYPORT_SCAN_BENIGN"); more != "" {
		dirs = append(dirs, more)
	}
	for _, dir := range dirs {
		around := folder(t, dir)
		files := 0
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(dir, path)
			r := scan(t, filepath.ToSlash(name), data, around)
			if slices.Equal(r.Formats, nil) {
				return nil // of no format of this package
			}
			files++
			if !r.Verdict.Passes() {
				t.Errorf("%s: %s: %+v", name, r.Verdict, r.Findings)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d files", dir, files)
		if dir == "testdata/honest" && files != 43 {
			t.Errorf("%d files were known, want 43", files)
		}
	}
}

// read is an honest file.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/honest", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCutAndLonger wants no file to pass that lacks its last byte, or has one
// more than it should.
func TestCutAndLonger(t *testing.T) {
	for _, name := range []string{"all.safetensors", "narrow.safetensors", "empty.safetensors", "little.gguf", "named.gguf", "npy/f8.npy", "npy/record.npy", "flax.msgpack", "hf/tokenizer_config.json"} {
		data := read(t, name)
		for _, n := range []int{1, 3, len(data) / 4, len(data) / 2} {
			cut := data[:len(data)-n]
			if strings.HasSuffix(name, ".gguf") && n < 32 {
				continue // padding
			}
			if r := scan(t, name, cut, nil); r.Verdict < inspect.Inconclusive {
				t.Errorf("%s without its last %d bytes: %s", name, n, r.Verdict)
			}
		}
		longer := append(slices.Clone(data), 'x')
		if r := scan(t, name, longer, nil); r.Verdict != inspect.Suspicious && !strings.HasSuffix(name, ".json") {
			t.Errorf("%s with a byte more: %s", name, r.Verdict)
		}
	}
}

// TestNames wants a name that promises one of the formats to be true.
func TestNames(t *testing.T) {
	for _, ext := range []string{".safetensors", ".gguf", ".npy", ".msgpack", ".jinja"} {
		if r := scan(t, "a"+ext, []byte("\x00\x01 something else entirely"), nil); r.Verdict != inspect.Suspicious || !strings.Contains(rules(r), "name-lies") {
			t.Errorf("%s: %s by %s", ext, r.Verdict, rules(r))
		}
	}
}
