package lockfile

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sallyport/sallyport/internal/pep508"
)

// The corpus is of real projects; testdata/corpus.py makes it, and asks pip's own
// parser and Python's own readers of TOML and INI files what each line asks for.
// Nothing that they find may be skipped here, and nothing else be found.
func TestCorpus(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/corpus.txtar")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var answers map[string][]corpusLine
	if err := json.Unmarshal(b, &answers); err != nil || len(answers) != len(archive.Files) {
		t.Fatalf("%d answers to %d files: %v", len(answers), len(archive.Files), err)
	}
	lines, skipped := 0, 0
	for _, f := range archive.Files {
		base := path.Base(f.Name)
		r := newReader(files(base, string(f.Data)))
		if err := r.file(base, false, nil); err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		lines += len(answers[f.Name])
		if base == "pyproject.toml" || base == "setup.cfg" {
			skipped += missingNames(t, f.Name, r.list, answers[f.Name])
		} else {
			skipped += missingLines(t, f.Name, r.list, answers[f.Name])
		}
	}
	t.Logf("%d files with %d lines that ask for something: %d skipped in silence", len(archive.Files), lines, skipped)
	if skipped > 0 || lines < 500 {
		t.Fail()
	}
}

// A corpusLine is what the corpus's makers say of one line: of requirements
// files its number and what it asks for, of others the package's name.
type corpusLine struct {
	line int
	text string
}

func (l *corpusLine) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&l.line, &l.text})
}

// missingLines counts lines of a requirements file that were not read.
func missingLines(t *testing.T, name string, l List, want []corpusLine) (skipped int) {
	got := map[int][]string{} // names by line
	for _, p := range l.Packages {
		got[p.Place.Line] = append(got[p.Place.Line], p.Name)
	}
	for _, u := range l.Unread {
		got[u.Place.Line] = append(got[u.Place.Line], u.Name)
	}
	asked := map[int]bool{}
	for _, w := range want {
		asked[w.line] = true
		if w.text == "@option" {
			continue
		}
		if len(got[w.line]) == 0 {
			t.Errorf("%s:%d: %s is skipped", name, w.line, w.text)
			skipped++
		}
		if r, err := pep508.Parse(w.text); err == nil && (len(got[w.line]) != 1 || got[w.line][0] != r.Name) {
			t.Errorf("%s:%d: %s is read as %q", name, w.line, w.text, got[w.line])
		}
	}
	for line, names := range got {
		if !asked[line] {
			t.Errorf("%s:%d: asks for nothing, and is read as %q", name, line, names)
		}
	}
	return skipped
}

// missingNames counts packages of a declaration that were not read.
func missingNames(t *testing.T, name string, l List, want []corpusLine) (skipped int) {
	got := map[string]int{}
	for _, p := range l.Packages {
		got[p.Name]++
	}
	for _, u := range l.Unread {
		got[u.Name]++
	}
	for _, w := range want {
		if got[w.text]--; got[w.text] < 0 {
			t.Errorf("%s: %s is skipped", strings.TrimSpace(name), w.text)
			skipped++
		}
	}
	return skipped
}
