package vex

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
)

// What is written of OpenVEX 0.2.0.
type (
	outDocument struct {
		Context    string         `json:"@context"`
		ID         string         `json:"@id"`
		Author     string         `json:"author"`
		Role       string         `json:"role,omitempty"`
		Timestamp  string         `json:"timestamp"`
		Updated    string         `json:"last_updated,omitempty"`
		Version    int            `json:"version"`
		Tooling    string         `json:"tooling,omitempty"`
		Statements []outStatement `json:"statements"`
	}
	outStatement struct {
		Vulnerability outVulnerability `json:"vulnerability"`
		Timestamp     string           `json:"timestamp"`
		Products      []outProduct     `json:"products,omitempty"`
		Status        string           `json:"status"`
		Supplier      string           `json:"supplier,omitempty"`
		Notes         string           `json:"status_notes,omitempty"`
		Justification string           `json:"justification,omitempty"`
		Impact        string           `json:"impact_statement,omitempty"`
		Action        string           `json:"action_statement,omitempty"`
	}
	outVulnerability struct {
		Name    string   `json:"name"`
		Aliases []string `json:"aliases,omitempty"`
	}
	outProduct struct {
		ID          string          `json:"@id,omitempty"`
		Identifiers *outIdentifiers `json:"identifiers,omitempty"`
		Parts       []outPart       `json:"subcomponents,omitempty"`
	}
	outIdentifiers struct {
		PURL string `json:"purl"`
	}
	outPart struct {
		ID string `json:"@id"`
	}
)

// Write writes a document as OpenVEX 0.2.0. The same document makes the same
// bytes: one without an ID is named by what is in it.
func Write(w io.Writer, d *Document) error {
	if d.Author == "" || d.Made.IsZero() || len(d.Statements) == 0 {
		return sallyport.Errorf(sallyport.Invalid, "a VEX document needs an author, a time and a statement")
	}
	out := outDocument{
		Context: context02 + "0", ID: d.ID, Author: d.Author, Role: d.Role, Timestamp: stamp(d.Made),
		Version: max(d.Version, 1), Tooling: d.Tooling,
	}
	if !d.Updated.IsZero() {
		out.Updated = stamp(d.Updated)
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if wrong := s.wrong(); wrong != "" {
			return sallyport.Errorf(sallyport.Invalid, "%s", wrong).At("statement %d", i+1)
		}
		out.Statements = append(out.Statements, s.out(d))
	}
	if out.ID == "" {
		b, err := encode(out)
		if err != nil {
			return err
		}
		out.ID = "https://openvex.dev/docs/public/vex-" + sallyport.Sum(b).Hex()
	}
	b, err := encode(out)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// out is a statement as it is written. By the schema of OpenVEX a justification
// and an impact statement exclude each other, so that the words beside a
// justification become notes. A time is written even where it is the
// document's: not every reader looks there.
func (s *Statement) out(d *Document) outStatement {
	o := outStatement{
		Vulnerability: outVulnerability{s.Vulnerability, s.Aliases}, Status: s.Status, Supplier: s.Supplier, Notes: s.Notes,
		Justification: s.Justification, Impact: s.Impact, Action: s.Action,
	}
	if o.Justification != "" && o.Impact != "" {
		o.Impact, o.Notes = "", strings.TrimSuffix(s.Impact+"\n"+s.Notes, "\n")
	}
	if o.Timestamp = stamp(d.Made); !s.Made.IsZero() {
		o.Timestamp = stamp(s.Made)
	}
	for _, p := range s.Products {
		q := outProduct{ID: p.ID}
		if p.Purl != "" {
			q.Identifiers = &outIdentifiers{p.Purl}
		}
		for _, id := range p.Within {
			q.Parts = append(q.Parts, outPart{id})
		}
		o.Products = append(o.Products, q)
	}
	return o
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "a VEX document cannot be written as JSON: %w", err)
	}
	return b.Bytes(), nil
}
