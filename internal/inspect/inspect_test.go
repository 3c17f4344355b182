package inspect

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format"
)

// box is a container for tests: "BOX" and then its one member. Text is anything
// of small letters.
var box = Reading{
	Format: "box", Extensions: []string{".box"},
	Match: func(_ *File, head []byte) Fit {
		if bytes.HasPrefix(head, []byte("BOX")) {
			return Yes
		}
		return No
	},
	Inspect: func(p *Pass, f *File) error {
		return p.Expand(f, "in", io.NewSectionReader(f, 3, f.Size-3), nil)
	},
}

var word = Reading{
	Format: "word", Extensions: []string{".word"}, Generic: true,
	Match: func(*File, []byte) Fit { return Maybe },
	Inspect: func(p *Pass, f *File) error {
		c := f.Cursor()
		for c.Left() > 0 {
			if b := c.U8(); b == '!' {
				return format.Brokenf(c.Offset()-1, "an exclamation mark")
			} else if b == '%' {
				panic("a fault")
			} else if b < 'a' || b > 'z' {
				return ErrNotThis
			}
		}
		return c.Err()
	},
}

func scanText(t *testing.T, name, text string, limits Limits) *Report {
	t.Helper()
	s := Scanner{Readings: []Reading{box, word}, Limits: limits, Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), name, strings.NewReader(text), int64(len(text)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.SHA256 != sallyport.Sum([]byte(text)) {
		t.Error("the digest is another's")
	}
	return r
}

func TestScan(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limits     Limits
		verdict    Verdict
		rules      string
	}{
		{"a.word", "abc", Limits{}, Inert, ""},
		{"a", "", Limits{}, Inert, ""},
		{"a.box", "BOXabc", Limits{}, Inert, ""},
		{"a.box", "BOXBOXBOXabc", Limits{}, Inert, ""},
		{"a.box", "BOXBOXBOXabc", Limits{Depth: 2}, Inconclusive, "limit"},
		{"a.box", "BOXBOXBOXabc", Limits{Members: 1}, Inconclusive, "limit"},
		{"a.box", "BOXabcdefgh", Limits{Expanded: 5}, Inconclusive, "limit"},
		{"a.word", "BOXabc", Limits{}, Suspicious, "name-lies"},
		{"a", "0123", Limits{}, Inconclusive, "unknown-format"},
		{"a.box", "BOX0123", Limits{}, Inconclusive, "unknown-format"},
		{"a.box", "0123", Limits{}, Suspicious, "name-lies unknown-format"},
		{"a", "abc!", Limits{}, Suspicious, "broken"},
		{"a", "abc%", Limits{}, Inconclusive, "scanner-fault"},
	} {
		r := scanText(t, c.name, c.text, c.limits)
		var rules []string
		for _, f := range r.Findings {
			rules = append(rules, f.Rule.ID)
		}
		slices.Sort(rules)
		if got := strings.Join(rules, " "); r.Verdict != c.verdict || got != c.rules {
			t.Errorf("%s %q: %s by %q, want %s by %q", c.name, c.text, r.Verdict, got, c.verdict, c.rules)
		}
	}
}

// TestPolyglot wants two readings of one file to be told, unless one wraps.
func TestPolyglot(t *testing.T) {
	other := Reading{Format: "other", Match: func(*File, []byte) Fit { return Yes }, Inspect: func(*Pass, *File) error { return nil }}
	for _, wraps := range []bool{false, true} {
		other.Wraps = wraps
		s := Scanner{Readings: []Reading{box, other}}
		r, err := s.Scan(t.Context(), "a", strings.NewReader("BOX"), 3, nil, nil)
		if err != nil || (r.Verdict == Suspicious) == wraps {
			t.Errorf("wraps %v: %s, %v", wraps, r.Verdict, err)
		}
	}
}

