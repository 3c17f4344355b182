package squash

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/format"
)

// The decoder of LZMA follows the specification that comes with the LZMA SDK
// (DOC/lzma-specification.txt); its names for states and models are kept.

const (
	initialProb = 1 << 10
	matchMin    = 2
	endDistance = 1<<32 - 1
)

// lengths codes the length of a match.
type lengths struct {
	choice, choice2 uint16
	low, mid        [16][8]uint16
	high            [256]uint16
}

// models are the probabilities that adapt to the stream.
type models struct {
	literal                          []uint16
	isMatch, isRep0Long              [12 << 4]uint16
	isRep, isRepG0, isRepG1, isRepG2 [12]uint16
	slot                             [4][64]uint16
	special                          [128]uint16
	align                            [16]uint16
	length, repeated                 lengths
}

func (m *models) reset() {
	for _, p := range [][]uint16{
		m.literal, m.isMatch[:], m.isRep0Long[:], m.isRep[:], m.isRepG0[:], m.isRepG1[:], m.isRepG2[:],
		m.slot[0][:], m.slot[1][:], m.slot[2][:], m.slot[3][:], m.special[:], m.align[:],
	} {
		fill(p)
	}
	for _, l := range []*lengths{&m.length, &m.repeated} {
		l.choice, l.choice2 = initialProb, initialProb
		for i := range l.low {
			fill(l.low[i][:])
			fill(l.mid[i][:])
		}
		fill(l.high[:])
	}
}

func fill(p []uint16) {
	for i := range p {
		p[i] = initialProb
	}
}

// An lzmaDecoder yields into its window.
type lzmaDecoder struct {
	rangeDecoder
	models
	win            *window
	lc             uint
	lpMask, pbMask int64
	state          int
	rep            [4]int64 // distances less one
	pending        int      // bytes of a match for which there was no room
}

// properties sets lc, lp and pb from their byte and forgets what was learnt.
func (d *lzmaDecoder) properties(b byte, off int64) error {
	if b >= 9*5*5 {
		return format.Brokenf(off, "the properties of an LZMA stream are none")
	}
	d.lc = uint(b % 9)
	lp, pb := uint(b/9%5), uint(b/45)
	d.lpMask, d.pbMask = 1<<lp-1, 1<<pb-1
	if n := 0x300 << (d.lc + lp); n != len(d.literal) {
		d.literal = make([]uint16, n)
	}
	d.forget()
	return nil
}

// forget puts state and models back to their beginning.
func (d *lzmaDecoder) forget() {
	d.models.reset()
	d.state, d.rep, d.pending = 0, [4]int64{}, 0
}

// decode yields at most limit bytes, as long as there is room, and reports
// whether it met the marker that ends a stream.
func (d *lzmaDecoder) decode(limit int64) (ended bool, err error) {
	w := d.win
	stop := w.total + min(limit, int64(w.room()))
	for w.total < stop {
		if d.pending > 0 {
			n := min(d.pending, int(stop-w.total))
			w.repeat(int(d.rep[0])+1, n)
			d.pending -= n
			continue
		}
		if d.err != nil {
			return false, d.err
		}
		posState := w.total & d.pbMask
		if d.bit(&d.isMatch[d.state<<4+int(posState)]) == 0 {
			d.oneLiteral()
			continue
		}
		n, err := d.match(int(posState))
		if err != nil {
			d.err = err
			return false, err
		}
		if n == 0 {
			return true, d.err
		}
		d.pending = n
	}
	return false, d.err
}

func (d *lzmaDecoder) oneLiteral() {
	w := d.win
	prev := byte(0)
	if w.total > 0 {
		prev = w.at(1)
	}
	ctx := int((w.total&d.lpMask)<<d.lc) + int(prev>>(8-d.lc))
	p := d.literal[0x300*ctx : 0x300*ctx+0x300]
	sym := 1
	if d.state >= 7 {
		m := int(w.at(int(d.rep[0]) + 1))
		for sym < 0x100 {
			mb := m >> 7 & 1
			m <<= 1
			b := d.bit(&p[(1+mb)<<8+sym])
			sym = sym<<1 | b
			if mb != b {
				break
			}
		}
	}
	for sym < 0x100 {
		sym = sym<<1 | d.bit(&p[sym])
	}
	w.put(byte(sym))
	switch {
	case d.state < 4:
		d.state = 0
	case d.state < 10:
		d.state -= 3
	default:
		d.state -= 6
	}
}

