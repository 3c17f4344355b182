package pickle

import (
	"strings"
	"testing"
)

func TestSniff(t *testing.T) {
	for data, want := range map[string]Fit{
		"\x80\x02N.":                          Yes,
		"\x80\x05":                            Yes,
		"\x80\x00(":                           Yes,
		"\x80\x06N.":                          No,
		"\x80\x63abc":                         No,
		"":                                    No,
		".":                                   No,
		"N.":                                  Yes,
		"(lp0\nI1\naI2\na.":                   Yes,
		"(dp0\nS'a'\np1\nI1\ns.":              Yes,
		"N.trailing":                          No,
		"cos\nsystem\n(S'id'\ntR.":            Yes,
		"cos\nsystem\n(S'id'\ntRbroken":       Yes, // it has run by then
		"(S'id'\nios\nsystem\nbroken":         Yes,
		"cos\nsystem\n.and more":              Yes,
		"cmodule\nname\nbroken":               Perhaps,
		"category\nname\nvalue\n":             Perhaps,
		"category,name\n1,2\n3,4\n":           No,
		"(in short) this is text\nof lines\n": No,
		"I am a text\nand so on.\n":           No,
		"I1\nI2\nI3\n":                        No,
		"Name,Value\na,1\n":                   No,
		"0.5 1.5\n":                           No,
		"{\"a\": 1}":                          No,
		"<?xml version=\"1.0\"?>":             No,
		"]":                                   No,
		"Subject: x\n\n.":                     No,
		"Length\nWidth\n.\n":                  No,
		"# comment\n.":                        No,
		"PK\x03\x04":                          No,
		"GGUF\x03\x00\x00\x00" + strings.Repeat("\x00", 40): No,
		strings.Repeat("\x00", 100):                         No,
		"(" + strings.Repeat("K\x01", 700000):               Yes,
	} {
		if got := Sniff(strings.NewReader(data), 0, int64(len(data))); got != want {
			t.Errorf("%.40q: %d, want %d", data, got, want)
		}
	}
}

func TestResync(t *testing.T) {
	for data, want := range map[string]int64{
		"junk\x80\x02cos": 4,
		"junk\x80\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00": 5,
		"\x80\x07N.":   -1,
		"\x80\x04\x00": -1,
		"":             -1,
		"\x80":         -1,
		"\x80\x80\x80": -1,
		"abc":          -1,
	} {
		off, ok := Resync(strings.NewReader(data), 0, int64(len(data)))
		if !ok {
			off = -1
		}
		if off != want {
			t.Errorf("%q: %d, want %d", data, off, want)
		}
	}
}

// tracing traces at each name.
type tracing struct {
	nothing
	lines []string
}

func (v *tracing) Global(m *Machine, _ At, g *Global) error {
	v.lines = m.Trace(3, 2)
	return nil
}

func TestTrace(t *testing.T) {
	v := &tracing{}
	data := "\x80\x04\x95\x40\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("K\x010", 100_000) + "\x8c\x02os\x94\x8c\x02\x1b[\x94\x93\x94)R."
	m := New(strings.NewReader(data), 0, int64(len(data)), v)
	if _, err := m.Run(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`    300015: MEMOIZE`,
		`    300016: SHORT_BINUNICODE "\x1b["`,
		`    300020: MEMOIZE`,
		`>   300021: STACK_GLOBAL`,
		`    300022: MEMOIZE`,
		`    300023: EMPTY_TUPLE`,
	}
	if got := strings.Join(v.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("trace\n%s", got)
	}
	if got := m.Trace(1, 1); len(got) != 2 || !strings.HasPrefix(got[1], ">") {
		t.Errorf("trace of the end\n%s", strings.Join(got, "\n"))
	}
	m = New(strings.NewReader("K\x05J\x01\x00\x00\x00Ix\n"), 0, 10, v)
	if _, err := m.Run(); err == nil {
		t.Fatal("no error")
	}
	if got := strings.Join(m.Trace(5, 5), "\n"); got != "         0: BININT1 5\n         2: BININT 1\n>        7: INT \"x\"" {
		t.Errorf("trace of the break\n%s", got)
	}
}
