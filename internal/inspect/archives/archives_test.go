package archives

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// pickle stands in for the readings of other packages: what begins as a pickle
// is one.
var pickle = inspect.Reading{
	Format: "pickle",
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		return fit(len(head) > 1 && head[0] == 0x80 && head[1] < 6)
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		p.Global("pickle " + f.Member)
		return nil
	},
}

// array stands in for the reading of NumPy's arrays.
var array = inspect.Reading{
	Format: "npy", Match: begins("\x93NUMPY"),
	Inspect: func(*inspect.Pass, *inspect.File) error { return nil },
}

func scan(t testing.TB, name string, data []byte) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: append(slices.Clone(Readings), pickle, array), Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), nil, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// tell is what a report says, a finding in each line.
func tell(r *inspect.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s as %s\n", r.Verdict, strings.Join(r.Formats, " and "))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s %s [%s] at %d: %s: %s\n", f.Verdict, f.Rule.ID, f.Member, f.Offset, f.What, f.Why)
	}
	return b.String()
}

// TestHonest wants what libraries write to pass, and to be known for what it is.
func TestHonest(t *testing.T) {
	formats := map[string]string{
		".npz": "zip", ".nemo": "", ".joblib": "", ".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".lzma": "lzma", ".z": "zlib", ".zst": "zstd",
		".jpg": "jpeg", ".tif": "tiff", ".webp": "riff", ".wav": "riff", ".svg": "markup", ".html": "markup", ".csv": "text", ".md": "text",
		".txt": "text", ".model": "sentencepiece", ".pt": "",
	}
	for _, name := range listed(t, "testdata/honest/*") {
		if strings.HasSuffix(name, "stream.arrow") {
			continue // of another format than table.arrow: TestArrowStream has it
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(name)
		r := scan(t, base, data)
		if !r.Verdict.Passes() {
			t.Errorf("%s: %s", name, tell(r))
		}
		want, ok := formats[filepath.Ext(name)]
		if !ok {
			want = strings.TrimPrefix(filepath.Ext(name), ".")
		}
		if len(data) > 0 && want != "" && !slices.Contains(r.Formats, want) {
			t.Errorf("%s is %v, not %s", name, r.Formats, want)
		}
		if strings.HasSuffix(base, ".joblib") && base != "old.joblib" && !slices.Contains(r.Globals, "pickle "+base) {
			t.Errorf("%s: its pickle was not found: %v", name, r.Globals)
		}
	}
}

func listed(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return names
}

// TestEncrypted wants what needs a password to be told as that, and not to pass.
func TestEncrypted(t *testing.T) {
	for _, name := range listed(t, "testdata/encrypted/*") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := scan(t, filepath.Base(name), data)
		if r.Verdict != inspect.Inconclusive || len(r.Findings) != 1 || r.Findings[0].Rule != ruleEncrypted {
			t.Errorf("%s: %s", name, tell(r))
		}
	}
}
