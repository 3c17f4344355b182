package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	_ "crypto/sha512" // for the curves P-384 and P-521
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"github.com/sallyport/sallyport"
)

// A Signer signs evidence. SigningPEM returns its public key as PEM
// SubjectPublicKeyInfo; Sign returns the ASN.1 ECDSA signature over the digest
// of message that the curve asks for (SHA-256 for P-256).
type Signer interface {
	SigningPEM() string
	Sign(message []byte) ([]byte, error)
}

// A Key is a public key that evidence may be signed with. The zero Key
// verifies nothing.
type Key struct {
	Name string `json:"name"` // whose key it is, in the caller's words
	ID   string `json:"id"`   // hex SHA-256 of the PEM text (OpenSSF Model Signing's key hint)

	public *ecdsa.PublicKey
}

// digests is the one table of curves that evidence may be signed with, and
// the digest that OpenSSF Model Signing pairs with each.
var digests = map[elliptic.Curve]crypto.Hash{
	elliptic.P256(): crypto.SHA256,
	elliptic.P384(): crypto.SHA384,
	elliptic.P521(): crypto.SHA512,
}

// ParseKey reads an ECDSA public key (P-256, P-384 or P-521) from its PEM
// SubjectPublicKeyInfo and calls it name.
func ParseKey(name, text string) (Key, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return Key{}, badKey("it is not one PEM block of the type PUBLIC KEY")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, badKey("it is not a SubjectPublicKeyInfo")
	}
	return newKey(name, public)
}

func newKey(name string, public any) (Key, error) {
	ec, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return Key{}, badKey("it is not an ECDSA key, and OpenSSF Model Signing has no other")
	}
	if _, ok := digests[ec.Curve]; !ok {
		return Key{}, badKey("its curve is not P-256, P-384 or P-521")
	}
	key := Key{Name: name, public: ec}
	sum := sha256.Sum256([]byte(key.PEM()))
	key.ID = hex.EncodeToString(sum[:])
	return key, nil
}

func badKey(why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not a public key that evidence can be signed with: %s", why).
		Try("use the signing key of a principal, an ECDSA P-256 key in PEM")
}

// PEM returns the key as PEM SubjectPublicKeyInfo.
func (k Key) PEM() string {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		panic(err) // only for curves that newKey refuses
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Short returns the first 16 hex digits of the key's ID, enough for a person
// to compare two.
func (k Key) Short() string { return k.ID[:min(16, len(k.ID))] }

func (k Key) String() string { return k.Name + " (key " + k.Short() + ")" }

// Verify reports whether sig is this key's ASN.1 ECDSA signature over text.
func (k Key) Verify(text, sig []byte) bool { return k.signed(newMessage(text), sig) }

// signed is Verify for a message that several keys are tried on.
func (k Key) signed(m message, sig []byte) bool {
	return k.public != nil && k.signedUnder(digests[k.public.Curve], m, sig)
}

func (k Key) signedUnder(digest crypto.Hash, m message, sig []byte) bool {
	return ecdsa.VerifyASN1(k.public, m.sum(digest), sig)
}

// A message is signed bytes whose digests are computed once, however many keys
// are tried on them.
type message struct {
	text []byte
	sums map[crypto.Hash][]byte
}

func newMessage(text []byte) message { return message{text, make(map[crypto.Hash][]byte)} }

func (m message) sum(digest crypto.Hash) []byte {
	if m.sums[digest] == nil {
		h := digest.New()
		h.Write(m.text)
		m.sums[digest] = h.Sum(nil)
	}
	return m.sums[digest]
}
