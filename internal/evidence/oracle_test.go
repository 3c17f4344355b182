package evidence

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/oracle"
)

// These tests ask other people's implementations of our formats, in the versions
// that requirements.txt fixes.
const requirements = "testdata/requirements.txt"

// A job is a question to them.
type job = oracle.Job

// ask has the oracle do jobs.
func ask(t *testing.T, jobs ...job) []job {
	t.Helper()
	return oracle.Ask(t, requirements, "testdata/oracle.py", jobs...)
}

func wantOK(t *testing.T, what string, answer job) {
	t.Helper()
	if !answer.OK() {
		t.Errorf("%s: %v", what, answer["error"])
	}
}

func wantRefused(t *testing.T, what string, answer job, words string) {
	t.Helper()
	if text, _ := answer["error"].(string); answer.OK() || !strings.Contains(text, words) {
		t.Errorf("%s: %v, want an error with %q", what, answer, words)
	}
}

// TestReferenceVerifiesOurFolder runs the reference's command line, without
// options, on a model folder with all its evidence inside.
func TestReferenceVerifiesOurFolder(t *testing.T) {
	python := oracle.Python(t, requirements)
	s := newSite(t)
	dir := s.folder(t, sampleRun(), nil)
	key := filepath.Join(t.TempDir(), "pub.pem")
	write(t, key, []byte(s.signer.SigningPEM()))
	verify := func() (string, error) {
		cmd := exec.Command(python, "-m", "model_signing", "verify", "key", "model", "--signature", "model/"+SignatureFile, "--public_key", key)
		cmd.Dir = filepath.Dir(dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := verify(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, filepath.Join(dir, "a/x"), []byte("2"))
	if out, err := verify(); err == nil {
		t.Errorf("verifies a changed file: %s", out)
	}
}

// TestReferenceAgrees has the reference judge our bundles, changed and not.
func TestReferenceAgrees(t *testing.T) {
	s := newSite(t)
	key := filepath.Join(t.TempDir(), "pub.pem")
	write(t, key, []byte(s.signer.SigningPEM()))
	folder := func(change func(string)) job {
		dir := s.folder(t, sampleRun(), nil)
		if change != nil {
			change(dir)
		}
		return job{"do": "verify", "model": dir, "signature": filepath.Join(dir, SignatureFile), "key": key}
	}
	moved := folder(nil)
	aside := filepath.Join(t.TempDir(), "aside.sig")
	if err := os.Rename(moved["signature"].(string), aside); err != nil {
		t.Fatal(err)
	}
	moved["signature"] = aside
	answers := ask(t,
		folder(nil),
		moved,
		folder(func(dir string) { write(t, filepath.Join(dir, "new"), nil) }),
		folder(func(dir string) { os.Remove(filepath.Join(dir, "a-b/x")) }),
		folder(func(dir string) { write(t, filepath.Join(dir, "model.onnx"), []byte("other")) }),
	)
	wantOK(t, "good", answers[0])
	wantOK(t, "signature elsewhere", answers[1])
	wantRefused(t, "extra", answers[2], "Extra files")
	wantRefused(t, "missing", answers[3], "Missing files")
	wantRefused(t, "changed", answers[4], "Hash mismatch")
}

// TestWeReadTheReference verifies what the reference signs, by every method,
// hash and curve that its interface offers.
func TestWeReadTheReference(t *testing.T) {
	content := map[string]string{"a.txt": "hello", "sub/b c é": "0123456789", "a-b": "x", "it's": "y"}
	root := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	dir := t.TempDir()
	type signed struct {
		name    string
		job     job
		believe Authority
		refused string
	}
	var all []signed
	add := func(name string, curve elliptic.Curve, more job, refused string) {
		id := newIdentity(t, curve)
		at := filepath.Join(dir, name)
		writeAll(t, filepath.Join(at, "model"), content)
		write(t, filepath.Join(at, "key.pem"), []byte(id.privatePEM(t)))
		j := job{"do": "sign", "model": filepath.Join(at, "model"), "signature": filepath.Join(at, "model", SignatureFile), "key": filepath.Join(at, "key.pem")}
		for k, v := range more {
			j[k] = v
		}
		if j["certificate"] != nil {
			leaf := root.issue(t, leafTemplate(), &id.PublicKey)
			write(t, filepath.Join(at, "leaf.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))
			write(t, filepath.Join(at, "root.pem"), []byte(root.pem()))
			j["certificate"], j["chain"] = filepath.Join(at, "leaf.pem"), []string{filepath.Join(at, "root.pem")}
		}
		all = append(all, signed{name, j, Authority{Keys: []Key{id.key(t, name)}, Roots: roots}, refused})
	}
	add("p256", elliptic.P256(), job{"method": "files", "hash": "sha256"}, "")
	add("p384", elliptic.P384(), job{"method": "files", "hash": "sha256"}, "")
	add("p521", elliptic.P521(), job{"method": "files", "hash": "sha256"}, "")
	add("blake2", elliptic.P256(), job{"method": "files", "hash": "blake2"}, "")
	add("blake3", elliptic.P256(), job{"method": "files", "hash": "blake3"}, "BLAKE3")
	add("shards", elliptic.P256(), job{"method": "shards", "hash": "sha256", "size": 3}, "")
	add("shards-blake2", elliptic.P256(), job{"method": "shards", "hash": "blake2", "size": 4}, "")
	add("certificate", elliptic.P256(), job{"method": "files", "hash": "sha256", "certificate": ""}, "")

	var jobs []job
	for _, s := range all {
		jobs = append(jobs, s.job)
	}
	for i, answer := range ask(t, jobs...) {
		s := all[i]
		wantOK(t, s.name, answer)
		model, signature := s.job["model"].(string), s.job["signature"].(string)
		m, err := VerifyModel(model, signature, s.believe)
		if s.refused != "" {
			if err == nil || !strings.Contains(err.Error(), s.refused) {
				t.Errorf("%s: %v, want an error with %q", s.name, err, s.refused)
			}
			continue
		}
		if err != nil || m.Name != "model" || len(m.files) != len(content) {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		write(t, filepath.Join(model, "a.txt"), []byte("hellp"))
		if _, err := VerifyModel(model, signature, s.believe); err == nil || !strings.Contains(err.Error(), `changed: "a.txt"`) {
			t.Errorf("%s, changed: %v", s.name, err)
		}
	}
}

// TestOthersReadOurEnvelope has securesystemslib verify an envelope of two
// signatures, and the in-toto and SLSA schemas read what is in it.
func TestOthersReadOurEnvelope(t *testing.T) {
	dir := t.TempDir()
	a, b := newIdentity(t, elliptic.P256()), newIdentity(t, elliptic.P256())
	keys, ids := []string{filepath.Join(dir, "a.pem"), filepath.Join(dir, "b.pem")}, map[string]string{}
	for i, id := range []identity{a, b} {
		write(t, keys[i], []byte(id.SigningPEM()))
		ids[keys[i]] = id.key(t, "").ID
	}
	e := must[Envelope](t)(Seal(sampleStatement(t), a, b))
	good := filepath.Join(dir, "good.json")
	write(t, good, must[[]byte](t)(e.Marshal()))
	e.Payload = append(bytes.Clone(e.Payload), '\n')
	bad := filepath.Join(dir, "bad.json")
	write(t, bad, must[[]byte](t)(e.Marshal()))
	e.Payload = e.Payload[:len(e.Payload)-1]

	answers := ask(t,
		job{"do": "envelope", "envelope": good, "keys": keys, "ids": ids, "threshold": 2},
		job{"do": "envelope", "envelope": bad, "keys": keys, "ids": ids, "threshold": 1},
		job{"do": "provenance", "payload": string(e.Payload)},
	)
	wantOK(t, "envelope", answers[0])
	if got := answers[0]["payload"]; got != string(e.Payload) {
		t.Errorf("payload read as %v", got)
	}
	wantRefused(t, "changed envelope", answers[1], "do not match threshold")
	wantOK(t, "provenance", answers[2])
	want := job{
		"ok": true, "invocation": "run/3f9c2b1a", "started": "2026-03-01T09:00:00Z",
		"subjects":     []any{".gitattributes", "a-b/x", "a/x", "card <&> é.md", "empty", "model.onnx", "nested/a/b/c.d"},
		"dependencies": []any{"source", "source.difference", "source.snapshot", "dataset/encounters@2", "environment.lock", "environment.installed"},
	}
	if !reflect.DeepEqual(answers[2], want) {
		t.Errorf("got %v, want %v", answers[2], want)
	}
}

// TestReferenceLegacyEncoding compares the encoding of version 0.2, for every
// byte, with the reference's.
func TestReferenceLegacyEncoding(t *testing.T) {
	payload := []byte(`{"`) // as any JSON, it holds a double quote, so Python quotes with single ones
	for b := range 256 {
		payload = append(payload, byte(b))
	}
	answers := ask(t, job{"do": "legacy", "payload": hex.EncodeToString(payload)})
	wantOK(t, "legacy", answers[0])
	if got := hex.EncodeToString(legacyPAE(payload)); got != answers[0]["encoding"] {
		t.Errorf("got %s, want %v", got, answers[0]["encoding"])
	}
}
