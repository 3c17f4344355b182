package pickle

import (
	"bytes"
	"errors"
	"io"
)

// Fit says how well bytes suit a pickle stream.
type Fit uint8

const (
	No      Fit = iota // they are none
	Perhaps            // they name something and then break, as text may by chance
	Yes                // they are one, if a broken one
)

// sniffBytes and sniffOps are how far Sniff follows a stream without a header.
const (
	sniffBytes = 1 << 20
	sniffOps   = 1 << 18
)

// Sniff finds out whether a stream could begin at off. PROTO with a protocol
// that there is says so. Streams of the protocols 0 and 1 have no header: they
// are followed for a while, and are streams if they call something, or if their
// STOP is the last byte; or if they are opcodes for very long.
func Sniff(r io.ReaderAt, off, end int64) Fit {
	var head [2]byte
	if off < 0 || end-off < 2 {
		return No
	}
	if n, err := r.ReadAt(head[:], off); n < 2 && err != nil {
		return No
	}
	if Op(head[0]) == OpProto {
		if head[1] <= 5 {
			return Yes
		}
		return No
	}
	var s sniffer
	part := min(end, off+sniffBytes)
	result, err := New(r, off, part, &s).Run()
	switch {
	case s.called, errors.Is(err, errEnough):
		return Yes
	case result.Stopped && result.End == end:
		return Yes
	case result.Stopped && s.named:
		return Yes
	case part < end && !result.Stopped && result.Ops > sniffOps/8:
		return Yes
	case s.named:
		return Perhaps
	}
	return No
}

var errEnough = errors.New("enough opcodes")

// A sniffer notes what a stream does that text does not do by chance.
type sniffer struct {
	named, called bool
	ops           int
}

func (s *sniffer) Global(_ *Machine, _ At, g *Global) error {
	s.named = s.named || g.Known && identifier(g.Module) && identifier(g.Name)
	return nil
}

func (s *sniffer) Call(m *Machine, _ At, c *Call) error {
	g, ok := m.Global(c.Callee)
	s.called = s.called || ok && identifier(g.Module) && identifier(g.Name)
	return nil
}

func (s *sniffer) Build(*Machine, At, Value, Value) (Inline, error) { return Inline{}, nil }
func (s *sniffer) Extend(*Machine, At, Value, []Value) error        { return nil }
func (s *sniffer) Ext(*Machine, At, int32, Value) error             { s.named = true; return nil }
func (s *sniffer) Persistent(*Machine, At, Value, Value) error      { return nil }
func (s *sniffer) Diverge(*Machine, Divergence) error               { return nil }

func (s *sniffer) Step(n int) error {
	if s.ops += n; s.ops > sniffOps {
		return errEnough
	}
	return nil
}

// Resync looks behind a broken stream for the header of another, within the next
// MiB: PROTO, then FRAME or another opcode that streams begin with. It is for
// information only.
func Resync(r io.ReaderAt, from, end int64) (int64, bool) {
	buf := make([]byte, min(max(end-from, 0), 1<<20))
	n, _ := r.ReadAt(buf, from)
	buf = buf[:n]
	for at := 0; ; at++ {
		i := bytes.IndexByte(buf[at:], byte(OpProto))
		if i < 0 || at+i+2 >= len(buf) {
			return 0, false
		}
		at += i
		proto, next := buf[at+1], Op(buf[at+2])
		if proto >= 2 && proto <= 5 && (next == OpFrame || proto < 4 && opNames[next] != "") {
			return from + int64(at), true
		}
	}
}
