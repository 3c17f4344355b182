package bom

import (
	"cmp"
	"io"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/lockfile"
)

// The parts of SPDX 2.3 that we have something to say in.
type (
	spdxDoc struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
		Annotations   []spdxAnnotation   `json:"annotations,omitempty"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID          string           `json:"SPDXID"`
		Name        string           `json:"name"`
		Version     string           `json:"versionInfo,omitempty"`
		Location    string           `json:"downloadLocation"`
		Analyzed    bool             `json:"filesAnalyzed"`
		Checksums   []spdxChecksum   `json:"checksums,omitempty"`
		Source      string           `json:"sourceInfo,omitempty"`
		Purpose     string           `json:"primaryPackagePurpose"`
		References  []spdxReference  `json:"externalRefs,omitempty"`
		Annotations []spdxAnnotation `json:"annotations,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxReference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
	spdxAnnotation struct {
		Date      string `json:"annotationDate"`
		Type      string `json:"annotationType"`
		Annotator string `json:"annotator"`
		Comment   string `json:"comment"`
	}
)

const (
	spdxDocument = "SPDXRef-DOCUMENT"
	spdxProject  = "SPDXRef-Project"
	noAssertion  = "NOASSERTION" // in SPDX: nobody knows, or says
)

// An spdx is a document that grows.
type spdx struct {
	doc      *Doc
	out      spdxDoc
	taken    names
	made     string
	refs     []string       // of the packages of the list
	carriers map[string]int // packages of the list by their names
}

func writeSPDX(w io.Writer, doc *Doc) error {
	// SPDX cannot do without a time: where nobody says one, it is the beginning of Unix's.
	s := spdx{doc: doc, taken: names{spdxDocument: true, spdxProject: true}, carriers: carriers(doc.List), made: stamp(time.Unix(0, 0))}
	if !doc.Made.IsZero() {
		s.made = stamp(doc.Made)
	}
	s.out = spdxDoc{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: spdxDocument, Name: doc.Name,
		Creation: spdxCreation{s.made, []string{s.tool()}},
		Packages: []spdxPackage{{
			ID: spdxProject, Name: doc.Name, Version: doc.Version, Location: noAssertion, Purpose: "APPLICATION",
			References: packageURL(ProjectPURL(doc.Name, doc.Version)),
		}},
	}
	s.relate(spdxDocument, "DESCRIBES", spdxProject)
	for i := range doc.List.Packages {
		s.addPackage(&doc.List.Packages[i])
	}
	for i := range doc.Parts {
		s.addPart(&doc.Parts[i])
	}
	s.connect()
	if err := s.addUnread(); err != nil {
		return err
	}
	return s.write(w)
}

// write names the document by what is in it, and writes it.
func (s *spdx) write(w io.Writer) (err error) {
	if s.out.Namespace, err = urn(s.out); err != nil {
		return err
	}
	b, err := encode(s.out)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func (s *spdx) tool() string { return "Tool: sallyport-" + cmp.Or(s.doc.Tool, "unknown") }

func (s *spdx) relate(from, how, to string) {
	s.out.Relationships = append(s.out.Relationships, spdxRelationship{from, how, to})
}

func (s *spdx) annotation(name, value string) spdxAnnotation {
	return spdxAnnotation{s.made, "OTHER", s.tool(), name + "=" + value}
}

func packageURL(name string) []spdxReference {
	return []spdxReference{{"PACKAGE-MANAGER", "purl", name}}
}

// idOf returns an identifier made of a text: letters, digits, points and dashes
// are all that it may have.
func (s *spdx) idOf(text string) string {
	return s.taken.next("SPDXRef-"+strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return '-'
	}, text), "-")
}

func (s *spdx) addPackage(p *lockfile.Package) {
	out := spdxPackage{
		ID: s.idOf("Package-" + p.Name + "-" + p.Version), Name: p.Name, Version: p.Version, Location: noAssertion,
		Purpose: "LIBRARY", References: packageURL(nameOf(p).String()),
	}
	if p.Place.File != "" {
		out.Source = p.Place.String()
	}
	for _, q := range propertiesOf(p) {
		out.Annotations = append(out.Annotations, s.annotation(q.Name, q.Value))
	}
	for _, h := range p.Hashes {
		// A checksum is that of the package; of several files none is.
		if algorithm, digits, ok := splitHash(h, spdxColumn); ok && len(p.Hashes) == 1 {
			out.Checksums = []spdxChecksum{{algorithm, digits}}
			continue
		}
		out.Annotations = append(out.Annotations, s.annotation(hashName, h))
	}
	s.refs = append(s.refs, out.ID)
	s.out.Packages = append(s.out.Packages, out)
}

// addPart adds a part, which the package that carries it contains.
func (s *spdx) addPart(p *Part) {
	out := spdxPackage{
		ID: s.idOf("Part-" + cmp.Or(p.Path, p.Name+"-"+p.Version)), Name: p.Name, Version: p.Version, Location: noAssertion,
		Source: p.Path, Purpose: "LIBRARY",
	}
	if p.Kind == Interpreter {
		out.Purpose = "APPLICATION"
	}
	if p.PURL != "" {
		out.References = packageURL(p.PURL)
	}
	if p.Digest != "" {
		out.Checksums = []spdxChecksum{{"SHA256", p.Digest.Hex()}}
	}
	s.out.Packages = append(s.out.Packages, out)
	carrier := spdxProject
	if i, ok := s.carriers[p.Package]; ok {
		carrier = s.refs[i]
	}
	s.relate(carrier, "CONTAINS", out.ID)
}

// connect writes what needs what. That there is more than is said is a
// dependency on nobody knows what.
func (s *spdx) connect() {
	g := graphOf(s.doc.List)
	for _, i := range g.direct {
		s.relate(spdxProject, "DEPENDS_ON", s.refs[i])
	}
	for i, needs := range g.needs {
		for _, j := range needs {
			s.relate(s.refs[i], "DEPENDS_ON", s.refs[j])
		}
	}
	if len(s.doc.List.Unread) > 0 {
		s.relate(spdxProject, "DEPENDS_ON", noAssertion)
	}
}

// addUnread adds what was asked for and could not be read.
func (s *spdx) addUnread() error {
	for _, u := range s.doc.List.Unread {
		value, err := compact(u)
		if err != nil {
			return err
		}
		s.out.Annotations = append(s.out.Annotations, s.annotation(unreadName, value))
	}
	return nil
}
