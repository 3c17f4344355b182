package erase_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/evidence"
)

// TestPageStages wants the page to say which stages of a run had seen the
// records, and what became of the others.
func TestPageStages(t *testing.T) {
	again := []string{"train#3", "combine"}
	for _, c := range []struct {
		run  evidence.ErasedRun
		want []string
	}{
		{evidence.ErasedRun{Action: "retrained", Replaced: "second"},
			[]string{"Everything that it had written and printed was destroyed.", "made again without these records by run second"}},
		{evidence.ErasedRun{Action: "retrained", Replaced: "second", Again: again},
			[]string{"2 stages of it had written and printed (train#3, combine) was destroyed; the others had not seen these records."}},
		{evidence.ErasedRun{Action: "retrained", Replaced: "second", Again: again[:1]}, []string{"1 stage of it had"}},
		{evidence.ErasedRun{Action: "revoked", Reason: "it failed", Again: again},
			[]string{"the others had not seen these records, and were destroyed with it.", "It was not made again: it failed."}},
	} {
		c.run.Run, c.run.Why = "first", "read people@1"
		var page strings.Builder
		check(t, erase.Page(&page, evidence.Erasure{Runs: []evidence.ErasedRun{c.run}}, evidence.Key{}, ""))
		for _, want := range c.want {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%+v: the page does not say %q:\n%s", c.run, want, page.String())
			}
		}
	}
}
