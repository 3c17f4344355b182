package deps

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

func TestBundle(t *testing.T) {
	ada, trust := somebody(t, "ada", sallyport.Auditor)
	asOf := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	path, made := bundle(t, ada, "ada", records, MakeOptions{AsOf: asOf})
	b, err := openBundle(t, path, trust)
	if err != nil {
		t.Fatal(err)
	}
	if b.Records != 2 || b.Serial != made.Serial || b.Digest != made.Digest || !b.AsOf.Equal(asOf) || b.By != "ada" {
		t.Errorf("%+v", b.Advisories)
	}
	if s := b.Sources; len(s) != 1 || s[0].Place != "source" || s[0].Files != 2 {
		t.Errorf("%+v: a source tells where it lay, or not what it was", s)
	}
	// Nobody vouches: then the newest record says how old they are.
	_, made = bundle(t, ada, "ada", records, MakeOptions{})
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !made.AsOf.Equal(want) {
		t.Errorf("as of %v, want %v", made.AsOf, want)
	}
	if serial(time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)) != 20261102030405 {
		t.Error("a serial cannot be read")
	}
}

func TestBadBundles(t *testing.T) {
	ada, trust := somebody(t, "ada", sallyport.Auditor)
	dora, hers := somebody(t, "dora", sallyport.Developer)
	path, _ := bundle(t, ada, "ada", records, MakeOptions{})
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	statement, _ := readMember(z.File[0], maxStatement)
	inner, _ := readMember(z.File[1], 1<<20)
	at := filepath.Join(t.TempDir(), "bad")
	for name, c := range map[string]struct {
		make func()
		kind sallyport.Kind
	}{
		"no zip":       {func() { os.WriteFile(at, []byte("PK"), 0o600) }, sallyport.Invalid},
		"no statement": {func() { rezip(t, at, zip.Store, [2]string{advisoriesName, string(inner)}) }, sallyport.Invalid},
		"three members": {func() {
			rezip(t, at, zip.Store, [2]string{statementName, string(statement)}, [2]string{advisoriesName, string(inner)}, [2]string{"x", ""})
		}, sallyport.Invalid},
		"compressed twice": {func() {
			rezip(t, at, zip.Deflate, [2]string{statementName, string(statement)}, [2]string{advisoriesName, string(inner)})
		}, sallyport.Invalid},
		"other advisories": {func() {
			rezip(t, at, zip.Store, [2]string{statementName, string(statement)}, [2]string{advisoriesName, string(inner) + " "})
		}, sallyport.Refused},
		"an endless envelope": {func() {
			rezip(t, at, zip.Store, [2]string{statementName, strings.Repeat(" ", maxStatement+1)}, [2]string{advisoriesName, ""})
		}, sallyport.Invalid},
	} {
		c.make()
		if _, err := openBundle(t, at, trust); !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openBundle(t, path, hers); !sallyport.Is(err, sallyport.Refused) {
		t.Errorf("somebody unknown: %v", err)
	}
	path, _ = bundle(t, dora, "dora", records, MakeOptions{})
	if _, err := openBundle(t, path, hers); !sallyport.Is(err, sallyport.Refused) {
		t.Errorf("a developer: %v", err)
	}
}

func TestBadSources(t *testing.T) {
	ada, _ := somebody(t, "ada", sallyport.Auditor)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "readme.txt"), []byte("nothing"), 0o600)
	npm := filepath.Join(t.TempDir(), "npm.json")
	os.WriteFile(npm, []byte(strings.ReplaceAll(records["PYSEC-2026-1.json"], `"PyPI"`, `"npm"`)), 0o600)
	for name, c := range map[string]struct {
		place string
		asOf  time.Time
		kind  sallyport.Kind
	}{
		"gone":                     {filepath.Join(dir, "gone"), time.Time{}, sallyport.NotFound},
		"nothing known in it":      {dir, time.Time{}, sallyport.Invalid},
		"no advisory about Python": {npm, time.Time{}, sallyport.Invalid},
		"http":                     {"http://example.org/all.zip", time.Time{}, sallyport.Usage},
	} {
		f, err := os.CreateTemp(dir, "out")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Make(context.Background(), f, []string{c.place}, ada, "ada", MakeOptions{AsOf: c.asOf}); !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
}

// TestFetch asks a server of its own, in whose certificate curl is told to
// believe.
func TestFetch(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIPPED: there is no curl: nothing was fetched")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/all.zip", func(w http.ResponseWriter, _ *http.Request) {
		z := zip.NewWriter(w)
		for name, text := range records {
			f, _ := z.Create(name)
			f.Write([]byte(text))
		}
		z.Close()
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/all.zip", http.StatusFound)
	})
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	cert := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CURL_CA_BUNDLE", cert)
	t.Setenv("NO_PROXY", "*")

	ada, _ := somebody(t, "ada", sallyport.Auditor)
	f, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	made, err := Make(context.Background(), f, []string{strings.Replace(server.URL, "https://", "https://me:secret@", 1) + "/all.zip"}, ada, "ada", MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if made.Records != 2 || time.Since(made.AsOf) > time.Hour || strings.Contains(made.Sources[0].Place, "secret") {
		t.Errorf("%+v", made)
	}
	for _, path := range []string{"/gone", "/away", "/\"\noutput = \"gone"} {
		if _, err := Fetch(context.Background(), server.URL+path); !sallyport.Is(err, sallyport.Unknown) && !sallyport.Is(err, sallyport.Usage) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzOpenBundle(f *testing.F) {
	ada, trust := somebody(f, "ada", sallyport.Auditor)
	path, _ := bundle(f, ada, "ada", records, MakeOptions{})
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		at := filepath.Join(t.TempDir(), "b")
		os.WriteFile(at, b, 0o600)
		opened, err := openBundle(t, at, trust)
		if err == nil && sallyport.Sum(opened.Statement) == "" {
			t.Error("opened, and has no statement")
		}
	})
}
