package pickle

import (
	"fmt"
	"strings"
	"testing"
)

// A log is a visitor that writes down what it is told.
type log struct {
	lines  []string
	inline func(m *Machine, obj, state Value) Inline
	steps  int
	why    []string
}

func (l *log) add(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) Global(m *Machine, at At, g *Global) error {
	known := ""
	if !g.Known {
		known = " unknown"
	}
	l.add("%s %q %q%s", at.Op, g.Module, g.Name, known)
	return nil
}

func (l *log) Call(m *Machine, at At, c *Call) error {
	l.add("%s %s%s", at.Op, show(m, c.Callee), show(m, c.Args))
	if c.Kwargs != 0 {
		l.add("  kwargs %s", show(m, c.Kwargs))
	}
	return nil
}

func (l *log) Build(m *Machine, at At, obj, state Value) (Inline, error) {
	l.add("BUILD %s with %s", show(m, obj), show(m, state))
	if l.inline != nil {
		return l.inline(m, obj, state), nil
	}
	return Inline{}, nil
}

func (l *log) Extend(m *Machine, at At, target Value, items []Value) error {
	l.add("%s %s with %d", at.Op, show(m, target), len(items))
	return nil
}

func (l *log) Ext(m *Machine, at At, code int32, result Value) error {
	l.add("%s %d", at.Op, code)
	return nil
}

func (l *log) Persistent(m *Machine, at At, id, result Value) error {
	l.add("%s %s", at.Op, show(m, id))
	return nil
}

func (l *log) Diverge(m *Machine, d Divergence) error {
	l.add("! %d", d.Off)
	l.why = append(l.why, d.Text)
	return nil
}

func (l *log) Step(n int) error { l.steps += n; return nil }

// show writes a value as Python would.
func show(m *Machine, v Value) string {
	if g, ok := m.Global(v); ok {
		return g.Module + "." + g.Name
	}
	if x, ok := m.Int(v); ok {
		return fmt.Sprint(x)
	}
	if s, ok := m.Text(v, 100); ok {
		return fmt.Sprintf("%q", s)
	}
	items, count := m.Items(v)
	var parts []string
	for _, i := range items {
		parts = append(parts, show(m, i))
	}
	if len(items) < count {
		parts = append(parts, fmt.Sprintf("… of %d", count))
	}
	list := strings.Join(parts, ", ")
	switch v.Kind() {
	case Tuple:
		return "(" + list + ")"
	case List:
		return "[" + list + "]"
	case Dict, Set, FrozenSet:
		return "{" + list + "}"
	case Returned, Instance, Persistent:
		return "<" + list + ">"
	}
	return v.Kind().String()
}

// run executes a stream and returns what was told.
func run(t testing.TB, data string) (*log, Result, error) {
	t.Helper()
	l := &log{}
	result, err := New(strings.NewReader(data), 0, int64(len(data)), l).Run()
	return l, result, err
}
