package seal_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

func TestSealRoundTrip(t *testing.T) {
	k := seal.NewKey()
	for _, n := range []int{0, 1, 15, 16, 17, 4096, 1 << 20} {
		plain := bytes.Repeat([]byte{'p'}, n)
		prefix := []byte("kept")
		sealed := k.Seal(bytes.Clone(prefix), plain, "place 1")
		if len(sealed) != len(prefix)+n+seal.Overhead || !bytes.HasPrefix(sealed, prefix) {
			t.Fatalf("%d bytes seal to %d", n, len(sealed))
		}
		got, err := k.Open(bytes.Clone(prefix), sealed[len(prefix):], "place 1")
		if err != nil || !bytes.Equal(got, append(prefix, plain...)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if bytes.Equal(k.Seal(nil, []byte("x"), ""), k.Seal(nil, []byte("x"), "")) {
		t.Error("the same message seals to the same bytes")
	}
}

// TestSealFlips proves that no bit of a sealed message, no other context, key
// or length opens.
func TestSealFlips(t *testing.T) {
	k := seal.NewKey()
	plain := []byte("a record of somebody")
	sealed := k.Seal(nil, plain, "pack 1 at 0")
	refused := func(what string, k seal.Key, sealed []byte, context string) {
		t.Helper()
		got, err := k.Open(nil, sealed, context)
		if !sallyport.Is(err, sallyport.Corrupt) || got != nil {
			t.Errorf("%s: %v, want Corrupt and no bytes", what, err)
		}
	}
	flips(sealed, func(b []byte, bit int) { refused("flipped bit", k, b, "pack 1 at 0") })
	for n := range sealed {
		refused("truncated", k, sealed[:n], "pack 1 at 0")
	}
	refused("longer", k, append(bytes.Clone(sealed), 0), "pack 1 at 0")
	refused("another context", k, sealed, "pack 1 at 1")
	refused("no context", k, sealed, "")
	refused("another key", seal.NewKey(), sealed, "pack 1 at 0")
	refused("a derived key", k.Derive("wrap"), sealed, "pack 1 at 0")
}

// TestDerive and TestMAC hold against Python:
//
//	k = bytes(range(32))
//	hmac.new(k, b"sallyport " + purpose + b"\x01", "sha256").hexdigest()   # HKDF-Expand, one block
//	hmac.new(k, data, "sha256").hexdigest()
func TestDerive(t *testing.T) {
	for purpose, want := range map[string]string{
		"wrap":  "e9e7f974ce279ce1d27f19bbd37c50aa21dc256a758965a31e7f04b8ba422673",
		"group": "dee541187bf45e097332c7107329a11b3389fd43986f2807907e7e90952a1a6d",
		"":      "19692235e3c2cd839255c82026fffc5fd54b8fa9f74123e37d522dbab463b4a9",
	} {
		k := counting().Derive(purpose)
		if got := hex.EncodeToString(k[:]); got != want {
			t.Errorf("%q: %s, want %s", purpose, got, want)
		}
	}
}

func TestMAC(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb"},
		{[]byte("abc"), "f0133729c4163dede81e21cd47839256da58171238c8a0d874397c73b14e1e47"},
		{count(200), "c4d78316aa3de9ce6bd0b2e61c4f4dd6bdf0ec95aab84ab87fc2a11903991ad3"},
	} {
		sum := counting().MAC(c.data)
		if got := hex.EncodeToString(sum[:]); got != c.want {
			t.Errorf("%d bytes: %s, want %s", len(c.data), got, c.want)
		}
	}
}

func counting() seal.Key { return seal.Key(count(seal.KeySize)) }

func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestNewKey(t *testing.T) {
	seen := map[seal.Key]bool{{}: true}
	for range 1000 {
		k := seal.NewKey()
		if seen[k] {
			t.Fatal("a key comes twice, or is zero")
		}
		seen[k] = true
	}
}

// padme is Padmé as its paper defines it, in words: floating in thought with as
// many bits of mantissa as the exponent has, counted by hand.
func padme(n int) int {
	exponent, bits := 0, 0
	for 1<<(exponent+1) <= n {
		exponent++
	}
	for 1<<bits <= exponent {
		bits++
	}
	step := 1
	for range exponent - bits {
		step *= 2
	}
	padded := n / step * step
	if padded < n {
		padded += step
	}
	return padded
}

func TestPadTo(t *testing.T) {
	last := 0
	check := func(n int) {
		t.Helper()
		p := seal.PadTo(n)
		switch {
		case n > 1 && p != padme(n):
			t.Fatalf("%d is padded to %d, by definition to %d", n, p, padme(n))
		case p < n:
			t.Fatalf("%d is padded to less: %d", n, p)
		case p < last:
			t.Fatalf("%d is padded to %d, less than a smaller length", n, p)
		case seal.PadTo(p) != p:
			t.Fatalf("%d is padded to %d, and that to %d", n, p, seal.PadTo(p))
		case float64(p-n) >= 0.12*float64(n) && n > 0:
			t.Fatalf("%d is padded to %d, more than 12 %%", n, p)
		}
		last = p
	}
	for n := range 1 << 17 {
		check(n)
	}
	for e := 17; e < 60; e++ { // around and between the powers of two
		for d := -2; d <= 2; d++ {
			check(1<<e + d)
		}
		within := []int{1<<e + rand.IntN(1<<(e-1)), 1<<e + 1<<(e-1) + rand.IntN(1<<(e-1)-4)}
		for _, n := range within {
			check(n)
		}
	}
}

// TestPadToHides counts the lengths that remain: O(log² n) of n, so that a
// length says at most log log n bits.
func TestPadToHides(t *testing.T) {
	const n = 1 << 17
	lengths := map[int]bool{}
	for i := 2; i <= n; i++ {
		lengths[seal.PadTo(i)] = true
	}
	if limit := int(math.Pow(math.Log2(n), 2)); len(lengths) > limit {
		t.Errorf("%d lengths remain, more than %d", len(lengths), limit)
	}
}
