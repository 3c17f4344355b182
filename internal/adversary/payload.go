package adversary

import "encoding/binary"

// payload pushes one object, and reaches code or changes some on the way.
func (w *writer) payload() {
	t := pick(w, commands)
	if w.IntN(3) == 0 {
		t = pick(w, strangers)
		w.chose("target", "stranger")
	}
	switch kind := w.IntN(17); {
	case kind == 0:
		w.one("changes", changes)
	case kind == 1:
		w.one("code", extensions)
	case kind == 2:
		w.chose("reached", "pickle in bytes")
		w.inBytes(t)
	case kind == 3:
		w.inline(t)
	case kind < 7:
		w.gadget(t)
	case kind == 7:
		w.chose("reached", "INST")
		w.op('(')
		w.arguments()
		w.line('i', t.module, t.name)
	default:
		w.call(func() { w.hide(func() { w.global(t) }) })
	}
	w.aftermath()
}

// arguments pushes up to three of anything.
func (w *writer) arguments() {
	for range w.IntN(4) {
		w.object(1)
	}
}

// call uses what push pushes in one of the ways that a pickle has.
func (w *writer) call(push func()) {
	args := func(w *writer) { w.op('('); w.arguments(); w.op('t') }
	w.one("called", []way{
		{"not at all", func(w *writer) { push() }},
		{"REDUCE", func(w *writer) { push(); args(w); w.op('R') }},
		{"REDUCE", func(w *writer) { push(); w.str("x"); w.op(0x85); w.op('R') }},
		{"REDUCE of nothing", func(w *writer) { push(); w.op(')'); w.op('R') }},
		{"REDUCE, hidden arguments", func(w *writer) { push(); w.hide(func() { args(w) }); w.op('R') }},
		{"OBJ", func(w *writer) { w.op('('); push(); w.arguments(); w.op('o') }},
		{"NEWOBJ", func(w *writer) { push(); args(w); w.op(0x81) }},
		{"NEWOBJ_EX", func(w *writer) {
			push()
			args(w)
			w.op('}')
			w.str("k")
			w.op('N')
			w.op('s')
			w.op(0x92)
		}},
		{"BUILD", func(w *writer) {
			push()
			w.op('}')
			w.str("x")
			w.str("y")
			w.op('s')
			w.op('b')
		}},
		{"APPEND", func(w *writer) { push(); w.str("x"); w.op('a') }},
		{"persistent", func(w *writer) { push(); w.persistent(pick(w, commands)); w.op(0x85); w.op('R') }},
		{"in a set", func(w *writer) { w.op(0x8f); w.op('('); push(); w.op(0x90) }},
		{"as a key", func(w *writer) { w.op('}'); push(); w.op('N'); w.op('s') }},
	})
}

// aftermath does something to the object on top, which must be left there.
func (w *writer) aftermath() {
	if w.IntN(3) > 0 {
		return
	}
	state := func(w *writer) { w.op('}'); w.str("a"); w.object(1); w.op('s') }
	w.one("then", []way{
		{"BUILD", func(w *writer) { state(w); w.op('b') }},
		{"BUILD, slots", func(w *writer) { w.op('N'); state(w); w.op(0x86); w.op('b') }},
		{"BUILD, a list", func(w *writer) { w.op(']'); w.op('b') }},
		{"APPEND", func(w *writer) { w.object(1); w.op('a') }},
		{"APPENDS", func(w *writer) { w.op('('); w.object(1); w.op('e') }},
		{"SETITEM", func(w *writer) { w.str("k"); w.object(1); w.op('s') }},
		{"SETITEMS", func(w *writer) { w.op('('); w.str("k"); w.object(1); w.op('u') }},
		{"ADDITEMS", func(w *writer) { w.op('('); w.str("k"); w.op(0x90) }},
		{"REDUCE of it", func(w *writer) { w.op(')'); w.op('R') }},
		{"a mark above it", func(w *writer) { w.op('('); w.op('0') }},
	})
}

