package bom

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// An spdxReader reads an SPDX document into an assembly.
type spdxReader struct {
	*stream
	a *assembly
}

func readSPDX(s *stream, a *assembly) error {
	r, version := spdxReader{s, a}, ""
	t, err := s.next()
	if err != nil {
		return err
	}
	err = s.object(t, func(key string, t json.Token) error {
		switch key {
		case "spdxVersion":
			return s.text(t, &version)
		case "packages":
			return s.array(t, r.element)
		case "relationships":
			return s.array(t, r.relationship)
		case "annotations":
			return r.documentAnnotations(t)
		case "documentDescribes":
			return s.array(t, func(t json.Token) error {
				var id string
				err := s.text(t, &id)
				r.describe(id)
				return err
			})
		case "externalDocumentRefs":
			return s.array(t, r.elsewhere)
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err == nil && version != "SPDX-2.2" && version != "SPDX-2.3" {
		err = s.newer("SPDX")
	}
	return err
}

// describe takes note of what the document is about, which it may say twice.
func (r spdxReader) describe(id string) {
	if !slices.Contains(r.a.subjects, id) {
		r.a.subjects = append(r.a.subjects, id)
	}
}

// elsewhere takes note of a document that holds a part of this one.
func (r spdxReader) elsewhere(t json.Token) error {
	r.a.unread = append(r.a.unread, lockfile.Unread{
		Place: lockfile.Place{File: r.name, Line: r.lineAt(t.Off)}, Reason: lockfile.Missing, Wants: "another document, which this one refers to",
	})
	return nil
}

// element reads a package.
func (r spdxReader) element(t json.Token) error {
	it := item{line: r.lineAt(t.Off)}
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "SPDXID":
			return r.text(t, &it.ref)
		case "name":
			return r.text(t, &it.name)
		case "versionInfo":
			return r.text(t, &it.version)
		case "externalRefs":
			return r.array(t, func(t json.Token) error { return r.reference(t, &it) })
		case "checksums":
			return r.array(t, func(t json.Token) error { return r.checksum(t, &it) })
		case "annotations":
			return r.annotations(t, &it.properties)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if it.version == noAssertion || it.version == "NONE" {
		it.version = ""
	}
	return r.a.add(it)
}

func (r spdxReader) reference(t json.Token, it *item) error {
	var kind, locator string
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "referenceType":
			return r.text(t, &kind)
		case "referenceLocator":
			return r.text(t, &locator)
		}
		return nil
	})
	if strings.HasSuffix(kind, "purl") { // it may be written as the URI of the type
		it.purls = append(it.purls, locator)
	}
	return err
}

func (r spdxReader) checksum(t json.Token, it *item) error {
	var algorithm, value string
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "algorithm":
			return r.text(t, &algorithm)
		case "checksumValue":
			return r.text(t, &value)
		}
		return nil
	})
	if name := translate(algorithm, spdxColumn, lockColumn); name != "" && value != "" {
		it.hashes = append(it.hashes, name+":"+strings.ToLower(value))
	}
	return err
}

func (r spdxReader) documentAnnotations(t json.Token) error {
	line := r.lineAt(t.Off)
	var all []property
	if err := r.annotations(t, &all); err != nil {
		return err
	}
	for _, q := range all {
		r.a.property(q, line)
	}
	return nil
}

// annotations keeps those that are our properties.
func (r spdxReader) annotations(t json.Token, to *[]property) error {
	return r.array(t, func(t json.Token) error {
		return r.object(t, func(key string, t json.Token) error {
			if key != "comment" || t.Kind != json.String || !strings.HasPrefix(t.String(), ours) {
				return nil
			}
			var comment string
			err := r.text(t, &comment)
			name, value, _ := strings.Cut(comment, "=")
			*to = append(*to, property{name, value})
			return err
		})
	})
}

// relationship reads an edge. A dependency on something that nobody knows is a
// document that says of itself that it is incomplete.
func (r spdxReader) relationship(t json.Token) error {
	var from, kind, to string
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "spdxElementId":
			return r.text(t, &from)
		case "relationshipType":
			return r.text(t, &kind)
		case "relatedSpdxElement":
			return r.text(t, &to)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case kind == "DESCRIBES":
		r.describe(to)
	case kind == "DESCRIBED_BY":
		r.describe(from)
	case kind == "DEPENDS_ON" && to == noAssertion:
		r.a.incomplete = true
	case kind == "DEPENDS_ON":
		return r.a.edge(from, to)
	case strings.HasSuffix(kind, "DEPENDENCY_OF"): // of development, of the build, optional…
		return r.a.edge(to, from)
	}
	return nil
}
