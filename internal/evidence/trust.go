package evidence

import (
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
)

// Trust is whom an auditor believes: what a site exports as trust.json and
// hands over by another way than the models.
type Trust struct {
	Site       string    `json:"site"`
	Ledger     string    `json:"ledger"` // the ledger's verifier key, "NAME+HASH+KEY" (C2SP signed-note)
	Principals []Trusted `json:"principals"`
	Keys       []string  `json:"keys"` // the site's own evidence keys, PEM
}

// Trusted is a principal as far as verification needs one.
type Trusted struct {
	Name    string           `json:"name"`
	Roles   []sallyport.Role `json:"roles"`
	Signing string           `json:"signing"` // PEM SubjectPublicKeyInfo
}

// maxTrust bounds a trust file, in bytes; one principal takes about 300.
const maxTrust = 1 << 20

// ParseTrust reads a trust file; place names it in errors. Unknown keys, a
// role that does not exist, and a key or a name that two principals share are
// errors: the file decides what everything else is worth.
func ParseTrust(place string, data []byte) (Trust, error) {
	var t Trust
	if len(data) > maxTrust {
		return t, tooLarge(place, maxTrust)
	}
	if err := decode(place, data, closed, &t); err != nil {
		return t, err
	}
	_, err := t.signers(place)
	return t, err
}

// Marshal returns the trust file, after the checks of ParseTrust.
func (t Trust) Marshal() ([]byte, error) {
	if _, err := t.signers("trust.json"); err != nil {
		return nil, err
	}
	return encode(t)
}

// Signers returns every key that may sign evidence, named after its principal or
// its site: what a person compares by ID before believing the file.
func (t Trust) Signers() ([]Key, error) {
	signers, err := t.signers("trust.json")
	keys := make([]Key, len(signers))
	for i, s := range signers {
		keys[i] = s.Key
	}
	return keys, err
}

// signer is a key together with whose it is.
type signer struct {
	Key
	principal *Trusted // nil for the site itself
}

func (t Trust) signers(place string) ([]signer, error) {
	if err := sallyport.CheckName("site", t.Site); err != nil {
		return nil, badTrust(place, "the site has no valid name")
	}
	if _, err := note.NewVerifier(t.Ledger); err != nil {
		return nil, badTrust(place, "the ledger's verifier key cannot be read")
	}
	var all []signer
	for i, p := range t.Principals {
		if err := sallyport.CheckName("principal", p.Name); err != nil {
			return nil, badTrust(place, "a principal has no valid name")
		}
		if slices.ContainsFunc(t.Principals[:i], func(q Trusted) bool { return q.Name == p.Name }) {
			return nil, badTrust(place, "two principals have the same name")
		}
		for _, role := range p.Roles {
			if !slices.Contains(sallyport.Roles, role) {
				return nil, badTrust(place, "a principal has a role that does not exist")
			}
		}
		key, err := ParseKey(p.Name, p.Signing)
		if err != nil {
			return nil, badTrust(place, "a principal's signing key cannot be read")
		}
		all = append(all, signer{key, &p})
	}
	for _, text := range t.Keys {
		key, err := ParseKey("site "+t.Site, text)
		if err != nil {
			return nil, badTrust(place, "a key of the site cannot be read")
		}
		all = append(all, signer{key, nil})
	}
	seen := make(map[string]bool)
	for _, s := range all {
		if seen[s.ID] {
			return nil, badTrust(place, "one key is given to two")
		}
		seen[s.ID] = true
	}
	return all, nil
}

func badTrust(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not a trust file: %s", why).At("%s", place).
		Try("get the trust file again from the site, and compare the keys' fingerprints by telephone")
}
