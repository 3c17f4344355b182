package hdf5

import (
	"encoding/binary"
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
)

// checksum compares the n bytes from off on with the checksum that follows
// them, and leaves the cursor behind it. It is Bob Jenkins's lookup3 hash, as
// §VI of the specification has it: three words of state, twelve bytes a round.
func (w *walker) checksum(off, n int64) error {
	if err := w.block(off, uint64(n)+4); err != nil {
		return err
	}
	if err := w.step(1 + int(n>>6)); err != nil {
		return err
	}
	w.c.Move(off)
	a := 0xdeadbeef + uint32(n)
	b, c := a, a
	for ; n > 12; n -= 12 {
		p := w.c.Peek(12)
		if p == nil {
			return w.c.Err()
		}
		a += binary.LittleEndian.Uint32(p)
		b += binary.LittleEndian.Uint32(p[4:])
		c += binary.LittleEndian.Uint32(p[8:])
		a, b, c = mix(a, b, c)
		w.c.Skip(12)
	}
	if n > 0 {
		var last [12]byte
		copy(last[:], w.c.Peek(int(n)))
		w.c.Skip(n)
		a += binary.LittleEndian.Uint32(last[:])
		b += binary.LittleEndian.Uint32(last[4:])
		c += binary.LittleEndian.Uint32(last[8:])
		c = final(a, b, c)
	}
	at := w.c.Offset()
	if sum := w.c.U32(); w.c.Err() == nil && sum != c {
		return format.Brokenf(at, "a block does not have its checksum")
	}
	return w.c.Err()
}

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	for _, r := range [...][3]int{{4, 6, 8}, {16, 19, 4}} {
		a = (a - c) ^ bits.RotateLeft32(c, r[0])
		c += b
		b = (b - a) ^ bits.RotateLeft32(a, r[1])
		a += c
		c = (c - b) ^ bits.RotateLeft32(b, r[2])
		b += a
	}
	return a, b, c
}

func final(a, b, c uint32) uint32 {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}
