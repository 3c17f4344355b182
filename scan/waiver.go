package scan

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport"
)

// A Waiver is somebody's decision that the findings about one very file are
// acceptable. It holds for the exact bytes, for the exact findings, and until
// it expires; it never holds for a file with a malicious finding, nor for one
// that names other code than was looked at.
//
// A Scanner believes the waivers that it is given. Who may grant one, and how it
// is signed, is for the caller.
type Waiver struct {
	SHA256   sallyport.Digest `json:"sha256"`
	Findings []string         `json:"findings"` // keys of findings: "pickle-global mymodel.Net"
	Globals  []string         `json:"globals"`  // all that the file names, sorted
	Owner    string           `json:"owner"`
	Reason   string           `json:"reason"`
	Expires  time.Time        `json:"expires"`
}

// WaiverFor returns the waiver that would let the file of a report pass, or
// false if none can: it passes already, a finding is malicious, or not all that
// was found is told.
func WaiverFor(r *Report) (Waiver, bool) {
	w := Waiver{SHA256: r.SHA256, Globals: slices.Clone(r.Globals)}
	if r.Verdict.Passes() || r.Verdict == Malicious || r.Dropped > 0 || r.SHA256 == "" {
		return w, false
	}
	for _, f := range r.Findings {
		if !f.Verdict.Passes() {
			w.Findings = append(w.Findings, f.Key())
		}
	}
	slices.Sort(w.Findings)
	w.Findings = slices.Compact(w.Findings)
	return w, true
}

// apply marks the findings of r that a waiver accepts, and lowers the verdict if
// no other is left.
func apply(waivers []Waiver, r *Report, now time.Time) {
	for _, w := range waivers {
		if !w.holds(r, now) {
			continue
		}
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Waiver == "" && slices.Contains(w.Findings, f.Key()) {
				f.Waiver = w.Owner
			}
		}
	}
	verdict := Allowed
	for _, f := range r.Findings {
		if f.Waiver == "" {
			verdict = max(verdict, f.Verdict)
		}
	}
	r.Verdict = min(r.Verdict, verdict)
}

func (w Waiver) holds(r *Report, now time.Time) bool {
	return w.SHA256 == r.SHA256 && r.SHA256 != "" && now.Before(w.Expires) &&
		r.Verdict < Malicious && r.Dropped == 0 && slices.Equal(w.Globals, r.Globals)
}
