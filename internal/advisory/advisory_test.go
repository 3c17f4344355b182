package advisory

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport/sallyport"
)

// osv is a record of one package: rest are members of its entry of "affected".
func osv(id, name, rest string) string {
	return fmt.Sprintf(`{"id": %q, "modified": "2024-05-01T10:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": %q}, %s}]}`, id, name, rest)
}

func events(list string) string {
	return `"ranges": [{"type": "ECOSYSTEM", "events": [` + list + `]}]`
}

// files is a file system of records under names of their own.
func files(records ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i, r := range records {
		out[fmt.Sprintf("%03d.json", i)] = &fstest.MapFile{Data: []byte(r)}
	}
	return out
}

// brief is hits in a line: "A", "A?" if assumed, "A!" if not evaluated.
func brief(t testing.TB, db *DB, name, version string) string {
	t.Helper()
	hits, err := db.Match(name, parse(t, version))
	check(t, err)
	var out []string
	for _, h := range hits {
		s := h.ID
		if h.Assumed {
			s += "?"
		}
		if h.Unread != "" {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestRanges says which versions a statement affects.
func TestRanges(t *testing.T) {
	const introduced0 = `{"introduced": "0"}`
	for _, c := range []struct {
		about, entry, affected, not string
	}{
		{"from the beginning", events(introduced0), "0.dev0 0 1 99 1!0", ""},
		{"up to a fix", events(introduced0 + `,{"fixed": "1.2"}`), "0 1.1.9 1.2rc1 1.2.dev5", "1.2 1.2.0 v1.2 0!1.2 1.2.post1 1.3 1!0"},
		{"a fix in one event", events(`{"introduced": "1", "fixed": "2"}`), "1 1.0 1.5 2a1", "0.9 1rc1 2"},
		{"the last that is affected", events(introduced0 + `,{"last_affected": "1.2"}`), "1.2 1.2.0", "1.2.post1 1.2.1 1.3"},
		{"in no order", events(`{"fixed": "3.2"},{"introduced": "2"},{"fixed": "1.2"},` + introduced0 + `,{"introduced": "3"}`), "1 2 2.9 3.1", "1.2 1.9 3.2"},
		{"parts that meet", events(introduced0 + `,{"fixed": "1.2"},{"introduced": "1.2"},{"fixed": "1.5"}`), "1.1 1.2 1.4", "1.5"},
		{"a part that is empty", events(`{"introduced": "1.2"},{"fixed": "1.2"}`), "", "1.1 1.2 1.3"},
		{"without a beginning", events(`{"fixed": "1.2"}`), "0 1.1", "1.2 2"},
		{"limits", events(introduced0 + `,{"limit": "1.2"},{"limit": "1.4"}`), "0 1.3", "1.4 2"},
		{"no limit", events(`{"introduced": "1"},{"limit": "*"}`), "1 2", "0.9"},
		{"several ranges", `"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1"},{"fixed": "2"}]}, {"type": "SEMVER", "events": [{"introduced": "3.0.0"},{"fixed": "4.0.0-beta.1"}]}]`, "1 3 3.9 4.0a1", "2 4.0b1 4"},
		{"a list", `"versions": ["1.0", "1.1RC1", "2.0.post1"]`, "1 1.0.0 1.1-rc-1 2.0-1", "1.1 2.0 1.0.1"},
		{"list and range", `"versions": ["3"], ` + events(introduced0+`,{"fixed": "2"}`), "1 3.0", "2 3.1"},
		{"commits beside versions", `"versions": ["1"], "ranges": [{"type": "GIT", "events": [{"introduced": "0"},{"fixed": "abc"}]}]`, "1", "2"},
		{"a kind of range that is not known, and a list", `"versions": ["1"], "ranges": [{"type": "MOON", "events": []}]`, "1", "2"},
		{"a list with what is no version", `"versions": ["trunk", "1"]`, "1", "2"},
		{"numbers that are large", events(`{"introduced": "20240101000000000000000000"},{"fixed": "1!0"}`), "20240101000000000000000001", "1 1!0"},
	} {
		db, stats := database(t, files(osv("X-1", "p", c.entry)))
		for v := range strings.FieldsSeq(c.affected) {
			if got := brief(t, db, "p", v); got != "X-1" {
				t.Errorf("%s: %s is not affected: %q", c.about, v, got)
			}
		}
		for v := range strings.FieldsSeq(c.not) {
			if got := brief(t, db, "p", v); got != "" {
				t.Errorf("%s: %s is affected: %q", c.about, v, got)
			}
		}
		if stats.Unreadable != 0 {
			t.Errorf("%s: %v", c.about, stats.Unread)
		}
	}
}

// TestUnread holds that what cannot be evaluated matches every version and is
// told, and that what else a record says is evaluated all the same.
func TestUnread(t *testing.T) {
	for _, c := range []struct{ about, entry string }{
		{"nothing", `"versions": []`},
		{"commits alone", `"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]`},
		{"a kind of range that is not known", `"ranges": [{"type": "MOON", "events": [{"introduced": "0"}]}]`},
		{"a version that is none", events(`{"introduced": "0"},{"fixed": "2019-09-12"}`)},
		{"an event that is not known", events(`{"introduced": "0"},{"mended": "1"}`)},
		{"an event that is none", events(`"0"`)},
		{"an event without anything", events(`{}`)},
		{"no events", events(``)},
		{"limits alone", events(`{"limit": "1"}`)},
		{"a version that is a number", events(`{"introduced": 0}`)},
		{"a list of numbers", `"versions": [1.0]`},
		{"a list that is none", `"versions": "1.0"`},
		{"ranges that are none", `"ranges": {}`},
	} {
		db, stats := database(t, files(osv("X-1", "p", c.entry)))
		if got := brief(t, db, "p", "7"); got != "X-1!" {
			t.Errorf("%s: %q", c.about, got)
		}
		if got := brief(t, db, "p", "7+cpu"); got != "X-1?!" {
			t.Errorf("%s: %q", c.about, got)
		}
		if len(stats.Unread) != 1 || stats.Unread[0].ID != "X-1" || stats.Unread[0].Package != "p" || stats.Unread[0].Why == "" {
			t.Errorf("%s: %+v", c.about, stats.Unread)
		}
	}
	db, _ := database(t, files(osv("X-1", "p", `"versions": ["1"], `+events(`{"introduced": "5"},{"fixed": "trunk"}`))))
	if got := brief(t, db, "p", "1") + "," + brief(t, db, "p", "2"); got != "X-1,X-1!" {
		t.Errorf("a list beside a range that cannot be read: %q", got)
	}
}

// TestUnknownPackage holds that records whose package is not known are named.
func TestUnknownPackage(t *testing.T) {
	for about, record := range map[string]string{
		"no id":                 `{"affected": [{"package": {"ecosystem": "PyPI", "name": "p"}, "versions": ["1"]}]}`,
		"an id that is none":    `{"id": "a b", "affected": []}`,
		"nothing affected":      `{"id": "X-1", "affected": []}`,
		"affected not said":     `{"id": "X-1", "modified": "2024-01-01T00:00:00Z"}`,
		"no ecosystem":          `{"id": "X-1", "affected": [{"package": {"name": "p"}, "versions": ["1"]}]}`,
		"no name":               `{"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI"}, "versions": ["1"]}]}`,
		"a name that is none":   `{"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "../p"}, "versions": ["1"]}]}`,
		"not JSON":              `{"id": "X-1", "affected": [`,
		"an id twice":           `{"id": "X-1", "id": "X-2", "affected": []}`,
		"nothing that is known": `{"hello": "world"}`,
		"empty":                 ``,
		"a list":                `[]`,
	} {
		_, stats := database(t, files(record))
		if stats.Unreadable != 1 || len(stats.Unread) != 1 || stats.Unread[0].File != "000.json" {
			t.Errorf("%s: %+v", about, stats)
		}
	}
	// What else the record says counts, even without an id.
	db, stats := database(t, files(`{"affected": [{"package": {"ecosystem": "PyPI", "name": "p"}, "versions": ["1"]}]}`, `{"id": "", "affected": [{"package": {"ecosystem": "PyPI", "name": "p"}, "versions": ["2"]}]}`))
	if got := brief(t, db, "p", "1") + " " + brief(t, db, "p", "2"); strings.Count(got, "unnamed-") != 2 || stats.Unreadable != 2 {
		t.Errorf("%q %+v", got, stats)
	}
	db, stats = database(t, files(`{"id": "X-1", "affected": [{"package": {"name": "q"}}, {"package": {"ecosystem": "PyPI", "name": "p"}, "versions": ["1"]}]}`))
	if brief(t, db, "p", "1") != "X-1" || stats.Unreadable != 1 {
		t.Errorf("%+v", stats)
	}
}

// TestLocal holds what is said of builds.
func TestLocal(t *testing.T) {
	db, _ := database(t, files(
		osv("A-1", "p", events(`{"introduced": "1"},{"fixed": "2"}`)),
		osv("B-1", "p", `"versions": ["1.5", "1.5+cu118", "3+evil"]`),
	))
	for version, want := range map[string]string{
		"1.5": "A-1 B-1", "1.5+cpu": "A-1? B-1?", "1.5+cu118": "A-1? B-1", "1.5.0+CU118": "A-1? B-1",
		"2+cpu": "", "2": "", "3": "", "3+evil": "B-1", "3+other": "", "2.0.0": "", "0.9+cpu": "",
	} {
		if got := brief(t, db, "p", version); got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}

// TestGroups holds that records of one weakness are one advisory.
func TestGroups(t *testing.T) {
	withAliases := func(record string, aliases ...string) string {
		b, _ := json.Marshal(aliases)
		return strings.Replace(record, `"modified"`, `"aliases": `+string(b)+`, "modified"`, 1)
	}
	severity := func(record, vector string) string {
		return strings.Replace(record, `"modified"`, `"severity": [{"type": "CVSS_V3", "score": "`+vector+`"}], "modified"`, 1)
	}
	db, stats := database(t, files(
		severity(withAliases(osv("GHSA-aaaa", "P_p", events(`{"introduced": "0"},{"fixed": "1.3"}`)), "CVE-2024-1"), "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
		severity(withAliases(osv("PYSEC-2024-1", "p.P", events(`{"introduced": "0"},{"fixed": "1.2"}`)), "CVE-2024-1", "OTHER-1"), "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"),
		withAliases(osv("OTHER-1", "p-p", `"versions": ["9"]`)),
		withAliases(osv("PYSEC-2024-2", "q", `"versions": ["9"]`), "CVE-2024-1"),
		osv("PYSEC-2024-3", "p-p", events(`{"introduced": "0"}`)),
	))
	if stats.Records != 5 || stats.Advisories != 3 || stats.Packages != 2 {
		t.Errorf("%+v", stats)
	}
	hits, err := db.Match("P.P", parse(t, "1.2.5"))
	check(t, err)
	if len(hits) != 2 {
		t.Fatalf("%+v", hits)
	}
	h := hits[0]
	if h.ID != "PYSEC-2024-1" || h.Package != "p-p" || h.Severity != Critical || h.Score != 9.8 || !slices.Equal(h.Fixed, []string{"1.3"}) ||
		!slices.Equal(h.Aliases, []string{"CVE-2024-1", "GHSA-aaaa", "OTHER-1"}) || !slices.Equal(h.Sources, []string{"GHSA-aaaa", "OTHER-1", "PYSEC-2024-1"}) {
		t.Errorf("%+v", h)
	}
	if got := brief(t, db, "p-p", "9") + "," + brief(t, db, "p-p", "1.3") + "," + brief(t, db, "q", "9") + "," + brief(t, db, "q", "1"); got != "PYSEC-2024-1 PYSEC-2024-3,PYSEC-2024-3,PYSEC-2024-2," {
		t.Error(got)
	}
	all, err := db.Advisories("p_p")
	check(t, err)
	if len(all) != 2 || len(slices.Collect(db.Names())) != 2 {
		t.Errorf("%+v", all)
	}
}

// TestCopies holds that the newest copy of a record counts, wherever it lies,
// and that what has been withdrawn is not said any more.
func TestCopies(t *testing.T) {
	at := func(record, modified, more string) string {
		return strings.Replace(record, `"modified": "2024-05-01T10:00:00Z"`, more+`"modified": "`+modified+`"`, 1)
	}
	old := at(osv("X-1", "p", `"versions": ["1", "2"]`), "2024-01-01T00:00:00Z", "")
	newer := at(osv("X-1", "p", `"versions": ["1"]`), "2024-02-01T00:00:00.5Z", "")
	elsewhere := strings.Replace(at(osv("X-1", "p", `"versions": ["1"]`), "2024-03-01T00:00:00Z", ""), "PyPI", "npm", 1)
	gone := at(osv("X-1", "p", `"versions": ["1"]`), "2024-04-01T00:00:00Z", `"withdrawn": "2024-04-01T00:00:00Z", `)
	for _, c := range []struct {
		records []string
		want    string
		stats   Stats
	}{
		{[]string{old}, "X-1,X-1", Stats{Records: 1}},
		{[]string{old, newer}, "X-1,", Stats{Records: 1}},
		{[]string{old, newer, elsewhere}, ",", Stats{Elsewhere: 1}},
		{[]string{old, newer, elsewhere, gone}, ",", Stats{Withdrawn: 1}},
		{[]string{old, old}, "X-1,X-1", Stats{Records: 1}},
	} {
		for range 2 {
			slices.Reverse(c.records)
			db, stats := database(t, files(c.records...))
			if got := brief(t, db, "p", "1") + "," + brief(t, db, "p", "2"); got != c.want {
				t.Errorf("%d copies: %q, want %q", len(c.records), got, c.want)
			}
			if stats.Records != c.stats.Records || stats.Withdrawn != c.stats.Withdrawn || stats.Elsewhere != c.stats.Elsewhere {
				t.Errorf("%d copies: %+v", len(c.records), stats)
			}
		}
	}
}

// TestPriority holds severities, malice, KEV and EPSS.
func TestPriority(t *testing.T) {
	fsys := files(
		strings.Replace(osv("PYSEC-2021-1", "p", `"versions": ["1"], "severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}, {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"}]`), `"modified"`, `"aliases": ["CVE-2021-44228"], "summary": "one\u001b[31m\n two ", "references": [{"type": "WEB", "url": "https://example.org/b"}, {"type": "ADVISORY", "url": "https://example.org/a"}, {"type": "ADVISORY", "url": "javascript:1"}], "published": "2021-12-10T00:00:00Z", "modified"`, 1),
		strings.Replace(osv("GHSA-1", "q", `"versions": ["1"]`), `"modified"`, `"database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-79", "CWE-506"]}, "modified"`, 1),
		strings.Replace(osv("MAL-2024-1", "r", `"versions": ["1"]`), `"modified"`, `"severity": [{"type": "Ubuntu", "score": "high"}], "modified"`, 1),
	)
	fsys["kev.json"] = &fstest.MapFile{Data: []byte(`{"title": "KEV", "catalogVersion": "1", "vulnerabilities": [{"cveID": "CVE-2021-44228", "dateAdded": "2021-12-11"}, {"cveID": "CVE-2020-1", "dateAdded": "soon"}]}`)}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprint(z, "#model_version:v2025.03.14,score_date:2025-06-01T00:00:00+0000\ncve,epss,percentile\nCVE-2021-44228,0.94358,0.99\nCVE-2021-9,2,1\n")
	z.Close()
	fsys["epss_scores-current.csv.gz"] = &fstest.MapFile{Data: zipped.Bytes()}
	db, stats := database(t, fsys)
	hits, err := db.Match("p", parse(t, "1"))
	check(t, err)
	h := hits[0]
	if h.Severity != Critical || h.Score != 10 || !strings.HasPrefix(h.Vector, "CVSS:4.0/") || h.EPSS < 0.943 || h.EPSS > 0.944 ||
		h.Exploited != time.Date(2021, 12, 11, 0, 0, 0, 0, time.UTC) || h.Published != time.Date(2021, 12, 10, 0, 0, 0, 0, time.UTC) ||
		h.Summary != "one [31m two" || h.URL != "https://example.org/a" || h.Malicious {
		t.Errorf("%+v", h)
	}
	if hits, _ = db.Match("q", parse(t, "1")); hits[0].Severity != Medium || hits[0].Score != 0 || !hits[0].Malicious {
		t.Errorf("%+v", hits)
	}
	if hits, _ = db.Match("r", parse(t, "1")); hits[0].Severity != Unrated || !hits[0].Malicious {
		t.Errorf("%+v", hits)
	}
	if stats.Malicious != 2 || stats.Exploited != 1 || stats.Scored != 1 || stats.Unreadable != 2 || stats.Files != 5 {
		t.Errorf("%+v", stats)
	}
}

// TestFacts reads documents of the simple index.
func TestFacts(t *testing.T) {
	db, stats := database(t, fstest.MapFS{"p.json": {Data: []byte(`{"meta": {"api-version": "1.1"}, "name": "My.Package", "versions": ["1.0", "1.1", "2"], "files": [
		{"filename": "my_package-1.0-py3-none-any.whl", "upload-time": "2024-03-02T00:00:00.000000Z", "yanked": "broken"},
		{"filename": "my-package-1.0.tar.gz", "upload-time": "2024-03-01T00:00:00Z", "yanked": true},
		{"filename": "my-package-1.0.win32.exe"},
		{"filename": "my_package-1.1-py3-none-any.whl", "yanked": "half"},
		{"filename": "my_package-1.1.0.tar.gz", "upload-time": "2024-04-01T00:00:00Z", "yanked": false},
		{"filename": "my_package-2.tar.gz", "yanked": true}]}`)}})
	day := func(month int) time.Time { return time.Date(2024, time.Month(month), 1, 0, 0, 0, 0, time.UTC) }
	for version, want := range map[string]Facts{"1": {"broken", day(3)}, "1.1": {"", day(4)}, "2.0": {"yanked", time.Time{}}} {
		if got, ok, err := db.Facts("my-package", parse(t, version)); err != nil || !ok || got != want {
			t.Errorf("%s: %+v %v %v", version, got, ok, err)
		}
	}
	for _, missing := range []string{"3", "1+cpu"} {
		if _, ok, err := db.Facts("my-package", parse(t, missing)); ok || err != nil {
			t.Errorf("%s: %v %v", missing, ok, err)
		}
	}
	if stats.Listed != 1 || stats.Versions != 3 || stats.Packages != 0 {
		t.Errorf("%+v", stats)
	}
}

// TestSources holds that sources are the same in folders and in archives of any
// depth, and that those that cannot be read are named.
func TestSources(t *testing.T) {
	record := osv("X-1", "p", `"versions": ["1"]`)
	yaml := "id: Y-1\nmodified: 2024-01-02T00:00:00Z\naffected:\n- package:\n    ecosystem: PyPI:internal\n    name: P\n  versions:\n  - 1.10\n  - '1.2'\n"
	plain := fstest.MapFS{
		"a/x.json": {Data: []byte(record)}, "b/y.yaml": {Data: []byte(yaml)}, "LICENSE": {Data: []byte("words")},
		".github/workflows/ci.yaml": {Data: []byte("on: push\n")},
	}
	want, stats := database(t, plain)
	if got := brief(t, want, "p", "1.10") + brief(t, want, "p", "1.1") + brief(t, want, "p", "1"); got != "Y-1X-1" || stats.Unreadable != 0 || stats.Files != 2 {
		t.Errorf("%q %+v", got, stats)
	}
	pack := func(fsys fs.FS) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		check(t, z.AddFS(fsys))
		check(t, z.Close())
		return b.Bytes()
	}
	tape := func(fsys fs.FS) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		check(t, w.AddFS(fsys))
		check(t, w.Close())
		check(t, z.Close())
		return b.Bytes()
	}
	for about, b := range map[string][]byte{
		"zip": pack(plain), "tar.gz": tape(plain), "zip in zip": pack(fstest.MapFS{"all.zip": {Data: pack(plain)}}), "zip in tar": tape(fstest.MapFS{"all.zip": {Data: pack(plain)}}),
	} {
		got, _ := database(t, fstest.MapFS{"x.bin": {Data: b}})
		if got.Digest() != want.Digest() {
			t.Errorf("%s: another database", about)
		}
	}
	deep := []byte(record)
	for range maxDepth + 1 {
		deep = pack(fstest.MapFS{"x": {Data: deep}})
	}
	for about, b := range map[string][]byte{
		"a zip that ends early": pack(plain)[:100], "a tar that ends early": tape(plain)[:200], "archives in archives": deep,
		"a bomb":             pack(fstest.MapFS{"x.json": {Data: bytes.Repeat([]byte(" "), maxFile+1)}}),
		"YAML with an alias": []byte("id: &a Z-1\nsummary: *a\n"), "YAML with a tag": []byte("id: !!python/none Z-1\naffected: []\n"),
	} {
		if _, stats := database(t, fstest.MapFS{"x.yaml": {Data: b}}); stats.Unreadable == 0 || stats.Records > 0 {
			t.Errorf("%s: %+v", about, stats)
		}
	}
}

// TestInterrupted holds that somebody can stop it.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compile(ctx, files(osv("X-1", "p", `"versions": ["1"]`)), io.Discard); !sallyport.Is(err, sallyport.Interrupted) {
		t.Errorf("%v", err)
	}
}

// TestStats holds what the records in testdata come to, and that the database
// keeps it.
func TestStats(t *testing.T) {
	db, made := database(t, os.DirFS("testdata/pypa"))
	kept, err := db.Stats()
	check(t, err)
	got, err := json.MarshalIndent(kept, "", "  ")
	check(t, err)
	want, err := os.ReadFile("testdata/stats.json")
	check(t, err)
	if string(got)+"\n" != string(want) {
		t.Errorf("%s", got)
	}
	if made.Digest != kept.Digest || made.Digest != db.Digest() {
		t.Error("three digests")
	}
}

// TestMemo holds that a memo says what the database says.
func TestMemo(t *testing.T) {
	db, _ := database(t, os.DirFS("testdata/pypa"))
	m := db.Memo()
	for range 2 {
		for _, version := range []string{"3.2.0", "v3.2.0+x", "3.0"} {
			want, err := db.Match("pyspark", parse(t, version))
			check(t, err)
			got, err := m.Match("PySpark", version)
			check(t, err)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", version, got, want)
			}
		}
		if _, err := m.Match("pyspark", "trunk"); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%v", err)
		}
	}
}

// TestOpen holds what is said about files that are no databases.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text string
		kind sallyport.Kind
	}{
		{"", sallyport.Corrupt}, {strings.Repeat("x", 1000), sallyport.Corrupt}, {"sallyport-adv 2\n" + strings.Repeat("x", 1000), sallyport.Newer},
	} {
		path := filepath.Join(dir, "db")
		check(t, os.WriteFile(path, []byte(c.text), 0o600))
		if _, err := Open(path); !sallyport.Is(err, c.kind) {
			t.Errorf("%v", err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("%v", err)
	}
}

// Every record is remembered by its ID, also of other ecosystems, so that their
// number is bounded.
func TestRecordsAreBounded(t *testing.T) {
	c := &compiler{spool: spool{notes: map[string][]note{}}, newest: map[string]seen{}, most: 2}
	for i, want := range []bool{true, true, true, false} {
		r := record{id: fmt.Sprint("X-", max(i-1, 0)), elsewhere: true} // the first comes twice
		if err := c.record("x.json", r, nil); (err == nil) != want || err != nil && !sallyport.Is(err, sallyport.Limit) {
			t.Errorf("record %d: %v", i, err)
		}
	}
}
