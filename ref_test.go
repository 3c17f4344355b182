package sallyport

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a", "0", "encounters", "a-b_c.d", "v1.2", "a--b", strings.Repeat("a", 64)} {
		if err := CheckName("dataset", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "A", "ä", ".", "..", "a..b", ".a", "a.", "-a", "a-", "_a", "a b", "a/b", `a\b`, "a@1",
		"a\n", "\na", "a\x00", "a:b", "~", strings.Repeat("a", 65)} {
		err := CheckName("dataset", bad)
		if !Is(err, Usage) {
			t.Errorf("%q: %v, want Usage", bad, err)
		} else if !strings.Contains(err.Error(), "a dataset") {
			t.Errorf("%q: the message does not say what it cannot name: %v", bad, err)
		}
	}
}

func TestParseRef(t *testing.T) {
	for in, want := range map[string]Ref{
		"encounters":            {"encounters", 0},
		"encounters@1":          {"encounters", 1},
		"a.b-c@1234567":         {"a.b-c", 1234567},
		"encounters@2147483647": {"encounters", 2147483647},
	} {
		got, err := ParseRef(in)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
		if got.String() != in {
			t.Errorf("%q is written %q", in, got)
		}
	}
	for _, in := range []string{"", "@", "@1", "a@", "a@0", "a@-1", "a@+1", "a@01", "a@1@2", "a@1.0", "a@ 1", "a@v1",
		"a@99999999999999999999", "A@1", "a/b@1"} {
		if got, err := ParseRef(in); !Is(err, Usage) || got != (Ref{}) {
			t.Errorf("%q: %+v, %v; want Usage", in, got, err)
		}
	}
}

// FuzzParseRef: what is read is written back as it was, and its name can be a
// file's.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"encounters", "a@1", "a@01", "..@1", "a@", "\x00@2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			if !Is(err, Usage) {
				t.Fatalf("%q: %v, want Usage", s, KindOf(err))
			}
			return
		}
		if r.String() != s {
			t.Fatalf("%q is written %q", s, r)
		}
		if !filepath.IsLocal(r.Name) || filepath.Base(r.Name) != r.Name || r.Name == "." {
			t.Fatalf("%q names a file elsewhere", r.Name)
		}
	})
}
