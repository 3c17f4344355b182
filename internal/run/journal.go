package run

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
)

// A journal is the record of a run that is under way. It is in the ledger from
// its first moment, with everything that the run began from, and again at its
// end; the lock says meanwhile that somebody is at work on it.
type journal struct {
	s       *Service
	record  Record
	shelves []*shelf // of the stages that ended: what they printed, and what they wrote
	release func()
}

// begin records the run as running, with its code.
func (s *Service) begin(ctx context.Context, p *plan, code *shelf) (*journal, error) {
	j := &journal{s: s, record: p.record}
	j.record.Started = now()
	release, err := s.hold(j.record.ID)
	if err != nil {
		return nil, err
	}
	j.release = release
	for _, st := range p.stages {
		j.record.Stages = append(j.record.Stages, Stage{Name: st.Title(), Shard: st.Shard, Command: st.Run, Status: Planned,
			Limits: limits(st.Limits), Variables: p.variables(st)})
	}
	err = s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		stored := []*Stored{&j.record.Code.Snapshot}
		if j.record.Code.Diff != nil {
			stored = append(stored, j.record.Code.Diff)
		}
		if err := record(tx, []*shelf{code}, stored); err != nil {
			return err
		}
		_, err := tx.Put("run.started", "run", j.record.ID, j.record, nil)
		return err
	})
	if err != nil {
		release()
		return nil, err
	}
	return j, nil
}

// end completes the record and signs the evidence that there is. All of it
// becomes part of the site in one transaction.
func (j *journal) end(ctx context.Context, cause error) (*Record, error) {
	j.record.Ended = now()
	j.record.Status, j.record.Why = outcome(cause)
	if j.record.Status != Finished {
		j.record.release()
	}
	j.record.sumData()
	signed, err := j.sign()
	if err != nil {
		return nil, err
	}
	err = j.s.Log.Update(ctx, j.s.Who.Name, func(tx *ledger.Tx) error {
		var stored []*Stored
		for i := range j.record.Stages {
			stored = append(stored, j.record.Stages[i].stored()...)
		}
		if err := record(tx, j.shelves, stored); err != nil {
			return err
		}
		if j.record.kept() {
			if err := j.passOn(tx); err != nil {
				return err
			}
		}
		holds := map[string]sallyport.Digest{}
		for _, e := range signed {
			if _, err := tx.Put("evidence.signed", "evidence", e.digest.Hex(), e.document(j.record.ID), nil); err != nil {
				return err
			}
			holds[e.name] = e.digest
		}
		if len(holds) > 0 {
			j.record.Evidence = holds
		}
		_, err := tx.Put("run."+string(j.record.Status), "run", j.record.ID, j.record, holds)
		return err
	})
	if err != nil {
		// What is said first is what a person has to mend first.
		return nil, errors.Join(unrecorded(j.record.ID, err), cause)
	}
	return &j.record, cause
}

// sign makes the evidence of a run that has ended: of a finished one all of
// it, of a blocked one what the scan came to.
func (j *journal) sign() ([]signed, error) {
	switch j.record.Status {
	case Finished:
		return j.s.sign(&j.record)
	case Blocked:
		return j.s.signBlocked(&j.record)
	}
	return nil, nil
}

// unrecorded says of which run the end could not be recorded. The next command
// records it as interrupted.
func unrecorded(id string, err error) error {
	if e, ok := errors.AsType[*sallyport.Error](err); ok && e.Place == "" {
		e.At("recording the end of run %s", id)
	}
	return err
}

// stageOf returns the record of the stage called name.
func (j *journal) stageOf(name string) *Stage {
	i := slices.IndexFunc(j.record.Stages, func(st Stage) bool { return st.Name == name })
	return &j.record.Stages[i]
}

// outcome turns the reason why a run ended into its status.
func outcome(cause error) (Status, string) {
	switch {
	case cause == nil:
		return Finished, ""
	case errors.Is(cause, errBlocked):
		return Blocked, cause.Error()
	case sallyport.Is(cause, sallyport.Interrupted):
		return Interrupted, cause.Error()
	default:
		return Failed, cause.Error()
	}
}

// stored lists what the stage keeps, so that its places can be recorded.
func (st *Stage) stored() []*Stored {
	out := []*Stored{&st.Output}
	if st.Attempts != nil {
		out = append(out, st.Attempts)
	}
	if st.Found != nil {
		out = append(out, st.Found)
	}
	for i := range st.Outputs {
		out = append(out, &st.Outputs[i].Stored)
	}
	return out
}
