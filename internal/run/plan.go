package run

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/launch"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/scan"
)

// A plan is a request with everything looked up and fixed: what a record needs
// before the first stage begins.
type plan struct {
	project *project.Project
	stages  []project.Stage
	record  Record // as it begins
	code    launch.Filler
	params  []byte                      // the parameter file with --set applied; nil for none
	data    map[string]*dataset.Version // by the path that the project puts it at
	env     *env.Environment
	before  *Record          // of a reproduction or a retraining: whose recipe it is
	compare bool             // it is a reproduction
	spared  map[string]Stage // stages of before that are taken over as they are
	scanner *scan.Scanner
}

// plan looks everything up that the request names, takes a snapshot of the
// code onto the shelf, and sees to the environment.
func (s *Service) plan(ctx context.Context, req Request, code *shelf, watch Watch) (*plan, error) {
	p := &plan{project: req.Project, scanner: scan.New(scan.Options{Waivers: req.Waivers})}
	p.record = Record{
		ID: seal.NewName(), Project: req.Project.Name, By: s.Who.Name, Status: Running,
		Sample: req.Sample, Set: req.Set, Lock: req.Project.Python, Host: thisHost(),
	}
	var err error
	if p.stages, err = req.Project.Order(req.Stages...); err != nil {
		return nil, err
	}
	snap, err := req.Project.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	if n := len(snap.LeftOut); n > 0 {
		watch.note(fmt.Sprintf("left out %d files that git does not know: git add them if they are code", n))
	}
	if err := p.keepCode(ctx, snap, code); err != nil {
		return nil, err
	}
	if err := p.scanCode(ctx, snap, watch); err != nil {
		return nil, err
	}
	return p, s.lookUp(ctx, p, func(name string) ([]byte, error) {
		return os.ReadFile(path.Join(req.Project.Dir, name))
	}, watch)
}

// keepCode puts the snapshot onto the shelf and fills the stages' code from
// there: what runs is what is recorded, whatever happens to the work tree.
func (p *plan) keepCode(ctx context.Context, snap *project.Snapshot, code *shelf) error {
	stream := code.w.Stream()
	if err := snap.WriteTar(ctx, stream); err != nil {
		return err
	}
	stored, err := code.keep(stream)
	if err != nil {
		return err
	}
	p.record.Code = Code{
		Commit: snap.Commit, Prefix: snap.Prefix, Tree: snap.Tree, Files: len(snap.Files), Bytes: stored.Size,
		Dirty: snap.Dirty, Remote: snap.Remote, Snapshot: stored,
	}
	if snap.Dirty {
		diff, err := code.put(bytes.NewReader(snap.Diff))
		if err != nil {
			return err
		}
		p.record.Code.Diff = &diff
	}
	return code.close()
}

// lookUp fixes parameters, data and environment, of code that may run. read
// returns a file of the project as it is recorded.
func (s *Service) lookUp(ctx context.Context, p *plan, read func(string) ([]byte, error), watch Watch) error {
	if err := s.notRevoked(ctx, p.record.Code); err != nil {
		return err
	}
	p.code = func(root *os.Root) error {
		r, err := s.open(ctx, p.record.Code.Snapshot)
		if err != nil {
			return err
		}
		defer r.Close()
		if err := untar(root, r, everything); err != nil {
			return err
		}
		if p.params == nil {
			return nil
		}
		return replace(root, p.project.Params, p.params)
	}
	if err := p.readParams(read); err != nil {
		return err
	}
	if err := s.readData(ctx, p); err != nil {
		return err
	}
	return s.readEnvironment(ctx, p, read, watch)
}

