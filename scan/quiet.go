package scan

import (
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect/configs"
	"github.com/sallyport/sallyport/internal/inspect/graphs"
	"github.com/sallyport/sallyport/internal/inspect/keras"
	"github.com/sallyport/sallyport/internal/inspect/pickles"
	"github.com/sallyport/sallyport/internal/inspect/sources"
)

// Withheld stands in a quiet report for what the file says.
const Withheld = "withheld"

// Quiet returns what a report tells those who may not see the file. A model that
// was made from records about people can hold one in any text, and so in any that
// a finding quotes: a tensor, a member of an archive, a class can be called after
// somebody. What is left of a finding are our own words (its rule, how bad, how
// often), numbers, and the name of code if exactly that name stands on one of our
// lists, since then a library's author gave it. To be spelled as code is, or to
// begin with a known module, is not enough: whoever names somebody os.Jane_Doe
// still names her.
//
// Findings that differ in nothing but what is withheld become one, at the place of
// the first. A name in Globals that is on no list stands as Withheld. What is quiet
// already stays as it is, also if it was read back from JSON.
func Quiet(r *Report) *Report {
	q := *r
	q.Globals, q.Findings = slices.Clone(r.Globals), nil
	for i, name := range q.Globals {
		if !listed(strings.Replace(name, " ", ".", 1)) {
			q.Globals[i] = Withheld
		}
	}
	slices.Sort(q.Globals)
	type kind struct {
		rule, what, member, waiver string
		verdict                    Verdict
	}
	at := map[kind]int{}
	for i := range r.Findings {
		f := quiet(&r.Findings[i])
		k := kind{f.Rule.ID, f.What, f.Member, f.Waiver, f.Verdict}
		if same, ok := at[k]; ok {
			q.Findings[same].Times += f.Times
			continue
		}
		at[k] = len(q.Findings)
		q.Findings = append(q.Findings, f)
	}
	return &q
}

// quiet returns a finding without what it quotes. Why may quote too, so the
// rule's own sentence stands for it.
func quiet(f *Finding) Finding {
	rule := known(f.Rule)
	q := Finding{Rule: rule, Verdict: f.Verdict, Offset: f.Offset, What: Withheld, Why: rule.Title, Times: f.Times, Waiver: f.Waiver}
	if name, _, _ := strings.Cut(f.What, "("); rule.Code && listed(name) { // a call without its arguments
		q.What = name
	}
	if f.Member != "" {
		q.Member = Withheld
	}
	return q
}

// known returns a rule with all that it says, given one that was read back from
// JSON and has no more than its ID.
func known(r *Rule) *Rule {
	if all := rules(); all[r.ID] != nil {
		return all[r.ID]
	}
	return &Rule{ID: r.ID, Title: r.Title}
}

var rules = sync.OnceValue(func() map[string]*Rule {
	all := map[string]*Rule{}
	for _, r := range Rules() {
		all[r.ID] = r
	}
	return all
})

// listed reports whether a name of code is one of those that we know, whatever
// we think of it.
func listed(name string) bool {
	return pickles.Known(name) || keras.Known(name) || configs.Known(name) || graphs.Known(name) || sources.Known(name)
}
