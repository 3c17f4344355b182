package evidence

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/sallyport/sallyport"
)

// signPredicate signs a model predicate of any shape, with a root that fits.
func signPredicate(t testing.TB, id identity, p modelPredicate) []byte {
	t.Helper()
	root := sha256.New()
	for _, r := range p.Resources {
		raw, _ := hex.DecodeString(r.Digest)
		root.Write(raw)
	}
	return signAny(t, id, ModelType, p, Descriptor{Name: "model", Digest: map[string]string{"sha256": hex.EncodeToString(root.Sum(nil))}})
}

func signAny(t testing.TB, id identity, predicateType string, predicate any, subject ...Descriptor) []byte {
	t.Helper()
	return must[[]byte](t)(seal(id, must[Statement](t)(newStatement(predicateType, subject, predicate))))
}

// verify writes a signature and the contents, and verifies them.
func verify(t testing.TB, sig []byte, contents map[string]string, believe Authority) (*Model, error) {
	t.Helper()
	dir := t.TempDir()
	writeAll(t, dir, contents)
	write(t, filepath.Join(dir, SignatureFile), sig)
	return VerifyModel(dir, filepath.Join(dir, SignatureFile), believe)
}

func TestGoldenModel(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	var b bundle
	if err := decode("b", must[[]byte](t)(SignModel(id, "model", filesOf(contents), Own)), closed, &b); err != nil {
		t.Fatal(err)
	}
	golden(t, "model.json", b.Envelope.Payload)
	if b.VerificationMaterial.PublicKey.Hint != id.key(t, "").ID || b.Envelope.Signatures[0].KeyID != "" {
		t.Errorf("%+v", b.VerificationMaterial)
	}
}

func TestSignModelRefuses(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	sum := sallyport.Sum(nil)
	for _, c := range []struct {
		files []File
		words string
	}{
		{nil, "no file to sign"},
		{[]File{{".git/config", sum}}, "no file to sign"},
		{[]File{{"model.sig", sum}}, "kept for evidence"},
		{[]File{{"model.evidence/x", sum}}, "kept for evidence"},
		{[]File{{"../x", sum}}, "not a path below"},
		{[]File{{"x", sum}, {"y", sum}, {"x", sum}}, "given twice"},
		{[]File{{"x", "sha256:"}}, "no SHA-256 digest"},
		{[]File{{"x", sallyport.Digest(sum.Hex())}}, "no SHA-256 digest"},
	} {
		_, err := SignModel(id, "model", c.files, Own)
		wantKind(t, err, sallyport.Invalid, c.words)
	}
}

func TestVerifyModel(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		id := newIdentity(t, curve)
		sig := must[[]byte](t)(SignModel(id, "model", filesOf(contents), Own))
		believe := Authority{Keys: []Key{newIdentity(t, curve).key(t, "stranger"), id.key(t, "friend")}}
		m, err := verify(t, sig, contents, believe)
		if err != nil || m.Name != "model" || m.Signer.Name != "friend" {
			t.Fatalf("%v: %+v", err, m)
		}
		_, err = verify(t, sig, contents, Authority{Keys: believe.Keys[:1]})
		wantKind(t, err, sallyport.Refused, "no trusted key")

		for _, c := range []struct {
			name   string
			change func(map[string]string)
			words  string
		}{
			{"changed", func(c map[string]string) { c["a/x"] = "2" }, `changed: "a/x"`},
			{"longer", func(c map[string]string) { c["empty"] = "x" }, `changed: "empty"`},
			{"missing", func(c map[string]string) { delete(c, "model.onnx") }, `missing: "model.onnx"`},
			{"extra", func(c map[string]string) { c["new"] = "" }, `covered by no signature: "new"`},
			{"several", func(c map[string]string) {
				for i := range 20 {
					c[fmt.Sprintf("x/%02d", i)] = ""
				}
			}, "and 10 more"},
			{"swapped", func(c map[string]string) { c["a/x"], c["a-b/x"] = c["a-b/x"], c["a/x"] }, `changed: "a-b/x", "a/x"`},
		} {
			changed := make(map[string]string)
			for k, v := range contents {
				changed[k] = v
			}
			c.change(changed)
			_, err := verify(t, sig, changed, believe)
			wantKind(t, err, sallyport.Refused, c.words)
		}
		// What the specification leaves out may come and go.
		loose := map[string]string{".git/HEAD": "x", "model.evidence/x": "y"}
		for k, v := range contents {
			loose[k] = v
		}
		if _, err := verify(t, sig, loose, believe); err != nil {
			t.Error(err)
		}
	}
}

