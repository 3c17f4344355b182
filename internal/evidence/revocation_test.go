package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// none is a list of revocations without any.
func none() (Revocations, error) { return Revocations{Issued: time.Now()}, nil }

var listed = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func sampleList() Revocations {
	return Revocations{Site: "ward7", Number: 12, Issued: listed, Expires: listed.Add(ListLife), Revoked: []Revocation{
		{Run: "k3f", Files: []sallyport.Digest{sallyport.Sum([]byte("w"))}, Reason: "a person was taken out", Erasure: "e1", At: listed, Replaced: "m5x"}}}
}

// stewarded is a site with a steward, who may erase.
func stewarded(t testing.TB) (site, identity) {
	s := newSite(t)
	id := newIdentity(t, s.signer.Curve)
	s.trust.Principals = append(s.trust.Principals, Trusted{"sam", []sallyport.Role{sallyport.Steward}, id.SigningPEM()})
	return s, id
}

func sealed(t testing.TB, st Statement, err error, by identity) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return must[[]byte](t)(must[Envelope](t)(Seal(st, by)).Marshal())
}

func TestRevocations(t *testing.T) {
	s, steward := stewarded(t)
	list := func(by identity, change func(*Revocations)) []byte {
		l := sampleList()
		if change != nil {
			change(&l)
		}
		st, err := AttestRevocations(l, sallyport.Sum(nil))
		return sealed(t, st, err, by)
	}
	good := list(steward, nil)
	l, err := ParseRevocations("r", good, s.trust, listed.Add(time.Hour))
	if err != nil || len(l.Revoked) != 1 || l.Revoked[0].Replaced != "m5x" {
		t.Fatalf("%+v, %v", l, err)
	}
	for name, c := range map[string]struct {
		text []byte
		now  time.Time
		kind sallyport.Kind
	}{
		"stale":             {good, listed.Add(ListLife + time.Second), sallyport.Unknown},
		"from the future":   {good, listed.Add(-48 * time.Hour), sallyport.Unknown},
		"by an operator":    {list(s.signer, nil), listed, sallyport.Refused},
		"by nobody known":   {list(newIdentity(t, s.signer.Curve), nil), listed, sallyport.Refused},
		"of another site":   {list(steward, func(l *Revocations) { l.Site = "ward8" }), listed, sallyport.Refused},
		"another statement": {s.scan(t, sampleRun(), filesOf(s.wrote)), listed, sallyport.Invalid},
		"garbage":           {[]byte("{"), listed, sallyport.Invalid},
	} {
		if _, err := ParseRevocations("r", c.text, s.trust, c.now); !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	forever := sampleList()
	forever.Expires = listed.AddDate(10, 0, 0)
	if _, err := AttestRevocations(forever, sallyport.Sum(nil)); err == nil {
		t.Error("a list for ten years was made")
	}
}

func TestRevokedFolders(t *testing.T) {
	s := newSite(t)
	dir := s.folder(t, sampleRun(), nil)
	for name, c := range map[string]struct {
		list  RevokedFunc
		kind  sallyport.Kind
		words string
	}{
		"by its run": {func() (Revocations, error) {
			return Revocations{Revoked: []Revocation{{Run: sampleRun().ID, Reason: "a person was taken out", At: listed, Replaced: "m5x"}}}, nil
		}, sallyport.Refused, "revoked on 2026-03-02: a person was taken out"},
		"by a file": {func() (Revocations, error) {
			return Revocations{Revoked: []Revocation{{Run: "other", Files: []sallyport.Digest{sallyport.Sum([]byte("weights"))}, Reason: "x", At: listed}}}, nil
		}, sallyport.Refused, "revoked"},
		"no list": {nil, sallyport.Unknown, "no list of revocations"},
		"stale": {func() (Revocations, error) {
			return Revocations{}, sallyport.Errorf(sallyport.Unknown, "expired")
		}, sallyport.Unknown, "expired"},
	} {
		r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), c.list))
		if err := r.Err(); !sallyport.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sampleErasure() Erasure {
	return Erasure{ID: "e1", Site: "ward7", By: "sam", Tokens: []string{sallyport.Sum([]byte("t")).Hex()}, Ground: "art17.1.b",
		Received: listed, Due: listed.AddDate(0, 1, 0), Destroyed: listed.Add(time.Minute), Finished: listed.Add(time.Hour),
		Versions: []ErasedVersion{{"x@1", 3, 1, sallyport.Sum([]byte("a")), sallyport.Sum([]byte("b"))}}}
}

func TestErasure(t *testing.T) {
	s, steward := stewarded(t)
	make := func(by identity, e Erasure) []byte {
		st, err := AttestErasure(e)
		return sealed(t, st, err, by)
	}
	e, by, err := VerifyErasure("c", make(steward, sampleErasure()), s.trust)
	if err != nil || e.ID != "e1" || by.Name != "sam" {
		t.Fatalf("%+v, %v, %v", e, by, err)
	}
	nobody := sampleErasure()
	nobody.Versions = nil
	if _, _, err := VerifyErasure("c", make(steward, nobody), s.trust); err != nil {
		t.Errorf("of somebody of whom there was nothing: %v", err)
	}
	for name, text := range map[string][]byte{
		"by an operator":  make(s.signer, sampleErasure()),
		"by nobody known": make(newIdentity(t, s.signer.Curve), sampleErasure()),
	} {
		if _, _, err := VerifyErasure("c", text, s.trust); !sallyport.Is(err, sallyport.Refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Erasure){
		"about nobody": func(e *Erasure) { e.Tokens = nil }, "finished before it was destroyed": func(e *Erasure) { e.Finished = listed },
		"unchanged": func(e *Erasure) { e.Versions[0].After = e.Versions[0].Before }, "without a site": func(e *Erasure) { e.Site = "" },
	} {
		e := sampleErasure()
		e.Versions = []ErasedVersion{e.Versions[0]}
		change(&e)
		if _, err := AttestErasure(e); err == nil {
			t.Errorf("%s: a certificate was made", name)
		}
	}
}

func FuzzRevocations(f *testing.F) {
	s, steward := stewarded(f)
	st, err := AttestRevocations(sampleList(), sallyport.Sum(nil))
	f.Add(sealed(f, st, err, steward))
	st, err = AttestErasure(sampleErasure())
	f.Add(sealed(f, st, err, steward))
	other := newSite(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ParseRevocations("r", data, other.trust, listed); err == nil {
			t.Error("a list that nobody known signed is believed")
		}
		if _, _, err := VerifyErasure("c", data, other.trust); err == nil {
			t.Error("a certificate that nobody known signed is believed")
		}
		_, _ = ParseRevocations("r", data, s.trust, listed)
	})
}