// TestWatch feeds overlapping, nested and empty parts in one pass.
func TestWatch(t *testing.T) {
	data := make([]byte, 3<<20+17)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	type part struct{ off, n int64 }
	parts := []part{{0, int64(len(data))}, {5, 10}, {1 << 20, 1 << 20}, {1<<20 - 3, 7}, {int64(len(data)), 0}, {0, 0}, {2 << 20, 1<<20 + 17}}
	got := make([]bytes.Buffer, len(parts))
	done := 0
	reading := Reading{Format: "any", Match: func(*File, []byte) Fit { return Yes }, Inspect: func(p *Pass, f *File) error {
		for i, x := range parts {
			s, err := f.Section("x", x.off, x.n)
			if err != nil {
				return err
			}
			if err := p.Watch(s, 0, x.n, func(b []byte) { got[i].Write(b) }, func() { done++ }); err != nil {
				return err
			}
		}
		return nil
	}}
	s := Scanner{Readings: []Reading{reading}}
	if _, err := s.Scan(t.Context(), "a", bytes.NewReader(data), int64(len(data)), nil, nil); err != nil {
		t.Fatal(err)
	}
	for i, x := range parts {
		if !bytes.Equal(got[i].Bytes(), data[x.off:x.off+x.n]) {
			t.Errorf("part %d saw other bytes", i)
		}
	}
	if done != len(parts) {
		t.Errorf("%d of %d were ended", done, len(parts))
	}
}

// TestSpill writes in odd pieces and reads anywhere, and finds nothing of it on
// the disk.
func TestSpill(t *testing.T) {
	dir := t.TempDir()
	s := &spill{temp: dir}
	defer s.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	var want []byte
	for len(want) < 3*inMemory {
		b := bytes.Repeat([]byte("a record about a person; "), 1+rnd.IntN(4000))[rnd.IntN(25):]
		if _, err := s.Write(b); err != nil {
			t.Fatal(err)
		}
		want = append(want, b...)
	}
	for range 200 {
		off := rnd.IntN(len(want))
		b := make([]byte, rnd.IntN(min(70000, len(want)-off)))
		if _, err := s.ReadAt(b, int64(off)); err != nil || !bytes.Equal(b, want[off:off+len(b)]) {
			t.Fatalf("at %d: %v", off, err)
		}
	}
	onDisk := make([]byte, len(want))
	if _, err := s.file.ReadAt(onDisk, 0); err != nil || bytes.Contains(onDisk, []byte("a record")) {
		t.Errorf("the plain text lies on the disk, or %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("the file has a name: %v", left)
	}
}

// TestFolder proves that no link is followed.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x", "b/y"} {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755)
		os.WriteFile(filepath.Join(dir, name), []byte("12345"), 0o644)
	}
	os.Symlink("x", filepath.Join(dir, "a/link"))
	os.Symlink("b", filepath.Join(dir, "c"))
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	d := &Folder{Root: root}
	if !slices.Equal(d.Names(), []string{"a/x", "b/y"}) || !slices.Equal(d.Links(), []string{"a/link", "c"}) {
		t.Errorf("names %v, links %v", d.Names(), d.Links())
	}
	for name, want := range map[string]bool{"a/x": true, "a/link": false, "c/y": false, "../a": false, "/a/x": false, "": false} {
		if e, _ := d.Lookup(name); e.Regular != want {
			t.Errorf("%s is regular: %v", name, e.Regular)
		}
		if f, err := d.Open(name); (err == nil) != want {
			t.Errorf("%s opens: %v", name, err)
		} else if err == nil {
			f.Close()
		}
	}
	f := &File{Name: "a/x"}
	for name, want := range map[string]string{"w": "a/w", "w/v": "a/w/v", "../w": "", "/w": "", "./w": "", "w//v": "", `w\v`: "", "c:w": "", ".": "", "": ""} {
		if got := f.Beside(name); got != want {
			t.Errorf("beside %q: %q, want %q", name, got, want)
		}
	}
}

// TestClean wants nothing of a file to steer a terminal.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"os.system": "os.system", "\x1b[2J": `\x1b[2J`, "a\u202eb": `a\u202eb`, "\xff": `\xff`, "Größe": "Größe",
		strings.Repeat("é", 61): strings.Repeat("é", 60) + "…",
	} {
		if got := clean(in, 120); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestStopped wants a scan to end when its context does.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := Scanner{Readings: []Reading{word}}
	if _, err := s.Scan(ctx, "a", strings.NewReader("abc"), 3, nil, nil); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}
