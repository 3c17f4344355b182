package pickle

import (
	"encoding/binary"
	"math"
	"slices"
)

// maxReadings is how many readings of a stream are followed.
const maxReadings = 16

// readings is which of the ways to read a stream is followed. Where two
// unpicklers go on differently stands a crossing; a path names the crossings
// at which a reading goes the second way. The first reading never does.
//
// Each reading is executed from the beginning, so that no state is ever copied.
type readings struct {
	path   []int
	passed int             // crossings
	open   [][]int         // paths that are still to be followed
	found  *int            // paths that were found, also in streams within this one and around it
	plain  bool            // the reading takes bytes that follow a BUILD for opcodes
	quiet  bool            // they may well be none: tell only what can be no accident
	mixed  bool            // they are a stream within this one, whose numbers of the memo mean other values
	said   map[string]bool // names of things that were told in any reading

	whole struct {
		view
		end int64
	}
}

// crossing reports whether the reading goes the second way at a crossing.
func (m *Machine) crossing() (bool, error) {
	n := m.passed
	m.passed++
	if slices.Contains(m.path, n) {
		return true, nil
	}
	if len(m.path) > 0 && n < m.path[len(m.path)-1] {
		return false, nil
	}
	if *m.found++; *m.found < maxReadings {
		m.open = append(m.open, append(slices.Clip(slices.Clone(m.path)), n))
		return false, nil
	}
	if *m.found == maxReadings {
		return false, m.diverge("there are more ways to read the stream than are followed")
	}
	return false, nil
}

// Repeats reports whether an earlier reading of the stream has had the same
// events up to here.
func (m *Machine) Repeats() bool {
	return len(m.path) > 0 && m.passed <= m.path[len(m.path)-1]
}

// straddle is called where a read from off on leaves the frame. pickletools and
// the C unpickler of memory read through. The C unpickler of a file that has no
// peek method drops what is left of the frame. The Python unpickler, and the C
// unpickler since 3.13.15 and 3.14.7, stop.
func (m *Machine) straddle(off int64) error {
	if err := m.diverge("a frame ends within an opcode or its argument: unpicklers read on, leave out the rest of the frame, or stop"); err != nil {
		return err
	}
	end := m.frame
	m.frame = noFrame
	drop, err := m.crossing()
	if err != nil {
		return err
	}
	if drop {
		return m.cut(off, end-off)
	}
	m.limits()
	return nil
}

// cut leaves n bytes out from off on, which lies behind the current opcode.
func (m *Machine) cut(off, n int64) error {
	if err := m.mayCut(); err != nil {
		return err
	}
	m.leave(off, n)
	m.end -= n
	return m.load(m.at)
}

// openFrame executes FRAME.
func (m *Machine) openFrame() error {
	n := binary.LittleEndian.Uint64(m.buf[m.p+1:])
	from := m.at + 9
	if n > math.MaxInt64 {
		return m.broken("FRAME has a negative length")
	}
	if int64(n) > m.end-from {
		if err := m.diverge("a frame ends behind the stream: only some unpicklers stop"); err != nil {
			return err
		}
		n = uint64(m.end - from)
	}
	if m.frame != noFrame && m.frame > from {
		if err := m.diverge("a frame begins before the last one has ended: only some unpicklers stop"); err != nil {
			return err
		}
		if from+int64(n) <= m.frame { // the outer one decides what is dropped
			return m.skip(from, 0)
		}
		gaps := len(m.gaps)
		if err := m.straddle(from); err != nil {
			return err
		}
		if len(m.gaps) != gaps { // there may be less behind it now
			n = uint64(min(int64(n), m.end-from))
		}
	}
	m.frame = noFrame
	if n > 0 {
		m.frame = from + int64(n)
	}
	if err := m.skip(from, 0); err != nil {
		return err
	}
	m.limits()
	return nil
}

// mayCut bounds the parts that are left out.
func (m *Machine) mayCut() error {
	const most = 1 << 10
	if len(m.gaps) >= most {
		return m.exceeded("some unpicklers leave out more than %d parts of the stream", most)
	}
	return nil
}
