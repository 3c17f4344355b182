package adversary

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A writer emits opcodes and picks, wherever there is more than one way to say
// the same, one of them.
type writer struct {
	*rand.Rand
	proto    int
	faithful bool           // only what Python's pickler would write at that protocol
	b        []byte         // the stream so far
	body     int            // where it begins after PROTO
	ends     []int          // where opcodes end
	memo     map[int]bool   // slots that are filled
	named    map[target]int // slots that hold names, if faithful
	made     []string
}

// op emits an opcode with its argument.
func (w *writer) op(code byte, arg ...byte) {
	w.b = append(append(w.b, code), arg...)
	w.ends = append(w.ends, len(w.b))
}

// line emits an opcode whose arguments are lines.
func (w *writer) line(code byte, lines ...string) {
	w.op(code, []byte(strings.Join(lines, "\n")+"\n")...)
}

// counted emits an opcode whose argument says its length in size bytes.
func (w *writer) counted(code byte, size int, arg string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(arg)))
	w.op(code, append(n[:size:size], arg...)...)
}

// chose records a choice.
func (w *writer) chose(what, how string) { w.made = append(w.made, what+": "+how) }

// pick takes one of several.
func pick[T any](w *writer, of []T) T { return of[w.IntN(len(of))] }

// A way is one way to do something.
type way struct {
	name string
	do   func(*writer)
}

// one does one of several ways and records which.
func (w *writer) one(what string, of []way) {
	chosen := pick(w, of)
	w.chose(what, chosen.name)
	chosen.do(w)
}

// header emits PROTO: what it says is not always true, and it may come twice.
func (w *writer) header() {
	switch lie := w.IntN(12); {
	case w.faithful:
		if w.proto >= 2 {
			w.op(0x80, byte(w.proto))
		}
	case lie == 0:
		w.chose("protocol", "unsaid")
	case lie == 1:
		w.op(0x80, byte(w.IntN(6)))
		w.op(0x80, byte(w.IntN(6)))
		w.chose("protocol", "said twice")
	case lie == 2:
		w.op(0x80, byte(w.IntN(6)))
		w.chose("protocol", "false")
	case w.proto >= 2:
		w.op(0x80, byte(w.proto))
	}
	w.body = len(w.b)
}

// begin forgets where opcodes ended before the body.
func (w *writer) begin() { w.ends = w.ends[:0] }

// str pushes a string of ASCII.
func (w *writer) str(s string) {
	if w.faithful {
		w.plain(s)
		w.remember()
		return
	}
	if len(s) > math.MaxUint8 {
		w.counted('X', 4, s)
		return
	}
	w.one("string", []way{
		{"SHORT_BINUNICODE", func(w *writer) { w.counted(0x8c, 1, s) }},
		{"BINUNICODE", func(w *writer) { w.counted('X', 4, s) }},
		{"BINUNICODE8", func(w *writer) { w.counted(0x8d, 8, s) }},
		{"UNICODE", func(w *writer) { w.line('V', s) }},
		{"UNICODE escaped", func(w *writer) { w.line('V', w.escaped(s, `\u%04x`)) }},
		{"STRING", func(w *writer) { w.line('S', "'"+s+"'") }},
		{"STRING escaped", func(w *writer) { w.line('S', `"`+w.escaped(s, `\x%02x`)+`"`) }},
		{"STRING octal", func(w *writer) { w.line('S', `'`+w.escaped(s, `\%03o`)+`'`) }},
		{"BINSTRING", func(w *writer) { w.counted('T', 4, s) }},
		{"SHORT_BINSTRING", func(w *writer) { w.counted('U', 1, s) }},
	})
}

// plain pushes a string as Python does.
func (w *writer) plain(s string) {
	switch {
	case w.proto == 0:
		w.line('V', strings.ReplaceAll(s, `\`, `\u005c`))
	case w.proto < 4 || len(s) > math.MaxUint8:
		w.counted('X', 4, s)
	default:
		w.counted(0x8c, 1, s)
	}
}

// escaped writes some of the letters in another form.
func (w *writer) escaped(s, form string) string {
	var out strings.Builder
	for i, c := range []byte(s) {
		if i == 0 || w.IntN(2) == 0 {
			fmt.Fprintf(&out, form, c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// remember puts what is on top into the next slot of the memo, as Python's
// pickler does, and returns which it is.
func (w *writer) remember() int {
	n := len(w.memo)
	w.memo[n] = true
	switch {
	case w.proto >= 4:
		w.op(0x94)
	case w.proto == 0:
		w.line('p', fmt.Sprint(n))
	case n <= math.MaxUint8:
		w.op('q', byte(n))
	default:
		w.op('r', binary.LittleEndian.AppendUint32(nil, uint32(n))...)
	}
	return n
}

// recall pushes what is in slot n, as Python's pickler does.
func (w *writer) recall(n int) {
	switch {
	case w.proto == 0:
		w.line('g', fmt.Sprint(n))
	case n <= math.MaxUint8:
		w.op('h', byte(n))
	default:
		w.op('j', binary.LittleEndian.AppendUint32(nil, uint32(n))...)
	}
}

// number pushes an integer of at most 32 bits.
func (w *writer) number(n int32) {
	switch {
	case w.proto == 0 && n == 0:
		w.line('I', "0")
	case w.proto == 0:
		w.line('I', fmt.Sprint(n))
	case n >= 0 && n <= math.MaxUint8:
		w.op('K', byte(n))
	case n >= 0 && n <= math.MaxUint16:
		w.op('M', binary.LittleEndian.AppendUint16(nil, uint16(n))...)
	default:
		w.op('J', binary.LittleEndian.AppendUint32(nil, uint32(n))...)
	}
}

// real pushes a floating-point number.
func (w *writer) real(v float64) {
	if w.proto == 0 {
		w.line('F', fmt.Sprint(v))
		return
	}
	w.op('G', binary.BigEndian.AppendUint64(nil, math.Float64bits(v))...)
}

// truth pushes True or False.
func (w *writer) truth(v bool) {
	switch {
	case w.proto < 2 && v:
		w.line('I', "01")
	case w.proto < 2:
		w.line('I', "00")
	case v:
		w.op(0x88)
	default:
		w.op(0x89)
	}
}

// tuple pushes a tuple of what items push.
func (w *writer) tuple(items ...func()) {
	short := w.proto >= 2 && len(items) <= 3
	switch {
	case len(items) == 0 && w.proto >= 1:
		w.op(')')
		return
	case len(items) == 0 || !short:
		w.op('(')
	}
	for _, push := range items {
		push()
	}
	if short {
		w.op([]byte{0x85, 0x86, 0x87}[len(items)-1])
	} else {
		w.op('t')
	}
	w.remember()
}
