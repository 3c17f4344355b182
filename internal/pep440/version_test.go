package pep440

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// The reference implementation is asked by the tests of package pep508. What
// stands here holds without it.

// ordered are versions from first to last, some in several spellings.
var ordered = [][]string{
	{"0.9.dev1"},
	{"0.9", "v0.9.0"},
	{"1.dev0", "1.0.DEV", "1.0-dev0"},
	{"1.0.dev456"},
	{"1.0a1", "1.0.alpha-1", "1.0A01"},
	{"1.0a2.dev456"},
	{"1.0a12.dev456"},
	{"1.0a12"},
	{"1.0b1.dev456"},
	{"1.0b2", "1.0beta_2"},
	{"1.0b2.post345.dev456"},
	{"1.0b2.post345", "1.0b2-345"},
	{"1.0rc1.dev456"},
	{"1.0rc1", "1.0c1", "1.0-preview.1", "1.0pre1"},
	{"1.0", "1", "1.0.0", " v1 ", "0!1", "01.00"},
	{"1.0+abc.5"},
	{"1.0+abc.7", "1.0+ABC_7", "1+abc-07"},
	{"1.0+5"},
	{"1.0.post456.dev34"},
	{"1.0.post456", "1.0-456", "1.0r456", "1.0.rev456"},
	{"1.0.15"},
	{"1.1.dev1"},
	{"20240101"},
	{"99999999999999999999999999"},
	{"100000000000000000000000000"},
	{"1!0.1"},
}

func parse(t testing.TB, s string) Version {
	t.Helper()
	v, err := Parse(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return v
}

func TestOrder(t *testing.T) {
	for i, same := range ordered {
		for j, others := range ordered {
			for _, a := range same {
				for _, b := range others {
					want := min(1, max(-1, i-j))
					if got := parse(t, a).Compare(parse(t, b)); got != want {
						t.Errorf("%q and %q: %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

func TestNoVersion(t *testing.T) {
	for _, s := range []string{"", "x", "1.", ".1", "1..0", "1.0+", "1.0+a+b", "1.0+ü", "!1", "1!", "1.0.x", "1.0-1-1", "1 0", "١", "2004d",
		"1.0.*", "latest", "1.0a1b2", strings.Repeat("1", maxVersion+1)} {
		if _, err := Parse(s); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestExact(t *testing.T) {
	for s, want := range map[string]string{
		"==1.2":        "1.2",
		"== 1.2 ":      "1.2",
		"===1.2":       "1.2",
		"==1.2+cpu":    "1.2+cpu",
		"==1.2,!=1.3":  "1.2",
		">=1,==1.2":    "1.2",
		"==1.2,==1.20": "",
		"==1.2,==1.2":  "1.2",
		"==1.2,!=1.2":  "",
		"==1.2.*":      "",
		"===latest":    "",
		">=1.2,<=1.2":  "", // one version and its local builds, but nobody writes a pin like this
		"~=1.2":        "",
		"":             "",
	} {
		clauses, err := ParseSpecifiers(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		v, ok := clauses.Exact()
		if v.String() != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", s, v, ok, want)
		}
	}
}

func TestNoSpecifiers(t *testing.T) {
	for _, s := range []string{"1.2", "=1.2", "==", ">=1.*", "~=1", "~=1.2.*", "<1+x", "==1a1.*", "==1.0.dev1.*", ">=1 <2", "^1.2", ",", ">=1,,<2", "==1;"} {
		if _, err := ParseSpecifiers(s); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// Whatever is read is spelled so that it reads as the same, and compares as an
// order has to.
func FuzzParse(f *testing.F) {
	for _, same := range ordered {
		f.Add(same[0], same[len(same)-1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := Parse(a)
		if err != nil {
			return
		}
		if again, err := Parse(v.String()); err != nil || again.Compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q is spelled %q, which is read as %q: %v", a, v, again, err)
		}
		if v.Public().Compare(v) > 0 {
			t.Errorf("%q comes before what it is a build of", a)
		}
		if w, err := Parse(b); err == nil && v.Compare(w) != -w.Compare(v) {
			t.Errorf("%q and %q have two orders", a, b)
		}
	})
}

// Clauses never fail on a version, and "==" and "!=" never agree.
func FuzzParseSpecifiers(f *testing.F) {
	f.Add("==1.2.*", "1.2.3")
	f.Add("~=1.4.5", "1.4.5.post1")
	f.Add(">=1,<2,!=1.5", "1.5+x")
	f.Fuzz(func(t *testing.T, a, b string) {
		clauses, err := ParseSpecifiers(a)
		v, bad := Parse(b)
		if err != nil || bad != nil {
			return
		}
		clauses.Contains(v)
		if exact, ok := clauses.Exact(); ok && !clauses.Contains(exact) {
			t.Errorf("%q does not take the version that it names", a)
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(a), "=="); ok && len(clauses) == 1 && rest[0] != '=' {
			if other, err := ParseSpecifiers("!=" + rest); err != nil || other.Contains(v) == clauses.Contains(v) {
				t.Errorf("%q and its opposite agree on %q", a, b)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	texts := slices.Concat(ordered...)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = Parse(texts[i%len(texts)])
	}
}

func BenchmarkCompare(b *testing.B) {
	var versions []Version
	for _, same := range ordered {
		versions = append(versions, parse(b, same[0]))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		versions[i%len(versions)].Compare(versions[(i+7)%len(versions)])
	}
}
