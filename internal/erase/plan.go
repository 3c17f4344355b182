package erase

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/run"
)

// A Request is what somebody asked for, as a steward enters it.
type Request struct {
	Subjects []string // identifiers, compared byte for byte
	Dataset  string   // "": all
	Ground   string   // "art17.1.b"
	Identity string   // how it was checked that they are who they say
}

// A Plan is everything that an erasure would do.
type Plan struct {
	Subjects int           `json:"subjects"`
	Found    int           `json:"found"` // of how many there is anything
	Versions []Holding     `json:"versions"`
	Runs     []Consequence `json:"runs"`
	Exempt   []Hold        `json:"exempt"`
	Alike    []Alike       `json:"alike"` // spelled differently: not erased
	Cost     Cost          `json:"cost"`  // of retraining

	datasets []string
	made     map[sallyport.Digest]bool // files that only runs made that saw the records
	rest     []string                  // runs of an earlier erasure that are still to be made again: what it spared of them may be of these people
}

// A Holding is a version that holds records of the subjects.
type Holding struct {
	Version  string `json:"version"`
	Records  int64  `json:"records"`
	Exempt   bool   `json:"exempt,omitempty"`
	version  *dataset.Version
	subjects []string // of whom
}

// An Action is what becomes of a run.
type Action string

// The actions.
const (
	Retrain Action = "retrain" // made again by its own recipe
	Shared  Action = "shared"  // the same recipe as another that is made again
	Destroy Action = "destroy" // what it wrote is destroyed; there is no model to make again
)

// A Consequence is a run that saw records of the subjects, or came of a model
// of such a run.
type Consequence struct {
	Run     string   `json:"run"`
	Project string   `json:"project"`
	Status  string   `json:"status"`
	Why     string   `json:"why"`
	Models  []string `json:"models,omitempty"`
	Again   []string `json:"again,omitempty"` // the stages that saw them, where others are kept
	Action  Action   `json:"action"`
	As      string   `json:"as,omitempty"`     // of a shared one: the run that is made again
	Reason  string   `json:"reason,omitempty"` // of one that is not made again
	Cost    Cost     `json:"cost"`
	record  *run.Record
	code    bool // its code brings a model that is destroyed, and goes too
}

// A Cost is what it took before, and will take about again.
type Cost struct {
	Wall   time.Duration `json:"wall"`
	Memory int64         `json:"memory"`
}

// An Alike is a spelling of a subject that differs in case or spaces only. It
// may be the same person or another: a human has to say.
type Alike struct {
	How     string `json:"how"` // "in lower case"
	Version string `json:"version"`
	Records int64  `json:"records"`
}

// Plan finds everything that an erasure would touch. It changes nothing.
func (s *Service) Plan(ctx context.Context, req Request) (*Plan, error) {
	if err := s.mayErase(req); err != nil {
		return nil, err
	}
	holds, err := s.Holds(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Subjects: len(req.Subjects), Versions: []Holding{}, Runs: []Consequence{}, Exempt: []Hold{}, Alike: []Alike{}}
	if err := s.findVersions(ctx, req, holds, p); err != nil {
		return nil, err
	}
	return p, s.findRuns(ctx, p)
}

// mayErase returns an error if the principal may not, or the request is none.
func (s *Service) mayErase(req Request) error {
	if err := s.Who.May(sallyport.Erase); err != nil {
		return err
	}
	return req.check()
}

func (r Request) check() error {
	if len(r.Subjects) == 0 {
		return sallyport.Errorf(sallyport.Usage, "it does not say who").Try("give --subject, or --subjects with a file of identifiers")
	}
	for _, id := range r.Subjects {
		if strings.TrimSpace(id) == "" {
			return sallyport.Errorf(sallyport.Usage, "an identifier is empty").Try("look at the file of identifiers")
		}
	}
	if r.Ground != "" && !slices.Contains(Grounds, r.Ground) {
		return sallyport.Errorf(sallyport.Usage, "%q is no ground for an erasure", r.Ground).Try("choose from %s", strings.Join(Grounds, ", "))
	}
	return nil
}

// Grounds are those of GDPR art. 17(1).
var Grounds = []string{"art17.1.a", "art17.1.b", "art17.1.c", "art17.1.d", "art17.1.e", "art17.1.f"}

