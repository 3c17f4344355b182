package evidence

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// PayloadType is the type of every payload that we write or read: an in-toto
// statement as JSON.
const PayloadType = "application/vnd.in-toto+json"

// maxEvidence bounds a bundle or an envelope, in bytes. A model of 140,000
// files stays below it.
const maxEvidence = 32 << 20

// maxSignatures bounds the signatures of one envelope, since each costs a
// verification per trusted key.
const maxSignatures = 16

// An Envelope is a DSSE envelope (DSSE 1.0.2, envelope.md).
type Envelope struct {
	Payload     octets      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"`
}

// A Signature is one signature of an envelope. KeyID is a hint that nobody
// signed: it is written for other verifiers, and decides nothing here.
type Signature struct {
	Sig   octets `json:"sig"`
	KeyID string `json:"keyid"`
}

// octets are bytes that JSON carries in base64, standard or URL-safe as DSSE
// allows, in the one spelling that each has: padded, no line breaks, unused
// bits zero.
type octets []byte

func (o octets) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.StdEncoding.EncodeToString(o))
}

func (o *octets) UnmarshalJSON(text []byte) error {
	bad := sallyport.Errorf(sallyport.Invalid, "a value is not base64").
		Try("get the file again from where it was made")
	var s string
	if err := json.Unmarshal(text, &s); err != nil || strings.ContainsAny(s, "\r\n") {
		return bad
	}
	encoding := base64.StdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.URLEncoding
	}
	b, err := encoding.Strict().DecodeString(s)
	if err != nil {
		return bad
	}
	*o = b
	return nil
}

// PAE returns what a DSSE signature is made over: type and payload with their
// lengths, so that no two pairs give the same bytes (DSSE 1.0.2, protocol.md).
func PAE(payloadType string, payload []byte) []byte {
	head := fmt.Sprintf("DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	return append([]byte(head), payload...)
}

// Seal puts a statement into an envelope that every signer signs, in order.
func Seal(statement Statement, signers ...Signer) (Envelope, error) {
	if err := statement.check("statement"); err != nil {
		return Envelope{}, err
	}
	payload, err := encode(statement)
	if err != nil {
		return Envelope{}, err
	}
	if len(signers) == 0 || len(signers) > maxSignatures {
		return Envelope{}, sallyport.Errorf(sallyport.Invalid, "evidence takes 1 to %d signatures", maxSignatures)
	}
	e := Envelope{Payload: payload, PayloadType: PayloadType}
	message := PAE(PayloadType, payload)
	for _, s := range signers {
		sig, key, err := sign(s, message)
		if err != nil {
			return Envelope{}, err
		}
		e.Signatures = append(e.Signatures, Signature{sig, key.ID})
	}
	return e, nil
}

// sign signs message and verifies the result, so that a key file whose halves
// do not belong together or a fault in the computation is found now and not by
// an auditor.
func sign(s Signer, message []byte) ([]byte, Key, error) {
	key, err := ParseKey("signer", s.SigningPEM())
	if err != nil {
		return nil, Key{}, err
	}
	sig, err := s.Sign(message)
	if err != nil {
		return nil, Key{}, err
	}
	if !key.Verify(message, sig) {
		return nil, Key{}, sallyport.Errorf(sallyport.Internal, "a fresh signature does not verify with key %s", key.Short()).
			Try("check the identity file: its two halves may not belong together")
	}
	return sig, key, nil
}

// Marshal returns the envelope as the bytes of a file. An envelope that
// ParseEnvelope would not read back is an error of kind Limit.
func (e Envelope) Marshal() ([]byte, error) { return bounded(e) }

// bounded encodes v and refuses what is too large to be read again.
func bounded(v any) ([]byte, error) {
	text, err := encode(v)
	if err == nil && len(text) > maxEvidence {
		return nil, sallyport.Errorf(sallyport.Limit, "the evidence would be larger than %d MiB", maxEvidence>>20).
			Try("write fewer files into one folder, or split it")
	}
	return text, err
}

// ParseEnvelope reads an envelope of at most 32 MiB; place names it in errors.
// It verifies nothing.
func ParseEnvelope(place string, data []byte) (Envelope, error) {
	var e Envelope
	if len(data) > maxEvidence {
		return e, tooLarge(place, maxEvidence)
	}
	if err := decode(place, data, open, &e); err != nil {
		return e, err
	}
	return e, e.check(place)
}

func (e Envelope) check(place string) error {
	why := ""
	switch {
	case e.PayloadType != PayloadType:
		why = "its payload is not an in-toto statement"
	case len(e.Payload) == 0:
		why = "it has no payload"
	case len(e.Signatures) == 0:
		why = "it has no signature"
	case len(e.Signatures) > maxSignatures:
		why = fmt.Sprintf("it has more than %d signatures", maxSignatures)
	default:
		return nil
	}
	return sallyport.Errorf(sallyport.Invalid, "not an envelope that can be verified: %s", why).At("%s", place).
		Try("get the file again from where it was made")
}

// Verify returns those of keys that signed the envelope, or an error of kind
// Refused if none did. Signatures by other keys prove nothing and harm nothing.
func (e Envelope) Verify(place string, keys []Key) ([]Key, error) {
	if err := e.check(place); err != nil {
		return nil, err
	}
	message := newMessage(PAE(e.PayloadType, e.Payload))
	var by []Key
	for _, k := range keys {
		for _, s := range e.Signatures {
			if k.signed(message, s.Sig) {
				by = append(by, k)
				break
			}
		}
	}
	if len(by) == 0 {
		hints := make([]string, len(e.Signatures))
		for i, s := range e.Signatures {
			hints[i] = s.KeyID
		}
		return nil, notSigned(place, keys, hints...)
	}
	return by, nil
}

// notSigned tells apart, by the hints in the evidence, bytes that were changed
// from a signer that nobody trusts. The hints decide the words only.
func notSigned(place string, keys []Key, hints ...string) error {
	for _, k := range keys {
		if slices.Contains(hints, k.ID) {
			return sallyport.Errorf(sallyport.Refused, "%s is named as the signer, but did not sign these bytes", k).At("%s", place).
				Try("the file was changed; get it again from where it was made")
		}
	}
	return sallyport.Errorf(sallyport.Refused, "no trusted key signed these bytes").At("%s", place).
		Try("get the signer's key from the site, if you have reason to trust it")
}

func tooLarge(place string, limit int) error {
	return sallyport.Errorf(sallyport.Limit, "larger than %d KiB, the most that is read", limit>>10).At("%s", place).
		Try("evidence is never this large; get the file again from where it was made")
}

// Open verifies an envelope and, only then, reads its statement. It returns
// the keys that signed.
func Open(place string, data []byte, keys []Key) (Statement, []Key, error) {
	e, err := ParseEnvelope(place, data)
	if err != nil {
		return Statement{}, nil, err
	}
	by, err := e.Verify(place, keys)
	if err != nil {
		return Statement{}, nil, err
	}
	s, err := ParseStatement(place, e.Payload)
	return s, by, err
}
