package run

import (
	"path"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
)

// A signed is a piece of evidence about one artefact folder of a run.
type signed struct {
	name   string // "model/model.sig": under this the ledger entry holds it
	digest sallyport.Digest
	text   []byte
}

// Evidence is the document of an object "evidence", whose id is the hex digest
// of Text.
type Evidence struct {
	Run  string `json:"run"`
	Name string `json:"name"`
	Text []byte `json:"text"`
}

func (e signed) document(run string) Evidence { return Evidence{run, e.name, e.text} }

// sign makes the evidence of a finished run: for each artefact folder, SLSA
// provenance of its files, the results of their scan and of the check of the
// run's dependencies, and an OpenSSF Model Signing bundle over them. No file is read again: the digests were computed
// while they were sealed, and the scan saw the same.
func (s *Service) sign(r *Record) ([]signed, error) {
	var out []signed
	add := func(name string, text []byte) {
		out = append(out, signed{name, sallyport.Sum(text), text})
	}
	about := s.about(r)
	for _, folder := range r.Folders() {
		files := r.files(folder)
		provenance, err := s.attest(about, files)
		if err != nil {
			return nil, err
		}
		add(folder+"/"+evidence.ProvenanceFile, provenance)
		scanned, err := s.attestScan(r, r.below(folder))
		if err != nil {
			return nil, err
		}
		add(folder+"/"+evidence.ScanFile, scanned)
		vulns, err := s.attestDeps(r, files)
		if err != nil {
			return nil, err
		}
		add(folder+"/"+evidence.VulnsFile, vulns)
		bundle, err := evidence.SignModel(s.Me, path.Base(folder), files, evidence.Own)
		if err != nil {
			return nil, err
		}
		add(folder+"/"+evidence.SignatureFile, bundle)
	}
	return out, nil
}

func (s *Service) attest(about evidence.Run, files []evidence.File) ([]byte, error) {
	statement, err := evidence.Attest(about, files)
	if err != nil {
		return nil, err
	}
	return s.seal(statement)
}

func (s *Service) seal(statement evidence.Statement) ([]byte, error) {
	envelope, err := evidence.Seal(statement, s.Me)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}

// below lists the artefacts of a folder under their names within it. One stage
// writes a folder, or all the shards of one.
func (r *Record) below(folder string) []Artefact {
	var out []Artefact
	for _, a := range r.Outputs() {
		if name, ok := strings.CutPrefix(a.Path, folder+"/"); ok {
			a.Path = name
			out = append(out, a)
		}
	}
	return out
}

// files is below as evidence has it.
func (r *Record) files(folder string) []evidence.File {
	var out []evidence.File
	for _, a := range r.below(folder) {
		out = append(out, evidence.File{Name: a.Path, SHA256: a.Digest})
	}
	return out
}

// about tells the run as provenance has it.
func (s *Service) about(r *Record) evidence.Run {
	run := evidence.Run{
		ID: r.ID, Site: s.Site, Version: r.Host.Sallyport,
		Request: evidence.Request{Project: r.Project, Data: evidence.Real, Sample: r.Sample.String(), Set: map[string]string{}},
		Source:  evidence.Source{Commit: r.Code.Commit, URI: r.Code.Remote, Snapshot: r.Code.Tree},
		Started: r.Started, Finished: r.Ended,
		Internal: map[string]any{
			"host": r.Host, "params": r.Params,
		},
	}
	if r.Code.Diff != nil {
		run.Source.Difference = r.Code.Diff.Digest
	}
	for _, set := range r.Set {
		k, v, _ := strings.Cut(set, "=")
		run.Set[k] = v
	}
	for _, st := range r.Stages {
		run.Stages = append(run.Stages, st.Name)
		how := map[string]any{"command": st.Command, "limits": st.Limits, "walls": st.Walls, "variables": st.Variables}
		if st.Kept != "" {
			how["kept"] = "run/" + st.Kept
		}
		run.Internal["stage "+st.Name] = how
		for _, a := range st.Outputs {
			if !st.inFolder(a.Path) {
				run.Byproducts = append(run.Byproducts, evidence.File{Name: a.Path, SHA256: a.Digest})
			}
		}
	}
	for _, d := range r.Data {
		ref, err := sallyport.ParseRef(d.Version)
		if err == nil {
			run.Datasets = append(run.Datasets, evidence.Dataset{Ref: ref, Root: d.Root, Path: d.Path})
		}
	}
	if e := r.Environment; e != nil {
		run.Environment = evidence.Environment{Name: r.Lock, Lock: e.Lock, Installed: e.Tree, Python: e.Python}
	}
	return run
}

func (st *Stage) inFolder(p string) bool {
	for _, f := range st.Folders {
		if within(p, f) {
			return true
		}
	}
	return false
}

// String is the sample as --sample takes it, or "" for everybody.
func (s Sample) String() string {
	switch {
	case s.Subjects > 0:
		return strconv.Itoa(s.Subjects)
	case s.Percent > 0:
		return strconv.FormatFloat(s.Percent, 'g', -1, 64) + "%"
	}
	return ""
}

// ParseSample reads "500" (subjects) or "10%" (of them).
func ParseSample(text string) (Sample, error) {
	bad := sallyport.Errorf(sallyport.Usage, "%q is not a sample", text).
		Try("write a number of subjects, 500, or a part of them, 10%%")
	if text == "" {
		return Sample{}, nil
	}
	if part, ok := strings.CutSuffix(text, "%"); ok {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || !(f > 0 && f <= 100) {
			return Sample{}, bad
		}
		return Sample{Percent: f}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return Sample{}, bad
	}
	return Sample{Subjects: n}, nil
}
