package pickle

// A hidden is values that were taken off the stack because there were too many
// above one mark: a tuple or frozenset of millions. What is made of them needs
// only the first ones and their count.
type hidden struct {
	marks int   // there were when they were hidden
	count int   // of values, behind the first keptItems above the topmost mark
	flags Value // impure if one of them is
}

// recent is how many values stay on the stack when others are hidden, for
// opcodes that take them from there.
const recent = 1 << 10

// grow makes room on the stack for a stride of opcodes.
func (m *Machine) grow() error {
	if m.sp > maxStack {
		m.hide()
	}
	if m.sp > maxStack {
		return m.exceeded("more than %d values lie on the stack", maxStack)
	}
	need := m.sp + int(min(stride, m.end-m.at)) + 8
	if need <= len(m.stack) {
		return nil
	}
	stack := make([]Value, max(need, m.sp+m.sp/2))
	copy(stack, m.stack[:m.sp])
	m.stack = stack
	return nil
}

// hide takes values off the stack.
func (m *Machine) hide() {
	if len(m.marks) == 0 {
		return
	}
	first := int(m.marks[len(m.marks)-1]) + keptItems
	n := m.sp - recent - first
	if n <= 0 {
		return
	}
	flags := m.heap.mixed(m.stack[first : first+n])
	copy(m.stack[first:], m.stack[first+n:m.sp])
	m.sp -= n
	if !m.hiding() {
		m.hidden = append(m.hidden, hidden{marks: len(m.marks)})
	}
	h := &m.hidden[len(m.hidden)-1]
	h.count += n
	h.flags |= flags
	m.fence = first
}

// hiding reports whether values above the topmost mark are hidden.
func (m *Machine) hiding() bool {
	return len(m.hidden) > 0 && m.hidden[len(m.hidden)-1].marks == len(m.marks)
}

func (m *Machine) push(v Value) {
	m.stack[m.sp] = v
	m.sp++
}

// top returns the n topmost values above the last mark.
func (m *Machine) top(n int) ([]Value, error) {
	if m.sp-m.fence < n {
		return nil, m.beneath("the stack is empty before %s", m.op)
	}
	return m.stack[m.sp-n : m.sp], nil
}

// beneath is the error of an opcode that takes more than there is.
func (m *Machine) beneath(text string, args ...any) error {
	if m.hiding() {
		return m.exceeded("it takes back what lies under %d values", m.hidden[len(m.hidden)-1].count)
	}
	return m.broken(text, args...)
}

// above returns the values above the last mark, and takes the mark away. What
// was hidden of them is gone.
func (m *Machine) above() ([]Value, error) {
	if len(m.marks) == 0 {
		return nil, m.broken("there is no MARK for %s", m.op)
	}
	m.gone = hidden{}
	if m.hiding() {
		m.gone = m.hidden[len(m.hidden)-1]
		m.hidden = m.hidden[:len(m.hidden)-1]
	}
	items := m.stack[m.marks[len(m.marks)-1]:m.sp]
	m.fence = m.unmark()
	return items, nil
}

// all is above where nothing may be hidden.
func (m *Machine) all() ([]Value, error) {
	items, err := m.above()
	if err == nil && m.gone.count > 0 {
		err = m.exceeded("%s takes more than %d values", m.op, m.gone.count)
	}
	return items, err
}

// unmark takes the topmost mark away and returns the fence below it.
func (m *Machine) unmark() (fence int) {
	m.marks = m.marks[:len(m.marks)-1]
	if n := len(m.marks); n > 0 {
		fence = int(m.marks[n-1])
		if m.hiding() {
			fence += keptItems
		}
	}
	return fence
}

// add counts what is gone as items of the container on top of the stack.
func (m *Machine) add(gone hidden) {
	if gone.count == 0 {
		return
	}
	place := &m.stack[m.sp-1]
	if v := *place; v&onHeap != 0 {
		o := &m.heap.objects[v.index()]
		o.count = uint32(min(int(o.count)+gone.count, maxCount))
		m.soil(o.flags, gone.flags)
		o.flags |= gone.flags
	} else {
		m.soil(v, gone.flags)
		*place = brief(v.Kind(), uint32(min(int(v>>payload&maxCount)+gone.count, maxCount)), m.Tag(v), v|gone.flags)
	}
}
