package pickle

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// seeds are streams of every kind for the fuzz targets.
var seeds = []string{
	"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02e.",
	"(dp0\nS'a\\x41'\np1\nI1\nsVb\\u0041\nF1.5\nsL12L\nI01\ns.",
	"cos\nsystem\n(S'id'\ntR.",
	"(K\x01ia\nb\n}b\x82\x01\x83\x02\x00\x84\x03\x00\x00\x00(lt\x85\x86.",
	"ca\nb\n)\x81q\x00\x88bNNNh\x00\x8c\x01a\x94\x8c\x01b\x94\x93Q\x97\x98.",
	"ca\nb\n)\x81\x88bN.N\x87.",
	"\x95\x03\x00\x00\x00\x00\x00\x00\x00U\x03abcd0cos\nsystem\n0K\x01.",
	"\x95\x02\x00\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00\x00\x00\x00\x00N.",
	"\x8e\x02\x00\x00\x00\x00\x00\x00\x00ab\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x8b\x01\x00\x00\x00\x05\x8f(\x90\x91\x92.",
}

// A prober looks at all that the machine offers about what it is told.
type prober struct {
	t     *testing.T
	lines int
}

func (p *prober) look(m *Machine, values ...Value) {
	for _, v := range values {
		m.Text(v, 50)
		m.Data(v)
		m.Made(v)
		m.Tag(v)
		m.Int(v)
		m.Pure(v)
		m.SetTag(v, 7)
		items, count := m.Items(v)
		if len(items) > count {
			p.t.Fatalf("%d of %d items", len(items), count)
		}
		for _, i := range items {
			_ = i.Kind().String()
			m.Text(i, 50)
		}
	}
	if p.lines < 50 {
		p.lines += len(m.Trace(4, 3))
	}
}

func (p *prober) Global(m *Machine, _ At, g *Global) error { p.look(m); return nil }
func (p *prober) Call(m *Machine, _ At, c *Call) error {
	p.look(m, c.Callee, c.Args, c.Kwargs, c.Result)
	return nil
}

func (p *prober) Build(m *Machine, _ At, obj, state Value) (Inline, error) {
	p.look(m, obj, state)
	if x, ok := m.Int(state); ok && state.Kind() == Bool {
		return Inline{Skip: 3 * (1 - x), Nested: x == 1}, nil
	}
	return Inline{}, nil
}

func (p *prober) Extend(m *Machine, _ At, target Value, items []Value) error {
	p.look(m, append([]Value{target}, items...)...)
	return nil
}
func (p *prober) Ext(m *Machine, _ At, _ int32, v Value) error   { p.look(m, v); return nil }
func (p *prober) Persistent(m *Machine, _ At, id, v Value) error { p.look(m, id, v); return nil }
func (p *prober) Diverge(m *Machine, d Divergence) error         { p.look(m); return nil }
func (p *prober) Step(int) error                                 { return nil }

func FuzzMachine(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &prober{t: t}
		m := New(bytes.NewReader(data), 0, int64(len(data)), p)
		result, err := m.Run()
		var e *format.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		if result.End < 0 || result.End > int64(len(data)) || (err == nil) != result.Stopped {
			t.Fatalf("%+v, %v", result, err)
		}
		if e != nil && (e.Off < 0 || e.Off > int64(len(data))) {
			t.Fatal(err)
		}
		p.look(m, result.Value)
		m.Trace(20, 20)
	})
}

func FuzzSniff(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := int64(len(data))
		fit := Sniff(bytes.NewReader(data), 0, n, known)
		result, err := New(bytes.NewReader(data), 0, n, nothing{}).Run()
		if err == nil && result.End == n && fit != Yes && n > 1 && data[0] != byte(OpProto) {
			t.Fatalf("a whole stream is none: %+v", result)
		}
		if off, ok := Resync(bytes.NewReader(data), 0, n); ok && (off < 0 || off >= n) {
			t.Fatal(off)
		}
	})
}

// FuzzMaker lets the fuzzer choose among streams that mostly keep to the rules.
func FuzzMaker(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := newRand(a, b)
		data := newMaker(r).stream()
		if b%2 == 0 {
			data = mutate(r, data)
		}
		New(bytes.NewReader(data), 0, int64(len(data)), &prober{t: t}).Run()
	})
}
