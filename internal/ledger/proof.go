package ledger

import (
	"bytes"
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
)

// The first line of a proof, and what its lines of index and opaque data begin
// with (c2sp.org/tlog-proof).
const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	proofExtra  = "extra "
	proofIndex  = "index "
)

// maxProof is far above the longest proof: 63 hashes, a checkpoint with its
// witnesses and a little opaque data.
const maxProof = 1 << 20

// Proof returns a proof that entry n is in the log, with the newest signed
// checkpoint, in the format of c2sp.org/tlog-proof, and the leaf that it is of.
// Both together verify without the site; proofs are stored with the extension
// .tlog-proof.
func (l *Log) Proof(ctx context.Context, n int64) (proof, leaf []byte, err error) {
	err = l.View(ctx, func(tx *Tx) error {
		if err := tx.loadAny(); err != nil {
			return err
		}
		row, err := tx.st.Entry(n)
		if err != nil {
			return err
		}
		if _, err := tx.prove(row); err != nil {
			return err
		}
		path, err := tlog.ProveRecord(tx.base.tree.N, n, tx.hashes)
		if err != nil {
			return err
		}
		proof, leaf = formatProof(n, path, tx.base.note), row.Leaf
		return nil
	})
	return proof, leaf, err
}

func formatProof(n int64, path tlog.RecordProof, checkpoint []byte) []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n" + proofIndex + strconv.FormatInt(n, 10) + "\n")
	for _, h := range path {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(checkpoint)
	return b.Bytes()
}

// VerifyProof checks offline that leaf is in the log that vkey is the public
// key of, and returns its entry. Kinds of errors: Invalid if the proof, the
// leaf or the key is none, Refused if the proof does not hold.
func VerifyProof(proof, leaf []byte, vkey string) (Entry, error) {
	v, err := NewVerifier(vkey)
	if err != nil {
		return Entry{}, err
	}
	n, path, checkpoint, ok := parseProof(proof)
	if !ok {
		return Entry{}, sallyport.Errorf(sallyport.Invalid, "not a proof of a ledger entry").
			Try("export it again with: sallyport log export")
	}
	h, err := openCheckpoint(checkpoint, v)
	if err != nil {
		return Entry{}, err
	}
	e, err := ParseEntry(leaf)
	if err != nil {
		return Entry{}, err
	}
	if e.N != n || tlog.CheckRecord(path, h.tree.N, h.tree.Hash, n, tlog.RecordHash(leaf)) != nil {
		return Entry{}, sallyport.Errorf(sallyport.Refused, "the entry is not in the ledger of %s that the checkpoint is of", v.Name()).
			Try("the proof and the entry do not belong together, or one was changed; export them again")
	}
	return e, nil
}

// parseProof takes a proof apart. Opaque data is skipped: nothing vouches for it.
func parseProof(proof []byte) (n int64, path tlog.RecordProof, checkpoint []byte, ok bool) {
	if len(proof) > maxProof {
		return 0, nil, nil, false
	}
	head, rest, found := strings.Cut(string(proof), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != proofHeader {
		return 0, nil, nil, false
	}
	lines = lines[1:]
	if data, extra := strings.CutPrefix(lines[0], proofExtra); extra {
		if _, err := base64.StdEncoding.Strict().DecodeString(data); err != nil || len(lines) < 2 {
			return 0, nil, nil, false
		}
		lines = lines[1:]
	}
	index, found := strings.CutPrefix(lines[0], proofIndex)
	n, ok = parseIndex(index)
	if !found || !ok {
		return 0, nil, nil, false
	}
	for _, line := range lines[1:] {
		h, ok := parseHash(line)
		if !ok {
			return 0, nil, nil, false
		}
		path = append(path, h)
	}
	return n, path, []byte(rest), true
}

// Consistency proves that the log of now continues the log when it had old
// entries: the proof (RFC 6962 §2.1.2) leads from the root of then to that of
// the checkpoint, as tlog.CheckTree verifies.
func (l *Log) Consistency(ctx context.Context, old int64) (proof tlog.TreeProof, checkpoint []byte, err error) {
	err = l.View(ctx, func(tx *Tx) error {
		if err := tx.loadAny(); err != nil {
			return err
		}
		now := tx.base.tree
		if old < 1 || old > now.N {
			return sallyport.Errorf(sallyport.NotFound, "the ledger never had %d entries", old).
				Try("it has %d", now.N)
		}
		then, err := tlog.TreeHash(old, tx.hashes)
		if err != nil {
			return err
		}
		if proof, err = tlog.ProveTree(now.N, old, tx.hashes); err != nil {
			return err
		}
		if tlog.CheckTree(proof, now.N, now.Hash, old, then) != nil {
			return corrupt("the stored tree is not the one that was signed").At("ledger")
		}
		checkpoint = bytes.Clone(tx.base.note)
		return nil
	})
	return proof, checkpoint, err
}
