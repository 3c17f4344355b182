package seal_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

func wrap(t testing.TB, r *seal.Ring, to ...*seal.Identity) []byte {
	t.Helper()
	var recipients []string
	for _, id := range to {
		recipients = append(recipients, id.Recipient())
	}
	wrapped, err := r.Wrap(recipients)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

// lasting is the lasting key of rings written by hand.
var lasting = seal.Key{7}

// plainRing is the plaintext of a ring, written by hand from the format.
func plainRing(name string, keys map[uint32]seal.Key, order ...uint32) []byte {
	plain := append([]byte("sallyport ring 1 "+name+"\n"), lasting[:]...)
	for _, epoch := range order {
		k := keys[epoch]
		plain = binary.BigEndian.AppendUint32(plain, epoch)
		plain = append(plain, k[:]...)
	}
	return plain
}

func TestRingRoundTrip(t *testing.T) {
	alice, bob, eve := newIdentity(t, "alice"), newIdentity(t, "bob"), newIdentity(t, "eve")
	ring := seal.NewRing("data")
	wrapped := wrap(t, ring, alice, bob)
	k := seal.NewKey()
	epoch, sealed := ring.WrapKey(k, "segment 7")
	if epoch != 1 {
		t.Errorf("the first epoch is %d", epoch)
	}
	for _, id := range []*seal.Identity{alice, bob} {
		got, err := seal.OpenRing("data", wrapped, id)
		if err != nil {
			t.Fatalf("%s: %v", id.Name, err)
		}
		if opened, err := got.UnwrapKey(epoch, sealed, "segment 7"); err != nil || opened != k {
			t.Errorf("%s does not get the key back: %v", id.Name, err)
		}
	}
	if _, err := seal.OpenRing("data", wrapped, eve); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("somebody else: %v, want Denied", err)
	}
}

// A ring put in the place of another does not open there, or data would be
// sealed for the other's readers.
func TestRingSwapped(t *testing.T) {
	alice := newIdentity(t, "alice")
	wrapped := wrap(t, seal.NewRing("output"), alice)
	if _, err := seal.OpenRing("data", wrapped, alice); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("%v, want Corrupt", err)
	}
}

func TestRingRecipients(t *testing.T) {
	ring := seal.NewRing("data")
	if _, err := ring.Wrap(nil); !sallyport.Is(err, sallyport.Usage) {
		t.Errorf("for nobody: %v, want Usage", err)
	}
	if _, err := ring.Wrap([]string{newIdentity(t, "alice").Recipient(), "age1nobody"}); !sallyport.Is(err, sallyport.Invalid) {
		t.Errorf("for no recipient: %v, want Invalid", err)
	}
}

// TestRingEpochs builds a ring whose second epoch was destroyed: what it held
// is gone, what the others hold is not, and the newest seals.
func TestRingEpochs(t *testing.T) {
	alice := newIdentity(t, "alice")
	epochs := map[uint32]seal.Key{1: seal.NewKey(), 2: seal.NewKey(), 5: seal.NewKey()}
	full, err := seal.OpenRing("data", encrypt(t, plainRing("data", epochs, 1, 2), alice), alice)
	if err != nil {
		t.Fatal(err)
	}
	k := seal.NewKey()
	epoch, second := full.WrapKey(k, "s")
	if epoch != 2 {
		t.Fatalf("sealed under epoch %d, want the newest, 2", epoch)
	}
	ring, err := seal.OpenRing("data", encrypt(t, plainRing("data", epochs, 1, 5), alice), alice)
	if err != nil {
		t.Fatal(err)
	}
	for _, epoch := range []int{2, 3, 0, -1, 6} {
		if _, err := ring.UnwrapKey(epoch, second, "s"); !sallyport.Is(err, sallyport.NotFound) {
			t.Errorf("epoch %d: %v, want NotFound", epoch, err)
		}
	}
	if _, err := ring.UnwrapKey(5, second, "s"); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("another epoch's key: %v, want Corrupt", err)
	}
	newest, sealed := ring.WrapKey(k, "s")
	if got, err := ring.UnwrapKey(newest, sealed, "s"); newest != 5 || err != nil || got != k {
		t.Errorf("epoch %d: %v", newest, err)
	}
	again, err := seal.OpenRing("data", wrap(t, ring, alice), alice)
	if err != nil || again.Epoch != 5 {
		t.Fatalf("epoch %d, %v", again.Epoch, err)
	}
	if got, err := again.UnwrapKey(newest, sealed, "s"); err != nil || got != k {
		t.Errorf("wrapped once more: %v", err)
	}
}

func TestRingDamaged(t *testing.T) {
	alice := newIdentity(t, "alice")
	keys := map[uint32]seal.Key{0: seal.NewKey(), 1: seal.NewKey(), 2: seal.NewKey()}
	good := plainRing("data", keys, 1, 2)
	for name, plain := range map[string][]byte{
		"empty":          nil,
		"no epochs":      plainRing("data", nil),
		"another format": bytes.Replace(good, []byte("ring 1"), []byte("ring 2"), 1),
		"cut":            good[:len(good)-1],
		"longer":         append(bytes.Clone(good), 0),
		"no lasting key": []byte("sallyport ring 1 data\n"),
		"epoch 0":        plainRing("data", keys, 0, 1),
		"twice":          plainRing("data", keys, 1, 1),
		"out of order":   plainRing("data", keys, 2, 1),
	} {
		if _, err := seal.OpenRing("data", encrypt(t, plain, alice), alice); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
	if _, err := seal.OpenRing("data", make([]byte, 2<<20), alice); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("too large: %v, want Corrupt", err)
	}
}

