package purl

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/oracle"
)

// TestParse reads package URLs of all shapes and spells them canonically.
func TestParse(t *testing.T) {
	q := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, c := range []struct {
		in   string
		want PURL
		text string // canonical; "" if it is as it came
	}{
		{"pkg:pypi/numpy@2.1.0", PURL{Type: "pypi", Name: "numpy", Version: "2.1.0"}, ""},
		{"pkg:PyPI/My_Pkg@1.0%2Bcu118", PURL{Type: "pypi", Name: "my-pkg", Version: "1.0+cu118"}, "pkg:pypi/my-pkg@1.0%2Bcu118"},
		{"PKG:pypi/a@1!2", PURL{Type: "pypi", Name: "a", Version: "1!2"}, "pkg:pypi/a@1%212"},
		{"pkg://pypi/a", PURL{Type: "pypi", Name: "a"}, "pkg:pypi/a"},
		{"pkg:npm/%40angular/core@1", PURL{Type: "npm", Namespace: "@angular", Name: "core", Version: "1"}, ""},
		{"pkg:npm/@angular/core", PURL{Type: "npm", Namespace: "@angular", Name: "core"}, "pkg:npm/%40angular/core"},
		{"pkg:golang/github.com/a/b@v1#sub/./../dir", PURL{Type: "golang", Namespace: "github.com/a", Name: "b", Version: "v1", Subpath: "sub/dir"}, "pkg:golang/github.com/a/b@v1#sub/dir"},
		{"pkg:generic/a@1/2", PURL{Type: "generic", Name: "a", Version: "1/2"}, "pkg:generic/a@1%2F2"},
		{"pkg:conda/blas@3.9?Channel=conda-forge&build=&subdir=linux-64", PURL{Type: "conda", Name: "blas", Version: "3.9", Qualifiers: q("channel", "conda-forge", "subdir", "linux-64")}, "pkg:conda/blas@3.9?channel=conda-forge&subdir=linux-64"},
		{"pkg:pypi/a@1?download_url=https:%2F%2Fx%2Fa%3Fb%3D1%26c", PURL{Type: "pypi", Name: "a", Version: "1", Qualifiers: q("download_url", "https://x/a?b=1&c")}, ""},
	} {
		got, err := Parse(c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", c.in, got, err)
		}
		if c.text == "" {
			c.text = c.in
		}
		if got.String() != c.text {
			t.Errorf("%s: %s, want %s", c.in, got, c.text)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, in := range []string{
		"", "numpy", "pkg:", "pkg:pypi", "pkg:pypi/", "pkg:/numpy@1", "pkg:0type/a", "pkg:py pi/a", "npm:pypi/a", "pkg:pypi/a%zz", "pkg:pypi/a%ff", "pkg:pypi/a@%z",
		"pkg:pypi/a#%z", "pkg:pypi/a?x=%z", "pkg:pypi/a?x y=1", "pkg:pypi/a?x=1&X=2", "pkg:pypi/a#b%2Fc", "pkg:pypi/b%2Fc/a", "pkg:pypi/" + strings.Repeat("a", maxLength),
	} {
		if p, err := Parse(in); err == nil {
			t.Errorf("%.100s: %+v", in, p)
		} else if in != "" && strings.Contains(err.Error(), in) {
			t.Errorf("the error repeats its input: %v", err)
		}
	}
}

// TestOracle has packageurl-python read what we write, and reads what it writes.
// It spells less canonically than the specification has it (a slash in a
// qualifier as it is), so that what counts is what either reads.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(letters string) string {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			all := []rune(letters)
			b.WriteRune(all[r.IntN(len(all))])
		}
		return b.String()
	}
	const names, others = "abzAZ019", "abzAZ019.-_~:+!@?#%&=é\"'()*,;<>[]^`{|}\\$"
	var made []PURL
	var jobs []oracle.Job
	for range 2000 {
		p := PURL{Type: []string{PyPI, Generic, Conda}[r.IntN(3)], Name: text(names) + text(names+".-_") + text(names), Version: text(names) + text(others)}
		if p.Type == Generic {
			p.Name += text(others) + "x"
		}
		if r.IntN(2) == 0 {
			p.Qualifiers = map[string]string{Index: text(others + "/"), Download: text(others + "/")}
		}
		made = append(made, p.normal())
		jobs = append(jobs, oracle.Job{"do": "purl", "text": p.String()})
	}
	for i, answer := range oracle.Ask(t, "../bom/testdata/requirements.txt", "../bom/testdata/oracle.py", jobs...) {
		p := made[i]
		if !answer.OK() {
			t.Errorf("%s: %s", p, answer["error"])
			continue
		}
		theirs := map[string]string{}
		for key, value := range answer["qualifiers"].(map[string]any) {
			theirs[key] = value.(string)
		}
		if parts := []any{p.Type, "", p.Name, p.Version, ""}; !reflect.DeepEqual(answer["parts"], parts) || !maps.Equal(theirs, p.Qualifiers) {
			t.Errorf("%s: they read %q %q", p, answer["parts"], theirs)
		}
		if ours, err := Parse(answer["text"].(string)); err != nil || !reflect.DeepEqual(ours, p) {
			t.Errorf("%s: we read %+v, %v", answer["text"], ours, err)
		}
	}
}

// FuzzParse wants what was read to be spelled so that it reads the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"pkg:pypi/numpy@2.1.0", "pkg:npm/%40a/b@1?x=y#z", "pkg:a/b/../c@%2F", "pkg:pypi/a_B@@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil || len(p.String()) > maxLength {
			return // escapes make it longer
		}
		again, err := Parse(p.String())
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%q: %+v, then %q: %+v, %v", s, p, p.String(), again, err)
		}
	})
}