// TestSignatureElsewhere keeps the signature outside of the folder, and under
// another name inside.
func TestSignatureElsewhere(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	sig := must[[]byte](t)(SignModel(id, "model", filesOf(contents), nil))
	dir := t.TempDir()
	writeAll(t, filepath.Join(dir, "model"), contents)
	for _, name := range []string{"model.sig", "model/other.sig"} {
		name = filepath.Join(dir, name)
		write(t, name, sig)
		if _, err := VerifyModel(filepath.Join(dir, "model"), name, Authority{Keys: []Key{id.key(t, "")}}); err != nil {
			t.Error(err)
		}
	}
	_, err := VerifyModel(filepath.Join(dir, "model"), filepath.Join(dir, "model.sig"), Authority{Keys: []Key{id.key(t, "")}})
	wantKind(t, err, sallyport.Refused, `covered by no signature: "other.sig"`)
}

// shards returns the resources of contents in shards of size bytes, digested
// and spelled as sum and algorithm say.
func shards(contents map[string]string, size int, algorithm string, sum func([]byte) []byte) []resource {
	var out []resource
	for name, text := range contents {
		for at := 0; at < len(text); at += size {
			end := min(len(text), at+size)
			out = append(out, resource{fmt.Sprintf("%s:%d:%d", name, at, end), hex.EncodeToString(sum([]byte(text[at:end]))), algorithm})
		}
	}
	return out
}

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
func sum2b(b []byte) []byte  { s := blake2b.Sum512(b); return s[:] }

// TestReadsAllShapes verifies what the specification and the reference write
// and SignModel does not.
func TestReadsAllShapes(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	believe := Authority{Keys: []Key{id.key(t, "")}}
	content := map[string]string{"a:1:2": "0123456789", "b/c": "abc"}
	whole := func(algorithm string, sum func([]byte) []byte) []resource {
		var out []resource
		for name, text := range content {
			out = append(out, resource{name, hex.EncodeToString(sum([]byte(text))), algorithm})
		}
		return out
	}
	for _, c := range []struct {
		name string
		p    modelPredicate
	}{
		{"blake2b", modelPredicate{serialization{Method: "files", HashType: "blake2b"}, whole("blake2b", sum2b)}},
		{"blake2b, old spelling", modelPredicate{serialization{Method: "files", HashType: "blake2"}, whole("blake2b", sum2b)}},
		{"shards", modelPredicate{serialization{Method: "shards", HashType: "sha256"}, shards(content, 4, "sha256", sum256)}},
		{"shards, as the reference spells them", modelPredicate{serialization{Method: "shards", HashType: "sha256"}, shards(content, 3, "sha256-sharded-3", sum256)}},
		{"shards in blake2b", modelPredicate{serialization{Method: "shards", HashType: "blake2b"}, shards(content, 1, "blake2b-sharded-1", sum2b)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			slices.Reverse(c.p.Resources) // any order will do
			sig := signPredicate(t, id, c.p)
			if _, err := verify(t, sig, content, believe); err != nil {
				t.Fatal(err)
			}
			for name := range content {
				for _, change := range []func(string) string{
					func(s string) string { return s + "x" },
					func(s string) string { return s[:len(s)-1] },
					func(s string) string { return "x" + s[1:] },
					func(s string) string { return "" },
				} {
					changed := map[string]string{"a:1:2": content["a:1:2"], "b/c": content["b/c"]}
					changed[name] = change(changed[name])
					_, err := verify(t, sig, changed, believe)
					wantKind(t, err, sallyport.Refused, "changed")
				}
			}
			_, err := verify(t, sig, map[string]string{"a:1:2": content["a:1:2"]}, believe)
			wantKind(t, err, sallyport.Refused, `missing: "b/c"`)
		})
	}
}

