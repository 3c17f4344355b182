package pickle

// call executes REDUCE, NEWOBJ, NEWOBJ_EX and OBJ.
func (m *Machine) call(op Op) error {
	if op == OpObj {
		return m.obj()
	}
	n := 2
	if op == OpNewobjEx {
		n = 3
	}
	top, err := m.top(n)
	if err != nil {
		return err
	}
	c := Call{Callee: top[0], Args: top[1]}
	if op == OpNewobjEx {
		c.Kwargs = top[2]
	}
	if k := c.Callee.Kind(); !k.opaque() {
		return m.broken("%s on a %s", op, k)
	}
	switch k := c.Args.Kind(); {
	case k == Tuple:
	case k < Str:
		return m.broken("%s with a %s for arguments", op, k)
	default:
		if err := m.diverge("arguments that are no tuple: the C unpickler stops, the Python one and PyTorch's go on"); err != nil {
			return err
		}
	}
	kind := Instance
	if op == OpReduce {
		kind = Returned
	}
	c.Result = m.object(kind, top)
	// Making the result may have moved what it is made of.
	c.Callee, c.Args = top[0], top[1]
	if op == OpNewobjEx {
		c.Kwargs = top[2]
	}
	if err := m.called(&c, op); err != nil {
		return err
	}
	m.sp -= n
	m.push(c.Result)
	return nil
}

// called tells the visitor.
func (m *Machine) called(c *Call, op Op) error {
	if m.mixed {
		if d, ok := m.v.(Doubter); ok {
			return d.Doubt(m, m.event(op), c)
		}
		return nil
	}
	if m.quiet && (!m.resolves(c.Callee) || c.Args.Kind() != Tuple) {
		return nil
	}
	m.quiet = false
	return m.v.Call(m, m.event(op), c)
}

// obj executes OBJ: the class lies above the mark, before its arguments.
func (m *Machine) obj() error {
	items, err := m.all()
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return m.broken("OBJ without a class")
	}
	return m.construct(len(items) - 1)
}

// inst executes INST after its name was read.
func (m *Machine) inst(class Value) error {
	items, err := m.all()
	if err != nil {
		return err
	}
	// The class goes where OBJ has it, below the arguments.
	n := len(items)
	m.push(class)
	copy(m.stack[m.sp-n:m.sp], m.stack[m.sp-n-1:m.sp-1])
	m.stack[m.sp-n-1] = class
	return m.construct(n)
}

// construct calls the class that lies on the stack below n arguments.
func (m *Machine) construct(n int) error {
	args := m.object(Tuple, m.stack[m.sp-n:m.sp])
	m.sp -= n
	m.push(args)
	top := m.stack[m.sp-2 : m.sp]
	c := Call{Result: m.object(Returned, top)}
	c.Callee, c.Args = top[0], top[1]
	if !c.Callee.Kind().opaque() {
		return m.broken("%s of a %s", m.op, c.Callee.Kind())
	}
	if err := m.called(&c, m.op); err != nil {
		return err
	}
	m.sp -= 2
	m.push(c.Result)
	return nil
}

// extension executes EXT1, EXT2 and EXT4.
func (m *Machine) extension(op Op) error {
	width := int(fixed[op])
	code := int32(littleEndian(m.buf[m.p+1:], width))
	v := m.object(Extension, nil)
	if !m.quiet {
		if err := m.v.Ext(m, m.event(op), code, v); err != nil {
			return err
		}
	}
	if code <= 0 {
		return m.broken("%s with a code that is not positive", op)
	}
	m.push(v)
	m.p += 1 + width
	return nil
}

// persid executes PERSID, whose line may be of any length.
func (m *Machine) persid() error {
	off := m.at + 1
	end, ended, err := m.lineEnd(off)
	if err != nil {
		return err
	}
	behind := end + 1
	if !ended {
		behind, end = end, max(end-1, off)
		if err := m.diverge("an identity that is not ended: only the Python unpickler goes on"); err != nil {
			return err
		}
	}
	for from := off; from < end; from += piece {
		b, err := m.bytesAt(from, int(min(end-from, piece)))
		if err != nil {
			return err
		}
		if !isASCII(b) {
			return m.broken("PERSID with an identity that is not ASCII")
		}
	}
	m.push(m.written(Str))
	if err := m.skip(off, behind-off); err != nil {
		return err
	}
	return m.persistent()
}

func (m *Machine) binpersid() error {
	if _, err := m.top(1); err != nil {
		return err
	}
	return m.persistent()
}

// persistent replaces an identity by what the loader has for it.
func (m *Machine) persistent() error {
	top := m.stack[m.sp-1 : m.sp]
	v := m.object(Persistent, top)
	id := top[0]
	top[0] = v
	if m.quiet {
		return nil
	}
	return m.v.Persistent(m, m.event(m.op), id, v)
}

// state executes BUILD.
func (m *Machine) state() error {
	top, err := m.top(2)
	if err != nil {
		return err
	}
	m.sp--
	if m.muted(top[0]) {
		return nil
	}
	inline, err := m.v.Build(m, m.event(OpBuild), top[0], top[1])
	if err != nil || inline == (Inline{}) {
		return err
	}
	return m.inline(inline)
}

// muted reports whether the visitor is not told of what is done to a value: it
// may be an accident.
func (m *Machine) muted(target Value) bool {
	m.quiet = m.quiet && (m.mixed || !m.resolves(target))
	return m.quiet
}

// resolves reports whether a value is a name that Python could have. What else
// stands for one in data that is taken for opcodes ends the loading there.
func (m *Machine) resolves(v Value) bool {
	g, ok := m.Global(v)
	return ok && (!g.Known || spelled(g.Module) && spelled(g.Name))
}
