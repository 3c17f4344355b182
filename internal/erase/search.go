package erase

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/state"
)

// shortest is how many bytes an identifier must have to be searched for: shorter
// ones stand everywhere by chance.
const shortest = 5

// search opens everything that will be left on the site and looks for the
// identifiers: in other people's records, in files of nobody, in code, in
// outputs of runs that did not see the records, and in the documents of the
// ledger. What it finds is told; a machine cannot know what it means.
func (s *Service) search(ctx context.Context, subjects []string, p *Plan, renewal Renewal, erasings []*dataset.Erasing, watch Watch) (evidence.Mentions, error) {
	found := evidence.Mentions{Searched: true, Places: []string{}}
	want := wanted(subjects)
	if n := len(subjects) - len(want); n > 0 {
		found.Places = append(found.Places, fmt.Sprintf("not looked for: %d identifiers of fewer than %d characters", n, shortest))
	}
	if len(want) == 0 {
		return found, nil
	}
	living, labels, err := s.living(ctx, p, erasings)
	if err != nil {
		return found, err
	}
	var total int64
	for _, seg := range living {
		total += seg.Len
	}
	watch.note("looking for the identifiers in everything that stays")
	places := map[string]int{}
	for _, seg := range living {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		plain, err := renewal.Open(seg)
		if err != nil {
			return found, err
		}
		found.Bytes += int64(len(plain))
		if mentions(plain, want) {
			places[labels(seg)]++
		}
		if watch.Progress != nil {
			watch.Progress(found.Bytes, total)
		}
	}
	if err := s.searchDocuments(ctx, want, places); err != nil {
		return found, err
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		found.Places = append(found.Places, hide(place, want))
	}
	return found, nil
}

// wanted returns the identifiers that can be searched for.
func wanted(subjects []string) (want [][]byte) {
	for _, id := range subjects {
		if id := bytes.TrimSpace([]byte(id)); len(id) >= shortest {
			want = append(want, id)
		}
	}
	return want
}

// hide takes the identifiers out of the name of a place, which is for the
// certificate.
func hide(place string, want [][]byte) string {
	for _, id := range want {
		place = strings.ReplaceAll(place, string(id), "…")
	}
	return place
}

// mentions reports whether one of the identifiers stands in text as a whole.
func mentions(text []byte, want [][]byte) bool {
	for _, id := range want {
		for at := 0; ; {
			i := bytes.Index(text[at:], id)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(id)
			if !(from > 0 && within(text[from-1])) && !(to < len(text) && within(text[to])) {
				return true
			}
			at = from + 1
		}
	}
	return false
}

// within reports whether c goes on with a word or a number.
func within(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// living returns the segments that the erasure leaves, those that it wrote among
// them, and what names the place that a segment is in.
func (s *Service) living(ctx context.Context, p *Plan, erasings []*dataset.Erasing) ([]state.Segment, func(state.Segment) string, error) {
	dead := map[int64]bool{}
	of := map[int64]string{} // by segment
	var fresh []state.Segment
	wrote := map[string]string{} // by pack
	for _, e := range erasings {
		for _, id := range e.Dead() {
			dead[id] = true
		}
		for _, seg := range e.Fresh() {
			fresh = append(fresh, seg)
			wrote[seg.Pack] = "dataset " + e.Dataset
		}
	}
	runs, err := s.Site.Runs().List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range runs {
		r := &runs[i]
		for what, ids := range r.Segments() {
			for _, id := range ids {
				of[id] = what + " of run " + r.ID
			}
		}
		for _, id := range p.doomed(r) {
			dead[id] = true
		}
	}
	sets, err := s.Site.Data().List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, set := range sets {
		versions, err := s.Site.Data().Versions(ctx, set.Name)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range versions {
			for _, span := range v.Segments {
				for n := range span[1] {
					of[span[0]+n] = "dataset " + set.Name
				}
			}
		}
	}
	living := fresh
	err = s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.State().EachSegment(func(seg state.Segment) error {
			if !dead[seg.ID] {
				living = append(living, seg)
			}
			return nil
		})
	})
	return living, func(seg state.Segment) string {
		if name := wrote[seg.Pack]; name != "" && seg.ID == 0 {
			return name
		}
		if name := of[seg.ID]; name != "" {
			return name
		}
		return "a segment that nothing refers to"
	}, err
}

// searchDocuments looks into the documents of the ledger, which stand in the
// clear.
func (s *Service) searchDocuments(ctx context.Context, want [][]byte, places map[string]int) error {
	return s.Log.View(ctx, func(tx *ledger.Tx) error {
		for o, err := range tx.State().Objects("") {
			if err != nil {
				return err
			}
			text, place := o.Doc, "the document "+o.Kind+"/"+o.ID
			if o.Kind == "evidence" {
				if text, place, err = signedText(o.Doc); err != nil {
					return err
				}
			}
			if mentions(text, want) || mentions([]byte(o.ID), want) {
				places[place]++
			}
		}
		return nil
	})
}

// signedText returns what a piece of evidence says, and its name. What is signed
// is in base64 within it: by itself (DSSE) or in a bundle (Sigstore).
func signedText(doc []byte) (text []byte, place string, err error) {
	var e run.Evidence
	if err := json.Unmarshal(doc, &e); err != nil {
		return nil, "", err
	}
	type envelope struct {
		Payload []byte `json:"payload"`
	}
	var signed struct {
		envelope
		Bundled envelope `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(e.Text, &signed); err != nil {
		return nil, "", err
	}
	return slices.Concat(e.Text, signed.Payload, signed.Bundled.Payload), "the evidence " + e.Name + " of run " + e.Run, nil
}
