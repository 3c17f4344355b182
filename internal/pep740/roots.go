package pep740

import (
	"bytes"
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/format/json"
)

// trustedRoot is the trusted root of Sigstore's public instance as the package
// sigstore 4.5.1 of the Python package index carries it, fetched 2026-11-23: the
// file _store/https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json of the
// wheel, unchanged. An attestation by keys that came later is Unknown until this
// file is newer, or the caller brings one.
//
//go:embed trusted_root.json
var trustedRoot []byte

// Roots are the public keys that attestations are verified against.
type Roots struct {
	logs         map[string]logKey // Rekor's, by hex ID
	certificates map[string]logKey // logs of certificates, by hex ID
	authorities  []authority
}

// A logKey is a log's key and when it was in use.
type logKey struct {
	host string
	key  crypto.PublicKey
	period
}

// An authority is one that issues certificates, and when it did.
type authority struct {
	root          *x509.Certificate
	intermediates []*x509.Certificate
	period
}

// A period is a time with or without an end.
type period struct{ start, end time.Time }

func (p period) holds(t time.Time) bool {
	return !t.Before(p.start) && (p.end.IsZero() || !t.After(p.end))
}

var defaultRoots = sync.OnceValues(func() (*Roots, error) { return ReadRoots(trustedRoot) })

// Default returns the keys of Sigstore's public instance.
func Default() (*Roots, error) { return defaultRoots() }

// ReadRoots reads a trusted root of Sigstore, version 0.1.
func ReadRoots(data []byte) (*Roots, error) {
	v, err := json.Parse(bytes.NewReader(data), 0, int64(len(data)), maxTree)
	if err != nil || v.Get("mediaType").Str() != "application/vnd.dev.sigstore.trustedroot+json;version=0.1" {
		return nil, invalid("not a trusted root of version 0.1")
	}
	r := &Roots{}
	if r.logs, err = readLogs(v.Get("tlogs")); err != nil {
		return nil, err
	}
	if r.certificates, err = readLogs(v.Get("ctlogs")); err != nil {
		return nil, err
	}
	for _, a := range items(v.Get("certificateAuthorities")) {
		authority, err := readAuthority(a)
		if err != nil {
			return nil, err
		}
		r.authorities = append(r.authorities, authority)
	}
	if len(r.logs) == 0 || len(r.certificates) == 0 || len(r.authorities) == 0 {
		return nil, invalid("a trusted root without keys")
	}
	return r, nil
}

func items(v *json.Value) []*json.Value {
	if v == nil {
		return nil
	}
	return v.Items
}

func readLogs(v *json.Value) (map[string]logKey, error) {
	out := map[string]logKey{}
	for _, l := range items(v) {
		raw, id := octets(l.Get("publicKey").Get("rawBytes")), octets(l.Get("logId").Get("keyId"))
		if raw == nil || len(id) != 32 {
			return nil, invalid("a trusted root with a key that cannot be read")
		}
		// A key of a kind that is not known stays nil, which vouches for nothing.
		key, _ := x509.ParsePKIXPublicKey(raw)
		p, err := readPeriod(l.Get("publicKey").Get("validFor"))
		if err != nil {
			return nil, err
		}
		out[hex.EncodeToString(id)] = logKey{host: hostOf(l.Get("baseUrl").Str()), key: key, period: p}
	}
	return out, nil
}

func readAuthority(v *json.Value) (authority, error) {
	p, err := readPeriod(v.Get("validFor"))
	if err != nil {
		return authority{}, err
	}
	a := authority{period: p}
	for _, c := range items(v.Get("certChain").Get("certificates")) {
		cert, err := x509.ParseCertificate(octets(c.Get("rawBytes")))
		if err != nil {
			return a, invalid("a trusted root with a certificate that cannot be read")
		}
		a.intermediates = append(a.intermediates, cert)
	}
	n := len(a.intermediates)
	if n == 0 {
		return a, invalid("a trusted root with an authority without certificates")
	}
	a.root, a.intermediates = a.intermediates[n-1], a.intermediates[:n-1]
	return a, nil
}

func readPeriod(v *json.Value) (p period, err error) {
	if p.start, err = time.Parse(time.RFC3339, v.Get("start").Str()); err != nil {
		return p, invalid("a trusted root with a key that has no beginning")
	}
	if end := v.Get("end"); end != nil {
		if p.end, err = time.Parse(time.RFC3339, end.Str()); err != nil {
			return p, invalid("a trusted root with a key whose end cannot be read")
		}
	}
	return p, nil
}
