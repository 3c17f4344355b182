package pickle

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func frame(n int, body string) string {
	return "\x95" + string(binary.LittleEndian.AppendUint64(nil, uint64(n))) + body
}

// TestDivergence wants every place where unpicklers differ to be told, and what
// each of them sees as well.
func TestDivergence(t *testing.T) {
	hidden := "cos\nsystem\n0"
	for _, c := range []struct {
		name, data string
		events     string // of all readings; "!" is a divergence
		readings   int
		broken     bool
	}{
		{"payload straddles a frame", // a text of 3 bytes, of which 1 lies in the frame
			frame(3, "U\x03a") + "bc0" + hidden + "K\x01.",
			`! 9|GLOBAL "os" "system"|! 9|GLOBAL "os" "system"`, 2, false},
		{"line straddles a frame",
			frame(3, "Ix1") + "2\n.", "! 9|! 9", 2, true},
		{"opcode at the frame's end", frame(1, "K") + "\x01.", "", 1, false},
		{"frame behind the end", frame(300, "N."), "! 0", 1, false},
		{"stop before the frame's end", frame(3, "N.N"), "! 10", 1, false},
		{"frame in a frame", frame(11, frame(1, "N")+"."), "! 9", 1, false},
		{"frame out of a frame", frame(10, frame(2, "N.")), "! 9|! 9|! 9|! 9", 2, false},
		{"protocol 6", "\x80\x06N.", "! 0", 1, false},
		{"octal", "I010\n.", "! 0", 1, false},
		{"octal behind space", "I -010\n.", "! 0", 1, false},
		{"true or 1", "I+1\n.", "! 0", 1, false},
		{"minus 1", "I-1\n.", "", 1, false},
		{"zero byte in an integer", "I5\x00x\n.", "! 0", 1, false},
		{"zero byte for an integer", "I\x001\n.", "! 0", 1, false},
		{"zero byte in a memo's number", "Np5\x00x\ng5\n.", "! 1", 1, false},
		{"huge memo number", "Np99999999999999999999\n0g99999999999999999999\n.", "! 1", 1, false},
		{"far memo number", "Nr\x00\x00\x00\x70.", "! 1", 1, false},
		{"infinite float", "F1e999\n.", "! 0", 1, false},
		{"float with space", "F 1\n.", "! 0", 1, false},
		{"name without an end", "cos\nsystem", `! 0|GLOBAL "os" "syste"`, 1, true},
		{"module without an end", "cos", `! 0|GLOBAL "o" ""`, 1, true},
		{"empty name", "c\n\n.", `! 0|GLOBAL "" ""`, 1, false},
		{"identity without an end", "Pab", `! 0|PERSID "a"`, 1, true},
		{"arguments that are no tuple", "ca\nb\n]R.", `GLOBAL "a" "b"|! 6|REDUCE a.b[]`, 1, false},
		{"nothing added to an integer", "K\x01(e.", "! 3", 1, false},
		{"name in bytes beyond ASCII", "U\x01\xe9U\x01b\x93.", `! 6|STACK_GLOBAL "\xe9" "b"`, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, result, err := run(t, c.data)
			if events := strings.Join(l.lines, "|"); events != c.events {
				t.Errorf("told\n%s\nwant\n%s", events, c.events)
			}
			if result.Readings != c.readings || (err != nil) != c.broken {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
}

// TestDroppedFrame is the C unpickler's way with a file that it cannot peek
// into: the rest of a frame is dropped when an argument leaves it. What is a
// harmless text for others is a call for it.
func TestDroppedFrame(t *testing.T) {
	call := "0cos\nsystem\n(S'id'\ntR."
	// BINUNICODE's length lies half in the frame: all of it read through is
	// 0x100, and read from behind the frame it is 0.
	data := frame(3, "X\x00\x01") + "\x00\x00\x00\x00" + call
	data += strings.Repeat("x", 0x100-len(call)-2) + "."
	l, result, err := run(t, data)
	if err != nil || result.Readings != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := l.lines[len(l.lines)-1]; got != `REDUCE os.system("id")` {
		t.Errorf("told %q", l.lines)
	}
}

// TestReadings wants a bound on readings, and word of it.
func TestReadings(t *testing.T) {
	data := ""
	for range 40 {
		data += frame(2, "U\x01") + "a0" + frame(3, "U\x02aa0")
	}
	l, result, err := run(t, data+"N.")
	if err != nil || result.Readings > maxReadings || result.Readings < 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(l.lines) < 40 {
		t.Errorf("told %q", l.lines)
	}
}

// TestRepeats wants events that an earlier reading has had to be marked.
func TestRepeats(t *testing.T) {
	v := &repeats{}
	data := "ca\nb\n" + frame(3, "U\x03a") + "bcN" + "cc\nd\n0."
	New(strings.NewReader(data), 0, int64(len(data)), v).Run()
	if got := strings.Join(v.told, " "); got != "b:false d:false b:true d:false" {
		t.Errorf("told %s", got)
	}
}

type repeats struct {
	nothing
	told []string
}

func (r *repeats) Global(m *Machine, _ At, g *Global) error {
	r.told = append(r.told, fmt.Sprintf("%s:%v", g.Name, m.Repeats()))
	return nil
}
