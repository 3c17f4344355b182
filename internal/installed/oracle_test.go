package installed

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// census asks Python's own reader of metadata what is installed in an
// environment, and holds every file against its RECORD.
const census = `
import base64, hashlib, importlib.metadata as m, json, re, sys
out = {}
for d in m.distributions(path=[sys.argv[1]]):
    name = re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower()
    bad = []
    for f in d.files or []:
        if f.hash is None:
            continue
        try:
            data = f.locate().read_bytes()
        except FileNotFoundError:
            bad.append(str(f)); continue
        digest = base64.urlsafe_b64encode(hashlib.new(f.hash.mode, data).digest()).rstrip(b"=").decode()
        if digest != f.hash.value or (f.size is not None and f.size != len(data)):
            bad.append(str(f))
    out[name] = {"version": d.version, "direct": d.read_text("REQUESTED") is not None, "files": len(d.files or []), "bad": sorted(bad)}
print(json.dumps(out))
`

type counted struct {
	Version string   `json:"version"`
	Direct  bool     `json:"direct"`
	Files   int      `json:"files"`
	Bad     []string `json:"bad"`
}

// TestPip has pip install a wheel into a fresh environment, and agrees with
// Python about what is there, before and after somebody changed it.
func TestPip(t *testing.T) {
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	if out, err := exec.Command("python3", "-m", "venv", env).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, so agreement with pip is NOT proven here: python3 makes no virtual environments: %v %s", err, out)
	}
	wheel := filepath.Join(dir, wheelName)
	files := wheelFiles()
	files["alpha-1.0.data/scripts/alpha-tool"] = "#!python\n"
	files["alpha/deep/mod.py"] = "y = 2\n"
	if err := os.WriteFile(wheel, pack(t, files), 0o600); err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(env, "bin", "python")
	if out, err := exec.Command(python, "-I", "-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheel).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(env, "lib", "python3*", "site-packages"))
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v", found, err)
	}
	packages := found[0]
	agree := func(rules ...Rule) {
		t.Helper()
		out, err := exec.Command(python, "-I", "-c", census, packages).Output()
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]counted
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		got := read(t, os.DirFS(env))
		have := map[string]counted{}
		for _, d := range got.Dists {
			have[d.Name] = counted{Version: d.Version, Files: d.Files, Bad: []string{}}
		}
		for _, p := range got.List.Packages {
			c := have[p.Name]
			c.Direct = p.Direct
			have[p.Name] = c
		}
		for _, p := range got.Problems {
			if p.Rule == Altered || p.Rule == Missing {
				c := have[p.Package]
				rel, err := filepath.Rel(packages, filepath.Join(env, filepath.FromSlash(p.Path)))
				if err != nil {
					t.Fatal(err)
				}
				c.Bad = append(c.Bad, filepath.ToSlash(rel))
				slices.Sort(c.Bad)
				have[p.Package] = c
			}
			if !slices.Contains(rules, p.Rule) && !strings.Contains(p.Path, "distutils-precedence") {
				t.Errorf("got %+v", p)
			}
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("got %+v, Python says %+v", have, want)
		}
	}
	agree(Script)
	change(t, filepath.Join(packages, "alpha", "deep", "mod.py"))
	change(t, filepath.Join(env, "bin", "alpha"))
	if err := os.Remove(filepath.Join(packages, "alpha", "__init__.py")); err != nil {
		t.Fatal(err)
	}
	// Its byte code has no source any more that it could be of.
	agree(Script, Altered, Missing)
}

func change(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(bytes.TrimSpace(b), '\n', '#'), fs.FileMode(0o700)); err != nil {
		t.Fatal(err)
	}
}
