package run

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/scan"
)

// maxFound bounds what is kept of what a stage's artefacts are quoted with, in
// bytes. Beyond it findings are only counted, and the record has them as ever.
const maxFound = 64 << 20

// Found is what the scan of one artefact found, in full: it quotes the artefact,
// which was made from records about people. It is sealed like the artefact itself;
// what the record says of it is scan.Quiet.
type Found struct {
	Path     string         `json:"path"`
	Globals  []string       `json:"globals,omitempty"`
	Findings []scan.Finding `json:"findings,omitempty"`
	Dropped  int            `json:"dropped,omitempty"` // findings beyond those
}

// note notes what the scan of an artefact came to: in its record what everybody
// may know, and sealed, as a line of JSON, what the record withholds.
func (o *outputs) note(a *Artefact, r *scan.Report) error {
	if err := a.scanned(r); err != nil {
		return err
	}
	if len(r.Findings) == 0 && !slices.Contains(a.Scan.Globals, scan.Withheld) {
		return nil
	}
	if o.quotes == nil {
		o.quotes = o.shelf.w.Stream()
	}
	f := Found{a.Path, r.Globals, r.Findings, r.Dropped}
	if o.quotes.Size() > maxFound {
		f = Found{Path: a.Path, Dropped: r.Dropped + len(r.Findings)}
	}
	return json.NewEncoder(o.quotes).Encode(f)
}

// keepQuotes ends what note has sealed, if there is anything.
func (o *outputs) keepQuotes() (*Stored, error) {
	if o.quotes == nil {
		return nil, nil
	}
	st, err := o.shelf.keep(o.quotes)
	st.Digest = "" // what it quotes could be guessed from it
	return &st, err
}

// An Opening is the document of an object "findings-opening": that somebody read
// what the scan of a run's artefacts quotes of them.
type Opening struct {
	Run string `json:"run"`
	By  string `json:"by"`
}

// Findings returns in full what the scan found in a run's artefacts, by their
// paths, to whoever may have the artefacts themselves; to all others nil. The
// ledger says who has read it, once, before they have.
func (s *Service) Findings(ctx context.Context, r *Record) (map[string]Found, error) {
	if s.Output == nil || s.Who.May(sallyport.TakeModel) != nil {
		return nil, nil
	}
	all := map[string]Found{}
	for _, st := range r.Stages {
		if st.Found == nil || len(st.Found.Segments) == 0 {
			continue // nothing was found, or it was destroyed
		}
		if len(all) == 0 {
			if err := s.opening(ctx, r.ID); err != nil {
				return nil, err
			}
		}
		if err := s.readFound(ctx, *st.Found, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// opening records that the principal reads the findings of a run.
func (s *Service) opening(ctx context.Context, id string) error {
	o, key := Opening{id, s.Who.Name}, id+"/"+s.Who.Name
	err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("findings-opening", key, &Opening{}) })
	if !sallyport.Is(err, sallyport.NotFound) {
		return err
	}
	return s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put("findings.opened", "findings-opening", key, o, nil)
		return err
	})
}

// readFound adds what was sealed of one stage.
func (s *Service) readFound(ctx context.Context, st Stored, to map[string]Found) error {
	r, err := s.open(ctx, st)
	if err != nil {
		return err
	}
	defer r.Close()
	for lines := json.NewDecoder(r); ; {
		var f Found
		if err := lines.Decode(&f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		to[f.Path] = f
	}
}
