package deps

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// report sums up: the worst first.
func (c *checker) report() *Report {
	all := c.Policy.decide(c.findings, c.Now)
	c.explain(all)
	slices.SortStableFunc(all, compareFindings)
	r := &Report{Version: c.Version, Checked: c.Now, Files: c.list.Files, Packages: len(c.list.Packages), Verdict: Passed, Findings: all}
	if r.Files == nil {
		r.Files = []lockfile.File{}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if c.Archives != nil {
		r.Attested = c.Archives.Attested
	}
	if c.Advisories != nil {
		r.Database = &c.Advisories.Name
	}
	for _, f := range all {
		r.Verdict = worse(r.Verdict, f.Verdict)
	}
	return r
}

// explain adds to each finding about a package the shortest way to it.
func (c *checker) explain(all []Finding) {
	ways := c.list.Ways()
	for i := range all {
		if way := ways[all[i].Package]; len(way) > 1 {
			all[i].Path = way
		}
	}
}

// compareFindings orders by what to look at first: what blocks, what attackers
// use, what is worst.
func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Verdict.rank(), a.Verdict.rank()),
		cmp.Compare(order(a.Rule), order(b.Rule)),
		cmp.Compare(urgency(b), urgency(a)),
		cmp.Compare(a.Package, b.Package),
		cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line),
	)
}

func order(r Rule) int {
	if r == Malicious {
		return -1
	}
	return slices.IndexFunc(rules, func(i RuleInfo) bool { return i.ID == r })
}

// urgency weighs an advisory: exploited ones first, then by severity, and within
// one severity by how probable an exploit is.
func urgency(f Finding) float64 {
	if f.Hit == nil {
		return 0
	}
	u := float64(f.Hit.Severity)*2 + f.Hit.EPSS
	if !f.Hit.Exploited.IsZero() {
		u += 100
	}
	return u
}

// Err is why a check does not end with 0, or nil.
func (r *Report) Err() error {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict != Passed {
			n++
		}
	}
	switch r.Verdict {
	case Passed:
		return nil
	case Blocked:
		return sallyport.Errorf(sallyport.Refused, "%s the dependencies from passing", keep(n)).
			Try("mend them, or decide about them in %s", PolicyFile)
	}
	return sallyport.Errorf(sallyport.Unknown, "%s the dependencies from passing: they could not be checked", keep(n)).
		Try("pin what is asked for, bring newer advisories in, or decide about it in %s", PolicyFile)
}

func keep(n int) string {
	if n == 1 {
		return "1 finding keeps"
	}
	return fmt.Sprintf("%d findings keep", n)
}
