package scan

import (
	"regexp"
	"strings"
	"testing"
)

// TestRules wants every rule to have a name of its own, to say what it found and
// what to do.
func TestRules(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, r := range Rules() {
		switch {
		case !id.MatchString(r.ID) || seen[r.ID]:
			t.Errorf("rule %q: its name is none, or another's", r.ID)
		case !strings.HasSuffix(r.Title, ".") || r.Mend == "" || strings.HasSuffix(r.Mend, "."):
			t.Errorf("rule %s: %q, %q", r.ID, r.Title, r.Mend)
		}
		seen[r.ID] = true
	}
	for _, r := range readings() {
		if r.Format == "" || r.Match == nil || r.Inspect == nil {
			t.Errorf("a reading lacks something: %+v", r)
		}
	}
}
