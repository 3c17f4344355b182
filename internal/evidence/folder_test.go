package evidence

import (
	"bytes"
	"crypto/elliptic"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGoodFolderVerifies(t *testing.T) {
	s := newSite(t)
	r, err := VerifyFolder(s.folder(t, sampleRun(), nil), s.trust, included(s.trust.Ledger), none)
	if err != nil || r.Err() != nil {
		t.Fatalf("%v, %v: %+v", err, r.Err(), r.Checks)
	}
	if len(r.Checks) != 10 {
		t.Errorf("%d checks, want 10", len(r.Checks))
	}
	if r.Provenance == nil || r.Provenance.RunDetails.Metadata.InvocationID != "run/3f9c2b1a" || r.Entry == nil || r.Entry.By != "olga" {
		t.Errorf("the report lacks what was established: %+v", r)
	}
	if len(r.Signed) != 4 || r.Signed[0].By.Name != "olga" || r.Signed[1].By.ID != s.signer.key(t, "").ID {
		t.Errorf("signed by %+v", r.Signed)
	}
}

// TestGoldenFolder verifies a folder that an earlier version wrote.
func TestGoldenFolder(t *testing.T) {
	const golden = "testdata/golden"
	if *update {
		s := newSite(t)
		s.wrote = map[string]string{"model.onnx": "weights", "a/x": "1", "a-b/x": "2", "empty": ""} // names that every system can hold
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(golden+"/model", os.DirFS(s.folder(t, sampleRun(), nil))); err != nil {
			t.Fatal(err)
		}
		write(t, golden+"/trust.json", must[[]byte](t)(s.trust.Marshal()))
	}
	trust := must[Trust](t)(ParseTrust("trust.json", must[[]byte](t)(os.ReadFile(golden+"/trust.json"))))
	r := must[Report](t)(VerifyFolder(golden+"/model", trust, included(trust.Ledger), none))
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

// TestAnyFlippedBitIsFound flips bits of a good folder, one at a time: in every
// byte of the small files, and in every fourth of the two that the ledger
// entry holds whole.
func TestAnyFlippedBitIsFound(t *testing.T) {
	s := newSite(t)
	s.wrote = map[string]string{"model.onnx": "weights", "a/x": "1", "empty": "", ".gitignore": "#"}
	dir := s.folder(t, sampleRun(), nil)
	check := included(s.trust.Ledger)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data := must[[]byte](t)(os.ReadFile(name))
		step := 1
		if len(data) > 1<<10 {
			step = 4
		}
		for i := 0; i < len(data); i += step {
			data[i] ^= 1 << (i / step % 8)
			write(t, name, data)
			if r, err := VerifyFolder(dir, s.trust, check, none); err == nil && r.Err() == nil {
				t.Errorf("%s verifies with bit %d of byte %d flipped", d.Name(), i/step%8, i)
			}
			data[i] ^= 1 << (i / step % 8)
		}
		write(t, name, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := must[Report](t)(VerifyFolder(dir, s.trust, check, none)); r.Err() != nil {
		t.Errorf("the restored folder does not verify: %v", r.Err())
	}
}

// FuzzChangedFolder replaces a stretch of one file of a good folder.
func FuzzChangedFolder(f *testing.F) {
	s := newSite(f)
	dir := s.folder(f, sampleRun(), nil)
	names := []string{SignatureFile, ProvenanceFile, ScanFile, VulnsFile, EntryFile, ProofFile, "model.onnx", ".gitattributes", "empty"}
	f.Add(0, 10, []byte(" "))
	f.Add(1, 0, []byte("{"))
	f.Add(2, 4, []byte("0"))
	f.Add(3, 6, []byte("4"))
	f.Add(4, 0, []byte("W"))
	f.Add(5, 1<<20, []byte("\n"))
	f.Fuzz(func(t *testing.T, which, at int, put []byte) {
		name := filepath.Join(dir, names[uint(which)%uint(len(names))])
		good := must[[]byte](t)(os.ReadFile(name))
		at = int(uint(at) % uint(len(good)+1))
		bad := append(bytes.Clone(good[:at]), put...)
		bad = append(bad, good[min(len(good), at+len(put)):]...)
		if bytes.Equal(good, bad) {
			return
		}
		write(t, name, bad)
		defer write(t, name, good)
		if r, err := VerifyFolder(dir, s.trust, included(s.trust.Ledger), none); err == nil && r.Err() == nil {
			t.Errorf("verifies with %q at %d of %s", put, at, name)
		}
	})
}

func TestBadFolders(t *testing.T) {
	s := newSite(t)
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, filepath.Join(dir, name), []byte("new")) }
	}
	link := func(to, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			name := filepath.Join(dir, name)
			os.Remove(name)
			if err := os.Symlink(to, name); err != nil {
				t.Skipf("SKIPPED, so nothing is proven here: this system makes no symbolic links: %v", err)
			}
		}
	}
	outside := filepath.Join(t.TempDir(), "weights")
	write(t, outside, []byte(contents["model.onnx"]))

	for _, c := range []struct {
		name    string
		spoil   func(*testing.T, string)
		check   string
		words   string
		verdict Verdict
	}{
		{"no signature", remove(SignatureFile), checkSignature, "no such file", Failed},
		{"no provenance", remove(ProvenanceFile), checkProvenance, "no such file", Failed},
		{"no scan", remove(ScanFile), checkScan, "no such file", Failed},
		{"no check of dependencies", remove(VulnsFile), checkVulns, "no such file", Failed},
		{"no entry", remove(EntryFile), checkEntry, "no such file", Failed},
		{"no proof", remove(ProofFile), checkInclusion, "no such file", Failed},
		{"no evidence at all", remove(Dir), checkSubjects, "not checked", Unknown},
		{"a file missing", remove("a/x"), checkFiles, `missing: "a/x"`, Failed},
		{"a file added", add("nested/new"), checkFiles, `covered by no signature: "nested/new"`, Failed},
		{"a file changed", add("model.onnx"), checkFiles, `changed: "model.onnx"`, Failed},
		{"a file that OMS leaves out added", add(".gitignore"), checkSubjects, `".gitignore"`, Failed},
		{"a file below one that OMS leaves out added", add(".git/hooks/post-merge"), checkSubjects, `".git/hooks/post-merge"`, Failed},
		{"a file among the evidence added", add(Dir + "/more"), checkSubjects, `"model.evidence/more"`, Failed},
		{"a link to the same bytes inside", link("a/x", "a-link"), checkFiles, "symbolic link", Failed},
		{"a link to the same bytes outside", link(outside, "model.onnx"), checkFiles, "symbolic link", Failed},
		{"a link for the signature", link("../model.sig", SignatureFile), checkSignature, "not a file", Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := s.folder(t, sampleRun(), nil)
			c.spoil(t, dir)
			r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
			wantKind(t, r.Err(), sallyport.Refused, "not verified")
			for _, got := range r.Checks {
				if got.Name == c.check && (got.Verdict != c.verdict || !strings.Contains(got.Detail, c.words) || got.Mend == "") {
					t.Errorf("%+v, want %v with %q and a mend", got, c.verdict, c.words)
				}
			}
			if len(r.Checks) != 10 {
				t.Errorf("%d checks, want 10", len(r.Checks))
			}
		})
	}
}

