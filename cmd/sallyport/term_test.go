package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
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
			if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && r != 0x200e && r != 0x200f && r != 0x061c {
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
	want := "  | one\n  | two\n  | progress 1\n  | progress 2\n  | " + strings.Repeat("x", 4096) + "\n  | " + strings.Repeat("x", 904) + "·[31mred\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
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
		bytesText(0): "0 B", bytesText(943275): "921 KiB", bytesText(3 << 30): "3.0 GiB",
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
