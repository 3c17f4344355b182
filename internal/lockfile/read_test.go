package lockfile

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares what is read of a folder of testdata with NAME.json beside it.
func golden(t *testing.T, folder string) {
	t.Helper()
	fsys := os.DirFS(filepath.Join("testdata", folder))
	names, err := Find(fsys)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(fsys, names...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", folder+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is read as\n%s\nwant\n%s", folder, got, want)
	}
	if strings.Contains(string(got), "secret") {
		t.Errorf("%s: a secret came out", folder)
	}
}

func TestGolden(t *testing.T) {
	for _, folder := range []string{"compiled", "written", "project", "pipenv", "cells"} {
		t.Run(folder, func(t *testing.T) { golden(t, folder) })
	}
}

// files is a folder in memory.
func files(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

// TestLines has one line of a requirements file each.
func TestLines(t *testing.T) {
	for line, want := range map[string]string{
		"flask==3.0.0":                      "flask 3.0.0",
		"Flask_Login == 0.6.3":              "flask-login 0.6.3",
		"\tflask==3.0.0\t# why":             "flask 3.0.0",
		"flask==3.0.0#not-a-comment":        "version flask",
		"flask===3.0.0":                     "flask 3.0.0",
		"flask===custom":                    "version flask",
		"flask==v3.0":                       "flask v3.0",
		"flask==1!3.0+local.1":              "flask 1!3.0+local.1",
		"flask (==3.0.0)":                   "flask 3.0.0",
		"flask[async,dotenv]==3.0.0":        "flask 3.0.0",
		"flask==3.0.0,!=3.0.1":              "flask 3.0.0",
		"flask==3.0.0; os_name == 'nt'":     "flask 3.0.0 if os_name == 'nt'",
		"flask==3.0.0; os_nam == 'nt'":      "marker flask",
		"flask":                             "unpinned flask",
		"flask ; os_name == 'nt'":           "unpinned flask",
		"flask>=3":                          "range flask",
		"flask~=3.0":                        "range flask",
		"flask==3.*":                        "range flask",
		"flask==3.0.0,==3.0.1":              "range flask",
		"flask=3.0.0":                       "version flask",
		"flask==":                           "version flask",
		"flask==3.0.0 requests==2.31.0":     "version flask",
		"flask @ https://example.org/x":     "url flask",
		"flask@https://example.org/f.zip":   "url flask",
		"flask @ file:///f-1.0.tar.gz":      "path flask",
		"flask @ git+https://example.org/f": "vcs flask",
		"flask @ https://${HOST}/f-1.whl":   "variable flask",
		"https://example.org/Flask-1.0.zip": "flask 1.0",
		"https://example.org/flask-1.0%2Bcpu-py3-none-any.whl": "flask 1.0+cpu",
		"https://example.org/other-1.0.zip ; os_name == 'nt'":  "other 1.0 if os_name == 'nt'",
		"https://example.org/flask.git":                        "url ",
		"hg+https://example.org/f#egg=Flask":                   "vcs flask",
		"git@example.org:team/flask.git":                       "vcs ",
		"file:///srv/flask":                                    "path ",
		"./flask":                                              "path ",
		"flask-1.0.tar.gz":                                     "path flask",
		`C:\flask`:                                             "path ",
		"-e .":                                                 "path ",
		"--editable=git+https://example.org/f#egg=flask":       "vcs flask",
		"${FLASK}":                                             "variable ",
		"flask==${VERSION}":                                    "variable flask",
		"-r other.txt":                                         "missing ",
		"--constraint other.txt":                               "missing ",
		"-r https://example.org/r.txt":                         "missing ",
		"-r ../../r.txt":                                       "missing ",
		"-r ${WHERE}":                                          "variable ",
		"-i https://example.org":                               "index https://example.org",
		"-ihttps://u:p@example.org/x":                          "index https://example.org/x",
		"--index-url=\"https://example.org\"":                  "index https://example.org",
		"--extra-index-url https://${A}:${B}@example.org":      "extra https://example.org",
		"-f wheels":                                            "extra wheels",
		"--no-index":                                           "",
		"--no-binary :all: --pre":                              "",
		"--hash=sha256:00":                                     "option ",
		"flask==1 --hash=sha256:0123456789abcdef":              "flask 1 sha256:0123456789abcdef",
		"flask==1 --hash=sha256:xyz":                           "flask 1, option ",
		"flask==1 --config-settings=a=b":                       "flask 1",
		"--index":                                              "option ",
		"-i":                                                   "option ",
		"--pre=yes":                                            "option ",
		"-x":                                                   "option ",
		"--pre flask":                                          "syntax ",
		"!!":                                                   "syntax ",
		"flask >= 'x":                                          "version flask",
		"--pre 'x":                                             "syntax ",
		"<<<<<<< HEAD":                                         "syntax ",
		"flask\u00a0==1.0":                                     "syntax ",
		"\xfflask==1":                                          "syntax ",
	} {
		l, err := Read(files("requirements.txt", "\n"+line+"\n"), "requirements.txt")
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := short(l); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
		for _, p := range l.Packages {
			if p.Place.Line != 2 || !p.Direct {
				t.Errorf("%s: %+v", line, p)
			}
		}
	}
}

// short is what a list says, in a few words.
func short(l *List) string {
	var out []string
	for _, p := range l.Packages {
		s := p.Name + " " + p.Version
		if p.Marker != "" {
			s += " if " + p.Marker
		}
		out = append(out, strings.TrimSpace(s+" "+strings.Join(p.Hashes, " ")))
	}
	for _, u := range l.Unread {
		out = append(out, string(u.Reason)+" "+u.Name)
	}
	for _, i := range l.Indexes {
		out = append(out, map[bool]string{true: "extra ", false: "index "}[i.Extra]+i.URL)
	}
	return strings.Join(out, ", ")
}

// What is left open in one place is answered by a pin that is installed with it,
// and by no other.
func TestSettled(t *testing.T) {
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"by its lock":                {files("requirements.in", "flask", "requirements.txt", "flask==3.0"), "flask 3.0"},
		"by a lock of another name":  {files("requirements.in", "flask", "dev-requirements.txt", "flask==3.0"), "flask 3.0, unpinned flask"},
		"by a lock that names it":    {files("requirements.in", "flask", "all-requirements.txt", "#  pip-compile -o all-requirements.txt requirements.in\nflask==3.0"), "flask 3.0"},
		"not by a lock out of date":  {files("requirements.in", "flask>=4", "requirements.txt", "flask==3.0"), "flask 3.0, range flask"},
		"by constraints":             {files("requirements.txt", "flask>=2\n-c constraints/c.txt", "constraints/c.txt", "flask==3.0"), "flask 3.0"},
		"not by others' constraints": {files("requirements.txt", "flask", "more-requirements.txt", "-c constraints/c.txt", "constraints/c.txt", "flask==3.0"), "flask 3.0, unpinned flask"},
		"the folder by its place":    {files("pyproject.toml", "[project]\ndependencies = [\"flask==3.0\"]", "requirements/dev.txt", "-e ."), "flask 3.0"},
		"by an included file":        {files("requirements.txt", "-r requirements/base.txt\nflask", "requirements/base.txt", "flask==3.0"), "flask 3.0"},
		"not by who includes it":     {files("requirements.txt", "-r requirements/base.txt\nflask==3.0", "requirements/base.txt", "flask"), "flask 3.0, unpinned flask"},
		"in the same file":           {files("requirements.txt", "flask>=2\nflask==3.0"), "flask 3.0"},
		"not where it is not needed": {files("requirements.txt", "flask\nflask==3.0; os_name == 'nt'"), "flask 3.0 if os_name == 'nt', unpinned flask"},
		"where both are needed":      {files("requirements.txt", "flask; os_name == 'nt'\nflask==3.0; os_name == 'nt'"), "flask 3.0 if os_name == 'nt'"},
		"a limit on what is pinned":  {files("requirements.txt", "flask==3.0\n-c constraints/c.txt", "constraints/c.txt", "flask<4"), "flask 3.0"},
		"poetry's way of writing":    {files("Pipfile", "[packages]\nflask = \"^3\"", "Pipfile.lock", `{"default": {"flask": {"version": "==3.0"}}}`), "flask 3.0"},
		"not what builds":            {files("pyproject.toml", "[build-system]\nrequires = [\"flask\"]", "requirements.txt", "# uv export\nflask==3.0"), "flask 3.0, unpinned flask"},
		"the project by its folder":  {files("pyproject.toml", "[project]\ndependencies = [\"flask\"]", "requirements.txt", "-e .\nflask==3.0"), "flask 3.0"},
	} {
		names, err := Find(c.files)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Read(c.files, names...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := short(l); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Limits are said, circles end, and what is nobody's format is refused.
func TestBounds(t *testing.T) {
	deep, wide := fstest.MapFS{}, fstest.MapFS{}
	for i := range maxDepth + 2 {
		deep[strings.Repeat("x", i+1)+".txt"] = &fstest.MapFile{Data: []byte("-r " + strings.Repeat("x", i+2) + ".txt")}
	}
	var all strings.Builder
	for i := range maxIncludes + 1 {
		name := strings.Repeat("y", i+1) + ".txt"
		wide[name] = &fstest.MapFile{}
		all.WriteString("-r " + name + "\n")
	}
	wide["x.txt"] = &fstest.MapFile{Data: []byte(all.String())}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		kind sallyport.Kind
	}{
		"deep":   {deep, sallyport.Limit},
		"wide":   {wide, sallyport.Limit},
		"long":   {fstest.MapFS{"x.txt": {Data: make([]byte, maxFile+1)}}, sallyport.Limit},
		"absent": {fstest.MapFS{}, sallyport.NotFound},
	} {
		if _, err := Read(c.fsys, "x.txt"); !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"x.md": "flask==1", "../x.txt": "", "/x.txt": "", "pyproject.toml": "[", "Pipfile.lock": "[]", "x.ipynb": "{}"} {
		if _, err := Read(files("x.md", text, "pyproject.toml", text, "Pipfile.lock", text, "x.ipynb", text), name); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	circle := files("x.txt", "-r y.txt\nflask==1", "y.txt", "-r x.txt\n-c x.txt\n-r y.txt")
	if l, err := Read(circle, "x.txt", "y.txt", "./x.txt"); err != nil || short(l) != "flask 1" || len(l.Files) != 2 {
		t.Errorf("%v %v", l, err)
	}
}

func TestFind(t *testing.T) {
	fsys := files("requirements.in", "", "requirements.txt", "", "requirements/dev.txt", "", "requirements/deep/dev.txt", "", "Pipfile", "", "Pipfile.lock", "",
		"pyproject.toml", "", "README.txt", "", "docs/requirements.txt", "", "analysis/a.ipynb", "", ".cache/b.ipynb", "", "train.py", "import x", "MANIFEST.in", "include x", "dev.in", "", "dev.txt", "", "version.h.in", "", "LICENSE.txt", "", "cell.py", "# %%\n# !pip install x",
		"env/pyvenv.cfg", "", "env/lib/c.ipynb", "", "setup.cfg", "", "constraints.txt", "", "data/big.csv", "")
	want := []string{"constraints.txt", "requirements.txt", "Pipfile.lock", "dev.txt", "requirements/dev.txt", "dev.in", "requirements.in", "pyproject.toml", "Pipfile", "setup.cfg", "analysis/a.ipynb", "cell.py"}
	for range 3 {
		if got, err := Find(fsys); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q, want %q: %v", got, want, err)
		}
	}
	if got, err := Deeper(fsys); err != nil || !slices.Equal(got, []string{"docs/requirements.txt"}) {
		t.Errorf("%q lie deeper: %v", got, err)
	}
}

func TestScrub(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.org/simple":                             "https://example.org/simple",
		"https://user:secret@example.org:8080/simple":            "https://example.org:8080/simple",
		"https://secret@example.org":                             "https://example.org",
		"https://user:sec@ret@example.org/x":                     "https://example.org/x",
		"https://user:sec/ret@example.org/x":                     "https://…",
		"https://user:sec#ret@example.org/x":                     "https://…",
		"https://user:sec?ret@example.org/x":                     "https://…",
		"git+https://user:sec/ret@example.org/x":                 "git+https://…",
		"https://example.org/x?token=secret#secret":              "https://example.org/x",
		"git+https://secret@example.org/x@v1#egg=x":              "git+https://example.org/x@v1",
		"git+ssh://git@example.org:team/x.git":                   "git+ssh://example.org:team/x.git",
		"https://[::1]:8080/x":                                   "https://[::1]:8080/x",
		"x @ https://u:secret@example.org/x ; os_name == 'a'":    "x @ https://example.org/x ; os_name == 'a'",
		"https://a:secret@b/ https://c:secret@d/":                "https://b/ https://d/",
		"https://example.org/t/secret/own/linux-64/x":            "https://example.org/own/linux-64/x",
		"https://example.org/t/secret":                           "https://example.org/",
		"https://dl.cloudsmith.io/secretsecret1234/a/b/simple/":  "https://dl.cloudsmith.io/a/b/simple/",
		"https://dl.cloudsmith.io/public/a/b/python/simple/":     "https://dl.cloudsmith.io/public/a/b/python/simple/",
		"https://github.com/averyveryverylongorganisation/x.zip": "https://github.com/averyveryverylongorganisation/x.zip",
		"no url": "no url",
	} {
		if got := scrub(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
