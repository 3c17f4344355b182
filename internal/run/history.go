package run

import (
	"encoding/json"

	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/ledger"
)

// History calls each with every run that the site has made in an environment,
// in the order in which they were recorded last, and what that environment
// holds; then with every environment that was built and in which nothing ran. Documents are read and proven in one goroutine and understood in
// another, which is the one that calls.
func History(tx *ledger.Tx, each func(deps.Ran) error) error {
	found := make(chan ranIn, 64)
	done := make(chan error)
	go func() {
		var err error
		held := map[string][]deps.Pinned{}
		for r := range found { // to the end, so that the reader never waits for nobody
			if err == nil {
				err = r.tell(held, each)
			}
		}
		done <- err
	}()
	err := readHistory(tx, found)
	close(found)
	if told := <-done; told != nil {
		return told
	}
	return err
}

// ranIn is a run with the document of its environment, the first time that this
// is met.
type ranIn struct {
	run         Record
	environment json.RawMessage
}

func readHistory(tx *ledger.Tx, found chan<- ranIn) error {
	met := map[string]bool{}
	err := tx.Each("run", func(_ string, raw []byte, _ ledger.Entry) error {
		var r ranIn
		if err := json.Unmarshal(raw, &r.run); err != nil {
			return err
		}
		e := r.run.Environment
		if e == nil {
			return nil
		}
		if !met[e.ID] {
			met[e.ID] = true
			if err := tx.Get("environment", e.ID, &r.environment); err != nil {
				return err
			}
		}
		found <- r
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Each("environment", func(id string, raw []byte, e ledger.Entry) error {
		if !met[id] {
			found <- ranIn{run: Record{By: e.By, Environment: &Environment{ID: id}}, environment: raw}
		}
		return nil
	})
}

// tell calls each with the run. held is what environments hold that were met
// before.
func (r *ranIn) tell(held map[string][]deps.Pinned, each func(deps.Ran) error) error {
	id := r.run.Environment.ID
	if r.environment != nil {
		var e struct{ Packages []env.Package }
		if err := json.Unmarshal(r.environment, &e); err != nil {
			return err
		}
		packages := make([]deps.Pinned, len(e.Packages))
		for i, p := range e.Packages {
			packages[i] = deps.Pinned{Name: p.Name, Version: p.Version}
		}
		held[id] = packages
	}
	ran := deps.Ran{Run: r.run.ID, By: r.run.By, Environment: id, Packages: held[id], Known: r.run.Deps.Known()}
	if r.run.Status == Finished && r.run.Erased == nil {
		ran.Models = r.run.Folders()
	}
	return each(ran)
}
