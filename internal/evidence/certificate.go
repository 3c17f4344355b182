package evidence

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport"
)

// chain is the certificate method's verification material, leaf first.
type chain struct {
	Certificates []struct {
		RawBytes octets `json:"rawBytes"`
	} `json:"certificates"`
}

// maxChain bounds the certificates of one bundle.
const maxChain = 16

// key returns the leaf's key, named by its subject, if the chain leads to a
// believed root. A bundle holds no proof of when it was signed, so every
// certificate must be valid now; an expired one is refused.
func (c chain) key(place string, believe Authority) (Key, error) {
	if len(c.Certificates) == 0 || len(c.Certificates) > maxChain {
		return Key{}, badModel(place, "its certificate chain is empty or too long")
	}
	if believe.Roots == nil {
		return Key{}, sallyport.Errorf(sallyport.Refused, "it is signed with a certificate and no root certificate is trusted").
			At("%s", place).Try("give the root certificate of the signer's authority")
	}
	var leaf *x509.Certificate
	between := x509.NewCertPool()
	for i, raw := range c.Certificates {
		cert, err := x509.ParseCertificate(raw.RawBytes)
		if err != nil {
			return Key{}, badModel(place, "a certificate cannot be read")
		}
		if i == 0 {
			leaf = cert
		} else {
			between.AddCert(cert)
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: believe.Roots, Intermediates: between, CurrentTime: believe.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // maySign decides
	})
	if err != nil {
		return Key{}, untrusted(place, err)
	}
	if !maySign(leaf) {
		return Key{}, sallyport.Errorf(sallyport.Refused, "the signer's certificate is not for signing").At("%s", place).
			Try("sign with a certificate for digital signatures or code signing")
	}
	return newKey(fmt.Sprintf("certificate %q", leaf.Subject), leaf.PublicKey)
}

func untrusted(place string, err error) error {
	why := "does not lead to a trusted root"
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		why = "has expired or is not valid yet"
	}
	return sallyport.Errorf(sallyport.Refused, "the signer's certificate %s", why).At("%s", place).
		Try("get a fresh signature, or the root certificate of the signer's authority")
}

// maySign reports whether every usage that the certificate names allows
// signing, and that it names one (RFC 5280, §4.2.1.3 and §4.2.1.12).
func maySign(c *x509.Certificate) bool {
	extended := len(c.ExtKeyUsage) > 0 || len(c.UnknownExtKeyUsage) > 0
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return false
	}
	if extended && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return false
	}
	return c.KeyUsage != 0 || extended
}