// findVersions looks every subject up, in every spelling, all at once: that
// reads every manifest, and so is worth doing once.
func (s *Service) findVersions(ctx context.Context, req Request, holds []Hold, p *Plan) error {
	data := s.Site.Data()
	if req.Dataset != "" {
		if _, err := data.Dataset(ctx, req.Dataset); err != nil {
			return err
		}
	}
	others := alike(req.Subjects)
	ids := slices.Clone(req.Subjects)
	for _, o := range others {
		ids = append(ids, o.id)
	}
	hits, err := data.HoldsEach(ctx, ids)
	if err != nil {
		return err
	}
	for i := range hits {
		hits[i] = slices.DeleteFunc(hits[i], func(h dataset.Hit) bool {
			return req.Dataset != "" && h.Version.Dataset != req.Dataset
		})
	}
	p.add(req.Subjects, hits, holds)
	for i, o := range others {
		for _, h := range hits[len(req.Subjects)+i] {
			p.Alike = append(p.Alike, Alike{o.how, h.Version.Ref().String(), h.Records})
		}
	}
	slices.SortStableFunc(p.Alike, func(a, b Alike) int { return strings.Compare(a.How, b.How) })
	return nil
}

// add adds the versions that hold something of the subjects.
func (p *Plan) add(subjects []string, hits [][]dataset.Hit, holds []Hold) {
	index := map[string]int{}
	for n, subject := range subjects {
		if len(hits[n]) > 0 {
			p.Found++
		}
		for _, h := range hits[n] {
			name := h.Version.Ref().String()
			i, ok := index[name]
			if !ok {
				i = len(p.Versions)
				index[name] = i
				p.Versions = append(p.Versions, Holding{Version: name, version: h.Version, Exempt: held(holds, h.Version.Dataset)})
			}
			p.Versions[i].Records += h.Records
			p.Versions[i].subjects = append(p.Versions[i].subjects, subject)
		}
	}
	for _, h := range p.Versions {
		if !h.Exempt && !slices.Contains(p.datasets, h.version.Dataset) {
			p.datasets = append(p.datasets, h.version.Dataset)
		}
	}
	for _, h := range holds {
		if slices.ContainsFunc(p.Versions, func(v Holding) bool { return v.version.Dataset == h.Dataset }) {
			p.Exempt = append(p.Exempt, h)
		}
	}
}

// A spelling is how else an identifier is often written.
type spelling struct{ how, id string }

// alike returns the spellings of subjects that are none of the subjects.
func alike(subjects []string) (out []spelling) {
	seen := map[string]bool{}
	for _, subject := range subjects {
		seen[subject] = true
	}
	for _, subject := range subjects {
		all := spellings(subject)
		for _, how := range slices.Sorted(maps.Keys(all)) {
			if id := all[how]; !seen[id] {
				seen[id] = true
				out = append(out, spelling{how, id})
			}
		}
	}
	return out
}

// spellings returns how else an identifier is often written, by how.
func spellings(subject string) map[string]string {
	trimmed := strings.TrimSpace(subject)
	all := map[string]string{
		"without spaces around it": trimmed,
		"without any spaces":       strings.Join(strings.Fields(subject), ""),
		"with a space before it":   " " + trimmed,
		"with a space after it":    trimmed + " ",
		"in lower case":            strings.ToLower(subject),
		"in upper case":            strings.ToUpper(subject),
	}
	maps.DeleteFunc(all, func(_, other string) bool { return other == subject || other == "" })
	return all
}

// findRuns finds every run that saw records of the subjects, and every run whose
// code brought a model of such a run.
func (s *Service) findRuns(ctx context.Context, p *Plan) error {
	runs, err := s.Site.Runs().List(ctx)
	if err != nil {
		return err
	}
	holding := map[string]Holding{}
	for _, h := range p.Versions {
		if !h.Exempt {
			holding[h.Version] = h
		}
	}
	slices.Reverse(runs) // of runs with one recipe the newest is made again
	reasons, made, err := s.reasons(ctx, runs, holding)
	if err != nil {
		return err
	}
	first := map[sallyport.Digest]string{}
	for i := range runs {
		r, reason := &runs[i], reasons[i]
		switch {
		case reason.why != "" && r.Erased == nil:
			p.Runs = append(p.Runs, consequence(r, reason, r.TrainedFrom(made), first))
		case reason.why != "" && r.Spared():
			p.rest = append(p.rest, r.ID)
		}
	}
	for i := range runs {
		if reasons[i].why == "" {
			learnedNothing(made, &runs[i])
		}
	}
	p.made = made
	for _, c := range p.Runs {
		if c.Action == Retrain {
			p.Cost.Wall += c.Cost.Wall
			p.Cost.Memory = max(p.Cost.Memory, c.Cost.Memory)
		}
	}
	return nil
}

