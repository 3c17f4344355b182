// Package pep740 verifies attestations of Python packages: who published a file,
// out of which repository, by which workflow.
//
// An attestation is believed for one reason: a statement about the file's digest
// is signed by a key (signature), whose short-lived certificate names the
// publisher and comes from Sigstore's authority (certificate), which had to show
// it in public (timestamp of a certificate log), and the signature was entered
// into a public log while the certificate was valid (log entry). All of it is
// checked, offline, against keys that the caller brings or that lie beside this
// file. What cannot be checked is an error of kind Unknown, and what does not
// hold one of kind Refused.
//
// Sources: PEP 740; the PyPA's specification "Index hosted attestations"; DSSE
// 1.0.2; in-toto Attestation Framework v1; Sigstore's trusted root 0.1 and
// Fulcio's oid-info.md; RFC 6962.
package pep740

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/format/json"
)

// A Publisher is the identity that a certificate names.
type Publisher struct {
	Issuer     string `json:"issuer"`               // who vouched for it: "https://token.actions.githubusercontent.com"
	Subject    string `json:"subject"`              // the URI or address that it signed as
	Repository string `json:"repository,omitempty"` // "https://github.com/psf/requests"
	Workflow   string `json:"workflow,omitempty"`   // "https://github.com/psf/requests/.github/workflows/publish.yml@refs/tags/v2"
	Ref        string `json:"ref,omitempty"`        // "refs/tags/v2"
	Commit     string `json:"commit,omitempty"`
}

// An Attestation is one that has been verified.
type Attestation struct {
	Type      string    `json:"type"` // of what it says: PublishType or SLSAType
	Publisher Publisher `json:"publisher"`
	Logged    time.Time `json:"logged"` // when the public log took it
	Index     int64     `json:"index"`  // under which number
}

// The types of statements that PyPI takes.
const (
	PublishType = "https://docs.pypi.org/attestations/publish/v1"
	SLSAType    = "https://slsa.dev/provenance/v1"
)

const (
	maxFile         = 8 << 20  // bytes of a file of attestations
	maxTree         = 64 << 20 // bytes of memory that reading one may take
	maxAttestations = 64       // in one file
)

// Verify verifies every attestation in data about the file of this name and
// digest, against the public keys of Sigstore that lie beside this package. The
// data is an attestation, as it lies beside a file, or the provenance that an
// index serves. If any does not verify there is an error, and none are returned.
func Verify(place string, data []byte, file string, digest sallyport.Digest) ([]Attestation, error) {
	roots, err := Default()
	if err != nil {
		return nil, err
	}
	return roots.Verify(place, data, file, digest)
}

