package deps

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

const decision = `ignore:
  - id: CVE-2026-1111
    package: Old_Lib
    owner: mara
    reason: never called
    expires: 2026-12-31
`

func TestPolicy(t *testing.T) {
	p, err := policy(nil)
	if err != nil || p.WarnAfter != 7*day || p.FailAfter != 30*day || p.Demand {
		t.Errorf("without a file: %+v, %v", p, err)
	}
	p, err = policy(map[string]string{PolicyFile: "warn-after: 1d\nfail-after: 2d\ncooldown: 9d\nindexes: [https://pypi.org/simple/]\n" + decision})
	if err != nil || p.WarnAfter != day || p.FailAfter != 2*day || p.Cooldown != 9*day || !p.Demand || p.Indexes[0] != "https://pypi.org/simple" {
		t.Errorf("%+v, %v", p, err)
	}
	if d := p.Ignore[0]; d.Package != "old-lib" || d.Owner != "mara" || d.Source != "sallyport.deps.yaml:6" || !d.lifts() {
		t.Errorf("%+v", d)
	}
}

func TestBadPolicy(t *testing.T) {
	for text, words := range map[string]string{
		"warn-afer: 1d":                  "did you mean warn-after",
		"warn-after: soon":               "a number of days",
		"fail-after: 9999d":              "more than a year",
		"warn-after: 9d\nfail-after: 2d": "shorter than",
		"indexes: [http://pypi.org]":     "https URL",
		"ignore: CVE-1":                  "list of decisions",
		strings.ReplaceAll(decision, "    owner: mara\n", ""):          "no owner",
		strings.ReplaceAll(decision, "    reason: never called\n", ""): "no reason",
		strings.ReplaceAll(decision, "    expires: 2026-12-31\n", ""):  "no expires",
		strings.ReplaceAll(decision, "2026-12-31", "soon"):             "is a day",
		decision + "    versions: newer\n":                             "version specifiers",
		decision + "    status: harmless\n":                            "none that OpenVEX has",
		decision + "    justification: because\n":                      "none that OpenVEX has",
		"vex: [../other.json]":                                         "path of a file of the project",
		"vex: [gone.json]":                                             "no such file",
		"vex: [bad.json]":                                              "bad.json",
	} {
		_, err := policy(map[string]string{PolicyFile: text, "bad.json": "{}"})
		e, _ := errors.AsType[*sallyport.Error](err)
		if !sallyport.Is(err, sallyport.Invalid) || !strings.Contains(err.Error()+e.Mend, words) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := policy(map[string]string{PolicyFile: strings.Repeat("#", maxPolicy+1)}); !sallyport.Is(err, sallyport.Limit) {
		t.Error(err)
	}
}

func TestDecisions(t *testing.T) {
	vexed := func(status, product, made string) map[string]string {
		return map[string]string{PolicyFile: "vex: [v.json]", "v.json": `{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "makers",
			"timestamp": "` + made + `", "version": 1, "statements": [{"vulnerability": {"name": "CVE-2026-1111"}, "products": [` + product + `],
			"status": "` + status + `", ` + map[bool]string{true: `"action_statement": "wait"`, false: `"justification": "vulnerable_code_not_present"`}[status == "affected"] + `}]}`}
	}
	ours := func(change ...string) map[string]string {
		return map[string]string{PolicyFile: strings.NewReplacer(change...).Replace(strings.ReplaceAll(decision, "Old_Lib", "oldlib"))}
	}
	for name, c := range map[string]struct {
		policy  map[string]string
		lock    string
		verdict Verdict
		idle    bool // the decision is said not to count
	}{
		"none":                        {nil, "oldlib==1.0", Blocked, false},
		"by alias":                    {ours(), "oldlib==1.0", Passed, false},
		"by ID in small letters":      {ours("CVE-2026-1111", "pysec-2026-1"), "oldlib==1.0", Passed, false},
		"about another advisory":      {ours("CVE-2026-1111", "CVE-2026-1112"), "oldlib==1.0", Blocked, true},
		"about another package":       {ours("package: oldlib", "package: newlib"), "oldlib==1.0", Blocked, true},
		"about these versions":        {ours("owner:", "versions: <1.1\n    owner:"), "oldlib==1.0", Passed, false},
		"about other versions":        {ours("owner:", "versions: <1.0\n    owner:"), "oldlib==1.0", Blocked, true},
		"on its last day":             {ours("2026-12-31", "2026-03-10"), "oldlib==1.0", Passed, false},
		"on the day after":            {ours("2026-12-31", "2026-03-09"), "oldlib==1.0", Blocked, true},
		"that it is affected":         {ours("owner:", "status: affected\n    owner:"), "oldlib==1.0", Blocked, false},
		"that it is looked into":      {ours("owner:", "status: under_investigation\n    owner:"), "oldlib==1.0", Blocked, false},
		"about a rule":                {ours("CVE-2026-1111", "unread"), "oldlib>=1", Passed, false},
		"about any attack":            {ours("CVE-2026-1111", "MAL-2026-1", "oldlib", "evil"), "evil==1", Blocked, true},
		"about one version":           {ours("CVE-2026-1111", "MAL-2026-1", "package: oldlib", "package: evil\n    versions: ==1"), "evil==1", Passed, false},
		"about many versions":         {ours("CVE-2026-1111", "MAL-2026-1", "package: oldlib", "package: evil\n    versions: \">=0\""), "evil==1", Blocked, true},
		"about all that is wrong":     {ours("CVE-2026-1111", "vulnerable"), "oldlib==1.0", Blocked, true},
		"VEX":                         {vexed("not_affected", `{"@id": "pkg:pypi/oldlib@1.0"}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Passed, false},
		"VEX about another version":   {vexed("not_affected", `{"@id": "pkg:pypi/oldlib@1.0.1"}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Blocked, false},
		"VEX that it is affected":     {vexed("affected", `{"@id": "pkg:pypi/oldlib@1.0"}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Blocked, false},
		"VEX of every version":        {vexed("not_affected", `{"@id": "pkg:pypi/oldlib"}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Passed, false},
		"our own VEX":                 {vexed("not_affected", `{"@id": "pkg:generic/demo", "subcomponents": [{"@id": "pkg:pypi/oldlib@1.0"}]}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Passed, false},
		"VEX of another's project":    {vexed("not_affected", `{"@id": "pkg:generic/other", "subcomponents": [{"@id": "pkg:pypi/oldlib@1.0"}]}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Blocked, false},
		"VEX about another's product": {vexed("not_affected", `{"@id": "pkg:npm/oldlib@1.0"}`, "2026-02-01T00:00:00Z"), "oldlib==1.0", Blocked, false},
	} {
		p, err := policy(c.policy)
		if err != nil {
			t.Fatal(name, err)
		}
		r, err := Check(context.Background(), list(t, map[string]string{"requirements.txt": c.lock}), Options{Now: today, Policy: p, Advisories: advisories(t, records, today)})
		if err != nil {
			t.Fatal(name, err)
		}
		idle, owned := false, r.Verdict != Passed
		for _, f := range r.Findings {
			idle = idle || f.Rule == BadDecision
			owned = owned || f.Decided != nil && f.Decided.Owner != "" && f.Decided.Reason != "" && f.Decided.Source != ""
		}
		if r.Verdict != c.verdict || idle != c.idle || !owned {
			t.Errorf("%s: %s %+v", name, r.Verdict, r.Findings)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(decision))
	f.Add([]byte("vex: [x]\nindexes: [https://a]\nwarn-after: 1d"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := policy(map[string]string{PolicyFile: string(b)})
		if err != nil {
			return
		}
		for _, d := range p.Ignore {
			if d.missing() != "" || !strings.HasPrefix(d.Source, PolicyFile+":") {
				t.Errorf("%+v", d)
			}
		}
	})
}
