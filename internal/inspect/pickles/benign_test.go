package pickles

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// scan inspects bytes as a file, by the rules of this package only.
func scan(t testing.TB, name string, data []byte) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: Readings}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), nil, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// TestBenign wants files that the real libraries wrote to pass: those in
// testdata/benign, and those in the folder that SALLYPORT_SCAN_BENIGN names.
func TestBenign(t *testing.T) {
	folders := []string{"testdata/benign"}
	if more := os.Getenv("SALLYPORT_SCAN_BENIGN"); more != "" {
		folders = append(folders, more)
	}
	passed, total := 0, 0
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil || bytes.HasPrefix(data, []byte("PK\x03\x04")) {
				return err // archives are another package's
			}
			total++
			r := scan(t, path, data)
			if r.Verdict.Passes() && len(r.Formats) == 1 {
				passed++
				return nil
			}
			t.Errorf("%s: %v %v", path, r.Verdict, r.Formats)
			for _, f := range r.Findings[:min(4, len(r.Findings))] {
				t.Logf("  %s %v at %d: %s (%s)", f.Rule.ID, f.Verdict, f.Offset, f.What, f.Why)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of %d honest files pass", passed, total)
}
