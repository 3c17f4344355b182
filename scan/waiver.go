package scan

import (
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport"
)

// A Waiver is somebody's decision that the findings about one very file are
// acceptable. It holds for the exact bytes, for the exact findings, and until
// it expires; it never holds for a file with a malicious finding, nor for one
// that names other code than was looked at.
//
// It is for everybody to read, so it says what a quiet report does: of what is
// withheld only the rule and how often it was found. The bytes fix the rest.
//
// A Scanner believes the waivers that it is given. Who may grant one, and how it
// is signed, is for the caller.
type Waiver struct {
	SHA256   sallyport.Digest `json:"sha256"`
	Findings []string         `json:"findings"` // keys of findings: "graph-op AudioSpectrogram", "pickle-global withheld ×2"
	Globals  []string         `json:"globals"`  // all that the file names, as a quiet report has it
	Owner    string           `json:"owner"`
	Reason   string           `json:"reason"`
	Expires  time.Time        `json:"expires"`
}

// WaiverFor returns the waiver that would let the file of a report pass, or
// false if none can: it passes already, a finding is malicious, or not all that
// was found is told.
func WaiverFor(r *Report) (Waiver, bool) {
	q := Quiet(r)
	w := Waiver{SHA256: r.SHA256, Globals: q.Globals}
	if r.Verdict.Passes() || r.Verdict == Malicious || r.Dropped > 0 || r.SHA256 == "" {
		return w, false
	}
	times := withheld(q)
	for i := range q.Findings {
		if f := &q.Findings[i]; !f.Verdict.Passes() {
			w.Findings = append(w.Findings, key(f, times))
		}
	}
	slices.Sort(w.Findings)
	w.Findings = slices.Compact(w.Findings)
	return w, true
}

// withheld counts by rule what a quiet report withholds of what must be waived.
func withheld(q *Report) map[string]int {
	times := map[string]int{}
	for _, f := range q.Findings {
		if f.What == Withheld && !f.Verdict.Passes() {
			times[f.Rule.ID] += f.Times
		}
	}
	return times
}

// key names a quiet finding in a waiver: the rule and the thing, without a place,
// or instead of the thing how many there are that the rule withholds. So another
// scanner that finds more in the same bytes finds something that is not waived.
func key(f *Finding, withheld map[string]int) string {
	if f.What != Withheld {
		return f.Key()
	}
	return f.Key() + " ×" + strconv.Itoa(withheld[f.Rule.ID])
}

// apply marks the findings of r that a waiver accepts, and lowers the verdict if
// no other is left.
func apply(waivers []Waiver, r *Report, now time.Time) {
	for _, w := range waivers {
		if !w.concerns(r, now) {
			continue
		}
		q := Quiet(r)
		if !slices.Equal(w.Globals, q.Globals) {
			continue
		}
		times := withheld(q)
		for i := range r.Findings {
			f := &r.Findings[i]
			if said := quiet(f); f.Waiver == "" && !f.Verdict.Passes() && slices.Contains(w.Findings, key(&said, times)) {
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

// concerns reports whether a waiver is about the very bytes of r, and may be used
// on what was found in them.
func (w Waiver) concerns(r *Report, now time.Time) bool {
	return w.SHA256 == r.SHA256 && r.SHA256 != "" && now.Before(w.Expires) && r.Verdict < Malicious && r.Dropped == 0
}
