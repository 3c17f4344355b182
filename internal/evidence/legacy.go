package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Version 0.2 of the reference was used in production before the
// specification. It differs in two ways: the subjects are the files, and its
// signatures are made over a text that holds the payload as Python prints
// bytes, always with SHA-256.

const legacyType = "https://model_signing/Digests/v0.1"

// legacyPAE returns what version 0.2 signs. As in PAE, the length and the
// quoting, which is reversible, keep two payloads from giving the same bytes;
// the upper-case first word keeps it apart from PAE.
func legacyPAE(payload []byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "DSSEV1 %d %s %d b'", len(PayloadType), PayloadType, len(payload))
	for _, c := range payload {
		switch {
		case c == '\\' || c == '\'':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return []byte(b.String())
}

// readLegacy takes what a statement of version 0.2 says into m.
func (m *Model) readLegacy(place string, s Statement) error {
	for _, subject := range s.Subject {
		digest, ok := subject.sha256()
		if !ok || !validName(subject.Name) {
			return badModel(place, "a subject is not a file with a SHA-256 digest")
		}
		raw, err := hex.DecodeString(digest.Hex())
		if err != nil {
			return err
		}
		m.files[subject.Name] = append(m.files[subject.Name], part{0, wholeFile, sha256.New, raw})
	}
	return m.join(place)
}
