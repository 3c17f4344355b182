package bom

import (
	"cmp"
	"io"

	"github.com/sallyport/sallyport/internal/lockfile"
)

// The parts of CycloneDX 1.6 (ECMA-424) that we have something to say in.
type (
	cdxDoc struct {
		Schema          string             `json:"$schema"`
		Format          string             `json:"bomFormat"`
		SpecVersion     string             `json:"specVersion"`
		Serial          string             `json:"serialNumber,omitempty"`
		Version         int                `json:"version"`
		Metadata        cdxMetadata        `json:"metadata"`
		Components      []cdxComponent     `json:"components"`
		Dependencies    []cdxDependency    `json:"dependencies,omitempty"`
		Compositions    []cdxComposition   `json:"compositions"`
		Vulnerabilities []cdxVulnerability `json:"vulnerabilities,omitempty"`
		Properties      []property         `json:"properties,omitempty"`
	}
	cdxMetadata struct {
		Timestamp string       `json:"timestamp,omitempty"`
		Tools     cdxTools     `json:"tools"`
		Component cdxComponent `json:"component"`
	}
	cdxTools struct {
		Components []cdxComponent `json:"components"`
	}
	cdxComponent struct {
		Type       string         `json:"type"`
		Ref        string         `json:"bom-ref,omitempty"`
		Name       string         `json:"name"`
		Version    string         `json:"version,omitempty"`
		Scope      string         `json:"scope,omitempty"`
		Hashes     []cdxHash      `json:"hashes,omitempty"`
		PURL       string         `json:"purl,omitempty"`
		References []cdxReference `json:"externalReferences,omitempty"`
		Components []cdxComponent `json:"components,omitempty"`
		Evidence   *cdxEvidence   `json:"evidence,omitempty"`
		Properties []property     `json:"properties,omitempty"`
	}
	cdxHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	cdxReference struct {
		Type   string    `json:"type"`
		URL    string    `json:"url"`
		Hashes []cdxHash `json:"hashes,omitempty"`
	}
	cdxEvidence struct {
		Occurrences []cdxOccurrence `json:"occurrences"`
	}
	cdxOccurrence struct {
		Location string `json:"location"`
		Line     int    `json:"line,omitempty"`
	}
	cdxDependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
	cdxComposition struct {
		Aggregate    string   `json:"aggregate"`
		Assemblies   []string `json:"assemblies,omitempty"`
		Dependencies []string `json:"dependencies,omitempty"`
	}
)

// A cycloneDX is a document that grows.
type cycloneDX struct {
	doc      *Doc
	out      cdxDoc
	taken    names
	refs     []string       // of the packages of the list
	carriers map[string]int // packages of the list by their names
}

func writeCycloneDX(w io.Writer, doc *Doc) error {
	project := ProjectPURL(doc.Name, doc.Version)
	c := cycloneDX{doc: doc, taken: names{project: true}, carriers: carriers(doc.List), out: cdxDoc{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: cdxMetadata{
			Tools:     cdxTools{[]cdxComponent{{Type: "application", Name: "sallyport", Version: doc.Tool}}},
			Component: cdxComponent{Type: "application", Ref: project, Name: doc.Name, Version: doc.Version, PURL: project},
		},
		Components: []cdxComponent{},
	}}
	if !doc.Made.IsZero() {
		c.out.Metadata.Timestamp = stamp(doc.Made)
	}
	for i := range doc.List.Packages {
		c.addPackage(&doc.List.Packages[i])
	}
	for i := range doc.Parts {
		c.addPart(&doc.Parts[i])
	}
	c.connect(project)
	if err := c.addUnread(); err != nil {
		return err
	}
	if err := c.addVulnerabilities(); err != nil {
		return err
	}
	return c.write(w)
}

// write names the document by what is in it, and writes it.
func (c *cycloneDX) write(w io.Writer) (err error) {
	if c.out.Serial, err = urn(c.out); err != nil {
		return err
	}
	b, err := encode(c.out)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func (c *cycloneDX) addPackage(p *lockfile.Package) {
	name := nameOf(p).String()
	out := cdxComponent{
		Type: "library", Ref: c.taken.next(name, "#"), Name: p.Name, Version: p.Version, PURL: name,
		Properties: propertiesOf(p),
	}
	if len(p.Groups) > 0 {
		out.Scope = "optional"
	}
	if p.Place.File != "" {
		out.Evidence = &cdxEvidence{[]cdxOccurrence{{p.Place.File, p.Place.Line}}}
	}
	out.addHashes(p.Hashes)
	c.refs = append(c.refs, out.Ref)
	c.out.Components = append(c.out.Components, out)
}

// addHashes adds the hashes of a package's files. The hash of a component is
// that of its bytes, so only one that is alone can be. Several are those of
// distributions, any of which may be installed: a reference for each, which has
// no better address than the package's own, since locks may not tell it.
func (c *cdxComponent) addHashes(hashes []string) {
	for _, h := range hashes {
		algorithm, digits, ok := splitHash(h, cycloneDXColumn)
		switch hash := []cdxHash{{algorithm, digits}}; {
		case !ok:
			c.Properties = append(c.Properties, property{hashName, h})
		case len(hashes) == 1:
			c.Hashes = hash
		default:
			c.References = append(c.References, cdxReference{"distribution", c.PURL, hash})
		}
	}
}

// addPart adds a part to the package that carries it, or to the project.
func (c *cycloneDX) addPart(p *Part) {
	out := cdxComponent{
		Type: "library", Ref: c.taken.next("part:"+cmp.Or(p.Path, p.Name+"@"+p.Version), "#"),
		Name: p.Name, Version: p.Version, PURL: p.PURL,
	}
	if p.Kind == Interpreter {
		out.Type = "platform"
	}
	if p.Digest != "" {
		out.Hashes = []cdxHash{{"SHA-256", p.Digest.Hex()}}
	}
	if p.Path != "" {
		out.Evidence = &cdxEvidence{[]cdxOccurrence{{Location: p.Path}}}
	}
	if i, ok := c.carriers[p.Package]; ok {
		c.out.Components[i].Components = append(c.out.Components[i].Components, out)
		return
	}
	c.out.Components = append(c.out.Components, out)
}

// connect writes what needs what, and how much of all this is known.
func (c *cycloneDX) connect(project string) {
	g := graphOf(c.doc.List)
	refs := func(of []int) (out []string) {
		for _, i := range of {
			out = append(out, c.refs[i])
		}
		return out
	}
	if len(g.direct) > 0 {
		c.out.Dependencies = append(c.out.Dependencies, cdxDependency{project, refs(g.direct)})
	}
	edges := "unknown"
	if g.known {
		edges = "complete"
		for i, needs := range g.needs {
			c.out.Dependencies = append(c.out.Dependencies, cdxDependency{c.refs[i], refs(needs)})
		}
	}
	whole := "complete"
	switch {
	case len(c.doc.List.Unread) > 0:
		whole, edges = "incomplete", "incomplete"
	case c.doc.Parts == nil:
		whole = "unknown"
	}
	c.out.Compositions = []cdxComposition{{Aggregate: whole, Assemblies: []string{project}}, {Aggregate: edges, Dependencies: []string{project}}}
}

// addUnread adds what was asked for and could not be read.
func (c *cycloneDX) addUnread() error {
	for _, u := range c.doc.List.Unread {
		value, err := compact(u)
		if err != nil {
			return err
		}
		c.out.Properties = append(c.out.Properties, property{unreadName, value})
	}
	return nil
}
