package erase_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xeipuuv/gojsonschema"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// renewable is a site as package erase wants it.
type renewable struct{ *site.Site }

func (r renewable) Renew() (erase.Renewal, error) { return r.Site.Renew() }

// newSite makes a site with the dataset people, in two versions.
func newSite(t *testing.T) (*site.Site, *erase.Service) {
	t.Helper()
	me, err := seal.NewIdentity("anna")
	check(t, err)
	dir := filepath.Join(t.TempDir(), "site")
	check(t, site.Init(t.Context(), dir, "demo", me, sallyport.Roles))
	s, err := site.Open(t.Context(), dir, me)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	add(t, s, "people", "id,note\n7777001,Marigold\n7777002,Rose\n")
	add(t, s, "people", "id,note\n7777001,Marigold\n7777002,Rose\n7777001,Marigold again\n")
	return s, &erase.Service{Site: renewable{s}, Log: s.Log, Me: me, Who: s.Who, Name: s.Name, Ring: s.Data().Ring}
}

func add(t *testing.T, s *site.Site, name, table string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.csv")
	check(t, os.WriteFile(path, []byte(table), 0o600))
	_, _, err := s.Data().Add(t.Context(), "anna", name, dataset.Source{Path: path, Subject: "id"}, nil)
	check(t, err)
}

// ran records a run that read a version, brought files with its code, and made
// others in the folder model.
func ran(t *testing.T, s *site.Site, id string, status run.Status, version string, brought, made []string) {
	t.Helper()
	files := func(names []string) (all []run.Artefact) {
		for _, n := range names {
			all = append(all, run.Artefact{Path: "model/" + n, Stored: run.Stored{Digest: sallyport.Sum([]byte(n))}})
		}
		return all
	}
	r := run.Record{ID: id, Project: "p", By: "anna", Status: status, Started: time.Now(), Set: []string{"of=" + id},
		Code:   run.Code{Models: files(brought)},
		Stages: []run.Stage{{Name: "train", Status: status, Outputs: files(made), Folders: []string{"model"}}}}
	if version != "" {
		r.Data = []run.Data{{Path: "data.csv", Version: version}}
	}
	check(t, s.Log.Update(t.Context(), "anna", func(tx *ledger.Tx) error {
		_, err := tx.Put("run."+string(status), "run", id, r, nil)
		return err
	}))
}

var request = erase.Request{Subjects: []string{"7777001", "nobody"}, Ground: "art17.1.b", Identity: "passport"}

// TestConsequences follows models from run to run.
func TestConsequences(t *testing.T) {
	s, service := newSite(t)
	add(t, s, "others", "id,note\n8888001,Tulip\n")
	ran(t, s, "first", run.Finished, "people@1", []string{"labels"}, []string{"labels", "weights", "plain"})
	ran(t, s, "second", run.Finished, "people@2", []string{"weights"}, []string{"tuned"}) // read, and brought a model
	ran(t, s, "third", run.Finished, "others@1", []string{"tuned"}, []string{"third"})
	ran(t, s, "broke", run.Failed, "people@2", nil, nil)
	ran(t, s, "apart", run.Finished, "others@1", []string{"labels"}, []string{"labels", "plain", "apart"})
	p, err := service.Plan(t.Context(), request)
	check(t, err)
	got := map[string]erase.Action{}
	for _, c := range p.Runs {
		got[c.Run] = c.Action
	}
	want := map[string]erase.Action{"first": erase.Retrain, "second": erase.Destroy, "third": erase.Destroy, "broke": erase.Destroy}
	if len(got) != len(want) {
		t.Errorf("runs: %v", got)
	}
	for id, action := range want {
		if got[id] != action {
			t.Errorf("%s: %q, want %q", id, got[id], action)
		}
	}

	// Who may not run code stops when everything is destroyed and revoked.
	service.Who.Roles = []sallyport.Role{sallyport.Steward}
	e, err := service.Erase(t.Context(), request, erase.Watch{})
	if !sallyport.Is(err, sallyport.Denied) || e.Status != erase.Destroyed {
		t.Fatalf("%v, %v", e, err)
	}
	revoked, err := erase.Revocations(t.Context(), s.Log)
	check(t, err)
	files := map[string][]sallyport.Digest{}
	for _, r := range revoked {
		files[r.Run] = r.Files
	}
	// What it only passed on, and what others made too, has learned nothing.
	if !slices.Equal(files["first"], []sallyport.Digest{sallyport.Sum([]byte("weights"))}) || len(files["second"]) != 1 || len(revoked) != 4 {
		t.Errorf("revoked: %v", files)
	}
	// A copy of a model that is gone still counts when somebody else asks.
	ran(t, s, "later", run.Finished, "", []string{"weights"}, []string{"later"})
	p, err = service.Plan(t.Context(), erase.Request{Subjects: []string{"7777002"}})
	check(t, err)
	if len(p.Runs) != 1 || p.Runs[0].Run != "later" || p.Runs[0].Action != erase.Destroy {
		t.Errorf("after it: %+v", p.Runs)
	}
}

