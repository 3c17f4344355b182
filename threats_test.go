package sallyport

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsNameTests wants every test that doc/threats.md relies on to be
// there: a promise whose test was renamed away is not proven by anything.
func TestThreatsNameTests(t *testing.T) {
	doc, err := os.ReadFile("doc/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	if err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`).FindAllString(string(doc), -1)
	if len(named) < 100 {
		t.Errorf("only %d tests are named: the document or this test is broken", len(named))
	}
	for _, name := range named {
		if !strings.Contains(all.String(), "func "+name+"(") {
			t.Errorf("doc/threats.md relies on %s, which is not there", name)
		}
	}
}
