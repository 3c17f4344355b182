package evidence

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
)

// WaiverType is the predicate type of a waiver: somebody's decision to accept
// what was found about one very file, until a day.
const WaiverType = "https://sallyport.dev/waiver/v1"

// A Waiver is the predicate. Its statement has one subject, the file.
type Waiver struct {
	Findings []string  `json:"findings"` // "RULE THING", each exact
	Globals  []string  `json:"globals"`  // all code that the file names
	Owner    string    `json:"owner"`
	Reason   string    `json:"reason"`
	Expires  time.Time `json:"expires"`
}

// AttestWaiver returns the statement that w holds of file.
func AttestWaiver(w Waiver, file File) (Statement, error) {
	if err := w.check("waiver"); err != nil {
		return Statement{}, err
	}
	subjects, err := describe([]File{file})
	if err != nil {
		return Statement{}, err
	}
	return newStatement(WaiverType, subjects, w)
}

// ReadWaiver reads the predicate of a verified statement and the file that it
// is about; place names it in errors.
func ReadWaiver(place string, s Statement) (Waiver, File, error) {
	var w Waiver
	if s.PredicateType != WaiverType {
		return w, File{}, notWaiver(place, "it says something else")
	}
	if err := decode(place, s.Predicate, closed, &w); err != nil {
		return w, File{}, err
	}
	files, err := subjects(place, s)
	if err != nil || len(files) != 1 {
		return w, File{}, notWaiver(place, "it is not about one file")
	}
	for name, digest := range files {
		return w, File{name, digest}, w.check(place)
	}
	panic("unreachable: there is one file")
}

func (w Waiver) check(place string) error {
	switch {
	case w.Owner == "":
		return notWaiver(place, "nobody owns it")
	case w.Reason == "":
		return notWaiver(place, "it gives no reason")
	case w.Expires.IsZero():
		return notWaiver(place, "it never expires")
	case len(w.Findings) == 0:
		return notWaiver(place, "it accepts nothing")
	}
	return nil
}

func notWaiver(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not a waiver: %s", why).At("%s", place).
		Try("make it anew with: sallyport scan waive")
}

// A Granted waiver is one whose signature verified.
type Granted struct {
	Waiver
	File
}

// ReadWaivers reads a file of waivers, one DSSE envelope to a line, and returns
// those in it: each must be signed by its owner, whom trust knows as somebody
// who may waive findings. One that is not is an error, for whoever gave the
// file believes that it holds. Whether they expired is for the caller.
func ReadWaivers(place string, data []byte, trust Trust) ([]Granted, error) {
	signers, err := trust.signers("trust.json")
	if err != nil {
		return nil, err
	}
	f := folder{signers: signers}
	var all []Granted
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d", place, line)
		statement, by, err := Open(at, text, f.keys())
		if err != nil {
			return nil, err
		}
		w, file, err := ReadWaiver(at, statement)
		if err != nil {
			return nil, err
		}
		if !mayWaive(f.who(by), w.Owner) {
			return nil, sallyport.Errorf(sallyport.Refused, "the waiver is not signed by its owner, or its owner may not waive findings").At("%s", at).
				Try("have a %s make it with: sallyport scan waive", sallyport.Who(sallyport.Waive)[0])
		}
		all = append(all, Granted{w, file})
	}
	return all, nil
}

func mayWaive(by []signer, owner string) bool {
	return slices.ContainsFunc(by, func(s signer) bool {
		return s.principal != nil && s.Name == owner &&
			sallyport.Principal{Name: s.Name, Roles: s.principal.Roles}.May(sallyport.Waive) == nil
	})
}
