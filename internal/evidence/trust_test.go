package evidence

import (
	"bytes"
	"crypto/elliptic"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

func TestTrustRoundTrip(t *testing.T) {
	s := newSite(t)
	s.trust.Keys = []string{newIdentity(t, elliptic.P256()).SigningPEM()}
	text := must[[]byte](t)(s.trust.Marshal())
	got := must[Trust](t)(ParseTrust("trust.json", text))
	if !reflect.DeepEqual(got, s.trust) {
		t.Errorf("got %+v, want %+v", got, s.trust)
	}
	keys := must[[]Key](t)(got.Signers())
	if len(keys) != 3 || keys[0].Name != "dora" || keys[1].ID != s.signer.key(t, "").ID || keys[2].Name != "site ward7" {
		t.Errorf("signers %v", keys)
	}
}

func TestBadTrust(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Trust)
		words  string
	}{
		{"no site", func(t *Trust) { t.Site = "" }, "the site"},
		{"no ledger", func(t *Trust) { t.Ledger = "" }, "verifier key"},
		{"unknown role", func(t *Trust) { t.Principals[0].Roles = []sallyport.Role{"root"} }, "role"},
		{"no name", func(t *Trust) { t.Principals[0].Name = "A B" }, "valid name"},
		{"one name for two", func(t *Trust) { t.Principals[0].Name = t.Principals[1].Name }, "same name"},
		{"one key for two", func(t *Trust) { t.Principals[0].Signing = t.Principals[1].Signing }, "given to two"},
		{"the site has a principal's key", func(t *Trust) { t.Keys = []string{t.Principals[1].Signing} }, "given to two"},
		{"no key", func(t *Trust) { t.Principals[0].Signing = "" }, "signing key"},
		{"a key of the site that is none", func(t *Trust) { t.Keys = []string{"x"} }, "key of the site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.change(&s.trust)
			_, err := s.trust.Marshal()
			wantKind(t, err, sallyport.Invalid, c.words)
			_, err = ParseTrust("trust.json", must[[]byte](t)(encode(s.trust)))
			wantKind(t, err, sallyport.Invalid, c.words)
		})
	}
	text := must[[]byte](t)(newSite(t).trust.Marshal())
	_, err := ParseTrust("trust.json", bytes.Replace(text, []byte(`"keys"`), []byte(`"also"`), 1))
	wantKind(t, err, sallyport.Invalid, "does not have")
	_, err = ParseTrust("trust.json", []byte(strings.Repeat(" ", maxTrust+1)))
	wantKind(t, err, sallyport.Limit, "larger")
}

func FuzzTrust(f *testing.F) {
	s := newSite(f)
	s.trust.Keys = []string{newIdentity(f, elliptic.P256()).SigningPEM()}
	f.Add(must[[]byte](f)(s.trust.Marshal()))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := ParseTrust("trust.json", data)
		if err != nil {
			return
		}
		again := must[Trust](t)(ParseTrust("trust.json", must[[]byte](t)(trust.Marshal())))
		if len(again.Principals) != len(trust.Principals) || len(again.Keys) != len(trust.Keys) {
			t.Errorf("%+v became %+v", trust, again)
		}
	})
}
