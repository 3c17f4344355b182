package run

import (
	"context"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/scan"
)

// Grant signs waivers of findings, one for each of names, and records that they
// were granted. It returns their envelopes.
func (s *Service) Grant(ctx context.Context, names []string, waivers []scan.Waiver) ([][]byte, error) {
	if err := s.Who.May(sallyport.Waive); err != nil {
		return nil, err
	}
	var out [][]byte
	for i, w := range waivers {
		statement, err := evidence.AttestWaiver(
			evidence.Waiver{Findings: w.Findings, Globals: w.Globals, Owner: w.Owner, Reason: w.Reason, Expires: w.Expires},
			evidence.File{Name: names[i], SHA256: w.SHA256})
		if err != nil {
			return nil, err
		}
		text, err := s.seal(statement)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		for i, text := range out {
			digest := sallyport.Sum(text)
			if _, err := tx.Put("waiver.granted", "waiver", digest.Hex(), waivers[i], map[string]sallyport.Digest{"waiver": digest}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Waivable returns a waiver for each artefact of a blocked run that did not
// pass and that one can let pass, and the paths of those that none can.
func (r *Record) Waivable() (names []string, waivers []scan.Waiver, never []string) {
	for _, a := range slices.Concat(r.Code.Models, r.Outputs()) {
		if a.Scan.Verdict.Passes() {
			continue
		}
		w, ok := scan.WaiverFor(&scan.Report{SHA256: a.Digest, Verdict: a.Scan.Verdict, Globals: a.Scan.Globals,
			Findings: a.Scan.Findings, Dropped: a.Scan.Dropped})
		if !ok {
			never = append(never, a.Path)
			continue
		}
		names, waivers = append(names, a.Path), append(waivers, w)
	}
	return names, waivers, never
}

// ReadWaivers returns the waivers of a file that hold for runs of the service's
// principal: signed by a reviewer, and not by whoever runs.
func (s *Service) ReadWaivers(place string, data []byte, trust evidence.Trust) ([]scan.Waiver, error) {
	granted, err := evidence.ReadWaivers(place, data, trust)
	if err != nil {
		return nil, err
	}
	var out []scan.Waiver
	for _, g := range granted {
		if g.Owner == s.Who.Name {
			return nil, sallyport.Errorf(sallyport.Denied, "you may not waive what you run yourself").At("%s", place).
				Try("have another reviewer look at it")
		}
		out = append(out, Waiver(g))
	}
	return out, nil
}

// Waiver is a granted waiver as a scan takes it.
func Waiver(g evidence.Granted) scan.Waiver {
	return scan.Waiver{SHA256: g.SHA256, Findings: g.Findings, Globals: g.Globals, Owner: g.Owner, Reason: g.Reason, Expires: g.Expires}
}
