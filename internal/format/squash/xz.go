package squash

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// The container is that of "The .xz File Format", version 1.2.1; the numbers in
// the comments are its sections.

const xzMagic = "\xfd7zXZ\x00"

// An xzReader reads the blocks of one stream. What its index must say is kept
// as a hash, so that memory does not grow with the number of blocks.
type xzReader struct {
	src    *source
	flags  [2]byte
	check  func() hash.Hash // nil: none
	block  *xzBlock
	blocks uint64
	sizes  hash.Hash
}

// xzParts reads the streams of a file and the padding between them.
func xzParts(src *source) func() (io.Reader, error) {
	first := true
	return func() (io.Reader, error) {
		if !first {
			// 2.2: padding is zeros by fours, and only before another stream or
			// at the end.
			for src.begins("\x00\x00\x00\x00") {
				src.Discard(4)
			}
			if !src.begins(xzMagic) {
				return nil, io.EOF
			}
		}
		first = false
		return openXz(src)
	}
}

// openXz reads a stream header (2.1.1).
func openXz(src *source) (io.Reader, error) {
	var h [12]byte
	if err := src.full(h[:]); err != nil {
		return nil, err
	}
	if string(h[:6]) != xzMagic || binary.LittleEndian.Uint32(h[8:]) != crc32.ChecksumIEEE(h[6:8]) {
		return nil, format.Brokenf(src.offset()-12, "the header of an xz stream is none")
	}
	z := &xzReader{src: src, flags: [2]byte(h[6:8]), sizes: sha256.New()}
	switch {
	case z.flags == [2]byte{0, 0}:
	case z.flags == [2]byte{0, 1}:
		z.check = func() hash.Hash { return crc32.NewIEEE() }
	case z.flags == [2]byte{0, 4}:
		z.check = func() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }
	case z.flags == [2]byte{0, 10}:
		z.check = sha256.New
	default:
		return nil, format.Unsupportedf(src.offset()-6, "an xz stream has a checksum of an unknown kind")
	}
	return z, nil
}

func (z *xzReader) Read(p []byte) (int, error) {
	for {
		if z.block == nil {
			size, err := z.src.ReadByte()
			if err != nil {
				return 0, z.src.fault(err)
			}
			if size == 0 {
				if err := z.index(); err != nil {
					return 0, err
				}
				return 0, io.EOF
			}
			if z.block, err = openBlock(z.src, size, z.check); err != nil {
				return 0, err
			}
		}
		n, err := z.block.Read(p)
		if err == io.EOF {
			err = z.blockEnd()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// blockEnd notes the sizes of a block that has been read to its end.
func (z *xzReader) blockEnd() error {
	unpadded, err := z.block.end()
	if err != nil {
		return err
	}
	z.note(uint64(unpadded), uint64(z.block.yielded))
	z.blocks++
	z.block = nil
	return nil
}

func (z *xzReader) note(a, b uint64) {
	z.sizes.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, a), b))
}

// index reads the index (4), whose first byte has been read, holds it against
// the blocks, and then the stream footer (2.1.2).
func (z *xzReader) index() error {
	want := z.sizes.Sum(nil)
	z.sizes.Reset()
	in := &summed{src: z.src, crc: crc32.NewIEEE()}
	in.crc.Write([]byte{0})
	in.n = 1
	blocks := in.number()
	if in.err == nil && blocks != z.blocks {
		return format.Brokenf(z.src.offset(), "the index of an xz stream counts other blocks than there are")
	}
	for range z.blocks {
		a, b := in.number(), in.number()
		if in.err != nil {
			return in.err
		}
		z.note(a, b)
	}
	for in.n%4 != 0 && in.err == nil {
		if in.byte() != 0 {
			in.err = format.Brokenf(z.src.offset(), "the padding of an xz index is not zero")
		}
	}
	if in.err != nil {
		return in.err
	}
	if !bytes.Equal(z.sizes.Sum(nil), want) {
		return format.Brokenf(z.src.offset(), "the index of an xz stream has other sizes than its blocks")
	}
	size, sum := in.n, in.crc.Sum32()
	var b [16]byte // CRC of the index, and the footer
	if err := z.src.full(b[:]); err != nil {
		return err
	}
	le := binary.LittleEndian
	if le.Uint32(b[:]) != sum || le.Uint32(b[4:]) != crc32.ChecksumIEEE(b[8:14]) ||
		(int64(le.Uint32(b[8:]))+1)*4 != size+4 || [2]byte(b[12:14]) != z.flags || string(b[14:]) != "YZ" {
		return format.Brokenf(z.src.offset()-16, "the end of an xz stream is not what its beginning says")
	}
	return nil
}

// summed reads bytes and numbers, and keeps their count and CRC.
type summed struct {
	src *source
	n   int64
	crc hash.Hash32
	err error
}

func (s *summed) byte() byte {
	if s.err != nil {
		return 0
	}
	b, err := s.src.ReadByte()
	if err != nil {
		s.err = s.src.fault(err)
		return 0
	}
	s.n++
	s.crc.Write([]byte{b})
	return b
}

// number reads a multibyte integer (1.2).
func (s *summed) number() uint64 {
	var v uint64
	for i := range 9 {
		b := s.byte()
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				break
			}
			return v
		}
	}
	if s.err == nil {
		s.err = format.Brokenf(s.src.offset(), "a number in an xz stream is none")
	}
	return 0
}
