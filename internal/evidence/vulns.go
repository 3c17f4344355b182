package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
)

// VulnsType is the predicate type of a check of dependencies. Source: in-toto
// Attestation Framework, spec/predicates/vulns_02.md.
const VulnsType = "https://in-toto.io/attestation/vulns/v0.2"

// depsURI names the scanner: the check of dependencies.
const depsURI = "https://sallyport.dev/deps/v1"

// The verdicts of a check, as package deps has them.
const (
	depsPassed  = "passed"
	depsUnknown = "unknown"
	depsBlocked = "blocked"
)

// Vulns is the predicate of a check of what a run's stages were executed with.
// Fields of ours, which the type allows, come last.
type Vulns struct {
	Scanner  Scanner      `json:"scanner"`
	Metadata ScanMetadata `json:"metadata"`

	Invocation  string            `json:"invocationId"` // "run/" and the run's ID
	Verdict     string            `json:"verdict"`
	Environment sallyport.Digest  `json:"environment,omitempty"` // of the tree that was installed
	Packages    int               `json:"packages"`
	Findings    []json.RawMessage `json:"findings"` // as package deps writes them: more than advisories
}

// A Scanner is what checked, with which database, and what it found.
type Scanner struct {
	URI     string      `json:"uri"`
	Version string      `json:"version"`
	DB      ScannerDB   `json:"db"`
	Result  []VulnFound `json:"result"`
}

// A ScannerDB is a database of advisories. LastUpdate is the day up to which it
// is complete; without a database it is the zero time.
type ScannerDB struct {
	URI        string    `json:"uri,omitempty"`     // "sha256:…" of the advisories
	Version    string    `json:"version,omitempty"` // the bundle's number
	LastUpdate time.Time `json:"lastUpdate"`
}

// A VulnFound is one weakness of one package.
type VulnFound struct {
	ID          string           `json:"id"`
	Severity    []VulnScore      `json:"severity"`
	Annotations []map[string]any `json:"annotations,omitempty"`
}

// A VulnScore is how bad it is by one method.
type VulnScore struct {
	Method string `json:"method"`
	Score  string `json:"score"`
}

// ScanMetadata says when the check was made.
type ScanMetadata struct {
	Started  time.Time `json:"scanStartedOn"`
	Finished time.Time `json:"scanFinishedOn"`
}

// AttestVulns returns the statement that what made the files was checked, with
// what result.
func AttestVulns(v Vulns, files []File) (Statement, error) {
	v.Scanner.URI = depsURI
	if v.Scanner.Result == nil {
		v.Scanner.Result = []VulnFound{}
	}
	if v.Findings == nil {
		v.Findings = []json.RawMessage{}
	}
	subjects, err := describe(files)
	if err != nil {
		return Statement{}, err
	}
	return newStatement(VulnsType, subjects, v)
}

// ReadVulns reads the predicate of a verified statement; place names it in
// errors. Another predicate or another scanner is an error of kind Invalid.
func ReadVulns(place string, s Statement) (Vulns, error) {
	var v Vulns
	if s.PredicateType != VulnsType {
		return v, notVulns(place, "it says something else")
	}
	if err := decode(place, s.Predicate, open, &v); err != nil {
		return v, err
	}
	switch {
	case v.Scanner.URI != depsURI:
		return v, notVulns(place, "another scanner made it")
	case v.Verdict != depsPassed && v.Verdict != depsUnknown && v.Verdict != depsBlocked:
		return v, notVulns(place, "it has no verdict")
	case !strings.HasPrefix(v.Invocation, "run/"):
		return v, notVulns(place, "it names no run")
	}
	return v, nil
}

func notVulns(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not the check of a run's dependencies: %s", why).At("%s", place).
		Try("get the folder again from the site that ran it")
}

// verifyVulns checks that the environment which the provenance names was checked
// for the same run by whom may vouch for it, and that it passed.
func (f *folder) verifyVulns() {
	detail, err := f.openVulns()
	f.report.add(checkVulns, detail, err)
}

func (f *folder) openVulns() (string, error) {
	var err error
	if f.vulns, err = readBelow(f.root, VulnsFile, maxEvidence); err != nil {
		return "", err
	}
	if f.provenance == nil {
		return "", errGrounds
	}
	statement, by, err := Open(VulnsFile, f.vulns, f.keys())
	if err != nil {
		return "", err
	}
	v, err := ReadVulns(VulnsFile, statement)
	if err != nil {
		return "", err
	}
	about, err := subjects(VulnsFile, statement)
	if err != nil {
		return "", err
	}
	why := ""
	switch {
	case v.Invocation != f.provenance.RunDetails.Metadata.InvocationID:
		why = "is about another run than the provenance"
	case !maps.Equal(about, f.subjects):
		why = "is about other files than the provenance"
	case !mayHaveRun(f.who(by), f.provenance.BuildDefinition.ExternalParameters.Data):
		why = "is signed by somebody who may not have run it"
	}
	if why != "" {
		return "", sallyport.Errorf(sallyport.Refused, "the check of its dependencies %s", why).At(VulnsFile).
			Try("do not load the model; ask the site that ran it")
	}
	f.report.Signed = append(f.report.Signed, Signed{VulnsFile, by[0]})
	return v.judge()
}

// judge says what the check came to: a detail if it passed, an error if not.
func (v Vulns) judge() (string, error) {
	database := "there were no advisories to compare them with"
	if v.Scanner.DB.Version != "" {
		database = fmt.Sprintf("by the advisories of %s", v.Scanner.DB.LastUpdate.Format(time.DateOnly))
	}
	switch v.Verdict {
	case depsPassed:
		if v.Packages == 0 {
			return "the run had none", nil
		}
		return fmt.Sprintf("%d packages passed, %s", v.Packages, database), nil
	case depsUnknown:
		return "", sallyport.Errorf(sallyport.Unknown, "not all of its dependencies could be checked: %s", database).At(VulnsFile).
			Try("ask the site to bring newer advisories in and to run it again")
	}
	return "", sallyport.Errorf(sallyport.Refused, "%s in its dependencies, %s", weaknesses(len(v.Scanner.Result)), database).At(VulnsFile).
		Try("ask the site to run it again with mended dependencies, or to decide about them")
}

func weaknesses(n int) string {
	if n == 1 {
		return "1 known weakness"
	}
	return fmt.Sprintf("%d known weaknesses", n)
}
