package pickle

import (
	"encoding/binary"
	"math"
)

// slow executes an opcode that exec did not. The opcode lies in the window with
// its fixed bytes.
func (m *Machine) slow(op Op) error {
	m.op = op
	switch op {
	case OpBinunicode, OpShortBinunicode, OpBinunicode8:
		return m.text(op)
	case OpBinbytes, OpShortBinbytes, OpBinbytes8, OpBytearray8, OpBinstring, OpShortBinstring, OpLong1, OpLong4:
		return m.bytes(op)
	case OpInt, OpLong, OpFloat, OpGet, OpPut:
		return m.numeral(op)
	case OpString, OpUnicode:
		return m.quoted(op)
	case OpGlobal, OpInst:
		return m.global(op)
	case OpPersid:
		return m.persid()
	case OpExt1, OpExt2, OpExt4:
		return m.extension(op)
	case OpProto:
		return m.protocol()
	case OpFrame:
		return m.openFrame()
	}
	if fixed[op] == 0 {
		m.p++
	}
	return m.bare(op)
}

// bare executes an opcode that is a single byte.
func (m *Machine) bare(op Op) error {
	switch op {
	case OpTuple, OpList, OpDict, OpFrozenset:
		return m.build(op)
	case OpAppend, OpAppends, OpSetitem, OpSetitems, OpAdditems:
		return m.fill(op)
	case OpReduce, OpNewobj, OpNewobjEx, OpObj:
		return m.call(op)
	case OpBuild:
		return m.state()
	case OpStackGlobal:
		return m.stackGlobal()
	case OpBinpersid:
		return m.binpersid()
	case OpStop:
		return m.stop()
	}
	return m.shuffle(op)
}

// shuffle executes what moves values about.
func (m *Machine) shuffle(op Op) error {
	switch op {
	case OpPop:
		if m.sp > m.fence {
			m.sp--
			return nil
		}
		if m.hiding() {
			return m.beneath("")
		}
		_, err := m.above()
		return err
	case OpPopMark:
		items, err := m.above()
		m.sp -= len(items)
		return err
	case OpDup:
		top, err := m.top(1)
		if err == nil {
			top[0] = m.share(top[0])
			m.push(top[0])
		}
		return err
	case OpNextBuffer:
		m.push(Value(Buffer) | impure)
		return nil
	case OpReadonlyBuffer:
		top, err := m.top(1)
		if k := None; err == nil {
			if k = top[0].Kind(); k != Bytes && k != ByteArray && k != Buffer && k != Str8 && !k.opaque() {
				return m.broken("READONLY_BUFFER of a %s", k)
			}
		}
		return err
	case OpMark:
		return m.exceeded("more than %d marks lie on the stack", maxMarks)
	case OpMemoize, OpBinput, OpLongBinput, OpTuple1, OpTuple2, OpTuple3:
		return m.broken("the stack is empty before %s", op)
	case OpBinget, OpLongBinget:
		return m.broken("the memo has no value of this number")
	}
	return m.broken("byte 0x%02x is no opcode", byte(op))
}

// build makes a container of what lies above the mark.
func (m *Machine) build(op Op) error {
	items, err := m.above()
	if err != nil {
		return err
	}
	kind := map[Op]Kind{OpTuple: Tuple, OpList: List, OpDict: Dict, OpFrozenset: FrozenSet}[op]
	if op == OpDict && (len(items)+m.gone.count)%2 != 0 {
		return m.broken("an odd number of items for DICT")
	}
	v := m.object(kind, items)
	m.sp -= len(items)
	m.push(v)
	m.add(m.gone)
	return nil
}

