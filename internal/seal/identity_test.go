package seal_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

func never() (string, error) { return "", errors.New("nobody asked") }

func pass(s string) func() (string, error) { return func() (string, error) { return s, nil } }

func marshal(t testing.TB, id *seal.Identity, passphrase string) []byte {
	t.Helper()
	text, err := id.Marshal(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// same reports whether two identities hold the same secrets, shown by what
// each can do.
func same(t *testing.T, a, b *seal.Identity) {
	t.Helper()
	if a.Name != b.Name || a.SigningPEM() != b.SigningPEM() || a.Recipient() != b.Recipient() {
		t.Error("the identity that was read is not the one that was written")
	}
	if !bytes.Equal(marshal(t, a, ""), marshal(t, b, "")) {
		t.Error("the secrets differ")
	}
}

func TestIdentityRoundTrip(t *testing.T) {
	id := newIdentity(t, "alice")
	got, err := seal.ParseIdentity(marshal(t, id, ""), never)
	if err != nil {
		t.Fatal(err)
	}
	same(t, id, got)
}

func TestIdentityPassphrase(t *testing.T) {
	id := newIdentity(t, "alice")
	locked := marshal(t, id, "correct horse")
	for _, secret := range []string{"alice", "AGE-SECRET-KEY", "PRIVATE KEY"} {
		if bytes.Contains(locked, []byte(secret)) {
			t.Errorf("the locked file shows %q", secret)
		}
	}
	got, err := seal.ParseIdentity(locked, pass("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, id, got)

	gone := errors.New("no terminal")
	if _, err := seal.ParseIdentity(locked, func() (string, error) { return "", gone }); !errors.Is(err, gone) {
		t.Errorf("no passphrase: %v, want %v", err, gone)
	}
}

// The files here are locked with little work, which a real one is not.
func TestIdentityWrongPassphrase(t *testing.T) {
	id := newIdentity(t, "alice")
	locked := lock(t, marshal(t, id, ""), "correct horse")
	got, err := seal.ParseIdentity(locked, pass("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, id, got)
	for _, wrong := range []string{"correct house", "correct horse ", "Correct horse", ""} {
		if _, err := seal.ParseIdentity(locked, pass(wrong)); !sallyport.Is(err, sallyport.Denied) {
			t.Errorf("%q: %v, want Denied", wrong, err)
		}
	}
	for i := 0; i < len(locked); i += 7 {
		damaged := bytes.Clone(locked)
		if damaged[i] ^= 1; damaged[i]|1 == '\n'|1 {
			continue
		}
		if _, err := seal.ParseIdentity(damaged, pass("correct horse")); err == nil {
			t.Errorf("a locked file opens although byte %d was changed", i)
		}
	}
	other := lock(t, []byte("something else"), "correct horse")
	if _, err := seal.ParseIdentity(other, pass("correct horse")); !sallyport.Is(err, sallyport.Invalid) {
		t.Errorf("something else, locked: %v, want Invalid", err)
	}
}

// lock locks text with a passphrase as Marshal does, but with little work.
func lock(t *testing.T, text []byte, passphrase string) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(4)
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	w, err := age.Encrypt(arm, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), arm.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A file from outside chooses how much work its passphrase costs, up to a bound.
// Without the bound this one would ask for a tebibyte.
func TestIdentityWorkFactor(t *testing.T) {
	locked := lock(t, marshal(t, newIdentity(t, "alice"), ""), "x")
	file, err := io.ReadAll(armor.NewReader(bytes.NewReader(locked)))
	if err != nil {
		t.Fatal(err)
	}
	costly := bytes.Replace(file, []byte(" 4\n"), []byte(" 30\n"), 1) // the end of the line "-> scrypt SALT 4"
	if bytes.Equal(costly, file) {
		t.Fatal("the file does not say its work factor where age's format puts it")
	}
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	if _, err := arm.Write(costly); err != nil {
		t.Fatal(err)
	}
	if err := arm.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ParseIdentity(out.Bytes(), pass("x")); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("%v, want Denied", err)
	}
}

func TestIdentityRefused(t *testing.T) {
	good := string(marshal(t, newIdentity(t, "alice"), ""))
	lines := strings.SplitAfter(good, "\n")
	key := strings.Join(lines[3:], "")
	rsa := "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAAScAT4wggE6AgEAAkEAtk0=\n-----END PRIVATE KEY-----\n"
	p384 := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
	for name, text := range map[string]string{
		"empty":             "",
		"no header":         strings.Join(lines[1:], ""),
		"newer":             strings.Replace(good, "v1", "v2", 1),
		"no name":           lines[0] + "name: \n" + lines[2] + key,
		"a path as name":    lines[0] + "name: ../etc\n" + lines[2] + key,
		"no age key":        lines[0] + lines[1] + key,
		"a public age key":  lines[0] + lines[1] + newIdentity(t, "x").Recipient() + "\n" + key,
		"no signing key":    lines[0] + lines[1] + lines[2],
		"not PKCS #8":       lines[0] + lines[1] + lines[2] + rsa,
		"another curve":     lines[0] + lines[1] + lines[2] + p384,
		"two keys":          good + key,
		"something behind":  good + "x",
		"another PEM block": lines[0] + lines[1] + lines[2] + newIdentity(t, "x").SigningPEM(),
		"too large":         good + strings.Repeat("\n", 16<<10),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.ParseIdentity([]byte(text), never)
			if !sallyport.Is(err, sallyport.Invalid) {
				t.Fatalf("%v, want Invalid", err)
			}
			if secret := strings.TrimSpace(lines[2]); strings.Contains(err.Error(), secret) {
				t.Error("the message shows the secret key")
			}
		})
	}
}

// opensslKey makes a private key, or an unreadable one where openssl is missing.
func opensslKey(t *testing.T, args ...string) string {
	out, err := exec.Command("openssl", append([]string{"genpkey"}, args...)...).Output()
	if err != nil {
		t.Logf("no openssl, so another curve is not tried: %v", err)
	}
	return string(out)
}

// TestSignatureOpenSSL has the signature and the public key checked by openssl.
func TestSignatureOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: nothing but Go's own library has checked the signatures here: openssl is missing")
	}
	id := newIdentity(t, "alice")
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	verify := func(message, signature []byte) (string, error) {
		out, err := exec.Command(openssl, "dgst", "-sha256", "-verify", write("key.pem", []byte(id.SigningPEM())),
			"-signature", write("message.sig", signature), write("message", message)).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	for _, message := range [][]byte{nil, []byte("a model"), bytes.Repeat([]byte("long "), 10_000)} {
		signature, err := id.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := verify(message, signature); err != nil || out != "Verified OK" {
			t.Errorf("openssl: %s, %v", out, err)
		}
		if out, err := verify(append(message, '!'), signature); err == nil {
			t.Errorf("openssl verifies another message: %s", out)
		}
	}
	out, err := exec.Command(openssl, "pkey", "-pubin", "-in", filepath.Join(dir, "key.pem"), "-noout", "-text").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("NIST CURVE: P-256")) {
		t.Errorf("openssl reads the public key as %s, %v", out, err)
	}
}

// TestKeyID holds the key identifier against one that sha256sum computes.
func TestKeyID(t *testing.T) {
	const pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
	const want = "f61b347fbb8e6469f294c1faa146d37688e5c1c8a6b1b25653ee85ad10b7447a"
	if got := seal.KeyID(pem); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzParseIdentity: what is read back is what canonical text says, and what is
// refused is refused as invalid.
func FuzzParseIdentity(f *testing.F) {
	good := marshal(f, newIdentity(f, "alice"), "")
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")))
	f.Add([]byte("# sallyport identity v1\nname: a\nAGE-SECRET-KEY-1\n"))
	f.Add([]byte("-----BEGIN AGE ENCRYPTED FILE-----\n"))
	locked := errors.New("locked")
	f.Fuzz(func(t *testing.T, text []byte) {
		id, err := seal.ParseIdentity(text, func() (string, error) { return "", locked })
		if err != nil {
			if !sallyport.Is(err, sallyport.Invalid) && !errors.Is(err, locked) {
				t.Fatalf("%v, want Invalid", err)
			}
			return
		}
		again, err := seal.ParseIdentity(marshal(t, id, ""), never)
		if err != nil {
			t.Fatalf("what was accepted once is refused when it is written out: %v", err)
		}
		same(t, id, again)
	})
}
