package seal

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/sallyport/sallyport"
)

// An Identity is a principal's secret: a key to sign with and a key to unwrap
// with. It lives in a file of its owner's, never in a site.
type Identity struct {
	Name   string
	sign   *ecdsa.PrivateKey
	unwrap *age.X25519Identity
}

// NewIdentity makes an identity with fresh keys.
func NewIdentity(name string) (*Identity, error) {
	sign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	unwrap, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	return &Identity{name, sign, unwrap}, nil
}

// SigningPEM returns the public signing key as PEM SubjectPublicKeyInfo.
func (id *Identity) SigningPEM() string { return publicPEM(&id.sign.PublicKey) }

// Recipient returns the public age recipient, age1….
func (id *Identity) Recipient() string { return id.unwrap.Recipient().String() }

// Sign returns the ASN.1 ECDSA P-256 signature of SHA-256(message).
func (id *Identity) Sign(message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	return ecdsa.SignASN1(rand.Reader, id.sign, sum[:])
}

// KeyID names a public signing key by the hex SHA-256 of its PEM text, the
// hint that OpenSSF Model Signing puts into bundles (spec v1.0, §4.1).
func KeyID(pem string) string {
	sum := sha256.Sum256([]byte(pem))
	return hex.EncodeToString(sum[:])
}

func publicPEM(k *ecdsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err) // only for curves that x509 does not know
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// The identity file is text:
//
//	# sallyport identity v1
//	name: alice
//	AGE-SECRET-KEY-1…
//	-----BEGIN PRIVATE KEY-----
//	…PKCS #8, P-256…
//	-----END PRIVATE KEY-----
//
// or the same inside an armored age file locked with a passphrase (scrypt).
const identityHeader = "# sallyport identity v1\n"

// maxIdentity bounds an identity file, which is less than 1 KiB in practice.
const maxIdentity = 16 << 10

// Marshal returns the text of the identity file, locked if passphrase is not
// empty.
func (id *Identity) Marshal(passphrase string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(id.sign)
	if err != nil {
		return nil, err
	}
	plain := identityHeader + "name: " + id.Name + "\n" + id.unwrap.String() + "\n" +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if passphrase == "" {
		return []byte(plain), nil
	}
	lock, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	w, err := age.Encrypt(arm, lock)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := arm.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// ParseIdentity reads an identity file. If it is locked, passphrase is called
// once for the passphrase.
func ParseIdentity(text []byte, passphrase func() (string, error)) (*Identity, error) {
	if len(text) > maxIdentity {
		return nil, notIdentity("it is larger than 16 KiB")
	}
	if bytes.HasPrefix(text, []byte(armor.Header)) {
		pass, err := passphrase()
		if err != nil {
			return nil, err
		}
		if text, err = unlock(text, pass); err != nil {
			return nil, err
		}
	}
	rest, ok := strings.CutPrefix(string(text), identityHeader)
	if !ok {
		return nil, notIdentity("its first line is not %q", strings.TrimSpace(identityHeader))
	}
	nameLine, rest, _ := strings.Cut(rest, "\n")
	name, ok := strings.CutPrefix(nameLine, "name: ")
	if !ok || sallyport.CheckName("principal", name) != nil {
		return nil, notIdentity("line 2 does not give a name")
	}
	secret, rest, _ := strings.Cut(rest, "\n")
	unwrap, err := age.ParseX25519Identity(secret)
	if err != nil {
		return nil, notIdentity("line 3 is not an age secret key")
	}
	block, after := pem.Decode([]byte(rest))
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(after)) != 0 {
		return nil, notIdentity("it does not end with one PRIVATE KEY block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, notIdentity("its private key cannot be read")
	}
	sign, ok := key.(*ecdsa.PrivateKey)
	if !ok || sign.Curve != elliptic.P256() {
		return nil, notIdentity("its private key is not ECDSA P-256")
	}
	return &Identity{name, sign, unwrap}, nil
}

func unlock(text []byte, passphrase string) ([]byte, error) {
	key, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Denied, "the passphrase is empty").Try("type the passphrase of the identity")
	}
	key.SetMaxWorkFactor(20) // a file from outside must not decide to cost minutes
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(text)), key)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Denied, "the passphrase does not open this identity").Try("try again, or use another identity with --as")
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxIdentity))
	if err != nil {
		return nil, notIdentity("it is damaged")
	}
	return plain, nil
}

func notIdentity(format string, args ...any) error {
	return sallyport.Errorf(sallyport.Invalid, "not an identity file: "+format, args...).
		Try("identity files are made by: sallyport id new NAME --role ROLE")
}
