package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"
)

// lock is a run as a check of a lock file makes it: rules that are advisories, a
// finding on a line, one that somebody has decided about, and one of the whole
// file.
func lock() Run {
	run := New("deps", "v1.2.3")
	run.Tool.Driver.Rules = []Rule{
		{
			ID: "GHSA-cpwx-vrp4-4pq7", Short: Text{Text: "jinja2: the sandbox can be left"}, Full: &Text{Text: "An attacker who controls templates runs code."},
			Help: Text{Text: "Update jinja2 to 3.1.6.", Markdown: "Update **jinja2** to 3.1.6."}, HelpURI: "https://example.org/GHSA-cpwx-vrp4-4pq7",
			DefaultConfig: Config{Error}, Properties: Properties{"tags": []string{"security", "external/cwe/cwe-1336"}, SecuritySeverity: Severity(7.3)},
		},
		{ID: "unread", Short: Text{Text: "a line that could not be checked"}, Help: Text{Text: "Pin it."}, DefaultConfig: Config{Warning}, Properties: Properties{}},
	}
	result := func(rule, line int, level string) Result {
		id := run.Tool.Driver.Rules[rule].ID
		return Result{
			RuleID: id, RuleIndex: rule, Level: level, Message: Text{Text: "jinja2 3.1.4, by way of flask"},
			Locations: []Location{{
				Physical: Physical{File("sub dir/requirements.txt"), Line(line)},
				Logical:  []Logical{{FullName: "jinja2@3.1.4", Kind: "package"}},
			}},
			Fingerprints: Fingerprint(id, "jinja2", "3.1.4", "sub dir/requirements.txt"), Properties: Properties{"path": []string{"flask", "jinja2"}},
		}
	}
	run.Results = []Result{result(0, 7, Error), result(0, 8, Note), result(1, 0, Warning)}
	run.Results[0].Locations[0].Physical.Region.Snippet = &Text{Text: "jinja2==3.1.4"}
	run.Results[1].Suppressions = []Suppression{Accepted("templates are ours")}
	run.Results[1].Suppressions[0].Properties = Properties{"owner": "rosa", "expires": "2027-01-31"}
	run.Artifacts = []Artifact{{Location: File("sub dir/requirements.txt"), Length: -1, Hashes: map[string]string{"sha-256": strings.Repeat("0", 64)}}}
	run.Invocations = []Invocation{Failed([]error{errors.New("uv.lock: gone")})}
	run.Properties = Properties{"database": "17"}
	return run
}

// TestSchema validates documents against the schema of OASIS, with everything
// that either command says and with nothing.
func TestSchema(t *testing.T) {
	schema, err := os.ReadFile("../../scan/testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	empty := New("deps", "")
	empty.Invocations = []Invocation{Failed(nil)}
	for name, run := range map[string]Run{"lock": lock(), "empty": empty} {
		var out bytes.Buffer
		if err := Write(&out, run); err != nil {
			t.Fatal(err)
		}
		result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(schema), gojsonschema.NewBytesLoader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range result.Errors() {
			t.Errorf("%s: %v", name, e)
		}
		var log Log
		if err := json.Unmarshal(out.Bytes(), &log); err != nil || len(log.Runs) != 1 {
			t.Error(name, err)
		}
	}
}

// TestShown wants of every result what GitHub does not show it without.
func TestShown(t *testing.T) {
	for _, r := range lock().Results {
		p := r.Locations[0].Physical
		if p.Region.StartLine < 1 || p.Artifact.URI != "sub%20dir/requirements.txt" || len(r.Fingerprints) != 1 {
			t.Errorf("%+v", r)
		}
	}
}

// TestFingerprint wants findings to be the same wherever they stand, and others
// to be others.
func TestFingerprint(t *testing.T) {
	run := lock()
	if one, two := run.Results[0], run.Results[1]; !maps.Equal(one.Fingerprints, two.Fingerprints) {
		t.Error("a finding that moves to another line becomes another")
	}
	if maps.Equal(Fingerprint("a", "b"), Fingerprint("ab", "")) || maps.Equal(run.Results[0].Fingerprints, run.Results[2].Fingerprints) {
		t.Error("two findings are one")
	}
}

// TestFile wants paths as URIs from the root of the repository.
func TestFile(t *testing.T) {
	for path, want := range map[string]string{"a/b.lock": "a/b.lock", "./a b": "a%20b", "a:b": "./a:b", "ä%": "%C3%A4%25"} {
		if got := File(path).URI; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestSeverity wants scores that GitHub takes.
func TestSeverity(t *testing.T) {
	for score, want := range map[float64]string{7.25: "7.2", 9.8: "9.8", 0: "0.0", 10: "10.0", -1: "0.0", 11: "10.0"} {
		if got := Severity(score); got != want {
			t.Errorf("%v: %s, want %s", score, got, want)
		}
	}
}
