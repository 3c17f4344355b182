package installed

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// wheelFiles are the members of a wheel that is as it should be.
func wheelFiles() map[string]string {
	return map[string]string{
		"alpha/__init__.py":                    "x = 1\n",
		"alpha-1.0.dist-info/METADATA":         "Name: alpha\nVersion: 1.0\n\n",
		"alpha-1.0.dist-info/WHEEL":            "Wheel-Version: 1.0\nTag: py3-none-any\n\n",
		"alpha-1.0.dist-info/entry_points.txt": "[console_scripts]\nalpha = alpha:main\n",
	}
}

// pack packs members into a wheel, with a RECORD of them unless they have one.
func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	files = maps.Clone(files)
	const record = "alpha-1.0.dist-info/RECORD"
	if _, ok := files[record]; !ok {
		text := record + ",,\n"
		for name, content := range files {
			text += row(name, content)
		}
		files[record] = text
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// source packs a source distribution.
func source(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || z.Close() != nil {
		t.Fatal("cannot pack")
	}
	return b.Bytes()
}

// pinned is a list of packages with the hash of a file each.
func pinned(files map[string][]byte) *lockfile.List {
	list := &lockfile.List{}
	for name, b := range files {
		list.Packages = append(list.Packages, lockfile.Package{Name: name, Version: "1.0", Hashes: []string{string(sallyport.Sum(b))}})
	}
	return list
}

func check(t *testing.T, list *lockfile.List, files fstest.MapFS) []Problem {
	t.Helper()
	got, err := CheckFiles(t.Context(), list, files)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const wheelName = "alpha-1.0-py3-none-any.whl"

func TestCheckFiles(t *testing.T) {
	good := pack(t, wheelFiles())
	list := pinned(map[string][]byte{"alpha": good})
	if got := check(t, list, fstest.MapFS{wheelName: {Data: good}, wheelName + ".publish.attestation": {Data: []byte("{}")}}); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  []string
	}{
		"no file":      {fstest.MapFS{}, []string{"absent "}},
		"a stranger":   {fstest.MapFS{wheelName: {Data: good}, "beta-1.0-py3-none-any.whl": {Data: nil}}, []string{"unasked beta-1.0-py3-none-any.whl", "unreadable beta-1.0-py3-none-any.whl"}},
		"a version":    {fstest.MapFS{"alpha-1.1-py3-none-any.whl": {Data: good}}, []string{"absent ", "unasked alpha-1.1-py3-none-any.whl", "misnamed alpha-1.1-py3-none-any.whl/alpha-1.0.dist-info", "misnamed alpha-1.1-py3-none-any.whl/alpha-1.0.dist-info/METADATA"}},
		"another file": {fstest.MapFS{wheelName: {Data: good}, "notes.txt": {Data: nil}}, []string{"unasked notes.txt"}},
		"other bytes":  {fstest.MapFS{wheelName: {Data: pack(t, map[string]string{"alpha-1.0.dist-info/METADATA": "Name: alpha\nVersion: 1.0\n", "alpha-1.0.dist-info/WHEEL": "Tag: py3-none-any\n"})}}, []string{"mismatch " + wheelName}},
		"another tag":  {fstest.MapFS{"alpha-1.0-py2.py3-none-any.whl": {Data: good}}, []string{"mistagged alpha-1.0-py2.py3-none-any.whl/alpha-1.0.dist-info/WHEEL"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(check(t, list, c.files)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	list.Packages[0].Hashes = []string{"md5:0123"}
	if got := said(check(t, list, fstest.MapFS{wheelName: {Data: good}})); !slices.Equal(got, []string{"unrecorded " + wheelName}) {
		t.Errorf("got %q", got)
	}
}

func TestWheel(t *testing.T) {
	const info = "alpha-1.0.dist-info/"
	for name, c := range map[string]struct {
		change func(m map[string]string)
		want   []string
	}{
		"a member more":    {func(m map[string]string) { m[info+"RECORD"] = record(m); m["evil.py"] = "" }, []string{"stray evil.py"}},
		"a member less":    {func(m map[string]string) { m[info+"RECORD"] = record(m); delete(m, "alpha/__init__.py") }, []string{"missing alpha/__init__.py"}},
		"other bytes":      {func(m map[string]string) { m[info+"RECORD"] = record(m); m["alpha/__init__.py"] = "x = 2\n" }, []string{"altered alpha/__init__.py"}},
		"no metadata":      {func(m map[string]string) { delete(m, info+"METADATA") }, []string{"unreadable " + info + "METADATA"}},
		"another name":     {func(m map[string]string) { m[info+"METADATA"] = "Name: beta\nVersion: 1.0\n" }, []string{"misnamed " + info + "METADATA"}},
		"two packages":     {func(m map[string]string) { m["beta-1.dist-info/METADATA"] = "" }, []string{"misnamed beta-1.dist-info"}},
		"out of the tree":  {func(m map[string]string) { m["../evil.py"] = "" }, []string{"outside ../evil.py"}},
		"an entry point":   {func(m map[string]string) { m[info+"entry_points.txt"] = "[console_scripts]\n../x = a:b\n" }, []string{"outside " + info + "entry_points.txt"}},
		"start code":       {func(m map[string]string) { m["a.pth"] = "import os\n" }, []string{"start-code a.pth:1"}},
		"start code, data": {func(m map[string]string) { m["alpha-1.0.data/purelib/a.pth"] = "\u2028import os" }, []string{"start-code alpha-1.0.data/purelib/a.pth:2"}},
		"a deeper .pth":    {func(m map[string]string) { m["alpha/a.pth"] = "import os\n" }, nil},
		"a module":         {func(m map[string]string) { m["usercustomize.py"] = "" }, []string{"start-code usercustomize.py"}},
		"a program":        {func(m map[string]string) { m["alpha-1.0.data/scripts/x.sh"] = "" }, []string{"script alpha-1.0.data/scripts/x.sh"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := wheelFiles()
			c.change(files)
			b := pack(t, files)
			var got []string
			for _, s := range said(check(t, pinned(map[string][]byte{"alpha": b}), fstest.MapFS{wheelName: {Data: b}})) {
				got = append(got, strings.Replace(s, wheelName+"/", "", 1))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// record is the text of a RECORD of members as they are.
func record(files map[string]string) string {
	text := "alpha-1.0.dist-info/RECORD,,\n"
	for name, content := range files {
		text += row(name, content)
	}
	return text
}

func TestSdist(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"setup.py":        {map[string]string{"alpha-1.0/setup.py": ""}, "installing it runs the build backend setuptools and its setup.py"},
		"a backend":       {map[string]string{"alpha-1.0/pyproject.toml": "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n"}, "runs the build backend hatchling.build, with hatchling"},
		"its own backend": {map[string]string{"alpha-1.0/pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"b\"\nbackend-path = [\".\"]\n"}, "runs the build backend b out of the archive itself"},
		"unread":          {map[string]string{"alpha-1.0/pyproject.toml": "[build"}, "does not name in a way that can be read"},
		"deeper":          {map[string]string{"alpha-1.0/x/pyproject.toml": "[build-system]\nbuild-backend = \"b\"\n"}, "runs the build backend setuptools"},
	} {
		b := source(t, c.files)
		got := check(t, pinned(map[string][]byte{"alpha": b}), fstest.MapFS{"alpha-1.0.tar.gz": {Data: b}})
		if len(got) != 1 || got[0].Rule != BuildCode || !strings.Contains(got[0].What, c.want) {
			t.Errorf("%s: got %v", name, got)
		}
		cut := b[:len(b)/2]
		got = check(t, pinned(map[string][]byte{"alpha": cut}), fstest.MapFS{"alpha-1.0.tar.gz": {Data: cut}})
		if len(got) != 1 || got[0].Rule != BuildCode || !strings.Contains(got[0].What, "cannot be read") {
			t.Errorf("%s, cut: got %v", name, got)
		}
	}
	b := source(t, map[string]string{"alpha-1.0/PKG-INFO": "Name: beta\nVersion: 1.0\n"})
	if got := said(check(t, pinned(map[string][]byte{"alpha": b}), fstest.MapFS{"alpha-1.0.tar.gz": {Data: b}})); !slices.Contains(got, "misnamed alpha-1.0.tar.gz/PKG-INFO") {
		t.Errorf("got %v", got)
	}
}

// Whatever bytes an archive has, checking it ends, and no byte changes without
// being noticed.
func FuzzArchive(f *testing.F) {
	f.Add([]byte("PK"), true)
	f.Add([]byte("\x1f\x8b\x08"), false)
	f.Fuzz(func(t *testing.T, b []byte, wheel bool) {
		name := "alpha-1.0.tar.gz"
		if wheel {
			name = wheelName
		}
		got := check(t, pinned(map[string][]byte{"alpha": []byte("other")}), fstest.MapFS{name: {Data: b}})
		if !slices.Contains(said(got), "mismatch "+name) && string(b) != "other" {
			t.Fatalf("got %v", got)
		}
	})
}
