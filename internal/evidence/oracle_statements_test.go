package evidence

import (
	"crypto/elliptic"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// sampleScan is a scan that a file did not pass.
func sampleScan() Scan {
	return Scan{Run: "3f9c2b1a", Version: "0.1.0",
		Files: []ScannedFile{
			{File{"card <&> é.md", sallyport.Sum([]byte("card"))}, "inert", true},
			{File{"model.pkl", sallyport.Sum([]byte("model"))}, "malicious", false},
		},
		Findings: []FindingInFile{{"model.pkl", json.RawMessage(`{"rule":"pickle-global","offset":2,"what":"os.system"}`)}}}
}

// TestOthersReadOurStatements has securesystemslib verify an envelope of every
// kind that we sign, and in-toto's library read the statement in it: the same
// type, subjects and predicate.
func TestOthersReadOurStatements(t *testing.T) {
	weights, zip := File{"model.pkl", sallyport.Sum([]byte("model"))}, File{AdvisoriesFile, sallyport.Sum([]byte("zip"))}
	s := newSite(t)
	vulns := must[Envelope](t)(ParseEnvelope("vulns", s.vulns(t, sampleRun(), []File{weights}, "blocked")))
	type sample struct {
		name, kind string
		statement  Statement
	}
	all := []sample{
		{"scan", TestResultType, must[Statement](t)(AttestScan(sampleScan()))},
		{"dependencies", VulnsType, must[Statement](t)(ParseStatement("vulns", vulns.Payload))},
		{"waiver", WaiverType, must[Statement](t)(AttestWaiver(sampleWaiver(), weights))},
		{"revocations", RevocationsType, must[Statement](t)(AttestRevocations(sampleList(), sallyport.Sum(nil)))},
		{"erasure", ErasureType, must[Statement](t)(AttestErasure(sampleErasure()))},
		{"advisories", AdvisoriesType, must[Statement](t)(AttestAdvisories(sampleAdvisories(), zip.SHA256))},
	}
	dir, id := t.TempDir(), newIdentity(t, elliptic.P256())
	key := filepath.Join(dir, "key.pem")
	write(t, key, []byte(id.SigningPEM()))
	var jobs []job
	for _, c := range all {
		e := must[Envelope](t)(Seal(c.statement, id))
		file := filepath.Join(dir, c.name+".json")
		write(t, file, must[[]byte](t)(e.Marshal()))
		jobs = append(jobs,
			job{"do": "envelope", "envelope": file, "keys": []string{key}, "ids": map[string]string{key: id.key(t, "").ID}, "threshold": 1},
			job{"do": "statement", "payload": string(e.Payload)})
	}
	answers := ask(t, jobs...)
	for i, c := range all {
		envelope, statement := answers[2*i], answers[2*i+1]
		wantOK(t, c.name+", envelope", envelope)
		if got := envelope["payload"]; got != jobs[2*i+1]["payload"] {
			t.Errorf("%s: the payload is read as %v", c.name, got)
		}
		subjects := map[string]any{}
		for _, d := range c.statement.Subject {
			subjects[d.Name] = d.Digest["sha256"]
		}
		if want := (job{"ok": true, "type": c.kind, "subjects": subjects}); !reflect.DeepEqual(statement, want) {
			t.Errorf("%s: got %v, want %v", c.name, statement, want)
		}
	}
}

// TestOthersReadOurScan has in-toto's library read a scan as the test result that
// it is. What the type does not know is our own, and named here.
func TestOthersReadOurScan(t *testing.T) {
	e := must[Envelope](t)(Seal(must[Statement](t)(AttestScan(sampleScan())), newIdentity(t, elliptic.P256())))
	answers := ask(t,
		job{"do": "test_result", "payload": string(e.Payload)},
		job{"do": "test_result", "payload": strings.Replace(string(e.Payload), `"FAILED"`, `["FAILED"]`, 1)},
		job{"do": "statement", "payload": `{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}`})
	want := job{"ok": true, "result": "FAILED", "configuration": []any{"https://sallyport.dev/scan/v1"},
		"passed": []any{"card <&> é.md"}, "failed": []any{"model.pkl"}, "own": []any{"findings", "invocationId", "verdicts"}}
	if !reflect.DeepEqual(answers[0], want) {
		t.Errorf("got %v, want %v", answers[0], want)
	}
	wantRefused(t, "two results", answers[1], "result")
	wantRefused(t, "a statement about nothing", answers[2], "subject")
}
