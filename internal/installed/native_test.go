package installed

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNativeNames(t *testing.T) {
	for name, want := range map[string]Native{
		"numpy.libs/libgfortran-040039e1-0352e75f.so.5.0.0":        {Name: "libgfortran", Version: "5.0.0"},
		"scipy.libs/libscipy_openblas64_-6bb31eeb.so":              {Name: "libscipy_openblas64_"},
		"nvidia/lib/libcudart.so.12":                               {Name: "libcudart", Version: "12"},
		"PIL/.dylibs/libz.1.3.1.dylib":                             {Name: "libz", Version: "1.3.1"},
		"a/libb.dylib":                                             {Name: "libb"},
		"numpy.libs/msvcp140-263139962577ecda4cd9469ca360a746.dll": {Name: "msvcp140"},
		"a/_x.cpython-311-x86_64-linux-gnu.so":                     {Name: "_x", Extension: true},
		"a/_rust.abi3.so":                                          {Name: "_rust", Extension: true},
		"a/_x.cp311-win_amd64.pyd":                                 {Name: "_x", Extension: true},
		"bin/tool":                                                 {Name: "tool"},
	} {
		got := describeNative(name, "", none{})
		if got.Name != want.Name || got.Version != want.Version || got.Extension != want.Extension {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	for name, want := range map[string]bool{"a.so": true, "a.so.1.2": true, "a.so.txt": false, "a.py": false, "A.DLL": true, "a.dylib": true} {
		if machineCode(name, []byte("text")) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
	if !machineCode("bin/tool", []byte("\x7fELF\x02")) {
		t.Error("a program was not seen")
	}
}

type none struct{ fs.File }

// TestSoname holds the names that the libraries of this machine give themselves
// against the reader of the standard library.
func TestSoname(t *testing.T) {
	n := 0
	for _, pattern := range []string{"/usr/lib/*/lib*.so*", "/lib/*/lib*.so*", "/usr/lib/*.so*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names[:min(len(names), 200)] {
			b, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			f, err := elf.NewFile(bytes.NewReader(b))
			if err != nil {
				continue
			}
			want, err := f.DynString(elf.DT_SONAME)
			if err != nil {
				continue
			}
			if got := soname(bytes.NewReader(b), int64(len(b))); got != strings.Join(want, "") {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
			n++
		}
	}
	if n == 0 {
		t.Skip("SKIPPED, so nothing is proven here about the names of libraries: this machine has none that are known")
	}
}

func FuzzSoname(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := soname(bytes.NewReader(b), int64(len(b))); len(got) > maxSoname {
			t.Fatalf("got %q", got)
		}
	})
}
