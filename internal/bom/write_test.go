package bom

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/vex"
)

var update = flag.Bool("update", false, "write the golden files anew")

// documents are the shapes of what we write.
func documents() map[string]Doc {
	small := whole()
	small.List = &lockfile.List{Packages: small.List.Packages[3:4]}
	small.Parts, small.Vulnerabilities = []Part{}, nil
	return map[string]Doc{"whole": whole(), "small": small, "empty": {Name: "nothing", List: &lockfile.List{}}}
}

// TestGolden holds what we write against the files in testdata, which the
// oracles have judged (go test -update writes them anew).
func TestGolden(t *testing.T) {
	for name, doc := range documents() {
		for _, format := range Formats {
			got := write(t, format, doc)
			file := filepath.Join("testdata", name+"."+format+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs: look at it with git diff after go test -update", file)
			}
			if !bytes.Equal(got, write(t, format, doc)) {
				t.Errorf("%s: the same document makes other bytes", file)
			}
		}
	}
}

// TestRefusedToWrite wants errors where nothing sensible can be written.
func TestRefusedToWrite(t *testing.T) {
	if err := Write(nil, "swid", whole()); !sallyport.Is(err, sallyport.Usage) {
		t.Error(err)
	}
	if err := Write(nil, SPDX, Doc{List: &lockfile.List{}}); !sallyport.Is(err, sallyport.Invalid) {
		t.Error(err)
	}
}

// TestDecisions wants what somebody has decided, and only that, to come back as
// a statement about the package in the project.
func TestDecisions(t *testing.T) {
	doc := whole()
	said, err := vex.Read("bill.json", write(t, CycloneDX, doc))
	if err != nil || len(said.Statements) != 1 {
		t.Fatal(said, err)
	}
	project := ProjectPURL(doc.Name, doc.Version)
	s := vex.Find([]*vex.Document{said}, []string{"CVE-2025-27516"}, "jinja2", "3.1.4", project)
	if want := doc.Vulnerabilities[0].Decision; s == nil || s.Status != want.Status || s.Justification != want.Justification || s.Impact != want.Impact || !s.Made.Equal(want.Made) {
		t.Errorf("%+v", s)
	}
	if s.Covers("jinja2", "3.1.4") || s.Covers("torch", "2.1.0", project) {
		t.Error("it covers what it does not name")
	}
}

// TestVulnerabilityOfNobody wants no bill that points nowhere.
func TestVulnerabilityOfNobody(t *testing.T) {
	doc := whole()
	doc.Vulnerabilities[0].Version = "3.1.5"
	var b bytes.Buffer
	if err := Write(&b, CycloneDX, doc); err == nil || b.Len() > 0 {
		t.Error("written:", err)
	}
}

// TestNoMachinePaths wants of a path of this machine no more than its end.
func TestNoMachinePaths(t *testing.T) {
	doc := whole()
	doc.List.Packages[4].Source.Path = "/home/rosa/project/member"
	for _, format := range Formats {
		if b := write(t, format, doc); bytes.Contains(b, []byte("rosa")) {
			t.Errorf("%s: %s", format, b)
		}
	}
}
