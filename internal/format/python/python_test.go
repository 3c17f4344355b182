package python

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// tell writes the facts of a source as lines.
func tell(t testing.TB, text string) ([]string, error) {
	t.Helper()
	src, err := Source([]byte(text))
	if err != nil {
		return nil, err
	}
	var out []string
	err = Walk(src, func(f Fact) error {
		out = append(out, describe(f))
		return nil
	})
	return out, err
}

func describe(f Fact) string {
	at := f.At()
	where := [...]string{"", "script ", "later "}[at.Scope]
	switch f := f.(type) {
	case *Import:
		return where + strings.TrimSpace(fmt.Sprintf("import %s%s:%s %s", strings.Repeat(".", f.Level), f.Module, f.Name, f.As))
	case *Call:
		var args []string
		for _, a := range f.Args {
			args = append(args, argText(a))
		}
		mark := ""
		if f.Decorator {
			mark = "@"
		}
		return where + "call " + mark + chainText(f.Chain) + "(" + strings.Join(args, ", ") + ")"
	case *Use:
		return where + "use " + chainText(f.Chain)
	case *Alias:
		return where + f.Name + " = " + argText(f.Value)
	case *Def:
		return where + "def " + f.Name
	case *Line:
		return where + "line " + f.Text
	}
	return "?"
}

func argText(a Arg) string {
	s := "?"
	switch {
	case a.Literal:
		s = fmt.Sprintf("%q", a.Text)
	case a.Chain != nil:
		s = chainText(*a.Chain)
	}
	if a.Keyword != "" {
		s = a.Keyword + "=" + s
	}
	return s
}

func chainText(c Chain) string {
	if c.On != nil {
		return chainText(c.On.Chain) + "()" + c.Name
	}
	return c.Name
}

func TestWalk(t *testing.T) {
	for text, want := range map[string]string{
		"import os, sys as s\n":                         "import os: | import sys: s",
		"from ..a.b import (c as d,\n  e)":              "import ..a.b:c d | import ..a.b:e",
		"from ... import x; import y":                   "import ...:x | import y:",
		"from a import *":                               "import a:*",
		"os.system('i' 'd')":                            `call os.system("id")`,
		"(os.system)('i' + 'd')":                        `use os.system | call os.system("id")`,
		"__import__('os').system(x)":                    `call __import__("os") | use x | call __import__().system(x)`,
		"getattr(os, 'sys' + 'tem')('id')":              `use os | call getattr(os, "system") | call getattr()("id")`,
		"e = exec\ne('1')":                              `use exec | e = exec | call e("1")`,
		"e = a = __import__('os')":                      `call __import__("os") | use e | use a | e = __import__() | a = __import__()`,
		"def f(x=g()):\n  h()\nk()":                     "def f | use x | call g() | later call h() | call k()",
		"class A(B):\n  c()\n  def d(self): e()\nf()":   "def A | use B | call c() | def d | use self | later call e() | call f()",
		"if __name__ == '__main__':\n a()\nelse:\n b()": "use __name__ | script call a() | call b()",
		"if __name__ == '__main__': a()\nb()":           "use __name__ | script call a() | call b()",
		"if __name__ == '__main__' or 1:\n a()":         "use __name__ | call a()",
		"@a.b\n@c(1)\ndef f(): pass":                    "use a.b | call @a.b() | call c(?) | def f",
		"f'{a(b[\"x\"])!r:>{w()}} {{no()}}' 'x'.y()":    "use b | call a(?) | use r | call w() | call .y()",
		"f\"\"\"\n{x:\n}\"\"\"\ng()":                    "use x | call g()",
		"match(x)\nmatch x:\n  case A(b): c()\n":        "use x | call match(x) | use match | use x | use case | use A | use b | call c()",
		"x = lambda a: b(a)\nd = {1: e()}":              "use a | use a | call b(a) | use x | call e() | use d",
		"'\\x6fs'.join(['a'])":                          `call .join(?)`,
		"async def f():\n  await g()\n":                 "def f | later call g()",
		"def f[T: (int)](x): return T()":                "def f | use T | use int | use x | later use int | later call T()",
		"1if x else y()":                                "use x | call y()",
		"exec(base64.b64decode(s).decode())":            "use s | call base64.b64decode(s) | call base64.b64decode().decode() | call exec(base64.b64decode().decode())",
		"\ufeff# -*- coding: utf-8 -*-\nf()":            "call f()",
	} {
		facts, err := tell(t, text)
		if got := strings.Join(facts, " | "); err != nil || !sameFacts(got, want) {
			t.Errorf("%q:\n  %s (%v)\nwant\n  %s", text, got, err, want)
		}
	}
}

// sameFacts compares without regard to the order of uses.
func sameFacts(got, want string) bool {
	a, b := strings.Split(got, " | "), strings.Split(want, " | ")
	calls := func(s string) bool { return strings.HasPrefix(s, "use ") || strings.HasPrefix(s, "later use ") }
	return slices.Equal(slices.DeleteFunc(a, calls), slices.DeleteFunc(b, calls))
}

