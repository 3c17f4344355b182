package pep740

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sallyport/sallyport"
)

// judge is the reference implementation, asked about many attestations offline.
const judge = `
import base64, json, sys
from pypi_attestations import Attestation, Distribution, Provenance
from sigstore.verify.policy import UnsafeNoOp
out = []
for job in json.load(sys.stdin):
    try:
        text = base64.b64decode(job["data"])
        if b"attestation_bundles" in text:
            found = [a for b in Provenance.model_validate_json(text).attestation_bundles for a in b.attestations]
        else:
            found = [Attestation.model_validate_json(text)]
        kinds = [a.verify(UnsafeNoOp(), Distribution(name=job["file"], digest=job["digest"]), staging=job["staging"], offline=True)[0] for a in found]
        claims = found[0].certificate_claims
        out.append({"ok": bool(kinds), "type": kinds[0], "issuer": claims.get("1.3.6.1.4.1.57264.1.8", ""), "repo": claims.get("1.3.6.1.4.1.57264.1.12", "")})
    except Exception as e:
        out.append({"ok": False})
print(json.dumps(out))
`

type question struct {
	Data    []byte `json:"data"`
	File    string `json:"file"`
	Digest  string `json:"digest"`
	Staging bool   `json:"staging"`
}

type answer struct {
	OK     bool   `json:"ok"`
	Type   string `json:"type"`
	Issuer string `json:"issuer"`
	Repo   string `json:"repo"`
}

// reference makes a Python that has the reference implementation, in fixed
// versions, and keeps it in the user's cache.
func reference(t *testing.T) string {
	t.Helper()
	skip := func(err error, out []byte) {
		t.Helper()
		t.Skipf("SKIPPED, so agreement with pypi-attestations is NOT proven here: %v %s", err, out)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		skip(err, nil)
	}
	pins := data(t, "requirements.txt")
	home := filepath.Join(cache, "sallyport-test", "pep740-"+sallyport.Sum(pins).Short())
	python := filepath.Join(home, "bin", "python")
	if _, err := os.Stat(filepath.Join(home, "whole")); err == nil {
		return python
	}
	if out, err := exec.Command("python3", "-m", "venv", "--clear", home).CombinedOutput(); err != nil {
		skip(err, out)
	}
	if out, err := exec.Command(python, "-m", "pip", "--quiet", "install", "--only-binary=:all:", "--no-deps", "-r", "testdata/requirements.txt").CombinedOutput(); err != nil {
		skip(err, out)
	}
	if err := os.WriteFile(filepath.Join(home, "whole"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return python
}

// TestOracle asks the reference implementation about the same attestations, as
// they are and changed: it says the same of those that hold, and refuses none
// that is accepted here.
func TestOracle(t *testing.T) {
	t.Parallel()
	python := reference(t)
	var questions []question
	for _, c := range reals {
		questions = append(questions, question{data(t, c.name), c.file(), c.digest.Hex(), c.staging})
	}
	c := reals[0]
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		v := parse(t, data(t, c.name))
		changes[name].change(v, parse(t, data(t, reals[1].name)))
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, question{text, c.file(), c.digest.Hex(), false})
	}
	for i := 0; i < 120; i++ { // bits of one, here and there
		text := data(t, c.name)
		text[i*len(text)/120] ^= 1 << (i % 8)
		questions = append(questions, question{text, c.file(), c.digest.Hex(), false})
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-I", "-c", judge)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%v: %s", err, out)
	}
	both := 0
	for i, q := range questions {
		got, err := real{staging: q.Staging}.roots(t).Verify("a", q.Data, q.File, sallyport.Digest("sha256:"+q.Digest))
		if err != nil {
			if i < len(reals) {
				t.Errorf("%s: refused here: %v", reals[i].name, err)
			}
			continue
		}
		both++
		want := answer{true, got[0].Type, got[0].Publisher.Issuer, got[0].Publisher.Repository}
		if answers[i] != want {
			t.Errorf("question %d: got %+v, the reference says %+v", i, want, answers[i])
		}
	}
	if both < len(reals) {
		t.Errorf("only %d were accepted by both", both)
	}
}
