package lockfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// lines is a text of n lines.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// Whoever writes a file cannot make its reading take for ever: each of these grew
// with the square of its length, and would not end before the test does.
func TestReadingGrowsWithTheFile(t *testing.T) {
	const n = 9_000
	chain := "version = 1\n" + lines(n, "[[package]]\nname = \"p%[1]d\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n"+
		"dependencies = [{ name = \"p%[1]d\" }, { name = \"q%[1]d\" }]\n")
	for _, c := range []struct {
		name, file, text string
		packages, unread int
	}{
		{"comments that say via", "x.txt", "a==1\n" + strings.Repeat("#   via\n", 300_000), 1, 0},
		{"pins and ranges of one name", "x.txt", lines(n, "a==1.%d\n") + lines(n, "a>%d,<0\n"), n, n},
		{"indexes", "x.txt", lines(2*n, "-i https://example.org/%d\n"), 0, 0},
		{"markers", "x.txt", lines(2*n, "a==1; python_version > '3.%d'\n"), 1, 0},
		{"a long list in TOML", "pyproject.toml", "[project]\ndependencies = [\n" + lines(2*n, "'a%d==1',\n") + "]\n", 2 * n, 0},
		{"a long key in TOML", "pyproject.toml", strings.Repeat("a", 8<<20) + " = [\n" + lines(n, "'a%d',\n") + "]\n", 0, 0},
		{"pieces of a line", "x.ipynb", `{"cells": [{"source": [` + strings.Repeat(`"a", `, 300_000) + `"a"]}]}`, 0, 0},
		{"lines that go on", "x.ipynb", `{"cells": [{"source": [` + strings.Repeat(`"aaaaaaaa\\\n", `, 300_000) + `"a"]}]}`, 0, 0},
		{"packages of uv", "uv.lock", chain, n, 0},
	} {
		l, err := Read(files(c.file, c.text), c.file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if len(l.Packages) != c.packages || len(l.Unread) != c.unread {
			t.Errorf("%s: %d packages and %d unread, want %d and %d", c.name, len(l.Packages), len(l.Unread), c.packages, c.unread)
		}
	}
}

// What is more than the bound is not even kept until the file ends.
func TestNoMoreIsKeptThanTheBound(t *testing.T) {
	for _, line := range []string{"a==1.%d\n", "a%d\n", "-i https://example.org/%d\n"} {
		r := newReader(files("x.txt", lines(2*maxEntries, line)))
		if err := r.file("x.txt", false, nil); !sallyport.Is(err, sallyport.Limit) {
			t.Errorf("%q: %v", line, err)
		}
		if n := len(r.list.Packages) + len(r.list.Unread) + len(r.list.Indexes); n > maxEntries+1 {
			t.Errorf("%q: %d entries are kept", line, n)
		}
	}
}

// A chain that nobody could read does not make all chains together grow with
// the square of the packages.
func TestWaysAreShort(t *testing.T) {
	var edges []string
	for i := range 20_000 {
		edges = append(edges, fmt.Sprintf("p%d>p%d", i, i+1))
	}
	ways := listOf(edges...).Ways()
	if w := ways["p30"]; len(w) != 31 || w[0] != "p0" || w[30] != "p30" {
		t.Errorf("p30 is there by %q", w)
	}
	if w := ways["p20000"]; len(w) != maxWay || w[0] != "p0" || w[maxWay-2] != "…" || w[maxWay-1] != "p20000" {
		t.Errorf("p20000 is there by %q", w)
	}
}

// Nobody needs to say how often an extra is asked for: each is gone along once.
func TestExtrasOfUVAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("version = 1\n[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n[package.optional-dependencies]\n")
	b.WriteString(lines(2000, "g%d = [{ name = \"a\" }]\n"))
	b.WriteString("[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\ndependencies = [{ name = \"b\", extra = [")
	b.WriteString(lines(5000, "\"e%d\","))
	b.WriteString("] }]\n[[package]]\nname = \"b\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n")
	if _, err := Read(files("uv.lock", b.String()), "uv.lock"); !sallyport.Is(err, sallyport.Limit) {
		t.Errorf("ten million ways: %v", err)
	}
}
