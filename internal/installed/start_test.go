package installed

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// starts are texts of .pth files: plain ones, and all that versions of Python
// may take for the end of a line or the beginning of one.
func starts() []string {
	out := []string{"", "# import x\n", "plain/folder\n", "import %d\n", "import\t%d", "import%d\n", "\ufeffimport %d\n", "x\r\nimport %d\r\n", " import %d", "IMPORT %d"}
	for _, sep := range []string{"\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029", "\x00", " "} {
		out = append(out, "x"+sep+"import %d", "# y"+sep+"import\t%d"+sep, sep+"import %d")
	}
	return out
}

// TestStartOracle asks Python itself which .pth files run code when it starts:
// every one that does is shown as such.
func TestStartOracle(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("SKIPPED, so nothing is proven here about what Python runs: %v", err)
	}
	dir := t.TempDir()
	shown := map[string]bool{}
	for i, text := range starts() {
		name := fmt.Sprintf("p%02d.pth", i)
		// What stands behind the word is the same for every version: an import, then a mark.
		text = strings.ReplaceAll(text, "%d", fmt.Sprintf("builtins; builtins.ran.append(%q)", name))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		shown[name] = slices.ContainsFunc(startLines(name, text), func(p Problem) bool { return p.Rule == StartCode })
	}
	out, err := exec.Command(python, "-I", "-S", "-c", "import builtins, json, site, sys\nbuiltins.ran = []\nsite.addsitedir(sys.argv[1])\nprint(json.dumps(builtins.ran))", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var ran []string
	if err := json.Unmarshal(out, &ran); err != nil || len(ran) < 4 {
		t.Fatalf("got %s, %v", out, err)
	}
	for _, name := range ran {
		if !shown[name] {
			text, _ := os.ReadFile(filepath.Join(dir, name))
			t.Errorf("%s runs and is not shown: %q", name, text)
		}
	}
}

func FuzzStart(f *testing.F) {
	for _, text := range starts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := startLines("a.pth", text)
		for _, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' }) {
			if strings.HasPrefix(line, "import ") && !slices.ContainsFunc(got, func(p Problem) bool { return p.Rule == StartCode }) {
				t.Fatalf("not shown: %q", line)
			}
		}
		for _, p := range got {
			if strings.ContainsAny(p.What, "\n\r\x1b") || len(p.What) > 400 {
				t.Fatalf("not printable: %q", p.What)
			}
		}
	})
}
