package evidence

import (
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// An Authority is whom the verifier of a model believes.
type Authority struct {
	Keys  []Key
	Roots *x509.CertPool // of certificates; nil believes none
	Now   time.Time      // at which certificates must be valid; zero is now
}

// A Model is what a verified model signature says about a folder.
type Model struct {
	Name   string // the folder's name when it was signed; it may have been renamed since
	Signer Key

	files  map[string][]part
	ignore []string
	links  bool // files may be reached through symbolic links
}

// A part is a stretch of a file and its digest; end is wholeFile for a file
// in one part.
type part struct {
	start, end int64
	new        func() hash.Hash
	digest     []byte
}

const wholeFile = -1

// OpenModel verifies a model signature of at most 32 MiB and returns what it
// says; place names it in errors. It accepts whatever OpenSSF Model Signing
// v1.0 defines save BLAKE3 and Sigstore's keyless method, which it refuses by
// name, and the predicate of version 0.2.
func OpenModel(place string, data []byte, believe Authority) (*Model, error) {
	if len(data) > maxEvidence {
		return nil, tooLarge(place, maxEvidence)
	}
	var b bundle
	if err := decode(place, data, open, &b); err != nil {
		return nil, err
	}
	if b.MediaType != bundleType {
		return nil, badModel(place, "it is not a Sigstore bundle v0.3")
	}
	if err := b.Envelope.check(place); err != nil {
		return nil, err
	}
	if len(b.Envelope.Signatures) != 1 {
		return nil, badModel(place, "it does not have exactly one signature")
	}
	keys, err := b.VerificationMaterial.keys(place, believe)
	if err != nil {
		return nil, err
	}
	by, legacy, err := b.signer(place, keys)
	if err != nil {
		return nil, err
	}
	s, err := ParseStatement(place, b.Envelope.Payload)
	if err != nil {
		return nil, err
	}
	m := &Model{Signer: by, files: make(map[string][]part)}
	if s.PredicateType == legacyType {
		return m, m.readLegacy(place, s)
	}
	if legacy {
		return nil, notSigned(place, nil) // version 0.2's encoding signs version 0.2's predicate only
	}
	return m, m.read(place, s)
}

func badModel(place, why string) error {
	return sallyport.Errorf(sallyport.Invalid, "not a model signature that can be verified: %s", why).At("%s", place).
		Try("sign the model again with OpenSSF Model Signing v1.0")
}

// keys returns the keys that may have made the signature, by the method that
// the bundle names.
func (m material) keys(place string, believe Authority) ([]Key, error) {
	switch {
	case len(m.Certificate) > 0:
		return nil, badModel(place, "keyless (Sigstore) signatures prove nothing without a public log")
	case m.Chain != nil && m.PublicKey != nil:
		return nil, badModel(place, "it names both a key and certificates")
	case m.Chain != nil:
		key, err := m.Chain.key(place, believe)
		return []Key{key}, err
	case m.PublicKey != nil:
		return believe.Keys, nil
	}
	return nil, badModel(place, "it names neither a key nor certificates")
}

// signer returns which of keys made the signature, and whether in the way of
// version 0.2.
func (b bundle) signer(place string, keys []Key) (by Key, legacy bool, err error) {
	sig := b.Envelope.Signatures[0].Sig
	text := newMessage(PAE(PayloadType, b.Envelope.Payload))
	for _, k := range keys {
		if k.signed(text, sig) {
			return k, false, nil
		}
	}
	text = newMessage(legacyPAE(b.Envelope.Payload))
	for _, k := range keys {
		if k.public != nil && k.signedUnder(crypto.SHA256, text, sig) {
			return k, true, nil
		}
	}
	hint := ""
	if m := b.VerificationMaterial.PublicKey; m != nil {
		hint = m.Hint
	}
	return Key{}, false, notSigned(place, keys, hint)
}

// read takes what a statement of version 1.0 says into m.
func (m *Model) read(place string, s Statement) error {
	if s.PredicateType != ModelType {
		return badModel(place, "its statement is about something else than a model")
	}
	var p modelPredicate
	if err := decode(place, s.Predicate, open, &p); err != nil {
		return err
	}
	if len(s.Subject) != 1 {
		return badModel(place, "it does not have exactly one subject")
	}
	root := sha256.New()
	for _, r := range p.Resources {
		name, part, err := p.Serialization.part(place, r)
		if err != nil {
			return err
		}
		root.Write(part.digest)
		m.files[name] = append(m.files[name], part)
	}
	if want, ok := s.Subject[0].sha256(); !ok || want.Hex() != hex.EncodeToString(root.Sum(nil)) {
		return badModel(place, "its digest of digests does not fit the digests")
	}
	if slices.Contains(p.Serialization.IgnorePaths, ".") {
		return badModel(place, "it ignores the whole folder")
	}
	m.Name, m.ignore, m.links = s.Subject[0].Name, p.Serialization.IgnorePaths, p.Serialization.AllowSymlinks
	return m.join(place)
}

// join puts the parts of every file in order and checks that they follow one
// another from the first byte. That is all that shards need: what was hashed
// is fixed by the signed boundaries, and the comparison reads to the end.
func (m *Model) join(place string) error {
	for _, parts := range m.files {
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.start, b.start) })
		next := int64(0)
		for _, p := range parts {
			if p.start != next || p.start == p.end && len(parts) > 1 {
				return badModel(place, "a file is listed twice or with a gap")
			}
			next = p.end
		}
	}
	return nil
}

