package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/xeipuuv/gojsonschema"

	"github.com/sallyport/sallyport/internal/sarif"
)

// TestSARIF validates what we write against the schema of OASIS (SARIF 2.1.0
// with errata 01, in testdata), and checks what GitHub code scanning demands
// beyond it.
func TestSARIF(t *testing.T) {
	schema, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	r := report()
	r.Path = "models/a b.pkl"
	r.Findings[0].Rule = Rules()[0]
	r.Findings[1].Rule = Rules()[1]
	r.Findings[0].Trace = []string{"0: PROTO 2"}
	r.Findings[1].Waiver = "rosa"
	var out bytes.Buffer
	if err := WriteSARIF(&out, "v1.2.3", []*Report{r, {Path: "ok", Verdict: Inert}}, []error{errors.New("b: gone")}); err != nil {
		t.Fatal(err)
	}
	result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(schema), gojsonschema.NewBytesLoader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range result.Errors() {
		t.Error(e)
	}
	var log sarif.Log
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != 2 || len(run.Artifacts) != 2 || len(run.Tool.Driver.Rules) != len(Rules()) {
		t.Fatalf("%d results, %d artefacts", len(run.Results), len(run.Artifacts))
	}
	for _, res := range run.Results {
		place := res.Locations[0].Physical
		if place.Artifact.URI != "models/a%20b.pkl" || place.Region.StartLine != 1 {
			t.Errorf("GitHub would not show it: %+v", place)
		}
		if len(res.Fingerprints) != 1 || run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
			t.Errorf("fingerprint or rule: %+v", res)
		}
	}
	if len(run.Results[1].Suppressions) != 1 || len(run.Results[0].Suppressions) != 0 {
		t.Error("the waiver is not told")
	}
}