func (p *plan) readParams(read func(string) ([]byte, error)) error {
	if p.project.Params == "" {
		if len(p.record.Set) > 0 {
			return sallyport.Errorf(sallyport.Usage, "the project has no parameters to set").
				Try("put them into params.yaml")
		}
		return nil
	}
	text, err := read(p.project.Params)
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "cannot read the parameters: %w", err).At("%s", p.project.Params)
	}
	if len(p.record.Set) > 0 {
		if text, err = project.SetParams(text, p.record.Set); err != nil {
			return err
		}
		p.params = text
	}
	p.record.Params, err = project.ReadParams(p.project.Params, text)
	return err
}

func (s *Service) readData(ctx context.Context, p *plan) error {
	p.data = map[string]*dataset.Version{}
	for _, in := range p.project.Data {
		if !slices.ContainsFunc(p.stages, func(st project.Stage) bool { return reads(st, in.Path) }) {
			continue
		}
		v, err := s.Data.Find(ctx, in.Dataset)
		if err != nil {
			return err
		}
		d := Data{Path: in.Path, Version: v.Ref().String(), Root: v.Root, Whole: v.Records}
		p.data[in.Path] = v
		p.record.Data = append(p.record.Data, d)
	}
	return nil
}

func (s *Service) readEnvironment(ctx context.Context, p *plan, read func(string) ([]byte, error), watch Watch) error {
	if p.project.Python == "" {
		return nil
	}
	text, err := read(p.project.Python)
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "cannot read the lock: %w", err).At("%s", p.project.Python)
	}
	lock, err := env.ReadLock(p.project.Python, text)
	if err != nil {
		return err
	}
	if p.env, err = s.environment(ctx, lock, p.project.Builds, watch); err != nil {
		return err
	}
	p.record.Environment = &Environment{ID: p.env.ID, Lock: p.env.Lock, Tree: p.env.Tree,
		Python: p.env.Python.Version, Tool: p.env.Tool}
	return s.checkDeps(ctx, p, read, watch)
}

// variables are a stage's environment: as it was recorded, where there is a
// record.
func (p *plan) variables(st project.Stage) []string {
	if p.before != nil {
		for _, before := range p.before.Stages {
			if before.Name == st.Title() {
				return before.Variables
			}
		}
	}
	return variables(cores(st.Limits.CPU), st)
}

// cores is how many threads a stage is told to use: its CPU limit in whole
// cores, or all of the machine's.
func cores(limit float64) int {
	if limit <= 0 {
		return runtime.NumCPU()
	}
	return max(1, int(limit))
}

// everything wants the content of every file.
func everything(string) bool { return true }

// untar lays a snapshot out below root; files whose content nobody wants are
// empty. The snapshot is our own, yet it is read as if it came from outside:
// os.Root keeps every name below root.
func untar(root *os.Root, r io.Reader, want func(name string) bool) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("code snapshot: %w", err)
		}
		if err := root.MkdirAll(path.Dir(h.Name), 0o755); err != nil {
			return err
		}
		if h.Typeflag == tar.TypeSymlink {
			if err := root.Symlink(h.Linkname, h.Name); err != nil {
				return err
			}
			continue
		}
		f, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, os.FileMode(h.Mode).Perm()|0o444)
		if err != nil {
			return err
		}
		if want(h.Name) {
			_, err = io.Copy(f, tr)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}

// replace writes a file of a sandbox anew.
func replace(root *os.Root, name string, b []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// limits are a stage's limits as the sandbox takes them. There always is one of
// memory: without a word from the project, half of the machine's.
func limits(l project.Limits) sandbox.Limits {
	if l.Memory == 0 {
		l.Memory = thisHost().Memory / 2
	}
	return sandbox.Limits{CPU: l.CPU, Memory: l.Memory, Time: l.Time, Processes: l.Processes, FileSize: l.FileSize}
}

// selection is the sample as datasets take it, or the shard of it that a stage
// runs on. No run has a seed of its own, so a larger sample holds a smaller one
// and rehearsals compare.
func (s Sample) selection(st project.Stage) dataset.Selection {
	return dataset.Selection{Subjects: s.Subjects, Percent: s.Percent, Shard: st.Shard, Shards: st.Shards}
}
