package deps

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"

	"github.com/sallyport/sallyport/internal/vex"
)

// reported is a report with a finding of every sort: blocked, unknown, advice,
// decided.
func reported(t *testing.T) *Report {
	t.Helper()
	p, err := policy(map[string]string{PolicyFile: strings.ReplaceAll(decision, "Old_Lib", "oldlib")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(context.Background(), list(t, map[string]string{"requirements.txt": "oldlib==1.0\nevil==1\nother>=2\n"}),
		Options{Version: "v1", Now: today, Policy: p, Advisories: advisories(t, records, today)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSARIF holds what is written against the schema of OASIS.
func TestSARIF(t *testing.T) {
	schema, err := os.ReadFile("../../scan/testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteSARIF(&out, reported(t)); err != nil {
		t.Fatal(err)
	}
	result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(schema), gojsonschema.NewBytesLoader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range result.Errors() {
		t.Error(e)
	}
	for _, want := range []string{`"ruleId": "MAL-2026-1"`, `"security-severity": "9.8"`, `"startLine": 3`, `"justification": "mara: never called"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

// TestWriteVEX reads back what is written: it speaks of packages as parts of the
// project, so that nobody else's finding is silenced by it.
func TestWriteVEX(t *testing.T) {
	var out bytes.Buffer
	if err := WriteVEX(&out, reported(t), "demo"); err != nil {
		t.Fatal(err)
	}
	doc, err := vex.Read("demo.openvex.json", out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	docs := []*vex.Document{doc}
	if s := vex.Find(docs, []string{"CVE-2026-1111"}, "oldlib", "1.0", "pkg:generic/demo"); s == nil || s.Status != vex.NotAffected {
		t.Errorf("what was decided is not told: %+v", s)
	}
	if s := vex.Find(docs, []string{"MAL-2026-1"}, "evil", "1", "pkg:generic/demo"); s == nil || s.Status != vex.Affected {
		t.Errorf("what affects it is not told: %+v", s)
	}
	if s := vex.Find(docs, []string{"CVE-2026-1111"}, "oldlib", "1.0", "pkg:generic/other"); s != nil {
		t.Errorf("it speaks of another project: %+v", s)
	}
}
