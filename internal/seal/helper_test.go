package seal_test

import (
	"bytes"
	"io"
	"testing"

	"filippo.io/age"

	"github.com/sallyport/sallyport/internal/seal"
)

func newIdentity(t testing.TB, name string) *seal.Identity {
	t.Helper()
	id, err := seal.NewIdentity(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// encrypt is what anybody can do with age and the public recipient.
func encrypt(t testing.TB, plain []byte, to *seal.Identity) []byte {
	t.Helper()
	recipient, err := age.ParseX25519Recipient(to.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decrypt opens an age file with the secret key as age's own library reads it
// from an identity file.
func decrypt(t testing.TB, file []byte, secret string) []byte {
	t.Helper()
	ids, err := age.ParseIdentities(bytes.NewReader([]byte(secret)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(file), ids...)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// flips calls f with every copy of b that differs from it in one bit.
func flips(b []byte, f func(flipped []byte, bit int)) {
	for bit := range 8 * len(b) {
		c := bytes.Clone(b)
		c[bit/8] ^= 1 << (bit % 8)
		f(c, bit)
	}
}
