package run

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/scan"
)

// errBlocked is in the error of a run that the scan blocked.
var errBlocked = errors.New("did not pass the scan")

// scanFolder scans the artefacts of a place that is a folder, where they lie:
// in memory, after every process of the stage has ended.
func (o *outputs) scanFolder(place string, at *os.Root, written []Artefact) error {
	index := map[string]*Artefact{}
	for i := range written {
		index[written[i].Path] = &written[i]
	}
	var first error
	err := o.scanner.Folder(o.ctx, at, func(r *scan.Report, err error) {
		p := o.stage.Kept(place + r.Path)
		if err == nil {
			err = o.note(index[p], r)
		}
		if first == nil {
			first = err
		}
		delete(index, p)
	})
	if err == nil {
		err = first
	}
	if err == nil && len(index) > 0 {
		err = errOther
	}
	return unscanned(place, err)
}

// scanFile scans the artefact of a place that is a file, the newest.
func (o *outputs) scanFile(place string, at *os.Root) error {
	r, err := o.scanner.File(o.ctx, at, path.Base(place))
	if err == nil {
		err = o.note(&o.artefacts[len(o.artefacts)-1], r)
	}
	return unscanned(place, err)
}

var errOther = errors.New("what was scanned is not what was sealed")

// scanned notes what the scan of the artefact came to, without what it quotes. A
// report about other bytes than those that were sealed is an error.
func (a *Artefact) scanned(r *scan.Report) error {
	if a == nil || r.SHA256 != a.Digest {
		return errOther
	}
	q := scan.Quiet(r)
	a.Scan = Scanned{q.Verdict, q.Formats, q.Globals, q.Findings, q.Dropped}
	return nil
}

// unscanned says where a scan could not be made.
func unscanned(place string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return sallyport.Errorf(sallyport.Internal, "what the stage wrote could not be scanned: %w", err).At("%s", place)
}

// blocked returns an error if an artefact of the stage did not pass the scan,
// or nil. Whether a person finds that out from the error or from the record, it
// is the place that is named: names of files are the stage's choice.
func (st *Stage) blocked() error {
	worst, n := scan.Inert, 0
	for _, a := range st.Outputs {
		worst = max(worst, a.Scan.Verdict)
		if !a.Scan.Verdict.Passes() {
			n++
		}
	}
	return blockedBy(worst, n, len(st.Outputs), "stage "+st.Name)
}

func blockedBy(worst scan.Verdict, n, of int, place string) error {
	if n == 0 {
		return nil
	}
	kind := sallyport.Refused
	if worst == scan.Inconclusive {
		kind = sallyport.Unknown
	}
	return sallyport.Errorf(kind, "%d of %d files %w: %s", n, of, errBlocked, worst).At("%s", place).
		Try("see what was found with: sallyport runs show RUN")
}

// scanCode scans the models that the project brings with it: what came with
// the code from outside and would be loaded by it. Of source code, which is
// sealed in anyway, nothing is demanded here.
func (p *plan) scanCode(ctx context.Context, snap *project.Snapshot, watch Watch) error {
	root, err := os.OpenRoot(p.project.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	worst, n := scan.Inert, 0
	for _, f := range snap.Files {
		if !f.Mode.IsRegular() {
			continue
		}
		r, err := p.scanner.File(ctx, root, f.Path)
		if err != nil || r.SHA256 != f.Digest {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return sallyport.Errorf(sallyport.Busy, "the file changed while the run began").At("%s", f.Path).Try("run it again")
		}
		if !r.Model() {
			continue
		}
		a := Artefact{Path: f.Path, Mode: uint32(f.Mode.Perm()), Stored: Stored{Size: f.Size, Digest: f.Digest}}
		if err := a.scanned(r); err != nil {
			return err
		}
		p.record.Code.Models = append(p.record.Code.Models, a)
		if !r.Verdict.Passes() {
			watch.note("the scan of " + f.Path + " says " + r.Verdict.String())
			worst, n = max(worst, r.Verdict), n+1
		}
	}
	if n == 0 {
		return nil
	}
	return sallyport.Errorf(sallyport.Refused, "%d of the project's files %w: %s", n, errBlocked, worst).
		Try("see what was found with: sallyport scan .")
}

// attestScan signs what the scan of artefacts came to.
func (s *Service) attestScan(r *Record, artefacts []Artefact) ([]byte, error) {
	about := evidence.Scan{Run: r.ID, Version: r.Host.Sallyport}
	for _, a := range artefacts {
		about.Files = append(about.Files, evidence.ScannedFile{
			File:    evidence.File{Name: a.Path, SHA256: a.Digest},
			Verdict: a.Scan.Verdict.String(), Passed: a.Scan.Verdict.Passes(),
		})
		for _, f := range a.Scan.Findings {
			text, err := json.Marshal(f)
			if err != nil {
				return nil, err
			}
			about.Findings = append(about.Findings, evidence.FindingInFile{File: a.Path, Finding: text})
		}
	}
	statement, err := evidence.AttestScan(about)
	if err != nil {
		return nil, err
	}
	return s.seal(statement)
}

// signBlocked makes the only evidence of a blocked run: what was found.
func (s *Service) signBlocked(r *Record) ([]signed, error) {
	text, err := s.attestScan(r, r.Outputs())
	if err != nil {
		return nil, err
	}
	return []signed{{"scan.intoto.json", sallyport.Sum(text), text}}, nil
}
