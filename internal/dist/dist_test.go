package dist

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

func TestParseFile(t *testing.T) {
	for name, want := range map[string]File{
		"numpy-2.3.5-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl": {Name: "numpy", Version: "2.3.5",
			Tags: []string{"cp311-cp311-manylinux_2_27_x86_64", "cp311-cp311-manylinux_2_28_x86_64"}},
		"six-1.17.0-py2.py3-none-any.whl":                {Name: "six", Version: "1.17.0", Tags: []string{"py2-none-any", "py3-none-any"}},
		"typing_extensions-4.1-1-py3-none-any.whl":       {Name: "typing-extensions", Version: "4.1", Build: "1", Tags: []string{"py3-none-any"}},
		"torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl": {Name: "torch", Version: "2.1.0+cu118", Tags: []string{"cp311-cp311-linux_x86_64"}},
		"backports.tarfile-1.2.0.tar.gz":                 {Name: "backports-tarfile", Version: "1.2.0"},
		"zope-interface-7.2.zip":                         {Name: "zope-interface", Version: "7.2"},
	} {
		got, ok := ParseFile(name)
		if !ok || got.Name != want.Name || got.Version != want.Version || got.Build != want.Build || !slices.Equal(got.Tags, want.Tags) {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", ".whl", "a.whl", "a-1.whl", "a-1-b-c-d-e-f.whl", "a-1--none-any.whl", "a.tar.gz", "-1.tar.gz", "a-.zip", "README.md",
		"a-1-" + strings.Repeat("py3.", 40) + "py3-" + strings.Repeat("none.", 40) + "none-any.whl"} {
		if got, ok := ParseFile(name); ok {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestFolder(t *testing.T) {
	for base, want := range map[string][2]string{
		"typing_extensions-4.12.2.dist-info": {"typing-extensions", "4.12.2"},
		"A.b_C-1.dist-info":                  {"a-b-c", "1"},
		"bare.dist-info":                     {"bare", ""},
	} {
		if name, version := Folder(base); name != want[0] || version != want[1] {
			t.Errorf("%s: got %s %s", base, name, version)
		}
	}
}

func TestRecord(t *testing.T) {
	var rows []Row
	err := Record(strings.NewReader("a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n\"b,c.py\",,\n"), func(r Row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil || len(rows) != 2 || rows[0].Size != 0 || rows[1] != (Row{Path: "b,c.py", Size: -1}) {
		t.Fatalf("got %+v, %v", rows, err)
	}
	if algorithm, sum, ok := rows[0].Sum(); !ok || algorithm != "sha256" || len(sum) != 32 {
		t.Errorf("got %s %x %v", algorithm, sum, ok)
	}
	if _, _, ok := rows[1].Sum(); ok {
		t.Error("no hash was read as one")
	}
	for _, text := range []string{"a.py\n", "a.py,x\n", "a.py,x,y,z\n", "a.py,sha256=x,-1\n", "a.py,sha256=x,many\n", "\"a.py,x,1\n"} {
		if err := Record(strings.NewReader(text), func(Row) error { return nil }); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	stop := errors.New("stop")
	if err := Record(strings.NewReader("a,,\nb,,\n"), func(Row) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

func TestReadHead(t *testing.T) {
	h, err := ReadHead(strings.NewReader("Metadata-Version: 2.4\nName: x\nRequires-Dist: a\nrequires-dist: b;\n  extra == \"t\"\n\nProse: here\n"))
	if err != nil || h.Get("name") != "x" || !slices.Equal(h["requires-dist"], []string{"a", "b;\nextra == \"t\""}) || h.Get("prose") != "" {
		t.Errorf("got %v, %v", h, err)
	}
	for text, kind := range map[string]sallyport.Kind{
		"Name x\n":     sallyport.Invalid,
		" Name: x\n":   sallyport.Invalid,
		"Na me: x\n\n": sallyport.Invalid,
		"X: " + strings.Repeat("y", maxHead) + "\n\n": sallyport.Limit,
	} {
		if _, err := ReadHead(strings.NewReader(text)); !sallyport.Is(err, kind) {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add("Name: x\n y\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ReadHead(strings.NewReader(text)); err == nil {
			for name, values := range h {
				if len(values) == 0 || strings.ContainsAny(name, " \t\n:") {
					t.Fatalf("got %q: %q", name, values)
				}
			}
		}
	})
}

// Whatever bytes a wheel has, checking it ends with a verdict.
func FuzzEntryPoints(f *testing.F) {
	f.Add("[console_scripts]\nalpha = alpha:main\n")
	f.Add("../x = y:z\n# a/b\n")
	f.Fuzz(func(t *testing.T, s string) {
		if !Safe(strings.NewReader(s)) {
			return
		}
		for line := range strings.SplitSeq(s, "\n") {
			if before, _, found := strings.Cut(strings.TrimSpace(line), "="); found && before[:min(1, len(before))] != "#" && strings.ContainsAny(before, `/\`) {
				t.Fatalf("a path passed: %q", line)
			}
		}
	})
}