// changes set attributes of functions and classes that honest files name.
var changes = func() []way {
	state := func(w *writer) {
		w.op('}')
		w.str(pick(w, []string{"a", "shape", "__code__", "__globals__", "__init__", "__setstate__", "fromkeys"}))
		w.str("os")
		w.op('s')
	}
	base := func(w *writer) { w.hide(func() { w.global(pick(w, bases)) }) }
	return []way{
		{"BUILD", func(w *writer) { base(w); state(w); w.op('b') }},
		{"BUILD, slots", func(w *writer) { base(w); w.op('N'); state(w); w.op(0x86); w.op('b') }},
		{"BUILD, both", func(w *writer) { base(w); state(w); state(w); w.op(0x86); w.op('b') }},
		{"SETITEM", func(w *writer) { base(w); w.str("k"); w.str("v"); w.op('s') }},
		{"SETITEMS", func(w *writer) { base(w); w.op('('); w.str("k"); w.str("v"); w.op('u') }},
		{"APPEND", func(w *writer) { base(w); w.str("v"); w.op('a') }},
		{"APPENDS", func(w *writer) { base(w); w.op('('); w.str("v"); w.op('e') }},
		{"ADDITEMS", func(w *writer) { base(w); w.op('('); w.str("v"); w.op(0x90) }},
		{"out of the memo", func(w *writer) {
			base(w)
			n := w.put()
			w.op('0')
			w.op(']')
			w.get(n)
			w.op('N')
			state(w)
			w.op(0x86)
			w.op('b')
			w.op('a')
		}},
	}
}()

// extensions name code by a number that other code has registered.
var extensions = []way{
	{"EXT1", func(w *writer) { w.op(0x82, pick(w, []byte{1, 200, 9})) }},
	{"EXT2", func(w *writer) { w.op(0x83, binary.LittleEndian.AppendUint16(nil, pick(w, []uint16{1, 300, 301}))...) }},
	{"EXT4", func(w *writer) {
		w.op(0x84, binary.LittleEndian.AppendUint32(nil, pick(w, []uint32{1, 70000, 1 << 31}))...)
	}},
	{"EXT1, called", func(w *writer) { w.op(0x82, 1); w.str("x"); w.op(0x85); w.op('R') }},
	{"EXT4, called", func(w *writer) { w.op('('); w.op(0x84, 0x70, 0x11, 1, 0); w.str("x"); w.op('o') }},
}

// gadget hands a name to harmless code that may call it or keep it.
func (w *writer) gadget(t target) {
	name := func(w *writer) { w.hide(func() { w.global(t) }) }
	reduce := func(w *writer, by target, args ...func()) { w.global(by); w.tuple(args...); w.op('R') }
	w.one("gadget", []way{
		{"defaultdict", func(w *writer) { reduce(w, target{"collections", "defaultdict"}, func() { name(w) }) }},
		{"_reconstructor", func(w *writer) {
			reduce(w, target{"copyreg", "_reconstructor"}, func() { name(w) }, func() { w.global(target{"builtins", "object"}) }, func() { w.op('N') })
		}},
		{"_reconstructor's base", func(w *writer) {
			reduce(w, target{"copyreg", "_reconstructor"}, func() { w.global(pick(w, bases)) }, func() { name(w) }, func() { w.object(1) })
		}},
		{"_reconstruct", func(w *writer) {
			reduce(w, target{"numpy.core.multiarray", "_reconstruct"}, func() { name(w) }, func() { w.tuple(func() { w.number(0) }) }, func() { w.str("b") })
		}},
		{"_codecs.encode", func(w *writer) {
			reduce(w, target{"_codecs", "encode"}, func() { name(w) }, func() { w.str("latin1") })
		}},
		{"estimator", func(w *writer) {
			w.global(pick(w, estimators).target)
			w.op(')')
			w.op(0x81)
			w.op('}')
			w.str("func")
			name(w)
			w.op('s')
			w.op('b')
		}},
		{"tensor", func(w *writer) {
			reduce(w, target{"torch._utils", "_rebuild_tensor_v2"}, func() { name(w) }, func() { w.number(0) }, func() { w.tuple() })
		}},
		{"one argument of many", func(w *writer) {
			w.global(pick(w, bases))
			w.op('(')
			w.many(func() { name(w) })
			w.op('t')
			w.op('R')
		}},
		{"dtype", func(w *writer) { reduce(w, target{"numpy", "dtype"}, func() { name(w) }) }},
		{"OrderedDict", func(w *writer) {
			reduce(w, target{"collections", "OrderedDict"}, func() { w.op(']'); w.str("k"); w.op('a'); name(w); w.op('a') })
		}},
	})
}

// inBytes gives torch bytes that hold another pickle.
func (w *writer) inBytes(t target) {
	inner := &writer{Rand: w.Rand, memo: map[int]bool{}, named: map[target]int{}, proto: w.proto}
	inner.header()
	inner.call(func() { inner.global(t) })
	inner.op('.')
	w.global(target{"torch.storage", "_load_from_bytes"})
	w.counted('B', 4, string(inner.b))
	w.op(0x85)
	w.op('R')
}