func TestRefusesByName(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	files := serialization{Method: "files", HashType: "sha256"}
	inShards := serialization{Method: "shards", HashType: "sha256"}
	sum := hexSum("x")
	for _, c := range []struct {
		name  string
		p     modelPredicate
		words string
	}{
		{"blake3", modelPredicate{serialization{Method: "files", HashType: "blake3"}, []resource{{"x", sum, "blake3"}}}, "BLAKE3"},
		{"md5", modelPredicate{serialization{Method: "files", HashType: "md5"}, []resource{{"x", sum, "md5"}}}, "unknown hash"},
		{"two algorithms", modelPredicate{files, []resource{{"x", sum, "blake2b"}}}, "disagree"},
		{"unknown method", modelPredicate{serialization{Method: "tensors", HashType: "sha256"}, []resource{{"x", sum, "sha256"}}}, "neither files nor shards"},
		{"a path upwards", modelPredicate{files, []resource{{"../x", sum, "sha256"}}}, "not a path below"},
		{"an absolute path", modelPredicate{files, []resource{{"/x", sum, "sha256"}}}, "not a path below"},
		{"twice", modelPredicate{files, []resource{{"x", sum, "sha256"}, {"x", sum, "sha256"}}}, "twice"},
		{"short digest", modelPredicate{files, []resource{{"x", sum[2:], "sha256"}}}, "wrong form"},
		{"shards with a gap", modelPredicate{inShards, []resource{{"x:0:1", sum, "sha256"}, {"x:2:3", sum, "sha256"}}}, "gap"},
		{"shards that overlap", modelPredicate{inShards, []resource{{"x:0:2", sum, "sha256"}, {"x:1:3", sum, "sha256"}}}, "gap"},
		{"shards without a start", modelPredicate{inShards, []resource{{"x:1:2", sum, "sha256"}}}, "gap"},
		{"empty shards", modelPredicate{inShards, []resource{{"x:0:0", sum, "sha256"}, {"x:0:0", sum, "sha256"}}}, "gap"},
		{"a shard backwards", modelPredicate{inShards, []resource{{"x:2:1", sum, "sha256"}}}, "path:start:end"},
		{"a shard with a sign", modelPredicate{inShards, []resource{{"x:+0:1", sum, "sha256"}}}, "path:start:end"},
		{"a huge shard", modelPredicate{inShards, []resource{{"x:0:99999999999999999999", sum, "sha256"}}}, "path:start:end"},
		{"everything ignored", modelPredicate{serialization{"files", "sha256", false, []string{"."}}, nil}, "ignores the whole folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenModel("model.sig", signPredicate(t, id, c.p), Authority{Keys: []Key{id.key(t, "")}})
			wantKind(t, err, sallyport.Invalid, c.words)
		})
	}
}

func TestBadBundles(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	good := must[[]byte](t)(SignModel(id, "model", filesOf(contents), Own))
	predicate := modelPredicate{Serialization: serialization{Method: "files", HashType: "sha256"}}
	subject := Descriptor{Name: "m", Digest: map[string]string{"sha256": hexSum("")}}
	for _, c := range []struct {
		name   string
		bundle []byte
		change func(*bundle)
		kind   sallyport.Kind
		words  string
	}{
		{"media type", good, func(b *bundle) { b.MediaType = "x" }, sallyport.Invalid, "Sigstore bundle v0.3"},
		{"keyless", good, func(b *bundle) { b.VerificationMaterial.Certificate = json.RawMessage(`{}`) }, sallyport.Invalid, "keyless"},
		{"no method", good, func(b *bundle) { b.VerificationMaterial.PublicKey = nil }, sallyport.Invalid, "neither a key"},
		{"two methods", good, func(b *bundle) { b.VerificationMaterial.Chain = &chain{} }, sallyport.Invalid, "both a key"},
		{"two signatures", good, func(b *bundle) { b.Envelope.Signatures = append(b.Envelope.Signatures, b.Envelope.Signatures[0]) }, sallyport.Invalid, "exactly one signature"},
		{"no signature", good, func(b *bundle) { b.Envelope.Signatures = nil }, sallyport.Invalid, "no signature"},
		{"another hint", good, func(b *bundle) { b.VerificationMaterial.PublicKey.Hint = "x" }, sallyport.Internal, ""},
		{"another statement", signAny(t, id, ProvenanceType, predicate, subject), nil, sallyport.Invalid, "something else than a model"},
		{"two subjects", signAny(t, id, ModelType, predicate, subject, subject), nil, sallyport.Invalid, "exactly one subject"},
		{"wrong root", signAny(t, id, ModelType, predicate, Descriptor{Digest: map[string]string{"sha256": hexSum("x")}}), nil, sallyport.Invalid, "digest of digests"},
		{"no sha256", signAny(t, id, ModelType, predicate, Descriptor{Digest: map[string]string{"sha512": "00"}}), nil, sallyport.Invalid, "digest of digests"},
		{"no files", signAny(t, id, ModelType, predicate, subject), nil, sallyport.Internal, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bundle
			if err := decode("b", c.bundle, open, &b); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(&b)
			}
			_, err := OpenModel("model.sig", must[[]byte](t)(encode(b)), Authority{Keys: []Key{id.key(t, "")}})
			if c.words == "" {
				if err != nil {
					t.Errorf("%v, want that it is read", err)
				}
				return
			}
			wantKind(t, err, c.kind, c.words)
		})
	}
	_, err := OpenModel("model.sig", make([]byte, maxEvidence+1), Authority{})
	wantKind(t, err, sallyport.Limit, "larger")
}

