package run

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/scan"
)

// noted is what becomes of reports: the artefacts' record as JSON, and what was
// sealed of them.
func noted(t *testing.T, before int, reports ...*scan.Report) (record string, sealed []Found) {
	t.Helper()
	blobs, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ring := seal.NewRing("output")
	o := &outputs{shelf: newShelf(blobs, ring)}
	if before > 0 {
		o.quotes = o.shelf.w.Stream()
		if _, err := o.quotes.Write(bytes.Repeat([]byte("\n"), before)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range reports {
		a := &Artefact{Path: r.Path, Stored: Stored{Digest: r.SHA256}}
		if err := o.note(a, r); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		record += string(text)
	}
	st, err := o.keepQuotes()
	if err == nil {
		err = o.shelf.close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if st == nil {
		return record, nil
	}
	if st.Digest != "" {
		t.Error("what was sealed has a digest, which tells whether a guess is right")
	}
	s := &Service{Blobs: blobs, Output: ring}
	all := map[string]Found{}
	if err := s.readFound(t.Context(), *st, all); err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		if f, ok := all[r.Path]; ok {
			sealed = append(sealed, f)
		}
	}
	return record, sealed
}

func reportOn(path, what string) *scan.Report {
	return &scan.Report{Path: path, SHA256: sallyport.Sum([]byte(path)), Verdict: scan.Suspicious, Globals: []string{"os system", what + " Net"},
		Findings: []scan.Finding{{Rule: &scan.Rule{ID: "pickle-global"}, Verdict: scan.Suspicious, What: what, Why: what, Member: what, Times: 1}}}
}

// TestNote seals what a scan quotes and records that something was found. Of an
// artefact of which nothing is withheld nothing is sealed.
func TestNote(t *testing.T) {
	fine := &scan.Report{Path: "fine", SHA256: sallyport.Sum(nil), Verdict: scan.Allowed, Globals: []string{"collections OrderedDict"}}
	record, sealed := noted(t, 0, fine, reportOn("one", "Marigold"), reportOn("two", "Primrose"))
	if strings.Contains(record, "Marigold") || strings.Contains(record, "Primrose") || strings.Count(record, `"what":"withheld"`) != 2 {
		t.Errorf("the record says %s", record)
	}
	if !strings.Contains(record, "collections OrderedDict") || !strings.Contains(record, "os system") {
		t.Errorf("the record withholds names that are known: %s", record)
	}
	if len(sealed) != 2 || sealed[0].Findings[0].Member != "Marigold" || sealed[1].Globals[1] != "Primrose Net" {
		t.Errorf("%+v was sealed", sealed)
	}
	if _, sealed := noted(t, 0, fine); sealed != nil {
		t.Errorf("of a file of which nothing is withheld %+v was sealed", sealed)
	}
}

// TestNoteIsBounded counts findings beyond what is kept.
func TestNoteIsBounded(t *testing.T) {
	_, sealed := noted(t, maxFound+1, reportOn("one", "Marigold"))
	if len(sealed) != 1 || len(sealed[0].Findings) != 0 || len(sealed[0].Globals) != 0 || sealed[0].Dropped != 1 {
		t.Errorf("%+v was sealed", sealed)
	}
}

// TestFoundGoesWithTheArtefacts wants what was found to be recorded, listed,
// destroyed and forgotten where the artefacts are.
func TestFoundGoesWithTheArtefacts(t *testing.T) {
	r := Record{Stages: []Stage{{Name: "train", Found: &Stored{Size: 9, Segments: []int64{7}}}, {Name: "other", Found: &Stored{Size: 9, Segments: []int64{8}}}}}
	if got := r.Segments()[OutputSegments]; !slices.Equal(got, []int64{7, 8}) {
		t.Errorf("listed: %v", got)
	}
	if got := r.Doomed(Erased{Stages: []string{"train"}}); !slices.Equal(got, []int64{7}) {
		t.Errorf("destroyed: %v", got)
	}
	st := &r.Stages[0]
	if !slices.Contains(st.stored(), st.Found) {
		t.Error("it is not recorded")
	}
	if st.forget(); st.Found.Segments != nil {
		t.Error("it is not forgotten")
	}
}

// TestFindingsAreForThoseWhoTake gives the findings in full to nobody else, with
// and without a key.
func TestFindingsAreForThoseWhoTake(t *testing.T) {
	for _, c := range []struct {
		role sallyport.Role
		ring *seal.Ring
		may  bool
	}{
		{sallyport.Developer, nil, false}, {sallyport.Auditor, nil, false}, {sallyport.Steward, seal.NewRing("output"), false},
		{sallyport.Operator, nil, false}, {sallyport.Operator, seal.NewRing("output"), true}, {sallyport.Reviewer, seal.NewRing("output"), true},
	} {
		s := &Service{Output: c.ring, Who: sallyport.Principal{Name: "x", Roles: []sallyport.Role{c.role}}}
		got, err := s.Findings(t.Context(), &Record{Stages: []Stage{{Name: "train"}, {Name: "erased", Found: &Stored{Size: 9}}}})
		if err != nil || (got != nil) != c.may {
			t.Errorf("%s: %v, %v", c.role, got, err)
		}
	}
}
