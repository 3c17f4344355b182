package archives

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// FuzzReadings gives the engine any bytes: no reading may stop in the middle of
// a file, and none may expand without end.
func FuzzReadings(f *testing.F) {
	for _, dir := range []string{"testdata/honest/", "testdata/encrypted/"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(dir + e.Name())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(e.Name(), data)
		}
	}
	f.Add("a.zip", zipOf(part{name: "a", data: "hello", flags: 1}, part{name: "a", data: "hello", method: 8, mode: 0o120777}))
	f.Add("a.tar", tarOf(file{name: "x", kind: 'x', data: pax("path=b")}, file{name: "a", kind: '2', link: "b"}))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		s := inspect.Scanner{Readings: append(slices.Clone(Readings), pickle, array), Temp: t.TempDir(),
			Limits: inspect.Limits{Expanded: 16 << 20, Members: 1000, Work: 1 << 24}}
		r, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range r.Findings {
			if x.Rule.ID == "scanner-fault" {
				t.Fatal(tell(r))
			}
		}
	})
}