func TestLinks(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	believe := Authority{Keys: []Key{id.key(t, "")}}
	p := modelPredicate{serialization{Method: "files", HashType: "sha256"}, []resource{{"file", hexSum("x"), "sha256"}, {"link", hexSum("x"), "sha256"}}}
	strict := signPredicate(t, id, p)
	p.Serialization.AllowSymlinks = true
	loose := signPredicate(t, id, p)
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "x")
	write(t, outside, []byte("x"))
	write(t, filepath.Join(dir, "file"), []byte("x"))
	link := filepath.Join(dir, "link")
	check := func(sig []byte, to, words string) {
		t.Helper()
		os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Skipf("SKIPPED, so nothing is proven here: this system makes no symbolic links: %v", err)
		}
		name := filepath.Join(t.TempDir(), "sig")
		write(t, name, sig)
		_, err := VerifyModel(dir, name, believe)
		if words == "" {
			if err != nil {
				t.Error(err)
			}
			return
		}
		wantKind(t, err, sallyport.Refused, words)
	}
	check(loose, "file", "")
	check(strict, "file", "is a symbolic link")
	check(loose, outside, "does not lead to a file of the folder")
	check(loose, "../../../../etc/hostname", "does not lead to a file of the folder")
	check(loose, ".", "does not lead to a file of the folder")
	check(loose, "link", "does not lead to a file of the folder")
	check(loose, "nowhere", "does not lead to a file of the folder")
}

// TestLegacy verifies bundles of version 0.2, whose encoding quotes payloads
// as Python does. TestReferenceLegacyEncoding compares the quoting itself.
func TestLegacy(t *testing.T) {
	id := newIdentity(t, elliptic.P256())
	believe := Authority{Keys: []Key{id.key(t, "")}}
	bundleOf := func(predicateType string) []byte {
		s := must[Statement](t)(newStatement(predicateType, []Descriptor{
			{Name: "it's", Digest: map[string]string{"sha256": hexSum("x")}},
		}, map[string]any{"unused": ""}))
		payload := must[[]byte](t)(encode(s))
		return must[[]byte](t)(encode(bundle{bundleType, material{PublicKey: &keyHint{}}, Envelope{payload, PayloadType,
			[]Signature{{Sig: must[[]byte](t)(id.Sign(legacyPAE(payload)))}}}}))
	}
	sig := bundleOf(legacyType)
	if _, err := verify(t, sig, map[string]string{"it's": "x"}, believe); err != nil {
		t.Error(err)
	}
	_, err := verify(t, sig, map[string]string{"it's": "y"}, believe)
	wantKind(t, err, sallyport.Refused, "changed")
	// The old encoding is for the old predicate alone.
	_, err = verify(t, bundleOf(ModelType), map[string]string{"it's": "x"}, believe)
	wantKind(t, err, sallyport.Refused, "no trusted key")
}

func FuzzModel(f *testing.F) {
	id := newIdentity(f, elliptic.P256())
	good := must[[]byte](f)(SignModel(id, "model", filesOf(contents), Own))
	f.Add(good)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"x509CertificateChain":{"certificates":[{"rawBytes":"MAA="}]},"tlogEntries":[]},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`))
	roots := x509.NewCertPool()
	roots.AddCert(newAuthority(f).cert)
	want := must[*Model](f)(OpenModel("m", good, Authority{Keys: []Key{id.key(f, "")}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := OpenModel("m", data, Authority{Keys: []Key{id.key(t, "")}, Roots: roots})
		if err == nil && len(m.files) != len(want.files) {
			t.Errorf("forged: %q", data)
		}
	})
}

// FuzzModelPredicate reads what a trusted signer may have signed by mistake.
func FuzzModelPredicate(f *testing.F) {
	seed := modelPredicate{serialization{"shards", "sha256", false, []string{"a"}}, []resource{{"x:0:1", hexSum("x"), "sha256-sharded-1"}}}
	f.Add(must[[]byte](f)(encode(seed)), hexSum("x"))
	f.Add([]byte(`{"serialization":{"method":"files","hash_type":"blake2"},"resources":[{"name":"a","digest":"","algorithm":"blake2b"}]}`), "")
	f.Fuzz(func(t *testing.T, predicate []byte, root string) {
		if !json.Valid(predicate) || !bytes.HasPrefix(predicate, []byte("{")) {
			return
		}
		m := &Model{files: make(map[string][]part)}
		err := m.read("m", Statement{StatementType, []Descriptor{{Digest: map[string]string{"sha256": root}}}, ModelType, predicate})
		if err != nil {
			return
		}
		for name, parts := range m.files {
			if !validName(name) || len(parts) == 0 || parts[0].start != 0 {
				t.Errorf("%q: %+v", name, parts)
			}
		}
	})
}
