package bom

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
)

// cycloneDXVersions are those that are read. What 1.7 has beyond 1.6 and says of
// packages is a range in the place of a version.
var cycloneDXVersions = []string{"1.2", "1.3", "1.4", "1.5", "1.6", "1.7"}

// A cdxReader reads a CycloneDX document into an assembly.
type cdxReader struct {
	*stream
	a *assembly
}

func readCycloneDX(s *stream, a *assembly) error {
	r, version := cdxReader{s, a}, ""
	t, err := s.next()
	if err != nil {
		return err
	}
	err = s.object(t, func(key string, t json.Token) error {
		switch key {
		case "specVersion":
			return s.text(t, &version)
		case "metadata":
			return s.object(t, r.metadata)
		case "components":
			return s.array(t, func(t json.Token) error { return r.component(t, false) })
		case "dependencies":
			return s.array(t, r.dependency)
		case "compositions":
			return s.array(t, r.composition)
		case "properties":
			return r.documentProperties(t)
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err == nil && !slices.Contains(cycloneDXVersions, version) {
		err = s.newer("CycloneDX")
	}
	return err
}

func (r cdxReader) metadata(key string, t json.Token) error {
	switch key {
	case "component":
		return r.component(t, true)
	case "properties":
		return r.documentProperties(t)
	}
	return nil
}

func (r cdxReader) documentProperties(t json.Token) error {
	line := r.lineAt(t.Off)
	var all []property
	if err := r.properties(t, &all); err != nil {
		return err
	}
	for _, q := range all {
		r.a.property(q, line)
	}
	return nil
}

// component reads a component and those within it. It calls itself as deep as
// the reader of JSON lets the document nest.
func (r cdxReader) component(t json.Token, subject bool) error {
	it := item{line: r.lineAt(t.Off)}
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "bom-ref":
			return r.text(t, &it.ref)
		case "name":
			return r.text(t, &it.name)
		case "version":
			return r.text(t, &it.version)
		case "versionRange":
			return r.text(t, &it.span)
		case "purl":
			var name string
			err := r.text(t, &name)
			if name != "" {
				it.purls = append(it.purls, name)
			}
			return err
		case "hashes":
			return r.hashes(t, &it.hashes)
		case "externalReferences":
			return r.array(t, func(t json.Token) error { return r.reference(t, &it) })
		case "properties":
			return r.properties(t, &it.properties)
		case "components":
			return r.array(t, func(t json.Token) error { return r.component(t, false) })
		}
		return nil
	})
	if err != nil {
		return err
	}
	if subject {
		if it.ref == "" {
			it.ref = "the subject" // without a reference nothing can need it; we must be able to
		}
		r.a.subjects = append(r.a.subjects, it.ref)
	}
	return r.a.add(it)
}

// reference keeps the hashes of distributions.
func (r cdxReader) reference(t json.Token, it *item) error {
	var kind string
	var hashes []string
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "type":
			return r.text(t, &kind)
		case "hashes":
			return r.hashes(t, &hashes)
		}
		return nil
	})
	if kind == "distribution" {
		it.hashes = append(it.hashes, hashes...)
	}
	return err
}

func (r cdxReader) hashes(t json.Token, to *[]string) error {
	return r.array(t, func(t json.Token) error {
		var algorithm, content string
		err := r.object(t, func(key string, t json.Token) error {
			switch key {
			case "alg":
				return r.text(t, &algorithm)
			case "content":
				return r.text(t, &content)
			}
			return nil
		})
		if name := translate(algorithm, cycloneDXColumn, lockColumn); name != "" && content != "" {
			*to = append(*to, name+":"+strings.ToLower(content))
		}
		return err
	})
}

func (r cdxReader) properties(t json.Token, to *[]property) error {
	return r.array(t, func(t json.Token) error {
		var q property
		err := r.object(t, func(key string, t json.Token) error {
			switch key {
			case "name":
				return r.text(t, &q.Name)
			case "value":
				if t.Cut && !strings.HasPrefix(q.Name, ours) {
					return nil // of any length, and of no concern
				}
				return r.text(t, &q.Value)
			}
			return nil
		})
		if strings.HasPrefix(q.Name, ours) {
			*to = append(*to, q)
		}
		return err
	})
}

func (r cdxReader) dependency(t json.Token) error {
	var ref string
	var on []string
	err := r.object(t, func(key string, t json.Token) error {
		switch key {
		case "ref":
			return r.text(t, &ref)
		case "dependsOn":
			return r.array(t, func(t json.Token) error {
				var to string
				err := r.text(t, &to)
				on = append(on, to)
				return err
			})
		}
		return nil
	})
	for _, to := range on {
		if err == nil {
			err = r.a.edge(ref, to)
		}
	}
	return err
}

// composition takes note of a document that says of a part of itself that it is
// incomplete. That nobody knows is what most say, and says nothing.
func (r cdxReader) composition(t json.Token) error {
	var aggregate string
	err := r.object(t, func(key string, t json.Token) error {
		if key == "aggregate" {
			return r.text(t, &aggregate)
		}
		return nil
	})
	r.a.incomplete = r.a.incomplete || strings.HasPrefix(aggregate, "incomplete")
	return err
}
