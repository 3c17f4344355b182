package evidence

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport"
)

// AdvisoriesType is the predicate type of a bundle of advisories.
const AdvisoriesType = "https://sallyport.dev/advisories/v1"

// AdvisoriesFile is the one subject of such a statement: a zip of the sources'
// files.
const AdvisoriesFile = "advisories.zip"

// Advisories is the predicate: these are all the advisories that the sources had
// on a day.
type Advisories struct {
	Serial  int64            `json:"serial"` // a later bundle has a greater one
	Made    time.Time        `json:"made"`
	AsOf    time.Time        `json:"asOf"` // what was published later is not in it
	By      string           `json:"by"`   // the principal who made it
	Records int              `json:"records"`
	Newest  time.Time        `json:"newest"` // of the records: when it was last modified
	Sources []AdvisorySource `json:"sources"`
}

// An AdvisorySource is where some of the files come from.
type AdvisorySource struct {
	Place string    `json:"place"`
	Files int       `json:"files"`
	AsOf  time.Time `json:"asOf,omitzero"` // when it was fetched, by whoever made the bundle
}

// AttestAdvisories returns the statement that a holds of the file with the
// digest.
func AttestAdvisories(a Advisories, file sallyport.Digest) (Statement, error) {
	if err := a.check("bundle"); err != nil {
		return Statement{}, err
	}
	subjects, err := describe([]File{{AdvisoriesFile, file}})
	if err != nil {
		return Statement{}, err
	}
	return newStatement(AdvisoriesType, subjects, a)
}

func (a Advisories) check(place string) error {
	why := ""
	switch {
	case a.Serial <= 0:
		why = "it has no number"
	case a.Made.IsZero() || a.AsOf.IsZero() || a.AsOf.After(a.Made):
		why = "it does not say when it was made, and as of when"
	case sallyport.CheckName("principal", a.By) != nil:
		why = "it does not say who made it"
	case a.Records <= 0 || len(a.Sources) == 0:
		why = "it has no advisories"
	}
	if why == "" {
		return nil
	}
	return sallyport.Errorf(sallyport.Invalid, "not a bundle of advisories: %s", why).At("%s", place).Try("get it again from who made it")
}

// OpenAdvisories reads the statement of a bundle that somebody signed whom trust
// knows as one who may bring advisories in, and returns the digest that the
// file has to have; place names it in errors.
func OpenAdvisories(place string, envelope []byte, trust Trust) (Advisories, sallyport.Digest, error) {
	var a Advisories
	signers, err := trust.signers("trust.json")
	if err != nil {
		return a, "", err
	}
	f := folder{signers: signers}
	statement, by, err := Open(place, envelope, f.keys())
	if err != nil {
		return a, "", err
	}
	if statement.PredicateType != AdvisoriesType {
		return a, "", sallyport.Errorf(sallyport.Invalid, "not a bundle of advisories: it says something else").At("%s", place).Try("get it again from who made it")
	}
	if err := decode(place, statement.Predicate, closed, &a); err != nil {
		return a, "", err
	}
	if err := a.check(place); err != nil {
		return a, "", err
	}
	files, err := subjects(place, statement)
	if err != nil {
		return a, "", err
	}
	file, ok := files[AdvisoriesFile]
	switch {
	case !ok || len(files) != 1:
		return a, "", sallyport.Errorf(sallyport.Invalid, "not a bundle of advisories: it is about other files").At("%s", place)
	case !mayAdvise(f.who(by), a.By):
		return a, "", sallyport.Errorf(sallyport.Refused, "the bundle is not signed by who made it, or they may not %s", sallyport.Advise).At("%s", place).
			Try("have somebody make it who may")
	}
	return a, file, nil
}

func mayAdvise(by []signer, maker string) bool {
	return slices.ContainsFunc(by, func(s signer) bool {
		return s.principal != nil && s.Name == maker &&
			sallyport.Principal{Name: s.Name, Roles: s.principal.Roles}.May(sallyport.Advise) == nil
	})
}
