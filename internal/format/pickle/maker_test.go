package pickle

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// A maker makes random streams that mostly keep to the rules.
type maker struct {
	*rand.Rand
	out    []byte
	depth  []int // values above each mark
	memo   int
	frames bool
	calm   bool // no mistakes are made on purpose
}

func newMaker(r *rand.Rand) *maker {
	return &maker{Rand: r, depth: []int{0}, frames: r.IntN(3) == 0, calm: r.IntN(2) == 0}
}

func (m *maker) top() *int { return &m.depth[len(m.depth)-1] }

func (m *maker) op(op Op, format string, args ...any) {
	m.out = append(m.out, byte(op))
	m.out = append(m.out, fmt.Sprintf(format, args...)...)
}

// pick picks a word, mostly one of the first two, which are right.
func (m *maker) pick(words ...string) string {
	if m.calm || m.IntN(12) > 0 {
		return words[m.IntN(min(2, len(words)))]
	}
	return words[m.IntN(len(words))]
}

var makerNames = []string{"os", "system", "a.b", "é", "x", "collections", "OrderedDict", "n\x00m"}

// sized writes an opcode with a length and its bytes.
func (m *maker) sized(op Op, s string) {
	m.out = append(m.out, byte(op))
	width := int(fixed[op])
	n := uint64(len(s))
	if !m.calm && m.IntN(60) == 0 {
		n += uint64(m.IntN(5)) << (8 * m.IntN(width))
	}
	m.out = append(m.out, binary.LittleEndian.AppendUint64(nil, n)[:width]...)
	m.out = append(m.out, s...)
}

// most is how many of a list may be taken.
func (m *maker) most(calm, all int) int {
	if m.calm {
		return calm
	}
	return all
}

