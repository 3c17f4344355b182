package pickle

import (
	"errors"
	"io"
	"math"

	"github.com/sallyport/sallyport/internal/format"
)

const (
	windowBytes = 256 << 10
	slack       = 16       // zero bytes behind the window, so that no argument leaves it
	stride      = 16 << 10 // bytes between two calls of Step
	maxStack    = 1 << 19
	maxMarks    = 1 << 20
	maxDepth    = 16 // streams within streams
	noFrame     = math.MaxInt64
)

// A Machine executes one stream. It is not for concurrent use.
//
// Offsets within are of the stream as the reading that is followed sees it,
// which may leave out parts of the file (view); place turns them into the
// reader's.
type Machine struct {
	view
	start, end int64
	v          Visitor
	depth      int
	nested     bool // within the stream of another unpickler
	nests      bool // such a stream was met

	// the window: the bytes from base on, loaded of them
	buf    []byte
	base   int64
	loaded int
	p      int // the next opcode in buf
	safe   int // where the next look at the surroundings is due
	lim    int // what lies before it may be read without one

	at    int64    // the opcode that is executed
	op    Op       // it, outside of exec
	frame int64    // where the frame ends
	check [2]int64 // two opcodes before it, the later one first
	next  int64    // when Step is due
	since int      // opcodes since Step
	ops   int64

	stack   []Value // the values are stack[:sp]
	sp      int
	marks   []int32 // places in the stack
	fence   int     // what lies below it on the stack cannot be reached but through the mark
	hidden  []hidden
	gone    hidden // what above took off the stack beside its items
	memo    memo
	heap    heap
	names   names
	named   map[int64]struct{} // payloads of texts that named something
	smeared bool

	proto, highest int
	value          Value

	readings
	scratch []byte
}

// New returns a machine for the stream that begins at off and lies before end
// in r. Offsets are those of r.
func New(r io.ReaderAt, off, end int64, v Visitor) *Machine {
	return &Machine{view: view{r: r}, start: off, end: end, v: v, readings: readings{found: new(int), said: map[string]bool{}}}
}

// Run executes the stream up to its STOP. A *format.Error says that it is broken
// or exceeds a limit, and where: then everything before was reported, and the
// Result says how far it came. Other errors are the visitor's or the reader's.
func (m *Machine) Run() (Result, error) {
	if m.end < m.start {
		return Result{}, format.Brokenf(m.start, "the stream ends before it begins")
	}
	result, err := m.follow(nil)
	if failed(err) {
		return result, err
	}
	for len(m.readings.open) > 0 {
		path := m.readings.open[0]
		m.readings.open = m.readings.open[1:]
		other := *m // the first reading is what the result is about
		other.reset()
		if _, err := other.follow(path); failed(err) {
			return result, err
		}
		m.readings.open = other.readings.open
		m.loaded = 0 // the other has used the window
		result.Readings++
	}
	return result, err
}

// failed reports whether an error is not about the stream.
func failed(err error) bool {
	var e *format.Error
	return err != nil && !errors.As(err, &e)
}

// reset makes a machine that has run as new, for another reading.
func (m *Machine) reset() {
	*m = Machine{
		view: m.whole.view, start: m.start, end: m.whole.end, v: m.v, depth: m.depth, nested: m.nested, buf: m.buf,
		stack: m.stack, readings: m.readings,
	}
}

// follow executes one reading of the stream.
func (m *Machine) follow(path []int) (Result, error) {
	m.path, m.passed, m.quiet, m.plain, m.mixed = path, 0, false, false, false
	m.whole.view, m.whole.end = m.view, m.end
	m.frame, m.next = noFrame, m.start+stride
	m.check = [2]int64{m.start, m.start}
	window := int64(windowBytes)
	if m.nested {
		window /= 8
	}
	if need := int(min(window, m.end-m.start)) + slack; cap(m.buf) < need {
		m.buf = make([]byte, need)
	}
	m.names.init()
	m.named = map[int64]struct{}{}
	m.memo = memo{}
	err := m.load(m.start)
	if err == nil {
		err = m.exec()
	}
	if err == nil && m.since > 0 {
		err = m.v.Step(m.since)
	}
	m.ops += int64(m.since)
	return Result{
		Start: m.start, End: m.place(m.position()), Stopped: m.value != 0, Proto: m.highest, Ops: m.ops,
		Value: m.value, Left: m.sp + len(m.marks), Globals: len(m.names.list), Readings: 1,
	}, err
}

// position is where the machine is: the next opcode, or the one that broke it.
func (m *Machine) position() int64 {
	if m.value != 0 {
		return m.base + int64(m.p)
	}
	return m.at
}

// Proto is the last PROTO's number, 0 before any. Python decides by it whether
// names are mapped (below 3) and dots followed (from 4 on).
func (m *Machine) Proto() int { return m.proto }

// Depth is how many streams this one is nested in.
func (m *Machine) Depth() int { return m.depth }

// load moves the window to begin at off.
func (m *Machine) load(off int64) error {
	want := int(min(int64(cap(m.buf)-slack), m.end-off))
	m.buf = m.buf[:want+slack]
	n, err := m.view.ReadAt(m.buf[:want], off)
	if n < want {
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return format.Brokenf(m.place(off+int64(n)), "the file ends before its size says")
		}
		return err
	}
	clear(m.buf[want:])
	m.base, m.loaded, m.p = off, want, 0
	m.limits()
	return nil
}

// limits sets how far the machine may run without looking around.
func (m *Machine) limits() {
	m.lim = m.loaded
	if m.frame != noFrame {
		m.lim = int(min(int64(m.lim), m.frame-m.base))
	}
	m.safe = int(min(int64(m.lim-8), m.next-m.base))
}

// broken ends the stream at the current opcode.
func (m *Machine) broken(text string, args ...any) error {
	return format.Brokenf(m.place(m.at), text, args...)
}

func (m *Machine) exceeded(text string, args ...any) error {
	return format.Exceededf(m.place(m.at), text, args...)
}

// event is the opcode that is executed.
func (m *Machine) event(op Op) At { return At{op, m.place(m.at)} }

// diverge reports a divergence at the current opcode.
func (m *Machine) diverge(text string) error {
	if m.quiet {
		return nil
	}
	return m.v.Diverge(m, Divergence{m.place(m.at), text})
}
