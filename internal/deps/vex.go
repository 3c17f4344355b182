package deps

import (
	"io"
	"slices"

	"github.com/sallyport/sallyport/internal/bom"
	"github.com/sallyport/sallyport/internal/purl"
	"github.com/sallyport/sallyport/internal/vex"
)

// WriteVEX writes what is known about a project's advisories as OpenVEX: what
// was decided, and of the rest that it affects. It speaks of packages as parts of
// the project: that its code never calls something holds nowhere else.
func WriteVEX(w io.Writer, r *Report, project string) error {
	doc := &vex.Document{Author: project, Made: r.Checked, Version: 1, Tooling: "sallyport " + r.Version}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Hit != nil {
			doc.Statements = append(doc.Statements, *f.statement(r, project))
		}
	}
	return vex.Write(w, doc)
}

// statement is a finding about an advisory as VEX has it.
func (f *Finding) statement(r *Report, project string) *vex.Statement {
	s := &vex.Statement{Vulnerability: f.Hit.ID, Aliases: slices.Clone(f.Hit.Aliases), Made: r.Checked, Status: vex.Affected, Action: f.Try,
		Products: []vex.Product{{ID: bom.ProjectPURL(project, ""), Within: []string{purl.PURL{Type: purl.PyPI, Name: f.Package, Version: f.Version}.String()}}}}
	if d := f.Decided; d != nil {
		s.Status, s.Justification, s.Action = d.Status, d.Justification, ""
		s.Notes = "decided by " + d.Owner + " in " + d.Source
		if d.Status == vex.NotAffected {
			s.Impact = d.Reason
		}
	}
	return s
}

// Vulnerabilities lists what a check found about advisories, for a bill of
// materials.
func Vulnerabilities(r *Report, project string) []bom.Vulnerability {
	var out []bom.Vulnerability
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Hit == nil {
			continue
		}
		v := bom.Vulnerability{Package: f.Package, Version: f.Version, Hit: f.Hit}
		if f.Decided != nil {
			v.Decision = f.statement(r, project)
		}
		out = append(out, v)
	}
	return out
}
