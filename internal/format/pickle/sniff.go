package pickle

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// Fit says how well bytes suit a pickle stream.
type Fit uint8

const (
	No      Fit = iota // they are none
	Perhaps            // they name something that nobody knows and then break, as text may by chance
	Likely             // they name something that there is, or before or behind a STOP, and then break
	Yes                // they are one, if a broken one
)

// sniffOps is how far Sniff follows a stream without a header, and sniffStreams
// how many of them, one behind the other.
const (
	sniffOps     = 1 << 18
	sniffStreams = 16
)

// Sniff finds out whether a stream could begin at off. PROTO with a protocol
// that there is says so. Streams of the protocols 0 and 1 have no header: they
// are followed, and are streams if they call or change what they name, if they
// name something that there is and reach their STOP, or if their STOP is the last
// byte; or if they are opcodes for very long. Programs load several from one
// file, so that those behind a STOP count too.
//
// There is no limit on bytes: an opcode takes as many as it likes, and a stream
// that was given up on would be text. What is none breaks at its first bytes.
//
// Known says whether there is a module of a name.
func Sniff(r io.ReaderAt, off, end int64, known func(module string) bool) Fit {
	for n := range sniffStreams {
		fit, next := sniff(r, off, end, known)
		switch {
		case fit == Perhaps && n > 0:
			return Likely
		case fit != No || next < 0:
			return fit
		}
		off = next
	}
	return Yes
}

// sniff looks at one stream. It returns where the next one would begin, -1 if
// this one does not come to its end.
func sniff(r io.ReaderAt, off, end int64, known func(module string) bool) (fit Fit, next int64) {
	var head [2]byte
	if off < 0 || end-off < 2 {
		return No, -1
	}
	if n, err := r.ReadAt(head[:], off); n < 2 && err != nil {
		return No, -1
	}
	if Op(head[0]) == OpProto {
		if head[1] <= 5 {
			return Yes, -1
		}
		return No, -1
	}
	s := sniffer{start: off, known: known}
	result, err := New(r, off, end, &s).Run()
	switch {
	case errors.Is(err, errEnough):
		return Yes, -1
	case result.Stopped && (s.real || result.End == end):
		return Yes, -1
	case result.Stopped && (s.named || s.coded):
		return Likely, -1
	case result.Stopped:
		return No, result.End
	case s.real:
		return Likely, -1
	case format.Is(err, format.Exceeded):
		return tooLong(r, result.End, known), -1
	case s.named:
		return Perhaps, -1
	}
	return No, -1
}

// tooLong is how well the opcode at a place suits a stream that exceeds a limit
// there. Text without line breaks may be the lines of a name. Nobody has one of
// that length, but what its module lies in is imported before that turns out.
func tooLong(r io.ReaderAt, off int64, known func(module string) bool) Fit {
	var head [128]byte
	n, _ := r.ReadAt(head[:], off)
	if n == 0 || Op(head[0]) != OpGlobal && Op(head[0]) != OpInst {
		return Likely
	}
	if i := bytes.IndexAny(head[1:n], ".\n"); i >= 0 && known(string(head[1:1+i])) {
		return Likely
	}
	return Perhaps
}

// errEnough ends a run that can have no other outcome.
var errEnough = errors.New("enough is known")

// A sniffer notes what a stream does that text does not do by chance.
type sniffer struct {
	start int64
	known func(module string) bool
	named bool // something that Python could have
	real  bool // something in a module that there is
	coded bool // it begins with an extension code
	ops   int
}

func (s *sniffer) Global(_ *Machine, _ At, g *Global) error {
	if !g.Known || !spelled(g.Module) {
		return nil
	}
	named := spelled(g.Name)
	s.named = s.named || named
	// Modules are imported before their attributes are looked for, and some that lie
	// in packages run when they are: unittest.__main__ does what it finds.
	s.real = s.real || (named || strings.Contains(g.Module, ".")) && s.known(g.Module)
	return nil
}

func (s *sniffer) Call(m *Machine, _ At, c *Call) error { return s.use(m, c.Callee) }

func (s *sniffer) Build(m *Machine, _ At, obj, _ Value) (Inline, error) {
	return Inline{}, s.use(m, obj)
}

func (s *sniffer) Extend(m *Machine, _ At, target Value, _ []Value) error { return s.use(m, target) }

// use is told of what is called or changed.
func (s *sniffer) use(m *Machine, v Value) error {
	if v.Kind() == Extension || m.resolves(v) {
		return errEnough
	}
	return nil
}

// Ext takes a code at the very beginning for less: MessagePack begins so, and
// who looks a code up gets what the loading program put there, or an error.
func (s *sniffer) Ext(_ *Machine, at At, _ int32, _ Value) error {
	s.coded = s.coded || at.Off == s.start
	s.named = s.named || at.Off != s.start
	return nil
}

func (s *sniffer) Persistent(*Machine, At, Value, Value) error { return nil }
func (s *sniffer) Diverge(*Machine, Divergence) error          { return nil }

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
