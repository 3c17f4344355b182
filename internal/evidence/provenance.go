package evidence

import (
	"net/url"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

const (
	// ProvenanceType is the predicate type of SLSA provenance, version 1.
	ProvenanceType = "https://slsa.dev/provenance/v1"
	// BuildType says how to read the parameters: as this package's Request.
	// SLSA defines no build type for training runs.
	BuildType = "https://sallyport.dev/run/v1"
)

// Provenance is the predicate of SLSA provenance v1 with the external
// parameters of our build type. Source: slsa.dev/spec/v1.0/provenance.
type Provenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// A BuildDefinition is everything that went into a run.
type BuildDefinition struct {
	BuildType            string         `json:"buildType"`
	ExternalParameters   Request        `json:"externalParameters"`
	InternalParameters   map[string]any `json:"internalParameters,omitempty"`
	ResolvedDependencies []Descriptor   `json:"resolvedDependencies"`
}

// RunDetails say who ran it, when, and what else came out.
type RunDetails struct {
	Builder    Builder      `json:"builder"`
	Metadata   Metadata     `json:"metadata"`
	Byproducts []Descriptor `json:"byproducts,omitempty"`
}

// A Builder is the site that ran it.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Metadata names one run. InvocationID is "run/" and the run's ID, which is
// also what the run's ledger entry is about.
type Metadata struct {
	InvocationID string    `json:"invocationId"`
	StartedOn    time.Time `json:"startedOn"`
	FinishedOn   time.Time `json:"finishedOn"`
}

// A Request is what a person asked for: the external parameters.
type Request struct {
	Project string            `json:"project"`
	Stages  []string          `json:"stages"`
	Data    Data              `json:"data"`
	Sample  string            `json:"sample,omitempty"` // as given: "200" or "10%"; empty is all
	Set     map[string]string `json:"set,omitempty"`    // parameters that were overridden
}

// Data says what kind of records a run saw.
type Data string

// The kinds of records. A run that saw any real record saw real ones.
const (
	Real Data = "real"
	Twin Data = "twin"
)

// A Run is a finished run as evidence tells it.
type Run struct {
	ID      string // without "run/"
	Site    string // the site's name
	Version string // Sallyport's version
	Request

	Source      Source
	Datasets    []Dataset
	Environment Environment

	Internal   map[string]any // what the site decided: limits, confinement, determinism, platform
	Started    time.Time
	Finished   time.Time
	Byproducts []File // logs, metrics, the record: by the names under which the site keeps them
}

// Source is the code that ran. Commit or Snapshot must be there.
type Source struct {
	URI        string           // git remote as "git+https://…"; may be empty
	Commit     string           // hex git commit, SHA-1 or SHA-256
	Difference sallyport.Digest // of the uncommitted changes; empty for a clean work tree
	Snapshot   sallyport.Digest // of the code as it ran
}

// A Dataset is a version of a dataset as a run saw it.
type Dataset struct {
	Ref  sallyport.Ref
	Root sallyport.Digest // the version's root
	Path string           // where the code found it
}

// An Environment is the installed dependencies of a run.
type Environment struct {
	Name      string           // the lock file
	Lock      sallyport.Digest // of the lock file
	Installed sallyport.Digest // of the installed files
	Python    string           // "3.11.7"
}

// A File is a file below some folder, by slash-separated relative path, and
// its digest.
type File struct {
	Name   string
	SHA256 sallyport.Digest
}

// Attest returns the statement that run made files. Names are relative to the
// artefact folder that the statement will be put into.
func Attest(run Run, files []File) (Statement, error) {
	subjects, err := describe(files)
	if err != nil {
		return Statement{}, err
	}
	byproducts, err := describe(run.Byproducts)
	if err != nil {
		return Statement{}, err
	}
	dependencies, err := run.dependencies()
	if err != nil {
		return Statement{}, err
	}
	p := Provenance{
		BuildDefinition{BuildType, run.Request, run.Internal, dependencies},
		RunDetails{
			Builder{"https://sallyport.dev/site/" + url.PathEscape(run.Site), map[string]string{"sallyport": run.Version}},
			Metadata{"run/" + run.ID, run.Started.UTC(), run.Finished.UTC()},
			byproducts,
		},
	}
	if err := p.check("provenance"); err != nil {
		return Statement{}, err
	}
	return newStatement(ProvenanceType, subjects, p)
}

// ReadProvenance reads the predicate of a verified statement; place names it
// in errors. Another predicate or build type is an error of kind Invalid.
func ReadProvenance(place string, s Statement) (Provenance, error) {
	var p Provenance
	if s.PredicateType != ProvenanceType {
		return p, notProvenance(place, "it is not SLSA provenance v1")
	}
	if err := decode(place, s.Predicate, open, &p); err != nil {
		return p, err
	}
	return p, p.check(place)
}

func (p Provenance) check(place string) error {
	m := p.RunDetails.Metadata
	switch d := p.BuildDefinition; {
	case d.BuildType != BuildType:
		return notProvenance(place, "its build type is not "+BuildType)
	case d.ExternalParameters.Data != Real && d.ExternalParameters.Data != Twin:
		return notProvenance(place, "it does not say whether the data was real or a twin")
	case len(d.ResolvedDependencies) == 0:
		return notProvenance(place, "it names no code")
	case p.RunDetails.Builder.ID == "":
		return notProvenance(place, "it names no site")
	case len(m.InvocationID) <= len("run/") || m.InvocationID[:len("run/")] != "run/":
		return notProvenance(place, "it names no run")
	case m.StartedOn.IsZero() || m.FinishedOn.Before(m.StartedOn):
		return notProvenance(place, "the run ends before it starts")
	}
	return nil
}

func notProvenance(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not the provenance of a run: %s", why).At("%s", place).
		Try("get the folder again from the site that ran it")
}

// gitHash is a full git object name, SHA-1 or SHA-256.
var gitHash = lazyregexp.New(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// dependencies describes code, data and environment, in this order.
func (r Run) dependencies() ([]Descriptor, error) {
	var all []Descriptor
	add := func(name, uri string, digest sallyport.Digest, notes map[string]any) {
		all = append(all, Descriptor{Name: name, URI: uri, Digest: map[string]string{"sha256": digest.Hex()}, Annotations: notes})
	}
	if r.Source.Commit != "" {
		if !gitHash.MatchString(r.Source.Commit) {
			return nil, notProvenance("source", "the commit is not a full git hash")
		}
		all = append(all, Descriptor{Name: "source", URI: r.Source.URI, Digest: map[string]string{"gitCommit": r.Source.Commit}})
	}
	if r.Source.Difference != "" {
		add("source.difference", "", r.Source.Difference, nil)
	}
	if r.Source.Snapshot != "" {
		add("source.snapshot", "", r.Source.Snapshot, nil)
	}
	if r.Source.Commit == "" && r.Source.Snapshot == "" {
		return nil, notProvenance("source", "it names no code")
	}
	for _, d := range r.Datasets {
		add("dataset/"+d.Ref.String(), "", d.Root, map[string]any{"path": d.Path})
	}
	if e := r.Environment; e.Lock != "" {
		add("environment.lock", "", e.Lock, map[string]any{"name": e.Name})
	}
	if e := r.Environment; e.Installed != "" {
		add("environment.installed", "", e.Installed, map[string]any{"python": e.Python})
	}
	for _, d := range all {
		if _, ok := d.sha256(); !ok && d.Digest["gitCommit"] == "" {
			return nil, notProvenance(d.Name, "its digest is not SHA-256")
		}
	}
	return all, nil
}

// describe turns files into descriptors, in order of name.
func describe(files []File) ([]Descriptor, error) {
	sorted, err := checked(files)
	if err != nil {
		return nil, err
	}
	out := make([]Descriptor, len(sorted))
	for i, f := range sorted {
		out[i] = Descriptor{Name: f.Name, Digest: map[string]string{"sha256": f.SHA256.Hex()}}
	}
	return out, nil
}
