package evidence

import (
	"crypto/elliptic"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

func sampleAdvisories() Advisories {
	made := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return Advisories{Serial: 20260301090000, Made: made, AsOf: made.Add(-time.Hour), By: "ada", Records: 2, Newest: made.Add(-2 * time.Hour),
		Sources: []AdvisorySource{{Place: "all.zip", Files: 1}}}
}

func TestAdvisories(t *testing.T) {
	maker, other := newIdentity(t, elliptic.P256()), newIdentity(t, elliptic.P256())
	trust := newSite(t).trust
	trust.Principals = []Trusted{
		{"ada", []sallyport.Role{sallyport.Auditor}, maker.SigningPEM()},
		{"dora", []sallyport.Role{sallyport.Developer}, other.SigningPEM()},
	}
	file := sallyport.Sum([]byte("zip"))
	seal := func(a Advisories, by Signer) []byte {
		e := must[Envelope](t)(Seal(must[Statement](t)(AttestAdvisories(a, file)), by))
		return must[[]byte](t)(e.Marshal())
	}
	a, digest, err := OpenAdvisories("bundle", seal(sampleAdvisories(), maker), trust)
	if err != nil || digest != file || a.Serial != sampleAdvisories().Serial || !a.AsOf.Equal(sampleAdvisories().AsOf) {
		t.Fatalf("%+v, %v, %v", a, digest, err)
	}
	for name, c := range map[string]struct {
		change func(*Advisories)
		by     Signer
		words  string
	}{
		"a developer":      {func(a *Advisories) { a.By = "dora" }, other, "may not bring advisories in"},
		"another's name":   {func(a *Advisories) { a.By = "ada" }, other, "not signed by who made it"},
		"somebody unknown": {func(*Advisories) {}, newIdentity(t, elliptic.P256()), "no trusted key"},
	} {
		bad := sampleAdvisories()
		c.change(&bad)
		_, _, err := OpenAdvisories("bundle", seal(bad, c.by), trust)
		if !sallyport.Is(err, sallyport.Refused) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Advisories){
		"no number":        func(a *Advisories) { a.Serial = 0 },
		"no day":           func(a *Advisories) { a.AsOf = time.Time{} },
		"of a day to come": func(a *Advisories) { a.AsOf = a.Made.Add(time.Second) },
		"nobody":           func(a *Advisories) { a.By = "" },
		"nothing":          func(a *Advisories) { a.Records = 0 },
		"from nowhere":     func(a *Advisories) { a.Sources = nil },
	} {
		bad := sampleAdvisories()
		change(&bad)
		if _, err := AttestAdvisories(bad, file); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