// Verify is Verify against other roots of trust.
func (r *Roots) Verify(place string, data []byte, file string, digest sallyport.Digest) ([]Attestation, error) {
	found, err := read(data)
	if err != nil {
		return nil, at(place, err)
	}
	var out []Attestation
	for _, v := range found {
		a, err := r.one(v, file, digest)
		if err != nil {
			return nil, at(place, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// at puts the place into an error of this package.
func at(place string, err error) error {
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		return e.At("%s", place)
	}
	return err
}

func refused(why string) *sallyport.Error {
	return sallyport.Errorf(sallyport.Refused, "the attestation does not hold: %s", why).Try("do not use the file until its publisher explains this")
}

func invalid(why string) *sallyport.Error {
	return sallyport.Errorf(sallyport.Invalid, "not an attestation that can be read: %s", why).Try("get the attestation again from where the file came from")
}

func unknown(why string) *sallyport.Error {
	return sallyport.Errorf(sallyport.Unknown, "the attestation cannot be verified: %s", why).Try("bring a newer trusted root, or decide without it")
}

// read returns the attestations of a file. Who the index says the publisher is
// stands beside them, unsigned, and is left out: the certificates say it.
func read(data []byte) ([]*json.Value, error) {
	if len(data) > maxFile {
		return nil, sallyport.Errorf(sallyport.Limit, "larger than %d MiB, the most that is read", maxFile>>20)
	}
	v, err := json.Parse(bytes.NewReader(data), 0, int64(len(data)), maxTree)
	if err != nil {
		return nil, invalid("it is not JSON")
	}
	if n, ok := number(v.Get("version")); !ok || n != 1 {
		return nil, invalid("it is not of version 1")
	}
	bundles := v.Get("attestation_bundles")
	if bundles == nil {
		return []*json.Value{v}, nil
	}
	var out []*json.Value
	for _, b := range bundles.Items {
		list := b.Get("attestations")
		if !list.Is(json.Array) || len(list.Items) == 0 {
			return nil, invalid("a publisher without attestations")
		}
		out = append(out, list.Items...)
	}
	if len(out) == 0 || len(out) > maxAttestations {
		return nil, invalid("it holds no attestation, or too many")
	}
	return out, nil
}

// A material is the parts of an attestation.
type material struct {
	statement, signature, certificate []byte
}

// one verifies one attestation.
func (r *Roots) one(v *json.Value, file string, digest sallyport.Digest) (Attestation, error) {
	var none Attestation
	if n, ok := number(v.Get("version")); !ok || n != 1 {
		return none, invalid("it is not of version 1")
	}
	m := material{
		statement:   octets(v.Get("envelope").Get("statement")),
		signature:   octets(v.Get("envelope").Get("signature")),
		certificate: octets(v.Get("verification_material").Get("certificate")),
	}
	entries := v.Get("verification_material").Get("transparency_entries")
	switch {
	case m.statement == nil || m.signature == nil || m.certificate == nil:
		return none, invalid("a part is missing, or no base64")
	case !entries.Is(json.Array) || len(entries.Items) == 0:
		return none, unknown("nothing says that it was entered into a public log")
	case len(entries.Items) > 1:
		return none, unknown("it names more than one entry of the public log")
	}
	entry, err := r.logged(entries.Items[0], m)
	if err != nil {
		return none, err
	}
	leaf, err := r.certified(m.certificate, entry.time)
	if err != nil {
		return none, err
	}
	if err := signed(leaf, m); err != nil {
		return none, err
	}
	kind, err := about(m.statement, file, digest)
	if err != nil {
		return none, err
	}
	publisher, err := publisherOf(leaf)
	return Attestation{Type: kind, Publisher: publisher, Logged: entry.time.UTC(), Index: entry.index}, err
}

// statementType is the payload type of the envelope, which PEP 740 leaves out
// because it is always this one.
const statementType = "application/vnd.in-toto+json"

// about holds a statement, whose signature has been verified, against the file.
func about(statement []byte, file string, digest sallyport.Digest) (kind string, err error) {
	v, err := json.Parse(bytes.NewReader(statement), 0, int64(len(statement)), maxTree)
	if err != nil || v.Get("_type").Str() != "https://in-toto.io/Statement/v1" {
		return "", invalid("what is signed is not a statement")
	}
	subject := v.Get("subject")
	if !subject.Is(json.Array) || len(subject.Items) != 1 {
		return "", refused("it is not about one file")
	}
	if sum := subject.Items[0].Get("digest").Get("sha256").Str(); sum == "" || sum != digest.Hex() {
		return "", refused("it is about other bytes")
	}
	if !sameFile(subject.Items[0].Get("name").Str(), file) {
		return "", refused("it is about a file of another name")
	}
	kind = v.Get("predicateType").Str()
	if kind != PublishType && kind != SLSAType {
		return "", unknown("what it says is of a type that is not known")
	}
	return kind, nil
}

// sameFile reports whether two names are of one wheel or source distribution,
// however they spell the package and in whatever order they have its tags.
func sameFile(a, b string) bool {
	f, ok := dist.ParseFile(a)
	g, gok := dist.ParseFile(b)
	slices.Sort(f.Tags)
	slices.Sort(g.Tags)
	return ok && gok && f.Name == g.Name && f.Version == g.Version && f.Build == g.Build && slices.Equal(f.Tags, g.Tags)
}

// octets decodes base64 in the one spelling that it has, or returns nil.
func octets(v *json.Value) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(v.Str())
	if err != nil || len(b) == 0 || base64.StdEncoding.EncodeToString(b) != v.Str() {
		return nil
	}
	return b
}

// number reads a number that may stand in quotes, as 64 bits do in the JSON of
// protocol buffers.
func number(v *json.Value) (int64, bool) {
	if v.Is(json.String) {
		v = &json.Value{Kind: json.Number, Text: v.Text}
	}
	return v.Int()
}

// sum is the SHA-256 of b.
func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}
