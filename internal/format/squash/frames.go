package squash

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/sallyport/sallyport/internal/format"
)

// A frame yields the bytes of one frame, found by the sizes that it is made of,
// so that the decoder of the frame sees its end and nothing of what follows.
type frame struct {
	src  *source
	head []byte // of what was read to find out how far to go on
	owed int64  // bytes of the source that follow head
	// more reads what stands after those and sets head and owed, or returns
	// io.EOF at the end of the frame.
	more func(*frame) error
}

func (f *frame) Read(p []byte) (int, error) {
	for len(f.head) == 0 && f.owed == 0 {
		if err := f.more(f); err != nil {
			return 0, err
		}
	}
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	n, err := f.src.Read(p[:min(int64(len(p)), f.owed)])
	f.owed -= int64(n)
	if n == 0 && err != nil {
		return 0, f.src.fault(err)
	}
	return n, nil
}

// take reads n bytes of the frame's structure and passes them on.
func (f *frame) take(n int) ([]byte, error) {
	at := len(f.head)
	f.head = append(f.head, make([]byte, n)...)
	return f.head[at:], f.src.full(f.head[at:])
}

// skippable passes over frames that hold nothing of the stream, and reports
// whether one with the magic number follows.
func skippable(src *source, is func(magic uint32) bool) (bool, error) {
	for {
		b, _ := src.Peek(4)
		if len(b) < 4 {
			return false, nil
		}
		magic := binary.LittleEndian.Uint32(b)
		if magic&^15 != 0x184D2A50 {
			return is(magic), nil
		}
		var h [8]byte
		if err := src.full(h[:]); err != nil {
			return false, err
		}
		if _, err := io.CopyN(io.Discard, src, int64(binary.LittleEndian.Uint32(h[4:]))); err != nil {
			return false, src.fault(err)
		}
	}
}

// frames reads frame by frame, of which a stream has one at least. Is knows the
// magic numbers of frames, and open returns what one holds.
func frames(src *source, is func(magic uint32) bool, open func(*frame) (io.Reader, error)) func() (io.Reader, error) {
	first := true
	return func() (io.Reader, error) {
		more, err := skippable(src, is)
		if err == nil && !more {
			if err = io.EOF; first {
				err = format.Brokenf(src.offset(), "the compressed stream is none")
			}
		}
		if err != nil {
			return nil, err
		}
		first = false
		return open(&frame{src: src})
	}
}

// zstdParts reads frames of RFC 8878, 3.1.
func zstdParts(src *source) func() (io.Reader, error) {
	var dec *zstd.Decoder
	return frames(src, func(magic uint32) bool { return magic == 0xFD2FB528 }, func(f *frame) (_ io.Reader, err error) {
		f.more = zstdHeader
		if dec == nil {
			// The options are constants, which it accepts.
			dec, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(maxWindow))
		} else {
			err = dec.Reset(f)
		}
		return zstdReader{dec, src}, err
	})
}

// A zstdReader tells a window that is too large from a broken frame.
type zstdReader struct {
	dec *zstd.Decoder
	src *source
}

func (z zstdReader) Read(p []byte) (int, error) {
	n, err := z.dec.Read(p)
	switch err {
	case zstd.ErrWindowSizeExceeded, zstd.ErrDecoderSizeExceeded:
		err = format.Exceededf(z.src.offset(), "the compressed stream refers more than %d MiB back", maxWindow>>20)
	case zstd.ErrUnknownDictionary:
		err = format.Unsupportedf(z.src.offset(), "the compressed stream needs a dictionary that is not in it")
	}
	return n, err
}

// zstdHeader reads a frame header (3.1.1.1).
func zstdHeader(f *frame) error {
	b, err := f.take(5)
	if err != nil {
		return err
	}
	flags := b[4]
	n := [...]int{0, 1, 2, 4}[flags&3]      // dictionary
	n += [...]int{0, 2, 4, 8}[flags>>6]     // content size
	if single := flags&0x20 != 0; !single { // window
		n++
	} else if flags>>6 == 0 {
		n++
	}
	f.more = zstdBlock(flags&4 != 0)
	_, err = f.take(n)
	return err
}

// zstdBlock reads a block header (3.1.1.2), and after the last one the checksum.
func zstdBlock(sum bool) func(*frame) error {
	return func(f *frame) error {
		f.head = f.head[:0]
		b, err := f.take(3)
		if err != nil {
			return err
		}
		h := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		if f.owed = int64(h >> 3); h>>1&3 == 1 { // one byte, repeated
			f.owed = 1
		}
		if h&1 != 0 {
			if sum {
				f.owed += 4
			}
			f.more = func(*frame) error { return io.EOF }
		}
		return nil
	}
}

// Magic numbers of LZ4 frames.
const (
	lz4Magic  = 0x184D2204
	lz4Legacy = 0x184C2102
)

// lz4Parts reads frames of the LZ4 frame format 1.6.4.
func lz4Parts(src *source) func() (io.Reader, error) {
	return frames(src, func(magic uint32) bool { return magic == lz4Magic || magic == lz4Legacy }, func(f *frame) (io.Reader, error) {
		f.more = lz4Header
		if src.begins("\x02\x21\x4c\x18") {
			f.more = lz4LegacyHeader
		}
		dec := lz4.NewReader(f)
		return dec, dec.Apply(lz4.ConcurrencyOption(1))
	})
}

// lz4Header reads magic number and descriptor.
func lz4Header(f *frame) error {
	b, err := f.take(6)
	if err != nil {
		return err
	}
	flags := b[4]
	n := 1 // checksum of the header
	if flags&0x08 != 0 {
		n += 8
	}
	if flags&0x01 != 0 {
		return format.Unsupportedf(f.src.offset(), "the compressed stream needs a dictionary that is not in it")
	}
	f.more = lz4Block(flags&0x10 != 0, flags&0x04 != 0)
	_, err = f.take(n)
	return err
}

// lz4Block reads the size of a block; 0 ends the frame.
func lz4Block(blockSum, sum bool) func(*frame) error {
	return func(f *frame) error {
		f.head = f.head[:0]
		b, err := f.take(4)
		if err != nil {
			return err
		}
		size := binary.LittleEndian.Uint32(b)
		if f.owed = int64(size &^ (1 << 31)); size == 0 {
			if sum {
				f.owed = 4
			}
			f.more = func(*frame) error { return io.EOF }
		} else if blockSum {
			f.owed += 4
		}
		return nil
	}
}

// lz4LegacyHeader and what follows it: blocks up to the end of the file or the
// magic number of another frame.
func lz4LegacyHeader(f *frame) error {
	f.more = func(f *frame) error {
		f.head = f.head[:0]
		if b, _ := f.src.Peek(4); len(b) == 0 {
			return io.EOF
		} else if len(b) == 4 {
			switch size := binary.LittleEndian.Uint32(b); {
			case size == lz4Magic, size == lz4Legacy, size&^15 == 0x184D2A50:
				return io.EOF
			}
		}
		b, err := f.take(4)
		if err != nil {
			return err
		}
		f.owed = int64(binary.LittleEndian.Uint32(b))
		return nil
	}
	_, err := f.take(4)
	return err
}