// A reason says why a run is affected, and which of its stages are; nil for all.
type reason struct {
	why    string
	stages []string
}

// reasons says of each run why it is affected, if it is, and which files were
// made by those that are. What an earlier erasure has destroyed counts: a copy of
// it may be in the code of a later run.
func (s *Service) reasons(ctx context.Context, runs []run.Record, holding map[string]Holding) ([]reason, map[sallyport.Digest]bool, error) {
	reasons, made := make([]reason, len(runs)), map[sallyport.Digest]bool{}
	for grown := true; grown; {
		grown = false
		for i := range runs {
			r, known := &runs[i], &reasons[i]
			settled := known.why != "" && (known.stages == nil || !r.TrainedFrom(made))
			if settled || r.Status == run.Running {
				continue
			}
			found, err := s.reason(ctx, r, holding, made)
			if err != nil {
				return nil, nil, err
			}
			if found.why == "" {
				continue
			}
			*known, grown = found, true
			for _, a := range r.Only(found.stages).Outputs() {
				if !r.TrainedFrom(map[sallyport.Digest]bool{a.Digest: true}) { // not only passed on
					made[a.Digest] = true
				}
			}
		}
	}
	return reasons, made, nil
}

// learnedNothing takes out of files what a run made, which did not see the
// records: what comes out the same without them has learned nothing from them.
func learnedNothing(files map[sallyport.Digest]bool, r *run.Record) {
	for _, a := range r.Outputs() {
		delete(files, a.Digest)
	}
}

// reason says why a run is affected, if it is.
func (s *Service) reason(ctx context.Context, r *run.Record, holding map[string]Holding, made map[sallyport.Digest]bool) (found reason, err error) {
	data := s.Site.Data()
	saw := map[string][]string{} // by path: whom
	for _, d := range r.Data {
		h, ok := holding[d.Version]
		if !ok {
			continue
		}
		saw[d.Path], err = data.Selected(ctx, h.version, dataset.Selection{Subjects: r.Sample.Subjects, Percent: r.Sample.Percent}, h.subjects)
		if err != nil {
			return found, err
		}
		if found.why == "" && len(saw[d.Path]) > 0 {
			found.why = "read " + d.Version
		}
	}
	if r.TrainedFrom(made) {
		return reason{why: cmp.Or(found.why, "began from a model of such a run")}, nil
	}
	if found.why != "" {
		found.stages, err = r.Touched(func(path string, n int) ([]int, error) { return data.Deal(saw[path], n) })
	}
	return found, err
}

// consequence says what becomes of a run. Tainted says that its code brings a
// model that is destroyed; first holds the runs that are made again, by recipe.
func consequence(r *run.Record, reason reason, tainted bool, first map[sallyport.Digest]string) Consequence {
	c := Consequence{Run: r.ID, Project: r.Project, Status: string(r.Status), Why: reason.why, Models: r.Folders(),
		Again: reason.stages, record: r, code: tainted}
	for _, st := range r.Only(reason.stages).Stages {
		c.Cost.Wall += st.Usage.Wall
		c.Cost.Memory = max(c.Cost.Memory, st.Usage.Memory)
	}
	switch recipe := r.Recipe(); {
	case r.Status != run.Finished:
		c.Action, c.Reason = Destroy, "it had not finished, so there was no model to make again"
	case tainted:
		c.Action, c.Reason = Destroy, "its code brings a model that had learned from them, and would learn from it again: give it another and run it"
	case first[recipe] != "":
		c.Action, c.As = Shared, first[recipe]
	default:
		c.Action = Retrain
		first[recipe] = r.ID
	}
	return c
}

func (c Consequence) String() string { return fmt.Sprintf("run %s: %s", c.Run, c.Why) }

// doomed lists the segments of a run that are to be destroyed.
func (p *Plan) doomed(r *run.Record) []int64 {
	if at := slices.IndexFunc(p.Runs, func(c Consequence) bool { return c.Run == r.ID }); at >= 0 {
		return r.Doomed(p.Runs[at].erased("", time.Time{}))
	}
	if slices.Contains(p.rest, r.ID) {
		return r.Doomed(run.Erased{})
	}
	return nil
}

// erased is what the run's record will say of an erasure. Of several runs of one recipe, what
// was spared of the one that is made again serves them all.
func (c Consequence) erased(erasure string, at time.Time) run.Erased {
	e := run.Erased{Erasure: erasure, At: at, Code: c.code}
	if c.Action == Retrain {
		e.Stages = c.Again
	}
	return e
}
