package ledger

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
)

// NewKey makes an Ed25519 key pair for the log that origin names, in the
// encoding of signed notes (c2sp.org/signed-note): skey is secret, vkey is for
// everybody. An origin should look like a URL without its scheme; one that is
// empty or holds spaces or a plus is a mistake of the program, and panics.
func NewKey(origin string) (skey, vkey string) {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		panic(err) // the system's randomness does not fail
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		panic("ledger: origin cannot name a key")
	}
	return skey, vkey
}

// A Verifier is a note.Verifier that knows its key's text, as Export needs it.
type Verifier struct {
	note.Verifier
	vkey string
}

// NewVerifier reads the public key of a log.
func NewVerifier(vkey string) (*Verifier, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "not the public key of a ledger: %w", err).
			Try("it looks like this, on one line: name+hash+base64")
	}
	return &Verifier{v, vkey}, nil
}

// String returns the text that NewVerifier read.
func (v *Verifier) String() string { return v.vkey }

// A head is a signed state of the tree.
type head struct {
	tree tlog.Tree
	note []byte // nil before the first entry
}

// sign makes the checkpoint of a tree (c2sp.org/tlog-checkpoint): a signed note
// of three lines, the origin, the size and the root. The name of the key is the
// origin.
func sign(tree tlog.Tree, signer note.Signer) (head, error) {
	text := signer.Name() + "\n" + strconv.FormatInt(tree.N, 10) + "\n" + tree.Hash.String() + "\n"
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return head{}, sallyport.Errorf(sallyport.Internal, "the checkpoint cannot be signed: %w", err)
	}
	return head{tree, msg}, nil
}

// openCheckpoint reads a checkpoint and checks its signature. It is of kind
// Refused if there is no good signature of the key, Invalid if what is signed
// is not a checkpoint of the key's log. Signatures of others (witnesses) are
// skipped, as c2sp.org/signed-note says; extension lines, which no auditor can
// check, are not accepted.
func openCheckpoint(msg []byte, v note.Verifier) (head, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return head{}, sallyport.Errorf(sallyport.Refused, "the checkpoint is not signed by the key of %s", v.Name()).
			Try("check that the key is that site's, and that the checkpoint is whole")
	}
	// Package note also takes a signature whose base64 ends in stray bits.
	for _, sig := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return head{}, sallyport.Errorf(sallyport.Invalid, "the signature of the checkpoint is not in its one form")
		}
	}
	bad := sallyport.Errorf(sallyport.Invalid, "the signed note is not a checkpoint of %s", v.Name())
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != v.Name() || lines[3] != "" {
		return head{}, bad
	}
	size, ok := parseIndex(lines[1])
	if !ok {
		return head{}, bad
	}
	root, ok := parseHash(lines[2])
	if !ok {
		return head{}, bad
	}
	return head{tlog.Tree{N: size, Hash: root}, msg}, nil
}

// parseIndex reads a number as C2SP writes it: decimal, no sign, no leading zero.
func parseIndex(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == s
}

// parseHash reads a hash in the one base64 form that it has.
func parseHash(s string) (h tlog.Hash, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize {
		return h, false
	}
	copy(h[:], b)
	return h, h.String() == s // no line breaks, which the decoder skips
}
