package toml

import (
	"testing"

	"github.com/BurntSushi/toml"
)

// What overgrown lets pass is no deeper than it says, whatever quotes and
// comments hide: the decoder must not come to its limit, which is the stack's.
func FuzzOvergrown(f *testing.F) {
	const most = 2
	for _, s := range []string{lock, "a = [[[1]]]", `a = [""""x"""", [[1]]]`, "a = ['''''x''''', [[1]]]", `a = ["""x\""""""", [[1]]]`, `a = ['\', [[1]]]`,
		`a = ["\\" , [[1]]] # '`, `a = ["]", [']', [1]]]`, "a = [ # ]\n[[1]]]", "a = {b = {c = {d = 1}}}", "a.b.c.d = 1", "'a'.\"b\" . c.d = 1.5", "[[a.b]]\n[a.b.c]\n[[a.b.c.d]]\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if overgrown(s, most) >= 0 {
			return
		}
		var root map[string]any
		meta, err := toml.Decode(s, &root)
		if err != nil {
			return
		}
		if d := depthOfLists(root); d > most {
			t.Fatalf("lists %d deep", d)
		}
		for _, key := range meta.Keys() {
			// The table's own name, and one in each table within another.
			if len(key) > (most+2)*(most+1) {
				t.Fatalf("a name of %d parts", len(key))
			}
		}
	})
}

// depthOfLists returns how many lists are at most within each other, without
// those that headers make.
func depthOfLists(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			deepest = max(deepest, depthOfLists(x))
		}
	case []map[string]any:
		for _, x := range v {
			deepest = max(deepest, depthOfLists(x))
		}
	case []any:
		for _, x := range v {
			deepest = max(deepest, depthOfLists(x))
		}
		deepest++
	}
	return deepest
}
