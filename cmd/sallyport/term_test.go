package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// TestPlain wants nothing to reach the terminal that a terminal acts upon.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"hello":                    "hello",
		"tab\there":                "tab here",
		"\x1b[2Jgone":              "·[2Jgone",
		"\x9b31m":                  "·31m", // C1, not UTF-8 as it stands
		"\u009b31m":                "·31m",
		"right\u202eleft":          "right·left",
		"bell\a back\b del\x7f":    "bell· back· del·",
		"Grüße, 患者":                "Grüße, 患者",
		"two\u2028lines\u2066hide": "two·lines·hide",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("\x1b]0;title\a")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range plain(s) {
			mark := r == 0x200e || r == 0x200f || r == 0x061c // moves nothing but itself
			if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && !mark {
				t.Fatalf("%q lets %U through", s, r)
			}
		}
	})
}

// TestQuoted wants each line of a stage behind a bar, however it is written.
func TestQuoted(t *testing.T) {
	var out bytes.Buffer
	q := &quoted{w: &out}
	for _, part := range []string{"one\ntw", "o\r\nprogress 1\rprogress 2\r", "\n\n", strings.Repeat("x", 5000), "\x1b[31mred"} {
		q.Write([]byte(part))
	}
	q.flush()
	want := "  | one\n  | two\n  | progress 1\n  | progress 2\n  | " + strings.Repeat("x", 4096) +
		"\n  | " + strings.Repeat("x", 904) + "·[31mred\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

// TestQuotedOwn wants lines of our own between the lines of a stage, whichever
// goroutine they come from; the race detector wants the same.
func TestQuotedOwn(t *testing.T) {
	var out bytes.Buffer
	q := &quoted{w: &out}
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for range 100 {
				q.Write([]byte("stage\nprints"))
			}
		})
		done.Go(func() {
			for range 100 {
				q.own("  ! refused\n")
			}
		})
	}
	done.Wait()
	q.flush()
	refused := 0
	for line := range strings.Lines(out.String()) {
		if line == "  ! refused\n" {
			refused++
		} else if !strings.HasPrefix(line, "  | ") || strings.Contains(line, "!") {
			t.Fatalf("got %q", line)
		}
	}
	if refused != 400 {
		t.Errorf("%d lines of our own, want 400", refused)
	}
}

// TestPlainly wants a text with its lines as they are and nothing that a
// terminal acts upon, however it is written.
func TestPlainly(t *testing.T) {
	var out bytes.Buffer
	p := &plainly{w: &out}
	for _, part := range []string{"+a\tb\n\n-\x1b[3", "1mred\r\n", "Gr\xc3", "\xbc\xc3\x9fe\n", strings.Repeat("ü", 5000)} {
		if _, err := p.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "+a b\n\n-·[31mred·\nGrüße\n" + strings.Repeat("ü", 5000); out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

// TestWatchFlood wants a stage that tries without end to be told of in few
// lines, also beside what it prints.
func TestWatchFlood(t *testing.T) {
	var out bytes.Buffer
	w := newApp(nil, io.Discard, &out).watch(false)
	for _, stage := range []string{"a", "b"} {
		w.Stage(stage, 1, 2)
		var done sync.WaitGroup
		done.Go(func() {
			for range 50 {
				w.Output.Write([]byte("working\n"))
			}
		})
		for i := range 50 {
			w.Attempt(stage, sandbox.Attempt{Protocol: "tcp", Host: "collector.example", Port: uint16(i + 1)})
		}
		done.Wait()
		w.Ended(run.Stage{Name: stage, Status: run.Finished,
			Network: run.Network{Attempts: 57, Distinct: 50, Unlisted: 7}})
	}
	if n := strings.Count(out.String(), "  ! refused"); n != 40 {
		t.Errorf("%d attempts are shown, want 40", n)
	}
	if n := strings.Count(out.String(), "  … and 37 more\n"); n != 2 {
		t.Errorf("%d times told that there were more, want 2", n)
	}
}

// TestReadAttempts wants a record that is broken off to be an error.
func TestReadAttempts(t *testing.T) {
	line := `{"protocol":"tcp","host":"` + strings.Repeat("x", 100_000) + `"}` + "\n"
	if all, err := readAttempts([]byte(line + line)); err != nil || len(all) != 2 {
		t.Errorf("%d attempts, %v", len(all), err)
	}
	if _, err := readAttempts([]byte(line + line[:50])); err == nil {
		t.Error("half a line passes")
	}
}

// TestDiff wants everything that differs, whatever the stages are called.
func TestDiff(t *testing.T) {
	a := &run.Record{
		Code:        run.Code{Commit: "0123456789abcdef"},
		Environment: &run.Environment{Python: "3.12.1"},
		Sample:      run.Sample{Percent: 10},
		Stages:      []run.Stage{{Name: "prepare"}, {Name: "train", Command: "old"}},
	}
	b := &run.Record{
		Set:    []string{"x=1"},
		Params: map[string]any{"x": ""},
		Stages: []run.Stage{{Name: "train", Command: "new"}, {Name: "report"}},
	}
	got := map[string]string{}
	for _, s := range slices.Concat(inputs(a, b), resources(a, b)) {
		got[s.What] = s.A + " " + s.B
	}
	for what, want := range map[string]string{
		"commit": "0123456789ab –", "python": "3.12.1 –", "sample": "10% everybody", "set": "– x=1", "x": `– ""`,
		"train command": "old new", "prepare memory": "0 B –", "train memory": "0 B 0 B", "report memory": "– 0 B",
	} {
		if got[what] != want {
			t.Errorf("%s: %q, want %q", what, got[what], want)
		}
	}
}

// TestTable wants tables that fit, whose first column is whole.
func TestTable(t *testing.T) {
	tb := table{head: []string{"NAME", "N", "WHAT"}, right: map[int]bool{1: true}}
	tb.add("a-rather-long-name-of-something", "7", strings.Repeat("long ", 30))
	tb.add("b", "1000", "short")
	var out bytes.Buffer
	tb.print(&out)
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(out.String(), "a-rather-long-name-of-something     7  long") || !strings.Contains(out.String(), "…") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(4999): "4,999", count(-1234567): "-1,234,567",
		many(1, "entry"): "1 entry", many(2, "entry"): "2 entries", many(4259, "subject"): "4,259 subjects",
		sallyport.Size(0): "0 B", sallyport.Size(943275): "921 KiB", sallyport.Size(3 << 30): "3.0 GiB",
		timeText(90 * time.Second): "1m30s", timeText(1500 * time.Millisecond): "1.5s",
		asName("Dr. Röß Lab", "x"): "dr.-r-lab", asName("***", "x"): "x",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, line := range wrap(strings.Repeat("word ", 100), 30) {
		if len(line) > 30 {
			t.Errorf("%d columns", len(line))
		}
	}
	if got := wrap("", 30); len(got) != 1 || got[0] != "" {
		t.Errorf("got %q", got)
	}
}
