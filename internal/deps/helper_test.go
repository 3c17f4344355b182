package deps

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/seal"
)

// records are advisories about made-up packages.
var records = map[string]string{
	"PYSEC-2026-1.json": `{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1111", "GHSA-aaaa-bbbb-cccc"], "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
		"summary": "oldlib believes whoever asks", "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected": [{"package": {"ecosystem": "PyPI", "name": "oldlib"},
			"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]}]}`,
	"MAL-2026-1.json": `{"id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "sends keys away",
		"affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}`,
}

// advisories compiles records into an open database of a day.
func advisories(t testing.TB, records map[string]string, asOf time.Time) *Advisories {
	t.Helper()
	path, stats := compiled(t, records)
	db, err := advisory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Advisories{db, advisory.Name{Serial: 7, AsOf: asOf, Made: asOf, Records: stats.Records, By: "ada"}}
}

// compiled compiles records into a file.
func compiled(t testing.TB, records map[string]string) (string, advisory.Stats) {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range records {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	var b bytes.Buffer
	stats, err := advisory.Compile(context.Background(), files, &b)
	if err != nil || stats.Unreadable > 0 {
		t.Fatal(err, stats.Unread)
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, stats
}

// today is the day on which the tests take place.
var today = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// list reads files as a project has them.
func list(t testing.TB, files map[string]string) *lockfile.List {
	t.Helper()
	fsys := fstest.MapFS{}
	var names []string
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
		names = append(names, name)
	}
	l, err := lockfile.Read(fsys, names...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// policy reads a policy file and what lies beside it.
func policy(files map[string]string) (*Policy, error) {
	return ReadPolicy(func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}, "demo")
}

// somebody returns an identity, and trust in them with a role.
func somebody(t testing.TB, name string, role sallyport.Role) (*seal.Identity, evidence.Trust) {
	t.Helper()
	id, err := seal.NewIdentity(name)
	if err != nil {
		t.Fatal(err)
	}
	return id, evidence.Trust{Site: "ward7", Ledger: verifierKey, Principals: []evidence.Trusted{{Name: name, Roles: []sallyport.Role{role}, Signing: id.SigningPEM()}}}
}

// verifierKey is some ledger's: bundles are not in a ledger before they are
// brought in.
const verifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

// bundle makes a bundle of records and returns its path.
func bundle(t testing.TB, signer evidence.Signer, by string, records map[string]string, opt MakeOptions) (string, *Made) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range records {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(dir, "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	made, err := Make(context.Background(), f, []string{source}, signer, by, opt)
	if err != nil {
		t.Fatal(err)
	}
	return f.Name(), made
}

// open opens a bundle at a path.
func openBundle(t testing.TB, path string, trust evidence.Trust) (*Bundle, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	b, err := OpenBundle("bundle", f, trust)
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

// rezip writes a zip of members, stored or not.
func rezip(t testing.TB, path string, method uint16, members ...[2]string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m[0], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(m[1]))
	}
	z.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
