package vex

import (
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/json"
)

// The contexts of the OpenVEX documents that are read begin like this.
const context02 = "https://openvex.dev/ns/v0.2."

// The keys of OpenVEX 0.2.0 in what decides what a statement covers.
var (
	statementKeys = []string{
		"@id", "version", "vulnerability", "timestamp", "last_updated", "products", "status", "supplier", "status_notes",
		"justification", "impact_statement", "action_statement", "action_statement_timestamp",
	}
	vulnerabilityKeys = []string{"@id", "name", "description", "aliases"}
	partKeys          = []string{"@id", "identifiers", "hashes"}
	productKeys       = append(slices.Clip(partKeys), "subcomponents")
)

// openVEX reads a document of OpenVEX 0.2.
func (r *reader) openVEX(root *json.Value) (*Document, error) {
	d := &Document{Version: 1}
	if context := root.Get("@context"); !strings.HasPrefix(context.Str(), context02) {
		return nil, sallyport.Errorf(sallyport.Newer, "a version of OpenVEX that is not known here").At("%s:%d", r.name, r.line(context.Off)).
			Try("convert it to OpenVEX 0.2.0")
	}
	err := r.texts(root, map[string]*string{"@id": &d.ID, "author": &d.Author, "role": &d.Role, "tooling": &d.Tooling})
	if err == nil {
		d.Made, err = r.time(root, "timestamp")
	}
	if err == nil {
		d.Updated, err = r.time(root, "last_updated")
	}
	if err != nil {
		return nil, err
	}
	if v := root.Get("version"); v != nil {
		n, ok := v.Int()
		if !ok || n < 1 || n > 1<<31-1 {
			return nil, r.fail(v, "version must be a number from 1")
		}
		d.Version = int(n)
	}
	if d.Author == "" {
		return nil, r.fail(root, "the document has no author")
	}
	list, err := r.items(root, "statements")
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		s, err := r.statement(v, d)
		if err != nil {
			return nil, err
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

// statement reads one statement.
func (r *reader) statement(v *json.Value, d *Document) (Statement, error) {
	s := Statement{Author: d.Author, Made: d.Made, Line: r.line(v.Off)}
	if err := r.only(v, "a statement", statementKeys...); err != nil {
		return s, err
	}
	err := r.texts(v, map[string]*string{
		"status": &s.Status, "justification": &s.Justification, "impact_statement": &s.Impact,
		"action_statement": &s.Action, "status_notes": &s.Notes, "supplier": &s.Supplier,
	})
	if err == nil {
		s.Made, err = r.latest(v, d.Made)
	}
	if err == nil {
		err = r.vulnerability(v, &s)
	}
	if err != nil {
		return s, err
	}
	products, err := r.items(v, "products")
	if err != nil {
		return s, err
	}
	for _, w := range products {
		p, err := r.product(w)
		if err != nil {
			return s, err
		}
		s.Products = append(s.Products, p)
	}
	wrong := s.wrong()
	if s.Made.IsZero() {
		wrong = "a statement without a time, in a document without one"
	}
	if wrong != "" {
		return s, r.fail(v, "%s", wrong)
	}
	return s, nil
}

// latest returns when a statement was last known to be true.
func (r *reader) latest(v *json.Value, otherwise time.Time) (time.Time, error) {
	made, err := r.time(v, "timestamp")
	if err != nil {
		return made, err
	}
	updated, err := r.time(v, "last_updated")
	switch {
	case updated.After(made):
		return updated, err
	case made.IsZero():
		return otherwise, err
	}
	return made, err
}

func (r *reader) vulnerability(v *json.Value, s *Statement) error {
	w := v.Get("vulnerability")
	if w == nil {
		return r.fail(v, "a statement about no vulnerability")
	}
	if err := r.only(w, "a vulnerability", vulnerabilityKeys...); err != nil {
		return err
	}
	name, err := r.text(w, "name")
	if err != nil {
		return err
	}
	s.Vulnerability = name
	aliases, err := r.items(w, "aliases")
	for _, a := range aliases {
		if a.Kind != json.String {
			return r.fail(a, "an alias must be a string")
		}
		s.Aliases = append(s.Aliases, a.Text)
	}
	return err
}

func (r *reader) product(v *json.Value) (Product, error) {
	var p Product
	err := r.only(v, "a product", productKeys...)
	if err == nil {
		p.ID, p.Purl, err = r.identifiers(v)
	}
	if err != nil {
		return p, err
	}
	parts, err := r.items(v, "subcomponents")
	if err != nil {
		return p, err
	}
	for _, w := range parts {
		if err := r.only(w, "a subcomponent", partKeys...); err != nil {
			return p, err
		}
		id, name, err := r.identifiers(w)
		if err != nil {
			return p, err
		}
		// One that goes by a hash alone stays, with no name: without it the
		// statement would be about all of the product.
		p.Within = append(p.Within, id)
		if name != "" {
			p.Within = append(p.Within, name)
		}
	}
	return p, nil
}

// identifiers returns what a product or a part of it goes by.
func (r *reader) identifiers(v *json.Value) (id, name string, err error) {
	if id, err = r.text(v, "@id"); err != nil {
		return "", "", err
	}
	if w := v.Get("identifiers"); w != nil {
		name, err = r.text(w, "purl")
	}
	return id, name, err
}

// wrong says what a statement lacks by OpenVEX, or "".
func (s *Statement) wrong() string {
	switch {
	case s.Vulnerability == "":
		return "a statement about a vulnerability without a name"
	case !slices.Contains(Statuses, s.Status):
		return "a statement without a status that OpenVEX has"
	case s.Justification != "" && s.Status != NotAffected:
		return "a justification is for what is not affected"
	case s.Justification != "" && !slices.Contains(Justifications, s.Justification):
		return "a justification that OpenVEX does not have"
	case s.Status == NotAffected && s.Justification == "" && s.Impact == "":
		return "a statement that something is not affected, and not why"
	case s.Status == Affected && s.Action == "":
		return "a statement that something is affected, and not what to do"
	}
	return ""
}
