package erase

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
)

// Resume goes on with an erasure from where it stands, to its end. It is safe
// to repeat: on one that is certified it does nothing.
func (s *Service) Resume(ctx context.Context, e *Erasure, watch Watch) (*Erasure, error) {
	if e.Status == Destroyed {
		if err := s.scrub(ctx); err != nil { // a kill may have come between
			return e, err
		}
	}
	return s.goOn(ctx, e, watch)
}

// goOn does what is left to do once everything is overwritten.
func (s *Service) goOn(ctx context.Context, e *Erasure, watch Watch) (*Erasure, error) {
	if e.Status == Destroyed {
		if err := s.mayRetrain(e); err != nil {
			return e, err
		}
		if err := s.retrain(ctx, e, watch); err != nil {
			return e, err
		}
	}
	if e.Status == Retrained {
		if err := s.Who.May(sallyport.Erase); err != nil {
			return e, err
		}
		watch.note("signing the certificate")
		return e, s.certify(ctx, e)
	}
	return e, nil
}

// mayRetrain reports whether the principal may make the models again, if there
// are any: that is running code on real data, and not every steward may.
func (s *Service) mayRetrain(e *Erasure) error {
	if !slices.ContainsFunc(e.Runs, func(r evidence.ErasedRun) bool { return r.Reason == "" && r.Replaced == "" }) {
		return nil
	}
	if s.Who.May(sallyport.RunReal) == nil {
		return nil
	}
	return sallyport.Errorf(sallyport.Denied, "the records are gone, and %s may not run code on real data to make the models again", s.Who.Name).
		Try("have an operator do it: sallyport --as OPERATOR erase resume %s", e.ID)
}

// scrub overwrites what has no key any more. Others at work on the site only
// delay it: the keys are gone.
func (s *Service) scrub(ctx context.Context) error {
	renewal, err := s.Site.Renew()
	if err != nil {
		return err
	}
	return errors.Join(renewal.Scrub(ctx), renewal.Close())
}

// retrain makes every model again that can be, one recipe after another.
func (s *Service) retrain(ctx context.Context, e *Erasure, watch Watch) error {
	runs, err := s.Site.Runs().List(ctx)
	if err != nil {
		return err
	}
	byID := map[string]*run.Record{}
	for i := range runs {
		byID[runs[i].ID] = &runs[i]
	}
	again := map[sallyport.Digest]*run.Record{} // by recipe
	for i := range e.Runs {
		c := &e.Runs[i]
		before := byID[c.Run]
		if before == nil || c.Reason != "" {
			continue
		}
		if c.Replaced != "" { // before a kill
			again[before.Recipe()] = byID[c.Replaced]
			continue
		}
		recipe := before.Recipe()
		after := again[recipe]
		if after == nil {
			if after, err = s.retrainOne(ctx, e, before, runs, watch); err != nil && !final(err) {
				return err
			}
			again[recipe] = after
		}
		if err := s.note(ctx, e, c, after, err); err != nil {
			return err
		}
	}
	e.Status = Retrained
	return s.put(ctx, e, "erasure.retrained")
}

// final reports whether making a run again failed for a reason of its own, which
// would be the same tomorrow. All others, a full disk or a stop, are for Resume.
func final(err error) bool {
	switch sallyport.KindOf(err) {
	case sallyport.StageFailed, sallyport.Limit, sallyport.Refused, sallyport.Unknown, sallyport.Invalid, sallyport.NotFound:
		return true
	}
	return false
}

