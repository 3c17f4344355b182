package bom

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/vex"
)

func hashOf(s string) string { return string(sallyport.Sum([]byte(s))) }

// whole is a document that uses everything there is.
func whole() Doc {
	made := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	at := func(line int) lockfile.Place { return lockfile.Place{File: "uv.lock", Line: line} }
	return Doc{
		Name: "readmission", Version: "9f2c1ab", Tool: "1.2.3", Made: made,
		List: &lockfile.List{
			Files: []lockfile.File{{Path: "uv.lock", Format: "uv.lock", Digest: sallyport.Sum([]byte("uv"))}},
			Packages: []lockfile.Package{
				{Name: "blas", Version: "3.9", Place: lockfile.Place{File: "conda-lock.yml", Line: 3}, Conda: true, Source: lockfile.Source{Index: "conda-forge"}},
				{Name: "epoch", Version: "1!2.0.post1", Place: at(9), Source: lockfile.Source{URL: "git+https://example.org/epoch.git@0123456789abcdef"}},
				{Name: "jinja2", Version: "3.1.4", Place: at(20), Direct: true,
					Hashes: []string{hashOf("a"), hashOf("b"), "md5:0123456789abcdef0123456789abcdef"},
					Needs:  []lockfile.Need{{Name: "colorama", Marker: "sys_platform == 'win32'"}, {Name: "markupsafe", Version: "2.1.5"}}},
				{Name: "markupsafe", Version: "2.1.5", Place: at(30), Hashes: []string{hashOf("c")}, Marker: "python_version >= '3.9'"},
				{Name: "member", Version: "0.1", Place: at(35), Source: lockfile.Source{Path: "packages/member"}},
				{Name: "pytest", Version: "8.0", Place: at(40), Groups: []string{"dev", "test"}, Sdist: true, Yanked: "broken metadata, \"really\"",
					Uploaded: made.AddDate(0, -1, 0), Source: lockfile.Source{URL: "https://example.org/a b/pytest-8.0.tar.gz"}},
				{Name: "torch", Version: "2.1.0+cu118", Place: at(50), Direct: true, Source: lockfile.Source{Index: "https://index.example.org/whl/cu118?x=1&y=2"},
					Hashes: []string{"blake2s:" + strings.Repeat("ab", 32)}, Needs: []lockfile.Need{{Name: "epoch"}, {Name: "jinja2"}}},
			},
			Unread: []lockfile.Unread{
				{Place: lockfile.Place{File: "requirements.txt", Line: 7}, Reason: lockfile.Range, Name: "numpy", Wants: ">=1.2,<3", Direct: true},
				{Place: lockfile.Place{File: "requirements.txt", Line: 8}, Reason: lockfile.Variable, Wants: "${PKG}"},
			},
		},
		Parts: []Part{
			{Kind: Interpreter, Name: "python", Version: "3.12.1", PURL: "pkg:generic/python@3.12.1"},
			{Kind: Library, Name: "libgomp", Digest: sallyport.Sum([]byte("so")), Package: "torch", Path: "torch.libs/libgomp-a34b3233.so.1"},
			{Kind: Library, Name: "libgomp", Path: "elsewhere/libgomp.so.1"},
		},
		Vulnerabilities: []Vulnerability{
			{Package: "jinja2", Version: "3.1.4",
				Decision: &vex.Statement{Status: vex.NotAffected, Justification: vex.CodeNotControlled, Impact: "templates are ours", Made: made},
				Hit: &advisory.Hit{Fixed: []string{"3.1.6"}, Advisory: advisory.Advisory{
					ID: "GHSA-cpwx-vrp4-4pq7", Aliases: []string{"CVE-2025-27516"}, Package: "jinja2", Summary: "the sandbox can be left",
					Severity: advisory.High, Score: 7.3, Vector: "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", EPSS: 0.00042,
					Exploited: made, Published: made, Modified: made, URL: "https://example.org/GHSA-cpwx-vrp4-4pq7"}}},
			{Package: "torch", Version: "2.1.0+cu118", Hit: &advisory.Hit{Assumed: true, Advisory: advisory.Advisory{ID: "MAL-2022-1", Package: "torch", Malicious: true}}},
		},
	}
}

// random is a document with texts as they come from files of any honesty.
func random(r *rand.Rand) Doc {
	text := func() string {
		all := []rune("abzAZ019.-_~:+!@/?#%&=é日 \"'()*,;<>[]^`{|}\\$\n\t")
		b := make([]rune, 1+r.IntN(12))
		for i := range b {
			b[i] = all[r.IntN(len(all))]
		}
		return string(b)
	}
	maybe := func() string {
		if r.IntN(3) > 0 {
			return ""
		}
		return text()
	}
	doc := Doc{Name: "p" + text(), Version: maybe(), Tool: "1", List: &lockfile.List{}}
	for i := range 1 + r.IntN(6) {
		p := lockfile.Package{
			Name: fmt.Sprintf("n%d-x", i), Version: []string{"1", "2!1.0+l.0", "V1.0-POST1", "1.0.DEV3"}[r.IntN(4)], Place: lockfile.Place{File: text(), Line: r.IntN(9)},
			Marker: maybe(), Direct: r.IntN(2) == 0, Sdist: r.IntN(3) == 0, Yanked: maybe(), Source: lockfile.Source{Index: strings.TrimSpace(maybe())},
		}
		for j := range r.IntN(4) {
			p.Hashes = append(p.Hashes, hashOf(fmt.Sprint(i, j)))
			p.Groups = append(p.Groups, text())
		}
		for range r.IntN(3) {
			p.Needs = append(p.Needs, lockfile.Need{Name: fmt.Sprintf("n%d-x", r.IntN(6)), Marker: maybe()})
		}
		doc.List.Packages = append(doc.List.Packages, p)
		if r.IntN(3) == 0 {
			doc.List.Unread = append(doc.List.Unread, lockfile.Unread{Reason: lockfile.Syntax, Wants: text()})
		}
		if r.IntN(3) == 0 {
			doc.Parts = append(doc.Parts, Part{Kind: Library, Name: "l" + text(), Path: "p" + maybe(), Package: p.Name})
		}
	}
	return doc
}

// write returns a document as bytes.
func write(t testing.TB, format string, doc Doc) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, doc); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
