package pickles

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/inspect"
)

// TestText wants text that names something and breaks to be a pickle by what it
// names and by its own name.
func TestText(t *testing.T) {
	for _, c := range []struct {
		name, data string
		blocked    bool
	}{
		{"labels", "cat\ndog\nbird\n", false}, // no module is called "at"
		{"labels.txt", "cat\ndog\nbird\n", false},
		{"labels.pkl", "cat\ndog\nbird\n", true},
		{"labels.bin", "cat\ndog\nbird\n", true},
		{"functions", "cos\nsin\ntan\n", true}, // it imports os
		{"functions.txt", "cos\nsin\ntan\n", false},
		{"functions.py", "cos\nsin\ntan\n", false},
		{"functions.unheard-of", "cos\nsin\ntan\n", true},
		{"functions.txt", "cos\nsin\nNabla\n", true}, // what it names is changed
		{"functions.txt", "cos\nsystem\n(S'id'\ntR", true},
		{"functions.txt", "cos\x1b\nsin\ntan\n", false},
		{"functions.txt", "cos\nsin\n\x1btan\n", true}, // nobody writes that
		{"functions.txt", "cos\nsin\nfen\xeatre\n", false},
		{"labels.txt", "cat\ndog\nfen\xeatre\n", false},
		{"labels", "cat\ndog\nfen\xeatre\n", true}, // a letter, or an opcode
		{"labels", "cat\ndog\n\x80", true},
		{"labels", "cat\ndog\n" + strings.Repeat("bird\n", 2000) + "\x80", true},
		{"labels", "cat\ndog\n" + strings.Repeat("oiseau \u00e9t\u00e9\n", 2000), false},
		{"labels", "cat\ndog\n\fbird\n", false},
		{".gitignore", "checkpoints\nwandb\n.venv\n", false},
		{"ignored", "checkpoints\nwandb\n.venv\n", true},
		{"model.msgpack", "\x82\xa6params\x81\xa1w\xc0\xabbatch_stats\x80", false}, // it begins as EXT1 does
		{"model", "U!" + strings.Repeat("a", 32) + "\xc2\x82X)R and text", true},
		{"README", "ctypes\n======\n\nCalls C.\n", false},
		{"LICENSE", "Copyright (c) 2026\n", false},
		{"notes", "N.B. this\n", false},
		{"main.tex", "% a\n\\documentclass{article}\n", false},
	} {
		r := scan(t, c.name, []byte(c.data))
		if blocked := len(r.Formats) > 0 && !r.Verdict.Passes(); blocked != c.blocked {
			t.Errorf("%s %q: %v %v", c.name, c.data, r.Formats, r.Verdict)
		}
	}
}

// TestTexts wants no text that people wrote to be a pickle, under its own name
// and as a README: those of this repository, and those in the folder that
// SALLYPORT_SCAN_TEXTS names.
func TestTexts(t *testing.T) {
	folders := []string{"../../.."}
	if more := os.Getenv("SALLYPORT_SCAN_TEXTS"); more != "" {
		folders = append(folders, filepath.SplitList(more)...)
	}
	texts := 0
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // what cannot be read is nobody's text
			case e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata"):
				return fs.SkipDir
			case !e.Type().IsRegular():
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil || !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
				return nil
			}
			texts++
			for _, name := range []string{filepath.Base(path), "README"} {
				f := inspect.NewFile(name, bytes.NewReader(data), int64(len(data)))
				if match(f, data[:min(len(data), 4096)]) != inspect.No {
					t.Errorf("%s, as %s: %.60q is a pickle", path, name, data)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if texts < 500 {
		t.Errorf("only %d texts", texts)
	}
	t.Logf("%d texts", texts)
}

// TestImportable wants the list to know what every Python has, and packages of
// it, and no word that only looks like it.
func TestImportable(t *testing.T) {
	for module, want := range map[string]bool{
		"os": true, "os.path": true, "builtins": true, "__builtin__": true, "numpy.core.multiarray": true, "torch": true, "pip": true,
		"sklearn.evil": true, "copy_reg": true, "commands": true, "xml": true, "_io": true, "zoneinfo": true, "__main__": true,
		"o": false, "osx": false, "": false, ".": false, ".os": false, "at": false, "os\n": false, "os python": false, "#": false,
	} {
		if importable(module) != want {
			t.Errorf("%q: %v", module, !want)
		}
	}
	last := ""
	for line := range strings.Lines(body(modules)) {
		module, _, _ := strings.Cut(line, " ")
		if line <= last || !plainName(module) || !importable(module) {
			t.Errorf("%q is not found", line)
		}
		last = line
	}
	for line := range strings.Lines(body(denied)) {
		if module, _, _ := strings.Cut(line, " "); !importable(module) {
			t.Errorf("nobody has what is denied: %q", module)
		}
	}
}
