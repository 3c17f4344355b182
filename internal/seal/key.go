package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"math/bits"
	"strings"

	"github.com/sallyport/sallyport"
)

// KeySize is the length of a Key in bytes: AES-256 (FIPS 197).
const KeySize = 32

// Overhead is how much longer a sealed message is than its plaintext: the
// 96-bit nonce in front and the 128-bit tag behind.
const Overhead = 12 + 16

// A Key is a symmetric key. The zero Key is not a key; use NewKey.
type Key [KeySize]byte

// NewKey returns a fresh random key.
func NewKey() Key {
	var k Key
	rand.Read(k[:])
	return k
}

// aead returns AES-256-GCM with random nonces (SP 800-38D §8.2.2). One key may
// seal 2³² messages before a repeated nonce becomes likelier than 2⁻³²; segment
// keys seal one message each, ring keys one per segment.
func (k Key) aead() cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // only a wrong key size, which the type excludes
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// Seal appends the sealed plaintext to dst: nonce, ciphertext, tag. The
// context ties the message to its place; Open needs the same context.
func (k Key) Seal(dst, plaintext []byte, context string) []byte {
	return k.aead().Seal(dst, nil, plaintext, []byte(context))
}

// Open appends the plaintext of sealed to dst. An error of kind Corrupt means
// that the key, the context or a byte is not what it was when it was sealed.
func (k Key) Open(dst, sealed []byte, context string) ([]byte, error) {
	out, err := k.aead().Open(dst, nil, sealed, []byte(context))
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Corrupt, "sealed bytes do not open: they were changed, or this is not their key")
	}
	return out, nil
}

// Derive returns the subkey of k for a purpose (HKDF-SHA256, RFC 5869).
func (k Key) Derive(purpose string) Key {
	b, err := hkdf.Expand(sha256.New, k[:], "sallyport "+purpose, KeySize)
	if err != nil {
		panic(err) // only a length over 255 hashes
	}
	return Key(b)
}

// MAC returns HMAC-SHA256 of data under k.
func (k Key) MAC(data []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, k[:])
	h.Write(data)
	return [sha256.Size]byte(h.Sum(nil))
}

// PadTo returns the length that n bytes are padded to before sealing, so that
// a length on disk tells at most log log n bits: Padmé (Nikitin et al., PURBs,
// PETS 2019, §4), which adds less than 12 %, and for whole segments about 1 %.
func PadTo(n int) int {
	if n < 2 {
		return n
	}
	e := bits.Len(uint(n)) - 1 // floor(log2 n)
	s := bits.Len(uint(e))     // floor(log2 e) + 1
	mask := 1<<(e-s) - 1       // the low bits that must be zero
	return (n + mask) &^ mask
}

// NewName returns a random name for a thing, 50 bits in 10 letters and digits
// of base 32: short enough to type, and never the same twice in a site.
func NewName() string { return strings.ToLower(rand.Text()[:10]) }