func (m *maker) text() {
	s := m.pick(makerNames...)
	switch m.IntN(9) {
	case 0:
		m.op(OpString, "%s\n", m.pick("'os'", `"system"`, `'\x6fs'`, `'o\163'`, `'\'`, `'\\'`, `'`, "os", `'a"`, `'\xe9'`, `'\x6'`))
	case 1:
		m.op(OpUnicode, "%s\n", m.pick("os", "", `\u006fs`, `\\u0041`, `\U0000006fs`, `\u00e`, "\xe9", `\`, `\ud800`, `\U00110000`))
	case 2:
		m.sized(OpBinstring, s)
	case 3:
		m.sized(OpShortBinstring, s)
	case 4:
		m.sized(OpBinunicode, s)
	case 5:
		m.sized(OpBinunicode8, s)
	default:
		m.sized(OpShortBinunicode, m.pick(append(makerNames[:8:8], "\xed\xa0\x80", "\xff", "\xc3")...))
	}
	*m.top()++
}

func (m *maker) number() {
	switch m.IntN(8) {
	case 0:
		m.op(OpInt, "%s\n", m.pick("1", "01", "00", " 5", "010", "0x1F", "+0", "-0", "", "1_0", "0b1", "5\x00z", " 010", "-010", "0_7", "00_0", "\x00", "+1\x00", "08", "007 ", "\t1", "0o17", "99999999999999999999", "1L", " 1", "7 "))
	case 1:
		m.op(OpLong, "%s\n", m.pick("1L", "5", "0x1fL", "010L", "", "L", "123456789012345678901234567890L", " 4L", "1_1L", "00L"))
	case 2:
		m.op(OpFloat, "%s\n", m.pick("1.5", "nan", " 1", "-inf", "1e999", "1_0.5", "", "0x1p4", "-nan", "+inf", "1__0", "1e5 ", "1.", ".5", "Infinity", "1e", "1\x00"))
	case 3:
		m.sized(OpLong1, m.pick("", "\x01", "\xff\xff", "12345678", "123456789"))
	case 4:
		m.sized(OpLong4, m.pick("", "\x01", "1234567890"))
	case 5:
		m.op(OpBinfloat, "%s", "12345678")
	case 6:
		m.op(OpBinint, "\x01\x02\x03%c", m.IntN(127))
	default:
		m.op(OpBinint1, "%c", m.IntN(127))
	}
	*m.top()++
}

func (m *maker) constant() {
	ops := []Op{OpNone, OpNewtrue, OpNewfalse, OpEmptyTuple, OpEmptyTuple, OpEmptyList, OpEmptyDict, OpEmptySet, OpNextBuffer}
	m.op(ops[m.IntN(len(ops))], "")
	*m.top()++
}

// global pushes a name, one way or the other.
func (m *maker) global() {
	switch m.IntN(6) {
	case 0:
		m.op(OpGlobal, "%s\n%s\n", m.pick(makerNames...), m.pick(append(makerNames[:8:8], "", "\xff")...))
	case 1:
		m.op(OpExt1, "%c", 1+m.IntN(4))
	case 2:
		m.op(OpExt2, "%c%c", m.IntN(3), m.IntN(2))
	case 3:
		m.op(OpExt4, "%c%c\x00%s", m.IntN(3), m.IntN(2), m.pick("\x00", "\x80"))
	default:
		m.text()
		m.text()
		m.op(OpStackGlobal, "")
		*m.top()--
		return // one of the texts counts for it
	}
	*m.top()++
}

// call calls something that is pushed before.
func (m *maker) call() {
	m.global()
	switch m.IntN(7) {
	case 0:
		m.op(OpMark, "")
		m.op(OpInst, "%s\n%s\n", m.pick(makerNames...), m.pick(makerNames...))
		*m.top()++
	case 1:
		*m.top()--
		m.op(OpMark, "")
		m.global()
		*m.top()--
		m.op(OpObj, "")
		*m.top()++
	case 3: // an item of a list is set
		m.out = append(m.out, "0](K\x01K\x02eK\x00"...)
		m.global()
		*m.top()--
		m.op(OpSetitem, "")
	case 2:
		m.op(Op(m.pick(")", ")", "]", "}")[0]), "")
		m.op(OpEmptyDict, "")
		m.op(OpNewobjEx, "")
	default:
		m.op(Op(m.pick(")", ")", ")", "]", "}", "N")[0]), "")
		m.op(Op(m.pick("R", "\x81")[0]), "")
	}
}

func (m *maker) memos() {
	k := m.IntN(8)
	if *m.top() <= 0 && (k != 1 && k != 4 && k != 5 || m.memo == 0) {
		return
	}
	switch k {
	case 0:
		m.op(OpPut, "%s\n", m.pick("0", "1", " 2", "007", "-1", "5\x00", "1_0", "99999999999999999999", "", "300", "9999999"))
		m.memo++
	case 1:
		m.op(OpGet, "%s\n", m.pick("0", "0", "1", "2 ", "7", "-1", "10", "99999999999999999999", "300"))
		*m.top()++
	case 2:
		m.op(OpBinput, "%c", m.IntN(m.memo+2))
		m.memo++
	case 3:
		m.op(OpLongBinput, "%c\x00%c\x00", m.IntN(m.memo+2), m.IntN(40)/39)
		m.memo++
	case 4:
		m.op(OpLongBinget, "%c\x00\x00\x00", m.IntN(max(m.memo, 1)))
		*m.top()++
	case 5:
		m.op(OpBinget, "%c", m.IntN(max(m.memo, 1)))
		*m.top()++
	default:
		m.op(OpMemoize, "")
		m.memo++
	}
}

// shape makes containers, fills them and moves values about.
func (m *maker) shape() {
	n := *m.top()
	switch k := m.IntN(12); {
	case k < 3:
		m.op(OpMark, "")
		m.depth = append(m.depth, 0)
	case k < 7 && len(m.depth) > 1:
		ops := []Op{OpTuple, OpTuple, OpList, OpPopMark, OpDict, OpFrozenset, OpAppends, OpSetitems, OpAdditems, OpObj}
		if m.calm {
			ops = ops[:4]
		}
		op := ops[m.IntN(len(ops))]
		m.op(op, "")
		m.depth = m.depth[:len(m.depth)-1]
		if op != OpPopMark && op != OpAppends && op != OpSetitems && op != OpAdditems {
			*m.top()++
		}
	case k == 7 && n >= 1:
		m.op(Op("2200\x85\x85\x85\x98Q"[m.IntN(m.most(7, 9))]), "")
		switch m.out[len(m.out)-1] {
		case '2':
			*m.top()++
		case '0':
			*m.top()--
		}
	case k < 10 && n >= 2:
		m.op(Op("\x86\x86\x86aabbR\x81\x93"[m.IntN(m.most(3, 10))]), "")
		*m.top()--
	case n >= 3:
		m.op(Op("\x87\x87s\x92"[m.IntN(m.most(2, 4))]), "")
		*m.top() -= 2
	default:
		m.op(OpPersid, "%s\n", m.pick(makerNames...))
		*m.top()++
	}
}

// frame begins a frame, whose length is often wrong.
func (m *maker) frame() {
	n := uint64(m.IntN(40))
	if m.IntN(30) == 0 {
		n = m.Uint64() >> m.IntN(64)
	}
	m.out = binary.LittleEndian.AppendUint64(append(m.out, byte(OpFrame)), n)
}

func (m *maker) stream() []byte {
	if m.IntN(2) == 0 {
		m.op(OpProto, "%c", m.IntN(6))
	}
	if m.IntN(4) == 0 { // something to call and to fill is on the stack
		m.global()
	}
	for range 2 + m.IntN(16) {
		if m.frames && m.IntN(6) == 0 {
			m.frame()
		}
		switch m.IntN(12) {
		case 0, 1:
			m.text()
		case 2:
			m.number()
		case 3:
			m.constant()
		case 4:
			m.sized([]Op{OpBinbytes, OpShortBinbytes, OpBinbytes8, OpBytearray8}[m.IntN(4)], m.pick(makerNames...))
			*m.top()++
		case 5, 6:
			m.global()
		case 7, 8:
			m.call()
		case 9:
			m.memos()
		default:
			m.shape()
		}
	}
	if *m.top() <= 0 {
		m.constant()
	}
	if m.IntN(20) > 0 {
		m.op(OpStop, "")
	}
	return m.out
}

// mutate changes a few bytes.
func mutate(r *rand.Rand, data []byte) []byte {
	data = append([]byte(nil), data...)
	for range 1 + r.IntN(3) {
		if len(data) == 0 {
			return data
		}
		i, j := r.IntN(len(data)), r.IntN(len(data))
		switch r.IntN(6) {
		case 0:
			data[i] = byte(r.IntN(256))
		case 1:
			data = append(data[:i:i], data[i+1:]...)
		case 2:
			data = append(data[:i:i], append([]byte{[]byte("(0.Rc\n\x93\x95\x94h")[r.IntN(10)]}, data[i:]...)...)
		case 3:
			data = data[:i]
		case 4:
			i, j = min(i, j), max(i, j)
			data = append(data[:j:j], append(append([]byte(nil), data[i:j]...), data[j:]...)...)
		case 5:
			data[i], data[j] = data[j], data[i]
		}
	}
	return data
}

func newRand(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) }