func TestUntrustedFolders(t *testing.T) {
	s := newSite(t)
	twin := sampleRun()
	twin.Data = Twin
	other := sampleRun()
	other.ID = "another"
	for _, c := range []struct {
		name   string
		run    Run
		entry  func(map[string]any)
		trust  func(*Trust)
		proof  InclusionFunc
		check  string
		words  string
		kind   sallyport.Kind
		passes bool
	}{
		{name: "a developer on a twin", run: twin, trust: demote, passes: true},
		{name: "a developer on real data", run: sampleRun(), trust: demote, check: checkSigner, words: "may not run code on real data", kind: sallyport.Refused},
		{name: "the site's own key", run: sampleRun(), trust: bySite, passes: true},
		{name: "nobody known", run: sampleRun(), trust: func(t *Trust) { t.Principals = t.Principals[:1] },
			check: checkSignature, words: "no trusted key", kind: sallyport.Refused},
		{name: "an entry of another kind", run: sampleRun(), entry: func(e map[string]any) { e["kind"] = "run.failed" },
			check: checkEntry, words: "not about the end of a run", kind: sallyport.Refused},
		{name: "an entry of another run", run: sampleRun(), entry: func(e map[string]any) { e["object"] = "run/other" },
			check: checkEntry, words: "another run", kind: sallyport.Refused},
		{name: "an entry by another", run: sampleRun(), entry: func(e map[string]any) { e["by"] = "dora" },
			check: checkEntry, words: "another principal", kind: sallyport.Refused},
		{name: "an entry without the signature", run: sampleRun(), entry: forget(SignatureFile),
			check: checkEntry, words: SignatureFile, kind: sallyport.Refused},
		{name: "an entry without the provenance", run: sampleRun(), entry: forget(ProvenanceFile),
			check: checkEntry, words: ProvenanceFile, kind: sallyport.Refused},
		{name: "an entry without the scan", run: sampleRun(), entry: forget(ScanFile),
			check: checkEntry, words: ScanFile, kind: sallyport.Refused},
		{name: "an entry without the check of dependencies", run: sampleRun(), entry: forget(VulnsFile),
			check: checkEntry, words: VulnsFile, kind: sallyport.Refused},
		{name: "another log", run: sampleRun(), proof: included(newSite(t).trust.Ledger),
			check: checkInclusion, words: "proof", kind: sallyport.Refused},
		{name: "a proof that cannot be decided", run: sampleRun(),
			proof: func(_, _ []byte) error {
				return sallyport.Errorf(sallyport.Unknown, "cannot be decided").Try("ask")
			},
			check: checkInclusion, words: "cannot be decided", kind: sallyport.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := s.folder(t, c.run, c.entry)
			trust := s.trust
			if c.trust != nil {
				trust.Principals = append([]Trusted{}, s.trust.Principals...)
				c.trust(&trust)
			}
			if c.proof == nil {
				c.proof = included(s.trust.Ledger)
			}
			r := must[Report](t)(VerifyFolder(dir, trust, c.proof, none))
			if c.passes {
				if r.Err() != nil {
					t.Errorf("%v: %+v", r.Err(), r.Checks)
				}
				return
			}
			wantKind(t, r.Err(), c.kind, c.words)
			if verdicts(r)[c.check] == Passed {
				t.Errorf("%s passed", c.check)
			}
		})
	}
}

