package keras

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// unpack reads a file of testdata.
func unpack(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var ruleStandIn = &inspect.Rule{ID: "stand-in", Title: "A pickle names os.system."}

// standIns are what other packages read: pickles that name os.system, and
// anything else as text.
var standIns = []inspect.Reading{
	{
		Format: "pickle",
		Match: func(_ *inspect.File, head []byte) inspect.Fit {
			if bytes.Contains(head, []byte("system")) && bytes.HasSuffix(head, []byte(".")) {
				return inspect.Yes
			}
			return inspect.No
		},
		Inspect: func(p *inspect.Pass, f *inspect.File) error {
			p.Find(f, inspect.Finding{Rule: ruleStandIn, Verdict: inspect.Malicious, What: "os.system"})
			return nil
		},
	},
	{
		Format: "text", Generic: true,
		Match:   func(*inspect.File, []byte) inspect.Fit { return inspect.Maybe },
		Inspect: func(*inspect.Pass, *inspect.File) error { return nil },
	},
}

func scan(t testing.TB, name string, data []byte, around inspect.Around) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: append(append([]inspect.Reading{}, Readings...), standIns...)}
	r, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), around, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// told is what a report says, a word for each finding.
func told(r *inspect.Report) string {
	words := []string{r.Verdict.String()}
	for _, f := range r.Findings {
		words = append(words, f.Rule.ID)
	}
	return strings.Join(words, " ")
}

// TestHonest wants what real libraries write to pass.
func TestHonest(t *testing.T) {
	names, _ := filepath.Glob("testdata/good-*.gz")
	if len(names) < 18 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".gz")
		r := scan(t, base, unpack(t, name), nil)
		if !r.Verdict.Passes() || len(r.Formats) != 1 || r.Formats[0] == "text" {
			t.Errorf("%s: %s as %v", base, told(r), r.Formats)
			for _, f := range r.Findings {
				t.Logf("%s %s: %s", f.Member, f.What, f.Why)
			}
		}
		keras := !strings.Contains(base, "weights") && !strings.Contains(base, "plain") && !strings.Contains(base, "pandas")
		if keras != (r.Verdict == inspect.Allowed) {
			t.Errorf("%s: %s", base, r.Verdict)
		}
	}
}

// TestHostileFiles wants what was written with bad intent, by the same
// libraries, to be told by the rule that it breaks.
func TestHostileFiles(t *testing.T) {
	for name, want := range map[string]string{
		"bad-lambda.json":           "malicious keras-lambda keras-lambda",
		"bad-lambda.h5":             "malicious keras-lambda keras-lambda",
		"bad-lambda-named.json":     "suspicious keras-function keras-lambda",
		"bad-lambda-named.h5":       "suspicious keras-function keras-lambda",
		"bad-custom.json":           "suspicious keras-class",
		"bad-custom.h5":             "suspicious keras-class",
		"bad-external-link.h5":      "malicious hdf5-link",
		"bad-external-neighbour.h5": "suspicious hdf5-link",
		"bad-external-storage.h5":   "malicious hdf5-storage",
		"bad-virtual.h5":            "malicious hdf5-storage",
		"bad-pickle.h5":             "malicious stand-in",
		"bad-pickle-binary.h5":      "malicious stand-in",
		"bad-pytables.h5":           "malicious stand-in",
		"bad-pandas-object.h5":      "malicious stand-in",
		"bad-pandas-compressed.h5":  "inconclusive hdf5-pickles",
	} {
		r := scan(t, name, unpack(t, "testdata/"+name+".gz"), nil)
		if got := told(r); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
			for _, f := range r.Findings {
				t.Logf("%s %s: %s", f.Member, f.What, f.Why)
			}
		}
	}
}

// TestChangedFiles changes honest files by a few bytes to what no library here
// writes.
func TestChangedFiles(t *testing.T) {
	link := unpack(t, "testdata/bad-external-neighbour.h5.gz")
	at := bytes.Index(link, []byte("layers"))
	at -= 4 - bytes.IndexByte(link[at-4:at], 64)
	link[at] = 187 // the type of the link

	plain := unpack(t, "testdata/good-plain.h5.gz")
	filter := bytes.Clone(plain)
	at = bytes.Index(filter, []byte("deflate\x00"))
	filter[at-8], filter[at-7] = 0x40, 0x9c // the filter's number

	broken := bytes.Replace(unpack(t, "testdata/good-sequential.h5.gz"), []byte(`{"class_name"`), []byte(`{{class_name"`), 1)

	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"user-defined link", link, "suspicious hdf5-link"},
		{"unknown filter", filter, "inconclusive hdf5-filter"},
		{"bytes behind", append(bytes.Clone(plain), "PK"...), "suspicious hdf5-tail"},
		{"broken configuration", broken, "suspicious broken"},
		{"cut short", plain[:len(plain)-8], "suspicious broken"},
		{"moved", append(make([]byte, 512), plain...), "inert"},
	} {
		if got := told(scan(t, "a.h5", c.data, nil)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
