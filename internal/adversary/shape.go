package adversary

import (
	"encoding/binary"
	"slices"
	"strings"
)

// nest pushes what push pushes inside something, or above or below it, deep
// levels deep. One object is on the stack afterwards.
func (w *writer) nest(deep int, push func()) {
	if deep <= 0 {
		push()
		return
	}
	in := func() { w.nest(deep-1, push) }
	w.one("in", []way{
		{"tuple", func(w *writer) { w.tuple(func() { w.object(1) }, in) }},
		{"list", func(w *writer) { w.list(2, func(i int) { w.oneOf(i == 0, in) }) }},
		{"dict", func(w *writer) { w.dict([]string{"a", "b"}, func(k string) { w.oneOf(k == "b", in) }) }},
		{"key", func(w *writer) { w.op('}'); in(); w.op('N'); w.op('s') }},
		{"set", func(w *writer) { w.op(0x8f); w.op('('); in(); w.op(0x90) }},
		{"frozenset", func(w *writer) { w.op('('); in(); w.op(0x91) }},
		{"DICT", func(w *writer) { w.op('('); w.str("k"); in(); w.op('d') }},
		{"LIST", func(w *writer) { w.op('('); in(); w.op('l') }},
		{"estimator", func(w *writer) {
			e := pick(w, estimators)
			w.global(e.target)
			w.op(')')
			w.op(0x81)
			w.dict(e.attributes[:2], func(k string) { w.oneOf(k == e.attributes[1], in) })
			w.op('b')
		}},
		{"long list", func(w *writer) { w.op(']'); w.op('('); w.many(in); w.op('e') }},
		{"long tuple", func(w *writer) { w.op('('); w.many(in); w.op('t') }},
		{"long dict", func(w *writer) { w.op('}'); w.op('('); w.pairs(in); w.op('u') }},
		{"long state", func(w *writer) {
			w.global(pick(w, estimators).target)
			w.op(')')
			w.op(0x81)
			w.op('}')
			w.op('(')
			w.pairs(in)
			w.op('u')
			w.op('b')
		}},
		{"deep tuple", func(w *writer) {
			in()
			for range 10 + w.IntN(300) {
				w.op(0x85)
			}
		}},
		{"nothing, it is popped", func(w *writer) { in(); w.op('0'); w.object(1) }},
		{"nothing, popped with a mark", func(w *writer) { w.op('('); in(); w.op('1'); w.object(1) }},
		{"memo only", func(w *writer) { in(); w.put(); w.op('0'); w.object(1) }},
		{"memo and out of it", func(w *writer) {
			in()
			n := w.put()
			w.op('0')
			w.object(1)
			w.op('0')
			w.get(n)
		}},
		{"dict that holds itself", func(w *writer) {
			w.op('}')
			n := w.put()
			w.str("me")
			w.get(n)
			w.op('s')
			w.str("x")
			in()
			w.op('s')
		}},
	})
}

// many pushes more than anybody keeps, and the payload among it.
func (w *writer) many(push func()) {
	n := 60 + w.IntN(100)
	for range n {
		w.op('N')
	}
	push()
	for range w.IntN(5) {
		w.number(w.Int32N(1000))
	}
}

// pairs pushes more keys and values than anybody keeps, and last the payload.
func (w *writer) pairs(push func()) {
	for i := range 30 + w.Int32N(100) {
		w.number(i)
		w.op('N')
	}
	w.str("func")
	push()
}

// oneOf pushes the payload or something else.
func (w *writer) oneOf(payload bool, push func()) {
	if payload {
		push()
	} else {
		w.object(1)
	}
}

// noise does nothing by several means.
func (w *writer) noise() {
	if w.IntN(250) == 0 {
		w.padding()
	}
	for range w.IntN(3) {
		w.one("noise", []way{
			{"object", func(w *writer) { w.object(2); w.op('0') }},
			{"mark", func(w *writer) { w.op('('); w.op('1') }},
			{"mark, POP", func(w *writer) { w.op('('); w.op('0') }},
			{"PROTO", func(w *writer) { w.op(0x80, byte(w.IntN(6))) }},
			{"huge number", func(w *writer) { w.counted(0x8b, 4, long); w.op('0') }},
			{"long string", func(w *writer) { w.counted(0x8d, 8, long+long); w.op('0') }},
			{"bytes", func(w *writer) { w.counted(0x8e, 8, "cos\nsystem\n."); w.op('0') }},
			{"bytearray", func(w *writer) { w.counted(0x96, 8, ".\x80\x04"); w.op('0') }},
			{"buffer", func(w *writer) { w.op(0x97); w.op(0x98); w.op('0') }},
			{"text numbers", func(w *writer) {
				w.line('I', pick(w, []string{" 1", "0x10", "1_0", "+5", "01", "00", "-0"}))
				w.line('L', pick(w, []string{"5L", "5", " 7L", "-1_0L"}))
				w.line('F', pick(w, []string{"1e5", "nan", " 1", "inf", "1_0.5"}))
				w.op('0')
				w.op('0')
				w.op('0')
			}},
			{"empty frame", func(w *writer) { w.op(0x95, make([]byte, 8)...) }},
			{"constants", func(w *writer) { w.op('N'); w.op(0x88); w.op(0x89); w.op(0x87); w.op('0') }},
		})
	}
}

