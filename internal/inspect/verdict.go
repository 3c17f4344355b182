package inspect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Verdict says how far a file, or one thing in it, may be trusted. They are
// ordered: a file's verdict is the greatest among those of what it holds.
type Verdict uint8

const (
	Inert        Verdict = iota // data and nothing else: it names no code
	Allowed                     // it names code, and all of it is known to be harmless used as it is
	Inconclusive                // it could not be read to the end: a limit, an unknown format, encryption
	Suspicious                  // it names unknown code, or is built in a way that honest writers do not build
	Malicious                   // it names code that has no place in a model
)

var verdicts = [...]string{"inert", "allowed", "inconclusive", "suspicious", "malicious"}

func (v Verdict) String() string {
	if int(v) < len(verdicts) {
		return verdicts[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Passes reports whether what has the verdict may be loaded.
func (v Verdict) Passes() bool { return v <= Allowed }

// MarshalText gives the verdict its name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdicts {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("no verdict has this name; they are %s", strings.Join(verdicts[:], ", "))
}

// A Rule is one thing that an inspector looks for.
type Rule struct {
	ID    string // "pickle-global"; short, stable, in lower case with hyphens
	Title string // one sentence, what was found in general
	Mend  string // what a person should do about it
	CWE   int    // of the Common Weakness Enumeration; 0: none fits
	Code  bool   // what it finds is the name of code; by any other rule it may be anything that a file holds
}

// MarshalJSON writes the rule as its ID.
func (r *Rule) MarshalJSON() ([]byte, error) { return json.Marshal(r.ID) }

// UnmarshalJSON reads the ID of a rule; the rest stays empty.
func (r *Rule) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &r.ID) }

// A Finding is what an inspector has to say about one place in a file.
//
// What, Member and Trace may quote the file, and so may a part of Why; the engine
// shortens and escapes them, so that no file can speak to a terminal. The rule is
// our own words.
type Finding struct {
	Rule    *Rule    `json:"rule"`
	Verdict Verdict  `json:"verdict"`
	Member  string   `json:"member,omitempty"` // path within the file; "" is the file itself
	Offset  int64    `json:"offset"`           // byte within the member; -1: no byte is to blame
	What    string   `json:"what"`             // the thing found: "os.system", "Lambda", "ReadFile"
	Why     string   `json:"why"`              // one sentence about this very thing
	Mend    string   `json:"mend,omitempty"`   // instead of the rule's
	Trace   []string `json:"trace,omitempty"`  // with --explain: what stands around it, with offsets
	Times   int      `json:"times"`            // how often it was found; the first is told
	Waiver  string   `json:"waiver,omitempty"` // who accepted it
}

// Key names the finding by the rule and the thing, without a place.
func (f *Finding) Key() string { return f.Rule.ID + " " + f.What }

// Advice is what to do about the finding.
func (f *Finding) Advice() string {
	if f.Mend != "" {
		return f.Mend
	}
	return f.Rule.Mend
}
