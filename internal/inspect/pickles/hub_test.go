package pickles

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestHubGlobals wants nearly all names that public models hold to be on the
// lists. SALLYPORT_HUB_GLOBALS names a file of the models' names, a JSON object
// with "model" and "files" a line.
func TestHubGlobals(t *testing.T) {
	file := os.Getenv("SALLYPORT_HUB_GLOBALS")
	if file == "" {
		t.Skip("SALLYPORT_HUB_GLOBALS names no file: the names of public models are not compared")
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var models, passed, names, allowed int
	refused := map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m struct {
			Files map[string][]string
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		models++
		ok := true
		for _, file := range m.Files {
			for _, g := range file {
				names++
				module, name, _ := strings.Cut(g, " ")
				_, found := lookup(module, name)
				if found {
					allowed++
				} else {
					refused[g]++
				}
				ok = ok && found
			}
		}
		if ok {
			passed++
		}
	}
	for _, g := range slices.Sorted(maps.Keys(refused)) {
		t.Logf("refused: %s (%d, denied %q)", g, refused[g], denial(denied, strings.Fields(g)[0], strings.Fields(g)[1]))
	}
	t.Logf("%d of %d models, %d of %d names", passed, models, allowed, names)
	if passed*1000 < models*995 || allowed*1000 < names*995 {
		t.Error("fewer than 99.5 of 100 are allowed")
	}
}