// fill adds to a container.
func (m *Machine) fill(op Op) error {
	var items []Value
	var err error
	m.gone = hidden{}
	switch op {
	case OpAppend:
		items, err = m.top(2)
	case OpSetitem:
		items, err = m.top(3)
	default:
		if items, err = m.above(); err == nil && m.sp-len(items)-1 < m.fence {
			err = m.broken("the stack is empty before %s", op)
		}
		if err == nil {
			items = m.stack[m.sp-len(items)-1 : m.sp]
		}
	}
	if err != nil {
		return err
	}
	target, items := items[0], items[1:]
	if m.gone.count > 0 && target.Kind().opaque() {
		return m.exceeded("%s adds more than %d values", op, m.gone.count)
	}
	m.sp -= len(items)
	kinds := map[Op]Kind{OpAppend: List, OpAppends: List, OpSetitem: Dict, OpSetitems: Dict, OpAdditems: Set}
	odd := op == OpSetitems && (len(items)+m.gone.count)%2 != 0
	if target.Kind() == kinds[op] && !odd {
		m.sp += len(items) // they stay until they are taken over
		m.extend(&m.stack[m.sp-len(items)-1], items)
		m.sp -= len(items)
		m.add(m.gone)
		return nil
	}
	if !takes(target.Kind(), op) && !odd {
		if len(items) == 0 {
			return m.diverge("nothing is added to a value that does not take any: some unpicklers do not look")
		}
		return m.broken("%s on a %s", op, target.Kind())
	}
	if target.Kind() == List && len(items) > 0 {
		m.overwrite(&m.stack[m.sp-1], items)
		target = m.stack[m.sp-1]
	}
	if !m.muted(target) {
		if err := m.v.Extend(m, m.event(op), target, items); err != nil {
			return err
		}
	}
	if odd {
		return m.broken("an odd number of items for SETITEMS")
	}
	return nil
}

// takes reports whether a value that is no plain target of an opcode may take
// what it adds. Items of lists and bytearrays can be set.
func takes(k Kind, op Op) bool {
	switch {
	case k == List:
		return op == OpSetitem || op == OpSetitems
	case k == ByteArray:
		return op != OpAdditems
	}
	return k.opaque()
}

// text pushes a Str of counted bytes.
func (m *Machine) text(op Op) error {
	off, n, err := m.sized(op)
	if err != nil {
		return err
	}
	if err := m.utf8(off, n); err != nil {
		return err
	}
	m.push(m.written(Str))
	return m.skip(off, n)
}

// bytes pushes what consists of counted bytes and needs no look at them.
func (m *Machine) bytes(op Op) error {
	size := uint32(0)
	if fixed[op] == 4 {
		size = binary.LittleEndian.Uint32(m.buf[m.p+1:])
	}
	if op == OpLong4 && size > math.MaxInt32 {
		return m.broken("LONG4 has a negative length")
	}
	if op == OpBinstring && size > math.MaxInt32 {
		if err := m.diverge("BINSTRING has a length that some unpicklers take as negative"); err != nil {
			return err
		}
	}
	off, n, err := m.sized(op)
	if err != nil {
		return err
	}
	switch op {
	case OpBytearray8:
		m.push(m.written(ByteArray))
	case OpBinstring, OpShortBinstring:
		m.push(m.written(Str8))
	case OpLong1, OpLong4:
		return m.long(off, n)
	default:
		m.push(m.written(Bytes))
	}
	return m.skip(off, n)
}

// long pushes an integer of n little-endian bytes.
func (m *Machine) long(off, n int64) error {
	if n > 8 {
		m.push(m.written(Long))
		return m.skip(off, n)
	}
	var raw [8]byte
	if _, err := m.view.ReadAt(raw[:n], off); err != nil && n > 0 {
		return err
	}
	x := int64(littleEndian(raw[:], int(n)))
	if n > 0 {
		x = x << (64 - 8*n) >> (64 - 8*n)
	}
	m.push(m.integer(x))
	return m.skip(off, n)
}

func (m *Machine) protocol() error {
	m.proto = int(m.buf[m.p+1])
	m.highest = max(m.highest, m.proto)
	m.p += 2
	if m.proto > 5 {
		return m.diverge("PROTO above 5: CPython stops, PyTorch's weights-only unpickler does not")
	}
	return nil
}

func (m *Machine) stop() error {
	top, err := m.top(1)
	if err != nil {
		return err
	}
	if m.frame != noFrame && m.frame > m.at+1 {
		if err := m.diverge("STOP lies before the end of its frame: where the next stream begins depends on the unpickler"); err != nil {
			return err
		}
	}
	m.value = top[0]
	m.sp--
	return nil
}
