package installed

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
)

const (
	maxBill  = 16 << 20 // bytes of a bill of materials
	billTree = 96 << 20 // bytes of memory that one may take while it is read
	maxParts = 100_000  // components that one may list
)

// bills reads the bills of materials that a package carries (PEP 770).
func (r *reader) bills(d *Dist) error {
	dir := path.Join(d.Path, "sboms")
	if info, err := fs.Lstat(r.fsys, dir); err != nil || !info.IsDir() {
		return nil
	}
	return fs.WalkDir(r.fsys, dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		parts, err := r.bill(name)
		if err != nil {
			r.problem(Problem{Rule: Unreadable, Package: d.Name, Version: d.Version, Path: name, What: "a bill of materials that cannot be read: what the package carries inside is not known"})
			return nil
		}
		for _, p := range parts {
			p.Package, p.Path = d.Name, name
			r.out.Parts = append(r.out.Parts, p)
		}
		return nil
	})
}

// bill reads CycloneDX or SPDX as JSON.
func (r *reader) bill(name string) ([]Part, error) {
	text, err := r.small(name, maxBill)
	if err != nil {
		return nil, err
	}
	v, err := json.Parse(bytes.NewReader(text), 0, int64(len(text)), billTree)
	switch {
	case err != nil:
		return nil, err
	case v.Get("bomFormat").Str() == "CycloneDX":
		return cycloneDX(nil, v.Get("components"))
	case strings.HasPrefix(v.Get("spdxVersion").Str(), "SPDX-"):
		return spdx(v.Get("packages"))
	}
	return nil, errors.New("neither CycloneDX nor SPDX")
}

// cycloneDX appends components and those within them, which the reader of JSON
// lets nest only so deep.
func cycloneDX(out []Part, components *json.Value) ([]Part, error) {
	if components == nil {
		return out, nil
	}
	var err error
	for _, c := range components.Items {
		name := c.Get("name").Str()
		if group := c.Get("group").Str(); group != "" {
			name = group + "/" + name
		}
		if out, err = appendPart(out, name, c.Get("version").Str(), c.Get("purl").Str()); err != nil {
			return nil, err
		}
		if out, err = cycloneDX(out, c.Get("components")); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func spdx(packages *json.Value) (out []Part, err error) {
	if packages == nil {
		return nil, nil
	}
	for _, p := range packages.Items {
		purl := ""
		if refs := p.Get("externalRefs"); refs != nil {
			for _, ref := range refs.Items {
				if ref.Get("referenceType").Str() == "purl" {
					purl = ref.Get("referenceLocator").Str()
				}
			}
		}
		if out, err = appendPart(out, p.Get("name").Str(), p.Get("versionInfo").Str(), purl); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func appendPart(out []Part, name, version, purl string) ([]Part, error) {
	if name == "" || len(out) == maxParts {
		return nil, errors.New("a component without a name, or too many")
	}
	return append(out, Part{Name: printable(name, 200), Version: printable(version, 100), PURL: printable(purl, 500)}), nil
}
