package evidence

import (
	"errors"

	"github.com/sallyport/sallyport"
)

// A Verdict is what a check came to. The zero Verdict is Failed.
type Verdict uint8

// The verdicts. Unknown is a check that could not be completed, which is not
// passed.
const (
	Failed Verdict = iota
	Unknown
	Passed
)

func (v Verdict) String() string { return [...]string{"failed", "unknown", "passed"}[v] }

// MarshalText lets reports carry verdicts as words.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// A Check is one question that a verification asked.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`         // what was found, for a person
	Mend    string  `json:"mend,omitempty"` // what to do about it
}

// A Report is everything that a verification asked, in order, and against
// which keys.
type Report struct {
	Checks     []Check     `json:"checks"`
	Signed     []Signed    `json:"signed"`
	Provenance *Provenance `json:"provenance,omitempty"` // nil unless its signature verified
	Entry      *Entry      `json:"entry,omitempty"`      // nil unless it is in the ledger
}

// Signed is a file of evidence and a trusted key that signed it.
type Signed struct {
	File string `json:"file"`
	By   Key    `json:"by"`
}

// Err returns nil if every check passed; otherwise an error of kind Refused if
// one failed, and of kind Unknown if none failed but one could not be
// completed. A report without checks is Unknown.
func (r Report) Err() error {
	var first *Check
	for i, c := range r.Checks {
		if c.Verdict != Passed && (first == nil || c.Verdict < first.Verdict) {
			first = &r.Checks[i]
		}
	}
	switch {
	case len(r.Checks) == 0:
		return sallyport.Errorf(sallyport.Unknown, "nothing was checked")
	case first == nil:
		return nil
	case first.Verdict == Failed:
		return sallyport.Errorf(sallyport.Refused, "not verified: %s", first.Detail).At("%s", first.Name).Try("%s", first.Mend)
	}
	return sallyport.Errorf(sallyport.Unknown, "could not be verified: %s", first.Detail).At("%s", first.Name).Try("%s", first.Mend)
}

// add records what a check came to: err, or detail if there is none. Only an
// error that says no is a failure; a fault of the machine leaves it unknown.
func (r *Report) add(name, detail string, err error) {
	c := Check{Name: name, Verdict: Passed, Detail: detail}
	if err != nil {
		c.Verdict, c.Detail = Failed, err.Error()
		if kind := sallyport.KindOf(err); kind == sallyport.Unknown || kind == sallyport.Internal {
			c.Verdict = Unknown
		}
		c.Mend = mend(err)
	}
	r.Checks = append(r.Checks, c)
}

// mend returns what err says to do next.
func mend(err error) string {
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		return e.Mend
	}
	return ""
}
