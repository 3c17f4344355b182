package evidence

import (
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
