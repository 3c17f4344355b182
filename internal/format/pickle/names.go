package pickle

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxNames     = 1 << 16
	maxNameBytes = 4 << 20 // of all names together
	longName     = 64 << 10
)

// names are the globals of a stream, each once.
type names struct {
	list  []*Global
	known map[string]uint32
	bytes int
}

func (n *names) init() { *n = names{known: map[string]uint32{}} }

// name pushes what a name stands for, after the visitor saw it.
func (m *Machine) name(g Global) (Value, error) {
	g.Proto = m.proto
	key := binary.AppendUvarint(m.scratch[:0], uint64(len(g.Module)))
	key = append(append(key, g.Module...), g.Name...)
	key = append(key, byte(min(max(m.proto, 2), 4)), 0)
	if g.Known {
		key[len(key)-1] = 1
	}
	m.scratch = key
	i, ok := m.names.known[string(key)]
	if !ok {
		i = uint32(len(m.names.list))
		m.names.bytes += len(key)
		if i >= maxNames || m.names.bytes > maxNameBytes {
			return 0, m.exceeded("it names more than %d things, or with more than %d bytes", maxNames, maxNameBytes)
		}
		m.names.list = append(m.names.list, &g)
		m.names.known[string(key)] = i
	}
	v := Value(GlobalRef) | impure | Value(i)<<payload
	if m.quiet && !(g.Known && spelled(g.Module) && spelled(g.Name)) {
		return v, nil
	}
	if m.mixed && m.said[g.Name] {
		return v, nil
	}
	m.quiet = m.mixed
	m.said[g.Name] = true
	return v, m.v.Global(m, m.event(m.op), m.names.list[i])
}

// spelled reports whether Python could have a name like this: identifiers, by
// section 2.3 of its reference, with dots between them.
func spelled(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		for i, c := range part {
			begins := c == '_' || unicode.In(c, unicode.L, unicode.Nl, unicode.Other_ID_Start)
			if !begins && (i == 0 || !unicode.In(c, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue)) {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}

// global executes GLOBAL and INST.
func (m *Machine) global(op Op) error {
	module, ended, err := m.nameLine(m.at + 1)
	if err != nil {
		return err
	}
	name := ""
	if ended {
		if name, ended, err = m.nameLine(m.base + int64(m.p)); err != nil {
			return err
		}
	}
	if !ended || module == "" || name == "" {
		if err := m.diverge("a name that is empty or not ended: only the Python unpickler goes on"); err != nil {
			return err
		}
	}
	v, err := m.name(Global{Module: module, Name: name, Known: true})
	if err != nil {
		return err
	}
	if op == OpGlobal {
		m.push(v)
		return nil
	}
	return m.inst(v)
}

// nameLine reads a line that is a part of a name. Of one that is not ended the
// Python unpickler takes all but the last byte.
func (m *Machine) nameLine(off int64) (string, bool, error) {
	line, ended, err := m.line(off)
	if err != nil {
		return "", false, err
	}
	if !ended {
		m.p = m.loaded
		line = line[:max(len(line)-1, 0)]
	}
	if m.op == OpInst && !isASCII(line) || !utf8.Valid(line) {
		return "", false, m.broken("a name that is no text")
	}
	return string(line), ended, nil
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// stackGlobal executes STACK_GLOBAL.
func (m *Machine) stackGlobal() error {
	top, err := m.top(2)
	if err != nil {
		return err
	}
	g := Global{Known: true}
	for i, part := range []*string{&g.Module, &g.Name} {
		k := top[i].Kind()
		if k != Str && k != Str8 && !k.opaque() {
			return m.broken("STACK_GLOBAL of a %s", k)
		}
		text, ok := m.Text(top[i], longName)
		if k == Str8 && ok && !isASCII([]byte(text)) {
			if err := m.diverge("a name of bytes that are not ASCII: what it is depends on the loader"); err != nil {
				return err
			}
		}
		*part, g.Known = text, g.Known && ok
		if ok && len(m.named) < maxNames {
			m.named[int64(top[i]>>payload)] = struct{}{}
		}
	}
	v, err := m.name(g)
	if err != nil {
		return err
	}
	m.sp -= 2
	m.push(v)
	return nil
}