func demote(t *Trust) {
	t.Principals[1].Roles = []sallyport.Role{sallyport.Developer, sallyport.Auditor}
}

func bySite(t *Trust) {
	t.Keys = []string{t.Principals[1].Signing}
	t.Principals = t.Principals[:1]
}

func forget(name string) func(map[string]any) {
	return func(e map[string]any) { delete(e["holds"].(map[string]any), "model/"+name) }
}

// TestEvidenceOfAnotherRun puts the provenance of one run beside the
// signature of another, each with an entry of its own.
func TestEvidenceOfAnotherRun(t *testing.T) {
	s := newSite(t)
	run := sampleRun()
	run.ID = "another"
	dir, donor := s.folder(t, sampleRun(), nil), s.folder(t, run, nil)
	write(t, filepath.Join(dir, ProvenanceFile), must[[]byte](t)(os.ReadFile(filepath.Join(donor, ProvenanceFile))))
	r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
	if verdicts(r)[checkEntry] != Failed {
		t.Errorf("%+v", r.Checks)
	}
}

func TestNothingIsUnknown(t *testing.T) {
	wantUnknown := func(err error) {
		t.Helper()
		if !sallyport.Is(err, sallyport.Unknown) {
			t.Errorf("got %v, want kind unknown", err)
		}
	}
	wantUnknown(Report{}.Err())
	s := newSite(t)
	r := must[Report](t)(VerifyFolder(s.folder(t, sampleRun(), nil), s.trust, nil, none))
	wantUnknown(r.Err())
	if _, err := VerifyFolder(filepath.Join(t.TempDir(), "none"), s.trust, nil, none); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("got %v, want kind not found", err)
	}
	if _, err := VerifyFolder(t.TempDir(), Trust{}, nil, none); !sallyport.Is(err, sallyport.Invalid) {
		t.Errorf("got %v, want kind invalid", err)
	}
}

// TestOtherShapesAreNotOurs refuses what VerifyModel accepts and SignModel
// never writes: a signature that lets links be followed. Other curves are fine.
func TestOtherShapesAreNotOurs(t *testing.T) {
	s := newSite(t)
	s.signer = newIdentity(t, elliptic.P384())
	s.trust.Principals[1].Signing = s.signer.SigningPEM()
	dir := s.folder(t, sampleRun(), nil)
	if r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none)); r.Err() != nil {
		t.Error(r.Err())
	}
	p := modelPredicate{serialization{"files", "sha256", true, nil}, []resource{{"empty", hexSum(""), "sha256"}}}
	write(t, filepath.Join(dir, SignatureFile), signPredicate(t, s.signer, p))
	r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
	if verdicts(r)[checkSignature] != Failed {
		t.Errorf("%+v", r.Checks)
	}
}

// TestScanOfOthers wants the scan to be of these files, in this run, and passed.
func TestScanOfOthers(t *testing.T) {
	other := sampleRun()
	other.ID = "another"
	for name, c := range map[string]struct {
		make  func(s site) []byte
		words string
	}{
		"a file that did not pass": {func(s site) []byte {
			s.fails = "empty"
			return s.scan(t, sampleRun(), filesOf(s.wrote))
		}, "did not pass"},
		"another run":   {func(s site) []byte { return s.scan(t, other, filesOf(s.wrote)) }, "another run"},
		"fewer files":   {func(s site) []byte { return s.scan(t, sampleRun(), filesOf(s.wrote)[1:]) }, "other files"},
		"another's key": {func(s site) []byte { return newSite(t).scan(t, sampleRun(), filesOf(s.wrote)) }, "no trusted key"},
		"not a scan": {func(s site) []byte {
			e := must[Envelope](t)(Seal(must[Statement](t)(Attest(sampleRun(), filesOf(s.wrote))), s.signer))
			return must[[]byte](t)(e.Marshal())
		}, "not a test result"},
	} {
		s := newSite(t)
		scan := c.make(s)
		dir := s.folder(t, sampleRun(), func(e map[string]any) {
			e["holds"].(map[string]any)["model/"+ScanFile] = sallyport.Sum(scan)
		})
		write(t, filepath.Join(dir, ScanFile), scan)
		r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
		for _, got := range r.Checks {
			if want := got.Name == checkScan; (got.Verdict != Passed) != want || want && !strings.Contains(got.Detail, c.words) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}
