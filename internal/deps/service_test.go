package deps

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/state"
)

// newService returns the service of a new site that has made the runs.
func newService(t testing.TB, ran *[]Ran) *Service {
	t.Helper()
	dir := t.TempDir()
	db, err := state.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	skey, vkey, err := note.GenerateKey(rand.Reader, "ward7")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	log, err := ledger.Open(db, signer, verifier)
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Log: log, Dir: filepath.Join(dir, "advisories"), Who: sallyport.Principal{Name: "ada", Roles: []sallyport.Role{sallyport.Auditor}},
		History: func(_ *ledger.Tx, each func(Ran) error) error {
			for _, r := range *ran {
				if err := each(r); err != nil {
					return err
				}
			}
			return nil
		}}
}

// bring makes a bundle of records, of the given number, and brings it in.
func bring(t testing.TB, s *Service, number int64, records map[string]string, again bool) (*Outcome, error) {
	t.Helper()
	ada, trust := somebody(t, "ada", sallyport.Auditor)
	path, _ := bundle(t, ada, "ada", records, MakeOptions{})
	b, err := openBundle(t, path, trust)
	if err != nil {
		t.Fatal(err)
	}
	b.Serial = number // what Make gives by the clock
	return s.Import(context.Background(), b, again)
}

func TestImport(t *testing.T) {
	s := newService(t, &[]Ran{})
	ctx := context.Background()
	if db, err := s.Current(ctx); db != nil || err != nil {
		t.Fatalf("before any: %v, %v", db, err)
	}
	more := map[string]string{"MAL-2026-1.json": records["MAL-2026-1.json"]}
	for _, c := range []struct {
		name    string
		number  int64
		records map[string]string
		again   bool
		words   string
	}{
		{"the first", 10, records, false, ""},
		{"the same", 10, records, false, "has this bundle already"},
		{"the same again", 10, records, true, ""},
		{"an older one", 9, more, false, "an older one would hide"},
		{"an older one by force", 9, more, true, "an older one would hide"},
		{"another of the same number", 10, more, true, "an older one would hide"},
		{"a newer one", 11, more, false, ""},
	} {
		_, err := bring(t, s, c.number, c.records, c.again)
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error()+err.(*sallyport.Error).Mend, c.words) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	db, err := s.Current(ctx)
	if err != nil || db.Name.Serial != 11 || db.Name.Records != 1 {
		t.Fatalf("%+v, %v", db, err)
	}
	db.Close()
	if names := files(t, s.Dir); len(names) != 1 {
		t.Errorf("databases that are not in use were left: %q", names)
	}

	// What killed imports leave is swept, what is in use is not.
	os.WriteFile(filepath.Join(s.Dir, ".new-1"), nil, 0o600)
	os.WriteFile(filepath.Join(s.Dir, strings.Repeat("a", 64)+dbSuffix), nil, 0o600)
	if err := s.Sweep(ctx); err != nil || len(files(t, s.Dir)) != 1 {
		t.Errorf("%v: %q", err, files(t, s.Dir))
	}

	// A database that is another, and one that is gone, are no advisories at all.
	path := filepath.Join(s.Dir, files(t, s.Dir)[0])
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := compiled(t, records)
	otherBytes, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"another": otherBytes, "cut short": good[:len(good)/2], "empty": nil} {
		os.Chmod(path, 0o600)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err := s.Current(ctx); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%s: %v, %v", name, db, err)
		}
	}
	os.Remove(path)
	if _, err := s.Current(ctx); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("gone: %v", err)
	}
	if _, err := bring(t, s, 11, more, true); err != nil {
		t.Errorf("it is not mended by the same bundle: %v", err)
	}
	if _, err := s.Current(ctx); err != nil {
		t.Error(err)
	}

	s.Who.Roles = []sallyport.Role{sallyport.Developer}
	if _, err := bring(t, s, 12, records, false); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("a developer: %v", err)
	}
}

