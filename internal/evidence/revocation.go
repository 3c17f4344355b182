package evidence

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
)

// RevocationsFile is the name under which a list of revocations is looked for
// beside a trust file.
const RevocationsFile = "revocations.json"

// RevocationsType is the predicate type of a list of revocations.
const RevocationsType = "https://sallyport.dev/revocations/v1"

// ListLife is how long a list of revocations is fresh. An older one says nothing:
// what was revoked since is not in it.
const ListLife = 30 * 24 * time.Hour

// Revocations is the predicate: everything that a site has revoked so far. The
// statement's one subject is the site's name with the digest of its ledger's
// tree, so that a list belongs to a state of the ledger.
type Revocations struct {
	Site    string       `json:"site"`
	Number  int64        `json:"number"` // entries of the ledger when it was made; a later list has more
	Issued  time.Time    `json:"issued"`
	Expires time.Time    `json:"expires"`
	Revoked []Revocation `json:"revoked"`
}

// A Revocation takes the word back that a site gave for what a run made.
type Revocation struct {
	Run      string             `json:"run"` // without "run/"
	Files    []sallyport.Digest `json:"files"`
	Reason   string             `json:"reason"`
	Erasure  string             `json:"erasure,omitempty"`
	At       time.Time          `json:"at"`
	Replaced string             `json:"replaced,omitempty"` // the run that made it again
}

// AttestRevocations returns the statement that l is the list when the ledger's
// tree has this digest.
func AttestRevocations(l Revocations, tree sallyport.Digest) (Statement, error) {
	slices.SortFunc(l.Revoked, func(a, b Revocation) int { return cmp.Compare(a.Run, b.Run) })
	if err := l.check("revocations"); err != nil {
		return Statement{}, err
	}
	return newStatement(RevocationsType, []Descriptor{{Name: l.Site, Digest: map[string]string{"sha256": tree.Hex()}}}, l)
}

func (l Revocations) check(place string) error {
	bad := func(why string) error {
		return sallyport.Errorf(sallyport.Invalid, "not a list of revocations: %s", why).At("%s", place).
			Try("get it again from the site, with: sallyport log export")
	}
	switch {
	case sallyport.CheckName("site", l.Site) != nil:
		return bad("it names no site")
	case l.Issued.IsZero() || !l.Expires.After(l.Issued) || l.Expires.Sub(l.Issued) > ListLife:
		return bad("it does not expire as it should")
	}
	for _, r := range l.Revoked {
		if r.Run == "" || r.Reason == "" {
			return bad("a revocation names no run or no reason")
		}
	}
	return nil
}

// ParseRevocations reads a list that somebody whom trust knows as one who may
// erase has signed; place names it in errors. A list of another site, and one
// that is not fresh at now, is an error: the latter of kind Unknown.
func ParseRevocations(place string, data []byte, trust Trust, now time.Time) (Revocations, error) {
	var l Revocations
	signers, err := trust.signers("trust.json")
	if err != nil {
		return l, err
	}
	f := folder{signers: signers}
	statement, by, err := Open(place, data, f.keys())
	if err != nil {
		return l, err
	}
	if statement.PredicateType != RevocationsType {
		return l, sallyport.Errorf(sallyport.Invalid, "it says something else").At("%s", place).Try("get the list from the site, with: sallyport log export")
	}
	if err := decode(place, statement.Predicate, closed, &l); err != nil {
		return l, err
	}
	if err := l.check(place); err != nil {
		return l, err
	}
	switch {
	case !mayErase(f.who(by)):
		err = sallyport.Errorf(sallyport.Refused, "the list of revocations is signed by somebody who may not revoke")
	case l.Site != trust.Site:
		err = sallyport.Errorf(sallyport.Refused, "the list of revocations is another site's")
	case now.After(l.Expires):
		err = sallyport.Errorf(sallyport.Unknown, "the list of revocations expired on %s; what was revoked since is not in it", l.Expires.Format(time.DateOnly))
	case l.Issued.After(now.Add(24 * time.Hour)):
		err = sallyport.Errorf(sallyport.Unknown, "the list of revocations is from the future: a clock is wrong")
	default:
		return l, nil
	}
	return l, err.(*sallyport.Error).At("%s", place).Try("get the list again from the site, with: sallyport log export")
}

func mayErase(by []signer) bool {
	return slices.ContainsFunc(by, func(s signer) bool {
		return s.principal == nil || sallyport.Principal{Name: s.Name, Roles: s.principal.Roles}.May(sallyport.Erase) == nil
	})
}

// A RevokedFunc returns the list of revocations that the verifier believes. An
// error of kind Unknown says that there is none.
type RevokedFunc func() (Revocations, error)

// verifyRevoked checks that neither the run nor any file of the folder was
// revoked.
func (f *folder) verifyRevoked(list RevokedFunc) {
	detail, err := f.notRevoked(list)
	f.report.add(checkRevoked, detail, err)
}

func (f *folder) notRevoked(list RevokedFunc) (string, error) {
	if f.provenance == nil {
		return "", errGrounds
	}
	if list == nil {
		return "", sallyport.Errorf(sallyport.Unknown, "there is no list of revocations").
			Try("get one from the site, with: sallyport log export, and give it with --revocations")
	}
	l, err := list()
	if err != nil {
		return "", err
	}
	// The run's own revocation knows best what replaces it.
	i := slices.IndexFunc(l.Revoked, func(r Revocation) bool { return "run/"+r.Run == f.provenance.RunDetails.Metadata.InvocationID })
	if i < 0 {
		files := slices.Collect(maps.Values(f.subjects))
		i = slices.IndexFunc(l.Revoked, func(r Revocation) bool {
			return slices.ContainsFunc(r.Files, func(d sallyport.Digest) bool { return slices.Contains(files, d) })
		})
	}
	if i >= 0 {
		r := l.Revoked[i]
		err := sallyport.Errorf(sallyport.Refused, "revoked on %s: %s", r.At.Format(time.DateOnly), r.Reason).Try("do not use the model")
		if r.Replaced != "" {
			err = err.Try("use what run %s made instead", r.Replaced)
		}
		return "", err
	}
	return fmt.Sprintf("not among the %d revoked, as of %s", len(l.Revoked), l.Issued.Format(time.DateOnly)), nil
}
