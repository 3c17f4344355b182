package pep740

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// A real attestation of testdata, and what it says.
type real struct {
	name    string // of the attestation
	digest  sallyport.Digest
	staging bool // it is of the instance that Sigstore is tested with
	issuer  string
	repo    string
}

// file is the name of the file that it is about.
func (r real) file() string {
	file, _, _ := strings.Cut(r.name, ".provenance")
	for _, end := range []string{".attestation", ".publish", ".slsa"} {
		file = strings.TrimSuffix(file, end)
	}
	return file
}

func (r real) roots(t testing.TB) *Roots {
	t.Helper()
	text := trustedRoot
	if r.staging {
		text = data(t, "staging_root.json")
	}
	roots, err := ReadRoots(text)
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

const github, ours = "https://token.actions.githubusercontent.com", "https://github.com/trailofbits/pypi-attestations"

var reals = []real{
	{"pypi_attestations-0.0.19.tar.gz.publish.attestation", "sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3", false, github, ours},
	{"pypi_attestations-0.0.19.tar.gz.slsa.attestation", "sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3", false, github, ours},
	{"pypi_attestations-0.0.19.tar.gz.provenance", "sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3", false, github, ours},
	{"pypi_attestation_models-0.0.4a2.tar.gz.attestation", "sha256:c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef", false, github, "https://github.com/trailofbits/pypi-attestation-models"},
	{"gitlab_oidc_project-0.0.3.tar.gz.publish.attestation", "sha256:c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8", false, "https://gitlab.com", "https://gitlab.com/facutuesca/gitlab-oidc-project"},
	{"gcb_attestation_test-0.0.0.tar.gz.provenance", "sha256:461317362419124b6012e855423a9078d6de8aed3e74fa78cc74d669b23dc6cf", false, "https://accounts.google.com", ""},
	{"circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl.publish.attestation", "sha256:8cb34da1e27336f11a2c43f3f9c7433bd76f24f470c904724f06ad7f131d9e9f", false, "https://oidc.circleci.com", "github.com/CircleCI-Public/sign-and-publish-examples"},
	{"circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl.provenance", "sha256:8cb34da1e27336f11a2c43f3f9c7433bd76f24f470c904724f06ad7f131d9e9f", false, "https://oidc.circleci.com", "github.com/CircleCI-Public/sign-and-publish-examples"},
	{"rfc8785-0.1.2-py3-none-any.whl.publish.attestation", "sha256:c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201", true, "https://github.com/login/oauth", ""},
	{"spt3g-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl.publish.attestation", "sha256:d2772f9a5199f05ed1be8d9aa78b879e51772e3ead9d73fe8057257b1aec7cf8", true, "https://github.com/login/oauth", ""},
}

func data(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReal(t *testing.T) {
	for _, c := range reals {
		t.Run(c.name, func(t *testing.T) {
			text := data(t, c.name)
			got, err := c.roots(t).Verify("a", text, c.file(), c.digest)
			if err != nil {
				t.Fatal(err)
			}
			want := PublishType
			if strings.Contains(c.name, ".slsa.") {
				want = SLSAType
			}
			if a := got[0]; len(got) != 1 || a.Type != want || a.Publisher.Issuer != c.issuer || a.Publisher.Repository != c.repo || a.Publisher.Subject == "" || a.Logged.Year() < 2024 {
				t.Errorf("got %+v", got)
			}
			if c.staging {
				if _, err := Verify("a", text, c.file(), c.digest); !sallyport.Is(err, sallyport.Unknown) {
					t.Errorf("by the keys of another instance: %v", err)
				}
			}
			if _, err := c.roots(t).Verify("a", text, c.file(), sallyport.Sum([]byte("other"))); !sallyport.Is(err, sallyport.Refused) {
				t.Errorf("of other bytes: %v", err)
			}
			if _, err := c.roots(t).Verify("a", text, "other-1.0.tar.gz", c.digest); !sallyport.Is(err, sallyport.Refused) {
				t.Errorf("of another file: %v", err)
			}
		})
	}
}

// No bit of an attestation can change without it being refused.
func TestEveryBit(t *testing.T) {
	t.Parallel()
	c := reals[4]
	text := data(t, c.name)
	for i := range text {
		for bit := range 8 {
			if testing.Short() && bit != i%8 {
				continue
			}
			text[i] ^= 1 << bit
			if _, err := Verify("a", text, c.file(), c.digest); err == nil {
				t.Fatalf("byte %d, bit %d (%q): verified", i, bit, text[max(0, i-30):min(len(text), i+30)])
			}
			text[i] ^= 1 << bit
		}
	}
}

// A tree is a document that a test changes.
type tree = map[string]any

func parse(t testing.TB, text []byte) tree {
	t.Helper()
	var v tree
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func materialOf(v tree) tree { return v["verification_material"].(tree) }

func entryOf(v tree) tree { return materialOf(v)["transparency_entries"].([]any)[0].(tree) }

// changes are ways to change a whole attestation, and what each leads to.
var changes = map[string]struct {
	change func(v, other tree)
	want   sallyport.Kind
}{
	"no log entry":    {func(v, _ tree) { materialOf(v)["transparency_entries"] = []any{} }, sallyport.Unknown},
	"two log entries": {func(v, _ tree) { materialOf(v)["transparency_entries"] = []any{entryOf(v), entryOf(v)} }, sallyport.Unknown},
	"no promise":      {func(v, _ tree) { delete(entryOf(v), "inclusionPromise") }, sallyport.Unknown},
	"no proof":        {func(v, _ tree) { delete(entryOf(v), "inclusionProof") }, sallyport.Refused},
	"another time":    {func(v, _ tree) { entryOf(v)["integratedTime"] = "1700000000" }, sallyport.Refused},
	"before the log":  {func(v, _ tree) { entryOf(v)["integratedTime"] = "1" }, sallyport.Refused},
	"another number":  {func(v, _ tree) { entryOf(v)["logIndex"] = "1" }, sallyport.Refused},
	"another log": {func(v, _ tree) {
		entryOf(v)["logId"] = tree{"keyId": base64.StdEncoding.EncodeToString(make([]byte, 32))}
	}, sallyport.Unknown},
	"a log without time":      {func(v, _ tree) { entryOf(v)["logId"] = tree{"keyId": "zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="} }, sallyport.Unknown},
	"another kind":            {func(v, _ tree) { entryOf(v)["kindVersion"] = tree{"kind": "intoto", "version": "0.0.2"} }, sallyport.Refused},
	"another version":         {func(v, _ tree) { v["version"] = json.Number("2") }, sallyport.Invalid},
	"another entry":           {func(v, o tree) { materialOf(v)["transparency_entries"] = []any{entryOf(o)} }, sallyport.Refused},
	"another entry's proof":   {func(v, o tree) { entryOf(v)["inclusionProof"] = entryOf(o)["inclusionProof"] }, sallyport.Refused},
	"another entry's promise": {func(v, o tree) { entryOf(v)["inclusionPromise"] = entryOf(o)["inclusionPromise"] }, sallyport.Refused},
	"another certificate":     {func(v, o tree) { materialOf(v)["certificate"] = materialOf(o)["certificate"] }, sallyport.Refused},
	"another statement":       {func(v, o tree) { v["envelope"].(tree)["statement"] = o["envelope"].(tree)["statement"] }, sallyport.Refused},
	"another signature":       {func(v, o tree) { v["envelope"].(tree)["signature"] = o["envelope"].(tree)["signature"] }, sallyport.Refused},
	"no envelope":             {func(v, _ tree) { delete(v, "envelope") }, sallyport.Invalid},
	"another head of the tree": {func(v, o tree) {
		entryOf(v)["inclusionProof"].(tree)["checkpoint"] = entryOf(o)["inclusionProof"].(tree)["checkpoint"]
	}, sallyport.Refused},
}

func TestChanges(t *testing.T) {
	c, other := reals[0], reals[1] // the same publisher's, minutes apart, of the same file
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		v := parse(t, data(t, c.name))
		changes[name].change(v, parse(t, data(t, other.name)))
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify("a", text, c.file(), c.digest); !sallyport.Is(err, changes[name].want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// One bad attestation among good ones is not outvoted.
func TestProvenance(t *testing.T) {
	c := reals[2]
	good, bad := parse(t, data(t, reals[0].name)), parse(t, data(t, reals[1].name))
	delete(entryOf(bad), "inclusionPromise")
	for name, list := range map[string][]any{"bad last": {good, bad}, "bad first": {bad, good}, "none": {}, "many": slices.Repeat([]any{good}, maxAttestations+1)} {
		text, err := json.Marshal(tree{"version": 1, "attestation_bundles": []any{tree{"publisher": tree{}, "attestations": list}}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Verify("a", text, c.file(), c.digest); err == nil || got != nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Every part of the trusted root is needed, and one without it does not verify.
func TestRoots(t *testing.T) {
	c := reals[0]
	for name, change := range map[string]func(v tree){
		"no authority of the time": func(v tree) { v["certificateAuthorities"] = v["certificateAuthorities"].([]any)[:1] },
		"no log of the time":       func(v tree) { v["tlogs"] = v["tlogs"].([]any)[1:] },
		"no certificate log":       func(v tree) { v["ctlogs"] = v["ctlogs"].([]any)[:1] },
		"a log that has ended": func(v tree) {
			v["tlogs"].([]any)[0].(tree)["publicKey"].(tree)["validFor"].(tree)["end"] = "2022-01-01T00:00:00Z"
		},
		"another certificate log's key": func(v tree) {
			logs := v["ctlogs"].([]any)
			logs[1].(tree)["publicKey"].(tree)["rawBytes"] = logs[0].(tree)["publicKey"].(tree)["rawBytes"]
		},
	} {
		v := parse(t, trustedRoot)
		change(v)
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		roots, err := ReadRoots(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := roots.Verify("a", data(t, c.name), c.file(), c.digest); !sallyport.Is(err, sallyport.Refused) && !sallyport.Is(err, sallyport.Unknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, text := range []string{"", "{}", `{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`} {
		if _, err := ReadRoots([]byte(text)); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// Whatever the bytes, what verifies is about the file that was asked for.
func FuzzVerify(f *testing.F) {
	for _, c := range reals {
		f.Add(data(f, c.name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range reals[:2] {
			got, err := Verify("a", text, c.file(), c.digest)
			if (err == nil) != (len(got) > 0) {
				t.Fatalf("got %v, %v", got, err)
			}
			for _, a := range got {
				if a.Publisher.Repository != c.repo {
					t.Fatalf("got %+v", a)
				}
			}
		}
	})
}

func FuzzTimestamp(f *testing.F) {
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, text []byte) { readTimestamp(text) })
}