// padding has what follows lie across the end of a buffer.
func (w *writer) padding() {
	size := pick(w, []int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20}) - len(w.b) - w.IntN(300)
	w.one("padding", []way{
		{"bytes", func(w *writer) { w.counted('B', 4, strings.Repeat("c", max(0, size))); w.op('0') }},
		{"opcodes", func(w *writer) {
			for range size / 2 {
				w.op('N')
				w.op('0')
			}
		}},
		{"a line", func(w *writer) { w.line('V', strings.Repeat("o", max(0, size))); w.op('0') }},
		{"an identity", func(w *writer) { w.line('P', strings.Repeat("o", max(0, size))); w.op('0') }},
		{"a number", func(w *writer) {
			w.line(pick(w, []byte{'I', 'L'}), strings.Repeat(" ", max(0, size))+"1")
			w.line('F', strings.Repeat("0", max(0, size)))
			w.op('0')
			w.op('0')
		}},
		{"a memo", func(w *writer) {
			for range size / 6 {
				w.op('K', 7)
				w.op(0x94)
				w.memo[len(w.memo)] = true
				w.op('0')
			}
		}},
	})
}

// frame puts frames around the body, right ones and wrong ones.
func (w *writer) frame() []byte {
	body := len(w.b) - w.body
	cut := func() int { return w.IntN(body + 1) }
	edge := func() int {
		if len(w.ends) == 0 {
			return 0
		}
		return pick(w, w.ends) - w.body
	}
	var out []byte
	w.one("frame", []way{
		{"none", func(w *writer) { out = w.b }},
		{"none", func(w *writer) { out = w.b }},
		{"right", func(w *writer) { out = w.framed([]int{len(w.b)}) }},
		{"two right", func(w *writer) { out = w.framed([]int{w.body + edge(), len(w.b)}) }},
		{"short, at an edge", func(w *writer) { out = w.wrongly(0, edge()) }},
		{"short", func(w *writer) { out = w.wrongly(0, cut()) }},
		{"long", func(w *writer) { out = w.wrongly(0, body+1+w.IntN(40)) }},
		{"huge", func(w *writer) { out = w.wrongly(0, 1<<40) }},
		{"nested", func(w *writer) { w.b = w.wrongly(edge(), cut()); out = w.wrongly(0, cut()) }},
		{"late", func(w *writer) { out = w.wrongly(edge(), cut()) }},
		{"empty", func(w *writer) { out = w.wrongly(edge(), 0) }},
		{"straddled, payload swallowed", func(w *writer) { out = w.straddle() }},
	})
	return out
}

// framed frames the body up to each of the places in turn. An empty frame is
// left out.
func (w *writer) framed(places []int) []byte {
	out := slices.Clone(w.b[:w.body])
	at := w.body
	for _, p := range places {
		if p > at {
			out = append(appendFrame(out, p-at), w.b[at:p]...)
			at = p
		}
	}
	return append(out, w.b[at:]...)
}

// wrongly puts a frame of length bytes at a place in the body.
func (w *writer) wrongly(at, length int) []byte {
	at += w.body
	return slices.Concat(w.b[:at], appendFrame(nil, length), w.b[at:])
}

func appendFrame(b []byte, length int) []byte {
	return binary.LittleEndian.AppendUint64(append(b, 0x95), uint64(length))
}

// straddle ends a frame within the argument of an opcode. Who reads on takes
// the whole body for a string; C's unpickler before 3.13.15, which drops what
// is left of the frame, takes it for opcodes.
func (w *writer) straddle() []byte {
	body := w.b[w.body:]
	head := w.b[:w.body]
	rest := "cos\nsystem\n."
	if w.IntN(2) == 0 {
		rest = "."
	}
	switch w.IntN(3) {
	case 0: // three bytes of a length and one more; the three after it make another
		code := pick(w, []byte{'X', 'B', 'T'})
		inner := append([]byte{0, 0, 0}, body...)
		n := binary.LittleEndian.AppendUint32(nil, uint32(len(inner)))
		return slices.Concat(head, appendFrame(nil, 4), []byte{code}, n[:3], n[3:], inner, []byte("0N"+rest))
	case 1: // two bytes of a number; C reads two further on
		inner := body[:min(len(body), 255)]
		return slices.Concat(head, appendFrame(nil, 3), []byte("J\x00\x00"), []byte{0, 0, 'C', byte(len(inner))}, inner, []byte("0"+rest))
	default: // the first half of a line
		return slices.Concat(head, appendFrame(nil, 4), []byte("Vab"), []byte{}, []byte("c\n"), body)
	}
}