// part reads one resource: a file, or a shard "path:start:end" of one.
func (s serialization) part(place string, r resource) (string, part, error) {
	name, p := r.Name, part{end: wholeFile}
	switch s.Method {
	case "files":
	case "shards":
		var ok bool
		if name, p.start, p.end, ok = shard(r.Name); !ok {
			return "", p, badModel(place, "a shard is not named path:start:end")
		}
	default:
		return "", p, badModel(place, "its method is neither files nor shards")
	}
	if !validName(name) {
		return "", p, badModel(place, "a name is not a path below the folder")
	}
	var err error
	if p.new, err = hasher(place, s, r.Algorithm); err != nil {
		return "", p, err
	}
	p.digest, err = hex.DecodeString(r.Digest)
	if err != nil || len(p.digest) != p.new().Size() {
		return "", p, badModel(place, "a digest has the wrong form")
	}
	return name, p, nil
}

// shardName is path:start:end. The path may hold colons of its own.
var shardName = lazyregexp.New(`(?s)^(.+):(0|[1-9][0-9]*):(0|[1-9][0-9]*)$`)

func shard(s string) (path string, start, end int64, ok bool) {
	fields := shardName.FindStringSubmatch(s)
	if fields == nil {
		return "", 0, 0, false
	}
	start, err1 := strconv.ParseInt(fields[2], 10, 64)
	end, err2 := strconv.ParseInt(fields[3], 10, 64)
	return fields[1], start, end, err1 == nil && err2 == nil && end >= start
}

// hasher returns the hash that algorithm names. The reference writes "blake2b"
// or "blake2" for BLAKE2b-512, and appends "-sharded-SIZE" to shards'.
func hasher(place string, s serialization, algorithm string) (func() hash.Hash, error) {
	if s.Method == "shards" {
		algorithm, _, _ = strings.Cut(algorithm, "-sharded-")
	}
	if spelled(algorithm) != spelled(s.HashType) {
		return nil, badModel(place, "two of its hash algorithms disagree")
	}
	switch spelled(algorithm) {
	case "sha256":
		return sha256.New, nil
	case "blake2b":
		return func() hash.Hash { h, _ := blake2b.New512(nil); return h }, nil // fails for keys only
	case "blake3":
		return nil, badModel(place, "it uses BLAKE3, which is not supported; SHA-256 is")
	}
	return nil, badModel(place, "it uses an unknown hash algorithm")
}

// spelled returns the specification's name of an algorithm.
func spelled(algorithm string) string {
	if algorithm == "blake2" {
		return "blake2b"
	}
	return algorithm
}

// plain reports whether the signature has the shape that SignModel writes,
// under which a file's SHA-256 decides.
func (m *Model) plain() bool {
	for _, parts := range m.files {
		if parts[0].end != wholeFile || len(parts[0].digest) != sha256.Size {
			return false
		}
	}
	return !m.links
}
