package run

import (
	"encoding/json"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/project"
)

// Strip destroys what a run wrote and printed, and its code if why says so, in
// the transaction that records why. Its record stays: what ran, on what, and its
// metrics.
func Strip(tx *ledger.Tx, id string, why Erased) error {
	var r Record
	if err := tx.Get("run", id, &r); err != nil {
		return err
	}
	dead := r.Doomed(why)
	for i := range r.Stages {
		if !why.spares(r.Stages[i].Name) {
			r.Stages[i].forget()
		}
	}
	if why.Code {
		r.Code.Snapshot.Segments = nil
		if r.Code.Diff != nil {
			r.Code.Diff.Segments = nil
		}
	}
	r.Erased = &why
	if _, err := tx.Put("run.erased", "run", r.ID, r, nil); err != nil {
		return err
	}
	return tx.State().DeleteSegments(dead)
}

// StripRest destroys what an erasure had spared, if there is any.
func StripRest(tx *ledger.Tx, id string) error {
	var r Record
	if err := tx.Get("run", id, &r); err != nil || !r.Spared() {
		return err
	}
	why := *r.Erased
	why.Stages = nil
	return Strip(tx, id, why)
}

// Doomed lists the segments that Strip destroys.
func (r *Record) Doomed(why Erased) []int64 {
	var dead []int64
	for i := range r.Stages {
		if why.spares(r.Stages[i].Name) {
			continue
		}
		for _, st := range r.Stages[i].stored() {
			dead = append(dead, st.Segments...)
		}
	}
	if why.Code {
		dead = append(dead, r.Segments()[CodeSegments]...)
	}
	return dead
}

// spares reports whether the outputs of a stage are left.
func (e *Erased) spares(stage string) bool {
	return e != nil && e.Stages != nil && !slices.Contains(e.Stages, stage)
}

// Spared reports whether outputs of an erased run are left, for a run that
// retrains the others.
func (r *Record) Spared() bool { return r.Erased != nil && r.Erased.Stages != nil }

// forget drops where the stage's bytes are.
func (st *Stage) forget() {
	for _, stored := range st.stored() {
		stored.Segments = nil
	}
}

// Touched returns the stages of a run that saw some people's records, or came of
// one that did; nil for all of them. Dealt says which of n shards those people
// are in, of whom the run saw records at path; no shards if there are none.
//
// Which stages saw what is only looked at where there are shards. Everything else
// costs less to make again than to be wrong about.
func (r *Record) Touched(dealt func(path string, n int) ([]int, error)) ([]string, error) {
	if r.Status != Finished || r.Sample.Subjects > 0 { // a number of subjects is filled up by others
		return nil, nil
	}
	shards := map[string]int{}
	for _, st := range r.Stages {
		shards[project.Named(st.Name)] = st.Shard
	}
	var touched []string
	for _, st := range r.Stages {
		came := slices.ContainsFunc(st.From, func(s string) bool { return slices.Contains(touched, s) })
		for _, d := range st.Data {
			in, err := dealt(d.Path, max(shards[project.Named(st.Name)], 1))
			if err != nil {
				return nil, err
			}
			came = came || slices.Contains(in, max(st.Shard, 1))
		}
		if came {
			touched = append(touched, st.Name)
		}
	}
	if len(touched) == len(r.Stages) || !slices.ContainsFunc(r.Stages, func(st Stage) bool { return st.Shard > 0 }) {
		return nil, nil
	}
	return touched, nil
}

// Only returns the record with no other stages than these; nil for all.
func (r *Record) Only(stages []string) *Record {
	if stages == nil {
		return r
	}
	part := *r
	part.Stages = slices.DeleteFunc(slices.Clone(r.Stages), func(st Stage) bool { return !slices.Contains(stages, st.Name) })
	return &part
}

// The kinds of what a run keeps sealed.
const (
	CodeSegments   = "the code"
	OutputSegments = "what was written"
	PrintSegments  = "what was printed"
)

// Segments lists where the run's sealed bytes lie, by what they are.
func (r *Record) Segments() map[string][]int64 {
	all := map[string][]int64{CodeSegments: r.Code.Snapshot.Segments}
	if r.Code.Diff != nil {
		all[CodeSegments] = append(slices.Clip(all[CodeSegments]), r.Code.Diff.Segments...)
	}
	for i := range r.Stages {
		st := &r.Stages[i]
		for _, o := range st.Outputs {
			all[OutputSegments] = append(all[OutputSegments], o.Segments...)
		}
		if st.Found != nil {
			all[OutputSegments] = append(all[OutputSegments], st.Found.Segments...)
		}
		all[PrintSegments] = append(all[PrintSegments], st.Output.Segments...)
		if st.Attempts != nil {
			all[PrintSegments] = append(all[PrintSegments], st.Attempts.Segments...)
		}
	}
	return all
}

// Recipe is the same for two runs that did the same: the same code in the same
// environment with the same parameters on the same records.
func (r *Record) Recipe() sallyport.Digest {
	type data struct{ Path, Version string }
	what := struct {
		Project, Lock string
		Tree          sallyport.Digest
		Environment   *Environment
		Params        map[string]any
		Sample        Sample
		Data          []data
		Stages        [][2]string
	}{Project: r.Project, Lock: r.Lock, Tree: r.Code.Tree, Environment: r.Environment, Params: r.Params, Sample: r.Sample}
	for _, d := range r.Data {
		what.Data = append(what.Data, data{d.Path, d.Version})
	}
	for _, st := range r.Stages {
		what.Stages = append(what.Stages, [2]string{st.Name, st.Command})
	}
	text, err := json.Marshal(what)
	if err != nil {
		panic(err) // it was read from JSON
	}
	return sallyport.Sum(text)
}

// TrainedFrom reports whether the run's code brought one of these files.
func (r *Record) TrainedFrom(files map[sallyport.Digest]bool) bool {
	return slices.ContainsFunc(r.Code.Models, func(a Artefact) bool { return files[a.Digest] })
}
