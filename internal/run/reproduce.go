package run

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/scan"
)

// Reproduce executes a finished run again from its record alone: the code from
// its snapshot, the environment from the lock in it, the same records in the
// same order, the same parameters. The new record's Reproduces says how the
// outputs compare. Outputs that differ are a finished reproduction with an
// error of kind Refused.
func (s *Service) Reproduce(ctx context.Context, before *Record, watch Watch) (*Record, error) {
	if err := s.may(); err != nil {
		return nil, err
	}
	if before.Status != Finished {
		return nil, sallyport.Errorf(sallyport.Usage, "run %s did not finish, so there is nothing to compare with", before.ID).
			Try("reproduce a finished run: sallyport runs")
	}
	if err := s.asItWas(ctx, before); err != nil {
		return nil, err
	}
	r, err := s.again(ctx, before, true, watch)
	if err == nil && !r.Reproduces.Identical {
		err = sallyport.Errorf(sallyport.Refused, "it did not come out the same: %d of %d artefacts and metrics differ",
			len(r.Reproduces.Differ), r.Reproduces.Artefacts+r.Reproduces.Metrics).At("run %s", before.ID)
	}
	return r, err
}

// Retrain executes the recipe of a run on what is left of its data: the same
// code, environment, parameters and versions, of which somebody was taken out.
// Stages that never saw them are not run again: what they wrote moves to the new
// run.
func (s *Service) Retrain(ctx context.Context, before *Record, watch Watch) (*Record, error) {
	if err := s.may(); err != nil {
		return nil, err
	}
	return s.again(ctx, before, false, watch)
}

// asItWas returns an error if the run can no longer be made again bit for bit,
// because somebody was taken out of it since.
func (s *Service) asItWas(ctx context.Context, r *Record) error {
	cannot := sallyport.Errorf(sallyport.Refused, "somebody was taken out of it since, so it cannot be made again bit for bit").At("run %s", r.ID).
		Try("see what was made instead with: sallyport erasures")
	if r.Erased != nil {
		return cannot
	}
	for _, d := range r.Data {
		ref, err := sallyport.ParseRef(d.Version)
		if err != nil {
			return err
		}
		if v, err := s.Data.Find(ctx, ref); err != nil {
			return err
		} else if v.Root != d.Root && r.Sample == (Sample{}) {
			return cannot
		}
	}
	return nil
}

// again executes the recipe of a run, to compare what comes out or not.
func (s *Service) again(ctx context.Context, before *Record, compare bool, watch Watch) (*Record, error) {
	dir, err := os.MkdirTemp("", "sallyport-code-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	code := newShelf(s.Blobs, s.Output)
	defer code.discard()
	p, err := s.planAgain(ctx, before, dir, code, watch)
	if err != nil {
		return nil, err
	}
	if p.compare = compare; !compare {
		p.record.Retrains, p.spared = before.ID, before.spared()
	}
	return s.execute(ctx, p, code, watch)
}

// planAgain makes the plan of a run from its record. In dir the project's
// description is laid out to be read.
func (s *Service) planAgain(ctx context.Context, before *Record, dir string, code *shelf, watch Watch) (*plan, error) {
	if err := s.layOut(ctx, before, dir); err != nil {
		return nil, err
	}
	pr, err := project.Load(dir)
	if err != nil {
		return nil, err
	}
	p := &plan{project: pr, before: before, scanner: scan.New(scan.Options{})}
	p.record = Record{
		ID: seal.NewName(), Project: before.Project, By: s.Who.Name, Status: Running,
		Sample: before.Sample, Set: before.Set, Lock: before.Lock, Host: thisHost(), Code: before.Code,
	}
	var names []string
	for _, st := range before.Stages {
		names = append(names, project.Named(st.Name))
	}
	if p.stages, err = pr.Order(names...); err != nil {
		return nil, err
	}
	for i, in := range pr.Data {
		for _, d := range before.Data {
			if d.Path == in.Path {
				if pr.Data[i].Dataset, err = sallyport.ParseRef(d.Version); err != nil {
					return nil, err
				}
			}
		}
	}
	if p.record.Code.Snapshot, err = s.copyStored(ctx, before.Code.Snapshot, code); err != nil {
		return nil, err
	}
	if before.Code.Diff != nil {
		diff, err := s.copyStored(ctx, *before.Code.Diff, code)
		if err != nil {
			return nil, err
		}
		p.record.Code.Diff = &diff
	}
	if err := code.close(); err != nil {
		return nil, err
	}
	return p, s.lookUp(ctx, p, func(name string) ([]byte, error) {
		return s.codeFile(ctx, before, name)
	}, watch)
}

// layOut writes into dir what reading the project takes: its own description,
// and of every other file that it is there. What the code says stays sealed.
func (s *Service) layOut(ctx context.Context, r *Record, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	snapshot, err := s.open(ctx, r.Code.Snapshot)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	return untar(root, snapshot, func(name string) bool { return name == project.FileName })
}

// codeFile returns one file of a run's code.
func (s *Service) codeFile(ctx context.Context, r *Record, name string) ([]byte, error) {
	snapshot, err := s.open(ctx, r.Code.Snapshot)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	tr := tar.NewReader(snapshot)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil, fs.ErrNotExist
		} else if err != nil {
			return nil, err
		}
		if h.Name == name {
			return io.ReadAll(io.LimitReader(tr, maxCodeFile))
		}
	}
}

// maxCodeFile bounds a lock or parameter file that is read from a snapshot.
const maxCodeFile = 64 << 20

// copyStored puts stored bytes onto a shelf again, so that each run keeps what
// it needs by itself. Code is small.
func (s *Service) copyStored(ctx context.Context, st Stored, to *shelf) (Stored, error) {
	r, err := s.open(ctx, st)
	if err != nil {
		return Stored{}, err
	}
	defer r.Close()
	return to.put(r)
}

// ReadOutput copies what a stage printed to w.
func (s *Service) ReadOutput(ctx context.Context, st Stage, w io.Writer) error {
	return s.read(ctx, st.Output, w)
}

// ReadDiff copies the difference between a run's code and its commit to w.
func (s *Service) ReadDiff(ctx context.Context, r *Record, w io.Writer) error {
	if r.Code.Diff == nil {
		return nil
	}
	return s.read(ctx, *r.Code.Diff, w)
}

// Attempts returns what a stage tried to reach, as JSON lines.
func (s *Service) Attempts(ctx context.Context, st Stage) ([]byte, error) {
	if st.Attempts == nil {
		return nil, nil
	}
	var b bytes.Buffer
	err := s.read(ctx, *st.Attempts, &b)
	return b.Bytes(), err
}

func (s *Service) read(ctx context.Context, st Stored, w io.Writer) error {
	if s.Output == nil {
		return s.Who.May(sallyport.OpenRun)
	}
	r, err := s.open(ctx, st)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}
