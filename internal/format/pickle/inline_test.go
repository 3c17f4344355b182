package pickle

import (
	"strings"
	"testing"
)

// follows runs a stream in which n bytes, and a stream if nested is set, follow
// each BUILD whose state is True.
func follows(data string, n int64, nested bool) (*log, Result, error) {
	l := &log{inline: func(m *Machine, _, state Value) Inline {
		if x, ok := m.Int(state); ok && x == 1 {
			return Inline{Skip: n, Nested: nested}
		}
		return Inline{}
	}}
	result, err := New(strings.NewReader(data), 0, int64(len(data)), l).Run()
	return l, result, err
}

// TestInline wants bytes that follow a BUILD to be left out, and streams to be
// executed on their own.
func TestInline(t *testing.T) {
	wrapper := "ca\nb\n)\x81\x88b"
	said := `GLOBAL "a" "b"|NEWOBJ a.b()|BUILD <a.b, ()> with 1`
	// The second reading is that of an unpickler that does not see the inner
	// stream as one.
	inner := "\x80\x02cc\nd\nq\x00."
	for _, c := range []struct {
		name, data string
		skip       int64
		nested     bool
		events     string
		readings   int
	}{
		{"array", wrapper + "\x01\xff\x00\x00" + "K\x05\x86.", 4, false, said, 1},
		{"array that is opcodes of no matter", wrapper + "NN.N" + "K\x05\x86.", 4, false, said, 1},
		{"stream", wrapper + inner + "K\x05\x86.", 0, true, said + `|GLOBAL "c" "d"|` + said, 2},
		{"padding and stream", wrapper + "\xff\xff" + inner + "K\x05\x86.", 2, true, said + `|GLOBAL "c" "d"|` + said, 2},
		{"the inner memo is its own", "K\x01q\x000" + wrapper + inner + "h\x00\x86.", 0, true, said + `|GLOBAL "c" "d"|` + said, 2},
		{"memoize in the inner stream", wrapper + "\x80\x04N\x94.K\x05\x86.", 0, true, said + "|" + said, 2},
		{"numbers that mean others outside", "\x8c\x02os\x94\x8c\x06system\x940" + wrapper +
			"\x80\x04\x8c\x01m\x94\x8c\x01n\x94h\x00h\x01\x93)R.K\x05\x86.", 0, true,
			said + `|STACK_GLOBAL "m" "n"|REDUCE m.n()|` + said + `|STACK_GLOBAL "os" "system"`, 2},
		{"array that is a call", wrapper + "cos\nsystem\n)R0." + "K\x05\x86.", 15, false,
			said + `|` + said + `|GLOBAL "os" "system"|REDUCE os.system()`, 2},
		{"array that calls what lies beneath", "ca\nb\n" + wrapper + "0)R." + "K\x05\x86.", 4, false,
			`GLOBAL "a" "b"|` + said + `|GLOBAL "a" "b"|` + said + "|REDUCE a.b()", 2},
		{"array that begins a name", wrapper + "0c" + "Vx\nVy\n\x86\x86.", 2, false,
			said + "|" + said + `|GLOBAL "Vx" "Vy"`, 2},
		{"array that makes a name of what lies beneath", "\x8c\x02os\x8c\x06system" + wrapper + "0\x93." + "0\x86.", 3, false,
			said + "|" + said + `|STACK_GLOBAL "os" "system"`, 2},
		{"array that sets the state of what lies beneath", "cx\ny\n}" + wrapper + "0b." + "0\x86.", 3, false,
			`GLOBAL "x" "y"|` + said + `|GLOBAL "x" "y"|` + said + "|BUILD x.y with {}", 2},
		{"array behind the frame", frame(len(wrapper)+3, wrapper+"K\x05\x86") + "\x01\xff\x00\x00" + ".", 4, false, said + "|! 17", 1},
		{"array at the frame's end", frame(len(wrapper), wrapper) + "\x01\xff\x00\x00" + "K\x05\x86.", 4, false, said, 1},
		{"stream behind the frame", frame(len(wrapper)+1, wrapper+"N") + inner + "\x86.", 0, true, said + `|! 17|GLOBAL "c" "d"|` + said + "|! 17", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, result, err := follows(c.data, c.skip, c.nested)
			if err != nil || result.End != int64(len(c.data)) || result.Readings != c.readings {
				t.Errorf("%+v, %v", result, err)
			}
			if events := strings.Join(l.lines, "|"); events != c.events {
				t.Errorf("told\n%s\nwant\n%s", events, c.events)
			}
		})
	}
}

// TestInlineBounds wants data that leaves the file, streams that never end and
// streams in streams without end to be errors.
func TestInlineBounds(t *testing.T) {
	wrapper := "ca\nb\n)\x81\x88b"
	for _, c := range []struct {
		data   string
		skip   int64
		nested bool
	}{
		{wrapper + "abc", 4, false},
		{wrapper + "abc", 1 << 62, false},
		{wrapper + "abc", -1, false},
		{wrapper, 0, true},
		{wrapper + "NN", 0, true},
		{strings.Repeat(wrapper, 40) + strings.Repeat(".", 41), 0, true},
	} {
		if _, result, err := follows(c.data, c.skip, c.nested); err == nil {
			t.Errorf("%q passes: %+v", c.data, result)
		}
	}
}

// TestNestedReadings wants the work to be bounded where every stream within
// another has several readings.
func TestNestedReadings(t *testing.T) {
	wrapper := frame(3, "U\x03a") + "bcd0" + frame(3, "U\x03a") + "bcd0ca\nb\n)\x81\x88b"
	data := strings.Repeat(wrapper, maxDepth) + "N." + strings.Repeat("0N.", maxDepth)
	l, _, _ := follows(data, 0, true)
	if len(l.lines) == 0 || len(l.lines) > 200*maxReadings {
		t.Errorf("told %d things", len(l.lines))
	}
}