func TestBroken(t *testing.T) {
	for text, want := range map[string]format.Kind{
		"f(": format.Broken, "f)": format.Broken, "(]": format.Broken, "'abc": format.Broken, "'a\nb'": format.Broken,
		"f'{x'": format.Broken, "f'}'": format.Broken, "if x:\n   a\n b": format.Broken, "a $ b": format.Broken,
		"\\": format.Broken, "a\x00": format.Broken, "a = '\xff'": format.Broken,
		"if x:\n\ta\n        b":     format.Broken,
		strings.Repeat("(", 300):    format.Broken,
		"# coding: rot13\nabg()":    format.Unsupported,
		"#!/x\n# coding=utf-7\nx":   format.Unsupported,
		"# coding: latin-1\n'\xe9'": format.Unsupported,
	} {
		if _, err := tell(t, text); !format.Is(err, want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	for _, text := range []string{"# coding: latin-1\nx", "x = 1\n\n# coding: rot13\n", "", "\n\n", "# only", "if x:\n\ty\n\tz\n"} {
		if _, err := tell(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if facts, err := tell(t, "os.system(x"); err == nil || !slices.Contains(facts, "call os.system(x)") {
		t.Errorf("what stands before the break: %v, %v", facts, err)
	}
}

// TestMagics reads what IPython adds to Python.
func TestMagics(t *testing.T) {
	src := "%time f()\nif x:\n  !pip install y\nz = !ls\nw = 5 % 3 != 2\nf??\n?g\nh('%d' %\n  i)\n"
	var got []string
	err := WalkCell(src, func(f Fact) error {
		if _, ok := f.(*Use); !ok {
			got = append(got, describe(f))
		}
		return nil
	})
	want := "line %time f() | line !pip install y | line !ls | line ?g | call h(?)"
	if s := strings.Join(got, " | "); err != nil || s != want {
		t.Errorf("%s, %v; want %s", s, err, want)
	}
	if Walk(src, func(Fact) error { return nil }) == nil {
		t.Error("they are Python")
	}
}

// TestAgainstPython compares imports, definitions and the names of calls with
// what CPython's own parser finds in files of its standard library, its tests of
// the grammar among them; or in those of the folder SALLYPORT_PYTHON_FILES.
func TestAgainstPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to compare with")
	}
	cmd := exec.Command(python, "testdata/oracle.py", os.Getenv("SALLYPORT_PYTHON_FILES"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for line := range bytes.Lines(out) {
		var want struct {
			File                 string
			Imports, Calls, Defs []string
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		files++
		compare(t, want.File, want.Imports, want.Calls, want.Defs)
	}
	if files < 50 {
		t.Errorf("it has only %d files", files)
	}
	t.Logf("%d files", files)
}

func compare(t *testing.T, file string, imports, calls, defs []string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Source(b)
	if format.Is(err, format.Unsupported) {
		return
	}
	var gotImports, gotCalls, gotDefs []string
	if err == nil {
		err = Walk(src, func(f Fact) error {
			switch f := f.(type) {
			case *Import:
				gotImports = append(gotImports, fmt.Sprintf("%s%s:%s:%s", strings.Repeat(".", f.Level), f.Module, f.Name, f.As))
			case *Call:
				if !f.Decorator {
					gotCalls = append(gotCalls, [...]string{"", "", "later "}[f.Scope]+f.Name)
				}
			case *Def:
				gotDefs = append(gotDefs, f.Name)
			}
			return nil
		})
	}
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	for _, x := range []struct {
		what      string
		got, want []string
	}{{"imports", gotImports, imports}, {"calls", gotCalls, calls}, {"definitions", gotDefs, defs}} {
		slices.Sort(x.got)
		slices.Sort(x.want)
		if !slices.Equal(x.got, x.want) {
			t.Errorf("%s: %d %s, want %d; %s", filepath.Base(file), len(x.got), x.what, len(x.want), difference(x.got, x.want))
		}
	}
}

// difference names the first elements that only one of two sorted lists has.
func difference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q against %q", a[i], b[i])
		}
	}
	return fmt.Sprintf("the longer has %q", append(a, b...)[min(len(a), len(b))])
}

func FuzzPython(f *testing.F) {
	for _, s := range []string{
		"import os\nos.system('id')\n", "f'{a!r:{b}}' f\"{{x}}\"", "if x:\n  y(\n)\nelse: z()\n", "match x:\n case A(b): c",
		"def f(a, *b, **c): return lambda: a\n", "x = '''\n''' + b\"\\x00\" 'y'", "@a\nclass B(C[d]): e: int = 1; f()\n", "\\\n\tx", "f'\\N{DASH}{x:\\}'",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		src, err := Source(b)
		if err != nil {
			return
		}
		n := 0
		err = Walk(src, func(fact Fact) error {
			n++
			if at := fact.At(); at.Off < 0 || at.Off > len(src) {
				t.Fatalf("a fact at %d of %d", at.Off, len(src))
			}
			return nil
		})
		if n > 2*len(b)+1 {
			t.Fatalf("%d facts in %d bytes", n, len(b))
		}
		if err != nil && !format.Is(err, format.Broken) {
			t.Fatal(err)
		}
		for l, i := NewLexer(src), 0; ; i++ {
			tok, err := l.Next()
			if err != nil || tok.Kind == End {
				break
			}
			if i > 3*len(b)+10 {
				t.Fatal("more tokens than bytes pay for")
			}
		}
	})
}
