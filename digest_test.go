package sallyport

import (
	"strings"
	"testing"
)

// The digests of "" and "abc" (FIPS 180-4's examples).
const (
	emptyHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	abcHex   = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
)

func TestDigest(t *testing.T) {
	for in, want := range map[string]string{"": emptyHex, "abc": abcHex} {
		d := Sum([]byte(in))
		if string(d) != "sha256:"+want || d.Hex() != want || d.Short() != want[:12] {
			t.Errorf("%q: %s, %s, %s", in, d, d.Hex(), d.Short())
		}
	}
	if d := Digest(""); d.Hex() != "" || d.Short() != "" {
		t.Error("no digest has digits")
	}
}

func TestParseDigest(t *testing.T) {
	for _, in := range []string{abcHex, "sha256:" + abcHex} {
		if got, err := ParseDigest(in); err != nil || got != Sum([]byte("abc")) {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "sha256:", abcHex[:62], abcHex + "00", abcHex[:63], strings.ToUpper(abcHex),
		"SHA256:" + abcHex, "sha512:" + abcHex, "sha256:sha256:" + abcHex, " " + abcHex, abcHex + "\n", "g" + abcHex[1:]} {
		if got, err := ParseDigest(in); !Is(err, Invalid) || got != "" {
			t.Errorf("%q: %s, %v; want Invalid", in, got, err)
		}
	}
}

func FuzzParseDigest(f *testing.F) {
	for _, s := range []string{"", abcHex, "sha256:" + abcHex, strings.ToUpper(abcHex), "sha256:" + abcHex + "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDigest(s)
		if err != nil {
			if !Is(err, Invalid) {
				t.Fatalf("%v, want Invalid", KindOf(err))
			}
			return
		}
		if string(d) != s && d.Hex() != s {
			t.Fatalf("%q is read as %s", s, d)
		}
		if again, err := ParseDigest(string(d)); err != nil || again != d {
			t.Fatalf("%s is read as %s, %v", d, again, err)
		}
	})
}
