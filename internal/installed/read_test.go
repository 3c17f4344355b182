package installed

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

const site = "lib/python3.11/site-packages/"

// row is the line of a RECORD for a file.
func row(name, content string) string {
	sum := sha256.Sum256([]byte(content))
	return fmt.Sprintf("%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(content))
}

// put installs a package into a tree, and returns the folder of its metadata.
func put(tree fstest.MapFS, name, version string, files map[string]string) string {
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	all := map[string]string{info + "METADATA": "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n\n", info + "INSTALLER": "pip\n"}
	maps.Copy(all, files)
	record := ""
	for _, file := range slices.Sorted(maps.Keys(all)) {
		record += row(file, all[file])
		tree[clean(file)] = &fstest.MapFile{Data: []byte(all[file]), Mode: 0o644}
	}
	tree[site+info+"RECORD"] = &fstest.MapFile{Data: []byte(record + info + "RECORD,,\n"), Mode: 0o644}
	return site + info
}

// clean is where a row's path leads in the tree.
func clean(file string) string {
	if rest, ok := strings.CutPrefix(file, "../../../"); ok {
		return rest
	}
	return site + file
}

// healthy is a virtual environment without a problem.
func healthy() fstest.MapFS {
	tree := fstest.MapFS{
		"pyvenv.cfg":           {Data: []byte("home = /usr/bin\nversion = 3.11.7\n")},
		"bin/activate":         {Data: []byte("#!/bin/sh\n")},
		"bin/python":           {Data: []byte("python3"), Mode: fs.ModeSymlink},
		"lib64":                {Data: []byte("lib"), Mode: fs.ModeSymlink},
		".gitignore":           {Data: []byte("*\n")},
		site + "alpha/data.md": {Data: []byte("x")},
	}
	info := put(tree, "alpha", "1.0", map[string]string{
		"alpha/__init__.py":                    "import beta\n",
		"alpha/data.md":                        "text",
		"alpha-1.0.dist-info/entry_points.txt": "[console_scripts]\nalpha = alpha:main\n",
		"../../../bin/alpha":                   "#!/x/python\n",
		"alpha-1.0.dist-info/REQUESTED":        "",
	})
	tree[site+"alpha/__pycache__/__init__.cpython-311.pyc"] = &fstest.MapFile{Data: []byte("code")}
	_ = info
	put(tree, "Beta.Lib", "2.0+cu118", map[string]string{"beta.py": "x = 1\n"})
	return tree
}

// read reads a tree.
func read(t *testing.T, tree fs.FS) *Result {
	t.Helper()
	got, err := Read(t.Context(), tree)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// said are the problems as "rule path:line".
func said(problems []Problem) (out []string) {
	for _, p := range problems {
		s := string(p.Rule) + " " + p.Path
		if p.Line > 0 {
			s += fmt.Sprintf(":%d", p.Line)
		}
		out = append(out, s)
	}
	return out
}

func TestHealthy(t *testing.T) {
	got := read(t, healthy())
	if len(got.Problems) > 0 || len(got.List.Unread) > 0 {
		t.Errorf("got %v %v", got.Problems, got.List.Unread)
	}
	if got.Python != "3.11.7" || got.Compiled != 1 || len(got.List.Packages) != 2 {
		t.Fatalf("got %+v", got)
	}
	if p := got.List.Packages[0]; p.Name != "alpha" || p.Version != "1.0" || !p.Direct {
		t.Errorf("got %+v", p)
	}
	if p := got.List.Packages[1]; p.Name != "beta-lib" || p.Version != "2.0+cu118" || p.Direct {
		t.Errorf("got %+v", p)
	}
}

func TestProblems(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, c := range map[string]struct {
		change func(tree fstest.MapFS)
		want   []string
	}{
		"a module that nobody brought": {func(m fstest.MapFS) { m[site+"evil.py"] = file("x") }, []string{"stray " + site + "evil.py"}},
		"a file beside the packages":   {func(m fstest.MapFS) { m["share/x"] = file("x") }, []string{"stray share/x"}},
		"a program":                    {func(m fstest.MapFS) { m["bin/evil"] = file("x") }, []string{"stray bin/evil"}},
		"a program like Python":        {func(m fstest.MapFS) { m["bin/python3-config"] = file("x") }, []string{"stray bin/python3-config"}},
		"the interpreter's own": {func(m fstest.MapFS) {
			m["pyvenv.cfg"] = file("version = 3.11.7\nInclude-System-Site-Packages = TRUE\n")
		}, []string{"unseen pyvenv.cfg"}},
		"byte code without source": {func(m fstest.MapFS) { m[site+"evil.pyc"] = file("x") }, []string{"stray " + site + "evil.pyc"}},
		"byte code of no source":   {func(m fstest.MapFS) { m[site+"alpha/__pycache__/e.cpython-311.pyc"] = file("x") }, []string{"stray " + site + "alpha/__pycache__/e.cpython-311.pyc"}},
		"a file is gone":           {func(m fstest.MapFS) { delete(m, site+"beta.py") }, []string{"missing " + site + "beta.py"}},
		"a file is a link":         {func(m fstest.MapFS) { m[site+"beta.py"].Mode = fs.ModeSymlink }, []string{"link " + site + "beta.py"}},
		"metadata are a link": {func(m fstest.MapFS) {
			m[site+"gamma-1.dist-info"] = &fstest.MapFile{Data: []byte("/etc"), Mode: fs.ModeSymlink}
		},
			[]string{"link " + site + "gamma-1.dist-info", "link " + site + "gamma-1.dist-info"}},
		"two versions": {func(m fstest.MapFS) { put(m, "alpha", "0.9", nil) }, []string{"duplicate " + site + "alpha-1.0.dist-info"}},
		"a path out of the tree": {func(m fstest.MapFS) {
			r := m[site+"alpha-1.0.dist-info/RECORD"]
			r.Data = append(r.Data, "../../../../etc/passwd,,\n/etc/shadow,,\nC:/x,,\n"...)
		}, []string{"outside " + site + "alpha-1.0.dist-info/RECORD", "outside " + site + "alpha-1.0.dist-info/RECORD", "outside " + site + "alpha-1.0.dist-info/RECORD"}},
		"no RECORD": {func(m fstest.MapFS) { delete(m, site+"alpha-1.0.dist-info/RECORD") },
			[]string{"stray bin/alpha", "unrecorded " + site + "alpha-1.0.dist-info"}},
		"no hash": {func(m fstest.MapFS) {
			r := m[site+"alpha-1.0.dist-info/RECORD"]
			r.Data = append(r.Data, "alpha/more.py,,\nalpha/weak.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n"...)
			m[site+"alpha/more.py"], m[site+"alpha/weak.py"] = file("x"), file("")
		}, []string{"unrecorded " + site + "alpha/more.py", "unrecorded " + site + "alpha/weak.py"}},
		"a broken RECORD": {func(m fstest.MapFS) {
			r := m[site+"alpha-1.0.dist-info/RECORD"]
			r.Data = append(r.Data, "a,b\n"...)
		}, []string{"unreadable " + site + "alpha-1.0.dist-info/RECORD"}},
		"start code": {func(m fstest.MapFS) {
			put(m, "hook", "1", map[string]string{"hook.pth": "# a\n../other\nimport os; os.system('x')\n", "sitecustomize.py": ""})
		}, []string{"start-path " + site + "hook.pth:2", "start-code " + site + "hook.pth:3", "start-code " + site + "sitecustomize.py"}},
		"a program of its own": {func(m fstest.MapFS) { put(m, "tool", "1", map[string]string{"../../../bin/tool": "#!/bin/sh\n"}) }, []string{"script bin/tool"}},
		"another name":         {func(m fstest.MapFS) { m[site+"gamma-1.dist-info/METADATA"] = file("Name: delta\nVersion: 1\n") }, []string{"unrecorded " + site + "gamma-1.dist-info", "misnamed " + site + "gamma-1.dist-info/METADATA"}},
		"the old way": {func(m fstest.MapFS) {
			m[site+"old-1.egg-info/PKG-INFO"] = file("Name: old\nVersion: 1\n")
			m[site+"old-1.egg-info/top_level.txt"] = file("old\n")
			m[site+"old/a.py"] = file("x")
		}, []string{"unrecorded " + site + "old-1.egg-info"}},
		"a bill that nobody can read": {func(m fstest.MapFS) {
			put(m, "bill", "1", map[string]string{"bill-1.dist-info/sboms/a.json": "{"})
		}, []string{"unreadable " + site + "bill-1.dist-info/sboms/a.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := healthy()
			c.change(tree)
			if got := said(read(t, tree).Problems); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// No byte of a file that a RECORD names can change in silence, and none can come
// or go.
func TestEveryByte(t *testing.T) {
	tree := healthy()
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		f := tree[name]
		if !strings.HasPrefix(name, site) || strings.HasSuffix(name, "RECORD") || strings.HasSuffix(name, ".pyc") || name == "bin/alpha" {
			continue
		}
		for i := range f.Data {
			f.Data[i] ^= 1
			got := read(t, tree).Problems
			if !slices.ContainsFunc(got, func(p Problem) bool { return p.Rule == Altered && p.Path == name && p.Package != "" }) {
				t.Fatalf("%s, byte %d: got %v", name, i, got)
			}
			f.Data[i] ^= 1
		}
		f.Data = append(f.Data, 'x')
		if got := said(read(t, tree).Problems); !slices.Contains(got, "altered "+name) {
			t.Fatalf("%s, longer: got %v", name, got)
		}
		f.Data = f.Data[:len(f.Data)-1]
	}
}

func TestUnread(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tree := healthy()
	tree[site+"__editable__.demo-1.0.pth"] = file("/home/x/src\n")
	tree[site+"demo-1.0.dist-info/METADATA"] = file("Name: demo\nVersion: 1.0\n")
	tree[site+"demo-1.0.dist-info/RECORD"] = file("__editable__.demo-1.0.pth,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/direct_url.json,,\ndemo-1.0.dist-info/RECORD,,\n")
	tree[site+"demo-1.0.dist-info/direct_url.json"] = file(`{"url": "file:///home/x/src", "dir_info": {"editable": true}}`)
	tree[site+"linked.egg-link"] = file("/home/x/linked\n")
	tree[site+"packed-2-py3.egg"] = file("PK")
	tree[site+"bad-1.dist-info/METADATA"] = file("no field\n")
	tree[site+"odd-one.dist-info/METADATA"] = file("Name: odd\nVersion: one\n")
	tree["conda-meta/openssl-3.0-h1.json"] = file("{}")
	got := read(t, tree).List
	var have []string
	for _, u := range got.Unread {
		have = append(have, string(u.Reason)+" "+u.Name)
	}
	want := []string{"native ", "path demo", "syntax bad", "path demo", "path linked", "version odd", "path packed"}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("got %q, want %q", have, want)
	}
	if slices.ContainsFunc(got.Packages, func(p lockfile.Package) bool { return p.Name == "demo" }) {
		t.Error("a package whose code lies elsewhere was listed as checked")
	}
}

func TestOrigin(t *testing.T) {
	for text, want := range map[string]lockfile.Source{
		`{"url": "https://u:secret@host/a.whl?token=secret#x", "archive_info": {}}`:                           {URL: "https://host/a.whl"},
		`{"url": "https://u:secret@host/a.git", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}`: {URL: "git+https://host/a.git@0123456789abcdef"},
		// A source that is a path would be taken for the project's own code, of which no
		// advisory speaks, and would tell of somebody's machine.
		`{"url": "file:///home/x/a", "dir_info": {}}`:               {},
		`{"url": "file:///home/x/gamma-1.whl", "archive_info": {}}`: {},
	} {
		tree := healthy()
		put(tree, "gamma", "1", map[string]string{"gamma-1.dist-info/direct_url.json": text})
		got := read(t, tree).List
		i := slices.IndexFunc(got.Packages, func(p lockfile.Package) bool { return p.Name == "gamma" })
		if i < 0 || got.Packages[i].Source != want {
			t.Errorf("%s: got %+v %+v", text, got.Packages, got.Unread)
		}
	}
	tree := healthy()
	put(tree, "gamma", "1", map[string]string{"gamma-1.dist-info/direct_url.json": "{"})
	if got := read(t, tree).List; len(got.Unread) != 1 || len(got.Packages) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestNeeds(t *testing.T) {
	tree := healthy()
	text := "Name: gamma\nVersion: 1\nRequires-Python: >=3.9\nLicense-Expression: MIT\n" +
		"Requires-Dist: Typing_Extensions (>=4)\nRequires-Dist: tomli>=1; python_version < \"3.11\"\nRequires-Dist: a[b] @ https://h/x;y.whl ; extra == 'z'\n\n"
	tree[site+"gamma-1.dist-info/METADATA"] = &fstest.MapFile{Data: []byte(text)}
	got := read(t, tree)
	want := []lockfile.Need{{Name: "typing-extensions"}, {Name: "tomli", Marker: `python_version < "3.11"`}, {Name: "a", Marker: "extra == 'z'"}}
	i := slices.IndexFunc(got.List.Packages, func(p lockfile.Package) bool { return p.Name == "gamma" })
	if i < 0 || !slices.Equal(got.List.Packages[i].Needs, want) {
		t.Errorf("got %+v", got.List.Packages)
	}
	if d := got.Dists[len(got.Dists)-1]; d.Python != ">=3.9" || d.License != "MIT" {
		t.Errorf("got %+v", d)
	}
}

// A folder of packages alone shows nothing of what lies beside it.
func TestSiteAlone(t *testing.T) {
	sub, err := fs.Sub(healthy(), strings.TrimSuffix(site, "/"))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, sub)
	if want := []string{"unseen alpha-1.0.dist-info/RECORD"}; !slices.Equal(said(got.Problems), want) || len(got.List.Packages) != 2 {
		t.Errorf("got %v", got.Problems)
	}
	if _, err := Read(t.Context(), fstest.MapFS{"x": {}}); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("got %v", err)
	}
}

func TestParts(t *testing.T) {
	tree := healthy()
	put(tree, "bill", "1", map[string]string{
		"bill-1.dist-info/sboms/a.cdx.json": `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "openssl", "version": "3.0.7", "purl": "pkg:generic/openssl@3.0.7",
			"components": [{"group": "g", "name": "inner", "version": ""}]}]}`,
		"bill-1.dist-info/sboms/b.spdx.json": `{"spdxVersion": "SPDX-2.3", "packages": [{"name": "zlib", "versionInfo": "1.3", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:generic/zlib@1.3"}]}]}`,
	})
	got := read(t, tree)
	want := []Part{
		{Package: "bill", Path: site + "bill-1.dist-info/sboms/a.cdx.json", Name: "openssl", Version: "3.0.7", PURL: "pkg:generic/openssl@3.0.7"},
		{Package: "bill", Path: site + "bill-1.dist-info/sboms/a.cdx.json", Name: "g/inner"},
		{Package: "bill", Path: site + "bill-1.dist-info/sboms/b.spdx.json", Name: "zlib", Version: "1.3", PURL: "pkg:generic/zlib@1.3"},
	}
	if !slices.Equal(got.Parts, want) || len(got.Problems) > 0 {
		t.Errorf("got %+v %v", got.Parts, got.Problems)
	}
}

// Whatever the metadata of a package are, reading them ends, and the package is
// accounted for: listed, unread or a problem.
func FuzzRead(f *testing.F) {
	f.Add([]byte("Name: gamma\nVersion: 1\nRequires-Dist: a; b\n"), []byte("a.py,,\n"), []byte(`{"url": "https://h/x"}`), []byte(`{"bomFormat": "CycloneDX", "components": []}`))
	f.Fuzz(func(t *testing.T, metadata, record, url, bill []byte) {
		const info = site + "gamma-1.dist-info/"
		tree := fstest.MapFS{info + "METADATA": {Data: metadata}, info + "RECORD": {Data: record}, info + "direct_url.json": {Data: url}, info + "sboms/a.json": {Data: bill},
			info + "entry_points.txt": {Data: record}, site + "a.py": {Data: bill}}
		got := read(t, tree)
		if len(got.List.Packages)+len(got.List.Unread) == 0 || len(got.Dists) != 1 {
			t.Fatalf("got %+v", got)
		}
		for _, p := range got.Problems {
			if strings.ContainsAny(p.What, "\n\r\x1b") {
				t.Fatalf("not printable: %q", p.What)
			}
		}
	})
}
