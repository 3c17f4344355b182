package pickle

import (
	"strings"
	"testing"
)

// known are the modules of these tests.
func known(module string) bool { return module == "os" || module == "os.path" || module == "smtplib" }

func TestSniff(t *testing.T) {
	const harm = "0cos\nsystem\n(S'id'\ntR."
	much := strings.Repeat("0", windowBytes+windowBytes/2)
	for data, want := range map[string]Fit{
		"\x80\x02N.":                    Yes,
		"\x80\x05":                      Yes,
		"\x80\x00(":                     Yes,
		"\x80\x06N.":                    No,
		"\x80\x63abc":                   No,
		"":                              No,
		".":                             No,
		"N.":                            Yes,
		"(lp0\nI1\naI2\na.":             Yes,
		"(dp0\nS'a'\np1\nI1\ns.":        Yes,
		"N.trailing":                    No,
		"cos\nsystem\n(S'id'\ntR.":      Yes,
		"cos\nsystem\n(S'id'\ntRbroken": Yes, // it has run by then
		"(S'id'\nios\nsystem\nbroken":   Yes,
		"cos\nsystem\n.and more":        Yes,
		"cmodule\nname\nbroken":         Perhaps,
		"cos\nsystem\nbroken":           Likely,
		"ios\nsystem\n":                 Likely, // the Python unpickler asks for it before it wants a mark
		"cos.path\njoin\nbroken":        Likely,
		"csmtplib\nSMTP\nNbroken":       Yes, // it has changed the class by then
		"csmtplib\nSMTP\nNabroken":      Yes,
		"csmtplib\nSMTP\n(NeN":          Yes,
		"csmtplib\nSMTP\nNNsbroken":     Yes,
		"csmtplib\nSMTP\n(NNu\xff":      Yes,
		"cdecimal\nD\n.ecimal\np":       Likely,
		"checkpoints\nwandb\n.venv\n":   Likely,
		"csmtplib\nD\n.ecimal\np":       Yes,
		"cm\nÜber\n.ecimal\np":          Likely,
		"(ip\ns.":                       Yes, // the Python unpickler takes the name of a line that is not ended
		"N.cs\ns.":                      Likely,
		"V\n.ib\ni.":                    Likely,
		"I1\n.cj\na\n":                  Likely,
		"N.I1\n.](lp0\n.cj\na\n":        Likely,
		"N.N.":                          Yes,
		"N.\x80\x02":                    Yes,
		"N.\n":                          No,
		"N. Bourbaki\n":                 No,
		strings.Repeat("N.", 16) + "\n": Yes,
		"category,n\nN.\n":              No,
		"c\nname\n.":                    Yes, // its STOP is the last byte
		"c\n\nI1\na":                    No,
		"c1st\nname\nbroken":            No,
		"cat's\nname\nbroken":           No,
		"V" + much + "\n" + harm:        Yes,
		"S'" + much + "'\n" + harm:      Yes,
		"P" + much + "\n" + harm:        Yes,
		"F" + much + "\n" + harm:        Likely, // beyond what a line may have, and still a number
		"I" + strings.Replace(much, "0", " ", -1) + "1\n" + harm: Likely,
		"Np" + much + "\n" + harm:                                Likely,
		"\x82\xa6params\x81\xa1w\xc0\xa4step":                    No, // MessagePack
		"\x83\xabbatch_stats\x81\xa1w\xc0":                       No,
		"\x82\x01)Rbroken":                                       Yes,
		"\x82\x01}bbroken":                                       Yes,
		"\x82\x01Nabroken":                                       Yes,
		"\x82\x01.":                                              Yes,
		"\x82\x01. and more":                                     Likely,
		"N0\x82\x01 and more":                                    Perhaps,
		"U!" + strings.Repeat("a", 32) + "\xc2\x82X)R and text":  Yes,
		"cos.path\n???\nbroken":                                  Likely, // the module is imported before the name is looked for
		"cos\n======\n\nThe system.\n":                           No,
		"cos\n" + much:                                           Likely,
		"cos." + much + "\nx\n":                                  Likely,
		"cosmos" + much:                                          Perhaps,
		"c" + much + "\n" + harm:                                 Perhaps,
		"I" + strings.Replace(much, "0", "VGV4dA", -1) + "\n":    No,
		"F" + strings.Replace(much, "0", "a0", -1) + "\n":        No,
		"V" + much: No,
		"(lp0\n" + strings.Repeat("V"+strings.Repeat("a", 1000)+"\na", 2000) + harm: Yes,
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
		if got := Sniff(strings.NewReader(data), 0, int64(len(data)), known); got != want {
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
