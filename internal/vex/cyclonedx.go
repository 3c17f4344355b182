package vex

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/purl"
)

// What CycloneDX calls a status, and why it is so. Of its reasons those are left
// out that say less than any of OpenVEX's: they stay words.
var (
	cycloneDXStates = map[string]string{
		"resolved": Fixed, "resolved_with_pedigree": Fixed, "exploitable": Affected, "in_triage": UnderInvestigation,
		"false_positive": NotAffected, "not_affected": NotAffected,
	}
	cycloneDXReasons = map[string]string{
		"code_not_present": CodeNotPresent, "code_not_reachable": CodeNotExecuted, "protected_by_compiler": Mitigated,
		"protected_at_runtime": Mitigated, "protected_at_perimeter": Mitigated, "protected_by_mitigating_control": Mitigated,
	}
)

// Justification is the property of a vulnerability in a bill of materials of
// ours that has the reason as OpenVEX calls it, whose words are finer.
const Justification = "sallyport:justification"

// cycloneDX reads the analyses of a CycloneDX document's vulnerabilities. One
// that nobody has analysed is no statement.
func (r *reader) cycloneDX(root *json.Value) (*Document, error) {
	d := &Document{Version: 1}
	metadata := root.Get("metadata")
	var err error
	if d.ID, err = r.text(root, "serialNumber"); err != nil {
		return nil, err
	}
	if metadata != nil {
		if d.Made, err = r.time(metadata, "timestamp"); err != nil {
			return nil, err
		}
	}
	d.Author = authorOf(metadata)
	names := map[string]string{}
	subject := nameOf(metadata.Get("component"))
	collect(metadata.Get("component"), names)
	collect(root, names)
	list, err := r.items(root, "vulnerabilities")
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if v.Get("analysis").Get("state") == nil {
			continue
		}
		s, err := r.analysis(v, d)
		if err != nil {
			return nil, err
		}
		affects, err := r.items(v, "affects")
		if err != nil {
			return nil, err
		}
		for _, a := range affects {
			s.Products = append(s.Products, affected(a, subject, names)...)
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

// authorOf returns who vouches for a document, where it says so.
func authorOf(metadata *json.Value) string {
	author := ""
	if list := metadata.Get("authors"); list.Is(json.Array) && len(list.Items) > 0 {
		author = list.Items[0].Get("name").Str()
	}
	return cmp.Or(author, metadata.Get("manufacturer").Get("name").Str(), metadata.Get("supplier").Get("name").Str())
}

// nameOf returns what a component goes by, its package URL as a rule; "" if v is
// nil.
func nameOf(v *json.Value) string {
	return cmp.Or(v.Get("purl").Str(), v.Get("bom-ref").Str(), v.Get("name").Str())
}

// collect gathers the names of a component's components by their references. It
// calls itself as deep as the reader of JSON lets the document nest.
func collect(v *json.Value, names map[string]string) {
	if ref := v.Get("bom-ref").Str(); ref != "" {
		names[ref] = nameOf(v)
	}
	if list := v.Get("components"); list.Is(json.Array) {
		for _, c := range list.Items {
			collect(c, names)
		}
	}
}

// analysis reads what somebody has decided about a vulnerability.
func (r *reader) analysis(v *json.Value, d *Document) (Statement, error) {
	a := v.Get("analysis")
	s := Statement{Author: d.Author, Line: r.line(v.Off), Status: cycloneDXStates[a.Get("state").Str()]}
	if s.Status == "" {
		return s, r.fail(a, "an analysis with a state that CycloneDX does not have")
	}
	reason, detail, made := "", "", d.Made
	err := r.texts(a, map[string]*string{"justification": &reason, "detail": &detail})
	if err == nil {
		err = r.texts(v, map[string]*string{"id": &s.Vulnerability, "recommendation": &s.Action})
	}
	if err != nil {
		return s, err
	}
	if s.Vulnerability == "" {
		return s, r.fail(v, "an analysis of a vulnerability without an id")
	}
	for _, key := range []string{"firstIssued", "lastUpdated"} {
		t, err := r.time(a, key)
		if err != nil {
			return s, err
		}
		if !t.IsZero() {
			made = t
		}
	}
	s.Made = made
	references, err := r.items(v, "references")
	if err != nil {
		return s, err
	}
	for _, w := range references {
		if id := w.Get("id").Str(); id != "" {
			s.Aliases = append(s.Aliases, id)
		}
	}
	s.explain(reason, detail, exactReason(v))
	return s, nil
}

// explain says why a statement has its status.
func (s *Statement) explain(reason, detail, exact string) {
	if s.Status != NotAffected {
		s.Notes = detail
		return
	}
	s.Action, s.Impact = "", detail
	s.Justification = cmp.Or(exact, cycloneDXReasons[reason])
	if s.Justification == "" {
		s.Impact = strings.Trim(strings.ReplaceAll(reason, "_", " ")+": "+detail, ": ")
	}
}

// exactReason returns OpenVEX's word for the reason, where the document is ours.
func exactReason(v *json.Value) string {
	list := v.Get("properties")
	if !list.Is(json.Array) {
		return ""
	}
	for _, p := range list.Items {
		s := Statement{Vulnerability: "any", Status: NotAffected, Justification: p.Get("value").Str()}
		if p.Get("name").Str() == Justification && s.Justification != "" && s.wrong() == "" {
			return s.Justification
		}
	}
	return ""
}

// affected returns what an analysis is about: parts of what the document
// describes, or things of their own where it does not say what that is. Where
// versions are listed it is about those; ranges are nothing that we can name.
func affected(a *json.Value, subject string, names map[string]string) []Product {
	ref := a.Get("ref").Str()
	elsewhere := strings.HasPrefix(ref, "urn:cdx:")
	if elsewhere {
		_, fragment, _ := strings.Cut(ref, "#")
		ref, _ = url.PathUnescape(fragment)
	}
	id := cmp.Or(names[ref], ref)
	ids := []string{id}
	if list := a.Get("versions"); list.Is(json.Array) && len(list.Items) > 0 {
		ids = ids[:0]
		for _, v := range list.Items {
			u, err := purl.Parse(id)
			if version := v.Get("version").Str(); err == nil && version != "" && v.Get("status").Str() != "unaffected" {
				u.Version = version
				ids = append(ids, u.String())
			}
		}
	}
	var out []Product
	for _, id := range ids {
		if subject == "" || elsewhere || id == subject {
			out = append(out, Product{ID: id})
		} else {
			out = append(out, Product{ID: subject, Within: []string{id}})
		}
	}
	return out
}
