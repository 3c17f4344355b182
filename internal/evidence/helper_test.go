package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
)

// identity is a signer with a key of any curve.
type identity struct{ *ecdsa.PrivateKey }

func newIdentity(t testing.TB, curve elliptic.Curve) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return identity{key}
}

func (id identity) SigningPEM() string {
	der, err := x509.MarshalPKIXPublicKey(&id.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (id identity) Sign(message []byte) ([]byte, error) {
	h := digests[id.Curve].New()
	h.Write(message)
	return ecdsa.SignASN1(rand.Reader, id.PrivateKey, h.Sum(nil))
}

func (id identity) key(t testing.TB, name string) Key {
	t.Helper()
	k, err := ParseKey(name, id.SigningPEM())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// privatePEM returns the private key as other people's tools read it.
func (id identity) privatePEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// contents are the files that a run wrote. The names are what parsers trip on:
// order by component differs from order by code point, and JSON escapes.
var contents = map[string]string{
	"model.onnx":     "weights",
	"a/x":            "1",
	"a-b/x":          "2",
	"card <&> é.md":  "a model",
	"empty":          "",
	"nested/a/b/c.d": "deep",
	".gitattributes": "# none\n",
}

func filesOf(contents map[string]string) []File {
	var files []File
	for name, text := range contents {
		files = append(files, File{name, sallyport.Sum([]byte(text))})
	}
	return files
}

func writeAll(t testing.TB, dir string, contents map[string]string) {
	t.Helper()
	for name, text := range contents {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), []byte(text))
	}
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// sampleRun is a run with everything in it.
func sampleRun() Run {
	return Run{
		ID: "3f9c2b1a", Site: "ward7", Version: "0.1.0",
		Request: Request{
			Project: "readmission", Stages: []string{"train", "validate"}, Data: Real,
			Sample: "10%", Set: map[string]string{"trees": "200", "note": "<&>"},
		},
		Source: Source{
			URI: "git+https://example.org/readmission.git", Commit: strings.Repeat("0a", 20),
			Difference: sallyport.Sum([]byte("diff")), Snapshot: sallyport.Sum([]byte("tree")),
		},
		Datasets: []Dataset{{sallyport.Ref{Name: "encounters", Version: 2}, sallyport.Sum([]byte("root")), "data/encounters.csv"}},
		Environment: Environment{
			Name: "requirements.lock", Lock: sallyport.Sum([]byte("lock")),
			Installed: sallyport.Sum([]byte("installed")), Python: "3.11.7",
		},
		Internal:   map[string]any{"limits": map[string]any{"memory": "4GiB"}, "network": []string{}},
		Started:    time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		Finished:   time.Date(2026, 3, 1, 9, 4, 30, 5e8, time.UTC),
		Byproducts: []File{{"train.log", sallyport.Sum([]byte("log"))}},
	}
}

// site is what it takes to make and to verify model folders.
type site struct {
	signer identity
	log    string // the ledger's signer key
	trust  Trust
	wrote  map[string]string // what its runs write
	fails  string            // a file that does not pass the scan
}

func newSite(t testing.TB) site {
	t.Helper()
	signer, other := newIdentity(t, elliptic.P256()), newIdentity(t, elliptic.P256())
	skey, vkey, err := note.GenerateKey(rand.Reader, "ward7.ledger")
	if err != nil {
		t.Fatal(err)
	}
	return site{signer: signer, log: skey, wrote: contents, trust: Trust{
		Site: "ward7", Ledger: vkey,
		Principals: []Trusted{
			{"dora", []sallyport.Role{sallyport.Developer}, other.SigningPEM()},
			{"olga", []sallyport.Role{sallyport.Operator}, signer.SigningPEM()},
		},
	}}
}

// folder makes the model folder of a run. change, if not nil,
// edits the ledger entry before it is logged.
func (s site) folder(t testing.TB, run Run, change func(map[string]any)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	writeAll(t, dir, s.wrote)
	files := filesOf(s.wrote)
	signature, err := SignModel(s.signer, "model", files, Own)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := Attest(run, files)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Seal(statement, s.signer)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	scan, vulns := s.scan(t, run, files), s.vulns(t, run, files, "passed")
	entry := map[string]any{
		"n": 3, "kind": "run.finished", "time": "2026-03-01T09:04:31Z", "by": "olga", "object": "run/" + run.ID,
		"digest": "sha256:" + strings.Repeat("0", 64), "salt": "AAAA",
		"holds": map[string]any{
			"model/" + SignatureFile:  sallyport.Sum(signature),
			"model/" + ProvenanceFile: sallyport.Sum(envelope),
			"model/" + ScanFile:       sallyport.Sum(scan),
			"model/" + VulnsFile:      sallyport.Sum(vulns),
		},
	}
	if change != nil {
		change(entry)
	}
	leaf, err := json.Marshal(entry)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, SignatureFile), signature)
	write(t, filepath.Join(dir, ProvenanceFile), envelope)
	write(t, filepath.Join(dir, ScanFile), scan)
	write(t, filepath.Join(dir, VulnsFile), vulns)
	write(t, filepath.Join(dir, EntryFile), leaf)
	write(t, filepath.Join(dir, ProofFile), prove(t, s.log, leaf))
	return dir
}

