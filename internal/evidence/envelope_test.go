package evidence

import (
	"bytes"
	"crypto/elliptic"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// TestPAE holds the example of DSSE 1.0.2, protocol.md, "Test vectors".
func TestPAE(t *testing.T) {
	const want = "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
	if got := PAE("http://example.com/HelloWorld", []byte("hello world")); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func sampleStatement(t testing.TB) Statement {
	t.Helper()
	return must[Statement](t)(Attest(sampleRun(), filesOf(contents)))
}

func TestEnvelopeRoundTrip(t *testing.T) {
	a, b, c := newIdentity(t, elliptic.P256()), newIdentity(t, elliptic.P384()), newIdentity(t, elliptic.P521())
	e := must[Envelope](t)(Seal(sampleStatement(t), a, b, c))
	text := must[[]byte](t)(e.Marshal())
	for _, id := range []identity{a, b, c} {
		s, by, err := Open("e", text, []Key{newIdentity(t, elliptic.P256()).key(t, "stranger"), id.key(t, "friend")})
		if err != nil || len(by) != 1 || by[0].Name != "friend" || s.PredicateType != ProvenanceType {
			t.Errorf("%v, by %v", err, by)
		}
	}
	_, by, err := Open("e", text, []Key{a.key(t, "a"), b.key(t, "b"), {}})
	if err != nil || len(by) != 2 {
		t.Errorf("%v, by %v, want both keys", err, by)
	}
	_, _, err = Open("e", text, nil)
	wantKind(t, err, sallyport.Refused, "no trusted key")
}

func TestBadEnvelopes(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	good := must[Envelope](t)(Seal(sampleStatement(t), id))
	for _, c := range []struct {
		name   string
		change func(*Envelope)
		kind   sallyport.Kind
		words  string
	}{
		{"other payload type", func(e *Envelope) { e.PayloadType = "text/plain" }, sallyport.Invalid, "not an in-toto statement"},
		{"no payload", func(e *Envelope) { e.Payload = nil }, sallyport.Invalid, "no payload"},
		{"no signature", func(e *Envelope) { e.Signatures = nil }, sallyport.Invalid, "no signature"},
		{"many signatures", func(e *Envelope) { e.Signatures = make([]Signature, 17) }, sallyport.Invalid, "more than 16"},
		{"changed payload", func(e *Envelope) { e.Payload = append(bytes.Clone(e.Payload), ' ') }, sallyport.Refused, "is named as the signer, but did not sign"},
		{"empty signature", func(e *Envelope) { e.Signatures = []Signature{{}} }, sallyport.Refused, "no trusted key"},
		{"signature of the bare payload", func(e *Envelope) {
			e.Signatures = []Signature{{Sig: must[[]byte](t)(id.Sign(e.Payload))}}
		}, sallyport.Refused, "no trusted key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := good
			c.change(&e)
			_, _, err := Open("e", must[[]byte](t)(encode(e)), []Key{id.key(t, "id")})
			wantKind(t, err, c.kind, c.words)
		})
	}
	_, err := ParseEnvelope("e", make([]byte, maxEvidence+1))
	wantKind(t, err, sallyport.Limit, "larger than")
}

// twoFaced has a public key that is not its private key's.
type twoFaced struct {
	identity
	shown identity
}

func (f twoFaced) SigningPEM() string { return f.shown.SigningPEM() }

type broken struct{ identity }

func (broken) Sign([]byte) ([]byte, error) { return nil, errors.New("no hand") }

func TestSealRefuses(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	s := sampleStatement(t)
	if _, err := Seal(s); !sallyport.Is(err, sallyport.Invalid) {
		t.Errorf("no signer: %v", err)
	}
	if _, err := Seal(s, id, broken{id}); err == nil {
		t.Error("sealed without a signature")
	}
	_, err := Seal(s, twoFaced{id, newIdentity(t, elliptic.P256())})
	wantKind(t, err, sallyport.Internal, "does not verify")
	_, err = Seal(Statement{}, id)
	wantKind(t, err, sallyport.Invalid, "not an in-toto statement")
}

func TestBadStatements(t *testing.T) {
	for text, words := range map[string]string{
		`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"a":"b"}}],"predicateType":"x","predicate":{}}`: "_type",
		`{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}`:                       "no subject",
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x"}],"predicateType":"x","predicate":{}}`:           "no digest",
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"a":"b"}}],"predicate":{}}`:                       "no predicateType",
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"a":"b"}}],"predicateType":"x","predicate":[]}`:   "not an object",
	} {
		_, err := ParseStatement("s", []byte(text))
		wantKind(t, err, sallyport.Invalid, words)
	}
}

func TestBadKeys(t *testing.T) {
	good := newIdentity(t, elliptic.P256()).SigningPEM()
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{"private", newIdentity(t, elliptic.P256()).privatePEM(t)},
		{"two", good + good},
		{"P-224", newIdentity(t, elliptic.P224()).SigningPEM()},
		{"Ed25519", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"},
		{"broken", strings.Replace(good, "MFkw", "MFkx", 1)},
	} {
		_, err := ParseKey("k", c.text)
		wantKind(t, err, sallyport.Invalid, "not a public key")
	}
	if _, err := ParseKey("k", "\n"+strings.ReplaceAll(good, "\n", "\r\n")+"\n"); err != nil {
		t.Errorf("line ends change a key: %v", err)
	}
}

func FuzzEnvelope(f *testing.F) {
	id := newIdentity(f, elliptic.P256())
	good := must[[]byte](f)(must[Envelope](f)(Seal(sampleStatement(f), id)).Marshal())
	f.Add(good)
	f.Add([]byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA==","keyid":""}]}`))
	keys := []Key{id.key(f, "id")}
	want := must[Envelope](f)(ParseEnvelope("e", good))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Whatever the text, nobody but id can make another payload verify.
		if _, _, err := Open("e", data, keys); err == nil {
			if e := must[Envelope](t)(ParseEnvelope("e", data)); !bytes.Equal(e.Payload, want.Payload) {
				t.Errorf("forged: %q", data)
			}
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add(newIdentity(f, elliptic.P256()).SigningPEM())
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := ParseKey("k", text); err == nil {
			if again, err := ParseKey("k", k.PEM()); err != nil || again.ID != k.ID {
				t.Errorf("%v: %s became %s", err, k.ID, again.ID)
			}
		}
	})
}
