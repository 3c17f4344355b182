package sallyport

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A Digest names bytes by their SHA-256: "sha256:" and 64 lower-case hex digits.
type Digest string

// Sum returns the digest of b.
func Sum(b []byte) Digest { return DigestOf(sha256.Sum256(b)) }

// DigestOf returns the digest whose SHA-256 is sum.
func DigestOf(sum [sha256.Size]byte) Digest {
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseDigest reads a digest, with or without its "sha256:" prefix.
func ParseDigest(s string) (Digest, error) {
	h := strings.TrimPrefix(s, "sha256:")
	if b, err := hex.DecodeString(h); err != nil || len(b) != sha256.Size || h != strings.ToLower(h) {
		return "", Errorf(Invalid, "not a SHA-256 digest").Try("write sha256: and 64 lower-case hex digits")
	}
	return Digest("sha256:" + h), nil
}

// Hex returns the 64 hex digits.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Short returns the first 12 hex digits, enough for a person to tell two apart.
func (d Digest) Short() string { return d.Hex()[:min(12, len(d.Hex()))] }
