package bom

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// TestRoundTrip reads back what we write. What comes back differs in that places
// are those of the bill, needs are exact and only those that were resolved, and
// parts that are no Python packages are Unread.
func TestRoundTrip(t *testing.T) {
	for _, format := range Formats {
		doc := whole()
		list, err := Read("bill.json", write(t, format, doc))
		if err != nil {
			t.Fatal(err)
		}
		want := doc.List.Packages
		want[2].Needs = want[2].Needs[1:] // nothing has colorama
		want[6].Needs = []lockfile.Need{{Name: "epoch", Version: "1!2.0.post1"}, {Name: "jinja2", Version: "3.1.4"}}
		for i, p := range list.Packages {
			if p.Place.File != "bill.json" || p.Place.Line == 0 {
				t.Errorf("%s: %s is at %v", format, p.Name, p.Place)
			}
			p.Place = want[i].Place
			if !reflect.DeepEqual(p, want[i]) {
				t.Errorf("%s:\n got %+v\nwant %+v", format, p, want[i])
			}
		}
		if len(list.Packages) != len(want) || list.Files[0].Format != format {
			t.Errorf("%s: %d packages, %+v", format, len(list.Packages), list.Files)
		}
		var native, told []lockfile.Unread
		for _, u := range list.Unread {
			if u.Reason == lockfile.Native {
				native = append(native, u)
			} else {
				told = append(told, u)
			}
		}
		if len(native) != len(doc.Parts) || !reflect.DeepEqual(told, doc.List.Unread) {
			t.Errorf("%s: unread %+v", format, list.Unread)
		}
	}
}

// TestRandomRoundTrip reads back documents with any text in them.
func TestRandomRoundTrip(t *testing.T) {
	for i := range 500 {
		doc := random(rand.New(rand.NewPCG(2, uint64(i))))
		for _, format := range Formats {
			data := write(t, format, doc)
			list, err := Read("b", data)
			if err != nil {
				t.Fatalf("%v: %s", err, data)
			}
			if len(list.Packages) != len(doc.List.Packages) || len(list.Unread) != len(doc.List.Unread)+len(doc.Parts) {
				t.Fatalf("%+v: %s", list, data)
			}
			for i, p := range list.Packages {
				want := doc.List.Packages[i]
				p.Place, p.Needs, want.Needs = want.Place, nil, nil
				if !reflect.DeepEqual(p, want) {
					t.Fatalf("%s\n got %+v\nwant %+v", format, p, want)
				}
			}
		}
	}
}

// TestRead reads components in every state that they can be in.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		in       string // fields of a component, and of an SPDX package as far as they are the same
		packages string // name, version
		unread   lockfile.Reason
		name     string // of the unread
	}{
		{`"purl":"pkg:pypi/numpy@2.0"`, "numpy 2.0", "", ""},
		{`"purl":"pkg:pypi/Zope.Interface@5.0"`, "zope-interface 5.0", "", ""},
		{`"purl":"pkg:PyPI/my_pkg@1%2Bcu118","version":"1+cu118"`, "my-pkg 1+cu118", "", ""},
		{`"purl":"pkg:pypi/numpy","version":"2.0"`, "numpy 2.0", "", ""},
		{`"purl":"pkg:pypi/numpy@2.0","version":"v2.0.0"`, "numpy 2.0", "", ""},
		{`"purl":"pkg:pypi/numpy@2.0","version":"2.1"`, "", lockfile.Version, "numpy"},
		{`"purl":"pkg:pypi/numpy@2.0","version":"two"`, "", lockfile.Version, "numpy"},
		{`"purl":"pkg:pypi/numpy"`, "", lockfile.Unpinned, "numpy"},
		{`"purl":"pkg:pypi/numpy@latest"`, "", lockfile.Version, "numpy"},
		{`"purl":"pkg:pypi/n%20umpy@1"`, "", lockfile.Syntax, ""},
		{`"purl":"numpy@1"`, "", lockfile.Syntax, ""},
		{`"purl":"pkg:npm/left-pad@1.0"`, "", lockfile.Native, "thing"},
		{`"purl":"pkg:pypi/ns/numpy@1.0"`, "", lockfile.Native, "thing"},
		{`"purl":"pkg:conda/numpy@1.0"`, "", lockfile.Native, "thing"},
		{`"purl":null`, "", lockfile.Native, "thing"},
		{`"version":"1.0"`, "", lockfile.Native, "thing"},
	} {
		spdx := strings.ReplaceAll(c.in, `"version"`, `"versionInfo"`)
		if before, name, ok := strings.Cut(spdx, `"purl":"`); ok {
			name, rest, _ := strings.Cut(name, `"`)
			spdx = before + `"externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"` + name + `"}]` + rest
		}
		for format, in := range map[string]string{
			CycloneDX: `{"bomFormat":"CycloneDX","specVersion":"1.4","components":[{"type":"library","bom-ref":"x","name":"thing",` + c.in + `}]}`,
			SPDX:      `{"SPDXID":"SPDXRef-DOCUMENT","spdxVersion":"SPDX-2.2","packages":[{"SPDXID":"SPDXRef-x","name":"thing",` + spdx + `}]}`,
		} {
			list, err := Read("b", []byte(in))
			if err != nil {
				t.Errorf("%s: %v", in, err)
				continue
			}
			got := ""
			for _, p := range list.Packages {
				got += p.Name + " " + p.Version
			}
			if got != c.packages {
				t.Errorf("%s %s: %q, want %q", format, c.in, got, c.packages)
			}
			if c.unread == "" && len(list.Unread) > 0 || c.unread != "" && (len(list.Unread) != 1 || list.Unread[0].Reason != c.unread || list.Unread[0].Name != c.name) {
				t.Errorf("%s %s: unread %+v", format, c.in, list.Unread)
			}
		}
	}
}

