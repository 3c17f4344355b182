package pickle

// inline leaves out what follows a BUILD and is no opcodes of this stream.
//
// joblib's unpickler is a Python one: it takes them from the file, behind the
// frame if one is open, while others take the same bytes for opcodes. That is a
// reading of its own if they could be any that matter.
func (m *Machine) inline(in Inline) error {
	if m.plain {
		return nil
	}
	from := m.base + int64(m.p)
	if m.frame == from {
		m.frame = noFrame
	}
	behind := m.frame != noFrame
	if behind {
		if err := m.diverge("data that is no opcodes follows within a frame: only some unpicklers read it from behind the frame"); err != nil {
			return err
		}
		from = m.frame
	}
	if in.Skip < 0 || in.Skip > m.end-from {
		return m.broken("the data behind BUILD is longer than what remains")
	}
	if in.Skip > 0 {
		if err := m.leaveOut(from, in.Skip); err != nil || m.plain {
			return err
		}
	}
	if !in.Nested {
		return nil
	}
	if !behind {
		from = m.base + int64(m.p)
	}
	return m.nest(from)
}

// leaveOut skips bytes, unless this is the reading that takes them for opcodes.
func (m *Machine) leaveOut(from, n int64) error {
	if m.mayRun(from, n) {
		plain, err := m.crossing()
		if err != nil {
			return err
		}
		if plain {
			m.plain, m.quiet = true, true
			return nil
		}
	}
	return m.omit(from, n)
}

// omit goes on behind n bytes, which lie at the machine's place or behind the
// frame.
func (m *Machine) omit(from, n int64) error {
	if at := m.base + int64(m.p); from > at {
		if err := m.mayCut(); err != nil {
			return err
		}
		m.leave(from, n)
		m.end -= n
		return m.load(at)
	}
	if err := m.skip(from, n); err != nil {
		return err
	}
	m.check = [2]int64{from + n, from + n}
	m.limits()
	return nil
}

// mayRun reports whether bytes could be opcodes that name or call something, or
// that lead into the opcodes behind them. Data begins like that once in some
// hundred times at most; then a reading is followed for nothing.
func (m *Machine) mayRun(from, n int64) bool {
	w := walker{m: m, off: from, end: m.end, most: piece}
	for i := range 1 << 12 {
		if w.off >= from+n {
			return true
		}
		op, line, ok := w.next()
		if !ok {
			return w.long
		}
		switch op {
		case OpGlobal, OpInst:
			if spelled(line) {
				return true
			}
		case OpStackGlobal, OpReduce, OpNewobj, OpNewobjEx, OpObj, OpBuild, OpAppend, OpAppends, OpSetitem, OpSetitems, OpAdditems:
			if i > 0 { // they do not work on what BUILD leaves
				return true
			}
		case OpStop:
			return false
		}
	}
	return true
}

// nest executes a stream within this one.
//
// An unpickler that does not know of it goes on with the stack and memo that it
// has, up to the inner STOP. Then numbers of the memo stand for other values than
// the inner stream means, and its names and calls are made of what does not
// belong together: honest streams of joblib fail on that. So this reading, of the
// first inner stream only, tells no more than names of things that are named
// nowhere else, and leaves calls to a Doubter.
func (m *Machine) nest(from int64) error {
	if m.depth == 0 && !m.nests {
		m.nests = true
		mixed, err := m.crossing()
		if err != nil {
			return err
		}
		if mixed {
			m.plain, m.quiet, m.mixed = true, true, true
			return nil
		}
	}
	if m.depth >= maxDepth {
		return m.exceeded("more than %d streams lie in one another", maxDepth)
	}
	behind := from > m.base+int64(m.p)
	inner := New(m.r, from, m.end, m.v)
	inner.view, inner.depth, inner.nested, inner.found, inner.said = m.view, m.depth+1, true, m.found, m.said
	if _, err := inner.Run(); err != nil {
		return err
	}
	end := inner.base + int64(inner.p)
	if behind {
		return m.omit(from, end-from)
	}
	m.view, m.end = inner.view, inner.end
	if err := m.skip(from, end-from); err != nil {
		return err
	}
	m.check = [2]int64{end, end}
	m.limits()
	return nil
}
