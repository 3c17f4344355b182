package evidence

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/sallyport/sallyport"
)

// TestResultType is the predicate type of a test result. Source: in-toto
// Attestation Framework, spec/predicates/test-result.md v0.1.
const TestResultType = "https://in-toto.io/attestation/test-result/v0.1"

// scanURI names the test: the model-file scan.
const scanURI = "https://sallyport.dev/scan/v1"

// The results of a test, from test-result.md.
const (
	testPassed = "PASSED"
	testFailed = "FAILED"
)

// TestResult is the predicate of a scan. The predicate type allows fields of
// its own; those of ours come last.
type TestResult struct {
	Result        string       `json:"result"`
	Configuration []Descriptor `json:"configuration"`
	PassedTests   []string     `json:"passedTests,omitempty"` // files that passed
	FailedTests   []string     `json:"failedTests,omitempty"` // files that did not

	Invocation string            `json:"invocationId"` // "run/" and the run's ID
	Verdicts   map[string]string `json:"verdicts"`     // by file
	Findings   []FindingInFile   `json:"findings,omitempty"`
}

// FindingInFile is one thing that a scan found.
type FindingInFile struct {
	File    string          `json:"file"`
	Finding json.RawMessage `json:"finding"` // as scan.Quiet leaves it
}

// A Scan is what the scan of a run's files came to.
type Scan struct {
	Run      string // without "run/"
	Version  string // Sallyport's version, which fixes the rules and lists
	Files    []ScannedFile
	Findings []FindingInFile
}

// A ScannedFile is one file and what was thought of it.
type ScannedFile struct {
	File
	Verdict string
	Passed  bool
}

// AttestScan returns the statement that the files were scanned, with what
// result.
func AttestScan(s Scan) (Statement, error) {
	t := TestResult{
		Result:     testPassed,
		Invocation: "run/" + s.Run,
		Configuration: []Descriptor{{Name: "sallyport scan", URI: scanURI,
			Annotations: map[string]any{"sallyport": s.Version}}},
		Verdicts: map[string]string{}, Findings: s.Findings,
	}
	files := make([]File, len(s.Files))
	for i, f := range s.Files {
		files[i] = f.File
		t.Verdicts[f.Name] = f.Verdict
		if f.Passed {
			t.PassedTests = append(t.PassedTests, f.Name)
		} else {
			t.FailedTests = append(t.FailedTests, f.Name)
			t.Result = testFailed
		}
	}
	subjects, err := describe(files)
	if err != nil {
		return Statement{}, err
	}
	return newStatement(TestResultType, subjects, t)
}

// ReadScan reads the predicate of a verified statement; place names it in
// errors. Another predicate or another test is an error of kind Invalid.
func ReadScan(place string, s Statement) (TestResult, error) {
	var t TestResult
	if s.PredicateType != TestResultType {
		return t, notScan(place, "it is not a test result")
	}
	if err := decode(place, s.Predicate, open, &t); err != nil {
		return t, err
	}
	switch {
	case len(t.Configuration) != 1 || t.Configuration[0].URI != scanURI:
		return t, notScan(place, "it is about another test")
	case t.Result != testPassed && t.Result != testFailed:
		return t, notScan(place, "it has no result")
	case !strings.HasPrefix(t.Invocation, "run/"):
		return t, notScan(place, "it names no run")
	}
	return t, nil
}

func notScan(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not the scan of a run: %s", why).At("%s", place).
		Try("get the folder again from the site that ran it")
}

// verifyScan checks that the very files that the provenance names were scanned
// in the same run by whom may vouch for it, and that all of them passed.
func (f *folder) verifyScan() {
	err := f.openScan()
	f.report.add(checkScan, "every file passed", err)
}

func (f *folder) openScan() error {
	var err error
	if f.scan, err = readBelow(f.root, ScanFile, maxEvidence); err != nil {
		return err
	}
	if f.provenance == nil {
		return errGrounds
	}
	statement, by, err := Open(ScanFile, f.scan, f.keys())
	if err != nil {
		return err
	}
	t, err := ReadScan(ScanFile, statement)
	if err != nil {
		return err
	}
	scanned, err := subjects(ScanFile, statement)
	if err != nil {
		return err
	}
	why := ""
	switch {
	case t.Result != testPassed || len(t.FailedTests) > 0:
		why = "says that a file did not pass"
	case t.Invocation != f.provenance.RunDetails.Metadata.InvocationID:
		why = "is about another run than the provenance"
	case !maps.Equal(scanned, f.subjects):
		why = "is about other files than the provenance"
	case !mayHaveRun(f.who(by), f.provenance.BuildDefinition.ExternalParameters.Data):
		why = "is signed by somebody who may not have run it"
	default:
		f.report.Signed = append(f.report.Signed, Signed{ScanFile, by[0]})
		return nil
	}
	return sallyport.Errorf(sallyport.Refused, "the scan %s", why).At(ScanFile).
		Try("do not load the model; ask the site that ran it")
}
