package deps

import (
	"bytes"
	"context"
	"os"
	"testing"
	"testing/fstest"
)

// TestAttestations reads a real attestation beside the archive that it is about,
// beside another of that name, and beside none.
func TestAttestations(t *testing.T) {
	const name = "pypi_attestations-0.0.19.tar.gz"
	archive, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	attestation, err := os.ReadFile("testdata/" + name + ".publish.attestation")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		archive, attestation []byte
		verdict              Verdict
		proven               int
	}{
		"as they are":       {archive, attestation, Passed, 1},
		"another archive":   {append(bytes.Clone(archive), 0), attestation, Blocked, 0},
		"no archive":        {nil, attestation, Unknown, 0},
		"no attestation":    {archive, []byte("{}"), Blocked, 0},
		"another signature": {archive, bytes.Replace(attestation, []byte(`"signature":"M`), []byte(`"signature":"N`), 1), Blocked, 0},
	} {
		fsys := fstest.MapFS{name + ".publish.attestation": {Data: c.attestation}}
		if c.archive != nil {
			fsys[name] = &fstest.MapFile{Data: c.archive}
		}
		a, err := ReadArchives(context.Background(), list(t, nil), fsys)
		if err != nil {
			t.Fatal(what, err)
		}
		worst := Passed
		for _, f := range a.findings {
			worst = worse(worst, f.Verdict)
		}
		if worst != c.verdict || len(a.Attested) != c.proven {
			t.Errorf("%s: %s %+v %+v", what, worst, a.findings, a.Attested)
		}
		if len(a.Attested) == 1 && a.Attested[0].Publisher.Repository != "https://github.com/trailofbits/pypi-attestations" {
			t.Errorf("%+v", a.Attested)
		}
	}
}
