// Package vex reads and writes statements about whether a vulnerability of a
// component matters to a product (VEX).
//
// OpenVEX 0.2.0 is read and written. VEX within a CycloneDX document is read
// too, and comes out as the same statements.
//
// A statement silences findings, so what it says is taken at its narrowest: it
// covers what it names and nothing beside it, and a document of which one
// statement cannot be understood is refused as a whole.
package vex

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
	"github.com/sallyport/sallyport/internal/purl"
)

// The statuses of a vulnerability in a product, by OpenVEX.
const (
	NotAffected        = "not_affected"
	Affected           = "affected"
	Fixed              = "fixed"
	UnderInvestigation = "under_investigation"
)

// Statuses are all there are.
var Statuses = []string{NotAffected, Affected, Fixed, UnderInvestigation}

// Why a product is not affected, by OpenVEX.
const (
	ComponentNotPresent = "component_not_present"
	CodeNotPresent      = "vulnerable_code_not_present"
	CodeNotExecuted     = "vulnerable_code_not_in_execute_path"
	CodeNotControlled   = "vulnerable_code_cannot_be_controlled_by_adversary"
	Mitigated           = "inline_mitigations_already_exist"
)

// Justifications are all there are.
var Justifications = []string{ComponentNotPresent, CodeNotPresent, CodeNotExecuted, CodeNotControlled, Mitigated}

// A Document is statements that somebody vouches for.
type Document struct {
	ID         string // an IRI; Write makes one where there is none
	Author     string
	Role       string
	Made       time.Time // zero: each statement has a time of its own
	Updated    time.Time // zero: never
	Version    int
	Tooling    string
	Statements []Statement
}

// A Statement says what a vulnerability means to products.
type Statement struct {
	Vulnerability string   // its name: "CVE-2026-1234"
	Aliases       []string // its other names
	Products      []Product
	Status        string
	Justification string    // for NotAffected
	Impact        string    // for NotAffected: why, in words
	Action        string    // for Affected: what to do
	Notes         string    // how the status came about
	Supplier      string    // of the product
	Made          time.Time // when it was last known to be true; the document's, where it has no time of its own
	Author        string    // the document's
	Line          int       // of the document that was read, where it begins
}

// A Product is what a statement is about: a thing, or parts of it.
type Product struct {
	ID     string   // an IRI, a purl as a rule
	Purl   string   // beside an ID that is none
	Within []string // purls or IRIs of its parts which the statement is about; none: all of it
}

// Names reports whether the statement is about the vulnerability with any of
// these names.
func (s *Statement) Names(ids ...string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		same := func(name string) bool { return strings.EqualFold(name, id) }
		return same(s.Vulnerability) || slices.ContainsFunc(s.Aliases, same)
	})
}

// Covers reports whether the statement is about a version of a Python package:
// as a product of its own, in which case it holds wherever the package is, or
// as a part of the project, which goes by any of the given identifiers. What a
// statement says of a part of some other product holds there and not here, and
// what it says of the project without a version holds in all.
func (s *Statement) Covers(name, version string, project ...string) bool {
	return slices.ContainsFunc(s.Products, func(p Product) bool {
		if len(p.Within) == 0 {
			return covers(p.ID, name, version) || covers(p.Purl, name, version)
		}
		ours := slices.ContainsFunc(project, func(id string) bool { return isProject(p.ID, id) || isProject(p.Purl, id) })
		return ours && slices.ContainsFunc(p.Within, func(id string) bool { return covers(id, name, version) })
	})
}

// isProject reports whether what a statement names is the project: as it is
// called, or all versions of it.
func isProject(said, project string) bool {
	if said == "" || said == project {
		return said != ""
	}
	p, err := purl.Parse(said)
	q, otherErr := purl.Parse(project)
	if err != nil || otherErr != nil || p.Version != "" {
		return false
	}
	q.Version = ""
	return p.String() == q.String()
}

// covers reports whether an identifier is that of a version of a Python package.
// Without a version it is that of all. A purl that says more, like where the
// package comes from, is about something more special than we were asked about.
func covers(id, name, version string) bool {
	p, err := purl.Parse(id)
	if err != nil || p.Type != purl.PyPI || p.Namespace != "" || len(p.Qualifiers) > 0 || p.Subpath != "" || pep508.Normal(p.Name) != pep508.Normal(name) {
		return false
	}
	if p.Version == "" || p.Version == version {
		return true
	}
	said, err := pep440.Parse(p.Version)
	if err != nil {
		return false
	}
	asked, err := pep440.Parse(version)
	return err == nil && said.Compare(asked) == 0
}

// Find returns what the documents say last about a vulnerability, which goes by
// any of the names, in a version of a package: of all statements that cover it
// the one that was made last, and of those made at once the gravest. Where
// nobody says anything it returns nil.
func Find(docs []*Document, ids []string, name, version string, project ...string) *Statement {
	var last *Statement
	for _, d := range docs {
		for i := range d.Statements {
			s := &d.Statements[i]
			if s.Names(ids...) && s.Covers(name, version, project...) && (last == nil || s.after(last)) {
				last = s
			}
		}
	}
	return last
}

// after reports whether s takes the place of t.
func (s *Statement) after(t *Statement) bool {
	return cmp.Or(s.Made.Compare(t.Made), cmp.Compare(gravity(s.Status), gravity(t.Status))) > 0
}

func gravity(status string) int {
	return slices.Index([]string{NotAffected, Fixed, UnderInvestigation, Affected}, status)
}