// retrainOne makes a run again, or finds that a run before a kill has.
func (s *Service) retrainOne(ctx context.Context, e *Erasure, before *run.Record, runs []run.Record, watch Watch) (*run.Record, error) {
	for i := range runs {
		if r := &runs[i]; r.Retrains == before.ID && r.Status == run.Finished && r.Erased == nil && r.Started.After(e.Destroyed) {
			return r, nil
		}
	}
	watch.note("retraining run %s of %s", before.ID, before.Project)
	r, err := s.Site.Runs().Retrain(ctx, before, watch.Run)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// note writes down what became of a run: what replaces it, or why nothing does.
func (s *Service) note(ctx context.Context, e *Erasure, c *evidence.ErasedRun, after *run.Record, failed error) error {
	if after != nil {
		c.Action, c.Replaced, c.After = "retrained", after.ID, after.Only(c.Again).Metrics()
	} else {
		c.Action, c.Reason = "revoked", "it could not be made again"
		if failed != nil {
			c.Reason += ": " + failed.Error()
		}
	}
	return s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		if _, err := tx.Put("erasure.retrained", "erasure", e.ID, e, nil); err != nil {
			return err
		}
		if after == nil { // nobody will take over what was spared of it
			return run.StripRest(tx, c.Run)
		}
		return replaced(tx, e, c.Run, after)
	})
}

// replaced writes into the revocations of an erasure that after replaces a run.
// A file that after made too, without the records, is revoked no more: a list
// of labels, say. Otherwise what replaces a model would count as revoked.
func replaced(tx *ledger.Tx, e *Erasure, id string, after *run.Record) error {
	for _, c := range e.Runs {
		var rev Revocation
		if err := tx.Get("revocation", c.Run, &rev); sallyport.Is(err, sallyport.NotFound) {
			continue
		} else if err != nil {
			return err
		}
		n := len(rev.Files)
		rev.Files = slices.DeleteFunc(rev.Files, func(d sallyport.Digest) bool {
			return slices.ContainsFunc(after.Outputs(), func(a run.Artefact) bool { return a.Digest == d })
		})
		if c.Run == id {
			rev.Replaced = after.ID
		} else if len(rev.Files) == n {
			continue
		}
		if _, err := tx.Put("model.replaced", "revocation", c.Run, rev, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) put(ctx context.Context, e *Erasure, action string) error {
	return s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put(action, "erasure", e.ID, e, nil)
		return err
	})
}

// certify signs the certificate and records it.
func (s *Service) certify(ctx context.Context, e *Erasure) error {
	done := *e
	done.Status, done.Finished = Certified, now()
	statement, err := evidence.AttestErasure(done.Erasure)
	if err != nil {
		return err
	}
	envelope, err := evidence.Seal(statement, s.Me)
	if err != nil {
		return err
	}
	text, err := envelope.Marshal()
	if err != nil {
		return err
	}
	done.Certificate = sallyport.Sum(text)
	err = s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		doc := run.Evidence{Name: "erasure/" + e.ID, Text: text}
		if _, err := tx.Put("evidence.signed", "evidence", done.Certificate.Hex(), doc, nil); err != nil {
			return err
		}
		_, err := tx.Put("erasure.certified", "erasure", e.ID, done, map[string]sallyport.Digest{"certificate": done.Certificate})
		return err
	})
	if err == nil {
		*e = done
	}
	return err
}

// Certificate returns the signed certificate of an erasure, a DSSE envelope.
func Certificate(ctx context.Context, log *ledger.Log, e *Erasure) ([]byte, error) {
	if e.Certificate == "" {
		return nil, sallyport.Errorf(sallyport.NotFound, "erasure %s is not finished, so there is no certificate", e.ID).
			Try("sallyport erase resume %s", e.ID)
	}
	var doc run.Evidence
	err := log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("evidence", e.Certificate.Hex(), &doc) })
	return doc.Text, err
}

// Revocations returns everything that the site has revoked.
func Revocations(ctx context.Context, log *ledger.Log) ([]Revocation, error) {
	all := []Revocation{}
	err := log.View(ctx, func(tx *ledger.Tx) error {
		return each(tx, "revocation", func(r Revocation, _ ledger.Entry) { all = append(all, r) })
	})
	slices.SortFunc(all, func(a, b Revocation) int { return a.At.Compare(b.At) })
	return all, err
}

// each reads the objects of a kind.
func each[T any](tx *ledger.Tx, kind string, fn func(T, ledger.Entry)) error {
	return tx.Each(kind, func(_ string, raw []byte, e ledger.Entry) error {
		var doc T
		err := json.Unmarshal(raw, &doc)
		fn(doc, e)
		return err
	})
}
