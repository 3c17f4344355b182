package pickle

import (
	"encoding/binary"
	"math/bits"
)

// exec executes opcodes up to STOP. The opcodes that dense streams consist of
// are executed here, where all they need lies in the window; others, and those
// that do not fit, in slow.
func (m *Machine) exec() error {
	// What changes with each opcode lives in registers between calls.
	var (
		buf         = m.buf
		stack       = m.stack
		p, sp, safe = m.p, m.sp, -1
		lim, since  = m.lim, 0
		start       = m.base - m.start + 1
		op          Op
		off         Value
		fence       = m.fence
	)
	for {
		if p >= safe {
			m.p, m.sp, m.since, m.fence = p, sp, m.since+since, fence
			if err := m.edge(); err != nil {
				return err
			}
			buf, stack, p, sp, safe, lim, since, fence = m.buf, m.stack, m.p, m.sp, m.safe, m.lim, 0, m.fence
			start = m.base - m.start + 1
		}
		op = Op(buf[p])
		off = Value(start+int64(p)) << payload
		since++
		switch op {
		case OpBinint1:
			stack[sp] = Value(Int) | Value(buf[p+1])<<payload
			sp++
			p += 2
			continue
		case OpBinint2:
			stack[sp] = Value(Int) | Value(binary.LittleEndian.Uint16(buf[p+1:]))<<payload
			sp++
			p += 3
			continue
		case OpBinint:
			stack[sp] = small(int64(int32(binary.LittleEndian.Uint32(buf[p+1:]))))
			sp++
			p += 5
			continue
		case OpBinfloat:
			stack[sp] = Value(Float) | off
			sp++
			p += 9
			continue
		case OpShortBinunicode:
			if n := int(buf[p+1]); p+2+n <= lim && ascii(buf[p+2:], n) {
				stack[sp] = Value(Str) | off
				sp++
				p += 2 + n
				continue
			}
		case OpBinunicode:
			if n := int(binary.LittleEndian.Uint32(buf[p+1:])); p+5+n <= lim && ascii(buf[p+5:], n) {
				stack[sp] = Value(Str) | off
				sp++
				p += 5 + n
				continue
			}
		case OpShortBinbytes:
			if n := int(buf[p+1]); p+2+n <= lim {
				stack[sp] = Value(Bytes) | off
				sp++
				p += 2 + n
				continue
			}
		case OpBinbytes:
			if n := int(binary.LittleEndian.Uint32(buf[p+1:])); p+5+n <= lim {
				stack[sp] = Value(Bytes) | off
				sp++
				p += 5 + n
				continue
			}
		case OpNone, OpNewtrue, OpNewfalse, OpEmptyTuple:
			stack[sp] = constants[op]
			sp++
			p++
			continue
		case OpMark:
			m.marks = append(m.marks, int32(sp))
			fence = sp
			p++
			if len(m.marks) <= maxMarks {
				continue
			}
			p--
		case OpTuple1, OpTuple2, OpTuple3:
			if n := int(op) - int(OpTuple1) + 1; sp-fence >= n {
				m.at, m.sp = m.base+int64(p), sp
				v := m.object(Tuple, stack[sp-n:sp])
				sp -= n - 1
				stack[sp-1] = v
				p++
				continue
			}
		case OpTuple:
			if n := len(m.marks); n > 0 && fence < sp && int(m.marks[n-1]) == fence {
				m.at, m.sp = m.base+int64(p), sp
				stack[fence] = m.object(Tuple, stack[fence:sp])
				sp = fence + 1
				fence = m.unmark()
				p++
				continue
			}
		case OpEmptyList, OpEmptyDict, OpEmptySet:
			m.at, m.sp = m.base+int64(p), sp
			stack[sp] = m.object(constants[op].Kind(), nil)
			sp++
			p++
			continue
		case OpAppends, OpSetitems, OpAdditems:
			if n := len(m.marks); n > 0 {
				below := 0
				if n > 1 {
					below = int(m.marks[n-2])
				}
				if fence > below && int(m.marks[n-1]) == fence && stack[fence-1].Kind() == constants[op].Kind() && (op != OpSetitems || (sp-fence)&1 == 0) {
					m.at, m.sp = m.base+int64(p), sp
					m.extend(&stack[fence-1], stack[fence:sp])
					sp = fence
					fence = m.unmark()
					p++
					continue
				}
			}
		case OpAppend:
			if sp-fence >= 2 && stack[sp-2].Kind() == List {
				m.at, m.sp = m.base+int64(p), sp
				m.extend(&stack[sp-2], stack[sp-1:sp])
				sp--
				p++
				continue
			}
		case OpSetitem:
			if sp-fence >= 3 && stack[sp-3].Kind() == Dict {
				m.at, m.sp = m.base+int64(p), sp
				m.extend(&stack[sp-3], stack[sp-2:sp])
				sp -= 2
				p++
				continue
			}
		case OpMemoize, OpBinput, OpLongBinput:
			if sp > fence {
				m.at, m.sp = m.base+int64(p), sp
				i, n := m.memo.count, 1
				switch op {
				case OpBinput:
					i, n = uint64(buf[p+1]), 2
				case OpLongBinput:
					i, n = uint64(binary.LittleEndian.Uint32(buf[p+1:])), 5
				}
				if err := m.put(i, stack[sp-1]); err != nil {
					return err
				}
				p += n
				continue
			}
		case OpBinget, OpLongBinget:
			i, n := uint64(buf[p+1]), 2
			if op == OpLongBinget {
				i, n = uint64(binary.LittleEndian.Uint32(buf[p+1:])), 5
			}
			if v := m.memo.get(i); v != 0 {
				stack[sp] = m.share(v)
				sp++
				p += n
				continue
			}
		case OpPop:
			if sp > fence {
				sp--
				p++
				continue
			}
		}
		m.p, m.sp, m.at, m.fence = p, sp, m.base+int64(p), fence
		if err := m.slow(op); err != nil || m.value != 0 {
			m.since += since
			return err
		}
		// What slow did may have moved everything.
		buf, stack, p, sp, safe, lim, fence = m.buf, m.stack, m.p, m.sp, m.safe, m.lim, m.fence
		start = m.base - m.start + 1
	}
}

// constants are the values of opcodes that push a constant, and the targets of
// those that fill a container.
var constants = [256]Value{
	OpNone: Value(None), OpNewtrue: Value(Bool) | 1<<payload, OpNewfalse: Value(Bool), OpEmptyTuple: Value(Tuple),
	OpEmptyList: Value(List), OpEmptyDict: Value(Dict), OpEmptySet: Value(Set),
	OpAppends: Value(List), OpSetitems: Value(Dict), OpAdditems: Value(Set),
}

// ascii reports whether the first n bytes are ASCII. It may look at 8 more.
func ascii(b []byte, n int) bool {
	const high = 0x8080808080808080
	for ; n > 8; n -= 8 {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
		b = b[8:]
	}
	return n <= 0 || bits.TrailingZeros64(binary.LittleEndian.Uint64(b)&high)>>3 >= n
}

// share notes that a value is held in two places.
func (m *Machine) share(v Value) Value {
	if v&onHeap != 0 {
		m.heap.objects[v.index()].flags |= shared
	} else if k := v.Kind(); k >= List && k <= Set {
		v |= shared
	}
	return v
}