// TestEnd erases to the end, and checks the certificate with other programs.
func TestEnd(t *testing.T) {
	s, service := newSite(t)
	ran(t, s, "broke", run.Failed, "people@2", nil, nil)
	check(t, service.Hold(t.Context(), erase.Hold{Dataset: "people", Ground: "art17.3.b", Reason: "duty", Until: time.Now().Add(-time.Hour)}))
	add(t, s, "7777001", "id,note\n7777002,a dataset named after somebody\n")
	e, err := service.Erase(t.Context(), request, erase.Watch{})
	check(t, err)
	if e.Status != erase.Certified || e.Found != 1 || len(e.Versions) != 2 || len(e.Exempt) != 0 {
		t.Errorf("%+v", e)
	}
	text, err := erase.Certificate(t.Context(), s.Log, e)
	check(t, err)
	trust, err := s.Trust(t.Context())
	check(t, err)
	_, key, err := evidence.VerifyErasure("certificate", text, trust)
	check(t, err)

	var envelope struct{ Payload []byte }
	check(t, json.Unmarshal(text, &envelope))
	var statement struct{ Predicate json.RawMessage }
	check(t, json.Unmarshal(envelope.Payload, &statement))
	if bytes.Contains(envelope.Payload, []byte("7777001")) {
		t.Errorf("the certificate names the person: %s", envelope.Payload)
	}
	schema, err := os.ReadFile("../../doc/erasure-v1.schema.json")
	check(t, err)
	result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(schema), gojsonschema.NewBytesLoader(statement.Predicate))
	check(t, err)
	for _, bad := range result.Errors() {
		t.Error(bad)
	}
	result, err = gojsonschema.Validate(gojsonschema.NewBytesLoader(schema),
		gojsonschema.NewBytesLoader(bytes.Replace(statement.Predicate, []byte(`"found"`), []byte(`"name"`), 1)))
	if err != nil || result.Valid() {
		t.Error("the schema lets anything pass")
	}

	secret := service.Secret(e.ID)
	for _, id := range request.Subjects {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id))
		if !slices.Contains(e.Tokens, hex.EncodeToString(mac.Sum(nil))) {
			t.Errorf("no token is that of %s", id)
		}
	}
	openssl(t, secret, e.Tokens)

	var page strings.Builder
	check(t, erase.Page(&page, e.Erasure, key, sallyport.Sum(text).Hex()))
	for _, want := range []string{e.ID, "3 records of 1 person", "consent was withdrawn", "in time", "GDPR art. 17(1)(b)", e.Tokens[0]} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.String(), "7777001") || strings.Contains(page.String(), "http://") {
		t.Error("the page names the person, or needs something from elsewhere")
	}

	// Once more changes nothing.
	size, err := s.Log.Size(t.Context())
	check(t, err)
	for range 2 {
		e, err = service.Resume(t.Context(), e, erase.Watch{})
		check(t, err)
	}
	if now, err := s.Log.Size(t.Context()); err != nil || now != size {
		t.Errorf("resuming what is done wrote %d entries, %v", now-size, err)
	}
}