// TestRingFlips proves that no bit of a wrapped ring can change unnoticed.
func TestRingFlips(t *testing.T) {
	alice := newIdentity(t, "alice")
	wrapped := wrap(t, seal.NewRing("data"), alice)
	refused := func(b []byte) {
		_, err := seal.OpenRing("data", b, alice)
		if !sallyport.Is(err, sallyport.Corrupt) && !sallyport.Is(err, sallyport.Denied) {
			t.Errorf("%v, want Corrupt or Denied", err)
		}
	}
	flips(wrapped, func(b []byte, bit int) { refused(b) })
	for n := range wrapped {
		refused(wrapped[:n])
	}
	refused(append(bytes.Clone(wrapped), 0))
}

func TestWrappedKeyFlips(t *testing.T) {
	ring := seal.NewRing("data")
	epoch, sealed := ring.WrapKey(seal.NewKey(), "s")
	flips(sealed, func(b []byte, bit int) {
		if k, err := ring.UnwrapKey(epoch, b, "s"); !sallyport.Is(err, sallyport.Corrupt) || k != (seal.Key{}) {
			t.Errorf("bit %d: %v, want Corrupt", bit, err)
		}
	})
	if _, err := ring.UnwrapKey(epoch, sealed, "t"); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("another place: %v, want Corrupt", err)
	}
}

// TestRingIsAge opens a wrapped ring with age's library and, where it is
// installed, its program, both given line 3 of the identity file.
func TestRingIsAge(t *testing.T) {
	alice, bob := newIdentity(t, "alice"), newIdentity(t, "bob")
	wrapped := wrap(t, seal.NewRing("data"), bob, alice)
	secret := strings.Split(string(marshal(t, alice, "")), "\n")[2] + "\n"
	plain := decrypt(t, wrapped, secret)
	rest, ok := bytes.CutPrefix(plain, []byte("sallyport ring 1 data\n"))
	if !ok || len(rest) != seal.KeySize+4+seal.KeySize || !bytes.Equal(rest[seal.KeySize:][:4], []byte{0, 0, 0, 1}) {
		t.Errorf("the plaintext is not the one of the format: %d bytes", len(plain))
	}
	t.Run("program", func(t *testing.T) {
		if _, err := exec.LookPath("age"); err != nil {
			t.Skip("SKIPPED: only age's library has opened a ring here: the program age is missing")
		}
		dir := t.TempDir()
		key, file := filepath.Join(dir, "key"), filepath.Join(dir, "ring")
		if err := os.WriteFile(key, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, wrapped, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("age", "--decrypt", "-i", key, file).Output()
		if err != nil || !slices.Equal(out, plain) {
			t.Errorf("age: %v", err)
		}
	})
}

// FuzzOpenRing takes its input both as the wrapped bytes and as what somebody
// who knows the public recipient could have wrapped.
func FuzzOpenRing(f *testing.F) {
	alice := newIdentity(f, "alice")
	secret := strings.Split(string(marshal(f, alice, "")), "\n")[2] + "\n"
	keys := map[uint32]seal.Key{1: {1}, 2: {2}, 1 << 31: {3}}
	f.Add(plainRing("data", keys, 1))
	f.Add(plainRing("data", keys, 1, 2, 1<<31))
	f.Add(plainRing("data", keys, 2, 1))
	f.Add(plainRing("output", keys, 1))
	f.Add(wrap(f, seal.NewRing("data"), alice))
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := seal.OpenRing("data", b, alice); err != nil && !sallyport.Is(err, sallyport.Corrupt) && !sallyport.Is(err, sallyport.Denied) {
			t.Fatalf("%v, want Corrupt or Denied", err)
		}
		ring, err := seal.OpenRing("data", encrypt(t, b, alice), alice)
		if err != nil {
			if !sallyport.Is(err, sallyport.Corrupt) {
				t.Fatalf("%v, want Corrupt", err)
			}
			return
		}
		if !bytes.Equal(decrypt(t, wrap(t, ring, alice), secret), b) {
			t.Fatal("a ring that opens is written out as another")
		}
	})
}

// The lasting key is the same after epochs have come and gone, another in every
// ring and for every purpose, and opens nothing.
func TestRingLasting(t *testing.T) {
	alice := newIdentity(t, "alice")
	epochs := map[uint32]seal.Key{1: seal.NewKey(), 2: seal.NewKey()}
	var keys []seal.Key
	for _, order := range [][]uint32{{1}, {1, 2}, {2}} {
		ring, err := seal.OpenRing("data", encrypt(t, plainRing("data", epochs, order...), alice), alice)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, ring.Lasting("subjects"))
	}
	if keys[0] != lasting.Derive("subjects") || keys[1] != keys[0] || keys[2] != keys[0] {
		t.Error("the lasting key changes with the epochs")
	}
	ring := seal.NewRing("data")
	if ring.Lasting("subjects") == ring.Lasting("others") || ring.Lasting("subjects") == seal.NewRing("data").Lasting("subjects") {
		t.Error("the lasting key is the same for two purposes or two rings")
	}
	wrapped, err := seal.OpenRing("data", wrap(t, ring, alice), alice)
	if err != nil || wrapped.Lasting("subjects") != ring.Lasting("subjects") {
		t.Errorf("the lasting key is lost when the ring is wrapped: %v", err)
	}
}
