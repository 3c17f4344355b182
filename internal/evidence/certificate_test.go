package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// authority is a certificate authority.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (a authority) issue(t testing.TB, template *x509.Certificate, public any) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, parent, public, a.key))
	return must[*x509.Certificate](t)(x509.ParseCertificate(der))
}

func newAuthority(t testing.TB) authority {
	a := authority{key: must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	a.cert = a.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, &a.key.PublicKey)
	return a
}

func (a authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: "signer"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
}

func TestCertificates(t *testing.T) {
	root, between := newAuthority(t), authority{key: must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))}
	between.cert = root.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, &between.key.PublicKey)
	id := newIdentity(t, elliptic.P384())
	pool := x509.NewCertPool()
	pool.AddCert(root.cert)
	var keyed bundle
	if err := decode("b", must[[]byte](t)(SignModel(id, "model", filesOf(contents), Own)), open, &keyed); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		trust  Authority
		words  string
	}{
		{name: "good", trust: Authority{Roots: pool}},
		{name: "no roots", words: "no root certificate is trusted"},
		{name: "another root", trust: Authority{Roots: x509.NewCertPool()}, words: "does not lead to a trusted root"},
		{name: "expired", trust: Authority{Roots: pool, Now: time.Now().Add(2 * time.Hour)}, words: "has expired"},
		{name: "not for signing", change: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, trust: Authority{Roots: pool}, words: "not for signing"},
		{name: "for servers", change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, trust: Authority{Roots: pool}, words: "not for signing"},
		{name: "for nothing", change: func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = 0, nil }, trust: Authority{Roots: pool}, words: "not for signing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			template := leafTemplate()
			if c.change != nil {
				c.change(template)
			}
			leaf := between.issue(t, template, &id.PublicKey)
			b := keyed
			b.VerificationMaterial = material{Chain: &chain{}}
			for _, cert := range []*x509.Certificate{leaf, between.cert} {
				b.VerificationMaterial.Chain.Certificates = append(b.VerificationMaterial.Chain.Certificates, struct {
					RawBytes octets `json:"rawBytes"`
				}{cert.Raw})
			}
			m, err := verify(t, must[[]byte](t)(encode(b)), contents, c.trust)
			if c.words != "" {
				wantKind(t, err, sallyport.Refused, c.words)
				return
			}
			if err != nil || !strings.Contains(m.Signer.Name, "CN=signer") {
				t.Errorf("%v: %+v", err, m)
			}
		})
	}
}
