package adversary

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// global pushes what a name stands for.
func (w *writer) global(t target) {
	if w.faithful {
		w.plainGlobal(t)
		return
	}
	stack := func(w *writer) {
		w.hide(func() { w.str(t.module) })
		w.hide(func() { w.str(t.name) })
		w.op(0x93)
	}
	w.one("name", []way{
		{"GLOBAL", func(w *writer) { w.line('c', t.module, t.name) }},
		{"GLOBAL, CRLF", func(w *writer) { w.op('c', []byte(t.module+"\n"+t.name+"\r\n")...) }},
		{"STACK_GLOBAL", stack},
		{"STACK_GLOBAL", stack},
		{"STACK_GLOBAL of one string twice", func(w *writer) { w.str(t.module); w.op('2'); w.op(0x93) }},
		{"STACK_GLOBAL, decoys before", func(w *writer) { w.decoys(); stack(w) }},
		{"STACK_GLOBAL, decoys between", func(w *writer) {
			w.hide(func() { w.str(t.module) })
			w.decoys()
			w.hide(func() { w.str(t.name) })
			w.decoys()
			w.op(0x93)
		}},
		{"memo", func(w *writer) {
			w.hide(func() { stack(w) })
		}},
		{"DUP, POP", func(w *writer) { stack(w); w.op('2'); w.op('0') }},
	})
}

// plainGlobal pushes a name as Python does, and the second time out of the memo.
func (w *writer) plainGlobal(t target) {
	if slot, ok := w.named[t]; ok {
		w.recall(slot)
		return
	}
	if w.proto < 4 {
		w.line('c', t.module, t.name)
	} else {
		w.str(t.module)
		w.str(t.name)
		w.op(0x93)
	}
	w.named[t] = w.remember()
}

// decoys pushes the strings of a harmless name where a scanner that looks back
// for strings finds them, and takes them away again.
func (w *writer) decoys() {
	t := pick(w, bases)
	push := func() { w.str(t.module); w.str(t.name) }
	w.one("decoys", []way{
		{"POP", func(w *writer) { push(); w.op('0'); w.op('0') }},
		{"POP_MARK", func(w *writer) { w.op('('); push(); w.op('1') }},
		{"tuple", func(w *writer) { push(); w.op(0x86); w.op('0') }},
		{"mark popped", func(w *writer) { w.op('('); w.op('0') }},
		{"in bytes", func(w *writer) { w.counted('C', 1, t.module); w.op('0') }},
	})
}

// hide has what push pushes come to the top by a longer way.
func (w *writer) hide(push func()) {
	w.one("way", []way{
		{"straight", func(*writer) { push() }},
		{"straight", func(*writer) { push() }},
		{"memo", func(w *writer) { push(); n := w.put(); w.op('0'); w.get(n) }},
		{"memo twice", func(w *writer) {
			push()
			n := w.put()
			w.op('0')
			w.get(n)
			m := w.put()
			w.op('0')
			w.get(m)
		}},
		{"slot written over", func(w *writer) {
			n := w.slot()
			w.str(pick(w, bases).name)
			w.putAt(n)
			w.op('0')
			push()
			w.putAt(n)
			w.op('0')
			w.get(n)
		}},
		{"slot written over afterwards", func(w *writer) {
			n := w.slot()
			push()
			w.putAt(n)
			w.op('0')
			w.get(n)
			w.str(pick(w, bases).module)
			w.putAt(n)
			w.op('0')
		}},
		{"DUP", func(w *writer) { push(); w.op('2'); w.op('0') }},
		{"decoy above", func(w *writer) { push(); w.str(pick(w, bases).name); w.op('0') }},
		{"mark above", func(w *writer) { push(); w.op('('); w.str(pick(w, bases).name); w.op('1') }},
	})
}

// slot is a place in the memo that no pickler gets to by itself.
func (w *writer) slot() int { return pick(w, []int{7, 200, 255, 256, 300, 65535, 65536, 99999}) }

// put puts the top into some slot, and returns which.
func (w *writer) put() int {
	if w.IntN(2) == 0 {
		n := len(w.memo)
		w.memo[n] = true
		w.op(0x94)
		return n
	}
	n := w.slot()
	w.putAt(n)
	return n
}

// putAt puts the top into slot n.
func (w *writer) putAt(n int) {
	w.memo[n] = true
	w.indexed(n, 'p', 'q', 'r')
}

// get pushes what is in slot n.
func (w *writer) get(n int) { w.indexed(n, 'g', 'h', 'j') }

// indexed emits one of three forms of an opcode with an index: as a line in one
// of the forms that int() reads, as a byte, or as four.
func (w *writer) indexed(n int, line, short, long byte) {
	switch form := w.IntN(6); {
	case form == 0:
		w.line(line, fmt.Sprintf(pick(w, []string{"%d", "00%d", "+%d", " %d", "%d ", "%d\r"}), n))
	case form < 3 && n < 256:
		w.op(short, byte(n))
	case form < 5:
		w.op(long, binary.LittleEndian.AppendUint32(nil, uint32(n))...)
	default:
		w.line(line, fmt.Sprint(n))
	}
}

// persistent pushes an object that the program which loads is asked for.
func (w *writer) persistent(t target) {
	w.one("persistent", []way{
		{"PERSID", func(w *writer) { w.line('P', strings.Join([]string{t.module, t.name}, ".")) }},
		{"BINPERSID", func(w *writer) { w.str(t.module); w.str(t.name); w.op(0x86); w.op('Q') }},
	})
}
