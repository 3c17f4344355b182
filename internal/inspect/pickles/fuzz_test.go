package pickles

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// FuzzScan wants every stream to be judged without a fault of the scanner, the
// same way twice, and a stream that names os.system in its first bytes never to
// pass.
func FuzzScan(f *testing.F) {
	for _, stream := range hostile() {
		if len(stream) < 64 {
			f.Add([]byte(stream))
		}
	}
	files, _ := filepath.Glob("testdata/benign/*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 2000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		judge := func(data []byte) inspect.Verdict {
			s := inspect.Scanner{Readings: Readings}
			r, err := s.Scan(t.Context(), "x.pkl", bytes.NewReader(data), int64(len(data)), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range r.Findings {
				if found.Rule.ID == "scanner-fault" {
					t.Fatalf("%v", found)
				}
			}
			return r.Verdict
		}
		if a, b := judge(data), judge(data); a != b {
			t.Errorf("%v and %v", a, b)
		}
		named := append([]byte("\x80\x02cos\nsystem\n0"), data...)
		if v := judge(named); v.Passes() {
			t.Errorf("a name that is thrown away passes: %v", v)
		}
	})
}
