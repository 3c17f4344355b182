package vex

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/oracle"
)

var made = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// whole is a document that uses everything there is.
func whole() *Document {
	return &Document{
		ID: "https://example.org/vex/1", Author: "Rosa Ng", Role: "Document Creator", Made: made, Updated: made.Add(time.Hour), Version: 2, Tooling: "sallyport 1.2.3",
		Statements: []Statement{
			{Vulnerability: "CVE-2025-27516", Aliases: []string{"GHSA-cpwx-vrp4-4pq7"}, Status: NotAffected, Justification: CodeNotControlled, Notes: "templates are ours",
				Supplier: "us", Made: made, Products: []Product{{ID: project, Within: []string{"pkg:pypi/jinja2@3.1.4", "pkg:pypi/jinja2@3.1.5"}}}},
			{Vulnerability: "CVE-2", Status: NotAffected, Impact: "never called", Made: made, Products: []Product{{ID: "https://example.org/b", Purl: "pkg:pypi/b"}}},
			{Vulnerability: "CVE-3", Status: Affected, Action: "update", Made: made.Add(-time.Hour), Products: []Product{{ID: "pkg:pypi/c@1"}, {ID: "pkg:pypi/d"}}},
			{Vulnerability: "CVE-4", Status: Fixed, Made: made, Products: []Product{{ID: "pkg:pypi/e@1"}}},
			{Vulnerability: "CVE-5", Status: UnderInvestigation, Made: made, Products: []Product{{ID: "pkg:pypi/f@1%2Bcu118"}}},
		},
	}
}

