package erase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
)

// A Watch is told what happens while it happens. Every field may be nil.
type Watch struct {
	Note     func(text string)
	Progress func(done, total int64) // bytes opened by the search
	Run      run.Watch               // of what is retrained
}

func (w Watch) note(format string, args ...any) {
	if w.Note != nil {
		w.Note(fmt.Sprintf(format, args...))
	}
}

// Erase does everything that Plan says, and then what Resume does. The error
// says what is left to do; with it comes the erasure, unless nothing happened.
func (s *Service) Erase(ctx context.Context, req Request, watch Watch) (*Erasure, error) {
	if err := s.mayErase(req); err != nil {
		return nil, err
	}
	if strings.TrimSpace(req.Identity) == "" {
		return nil, sallyport.Errorf(sallyport.Usage, "it does not say how it was checked who is asking").
			Try("say so with --identity-checked: it stands in the certificate")
	}
	if mentions([]byte(req.Identity), wanted(req.Subjects)) {
		return nil, sallyport.Errorf(sallyport.Usage, "how the identity was checked names the person, and would stand in the certificate").
			Try("say how without the identifier")
	}
	e, err := s.destroy(ctx, req, watch)
	if err != nil {
		return e, err
	}
	return s.goOn(ctx, e, watch)
}

// destroy takes the subjects out of everything, in one transaction. The plan is
// made once nobody else is at work: a run that began before must not be missed.
func (s *Service) destroy(ctx context.Context, req Request, watch Watch) (_ *Erasure, err error) {
	renewal, err := s.Site.Renew()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, renewal.Close()) }()
	p, err := s.Plan(ctx, req)
	if err != nil {
		return nil, err
	}
	watch.note("writing anew what %d of %d subjects are in", p.Found, p.Subjects)
	var erasings []*dataset.Erasing
	defer func() {
		for _, e := range erasings {
			e.Abort()
		}
	}()
	for _, name := range p.datasets {
		store := renewal.Data()
		e, err := store.Erase(ctx, name, req.Subjects, store.Ring)
		if err != nil {
			return nil, err
		}
		if e != nil {
			erasings = append(erasings, e)
		}
	}
	doc := s.document(req, p, erasings)
	if doc.Copies, err = s.copies(ctx, p); err != nil {
		return nil, err
	}
	if doc.Mentions, err = s.search(ctx, req.Subjects, p, renewal, erasings, watch); err != nil {
		return nil, err
	}
	watch.note("destroying records, outputs and keys")
	if err := renewal.Commit(ctx, func(tx *ledger.Tx) error { return s.record(tx, doc, p, erasings) }); err != nil {
		return nil, err
	}
	return doc, renewal.Scrub(ctx)
}

// document is the erasure as it is recorded first.
func (s *Service) document(req Request, p *Plan, erasings []*dataset.Erasing) *Erasure {
	at := now()
	doc := &Erasure{Status: Destroyed, Erasure: evidence.Erasure{
		ID: seal.NewName(), Site: s.Name, By: s.Who.Name, Found: p.Found, Ground: req.Ground, IdentityChecked: req.Identity,
		Received: at, Due: month(at), Destroyed: at,
		Versions: []evidence.ErasedVersion{}, Runs: []evidence.ErasedRun{}, Exempt: []evidence.Exemption{}, Remaining: remaining,
	}}
	secret := s.Secret(doc.ID)
	for _, subject := range req.Subjects {
		doc.Tokens = append(doc.Tokens, Token(secret, subject))
	}
	slices.Sort(doc.Tokens) // the order of the request says nothing
	for _, e := range erasings {
		for _, c := range e.Versions {
			doc.Versions = append(doc.Versions, evidence.ErasedVersion{Version: c.Version.String(), Records: c.Records,
				Subjects: c.Subjects, Before: c.Before, After: c.After})
		}
	}
	for _, c := range p.Runs {
		doc.Runs = append(doc.Runs, evidence.ErasedRun{Run: c.Run, Why: c.Why, Models: c.Models, Action: "destroyed",
			Reason: c.Reason, Again: c.Again, Before: c.record.Only(c.Again).Metrics()})
	}
	for _, h := range p.Exempt {
		doc.Exempt = append(doc.Exempt, evidence.Exemption{Dataset: h.Dataset, Ground: h.Ground, Reason: h.Reason, By: h.By, Until: h.Until})
	}
	return doc
}

// remaining is what no command of Sallyport's reaches; every certificate says so.
var remaining = []string{
	"Copies that left the site before, which are listed: whoever has them must be told (GDPR art. 19).",
	"Backups of the site: their ciphertext cannot be opened with the keys of today. Whoever kept a backup of the folder keys must destroy it.",
	"The file that the data was once added from, wherever it was kept outside of the site.",
	"Numbers: metrics of runs, counts of records, and the ledger's entries, which name no person.",
	"What people who were shown an output remember.",
}

// record is the transaction that destroys.
func (s *Service) record(tx *ledger.Tx, doc *Erasure, p *Plan, erasings []*dataset.Erasing) error {
	for _, e := range erasings {
		if err := e.Record(tx); err != nil {
			return err
		}
	}
	for _, id := range p.rest {
		if err := run.StripRest(tx, id); err != nil {
			return err
		}
	}
	for _, c := range p.Runs {
		if err := run.Strip(tx, c.Run, c.erased(doc.ID, doc.Destroyed)); err != nil {
			return err
		}
		if len(c.Models) == 0 {
			continue
		}
		rev := Revocation{Run: c.Run, Reason: "it had learned from somebody who was taken out", Erasure: doc.ID, At: doc.Destroyed, Files: []sallyport.Digest{}}
		for _, a := range c.record.Only(c.Again).Outputs() {
			if p.made[a.Digest] {
				rev.Files = append(rev.Files, a.Digest)
			}
		}
		if _, err := tx.Put("model.revoked", "revocation", c.Run, rev, nil); err != nil {
			return err
		}
	}
	_, err := tx.Put("erasure.destroyed", "erasure", doc.ID, doc, nil)
	return err
}

// copies lists what had left the site of the versions and runs of a plan.
func (s *Service) copies(ctx context.Context, p *Plan) ([]evidence.Copy, error) {
	out := []evidence.Copy{}
	versions, runs := map[string]bool{}, map[string]bool{}
	for _, h := range p.Versions {
		versions[h.Version] = true
	}
	for _, c := range p.Runs {
		runs[c.Run] = true
	}
	err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		if err := each(tx, "data-taking", func(t struct{ Data, By string }, e ledger.Entry) {
			if versions[t.Data] {
				out = append(out, evidence.Copy{What: t.Data, By: t.By, At: e.Time})
			}
		}); err != nil {
			return err
		}
		return each(tx, "model-taking", func(t run.Taking, e ledger.Entry) {
			if runs[t.Run] {
				out = append(out, evidence.Copy{What: t.Folder + " of run " + t.Run, By: t.By, At: e.Time})
			}
		})
	})
	return out, err
}
