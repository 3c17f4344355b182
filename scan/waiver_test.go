package scan

import (
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/inspect"
)

// report is one about a file with two findings that are not malicious.
func report() *Report {
	rule := &inspect.Rule{ID: "pickle-global", Title: "Unknown code is named.", Mend: "ask", CWE: 502}
	return &Report{Path: "m.pkl", Size: 4, SHA256: sallyport.Sum([]byte("file")), Verdict: Suspicious,
		Formats: []string{"pickle"}, Globals: []string{"mymodel Net", "mymodel Tree"},
		Findings: []Finding{
			{Rule: rule, Verdict: Suspicious, Offset: 2, What: "mymodel Net", Why: "it is unknown", Times: 1},
			{Rule: rule, Verdict: Inconclusive, Offset: 9, Member: "a!b", What: "mymodel Tree", Why: "it is unknown", Times: 2},
		}}
}

// waivable is report with a finding that is told in the clear, and one that
// nobody needs to waive.
func waivable() *Report {
	r := report()
	r.Findings = append(r.Findings,
		Finding{Rule: &inspect.Rule{ID: "graph-op"}, Verdict: Suspicious, Offset: 7, What: "ReadFile", Why: "it reads", Times: 1},
		Finding{Rule: r.Findings[0].Rule, Verdict: Allowed, Offset: 9, What: "mymodel Leaf", Why: "it is fine", Times: 5})
	return r
}

func TestWaiver(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	good, ok := WaiverFor(waivable())
	if !ok {
		t.Fatal("no waiver for a suspicious file")
	}
	if want := []string{"graph-op ReadFile", "pickle-global withheld ×3"}; !slices.Equal(good.Findings, want) || !slices.Equal(good.Globals, []string{Withheld, Withheld}) {
		t.Fatalf("the waiver says %q, %q", good.Findings, good.Globals)
	}
	good.Owner, good.Reason, good.Expires = "rosa", "ours", now.Add(time.Hour)
	for name, c := range map[string]struct {
		waiver func(*Waiver)
		report func(*Report)
		passes bool
	}{
		"as granted":     {nil, nil, true},
		"another file":   {func(w *Waiver) { w.SHA256 = sallyport.Sum(nil) }, nil, false},
		"expired":        {func(w *Waiver) { w.Expires = now }, nil, false},
		"fewer findings": {func(w *Waiver) { w.Findings = w.Findings[1:] }, nil, false},
		"another global": {nil, func(r *Report) { r.Globals = append(r.Globals, "os system") }, false},
		"a finding more": {nil, func(r *Report) {
			r.Findings = append(r.Findings, Finding{Rule: r.Findings[0].Rule, Verdict: Suspicious, What: "new", Times: 1})
		}, false},
		"the same once more":   {nil, func(r *Report) { r.Findings[1].Times++ }, false},
		"another known thing":  {nil, func(r *Report) { r.Findings[2].What = "WriteFile" }, false},
		"one less, of another": {nil, func(r *Report) { r.Findings[0].What, r.Findings[1].Times = "os.system", 3 }, false},
		"read back":            {nil, func(r *Report) { *r = *again(t, r) }, true},
		"quiet and read back":  {nil, func(r *Report) { *r = *again(t, Quiet(r)) }, true},
		"malicious":            {nil, func(r *Report) { r.Verdict = Malicious; r.Findings[0].Verdict = Malicious }, false},
		"findings dropped":     {nil, func(r *Report) { r.Dropped = 1 }, false},
		"a digest is empty":    {func(w *Waiver) { w.SHA256 = "" }, func(r *Report) { r.SHA256 = "" }, false},
	} {
		w, r := good, waivable()
		if c.waiver != nil {
			c.waiver(&w)
		}
		if c.report != nil {
			c.report(r)
		}
		apply([]Waiver{w}, r, now)
		if r.Verdict.Passes() != c.passes {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
	if q, ok := WaiverFor(again(t, Quiet(waivable()))); !ok || !slices.Equal(q.Findings, good.Findings) || !slices.Equal(q.Globals, good.Globals) {
		t.Errorf("of a quiet report the waiver says %q, %q", q.Findings, q.Globals)
	}
	for name, change := range map[string]func(*Report){
		"passes": func(r *Report) { r.Verdict = Allowed }, "malicious": func(r *Report) { r.Verdict = Malicious },
		"dropped": func(r *Report) { r.Dropped = 1 }, "unread": func(r *Report) { r.SHA256 = "" },
	} {
		r := waivable()
		change(r)
		if _, ok := WaiverFor(r); ok {
			t.Errorf("%s: there is a waiver", name)
		}
	}
}