// TestReadWhole reads documents for what they say as a whole.
func TestReadWhole(t *testing.T) {
	const cdx, spdx = `{"bomFormat":"CycloneDX","specVersion":"1.6",`, `{"spdxVersion":"SPDX-2.3",`
	const app = `{"SPDXID":"SPDXRef-app","name":"app"}`
	for name, c := range map[string]struct {
		in       string
		packages int
		direct   int
		reasons  []lockfile.Reason
	}{
		"the subject is no part of itself": {cdx + `"metadata":{"component":{"name":"app","type":"application","bom-ref":"a","purl":"pkg:generic/app"}}}`, 0, 0, nil},
		"but may be a package":             {cdx + `"metadata":{"component":{"name":"app","type":"library","purl":"pkg:pypi/app@1"}}}`, 1, 0, nil},
		"or be made of some":               {cdx + `"metadata":{"component":{"name":"app","type":"library","components":[{"name":"x","components":[{"purl":"pkg:pypi/x@1"}]}]}}}`, 1, 0, []lockfile.Reason{lockfile.Native}},
		"direct":                           {cdx + `"dependencies":[{"ref":"a","dependsOn":["x"]}],"components":[{"bom-ref":"x","purl":"pkg:pypi/x@1"},{"bom-ref":"y","purl":"pkg:pypi/y@1"}],"metadata":{"component":{"bom-ref":"a"}}}`, 2, 1, nil},
		"incomplete":                       {cdx + `"compositions":[{"aggregate":"complete"},{"aggregate":"incomplete_first_party_only"}]}`, 0, 0, []lockfile.Reason{lockfile.Missing}},
		"a range":                          {`{"bomFormat":"CycloneDX","specVersion":"1.7","components":[{"purl":"pkg:pypi/x","versionRange":"vers:pypi/>=1"}]}`, 0, 0, []lockfile.Reason{lockfile.Range}},
		"told badly":                       {cdx + `"properties":[{"name":"sallyport:unread","value":"{"}]}`, 0, 0, []lockfile.Reason{lockfile.Syntax}},
		"told too long":                    {cdx + `"properties":[{"value":"` + strings.Repeat("x", maxText+1) + `","name":"sallyport:unread"}]}`, 0, 0, []lockfile.Reason{lockfile.Syntax}},
		"of no concern":                    {cdx + `"properties":[{"name":"x","value":"` + strings.Repeat("x", maxText+1) + `"}],"services":[{"name":"s"}],"a":[[{}]]}`, 0, 0, nil},
		"spdx: the subject":                {spdx + `"packages":[` + app + `],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-app"}],"documentDescribes":["SPDXRef-app"]}`, 0, 0, nil},
		"spdx: many subjects are parts":    {spdx + `"packages":[` + app + `],"documentDescribes":["SPDXRef-app","SPDXRef-b"]}`, 0, 0, []lockfile.Reason{lockfile.Native}},
		"spdx: backwards": {spdx + `"documentDescribes":["SPDXRef-app"],"packages":[` + app + `,{"SPDXID":"SPDXRef-x","externalRefs":[{"referenceType":"http://spdx.org/rdf/references/purl","referenceLocator":"pkg:pypi/x@1"}]}],
			"relationships":[{"spdxElementId":"SPDXRef-x","relationshipType":"RUNTIME_DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-app"}]}`, 1, 1, nil},
		"spdx: incomplete":          {spdx + `"relationships":[{"spdxElementId":"SPDXRef-app","relationshipType":"DEPENDS_ON","relatedSpdxElement":"NOASSERTION"}]}`, 0, 0, []lockfile.Reason{lockfile.Missing}},
		"spdx: elsewhere":           {spdx + `"externalDocumentRefs":[{"externalDocumentId":"DocumentRef-x"}]}`, 0, 0, []lockfile.Reason{lockfile.Missing}},
		"spdx: nobody says":         {spdx + `"packages":[{"versionInfo":"NOASSERTION","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:pypi/x"}]}]}`, 0, 0, []lockfile.Reason{lockfile.Unpinned}},
		"spdx: two names":           {spdx + `"packages":[{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:pypi/x@1"},{"referenceType":"purl","referenceLocator":"pkg:pypi/y@1"},{"referenceType":"cpe23Type","referenceLocator":"cpe"}]}]}`, 2, 0, nil},
		"spdx: somebody's comments": {spdx + `"annotations":[{"comment":"` + strings.Repeat("x", maxText+1) + `"},{"comment":null}]}`, 0, 0, nil},
	} {
		list, err := Read("b", []byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		direct := 0
		for _, p := range list.Packages {
			if p.Direct {
				direct++
			}
		}
		var reasons []lockfile.Reason
		for _, u := range list.Unread {
			reasons = append(reasons, u.Reason)
		}
		if len(list.Packages) != c.packages || direct != c.direct || !reflect.DeepEqual(reasons, c.reasons) {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// TestRefused wants errors of their kinds, with a line, and nothing of what the
// document holds.
func TestRefused(t *testing.T) {
	for in, kind := range map[string]sallyport.Kind{
		``: sallyport.Invalid, `[]`: sallyport.Invalid, `{}`: sallyport.Invalid, `{"secret":1}`: sallyport.Invalid, `<bom/>`: sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"2.0"}`:                                                                sallyport.Newer,
		`{"bomFormat":"CycloneDX"}`:                                                                                    sallyport.Newer,
		`{"spdxVersion":"SPDX-2.1"}`:                                                                                   sallyport.Newer,
		`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`:                                                sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6"} {}`:                                                             sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[`:                                                  sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}`:                                                sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"purl":["secret"]}]}`:                             sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"purl":"pkg:pypi/a@1","purl":"pkg:pypi/a@2"}]}`:   sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":["secret"]}`:                                        sallyport.Invalid,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"purl":"` + strings.Repeat("s", 1<<17) + `"}]}`:   sallyport.Limit,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + strings.Repeat(`{},`, maxItems) + `{}]}`:       sallyport.Limit,
		`{"spdxVersion":"SPDX-2.3","annotations":[{"comment":"sallyport:unread=` + strings.Repeat("s", 1<<17) + `"}]}`: sallyport.Limit,
	} {
		_, err := Read("b", []byte(in))
		if !sallyport.Is(err, kind) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.100s: %v", in, err)
		}
	}
	if _, err := Read("b", make([]byte, maxBytes+1)); !sallyport.Is(err, sallyport.Limit) {
		t.Error(err)
	}
}