func write(t testing.TB, d *Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip reads back what we write.
func TestRoundTrip(t *testing.T) {
	want := whole()
	got, err := Read("v", write(t, want))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Statements {
		want.Statements[i].Author = want.Author
		if got.Statements[i].Line < 2 {
			t.Errorf("statement %d is on line %d", i, got.Statements[i].Line)
		}
		got.Statements[i].Line = 0
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// TestNamed wants the same document to make the same bytes, and another one
// another name.
func TestNamed(t *testing.T) {
	d := whole()
	d.ID = ""
	one, two := write(t, d), write(t, d)
	d.Statements[3].Vulnerability = "CVE-44"
	other, err := Read("v", write(t, d))
	if err != nil {
		t.Fatal(err)
	}
	first, err := Read("v", one)
	if err != nil || !bytes.Equal(one, two) || first.ID == other.ID || first.ID == "" {
		t.Errorf("%s and %s, %v", first.ID, other.ID, err)
	}
}

// TestBoth wants the words beside a justification kept, where the schema has no
// place for them but the notes.
func TestBoth(t *testing.T) {
	d := whole()
	d.Statements[0].Impact, d.Statements[0].Notes = "why", "how"
	got, err := Read("v", write(t, d))
	if s := got.Statements[0]; err != nil || s.Justification != CodeNotControlled || s.Impact != "" || s.Notes != "why\nhow" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestWriteRefused wants no document that others would refuse.
func TestWriteRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Document){
		"author":        func(d *Document) { d.Author = "" },
		"time":          func(d *Document) { d.Made = time.Time{} },
		"statements":    func(d *Document) { d.Statements = nil },
		"status":        func(d *Document) { d.Statements[1].Status = "fine" },
		"why":           func(d *Document) { d.Statements[1].Impact = "" },
		"what to do":    func(d *Document) { d.Statements[2].Action = "" },
		"vulnerability": func(d *Document) { d.Statements[2].Vulnerability = "" },
	} {
		d := whole()
		spoil(d)
		var b bytes.Buffer
		if err := Write(&b, d); !sallyport.Is(err, sallyport.Invalid) || b.Len() > 0 {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

const head = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-05-04T05:02:01+02:00","version":1,"statements":[`

// TestOpenVEX reads statements of all shapes.
func TestOpenVEX(t *testing.T) {
	const says = `"vulnerability":{"name":"CVE-1"},"status":"fixed"`
	for in, want := range map[string]Statement{
		says: {},
		says + `,"timestamp":"2026-06-01T00:00:00Z"`:                                                      {Made: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		says + `,"timestamp":"2026-01-01T00:00:00Z","last_updated":"2026-02-01T00:00:00Z"`:                {Made: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		says + `,"products":[{"identifiers":{"cpe23":"c"},"hashes":{"sha-256":"0"}}]`:                     {Products: []Product{{}}},
		says + `,"products":[{"@id":"p","subcomponents":[{"hashes":{"md5":"0"}}]}]`:                       {Products: []Product{{ID: "p", Within: []string{""}}}},
		says + `,"products":[{"@id":"p","subcomponents":[{"@id":"q","identifiers":{"purl":"pkg:a/b"}}]}]`: {Products: []Product{{ID: "p", Within: []string{"q", "pkg:a/b"}}}},
	} {
		d, err := Read("v", []byte(head+"{"+in+"}]}"))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		want.Vulnerability, want.Status, want.Author, want.Line = "CVE-1", Fixed, "a", 1
		if want.Made.IsZero() {
			want.Made = made
		}
		if !reflect.DeepEqual(d.Statements[0], want) {
			t.Errorf("%s: %+v", in, d.Statements[0])
		}
	}
}

// TestTimes reads a document that leaves the time to its statements.
func TestTimes(t *testing.T) {
	d, err := Read("v", []byte(strings.Replace(head, `"timestamp":`, `"when":`, 1)+`{"vulnerability":{"name":"C"},"status":"fixed","timestamp":"2026-05-04T03:02:01Z"}]}`))
	if err != nil || !d.Made.IsZero() || !d.Statements[0].Made.Equal(made) {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestRefused wants a document refused of which one statement is not understood,
// with the line, and nothing of what it holds.
func TestRefused(t *testing.T) {
	for _, in := range []string{
		``, `{}`, `[]`, `<vex/>`, `{"@context":"https://openvex.dev/ns/v0.2.0"}`,
		head + `{"status":"fixed"}]}`,
		head + `{"vulnerability":"secret","status":"fixed"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"secret"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","justification":"component_not_present"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"not_affected"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"not_affected","justification":"secret"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"affected"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","secret":1}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","products":["secret"]}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","products":[{"@id":"p","version":"secret"}]}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","products":[{"@id":"p","subcomponents":[{"range":"secret"}]}]}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","timestamp":"secret"}]}`,
		head + `{"vulnerability":{"name":"C","aliases":[1]},"status":"fixed"}]}`,
		head + `{"vulnerability":{"name":"C"},"status":"fixed","status":"affected"}]}`,
		head + `]} secret`, head,
		strings.Replace(head, `"author":"a",`, "", 1) + `]}`,
		strings.Replace(head, `"timestamp":`, `"when":`, 1) + `{"vulnerability":{"name":"C"},"status":"fixed"}]}`,
		strings.Replace(head, `"version":1`, `"version":"secret"`, 1) + `]}`,
		`{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"C","analysis":{"state":"secret"}}]}`,
		`{"bomFormat":"CycloneDX","vulnerabilities":[{"analysis":{"state":"resolved"}}]}`,
	} {
		if _, err := Read("v", []byte(in)); !sallyport.Is(err, sallyport.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if _, err := Read("v", []byte(strings.Replace(head, "v0.2.0", "v0.3.0", 1)+"]}")); !sallyport.Is(err, sallyport.Newer) {
		t.Error(err)
	}
	if _, err := Read("v", []byte(head+strings.Repeat("[],", maxMemory/160)+"1]}")); !sallyport.Is(err, sallyport.Limit) {
		t.Error(err)
	}
	if _, err := Read("v", make([]byte, maxBytes+1)); !sallyport.Is(err, sallyport.Limit) {
		t.Error(err)
	}
}

// TestCycloneDX reads what a CycloneDX document says about vulnerabilities.
func TestCycloneDX(t *testing.T) {
	d, err := Read("v", []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1",
"metadata":{"timestamp":"2026-05-04T03:02:01Z","authors":[{"name":"Rosa Ng"}],"component":{"type":"application","name":"app","bom-ref":"app","purl":"pkg:generic/readmission"}},
"components":[{"bom-ref":"j","purl":"pkg:pypi/jinja2@3.1.4","components":[{"bom-ref":"n","name":"nested"}]}],
"vulnerabilities":[
{"id":"CVE-1","references":[{"id":"GHSA-1","source":{}}],"analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"never called"},"affects":[{"ref":"j"}]},
{"id":"CVE-2","analysis":{"state":"false_positive","justification":"requires_environment","lastUpdated":"2026-06-01T00:00:00Z"},"affects":[{"ref":"n"},{"ref":"gone"}]},
{"id":"CVE-3","recommendation":"update","analysis":{"state":"exploitable","detail":"soon"},"affects":[{"ref":"app"}]},
{"id":"CVE-4","analysis":{"state":"resolved"},"affects":[{"ref":"j","versions":[{"version":"3.1.5"},{"range":"vers:pypi/<3"},{"version":"3.1.6","status":"unaffected"}]}]},
{"id":"CVE-5","analysis":{"state":"in_triage"},"affects":[{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:pypi/numpy@1%2Bcu118"}]},
{"id":"CVE-6","properties":[{"name":"sallyport:justification","value":"vulnerable_code_cannot_be_controlled_by_adversary"}],"analysis":{"state":"not_affected"}},
{"id":"CVE-7"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	in := func(ids ...string) Product { return Product{ID: "pkg:generic/readmission", Within: ids} }
	want := []Statement{
		{Vulnerability: "CVE-1", Aliases: []string{"GHSA-1"}, Status: NotAffected, Justification: CodeNotExecuted, Impact: "never called", Products: []Product{in("pkg:pypi/jinja2@3.1.4")}},
		{Vulnerability: "CVE-2", Status: NotAffected, Impact: "requires environment", Made: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Products: []Product{in("n"), in("gone")}},
		{Vulnerability: "CVE-3", Status: Affected, Action: "update", Notes: "soon", Products: []Product{{ID: "pkg:generic/readmission"}}},
		{Vulnerability: "CVE-4", Status: Fixed, Products: []Product{in("pkg:pypi/jinja2@3.1.5")}},
		{Vulnerability: "CVE-5", Status: UnderInvestigation, Products: []Product{{ID: "pkg:pypi/numpy@1+cu118"}}},
		{Vulnerability: "CVE-6", Status: NotAffected, Justification: CodeNotControlled},
	}
	for i, s := range d.Statements {
		want[i].Author, want[i].Line = "Rosa Ng", 5+i
		if want[i].Made.IsZero() {
			want[i].Made = made
		}
		if !reflect.DeepEqual(s, want[i]) {
			t.Errorf("\n got %+v\nwant %+v", s, want[i])
		}
	}
	if len(d.Statements) != len(want) || !d.Statements[0].Covers("jinja2", "3.1.4", project) || d.Statements[0].Covers("jinja2", "3.1.4") {
		t.Errorf("%d statements", len(d.Statements))
	}
}

// TestOracle has another reader of OpenVEX, lib4vex, find in what we write what
// we have written.
func TestOracle(t *testing.T) {
	d := whole()
	d.Statements[1].Products = []Product{{ID: "pkg:pypi/b"}} // it knows no product by anything but a package URL
	answer := oracle.Ask(t, "../bom/testdata/requirements.txt", "../bom/testdata/oracle.py",
		oracle.Job{"do": "vex", "kind": "openvex", "text": string(write(t, d))})[0]
	if !answer.OK() {
		t.Fatal(answer["error"])
	}
	if m := answer["metadata"].(map[string]any); m["id"] != d.ID || m["author"] != d.Author || m["timestamp"] != stamp(d.Made) {
		t.Errorf("%v", m)
	}
	for i, v := range answer["vulnerabilities"].([]any) {
		v, s := v.(map[string]any), d.Statements[i]
		reason, _ := v["justification"].(string)
		last := s.Products[len(s.Products)-1].ID // it keeps one
		if v["id"] != s.Vulnerability || v["status"] != s.Status || reason != s.Justification || v["purl"] != last || v["created"] != stamp(s.Made) {
			t.Errorf("%v, want %+v", v, s)
		}
	}
	if n := len(answer["vulnerabilities"].([]any)); n != len(d.Statements) {
		t.Errorf("%d statements", n)
	}
}

// FuzzRead wants of any bytes an error, or statements that cover nothing which
// the bytes do not name and that can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add(write(f, whole()))
	f.Add([]byte(`{"bomFormat":"CycloneDX","components":[{"bom-ref":"j","purl":"pkg:pypi/jinja2"}],"vulnerabilities":[{"id":"C","analysis":{"state":"resolved"},"affects":[{"ref":"j"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read("v", data)
		if err != nil {
			if sallyport.KindOf(err) == sallyport.Internal {
				t.Error(err)
			}
			return
		}
		named := bytes.ContainsAny(data, `%\`) || bytes.Contains(bytes.ToLower(data), []byte("zq")) // or perhaps, by an escape
		for i := range d.Statements {
			if !named && d.Statements[i].Covers("zq", "1", project) {
				t.Errorf("%+v", d.Statements[i])
			}
		}
		var b bytes.Buffer
		if Write(&b, d) != nil {
			return
		}
		again, err := Read("v", b.Bytes())
		if err != nil || len(again.Statements) != len(d.Statements) {
			t.Fatalf("%v: %s", err, b.Bytes())
		}
	})
}
