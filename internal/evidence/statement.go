package evidence

import (
	"encoding/json"

	"github.com/sallyport/sallyport"
)

// StatementType is the type of an in-toto statement, version 1.
const StatementType = "https://in-toto.io/Statement/v1"

// A Statement says something (the predicate) about some bytes (the subjects).
// Source: in-toto Attestation Framework v1, statement.md.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Descriptor    `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// A Descriptor names an artefact. Source: in-toto Attestation Framework v1,
// resource_descriptor.md; the fields that we neither write nor read are left
// out.
type Descriptor struct {
	Name        string            `json:"name,omitempty"`
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"` // algorithm to lower-case hex
	MediaType   string            `json:"mediaType,omitempty"`
	Annotations map[string]any    `json:"annotations,omitempty"`
}

// sha256 returns the descriptor's SHA-256 digest; ok is false without one.
func (d Descriptor) sha256() (digest sallyport.Digest, ok bool) {
	digest, err := sallyport.ParseDigest("sha256:" + d.Digest["sha256"])
	return digest, err == nil
}

// newStatement returns the statement that predicate holds of subjects.
func newStatement(predicateType string, subjects []Descriptor, predicate any) (Statement, error) {
	text, err := encode(predicate)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{StatementType, subjects, predicateType, text}
	return s, s.check("statement")
}

// ParseStatement reads a statement; place names it in errors. Whoever signed
// it must have been verified before.
func ParseStatement(place string, payload []byte) (Statement, error) {
	var s Statement
	if err := decode(place, payload, open, &s); err != nil {
		return s, err
	}
	return s, s.check(place)
}

func (s Statement) check(place string) error {
	why := ""
	switch {
	case s.Type != StatementType:
		why = "its _type is not in-toto's Statement/v1"
	case len(s.Subject) == 0:
		why = "it has no subject"
	case s.PredicateType == "":
		why = "it has no predicateType"
	case len(s.Predicate) == 0 || s.Predicate[0] != '{':
		why = "its predicate is not an object"
	}
	for _, subject := range s.Subject {
		if len(subject.Digest) == 0 {
			why = "a subject has no digest"
		}
	}
	if why == "" {
		return nil
	}
	return sallyport.Errorf(sallyport.Invalid, "not an in-toto statement: %s", why).At("%s", place).
		Try("get the file again from where it was made")
}
