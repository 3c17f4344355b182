package pickle

import (
	"fmt"
	"strconv"
)

// A walker goes through opcodes without executing them.
type walker struct {
	m        *Machine
	off, end int64
	argOff   int64 // of the last opcode's argument: the bytes that can be shown
	argLen   int64
	most     int64 // bytes of a line; 0: any
	long     bool  // a line was longer
}

// next returns the opcode at the walker's place and goes behind it. For GLOBAL
// and INST it returns the names, with a dot between them.
func (w *walker) next() (op Op, line string, ok bool) {
	b, err := w.bytes(1)
	if err != nil {
		return 0, "", false
	}
	op = Op(b[0])
	if op.String() == unknown {
		return op, "", false
	}
	w.off++
	switch width := int(fixed[op]); {
	case lineOps[op] > 0:
		w.argOff = w.off
		for i := range int(lineOps[op]) {
			part, ok := w.line()
			if !ok {
				return op, "", false
			}
			if i > 0 {
				line += "."
			}
			line += part
		}
		w.argLen = w.off - w.argOff - 1
	case width > 0:
		if b, err = w.bytes(width); err != nil {
			return op, "", false
		}
		w.argOff, w.argLen = w.off, int64(width)
		w.off += int64(width)
		if sizedOps[op] {
			n := littleEndian(b, width)
			if n > uint64(w.end-w.off) {
				return op, "", false
			}
			w.argOff, w.argLen = w.off, int64(n)
			w.off += int64(n)
		}
	default:
		w.argOff, w.argLen = w.off, 0
	}
	return op, line, true
}

func (w *walker) bytes(n int) ([]byte, error) {
	if int64(n) > w.end-w.off {
		return nil, w.m.broken("the stream ends")
	}
	return w.m.bytesAt(w.off, n)
}

// line goes behind a line and returns it if it is no longer than a piece.
func (w *walker) line() (string, bool) {
	text, whole := "", true
	for w.off < w.end {
		b, err := w.m.bytesAt(w.off, int(min(w.end-w.off, piece)))
		if err != nil {
			return "", false
		}
		n := indexNewline(b)
		if n == len(b) && w.most > 0 {
			w.long = w.end-w.off > w.most
			return "", false
		}
		if whole = whole && n < len(b); whole {
			text = string(b[:n])
		}
		if w.off += int64(n); n < len(b) {
			w.off++
			return text, true
		}
	}
	return "", false
}

// lineOps are how many lines follow an opcode.
var lineOps = [256]uint8{
	OpInt: 1, OpLong: 1, OpString: 1, OpUnicode: 1, OpFloat: 1, OpGet: 1, OpPut: 1, OpGlobal: 2, OpInst: 2, OpPersid: 1,
}

// sizedOps are followed by a length and so many bytes.
var sizedOps = [256]bool{
	OpBinstring: true, OpShortBinstring: true, OpBinunicode: true, OpLong1: true, OpLong4: true, OpBinbytes: true,
	OpShortBinbytes: true, OpShortBinunicode: true, OpBinunicode8: true, OpBinbytes8: true, OpBytearray8: true,
}

// Trace lists up to before opcodes before the current one, it, and up to after
// opcodes behind it, one a line, with their offsets and the beginnings of their
// arguments. It may be called by a Visitor and after Run.
func (m *Machine) Trace(before, after int) []string {
	op, scratch := m.op, m.scratch
	m.scratch = nil // a name that is looked up lies there
	defer func() { m.op, m.scratch = op, scratch }()
	from := m.check[1]
	if from > m.at {
		from = m.at
	}
	w := walker{m: m, off: from, end: m.end}
	var lines []string
	for behind := 0; behind <= after; {
		off := w.off
		op, _, ok := w.next()
		mark := "  "
		switch {
		case off == m.at:
			mark = "> "
		case off > m.at:
			behind++
		}
		if off == m.at || ok && behind <= after {
			lines = append(lines, mark+w.show(off, op, ok))
		}
		if off <= m.at && len(lines) > before+1 {
			lines = lines[1:]
		}
		if !ok || op == OpStop && off >= m.at {
			break
		}
		if off < m.at && w.off > m.at { // data was left out on the way
			w.off = m.at
		}
	}
	return lines
}

// show is one line of a trace.
func (w *walker) show(off int64, op Op, ok bool) string {
	text := fmt.Sprintf("%8d: %s", w.m.place(off), op)
	if op == 0 || !ok || w.argLen == 0 {
		return text
	}
	const most = 40
	b, err := w.m.bytesAt(w.argOff, int(min(w.argLen, most)))
	if err != nil {
		return text
	}
	if fixed[op] > 0 && !sizedOps[op] && op != OpBinfloat {
		n := littleEndian(b, int(fixed[op]))
		if op == OpBinint || op == OpExt4 {
			return fmt.Sprintf("%s %d", text, int32(n))
		}
		return fmt.Sprintf("%s %d", text, n)
	}
	text += " " + strconv.QuoteToASCII(string(b))
	if w.argLen > most {
		text += fmt.Sprintf("… (%d bytes)", w.argLen)
	}
	return text
}
