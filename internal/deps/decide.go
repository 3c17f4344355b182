package deps

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
	"github.com/sallyport/sallyport/internal/vex"
)

// A Decision is what somebody decided about a finding: an entry of the policy
// file, or a statement of a VEX document that the policy accepts.
type Decision struct {
	ID            string    `json:"id"`                // of the advisory, any of its aliases; or a rule
	Package       string    `json:"package,omitempty"` // normalised; "" for any
	Versions      string    `json:"versions,omitempty"`
	Status        string    `json:"status"`                  // of OpenVEX
	Justification string    `json:"justification,omitempty"` // of OpenVEX, for not_affected
	Owner         string    `json:"owner"`
	Reason        string    `json:"reason"`
	Expires       time.Time `json:"expires,omitzero"` // zero: a VEX statement, which its author replaces
	Source        string    `json:"source"`           // "sallyport.deps.yaml:12", "vex/numpy.json"
}

// lifts reports whether somebody who decided so need not be told again. That
// something is affected, or that it is being looked into, lifts nothing.
func (e Decision) lifts() bool { return e.Status == vex.NotAffected || e.Status == vex.Fixed }

// about reports whether the decision is about the finding. An advisory goes by
// its own names alone: who accepts "vulnerable" would accept the next one too.
func (e Decision) about(f *Finding) bool {
	switch {
	case e.Package != "" && e.Package != f.Package:
		return false
	case f.Hit == nil && !strings.EqualFold(e.ID, string(f.Rule)), f.Hit != nil && !names(f.Hit, e.ID):
		return false
	}
	if e.Versions == "" {
		return true
	}
	clauses, err := pep440.ParseSpecifiers(e.Versions)
	if err != nil {
		return false
	}
	v, err := pep440.Parse(f.Version)
	return err == nil && clauses.Contains(v)
}

// exact reports whether the decision is about one version.
func (e Decision) exact() bool {
	clauses, err := pep440.ParseSpecifiers(e.Versions)
	if err != nil {
		return false
	}
	_, ok := clauses.Exact()
	return ok
}

// names reports whether the advisory goes by the ID.
func names(h *advisory.Hit, id string) bool {
	return slices.ContainsFunc(ids(h), func(s string) bool { return strings.EqualFold(s, id) })
}

// ids are all names of an advisory.
func ids(h *advisory.Hit) []string {
	return slices.Concat([]string{h.ID}, h.Aliases, h.Sources)
}

// decide applies the policy's decisions to the findings and adds one for every
// decision of the policy file that does not count any more. A package that is an
// attack is spared only by a decision about one exact version of it: what was
// found about all of them may have been found about the next.
func (p *Policy) decide(findings []Finding, today time.Time) []Finding {
	used := make([]bool, len(p.Ignore))
	for i := range findings {
		f := &findings[i]
		if f.Verdict == Passed {
			continue
		}
		for j, e := range p.Ignore {
			if !e.about(f) || f.Rule == Malicious && !e.exact() {
				continue
			}
			used[j] = true
			if e.lifts() && !expired(e, today) {
				f.Decided, f.Verdict = &e, Passed
				break
			}
		}
		if f.Verdict != Passed && f.Hit != nil && f.Rule == Vulnerable {
			p.heed(f)
		}
	}
	for j, e := range p.Ignore {
		switch {
		case expired(e, today):
			findings = append(findings, idle(e, fmt.Sprintf("the decision about %s expired on %s", e.ID, e.Expires.Format(time.DateOnly)), "look at it again: renew it, or remove it"))
		case !used[j]:
			findings = append(findings, idle(e, fmt.Sprintf("the decision about %s is about nothing that was found", e.ID), "remove it"))
		}
	}
	return findings
}

// heed applies what VEX documents say about a finding.
func (p *Policy) heed(f *Finding) {
	s := vex.Find(p.VEX, ids(f.Hit), f.Package, f.Version, p.project)
	if s == nil || s.Status != vex.NotAffected && s.Status != vex.Fixed {
		return
	}
	e := Decision{ID: s.Vulnerability, Package: pep508.Normal(f.Package), Status: s.Status, Justification: s.Justification, Owner: s.Author, Reason: s.Impact}
	for _, d := range p.VEX {
		for i := range d.Statements {
			if &d.Statements[i] == s {
				e.Source = fmt.Sprintf("%s:%d", d.ID, s.Line)
			}
		}
	}
	if e.Reason == "" {
		e.Reason = strings.ReplaceAll(e.Justification, "_", " ")
	}
	f.Decided, f.Verdict = &e, Passed
}

// expired reports whether a decision's day is over. Its last day counts whole.
func expired(e Decision, now time.Time) bool { return !now.Before(e.Expires.Add(day)) }

func idle(e Decision, what, try string) Finding {
	return Finding{Rule: BadDecision, Verdict: Passed, Package: e.Package, Place: placeOf(e.Source), What: what, Try: try}
}
