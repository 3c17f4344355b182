package erase

import (
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
}

// A Holding is a version that holds records of the subjects.
type Holding struct {
	Version  string `json:"version"`
	Records  int64  `json:"records"`
	Exempt   bool   `json:"exempt,omitempty"`
	dataset  string
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
	Action  Action   `json:"action"`
	As      string   `json:"as,omitempty"` // of a shared one: the run that is made again
	Cost    Cost     `json:"cost"`
	record  *run.Record
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
	if err := s.Who.May(sallyport.Erase); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
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

// findVersions looks every subject up, in every spelling.
func (s *Service) findVersions(ctx context.Context, req Request, holds []Hold, p *Plan) error {
	data := s.Site.Data()
	if req.Dataset != "" {
		if _, err := data.Dataset(ctx, req.Dataset); err != nil {
			return err
		}
	}
	index := map[string]int{}
	for _, subject := range req.Subjects {
		hits, err := data.Holds(ctx, subject)
		if err != nil {
			return err
		}
		any := false
		for _, h := range hits {
			if req.Dataset != "" && h.Version.Dataset != req.Dataset {
				continue
			}
			any = true
			name := h.Version.Ref().String()
			i, ok := index[name]
			if !ok {
				i = len(p.Versions)
				index[name] = i
				p.Versions = append(p.Versions, Holding{Version: name, dataset: h.Version.Dataset, Exempt: held(holds, h.Version.Dataset)})
			}
			p.Versions[i].Records += h.Records
			p.Versions[i].subjects = append(p.Versions[i].subjects, subject)
		}
		if any {
			p.Found++
		}
		if err := s.findAlike(ctx, data, req, subject, p); err != nil {
			return err
		}
	}
	for _, h := range p.Versions {
		if !h.Exempt && !slices.Contains(p.datasets, h.dataset) {
			p.datasets = append(p.datasets, h.dataset)
		}
	}
	for _, h := range holds {
		if slices.ContainsFunc(p.Versions, func(v Holding) bool { return v.dataset == h.Dataset }) {
			p.Exempt = append(p.Exempt, h)
		}
	}
	return nil
}

// findAlike looks for other spellings of a subject.
func (s *Service) findAlike(ctx context.Context, data *dataset.Store, req Request, subject string, p *Plan) error {
	all, seen := spellings(subject), map[string]bool{}
	for _, how := range slices.Sorted(maps.Keys(all)) {
		other := all[how]
		if slices.Contains(req.Subjects, other) || seen[other] {
			continue
		}
		seen[other] = true
		hits, err := data.Holds(ctx, other)
		if err != nil {
			return err
		}
		for _, h := range hits {
			if req.Dataset == "" || h.Version.Dataset == req.Dataset {
				p.Alike = append(p.Alike, Alike{how, h.Version.Ref().String(), h.Records})
			}
		}
	}
	slices.SortFunc(p.Alike, func(a, b Alike) int { return strings.Compare(a.How+a.Version, b.How+b.Version) })
	return nil
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
	made := map[sallyport.Digest]bool{} // files that came of the subjects' records
	first := map[sallyport.Digest]string{}
	slices.Reverse(runs) // of runs with one recipe the newest is made again
	for range runs {
		grown := false
		for i := range runs {
			r := &runs[i]
			if r.Erased != nil || r.Status == run.Running || slices.ContainsFunc(p.Runs, func(c Consequence) bool { return c.Run == r.ID }) {
				continue
			}
			why, err := s.why(ctx, r, holding, made)
			if err != nil {
				return err
			}
			if why == "" {
				continue
			}
			for _, a := range r.Outputs() {
				made[a.Digest] = true
				grown = true
			}
			p.Runs = append(p.Runs, consequence(r, why, first))
		}
		if !grown {
			break
		}
	}
	for _, c := range p.Runs {
		if c.Action == Retrain {
			p.Cost.Wall += c.Cost.Wall
			p.Cost.Memory = max(p.Cost.Memory, c.Cost.Memory)
		}
	}
	return nil
}

// why says why a run is affected, or "".
func (s *Service) why(ctx context.Context, r *run.Record, holding map[string]Holding, made map[sallyport.Digest]bool) (string, error) {
	for _, d := range r.Data {
		h, ok := holding[d.Version]
		if !ok {
			continue
		}
		ref, err := sallyport.ParseRef(d.Version)
		if err != nil {
			return "", err
		}
		data := s.Site.Data()
		v, err := data.Find(ctx, ref)
		if err != nil {
			return "", err
		}
		saw, err := data.Selects(ctx, v, dataset.Selection{Subjects: r.Sample.Subjects, Percent: r.Sample.Percent}, h.subjects)
		if err != nil {
			return "", err
		}
		if saw {
			return "read " + d.Version, nil
		}
	}
	if r.TrainedFrom(made) {
		return "began from a model of such a run", nil
	}
	return "", nil
}

// consequence says what becomes of a run. first holds the runs that are made
// again, by recipe.
func consequence(r *run.Record, why string, first map[sallyport.Digest]string) Consequence {
	c := Consequence{Run: r.ID, Project: r.Project, Status: string(r.Status), Why: why, Models: r.Folders(), record: r}
	for _, st := range r.Stages {
		c.Cost.Wall += st.Usage.Wall
		c.Cost.Memory = max(c.Cost.Memory, st.Usage.Memory)
	}
	switch recipe := r.Recipe(); {
	case r.Status != run.Finished:
		c.Action = Destroy
	case first[recipe] != "":
		c.Action, c.As = Shared, first[recipe]
	default:
		c.Action = Retrain
		first[recipe] = r.ID
	}
	return c
}

func (c Consequence) String() string { return fmt.Sprintf("run %s: %s", c.Run, c.Why) }