// scan returns the envelope that all files passed the scan of a run.
func (s site) scan(t testing.TB, run Run, files []File) []byte {
	t.Helper()
	scan := Scan{Run: run.ID, Version: run.Version}
	for _, f := range files {
		scan.Files = append(scan.Files, ScannedFile{f, "inert", f.Name != s.fails})
	}
	e := must[Envelope](t)(Seal(must[Statement](t)(AttestScan(scan)), s.signer))
	return must[[]byte](t)(e.Marshal())
}

// The proof of these tests is text: "index N", the proof's hashes one to a
// line, an empty line, and a checkpoint.

// logHashes is a log of three other entries and leaf.
func logHashes(leaf []byte) (tlog.HashReader, error) {
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = hashes[x]
		}
		return out, nil
	})
	for n, record := range [][]byte{[]byte("zero"), []byte("one"), []byte("two"), leaf} {
		stored, err := tlog.StoredHashes(int64(n), record, reader)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, stored...)
	}
	return reader, nil
}

func prove(t testing.TB, skey string, leaf []byte) []byte {
	t.Helper()
	hashes, err := logHashes(leaf)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tlog.TreeHash(4, hashes)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := tlog.ProveRecord(4, 3, hashes)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := note.Sign(&note.Note{Text: fmt.Sprintf("ward7.ledger\n4\n%s\n", root)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("index 3\n")
	for _, h := range proof {
		fmt.Fprintln(&b, h)
	}
	return append([]byte(b.String()+"\n"), checkpoint...)
}

// included verifies the proofs that prove makes, for the log with key vkey.
// It accepts one spelling of each proof.
func included(vkey string) InclusionFunc {
	return func(proof, leaf []byte) error {
		refused := sallyport.Errorf(sallyport.Refused, "the proof does not hold").Try("get it again")
		head, checkpoint, ok := strings.Cut(string(proof), "\n\n")
		verifier, err := note.NewVerifier(vkey)
		if err != nil || !ok {
			return refused
		}
		n, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
		if err != nil || len(n.UnverifiedSigs) > 0 {
			return refused
		}
		if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
			return refused
		}
		lines := strings.Split(n.Text, "\n")
		root, err := tlog.ParseHash(lines[2])
		fields := strings.Split(head, "\n")
		if err != nil || lines[1] != "4" || fields[0] != "index 3" {
			return refused
		}
		var path tlog.RecordProof
		for _, line := range fields[1:] {
			h, err := tlog.ParseHash(line)
			if err != nil || h.String() != line {
				return refused
			}
			path = append(path, h)
		}
		if err := tlog.CheckRecord(path, 4, root, 3, tlog.RecordHash(leaf)); err != nil {
			return refused
		}
		return nil
	}
}

// verdicts returns the report's verdicts by check.
func verdicts(r Report) map[string]Verdict {
	out := make(map[string]Verdict)
	for _, c := range r.Checks {
		out[c.Name] = c.Verdict
	}
	return out
}

func wantKind(t testing.TB, err error, kind sallyport.Kind, words string) {
	t.Helper()
	if e, ok := errors.AsType[*sallyport.Error](err); !ok || e.Kind != kind || !strings.Contains(err.Error(), words) || e.Mend == "" {
		t.Errorf("got %v (%v), want kind %v with %q and a mend", err, sallyport.KindOf(err), kind, words)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func hexSum(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

// vulns returns the envelope of a check of a run's dependencies.
func (s site) vulns(t testing.TB, run Run, files []File, verdict string) []byte {
	t.Helper()
	v := Vulns{Invocation: "run/" + run.ID, Verdict: verdict, Packages: 3, Environment: run.Environment.Installed,
		Metadata: ScanMetadata{run.Started, run.Started},
		Findings: []json.RawMessage{json.RawMessage(`{"rule":"vulnerable"}`)}}
	v.Scanner.Version, v.Scanner.DB = run.Version, ScannerDB{URI: "sha256:00", Version: "20260301090000", LastUpdate: run.Started}
	v.Scanner.Result = []VulnFound{{ID: "PYSEC-2026-1", Severity: []VulnScore{{"qualitative", "high"}, {"cvss_score", "7.5"}},
		Annotations: []map[string]any{{"package": "urllib3"}}}}
	e := must[Envelope](t)(Seal(must[Statement](t)(AttestVulns(v, files)), s.signer))
	return must[[]byte](t)(e.Marshal())
}
