package env

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// house is a folder of wheels that tests make themselves, so that most of them
// need no package index. The tests share it: of two wheels of one name and
// version, both have to be the same.
var house string

// A wheelhouse is a test's part of it, with the lock of what the test added.
type wheelhouse struct {
	dir  string
	lock strings.Builder
}

func newWheelhouse() *wheelhouse { return &wheelhouse{dir: house} }

// add makes a wheel of the given files and pins it in the lock.
func (w *wheelhouse) add(t *testing.T, name, version string, files map[string]string) {
	t.Helper()
	info := name + "-" + version + ".dist-info/"
	contents := map[string]string{}
	maps.Copy(contents, files)
	files = contents
	files[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	files[info+"WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
	var record strings.Builder
	for _, f := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[f]))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[f]))
	}
	files[info+"RECORD"] = record.String() + info + "RECORD,,\n"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: f, Method: zip.Deflate, Modified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		part, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(part, files[f])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// Another test may be reading a wheel of this name at this time.
	made := filepath.Join(t.TempDir(), "wheel")
	if err := os.WriteFile(made, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(made, filepath.Join(w.dir, fmt.Sprintf("%s-%s-py3-none-any.whl", name, version))); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&w.lock, "%s==%s --hash=%s\n", name, version, sallyport.Sum(b.Bytes()))
}

// pinned returns the lock of everything that was added.
func (w *wheelhouse) pinned(t *testing.T) *Lock {
	t.Helper()
	l, err := ReadLock("requirements.lock", []byte(w.lock.String()))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// addUsual adds packages that have everything whose traces have to go: entry
// points, scripts, byte code of their own, data files, code that a .pth starts.
func (w *wheelhouse) addUsual(t *testing.T, marker string) {
	t.Helper()
	w.add(t, "alpha_pkg", "1.0.0", map[string]string{
		"alpha/__init__.py":                            "import os\nLABEL = 'alpha'\nCHOICES = {'a', 'b', 'c', None}\ndef main():\n    print(LABEL, __file__)\n",
		"alpha/__pycache__/__init__.cpython-311.pyc":   "not what the source says",
		"alpha/template.py":                            "{{ not python }}",
		"alpha_pkg-1.0.0.dist-info/entry_points.txt":   "[console_scripts]\nalpha = alpha:main\n\n[other]\nbeta = x:y\n",
		"alpha_pkg-1.0.0.data/scripts/alpha-tool":      "#!python\nimport alpha\nprint('tool', alpha.LABEL)\n",
		"alpha_pkg-1.0.0.data/scripts/alpha-shell":     "#!/bin/sh\necho shell\n",
		"alpha_pkg-1.0.0.data/data/share/alpha/x.conf": "x=1\n",
		"LICENSE.shared":                               "of alpha\n",
	})
	w.add(t, "beta", "2.0", map[string]string{
		"beta.py":        "import sys\nVALUE = [x for x in range(3)]\n",
		"beta-start.pth": "import os; open(" + fmt.Sprintf("%q", marker) + ", 'w').write('ran')\n",
		"LICENSE.shared": "of beta\n",
	})
}

// hostile are wheels that reach for what is not theirs.
var hostile = map[string]map[string]string{
	"an entry point that leaves":       points("../../../../evil = alpha:main\n"),
	"an entry point by another sign":   points("../../../../evil : alpha:main\n"),
	"an entry point after a comment":   points("; x\n  ../../../../evil=alpha:main\n"),
	"an entry point at the root":       points("/evil = alpha:main\n"),
	"a file that leaves":               {"../../../../evil": "x"},
	"a file at the root":               {"/evil": "x"},
	"an entry point named python":      points("python = alpha:main\n"),
	"a script named python":            {"alpha-1.0.data/scripts/python": "#!/bin/sh\n"},
	"data in place of the interpreter": {"alpha-1.0.data/data/bin/python3": "x"},
	"data in place of its settings":    {"alpha-1.0.data/data/pyvenv.cfg": "home = /evil\n"},
}

func points(s string) map[string]string {
	return map[string]string{"alpha-1.0.dist-info/entry_points.txt": "[console_scripts]\n" + s}
}

func TestCheckWheel(t *testing.T) {
	for name, files := range hostile {
		w := &wheelhouse{dir: t.TempDir()}
		w.add(t, "alpha", "1.0", files)
		err := checkWheel(filepath.Join(w.dir, "alpha-1.0-py3-none-any.whl"))
		// What is put in the interpreter's place is found out in the tree.
		inside := strings.Contains(name, "python") || strings.Contains(name, "in place of")
		if (err == nil) != inside || err != nil && !sallyport.Is(err, sallyport.Refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := &wheelhouse{dir: t.TempDir()}
	w.add(t, "alpha", "1.0", points("alpha = alpha.cli:main [extra]\n# ../x\n[other.group]\na b = x:y\n"))
	if err := checkWheel(filepath.Join(w.dir, "alpha-1.0-py3-none-any.whl")); err != nil {
		t.Errorf("an honest wheel: %v", err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "x.whl"), []byte("PK garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := checkWheel(filepath.Join(w.dir, "x.whl")); !sallyport.Is(err, sallyport.Refused) {
		t.Errorf("garbage: %v", err)
	}
}

// Whatever its hash, a wheel does nothing to the machine that it is installed on.
func TestHostileWheels(t *testing.T) {
	p := needPip(t)
	for _, tool := range []string{"pip", "uv"} {
		t.Run(tool, func(t *testing.T) {
			if tool == "uv" {
				uvOnPath(t, p)
			}
			hostileTo(t, tool, p)
		})
	}
}

func hostileTo(t *testing.T, tool string, p *Python) {
	for i, name := range slices.Sorted(maps.Keys(hostile)) {
		if name != "an entry point that leaves" && name != "an entry point named python" && name != "data in place of its settings" &&
			(tool == "pip" || name != "a file that leaves" && name != "an entry point at the root") {
			continue // the same way through the installer as these; TestCheckWheel has them all
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Each has a version of its own, since all lie in one house.
			version, files := fmt.Sprintf("2.%d", i), map[string]string{}
			for file, content := range hostile[name] {
				files[strings.Replace(file, "alpha-1.0.", "alpha-"+version+".", 1)] = content
			}
			w := newWheelhouse()
			w.add(t, "alpha", version, files)
			s := newStore(t)
			e, err := s.Ensure(t.Context(), w.pinned(t), Options{})
			// An error about anything but the wheel would mean that nobody tried.
			if err != nil && !sallyport.Is(err, sallyport.Refused) && !strings.Contains(err.Error(), "alpha-"+version) {
				t.Errorf("got %v", err)
			}
			if err == nil && (tool == "pip" || s.Verify(t.Context(), e) != nil) {
				t.Error("it was installed")
			}
			if d, err := fileDigest(p.Executable); err != nil || d != p.Digest {
				t.Fatalf("the interpreter of this machine was written to: %v", err)
			}
			for dir := s.Dir; ; dir = filepath.Dir(dir) {
				if _, err := os.Lstat(filepath.Join(dir, "evil")); err == nil {
					t.Errorf("the wheel wrote to %s", dir)
				}
				if dir == filepath.Dir(dir) {
					break
				}
			}
		})
	}
}
