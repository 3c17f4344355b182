package adversary

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/scan"
)

var cases = flag.Uint64("cases", 10_000, "how many cases TestHunt makes")

// asked is an oracle, or the end of the test where there can be none.
func asked(t *testing.T) *Oracle {
	t.Helper()
	o := &Oracle{}
	if err := o.Preflight(); err != nil {
		t.Skipf("SKIPPED, not proven against CPython: %v", err)
	}
	return o
}

// TestHunt has the scanner judge what the generator makes: whatever asks any
// unpickler of CPython's for more than honest files name is blocked, and what
// is honest passes.
func TestHunt(t *testing.T) {
	s := scan.New(scan.Options{})
	h := &Hunt{Generator: Generator{1}, Oracle: asked(t), Judge: func(ctx context.Context, name string, data []byte) (bool, string, error) {
		r, err := s.Bytes(ctx, name, data)
		return r.Verdict.Passes(), summary(r), err
	}}
	tally, err := h.Run(t.Context(), 0, *cases)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases, %d hostile, %d honest, %d blocked, %d not survived", tally.Cases, tally.Hostile, tally.Honest, tally.Blocked, tally.Dead)
	for i, c := range tally.Misses[:min(len(tally.Misses), 10)] {
		if i == 0 {
			if c, err = h.Shrink(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("missed: %v", c)
	}
	for _, c := range tally.Alarms[:min(len(tally.Alarms), 10)] {
		t.Errorf("false alarm: %v", c)
	}
	for _, c := range tally.Unsound[:min(len(tally.Unsound), 10)] {
		t.Errorf("no honest file: %v %x", c, c.Stream)
	}
	if len(tally.Misses)+len(tally.Alarms) > 0 {
		t.Errorf("%d misses and %d false alarms in all", len(tally.Misses), len(tally.Alarms))
	}
	if uint64(tally.Cases) != *cases || tally.Hostile < tally.Cases/3 || tally.Honest < tally.Cases/6 {
		t.Errorf("too little of something to prove anything")
	}
}

func summary(r *scan.Report) string {
	out := []string{r.Verdict.String(), strings.Join(r.Formats, "+")}
	for _, f := range r.Findings[:min(len(r.Findings), 6)] {
		out = append(out, fmt.Sprintf("%s %q at %d", f.Rule.ID, f.What, f.Offset))
	}
	return strings.Join(out, "; ")
}

// mended are the ways of loading that a frame can deceive up to Python 3.13.14
// and 3.14.6: all of C's.
const mended = 1 | 2 | 8

// TestOracle holds the oracle against streams whose effect is known.
func TestOracle(t *testing.T) {
	o := asked(t)
	squeezed := func(b string) []byte {
		return packed(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, []byte(b))
	}
	cut := squeezed("cos\nsystem\n." + long)
	for name, c := range map[string]struct {
		q      Question
		asked  string
		built  string
		loaded int
	}{
		"data":                    {Question{Raw, []byte("\x80\x04]\x94.")}, "", "", 15},
		"broken at once":          {Question{Raw, []byte("\xff")}, "", "", 0},
		"GLOBAL":                  {Question{Raw, []byte("cos\nsystem\n.")}, "os system", "", 15},
		"INST":                    {Question{Raw, []byte("(ios\nsystem\n.")}, "os system", "", 15},
		"STACK_GLOBAL":            {Question{Raw, []byte("\x80\x04\x8c\x02os\x8c\x06system\x93.")}, "os system", "", 15},
		"dotted":                  {Question{Raw, []byte("\x80\x04crandom\n_os.system\n.")}, "random _os.system", "", 15},
		"a registered code":       {Question{Raw, []byte("\x80\x02\x82\x01.")}, "os system", "", 15},
		"a code of nobody's":      {Question{Raw, []byte("\x80\x02\x82\x09.")}, "", "", 0},
		"before the break":        {Question{Raw, []byte("cos\nsystem\n\xff")}, "os system", "", 0},
		"second pickle":           {Question{Raw, []byte("N.cos\nsystem\n.")}, "os system", "", 15},
		"BUILD of a class":        {Question{Raw, []byte("ccollections\nOrderedDict\n}b.")}, "collections OrderedDict", "collections OrderedDict", 15},
		"SETITEM of a class":      {Question{Raw, []byte("ccollections\nOrderedDict\nNNs.")}, "collections OrderedDict", "collections OrderedDict", 15},
		"BUILD of an instance":    {Question{Raw, []byte("ccollections\nOrderedDict\n)R}b.")}, "collections OrderedDict", "", 15},
		"straddled, C only":       {Question{Raw, []byte("\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00X\x0f\x00\x00\x00\x00\x00\x00cos\nsystem\n.0N.")}, "os system", "", mended},
		"pickle in bytes":         {Question{Raw, []byte("ctorch.storage\n_load_from_bytes\nB\x0c\x00\x00\x00cos\nsystem\n.\x85R.")}, "torch.storage _load_from_bytes,os system", "", 15},
		"a persistent object":     {Question{Raw, []byte("Pos system\n)R}b.")}, "", "", 7},
		"gzip":                    {Question{Gzip, squeezed("cos\nsystem\n.")}, "os system", "", 15},
		"gzip that is cut":        {Question{Gzip, cut[:len(cut)-9]}, "os system", "", 15},
		"compressed for somebody": {Question{Bzip2, []byte("cos\nsystem\n.")}, "os system", "", 15},
	} {
		answers, err := o.Ask(t.Context(), []Question{c.q})
		if err != nil {
			t.Fatal(err)
		}
		a := answers[0]
		var named, built []string
		for _, n := range a.Asked {
			named = append(named, n.Module+" "+n.Name)
		}
		for _, n := range a.Built {
			built = append(built, n.Module+" "+n.Name)
		}
		if c.loaded == mended && len(named) == 0 {
			t.Logf("SKIPPED %q: this Python is too new for it", name)
			continue
		}
		if strings.Join(named, ",") != c.asked || strings.Join(slices.Compact(built), ",") != c.built || a.Loaded != c.loaded {
			t.Errorf("%s: %+v", name, a)
		}
		if want := c.asked != "" && strings.Contains(c.asked, "os") || c.built != ""; a.hostile() != want {
			t.Errorf("%s: hostile is %v", name, a.hostile())
		}
	}
}

// TestOracleSurvives wants every other answer when an interpreter is killed by
// its question.
func TestOracleSurvives(t *testing.T) {
	deep := slices.Concat([]byte("})"), bytes.Repeat([]byte{0x85}, 300_000), []byte("Ns.")) // the hash of a key recurses
	good := Question{Raw, []byte("cos\nsystem\n.")}
	answers, err := asked(t).Ask(t.Context(), []Question{good, {Raw, deep}, good})
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != 3 || !answers[1].Dead || !answers[0].hostile() || !answers[2].hostile() {
		t.Errorf("%+v", answers)
	}
}

// TestGenerator wants the same case every time, and every dimension in use.
func TestGenerator(t *testing.T) {
	g := Generator{7}
	seen := map[string]map[string]bool{}
	used := map[byte]bool{}
	for n := range uint64(4000) {
		a, b := g.At(n), g.At(n)
		if a.String() != b.String() || !bytes.Equal(a.File, b.File) {
			t.Fatalf("%v is another the second time", a)
		}
		for _, m := range a.Made {
			what, how, _ := strings.Cut(m, ": ")
			if seen[what] == nil {
				seen[what] = map[string]bool{}
			}
			seen[what][how] = true
		}
		for _, c := range a.Stream {
			used[c] = true
		}
	}
	for what, least := range map[string]int{"name": 8, "string": 10, "way": 8, "called": 12, "changes": 9, "code": 5, "gadget": 9, "then": 10,
		"in": 14, "noise": 12, "frame": 11, "end": 7, "in a file of": 13, "protocol": 3, "array": 6, "persistent": 2, "decoys": 5} {
		if len(seen[what]) < least {
			t.Errorf("%s: only %d ways, want %d", what, len(seen[what]), least)
		}
	}
	for _, c := range opcodes {
		if !used[c] {
			t.Errorf("no stream has a byte %#x", c)
		}
	}
}

// TestTally: a scanner that passes everything misses everything that is
// hostile, and one that blocks everything stops everything that is honest.
func TestTally(t *testing.T) {
	for _, passes := range []bool{true, false} {
		h := &Hunt{Generator: Generator{3}, Oracle: asked(t), Batch: 100, Judge: func(context.Context, string, []byte) (bool, string, error) {
			return passes, "", nil
		}}
		tally, err := h.Run(t.Context(), 0, 300)
		if err != nil {
			t.Fatal(err)
		}
		misses, alarms := tally.Hostile+tally.Dead, 0
		if !passes {
			misses, alarms = 0, tally.Honest
		}
		if len(tally.Misses) != misses || len(tally.Alarms) != alarms || tally.Hostile == 0 || tally.Honest == 0 || tally.Cases != 300 {
			t.Errorf("passes %v: %d cases, %d hostile, %d misses; %d honest, %d alarms", passes, tally.Cases, tally.Hostile, len(tally.Misses), tally.Honest, len(tally.Alarms))
		}
	}
}

// TestShrink wants what is left of a miss to be what makes it one.
func TestShrink(t *testing.T) {
	stream := []byte("\x80\x02(K\x01K\x02N\x88tq\x000cos\nsystem\nq\x01X\x05\x00\x00\x00hello0.")
	h := &Hunt{Oracle: asked(t), Judge: func(context.Context, string, []byte) (bool, string, error) { return true, "", nil }}
	c, err := h.Shrink(t.Context(), Catch{Case: Case{Stream: stream, File: stream, Kind: Raw, promised: true}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Case.Stream) > 5 || c.Case.Stream[0] != 'c' || !c.Answer.hostile() {
		t.Errorf("%q remains", c.Case.Stream)
	}
}
