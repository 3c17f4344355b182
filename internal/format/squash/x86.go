package squash

import (
	"encoding/binary"
	"io"
)

// x86 undoes the branch filter for x86 (xz file format 5.3.2): encoders write
// the targets of CALL and JMP as places in the stream, because those repeat. Which
// of the bytes E8 and E9 count as such follows from how near the ones before are
// and what stands behind them, just as the encoder chose.
type x86 struct {
	r     io.Reader
	buf   []byte // what was read and not yet taken
	done  int    // bytes of buf that are final
	at    uint32 // where buf begins in the stream
	last  uint32 // where the last opcode stood
	near  uint32 // a bit for each opcode within the last bytes, the newest lowest; 0x10: its target would count
	ended error
}

// NewX86 undoes the branch filter for x86.
func NewX86(r io.Reader) io.Reader {
	start := int32(-5)
	return &x86{r: r, last: uint32(start)}
}

func (x *x86) Read(p []byte) (int, error) {
	for x.done == 0 {
		if x.ended != nil {
			if len(x.buf) == 0 {
				return 0, x.ended
			}
			x.done = len(x.buf) // too short to hold a branch
			break
		}
		have := len(x.buf)
		x.buf = append(x.buf, make([]byte, 16<<10)...)
		n, err := x.r.Read(x.buf[have:])
		x.buf = x.buf[:have+n]
		x.ended = err
		x.done = x.undo()
	}
	n := copy(p, x.buf[:x.done])
	x.buf = x.buf[:copy(x.buf, x.buf[n:])]
	x.done -= n
	x.at += uint32(n)
	return n, nil
}

// undo goes through buf and returns how much of it is final: all but a branch
// that may go on in what is not read yet.
func (x *x86) undo() int {
	if x.at-x.last > 5 {
		x.last = x.at - 5
	}
	i := 0
	for i+5 <= len(x.buf) {
		if x.buf[i]&0xfe != 0xe8 {
			i++
			continue
		}
		here := x.at + uint32(i)
		x.age(here - x.last)
		x.last = here
		top := x.buf[i+4]
		if !counts(top) || x.near>>1 >= 0x10 || !lone[x.near>>1&7] {
			x.near |= 1
			if counts(top) {
				x.near |= 0x10
			}
			i++
			continue
		}
		target := x.relative(binary.LittleEndian.Uint32(x.buf[i+1:]), here+5)
		target &= 1<<25 - 1
		if target&(1<<24) != 0 {
			target |= 0xff << 24
		}
		binary.LittleEndian.PutUint32(x.buf[i+1:], target)
		x.near = 0
		i += 5
	}
	return i
}

// lone tells for the opcodes seen just before whether a further one counts, and
// shift which byte of its target they reach into.
var (
	lone  = [8]bool{0: true, 1: true, 2: true, 4: true}
	shift = [8]uint32{0, 1, 2, 2, 3, 3, 3, 3}
)

// counts reports whether the highest byte of a target is one of a branch within
// 16 MiB.
func counts(top byte) bool { return top == 0 || top == 0xff }

// age moves the opcodes seen by n bytes back.
func (x *x86) age(n uint32) {
	if n > 5 {
		x.near = 0
		return
	}
	for range n {
		x.near = x.near & 0x77 << 1
	}
}

// relative turns a place into a distance from next. If an opcode stands shortly
// before, its own target reaches into this one, and the encoder turned bits over
// until both could be told.
func (x *x86) relative(place, next uint32) uint32 {
	for {
		target := place - next
		if x.near == 0 {
			return target
		}
		n := shift[x.near>>1&7] * 8
		if !counts(byte(target >> (24 - n))) {
			return target
		}
		place = target ^ (1<<(32-n) - 1)
	}
}