// FuzzRead wants of any bytes an error or a list in which every component of
// the document is accounted for, and that can be written and read again.
func FuzzRead(f *testing.F) {
	for _, doc := range documents() {
		for _, format := range Formats {
			var b bytes.Buffer
			if err := Write(&b, format, doc); err != nil {
				f.Fatal(err)
			}
			f.Add(b.Bytes())
		}
	}
	f.Add([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.2","components":[{"purl":"pkg:pypi/x@1"},{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Read("b", data)
		if err != nil {
			if sallyport.KindOf(err) == sallyport.Internal {
				t.Error(err)
			}
			return
		}
		if missed := len(components(data)) - len(list.Packages) - len(list.Unread); missed > 0 {
			t.Errorf("%d components are neither packages nor unread", missed)
		}
		for _, format := range Formats {
			var b bytes.Buffer
			if err := Write(&b, format, Doc{Name: "again", List: list, Made: time.Unix(1, 0)}); err != nil {
				t.Fatal(err)
			}
			again, err := Read("b", b.Bytes())
			if err != nil || len(again.Packages) != len(list.Packages) || len(again.Unread) != len(list.Unread) {
				t.Fatalf("%s: %v\n%+v\n%+v", format, err, list, again)
			}
		}
	})
}

// components are the topmost components of a CycloneDX document, as another
// reader sees them.
func components(data []byte) []map[string]any {
	var doc struct {
		BOMFormat  string           `json:"bomFormat"`
		Components []map[string]any `json:"components"`
	}
	if json.Unmarshal(data, &doc) != nil || doc.BOMFormat == "" {
		return nil
	}
	return doc.Components
}
