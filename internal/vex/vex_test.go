package vex

import (
	"testing"
	"time"
)

const project = "pkg:generic/readmission@9f2c1ab"

// TestCovers wants of a statement no more than what it names.
func TestCovers(t *testing.T) {
	part := func(id string, parts ...string) []Product { return []Product{{ID: id, Within: parts}} }
	for name, c := range map[string]struct {
		products []Product
		want     bool
	}{
		"the version":                {part("pkg:pypi/jinja2@3.1.4"), true},
		"spelled otherwise":          {part("pkg:PyPI/Jinja2@v3.1.4.0"), true},
		"all versions":               {part("pkg:pypi/jinja2"), true},
		"another version":            {part("pkg:pypi/jinja2@3.1.5"), false},
		"no version at all":          {part("pkg:pypi/jinja2@latest"), false},
		"another package":            {part("pkg:pypi/jinja"), false},
		"another ecosystem":          {part("pkg:npm/jinja2@3.1.4"), false},
		"from somewhere":             {part("pkg:pypi/jinja2@3.1.4?repository_url=https:%2F%2Fexample.org"), false},
		"a part of it":               {part("pkg:pypi/jinja2@3.1.4#sandbox"), false},
		"no package":                 {part("https://example.org/jinja2"), false},
		"nothing":                    {nil, false},
		"beside an address":          {[]Product{{ID: "https://example.org/x", Purl: "pkg:pypi/jinja2@3.1.4"}}, true},
		"in the project":             {part(project, "pkg:pypi/jinja2@3.1.4"), true},
		"in all its versions":        {part("pkg:generic/readmission", "pkg:pypi/jinja2@3.1.4"), true},
		"in another version":         {part("pkg:generic/readmission@0000000", "pkg:pypi/jinja2@3.1.4"), false},
		"in another project":         {part("pkg:generic/billing", "pkg:pypi/jinja2@3.1.4"), false},
		"in nobody's project":        {part("", "pkg:pypi/jinja2@3.1.4"), false},
		"another part":               {part(project, "pkg:pypi/numpy"), false},
		"a part without a name":      {part(project, ""), false},
		"by a name that others use":  {[]Product{{ID: "urn:x", Purl: "pkg:generic/readmission", Within: []string{"pkg:pypi/jinja2"}}}, true},
		"the package in the package": {part("pkg:pypi/jinja2@3.1.4", "pkg:pypi/markupsafe"), false},
		"one of several":             {append(part("pkg:pypi/numpy"), part("pkg:pypi/jinja2")...), true},
	} {
		s := Statement{Products: c.products}
		if got := s.Covers("jinja2", "3.1.4", project, "readmission"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	within := Statement{Products: part("pkg:generic/readmission", "pkg:pypi/jinja2")}
	if within.Covers("jinja2", "3.1.4") {
		t.Error("a statement about a project holds where nobody says which project this is")
	}
}

// TestFind wants the last word, and where two were said at once the graver.
func TestFind(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	say := func(id, status string, n int, product string) Statement {
		return Statement{Vulnerability: id, Aliases: []string{"GHSA-1"}, Status: status, Made: day(n), Products: []Product{{ID: product}}}
	}
	docs := []*Document{
		{Statements: []Statement{say("CVE-1", NotAffected, 3, "pkg:pypi/a"), say("CVE-1", Affected, 2, "pkg:pypi/a"), say("CVE-2", Fixed, 1, "pkg:pypi/b")}},
		{Statements: []Statement{say("CVE-2", UnderInvestigation, 1, "pkg:pypi/b@1"), say("CVE-3", Affected, 9, "pkg:pypi/a")}},
	}
	for _, c := range []struct{ id, pkg, want string }{
		{"CVE-1", "a", NotAffected}, {"cve-1", "a", NotAffected}, {"CVE-2", "b", UnderInvestigation}, {"CVE-2", "a", ""}, {"GHSA-1", "a", Affected}, {"", "a", ""},
	} {
		got := Find(docs, []string{"X", c.id}, c.pkg, "1.0")
		if got == nil && c.want != "" || got != nil && got.Status != c.want {
			t.Errorf("%s in %s: %+v, want %q", c.id, c.pkg, got, c.want)
		}
	}
}
