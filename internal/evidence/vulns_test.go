package evidence

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// TestVulnsOfAnother holds folders to the check of dependencies that belongs to
// them, and to what it came to.
func TestVulnsOfAnother(t *testing.T) {
	other := sampleRun()
	other.ID = "another"
	for name, c := range map[string]struct {
		make  func(s site) []byte
		words string
		kind  sallyport.Kind
	}{
		"blocked": {func(s site) []byte { return s.vulns(t, sampleRun(), filesOf(s.wrote), "blocked") }, "1 known weakness", sallyport.Refused},
		"unknown": {func(s site) []byte { return s.vulns(t, sampleRun(), filesOf(s.wrote), "unknown") }, "could be checked", sallyport.Unknown},
		"a verdict that nobody knows": {func(s site) []byte { return s.vulns(t, sampleRun(), filesOf(s.wrote), "fine") },
			"no verdict", sallyport.Invalid},
		"another run":   {func(s site) []byte { return s.vulns(t, other, filesOf(s.wrote), "passed") }, "another run", sallyport.Refused},
		"fewer files":   {func(s site) []byte { return s.vulns(t, sampleRun(), filesOf(s.wrote)[1:], "passed") }, "other files", sallyport.Refused},
		"another's key": {func(s site) []byte { return newSite(t).vulns(t, sampleRun(), filesOf(s.wrote), "passed") }, "no trusted key", sallyport.Refused},
		"not a check of dependencies": {func(s site) []byte { return s.scan(t, sampleRun(), filesOf(s.wrote)) },
			"says something else", sallyport.Invalid},
	} {
		s := newSite(t)
		vulns := c.make(s)
		dir := s.folder(t, sampleRun(), func(e map[string]any) {
			e["holds"].(map[string]any)["model/"+VulnsFile] = sallyport.Sum(vulns)
		})
		write(t, filepath.Join(dir, VulnsFile), vulns)
		r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
		for _, got := range r.Checks {
			if want := got.Name == checkVulns; (got.Verdict != Passed) != want || want && !strings.Contains(got.Detail, c.words) {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if want := c.kind == sallyport.Unknown; sallyport.Is(r.Err(), sallyport.Unknown) != want {
			t.Errorf("%s: %v", name, r.Err())
		}
	}
}
