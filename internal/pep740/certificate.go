package pep740

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// certified verifies that an authority issued a certificate for signing code
// that was valid at a time, and that it was shown to a log of certificates.
func (r *Roots) certified(der []byte, when time.Time) (*x509.Certificate, error) {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, invalid("its certificate cannot be read")
	}
	for _, a := range r.authorities {
		if !a.holds(when) {
			continue
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(a.root)
		for _, c := range a.intermediates {
			between.AddCert(c)
		}
		chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: when, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}})
		if err != nil {
			continue
		}
		return leaf, r.shown(leaf, chains)
	}
	return nil, refused("its certificate comes from no authority that is known, or was not valid when it was logged")
}

// signed verifies the signature over the statement in its envelope.
func signed(leaf *x509.Certificate, m material) error {
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return unknown("it is signed in a way that is not known")
	}
	message := append(fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(statementType), statementType, len(m.statement)), m.statement...)
	var digest []byte
	switch key.Curve {
	case elliptic.P256():
		digest = sum(message)
	case elliptic.P384():
		s := sha512.Sum384(message)
		digest = s[:]
	default:
		return unknown("it is signed in a way that is not known")
	}
	if !ecdsa.VerifyASN1(key, digest, m.signature) {
		return refused("it is not signed by the key of its certificate")
	}
	return nil
}

// identifiers begins the extensions in which Fulcio writes who a certificate is
// for (oid-info.md). Those from 8 on are strings in DER.
var identifiers = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}

// publisherOf reads who a certificate is for.
func publisherOf(leaf *x509.Certificate) (Publisher, error) {
	claims := map[int]string{}
	for _, e := range leaf.Extensions {
		n := len(identifiers)
		if len(e.Id) != n+1 || !slices.Equal(e.Id[:n], identifiers) || e.Id[n] < 8 {
			continue
		}
		var s string
		if rest, err := asn1.UnmarshalWithParams(e.Value, &s, "utf8"); err != nil || len(rest) > 0 {
			return Publisher{}, invalid("its certificate names its publisher in a way that cannot be read")
		}
		claims[e.Id[n]] = s
	}
	p := Publisher{Issuer: claims[8], Repository: claims[12], Workflow: claims[18], Ref: claims[14], Commit: claims[13]}
	switch {
	case len(leaf.URIs) == 1 && len(leaf.EmailAddresses) == 0:
		p.Subject = leaf.URIs[0].String()
	case len(leaf.EmailAddresses) == 1 && len(leaf.URIs) == 0:
		p.Subject = leaf.EmailAddresses[0]
	}
	if p.Subject == "" || p.Issuer == "" {
		return Publisher{}, unknown("its certificate does not name one publisher")
	}
	return p, nil
}

// timestamps is the extension that holds the promises of certificate logs (RFC
// 6962, section 3.3).
var timestamps = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// shown verifies that a log of certificates promised to show the certificate: a
// stolen authority could otherwise issue in secret.
func (r *Roots) shown(leaf *x509.Certificate, chains [][]*x509.Certificate) error {
	i := slices.IndexFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(timestamps) })
	if i < 0 {
		return unknown("no log of certificates has promised to show its certificate")
	}
	var list []byte
	if rest, err := asn1.Unmarshal(leaf.Extensions[i].Value, &list); err != nil || len(rest) > 0 {
		return invalid("the promises of certificate logs cannot be read")
	}
	shown, err := unshown(leaf)
	if err != nil {
		return err
	}
	b := &bytesOf{list}
	b = &bytesOf{b.vector()}
	for len(b.rest) > 0 {
		t := readTimestamp(b.vector())
		log, ok := r.certificates[hex.EncodeToString(t.id)]
		if !ok || !log.holds(t.time) {
			continue
		}
		for _, chain := range chains {
			if len(chain) > 1 && t.signed(log.key, chain[1], shown) {
				return nil
			}
		}
	}
	return refused("no log of certificates that is known has promised to show its certificate")
}

// A timestamp is a log's promise (RFC 6962, section 3.2).
type timestamp struct {
	id         []byte
	time       time.Time
	extensions []byte
	signature  []byte
}

func readTimestamp(text []byte) timestamp {
	b := &bytesOf{text}
	version := b.take(1)
	t := timestamp{id: b.take(32)}
	ms := b.take(8)
	t.extensions = b.vector()
	algorithm := b.take(2)
	t.signature = b.vector()
	// Version 1, and ECDSA with SHA-256: no other log of Sigstore's signs.
	if len(algorithm) != 2 || len(b.rest) > 0 || version[0] != 0 || algorithm[0] != 4 || algorithm[1] != 3 {
		return timestamp{}
	}
	t.time = time.UnixMilli(int64(binary.BigEndian.Uint64(ms)))
	return t
}

// signed reports whether the log signed the promise about a certificate of the
// issuer that held shown before the promise was put into it.
func (t timestamp) signed(key crypto.PublicKey, issuer *x509.Certificate, shown []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || len(shown) >= 1<<24 {
		return false
	}
	text := []byte{0, 0} // version 1, of a certificate
	text = binary.BigEndian.AppendUint64(text, uint64(t.time.UnixMilli()))
	text = append(text, 0, 1) // before it was issued
	text = append(text, sum(issuer.RawSubjectPublicKeyInfo)...)
	text = append(text, byte(len(shown)>>16), byte(len(shown)>>8), byte(len(shown)))
	text = append(text, shown...)
	text = binary.BigEndian.AppendUint16(text, uint16(len(t.extensions)))
	text = append(text, t.extensions...)
	return ecdsa.VerifyASN1(k, sum(text), t.signature)
}

// unshown returns what a certificate said before promises were put into it.
func unshown(leaf *x509.Certificate) ([]byte, error) {
	var tbs struct {
		Version    int `asn1:"optional,explicit,default:0,tag:0"`
		Serial     *big.Int
		Algorithm  asn1.RawValue
		Issuer     asn1.RawValue
		Validity   asn1.RawValue
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
	}
	rest, err := asn1.Unmarshal(leaf.RawTBSCertificate, &tbs)
	if err != nil || len(rest) > 0 {
		return nil, invalid("its certificate has a form that is not known")
	}
	tbs.Extensions = slices.DeleteFunc(tbs.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(timestamps) })
	out, err := asn1.Marshal(tbs)
	if err != nil {
		return nil, invalid("its certificate has a form that is not known")
	}
	return out, nil
}

// bytesOf takes pieces off bytes, and nothing more once too little is left.
type bytesOf struct{ rest []byte }

func (b *bytesOf) take(n int) []byte {
	if n > len(b.rest) {
		b.rest = nil
		return nil
	}
	out := b.rest[:n]
	b.rest = b.rest[n:]
	return out
}

// vector takes bytes that their length, of two bytes, goes before.
func (b *bytesOf) vector() []byte {
	head := b.take(2)
	if head == nil {
		return nil
	}
	return b.take(int(binary.BigEndian.Uint16(head)))
}
