package ledger

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
)

// TestEveryEntryAndEveryPastIsProven appends batches of random sizes and proves
// every entry in every tree, and every tree from every older one, with the
// proofs that package tlog checks.
func TestEveryEntryAndEveryPastIsProven(t *testing.T) {
	s := newSite(t)
	random := rand.New(rand.NewPCG(1, 2))
	roots := map[int64]tlog.Hash{}
	v, _ := NewVerifier(s.vkey)
	for size := int64(0); size < 70; {
		s.update(t, func(tx *Tx) error {
			for range 1 + random.IntN(9) {
				if _, err := tx.Put("k.put", "k", fmt.Sprint(random.IntN(20)), size, nil); err != nil {
					return err
				}
				size++
			}
			return nil
		})
		msg, err := s.log.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h, err := openCheckpoint(msg, v)
		if err != nil || h.tree.N != size {
			t.Fatalf("the checkpoint is of %d entries, want %d; %v", h.tree.N, size, err)
		}
		roots[size] = h.tree.Hash
		for n := range size {
			proof, leaf, err := s.log.Proof(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if e, err := VerifyProof(proof, leaf, s.vkey); err != nil || e.N != n {
				t.Fatalf("entry %d of %d: %+v, %v", n, size, e, err)
			}
		}
		for old, root := range roots {
			proof, checkpoint, err := s.log.Consistency(t.Context(), old)
			if err != nil || !bytes.Equal(checkpoint, msg) {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(proof, size, h.tree.Hash, old, root); err != nil {
				t.Fatalf("from %d to %d: %v", old, size, err)
			}
		}
		s.verify(t)
	}
	_, _, err := s.log.Proof(t.Context(), 1000)
	wantKind(t, err, sallyport.NotFound)
	_, _, err = s.log.Proof(t.Context(), -1)
	wantKind(t, err, sallyport.NotFound)
	for _, old := range []int64{-1, 0, 1000} {
		_, _, err = s.log.Consistency(t.Context(), old)
		wantKind(t, err, sallyport.NotFound)
	}
}

// proven returns a site with five entries and the proof of entry 3.
func proven(t testing.TB) (s *site, proof, leaf []byte) {
	s = newSite(t)
	for i := range 5 {
		s.put(t, "k", fmt.Sprint(i), "1")
	}
	proof, leaf, err := s.log.Proof(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	return s, proof, leaf
}

func TestProofForm(t *testing.T) {
	s, proof, _ := proven(t)
	lines := strings.Split(string(proof), "\n")
	checkpoint, _ := s.log.Checkpoint(t.Context())
	if lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != "index 3" || lines[5] != "" ||
		strings.Join(lines[6:], "\n") != string(checkpoint) {
		t.Errorf("the proof is not of the form of c2sp.org/tlog-proof:\n%s", proof)
	}
	if lines[6] != origin || lines[7] != "5" || !strings.HasPrefix(lines[10], "— "+origin+" ") {
		t.Errorf("the checkpoint is not of the form of c2sp.org/tlog-checkpoint:\n%s", checkpoint)
	}
}

func TestAProofHoldsOnlyForItsEntry(t *testing.T) {
	s, proof, leaf := proven(t)
	other, _, err := s.log.Proof(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	stranger, strange, _ := proven(t)
	lines := strings.SplitAfter(string(proof), "\n")
	without := func(i int) []byte { return []byte(strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")) }
	replace := func(old, new string) []byte { return []byte(strings.Replace(string(proof), old, new, 1)) }
	for _, test := range []struct {
		name  string
		proof []byte
		leaf  []byte
		vkey  string
		kind  sallyport.Kind
	}{
		{"another entry's proof", other, leaf, s.vkey, sallyport.Refused},
		{"another site's proof", strange, leaf, stranger.vkey, sallyport.Refused},
		{"another site's key", proof, leaf, stranger.vkey, sallyport.Refused},
		{"no key", proof, leaf, "", sallyport.Invalid},
		{"another index", replace("index 3", "index 2"), leaf, s.vkey, sallyport.Refused},
		{"an index behind the end", replace("index 3", "index 99"), leaf, s.vkey, sallyport.Refused},
		{"a leading zero", replace("index 3", "index 03"), leaf, s.vkey, sallyport.Invalid},
		{"a sign", replace("index 3", "index +3"), leaf, s.vkey, sallyport.Invalid},
		{"another version", replace("@v1", "@v2"), leaf, s.vkey, sallyport.Invalid},
		{"another size", replace("\n5\n", "\n6\n"), leaf, s.vkey, sallyport.Refused},
		{"a hash less", without(2), leaf, s.vkey, sallyport.Refused},
		{"a hash more", replace(lines[2], lines[2]+lines[2]), leaf, s.vkey, sallyport.Refused},
		{"hashes exchanged", replace(lines[2]+lines[3], lines[3]+lines[2]), leaf, s.vkey, sallyport.Refused},
		{"a line end of another system", replace(lines[2], strings.Replace(lines[2], "\n", "\r\n", 1)), leaf, s.vkey, sallyport.Invalid},
		{"no index", without(1), leaf, s.vkey, sallyport.Invalid},
		{"no checkpoint", []byte(strings.Join(lines[:6], "")), leaf, s.vkey, sallyport.Refused},
		{"no signature", []byte(strings.Join(lines[:9], "")), leaf, s.vkey, sallyport.Refused},
		{"extra that is no base64", replace("index", "extra !\nindex"), leaf, s.vkey, sallyport.Invalid},
		{"only extra", []byte("c2sp.org/tlog-proof@v1\nextra \n\n"), leaf, s.vkey, sallyport.Invalid},
		{"another leaf", proof, bytes.Replace(leaf, []byte("alice"), []byte("mallo"), 1), s.vkey, sallyport.Refused},
		{"no leaf", proof, nil, s.vkey, sallyport.Invalid},
		{"nothing", nil, leaf, s.vkey, sallyport.Invalid},
		{"too much", make([]byte, maxProof+1), leaf, s.vkey, sallyport.Invalid},
	} {
		_, err := VerifyProof(test.proof, test.leaf, test.vkey)
		if !sallyport.Is(err, test.kind) {
			t.Errorf("%s: got %v (%v), want kind %v", test.name, err, sallyport.KindOf(err), test.kind)
		}
	}
	for name, proof := range map[string][]byte{
		"opaque data":         replace("index", "extra "+base64.StdEncoding.EncodeToString([]byte("x"))+"\nindex"),
		"a witness's":         append(bytes.Clone(proof), "— witness.example AAAAAAAA\n"...),
		"exactly as it was":   proof,
		"opaque data, nought": replace("index", "extra \nindex"),
	} {
		if _, err := VerifyProof(proof, leaf, s.vkey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestALeafStandsInItsPlace has a log sign a leaf that says it is another.
func TestALeafStandsInItsPlace(t *testing.T) {
	skey, vkey := NewKey(origin)
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sign(tlog.Tree{N: 1, Hash: tlog.RecordHash([]byte(golden))}, signer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = VerifyProof(formatProof(0, nil, h.note), []byte(golden), vkey)
	wantKind(t, err, sallyport.Refused)
}

// TestEveryByteOfAProof changes each byte of a proof and of its leaf.
func TestEveryByteOfAProof(t *testing.T) {
	s, proof, leaf := proven(t)
	for i := range len(proof) + len(leaf) {
		p, l := bytes.Clone(proof), bytes.Clone(leaf)
		if i < len(p) {
			p[i] ^= 1
		} else {
			l[i-len(p)] ^= 1
		}
		if _, err := VerifyProof(p, l, s.vkey); err == nil {
			t.Errorf("byte %d can be changed", i)
		}
	}
}

func TestSignedNotesThatAreNoCheckpoints(t *testing.T) {
	skey, vkey := NewKey(origin)
	signer, _ := note.NewSigner(skey)
	v, _ := NewVerifier(vkey)
	hash := tlog.Hash{1}.String()
	for text, good := range map[string]bool{
		origin + "\n5\n" + hash + "\n":                                 true,
		origin + "\n0\n" + hash + "\n":                                 true,
		"other.example/log\n5\n" + hash + "\n":                         false,
		origin + "\n05\n" + hash + "\n":                                false,
		origin + "\n-5\n" + hash + "\n":                                false,
		origin + "\n99999999999999999999\n" + hash + "\n":              false,
		origin + "\n5\n" + hash[:40] + "\n":                            false,
		origin + "\n5\n" + hash[:20] + "\r" + hash[20:] + "\n":         false,
		origin + "\n5\n" + strings.Replace(hash, "A=", "B=", 1) + "\n": false,
		origin + "\n5\n" + hash + "\nextension\n":                      false,
		origin + "\n5\n":                                               false,
		origin + "\n":                                                  false,
		"go.sum database tree\n5\n" + hash + "\n":                      false,
	} {
		msg, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		_, err = openCheckpoint(msg, v)
		if (err == nil) != good || sallyport.Is(err, sallyport.Internal) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzVerifyProof(f *testing.F) {
	s, proof, leaf := proven(f)
	f.Add(proof, leaf)
	f.Add(bytes.Replace(proof, []byte("index"), []byte("extra eA==\nindex"), 1), leaf)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"), leaf)
	f.Add([]byte("c2sp.org/tlog-proof@v1\n\n\n"), []byte(golden))
	f.Fuzz(func(t *testing.T, p, l []byte) {
		_, err := VerifyProof(p, l, s.vkey)
		if err == nil && !bytes.Equal(l, leaf) {
			t.Fatalf("a leaf that was never logged is proven: %q by %q", l, p)
		}
		if err != nil && !sallyport.Is(err, sallyport.Invalid) && !sallyport.Is(err, sallyport.Refused) {
			t.Fatalf("got kind %v", sallyport.KindOf(err))
		}
	})
}
