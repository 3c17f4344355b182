package evidence

import (
	"time"

	"github.com/sallyport/sallyport"
)

// ErasureType is the predicate type of a certificate of erasure. Its JSON schema
// is doc/erasure-v1.schema.json.
const ErasureType = "https://sallyport.dev/erasure/v1"

// An Erasure is the predicate: what was asked, what was done about it, and what
// could not be. Nothing in it identifies a person but the tokens, which only
// who has the receipt can recompute: HMAC-SHA256 of the identifier under the
// receipt's secret.
type Erasure struct {
	ID     string   `json:"id"`
	Site   string   `json:"site"`
	By     string   `json:"by"`
	Tokens []string `json:"tokens"`
	Found  int      `json:"found"` // of how many subjects there was anything

	Ground          string    `json:"ground"`          // "art17.1.b"
	IdentityChecked string    `json:"identityChecked"` // how
	Received        time.Time `json:"received"`
	Due             time.Time `json:"due"` // one month later: GDPR art. 12(3)
	Destroyed       time.Time `json:"destroyed"`
	Finished        time.Time `json:"finished"`

	Versions  []ErasedVersion `json:"versions"`
	Runs      []ErasedRun     `json:"runs"`
	Exempt    []Exemption     `json:"exempt"`    // what a steward decided to keep: art. 17(3)
	Copies    []Copy          `json:"copies"`    // what had left the site before
	Mentions  Mentions        `json:"mentions"`  // the identifier elsewhere
	Remaining []string        `json:"remaining"` // what no command can reach
}

// An ErasedVersion is a version of a dataset that lost records.
type ErasedVersion struct {
	Version  string           `json:"version"`
	Records  int64            `json:"records"`
	Subjects int64            `json:"subjects"`
	Before   sallyport.Digest `json:"before"` // root
	After    sallyport.Digest `json:"after"`
}

// An ErasedRun is a run that saw records of the subjects, or came of one.
type ErasedRun struct {
	Run      string             `json:"run"`
	Why      string             `json:"why"`              // "read encounters@3"
	Action   string             `json:"action"`           // "retrained", "destroyed", "revoked"
	Reason   string             `json:"reason,omitempty"` // of one that was not retrained
	Models   []string           `json:"models,omitempty"`
	Again    []string           `json:"again,omitempty"`    // the stages that saw them ("train#3" is a shard), where others are kept as they were; none: all
	Replaced string             `json:"replaced,omitempty"` // the run that made it again
	Before   map[string]float64 `json:"before,omitempty"`   // metrics
	After    map[string]float64 `json:"after,omitempty"`
}

// An Exemption is a dataset that was left as it is, by whose decision.
type Exemption struct {
	Dataset string    `json:"dataset"`
	Ground  string    `json:"ground"` // "art17.3.c"
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	Until   time.Time `json:"until,omitzero"`
}

// A Copy left the site before the erasure; whoever has it must be told: art. 19.
type Copy struct {
	What string    `json:"what"` // "encounters@2", "model of run k3f…"
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Mentions say where the identifiers stand besides in the subjects' records.
type Mentions struct {
	Searched bool     `json:"searched"`
	Bytes    int64    `json:"bytes"` // that were opened
	Places   []string `json:"places"`
}

// AttestErasure returns the certificate. Its subjects are the roots of the
// versions as they are now, or, if there are none, the certificate's tokens.
func AttestErasure(e Erasure) (Statement, error) {
	if err := e.check("erasure"); err != nil {
		return Statement{}, err
	}
	var subjects []Descriptor
	for _, v := range e.Versions {
		subjects = append(subjects, Descriptor{Name: "dataset/" + v.Version, Digest: map[string]string{"sha256": v.After.Hex()}})
	}
	if len(subjects) == 0 {
		for _, t := range e.Tokens {
			subjects = append(subjects, Descriptor{Name: "token", Digest: map[string]string{"sha256": t}})
		}
	}
	return newStatement(ErasureType, subjects, e)
}

func (e Erasure) check(place string) error {
	bad := func(why string) error {
		return sallyport.Errorf(sallyport.Invalid, "not a certificate of erasure: %s", why).At("%s", place).
			Try("get it again from the site")
	}
	switch {
	case e.ID == "" || sallyport.CheckName("site", e.Site) != nil:
		return bad("it names no erasure or no site")
	case len(e.Tokens) == 0:
		return bad("it is about nobody")
	case e.Received.IsZero() || e.Due.Before(e.Received) || e.Destroyed.Before(e.Received) || e.Finished.Before(e.Destroyed):
		return bad("its dates contradict each other")
	}
	for _, v := range e.Versions {
		if _, err := sallyport.ParseDigest(string(v.After)); err != nil || v.After == v.Before {
			return bad("a version did not change")
		}
	}
	return nil
}

// VerifyErasure verifies a certificate offline: that somebody whom trust knows
// as one who may erase has signed it. The error is of kind Refused if not.
func VerifyErasure(place string, data []byte, trust Trust) (Erasure, Key, error) {
	var e Erasure
	signers, err := trust.signers("trust.json")
	if err != nil {
		return e, Key{}, err
	}
	f := folder{signers: signers}
	statement, by, err := Open(place, data, f.keys())
	if err != nil {
		return e, Key{}, err
	}
	if statement.PredicateType != ErasureType {
		return e, Key{}, sallyport.Errorf(sallyport.Invalid, "it is not a certificate of erasure").At("%s", place)
	}
	if err := decode(place, statement.Predicate, closed, &e); err != nil {
		return e, Key{}, err
	}
	if err := e.check(place); err != nil {
		return e, Key{}, err
	}
	if e.Site != trust.Site || !mayErase(f.who(by)) {
		return e, Key{}, sallyport.Errorf(sallyport.Refused, "it is signed by somebody who may not certify erasures of this site").At("%s", place).
			Try("ask the site for its certificate")
	}
	return e, by[0], nil
}
