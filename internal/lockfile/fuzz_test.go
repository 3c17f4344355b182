package lockfile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// sound checks what holds of every list, whatever was read.
func sound(t *testing.T, l *List) {
	t.Helper()
	for _, p := range l.Packages {
		if _, err := pep440.Parse(p.Version); err != nil || !pep508.ValidName(p.Name) || p.Name != pep508.Normal(p.Name) {
			t.Errorf("a package without a proper name and version: %q %q", p.Name, p.Version)
		}
		if p.Marker != "" && !p.Conda && !strings.Contains(p.Marker, ") or (") {
			if _, err := pep508.ParseMarker(p.Marker); err != nil {
				t.Errorf("%s: a marker that cannot be read: %q", p.Name, p.Marker)
			}
		}
	}
	for _, u := range l.Unread {
		if u.Reason == "" || u.Place.File == "" || u.Name != pep508.Normal(u.Name) {
			t.Errorf("not said what is wrong where: %+v", u)
		}
	}
	if _, err := json.Marshal(l); err != nil {
		t.Error(err)
	}
}

// FuzzRead has bytes read as each format.
func FuzzRead(f *testing.F) {
	names := []string{"requirements.txt", "pyproject.toml", "Pipfile", "Pipfile.lock", "setup.cfg", "setup.py", "a.ipynb", "a.py"}
	for i, name := range names {
		for _, folder := range []string{"written", "project", "pipenv", "cells"} {
			files, _ := filepath.Glob(filepath.Join("testdata", folder, "*"+filepath.Ext(name)))
			for _, file := range files {
				if b, err := os.ReadFile(file); err == nil && (filepath.Base(file) == name || i > 5) {
					f.Add(uint8(i), b)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		name := names[int(which)%len(names)]
		l, err := Read(files(name, string(b)), name)
		if err != nil {
			if !sallyport.Is(err, sallyport.Invalid) && !sallyport.Is(err, sallyport.Limit) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		sound(t, l)
	})
}

// FuzzRequirements holds that every line is accounted for: as a package, as
// unread, as an index or as an option that is known to add nothing.
func FuzzRequirements(f *testing.F) {
	for _, file := range []string{"written/requirements.txt", "compiled/requirements.txt", "compiled/line-requirements.txt", "compiled/dev.txt"} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("a==1 \\\n# b\n--hash=sha256:0\n\\")
	f.Add("a\u2028b\x0c-r x.txt\r\n-e .\rc")
	f.Fuzz(func(t *testing.T, text string) {
		r := newReader(files("x.txt", ""))
		all := entries(text)
		lines := splitLines(text)
		for i, line := range lines {
			s := strings.TrimFunc(line, space)
			within := slices.ContainsFunc(all[1:], func(e entry) bool { return e.line == i+1 })
			if s == "" || s[0] == '#' || within || i > 0 && strings.HasSuffix(lines[i-1], `\`) || strings.Trim(s, `\`) == "" {
				continue
			}
			if strings.HasSuffix(line, `\`) && strings.HasPrefix(strings.TrimSpace(strings.TrimLeft(line, `\`)), "#") {
				continue // a comment once its backslashes are gone
			}
			t.Fatalf("line %d of %q is in no entry", i+1, text)
		}
		for _, e := range all[1:] {
			before := len(r.list.Packages) + len(r.list.Unread) + len(r.list.Indexes) + r.included
			if err := r.requirement(request{place: Place{"y.txt", e.line}, text: e.text}); err != nil {
				t.Fatal(err)
			}
			if len(r.list.Packages)+len(r.list.Unread)+len(r.list.Indexes)+r.included > before || len(r.includes["y.txt"]) > 0 {
				continue
			}
			given, _ := words(e.text)
			for _, word := range given {
				if o, ok := options[strings.SplitN(word, "=", 2)[0]]; ok && o.does == harmless {
					before = -1
				}
			}
			if before >= 0 && !strings.HasPrefix(e.text, "-C") {
				t.Fatalf("%q is skipped", e.text)
			}
		}
		l := r.list.sorted()
		sound(t, l)
	})
}

// FuzzScrub holds that nothing between a scheme and the last "@" of its
// authority comes out.
func FuzzScrub(f *testing.F) {
	f.Add("user", "s3cr/t", "example.org/x")
	f.Add("u#", "p?@", "h")
	f.Fuzz(func(t *testing.T, user, password, rest string) {
		secret := "q" + strings.Map(func(c rune) rune {
			if space(c) {
				return -1
			}
			return c
		}, user+":"+password) + "zq"
		if out := scrub("https://" + secret + "@" + "example.org/" + strings.Map(func(c rune) rune {
			if space(c) {
				return -1
			}
			return c
		}, rest)); strings.Contains(out, secret) {
			t.Errorf("%q comes out in %q", secret, out)
		}
	})
}