// match reads a match and returns its length, with its distance in rep[0]; 0
// for the end marker.
func (d *lzmaDecoder) match(posState int) (int, error) {
	s := d.state
	if d.bit(&d.isRep[s]) == 0 {
		n := d.len(&d.length, posState) + matchMin
		dist := d.distance(n)
		if dist == endDistance {
			return 0, nil
		}
		d.rep = [4]int64{dist, d.rep[0], d.rep[1], d.rep[2]}
		d.state = after(s, 7, 10)
		return n, d.win.check(dist+1, d.src.offset())
	}
	short := false
	if d.bit(&d.isRepG0[s]) == 0 {
		short = d.bit(&d.isRep0Long[s<<4+posState]) == 0
	} else if d.bit(&d.isRepG1[s]) == 0 {
		d.rep[0], d.rep[1] = d.rep[1], d.rep[0]
	} else if d.bit(&d.isRepG2[s]) == 0 {
		d.rep[0], d.rep[1], d.rep[2] = d.rep[2], d.rep[0], d.rep[1]
	} else {
		d.rep = [4]int64{d.rep[3], d.rep[0], d.rep[1], d.rep[2]}
	}
	n := 1
	if short {
		d.state = after(s, 9, 11)
	} else {
		n = d.len(&d.repeated, posState) + matchMin
		d.state = after(s, 8, 11)
	}
	return n, d.win.check(d.rep[0]+1, d.src.offset())
}

// after is the state that follows s: one if a literal came last, another if not.
func after(s, literal, other int) int {
	if s < 7 {
		return literal
	}
	return other
}

func (d *lzmaDecoder) len(l *lengths, posState int) int {
	if d.bit(&l.choice) == 0 {
		return d.tree(l.low[posState][:])
	}
	if d.bit(&l.choice2) == 0 {
		return 8 + d.tree(l.mid[posState][:])
	}
	return 16 + d.tree(l.high[:])
}

func (d *lzmaDecoder) distance(n int) int64 {
	slot := d.tree(d.slot[min(n-matchMin, 3)][:])
	if slot < 4 {
		return int64(slot)
	}
	bits := uint(slot>>1 - 1)
	dist := int64(2|slot&1) << bits
	if slot < 14 {
		return dist + int64(d.reverse(d.special[int(dist)-slot:], bits))
	}
	return dist + int64(d.direct(bits-4))<<4 + int64(d.reverse(d.align[:], 4))
}

// A rangeDecoder reads single bits, each by the probability that it is 0.
type rangeDecoder struct {
	src       *source
	code, rng uint32
	left      int64 // bytes that it may still read; negative: it wanted more
	err       error
}

// begin reads the five bytes that every range-coded part starts with.
func (d *rangeDecoder) begin(left int64) error {
	var b [5]byte
	if left < 5 {
		return format.Brokenf(d.src.offset(), "an LZMA part is too short")
	}
	if err := d.src.full(b[:]); err != nil {
		return err
	}
	if b[0] != 0 {
		return format.Brokenf(d.src.offset()-5, "an LZMA part does not begin with zero")
	}
	d.rng, d.code, d.left, d.err = 1<<32-1, binary.BigEndian.Uint32(b[1:]), left-5, nil
	return nil
}

// normalize takes a further byte. At an error it goes on with zeros: decode
// looks at the error after every symbol.
func (d *rangeDecoder) normalize() {
	var b byte
	if d.err == nil {
		if d.left--; d.left < 0 {
			d.err = format.Brokenf(d.src.offset(), "an LZMA part ends early")
		} else if b, d.err = d.src.ReadByte(); d.err != nil {
			b = 0
			d.err = d.src.fault(d.err)
		}
	}
	d.rng <<= 8
	d.code = d.code<<8 | uint32(b)
}

func (d *rangeDecoder) bit(p *uint16) int {
	if d.rng < 1<<24 {
		d.normalize()
	}
	v := uint32(*p)
	bound := d.rng >> 11 * v
	if d.code < bound {
		d.rng = bound
		*p = uint16(v + (1<<11-v)>>5)
		return 0
	}
	d.rng -= bound
	d.code -= bound
	*p = uint16(v - v>>5)
	return 1
}

// tree reads a number of as many bits as p has powers of two, high bit first.
func (d *rangeDecoder) tree(p []uint16) int {
	m := 1
	for m < len(p) {
		m = m<<1 | d.bit(&p[m])
	}
	return m - len(p)
}

// reverse reads a number low bit first.
func (d *rangeDecoder) reverse(p []uint16, bits uint) int {
	m, v := 1, 0
	for i := range bits {
		b := d.bit(&p[m])
		m = m<<1 | b
		v |= b << i
	}
	return v
}

// direct reads bits that are equally likely.
func (d *rangeDecoder) direct(bits uint) uint32 {
	var v uint32
	for range bits {
		if d.rng < 1<<24 {
			d.normalize()
		}
		d.rng >>= 1
		v <<= 1
		if d.code >= d.rng {
			d.code -= d.rng
			v |= 1
		}
	}
	return v
}

// drained reports that the range coder stands where every stream ends: code
// zero and all of its bytes read.
func (d *rangeDecoder) drained() bool {
	if d.rng < 1<<24 {
		d.normalize()
	}
	return d.err == nil && d.code == 0
}
