package run

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/scan"
)

// A Service runs projects on the data of one site as one principal. Its
// methods may be used concurrently.
type Service struct {
	Log    *ledger.Log
	Blobs  *blob.Store
	Data   *dataset.Store
	Envs   *env.Store
	Deps   *deps.Service
	Output *seal.Ring // nil: may not open what runs wrote

	Me    *seal.Identity
	Who   sallyport.Principal
	Site  string // its name, for evidence
	Locks string // folder of the locks that running runs hold
}

// A Request says what to run.
type Request struct {
	Project *project.Project
	Stages  []string // none: all
	Sample  Sample
	Set     []string      // key=value, onto the parameters
	Waivers []scan.Waiver // findings that a reviewer accepted, already verified
}

// A Watch is told what happens while it happens. Every field may be nil.
type Watch struct {
	Note    func(text string)                     // a step that takes time begins
	Stage   func(name string, i, n int)           // stage i of n begins, from 1
	Ended   func(Stage)                           // it ended
	Output  io.Writer                             // what stages print, as they print it
	Attempt func(stage string, a sandbox.Attempt) // a stage tried to reach the network
}

func (w Watch) note(text string) {
	if w.Note != nil {
		w.Note(text)
	}
}

// Run executes the request and returns its record, which is complete and in
// the ledger whatever became of the run. The error says why it did not finish:
// kind StageFailed, Limit or Interrupted come with a record, and so do Refused
// and Unknown if the scan blocked an artefact; others mean that nothing ran.
func (s *Service) Run(ctx context.Context, req Request, watch Watch) (*Record, error) {
	if err := s.may(); err != nil {
		return nil, err
	}
	code := newShelf(s.Blobs, s.Output)
	defer code.discard()
	p, err := s.plan(ctx, req, code, watch)
	if err != nil {
		return nil, err
	}
	return s.execute(ctx, p, code, watch)
}

// may reports whether the principal may run code on real data and has the keys
// for it, and whether this host can confine the code.
func (s *Service) may() error {
	if err := s.Who.May(sallyport.RunReal); err != nil {
		return err
	}
	if s.Data.Ring == nil || s.Output == nil {
		return sallyport.Errorf(sallyport.Denied, "the site's keys are not wrapped for %s", s.Who.Name).
			Try("use another identity with --as")
	}
	return sandbox.Preflight()
}

// execute runs a plan's stages in order and ends its record.
func (s *Service) execute(ctx context.Context, p *plan, code *shelf, watch Watch) (*Record, error) {
	j, err := s.begin(ctx, p, code)
	if err != nil {
		return nil, err
	}
	defer j.release()
	n := len(p.stages) - len(p.spared)
	if n < len(p.stages) {
		watch.note(fmt.Sprintf("%d of %d stages never saw the records, and are kept", len(p.spared), len(p.stages)))
	}
	i := 0
	for _, st := range p.stages {
		if j.keep(p, st) {
			continue
		}
		if i++; watch.Stage != nil {
			watch.Stage(st.Title(), i, n)
		}
		err = j.stage(ctx, p, st, watch)
		if watch.Ended != nil {
			watch.Ended(*j.stageOf(st.Title()))
		}
		if err != nil {
			break
		}
	}
	if err == nil && p.compare {
		j.record.Reproduces, err = s.compare(ctx, p.before, &j.record)
	}
	// The record is completed also when somebody asked to stop.
	return j.end(context.WithoutCancel(ctx), err)
}

// now is the time as records hold it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
