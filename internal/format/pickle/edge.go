package pickle

import "bytes"

// fixed is how many bytes follow an opcode in any case.
var fixed = [256]uint8{
	OpBinint: 4, OpBinint1: 1, OpBinint2: 2, OpBinstring: 4, OpShortBinstring: 1, OpBinunicode: 4, OpBinfloat: 8,
	OpBinget: 1, OpLongBinget: 4, OpBinput: 1, OpLongBinput: 4, OpLong1: 1, OpLong4: 4, OpProto: 1, OpExt1: 1, OpExt2: 2,
	OpExt4: 4, OpBinbytes: 4, OpShortBinbytes: 1, OpFrame: 8, OpShortBinunicode: 1, OpBinunicode8: 8, OpBinbytes8: 8,
	OpBytearray8: 8,
}

// edge is called before an opcode that may not lie in the window with all its
// fixed bytes, that may leave its frame, or before which a Step is due. After it
// the opcode may be executed.
func (m *Machine) edge() error {
	m.at = m.base + int64(m.p)
	if m.at >= m.next {
		m.check = [2]int64{m.at, m.check[0]}
		m.next = m.at + stride
		n := m.since
		m.ops += int64(n)
		m.since = 0
		if err := m.v.Step(n); err != nil {
			return err
		}
	}
	if err := m.grow(); err != nil {
		return err
	}
	if m.at == m.frame {
		m.frame = noFrame
	}
	if m.at >= m.end {
		return m.broken("the stream ends without a STOP")
	}
	if m.loaded-m.p < slack && m.base+int64(m.loaded) < m.end {
		if err := m.load(m.at); err != nil {
			return err
		}
	}
	m.limits()
	m.op = Op(m.buf[m.p])
	if need := int64(fixed[m.op]); need > 0 {
		return m.reach(m.at+1, need)
	}
	return nil
}

// reach checks that a part of an opcode lies before the end of the stream, and
// within the frame if it does not begin behind it.
func (m *Machine) reach(off, n int64) error {
	if off > m.end || n > m.end-off {
		return m.broken("the stream ends within %s", m.op)
	}
	if off == m.frame {
		m.frame = noFrame
		m.limits()
	}
	if n > 0 && m.frame < off+n {
		if err := m.straddle(off); err != nil {
			return err
		}
		return m.reach(off, n) // there may be less to read now
	}
	return nil
}

// sized is the length of the bytes that follow an opcode and where they begin,
// after checks. They need not lie in the window.
func (m *Machine) sized(op Op) (off, n int64, err error) {
	for {
		width := int(fixed[op])
		size := littleEndian(m.buf[m.p+1:], width)
		off = m.at + 1 + int64(width)
		if size > uint64(m.end-off) {
			return 0, 0, m.broken("%s claims more bytes than remain", op)
		}
		gaps := len(m.gaps)
		if err = m.reach(off, int64(size)); err != nil || len(m.gaps) == gaps {
			return off, int64(size), err
		}
	}
}

func littleEndian(b []byte, width int) uint64 {
	var x uint64
	for i := range width {
		x |= uint64(b[i]) << (8 * i)
	}
	return x
}

// skip moves behind n bytes from off on.
func (m *Machine) skip(off, n int64) error {
	if to := off + n; to <= m.base+int64(m.loaded) {
		m.p = int(to - m.base)
		return nil
	}
	return m.load(off + n)
}

// line returns the line that begins at off, without its end, and moves behind
// it. It is nil, with ended unset, if the stream ends before the line does; then
// rest is what there is.
func (m *Machine) line(off int64) (line []byte, ended bool, err error) {
	for {
		if off == m.frame {
			m.frame = noFrame
		}
		i := int(off - m.base)
		n := -1
		if i <= m.loaded {
			n = bytes.IndexByte(m.buf[i:m.loaded], '\n')
		}
		switch {
		case n >= 0 && off+int64(n) < m.frame:
			m.p = i + n + 1
			return m.buf[i : i+n], true, nil
		case n >= 0 || m.base+int64(m.loaded) >= m.frame && off < m.frame:
			if err = m.straddle(off); err != nil {
				return nil, false, err
			}
		case m.base+int64(m.loaded) == m.end && i <= m.loaded:
			return m.buf[i:m.loaded], false, nil
		case m.base == off:
			return nil, false, m.exceeded("a line is longer than %d bytes", cap(m.buf))
		default:
			if err = m.load(off); err != nil {
				return nil, false, err
			}
		}
	}
}
