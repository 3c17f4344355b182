// Package deps checks what a project depends on: against advisories, against
// what its files promise, and against the decisions that people took about
// what was found.
package deps

import (
	"time"

	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// A Verdict is what a check came to. Only Passed passes.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Passed  Verdict = "passed"
	Unknown Verdict = "unknown" // something could not be checked, or the database is stale or missing
	Blocked Verdict = "blocked" // something is known to be wrong and nobody has decided about it
)

// A Rule names a kind of finding.
type Rule string

// The rules. What each means and does is in rules.
const (
	Vulnerable  Rule = "vulnerable"  // an advisory affects the version
	Malicious   Rule = "malicious"   // the package is an attack
	Yanked      Rule = "yanked"      // its authors have withdrawn the version
	Unread      Rule = "unread"      // a line that could not be checked
	Unhashed    Rule = "unhashed"    // pinned, but not to its bytes
	Confusion   Rule = "confusion"   // two indexes may answer for its name
	Foreign     Rule = "foreign"     // from an index that is not on the list
	Lookalike   Rule = "lookalike"   // one edit from a popular name
	Young       Rule = "young"       // published less than the cooldown ago
	BuildCode   Rule = "build-code"  // a source distribution: installing it runs code
	StartCode   Rule = "start-code"  // a .pth file: starting Python runs code
	Altered     Rule = "altered"     // an installed file differs from its RECORD
	Stray       Rule = "stray"       // an installed file that no RECORD names
	Misnamed    Rule = "misnamed"    // an archive's name says another thing than what is in it, as honest ones do
	Unverified  Rule = "attestation" // an attestation (PEP 740) that does not hold
	Stale       Rule = "stale"       // the database is too old, or there is none
	BadDecision Rule = "decision"    // a decision that is expired, or about nothing
)

// A Finding is what a check has to say about one package or line.
type Finding struct {
	Rule    Rule           `json:"rule"`
	Verdict Verdict        `json:"verdict"`           // what it does to the whole; Passed is advice
	Package string         `json:"package,omitempty"` // normalised
	Version string         `json:"version,omitempty"`
	Place   lockfile.Place `json:"place,omitzero"`
	What    string         `json:"what"`           // a sentence
	Try     string         `json:"try,omitempty"`  // what to do
	Path    []string       `json:"path,omitempty"` // the shortest chain of needs that leads to it, from a direct one
	Hit     *advisory.Hit  `json:"advisory,omitempty"`
	Decided *Decision      `json:"decided,omitempty"` // then Verdict is Passed
}

// A Report is what a check came to.
type Report struct {
	Version  string          `json:"version"` // of Sallyport
	Checked  time.Time       `json:"checked"`
	Database *advisory.Name  `json:"database,omitempty"` // nil: there was none
	Files    []lockfile.File `json:"files"`
	Packages int             `json:"packages"`
	Verdict  Verdict         `json:"verdict"`
	Findings []Finding       `json:"findings"`
	Attested []Attested      `json:"attested,omitempty"` // archives of which it is proven where they were made
}

// Known returns every name of every advisory that the check found, together with
// the package: one weakness may turn out to be in another package too. A run that
// was never checked knew of none.
func (r *Report) Known() map[Told]bool {
	known := map[Told]bool{}
	if r == nil {
		return known
	}
	for _, f := range r.Findings {
		if f.Hit != nil {
			for _, id := range ids(f.Hit) {
				known[Told{f.Package, id}] = true
			}
		}
	}
	return known
}
