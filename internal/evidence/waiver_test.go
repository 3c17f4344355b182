package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

func sampleWaiver() Waiver {
	return Waiver{Findings: []string{"pickle-global mymodel Net"}, Globals: []string{"mymodel Net"},
		Owner: "rosa", Reason: "our own class, read in review 12", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func TestWaivers(t *testing.T) {
	s := newSite(t)
	reviewer := newIdentity(t, s.signer.Curve)
	s.trust.Principals = append(s.trust.Principals, Trusted{"rosa", []sallyport.Role{sallyport.Reviewer}, reviewer.SigningPEM()})
	file := File{"model.pkl", sallyport.Sum([]byte("weights"))}
	granted := func(by identity, change func(*Waiver)) []byte {
		w := sampleWaiver()
		if change != nil {
			change(&w)
		}
		st, err := AttestWaiver(w, file)
		if err != nil {
			return []byte(err.Error())
		}
		return must[[]byte](t)(must[Envelope](t)(Seal(st, by)).Marshal())
	}
	good := granted(reviewer, nil)
	got, err := ReadWaivers("allow", append(append(good, "\n\n"...), good...), s.trust)
	if err != nil || len(got) != 2 || got[0].File != file || got[1].Owner != "rosa" || !got[0].Expires.Equal(sampleWaiver().Expires) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		text  []byte
		words string
	}{
		"by an operator in her name": {granted(s.signer, nil), "not signed by its owner"},
		"by an operator in his own":  {granted(s.signer, func(w *Waiver) { w.Owner = "olga" }), "may not waive"},
		"by nobody known":            {granted(newIdentity(t, s.signer.Curve), nil), "no trusted key"},
		"in another's name":          {granted(reviewer, func(w *Waiver) { w.Owner = "olga" }), "not signed by its owner"},
		"one bit changed":            {[]byte(strings.Replace(string(good), `"sig":"M`, `"sig":"N`, 1)), ""},
		"not JSON":                   {[]byte("weights"), "JSON"},
	} {
		_, err := ReadWaivers("allow", c.text, s.trust)
		if err == nil || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "allow:1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Waiver){
		"nobody's": func(w *Waiver) { w.Owner = "" }, "without reason": func(w *Waiver) { w.Reason = "" },
		"for ever": func(w *Waiver) { w.Expires = time.Time{} }, "of nothing": func(w *Waiver) { w.Findings = nil },
	} {
		if text := string(granted(reviewer, change)); !strings.Contains(text, "not a waiver") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func FuzzWaivers(f *testing.F) {
	s := newSite(f)
	e, err := Seal(must[Statement](f)(AttestWaiver(sampleWaiver(), File{"m", sallyport.Sum(nil)})), s.signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(must[[]byte](f)(e.Marshal()))
	f.Add([]byte("{}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Nobody here may waive anything, so whatever is accepted is a mistake.
		if got, err := ReadWaivers("allow", data, s.trust); err == nil && len(got) > 0 {
			t.Error("a waiver that nobody may grant is accepted")
		}
	})
}
