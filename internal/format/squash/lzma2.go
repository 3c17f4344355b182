package squash

import (
	"encoding/binary"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// An lzma2Reader reads LZMA2: chunks of LZMA or of bytes as they are, up to a
// zero byte. Bounds of a chunk are 2 MiB expanded and 64 KiB compressed.
type lzma2Reader struct {
	lzmaDecoder
	owed     int64 // bytes that the chunk will still yield
	stored   bool  // the chunk is not compressed
	primed   bool  // a chunk has reset the dictionary
	learnt   bool  // a chunk has set properties
	inChunk  bool
	finished bool
}

// newLZMA2 reads what follows in src, with the dictionary that the property
// byte says (xz file format 5.3.1).
func newLZMA2(src *source, prop byte) (*lzma2Reader, error) {
	if prop > 40 {
		return nil, format.Brokenf(src.offset(), "the size of an LZMA2 dictionary is none")
	}
	dict := int64(2|prop&1) << (prop/2 + 11)
	z := &lzma2Reader{}
	z.src, z.win = src, newWindow(dict)
	return z, nil
}

// NewLZMA2 reads a stream without a header, whose dictionary's property byte
// stands elsewhere.
func NewLZMA2(r io.Reader, prop byte) *Reader {
	src := newSource(r)
	return &Reader{src: src, next: once(func() (io.Reader, error) { return newLZMA2(src, prop) })}
}

func (z *lzma2Reader) Read(p []byte) (int, error) {
	for {
		if n := z.win.take(p); n > 0 {
			return n, nil
		}
		if z.finished {
			return 0, io.EOF
		}
		if z.owed == 0 {
			if err := z.chunk(); err != nil {
				return 0, err
			}
			continue
		}
		before := z.win.total
		var err error
		if z.stored {
			err = z.copy()
		} else {
			var marker bool
			if marker, err = z.decode(z.owed); marker && err == nil {
				err = format.Brokenf(z.src.offset(), "an LZMA2 chunk holds an end marker")
			}
		}
		z.owed -= z.win.total - before
		if err != nil && z.win.taken == z.win.pos {
			return 0, err
		}
	}
}

// copy moves bytes of a stored chunk.
func (z *lzma2Reader) copy() error {
	w := z.win
	n := min(z.owed, int64(w.room()))
	if err := z.src.full(w.buf[w.pos : w.pos+int(n)]); err != nil {
		return err
	}
	w.pos += int(n)
	w.total += n
	return nil
}

// chunk reads the header of the next chunk.
func (z *lzma2Reader) chunk() error {
	broken := func(text string) error { return format.Brokenf(z.src.offset(), "%s", text) }
	if z.inChunk && !z.stored && (z.pending > 0 || !z.drained() || z.left != 0) {
		return broken("an LZMA2 chunk does not end where its size says")
	}
	var b [5]byte
	if err := z.src.full(b[:1]); err != nil {
		return err
	}
	control := b[0]
	if control == 0 {
		z.finished = true
		return nil
	}
	if control == 1 || control >= 0xe0 {
		z.win.reset()
		z.primed, z.learnt = true, false
	}
	if !z.primed {
		return broken("the first LZMA2 chunk does not reset the dictionary")
	}
	z.inChunk = true
	if control < 0x80 {
		if control > 2 {
			return broken("an LZMA2 chunk is of no known kind")
		}
		if err := z.src.full(b[:2]); err != nil {
			return err
		}
		z.stored, z.owed = true, int64(binary.BigEndian.Uint16(b[:]))+1
		return nil
	}
	if err := z.src.full(b[:4]); err != nil {
		return err
	}
	z.stored, z.owed = false, int64(control&0x1f)<<16+int64(binary.BigEndian.Uint16(b[:]))+1
	switch reset := control >> 5 & 3; {
	case reset >= 2:
		if err := z.src.full(b[4:]); err != nil {
			return err
		}
		if err := z.properties(b[4], z.src.offset()); err != nil {
			return err
		}
		if z.lc+uint(bitsOf(z.lpMask)) > 4 {
			return broken("the properties of an LZMA2 chunk are none")
		}
		z.learnt = true
	case !z.learnt:
		return broken("the first LZMA2 chunk has no properties")
	case reset == 1:
		z.forget()
	}
	return z.begin(int64(binary.BigEndian.Uint16(b[2:])) + 1)
}

// bitsOf counts the bits of a mask of low bits.
func bitsOf(mask int64) int {
	n := 0
	for ; mask > 0; mask >>= 1 {
		n++
	}
	return n
}