// TestSweepSparesAnImport sweeps while an import has compiled its database and the
// ledger does not know of it yet.
func TestSweepSparesAnImport(t *testing.T) {
	s := newService(t, &[]Ran{})
	ctx := context.Background()
	swept := make(chan error, 1)
	s.History = func(*ledger.Tx, func(Ran) error) error {
		go func() { swept <- s.Sweep(ctx) }()
		// A sweep that did not wait for the import would be done long before this.
		for range 100 {
			if len(files(t, s.Dir)) == 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	if _, err := bring(t, s, 1, records, false); err != nil {
		t.Fatal(err)
	}
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	db, err := s.Current(ctx)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestIncidents follows one from the first run that it is about to the last.
func TestIncidents(t *testing.T) {
	ctx := context.Background()
	ran := []Ran{
		{Run: "r1", By: "olga", Environment: "e1", Packages: []Pinned{{"oldlib", "1.0"}, {"newlib", "3"}, {"strange", "x"}}, Models: []string{"model"}},
		{Run: "r2", By: "omar", Environment: "e2", Packages: []Pinned{{"oldlib", "1.0.0"}}},
		{Run: "r3", By: "omar", Environment: "e3", Packages: []Pinned{{"oldlib", "1.1"}}},
		{By: "eve", Environment: "e9", Packages: []Pinned{{"oldlib", "1.0"}}}, // built, and nothing ran in it
		{Run: "r4", By: "omar", Environment: "e2", Packages: []Pinned{{"oldlib", "1.0.0"}}, Known: map[Told]bool{{"oldlib", "GHSA-aaaa-bbbb-cccc"}: true}},
	}
	s := newService(t, &ran)
	out, err := bring(t, s, 1, records, false)
	if err != nil {
		t.Fatal(err)
	}
	if out.Runs != 4 || out.Packages != 5 || out.Unread != 1 || out.Affected != 2 || len(out.Opened) != 1 || out.Open != 1 {
		t.Errorf("%+v", out)
	}
	in := out.Opened[0]
	if in.ID != "i1" || in.Owner != "eve" || len(in.Runs) != 3 || in.Runs[2].Run != "" || in.Runs[0].Models[0] != "model" || !slices.Equal(in.Versions, []string{"1.0", "1.0.0"}) ||
		in.Deadline.Sub(in.Opened) > 7*day || !strings.Contains(in.Next, "1.1") {
		t.Errorf("%+v", in)
	}

	// The same advisory, which another record leads now, is the same incident, and
	// nothing changes.
	renamed := map[string]string{"GHSA.json": strings.NewReplacer(`"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1111", "GHSA-aaaa-bbbb-cccc"]`,
		`"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2026-1111"]`).Replace(records["PYSEC-2026-1.json"])}
	if out, err = bring(t, s, 2, renamed, false); err != nil || len(out.Opened)+len(out.Extended) != 0 {
		t.Errorf("%+v, %v", out, err)
	}

	// Closing takes a reason, and happens once.
	if _, err := s.Change(ctx, "i1", Change{Status: IncidentClosed}); !sallyport.Is(err, sallyport.Usage) {
		t.Error(err)
	}
	if _, err := s.Change(ctx, "i9", Change{Note: "x"}); !sallyport.Is(err, sallyport.NotFound) {
		t.Error(err)
	}
	until := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := s.Change(ctx, "i1", Change{Owner: "mara", Deadline: until, Next: "wait", Note: "agreed"}); err != nil {
		t.Error(err)
	}
	closed, err := s.Change(ctx, "i1", Change{Status: IncidentClosed, Note: "done"})
	if err != nil || closed.Status != IncidentClosed || closed.Owner != "mara" || !closed.Deadline.Equal(until) || closed.Next != "wait" || len(closed.Notes) != 2 || closed.Notes[1].By != "ada" {
		t.Errorf("%+v, %v", closed, err)
	}
	if _, err := s.Change(ctx, "i1", Change{Status: IncidentClosed, Note: "done"}); !sallyport.Is(err, sallyport.Refused) {
		t.Error(err)
	}

	// Another run of it opens it again.
	ran = append(ran, Ran{Run: "r5", By: "olga", Environment: "e5", Packages: []Pinned{{"oldlib", "0.9"}}})
	if out, err = bring(t, s, 3, records, false); err != nil || len(out.Extended) != 1 || len(out.Extended[0].Runs) != 4 || out.Extended[0].Status != IncidentOpen {
		t.Errorf("%+v, %v", out, err)
	}
	w, err := s.Watch(ctx)
	if err != nil || w.Affected != 3 || len(w.News) != 1 || w.News[0].Incident != "i1" || w.News[0].Status != IncidentOpen {
		t.Errorf("%+v, %v", w, err)
	}
	s.Who.Roles = []sallyport.Role{sallyport.Developer}
	if _, err := s.Change(ctx, "i1", Change{Note: "nothing to see"}); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("a developer: %v", err)
	}
}

// TestKnown wants a weakness that a run knew of in one package to be news when it
// turns out to be in another.
func TestKnown(t *testing.T) {
	ran := []Ran{{Run: "r1", By: "olga", Packages: []Pinned{{"oldlib", "1.0"}}, Known: map[Told]bool{{"newlib", "CVE-2026-1111"}: true}}}
	if out, err := bring(t, newService(t, &ran), 1, records, false); err != nil || len(out.Opened) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestUrgent wants what is an attack, or is being used, to be answered within
// days.
func TestUrgent(t *testing.T) {
	ran := []Ran{{Run: "r1", By: "olga", Packages: []Pinned{{"evil", "9"}, {"oldlib", "1.0"}}}}
	kev := map[string]string{"kev.json": `{"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.01.02", "count": 1,
		"vulnerabilities": [{"cveID": "CVE-2026-1111", "dateAdded": "2026-01-02"}]}`}
	for name, text := range records {
		kev[name] = text
	}
	out, err := bring(t, newService(t, &ran), 1, kev, false)
	if err != nil || len(out.Opened) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, in := range out.Opened {
		if in.Deadline.Sub(in.Opened) > 2*day {
			t.Errorf("%s has until %v", in.Advisory.ID, in.Deadline)
		}
	}

	// What is exploited only later becomes urgent then, once.
	s := newService(t, &ran)
	if _, err := bring(t, s, 1, records, false); err != nil {
		t.Fatal(err)
	}
	for number, want := range []int{1, 0} {
		out, err := bring(t, s, int64(2+number), kev, false)
		if err != nil || len(out.Opened) != 0 || len(out.Extended) != want {
			t.Fatalf("%+v, %v", out, err)
		}
		if want == 1 && (out.Extended[0].Advisory.Exploited.IsZero() || out.Extended[0].Deadline.Sub(out.Extended[0].Opened) > 2*day) {
			t.Errorf("%+v", out.Extended[0])
		}
	}
}
