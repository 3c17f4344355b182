package run

import (
	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/project"
)

// spared returns the stages of an erased run that need not be made again.
func (r *Record) spared() map[string]Stage {
	left := map[string]Stage{}
	for _, st := range r.Stages {
		if r.Erased.spares(st.Name) {
			left[st.Name] = st
		}
	}
	return left
}

// keep takes a stage over as the run before had it, if it was spared. The bytes
// stay where they are: that they are this run's now is recorded when it has
// finished, in the transaction that takes them from the other. Until then, and
// if it does not finish, they are the other's.
func (j *journal) keep(p *plan, st project.Stage) bool {
	old, ok := p.spared[st.Title()]
	if !ok {
		return false
	}
	if old.Kept == "" {
		old.Kept = p.before.ID
	}
	*j.stageOf(st.Title()) = old
	return true
}

// passOn takes what was kept from the run that has been made again.
func (j *journal) passOn(tx *ledger.Tx) error {
	var before Record
	if err := tx.Get("run", j.record.Retrains, &before); err != nil {
		return err
	}
	for _, st := range j.record.Stages {
		if st.Kept != "" && !before.Erased.spares(st.Name) {
			return sallyport.Errorf(sallyport.Busy, "what it kept of run %s was destroyed meanwhile", before.ID).
				Try("retrain it again")
		}
	}
	for i := range before.Stages {
		before.Stages[i].forget()
	}
	before.Erased.Stages = nil
	_, err := tx.Put("run.passed-on", "run", before.ID, before, nil)
	return err
}

// release leaves what was kept to the run before, for another try.
func (r *Record) release() {
	for i := range r.Stages {
		if st := &r.Stages[i]; st.Kept != "" {
			*st = Stage{Name: st.Name, Shard: st.Shard, Command: st.Command, Status: Planned, Limits: st.Limits, Variables: st.Variables}
		}
	}
}

// kept reports whether the run took stages over from another.
func (r *Record) kept() bool {
	for _, st := range r.Stages {
		if st.Kept != "" {
			return true
		}
	}
	return false
}
