package pep740

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport/internal/format/json"
)

// A logged entry is one that has been verified.
type logged struct {
	time  time.Time
	index int64
}

// logged verifies that the public log took the signature, and when: by the
// log's own promise, the only thing that it signs the time in, and by the proof
// that the entry is in the tree whose head it signed.
func (r *Roots) logged(v *json.Value, m material) (logged, error) {
	var none logged
	id := octets(v.Get("logId").Get("keyId"))
	log, ok := r.logs[hex.EncodeToString(id)]
	if !ok {
		return none, unknown("it is in a log whose key is not known")
	}
	key, ok := log.key.(*ecdsa.PublicKey)
	if !ok {
		return none, unknown("it is in a log that does not sign the time")
	}
	body := octets(v.Get("canonicalizedBody"))
	seconds, ok := number(v.Get("integratedTime"))
	index, iok := number(v.Get("logIndex"))
	promise := octets(v.Get("inclusionPromise").Get("signedEntryTimestamp"))
	if body == nil || !ok || !iok || promise == nil {
		return none, unknown("the log's promise about its time is missing")
	}
	e := logged{time: time.Unix(seconds, 0), index: index}
	if !log.holds(e.time) {
		return none, refused("the log's key was not in use at that time")
	}
	// The promise is over RFC 8785's form of these four, in which no string here
	// needs an escape.
	said := fmt.Sprintf(`{"body":"%s","integratedTime":%d,"logID":"%s","logIndex":%d}`, base64.StdEncoding.EncodeToString(body), seconds, hex.EncodeToString(id), index)
	if !ecdsa.VerifyASN1(key, sum([]byte(said)), promise) {
		return none, refused("the log's promise is not signed by the log")
	}
	if err := included(v.Get("inclusionProof"), body, verifier{log.host, binary.BigEndian.Uint32(id), key}); err != nil {
		return none, err
	}
	return e, entered(v.Get("kindVersion"), body, m)
}

// included verifies that the body is in the tree of the log.
func included(v *json.Value, body []byte, by verifier) error {
	opened, err := note.Open([]byte(v.Get("checkpoint").Get("envelope").Str()), note.VerifierList(by))
	if err != nil {
		return refused("the head of the log's tree is not signed by the log")
	}
	lines := strings.Split(opened.Text, "\n") // origin, size, root, and what else the log likes to say
	if len(lines) < 4 || lines[0] != by.host && !strings.HasPrefix(lines[0], by.host+" - ") {
		return refused("the head of the tree is not one of the log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, rerr := base64.StdEncoding.Strict().DecodeString(lines[2])
	said, ok := number(v.Get("treeSize"))
	index, iok := number(v.Get("logIndex"))
	hashes := items(v.Get("hashes"))
	if err != nil || rerr != nil || len(root) != tlog.HashSize || !ok || said != size || !bytes.Equal(octets(v.Get("rootHash")), root) {
		return refused("the proof is not for the head of the tree beside it")
	}
	if !iok || index < 0 || index >= size || len(hashes) > 64 {
		return refused("the proof is for a place that the tree does not have")
	}
	var path tlog.RecordProof
	for _, h := range hashes {
		b := octets(h)
		if len(b) != tlog.HashSize {
			return invalid("a proof with something else than hashes")
		}
		path = append(path, tlog.Hash(b))
	}
	if tlog.CheckRecord(path, size, tlog.Hash(root), index, tlog.RecordHash(body)) != nil {
		return refused("the proof does not show that the entry is in the log")
	}
	return nil
}

// entered verifies that the entry is about this signature of this statement by
// this certificate, and no other.
func entered(version *json.Value, body []byte, m material) error {
	v, err := json.Parse(bytes.NewReader(body), 0, int64(len(body)), maxTree)
	if err != nil {
		return invalid("the log's entry is not JSON")
	}
	kind, api := v.Get("kind").Str(), v.Get("apiVersion").Str()
	if kind != version.Get("kind").Str() || api != version.Get("version").Str() {
		return refused("the entry is of another kind than is said")
	}
	if kind != "dsse" || api != "0.0.1" {
		return unknown("the log's entry is of a kind that is not known")
	}
	spec := v.Get("spec")
	signatures := items(spec.Get("signatures"))
	if len(signatures) != 1 || spec.Get("payloadHash").Get("algorithm").Str() != "sha256" {
		return refused("the entry is not about one signature")
	}
	block, rest := pem.Decode(octets(signatures[0].Get("verifier")))
	switch {
	case spec.Get("payloadHash").Get("value").Str() != hex.EncodeToString(sum(m.statement)):
		return refused("the entry is about another statement")
	case !bytes.Equal(octets(signatures[0].Get("signature")), m.signature):
		return refused("the entry is about another signature")
	case block == nil || len(bytes.TrimSpace(rest)) > 0 || !bytes.Equal(block.Bytes, m.certificate):
		return refused("the entry is about another certificate")
	}
	return nil
}

// A verifier verifies what a log signs as a note. Rekor's hint is the beginning
// of its key's ID.
type verifier struct {
	host string
	hint uint32
	key  *ecdsa.PublicKey
}

func (v verifier) Name() string                 { return v.host }
func (v verifier) KeyHash() uint32              { return v.hint }
func (v verifier) Verify(text, sig []byte) bool { return ecdsa.VerifyASN1(v.key, sum(text), sig) }

// hostOf is the name under which a log signs, which is that of its host.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
