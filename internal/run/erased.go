package run

import (
	"encoding/json"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
)

// Strip destroys everything that a run wrote and printed, in the transaction
// that records why. Its record stays: what ran, on what, and its metrics.
func Strip(tx *ledger.Tx, id string, why Erased) error {
	var r Record
	if err := tx.Get("run", id, &r); err != nil {
		return err
	}
	var dead []int64
	for i := range r.Stages {
		for _, st := range r.Stages[i].stored() {
			dead = append(dead, st.Segments...)
			st.Segments = nil
		}
	}
	r.Erased = &why
	if _, err := tx.Put("run.erased", "run", r.ID, r, nil); err != nil {
		return err
	}
	return tx.State().DeleteSegments(dead)
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