// openssl recomputes the token of the first subject.
func openssl(t *testing.T, secret []byte, tokens []string) {
	c := exec.Command("openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(secret))
	c.Stdin = strings.NewReader(request.Subjects[0])
	out, err := c.Output()
	if err != nil {
		t.Logf("SKIPPED: openssl is not here; it did not recompute the token: %v", err)
		return
	}
	if words := strings.Fields(string(out)); !slices.Contains(tokens, words[len(words)-1]) {
		t.Errorf("openssl computes another token: %s", out)
	}
}

// TestStopped stops an erasure whenever it says what it does next, and resumes
// it: either nothing had happened, or it comes to its end.
func TestStopped(t *testing.T) {
	for at := 1; ; at++ {
		s, service := newSite(t)
		ran(t, s, "broke", run.Failed, "people@2", nil, nil)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		notes := 0
		e, err := service.Erase(ctx, request, erase.Watch{Note: func(string) {
			if notes++; notes == at {
				stop()
			}
		}})
		if notes < at {
			check(t, err)
			if at < 4 {
				t.Errorf("it says %d things", notes)
			}
			return
		}
		if err == nil {
			t.Fatalf("stopped at %d, it went on", at)
		}
		all, err := erase.List(t.Context(), s.Log)
		check(t, err)
		if (e == nil) != (len(all) == 0) {
			t.Errorf("stopped at %d: %d are recorded, and it returned %v", at, len(all), e)
		}
		if hits, err := s.Data().Holds(t.Context(), "7777001"); err != nil || (len(hits) == 0) != (len(all) == 1) {
			t.Errorf("stopped at %d: found in %d versions with %d recorded, %v", at, len(hits), len(all), err)
		}
		if e == nil {
			e, err = service.Erase(t.Context(), request, erase.Watch{})
		} else {
			e, err = service.Resume(t.Context(), e, erase.Watch{})
		}
		if err != nil || e.Status != erase.Certified || len(e.Versions) != 2 || len(e.Runs) != 1 {
			t.Errorf("stopped at %d: %+v, %v", at, e, err)
		}
	}
}

// TestRefused lists what nobody can ask for.
func TestRefused(t *testing.T) {
	_, service := newSite(t)
	for name, c := range map[string]struct {
		change func(*erase.Request)
		kind   sallyport.Kind
	}{
		"nobody":               {func(r *erase.Request) { r.Subjects = nil }, sallyport.Usage},
		"an empty identifier":  {func(r *erase.Request) { r.Subjects = []string{" "} }, sallyport.Usage},
		"no such ground":       {func(r *erase.Request) { r.Ground = "art17.3.b" }, sallyport.Usage},
		"no such dataset":      {func(r *erase.Request) { r.Dataset = "nothing" }, sallyport.NotFound},
		"unchecked":            {func(r *erase.Request) { r.Identity = " " }, sallyport.Usage},
		"checked, with a name": {func(r *erase.Request) { r.Identity = "passport of 7777001" }, sallyport.Usage},
	} {
		r := request
		c.change(&r)
		if e, err := service.Erase(t.Context(), r, erase.Watch{}); e != nil || !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
	service.Who.Roles = []sallyport.Role{sallyport.Operator}
	if e, err := service.Erase(t.Context(), request, erase.Watch{}); e != nil || !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("an operator: %v, %v", e, err)
	}
}

// late is a site where something happens just before nobody else is at work.
type late struct {
	renewable
	happen func()
}

func (l late) Renew() (erase.Renewal, error) {
	l.happen()
	return l.renewable.Renew()
}

// TestMeanwhile lets a run end, and a dataset be added, between the request and
// the moment when nobody else is at work: neither is missed.
func TestMeanwhile(t *testing.T) {
	s, service := newSite(t)
	once := func() {
		ran(t, s, "meanwhile", run.Failed, "people@2", nil, nil)
		add(t, s, "more", "id,note\n7777001,Marigold\n")
	}
	service.Site = late{renewable{s}, func() {
		if once != nil {
			once()
			once = nil
		}
	}}
	e, err := service.Erase(t.Context(), request, erase.Watch{})
	check(t, err)
	if len(e.Runs) != 1 || len(e.Versions) != 3 {
		t.Errorf("runs %+v, versions %+v", e.Runs, e.Versions)
	}
}
