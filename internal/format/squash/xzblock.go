package squash

import (
	"bytes"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"

	"github.com/sallyport/sallyport/internal/format"
)

// Filters of a block (5.3).
const (
	filterDelta = 0x03
	filterX86   = 0x04
	filterLZMA2 = 0x21
)

// An xzBlock reads one block (3).
type xzBlock struct {
	src                  *source
	dec                  io.Reader
	start, data          int64 // where its header and its data begin
	compressed, expanded int64 // as its header has them; -1: it does not
	yielded              int64
	check                hash.Hash
}

// openBlock reads a block header (3.1), whose first byte has been read.
func openBlock(src *source, size byte, check func() hash.Hash) (*xzBlock, error) {
	b := &xzBlock{src: src, start: src.offset() - 1, compressed: -1, expanded: -1}
	header := make([]byte, (int(size)+1)*4)
	header[0] = size
	if err := src.full(header[1:]); err != nil {
		return nil, err
	}
	body := header[:len(header)-4]
	if binary.LittleEndian.Uint32(header[len(body):]) != crc32.ChecksumIEEE(body) {
		return nil, format.Brokenf(b.start, "the header of an xz block is damaged")
	}
	b.data = src.offset()
	in := &summed{src: newSource(bytes.NewReader(body[2:])), crc: crc32.NewIEEE()}
	flags := body[1]
	if flags&0x3c != 0 {
		return nil, format.Unsupportedf(b.start, "an xz block has flags of an unknown kind")
	}
	if flags&0x40 != 0 {
		b.compressed = int64(in.number())
	}
	if flags&0x80 != 0 {
		b.expanded = int64(in.number())
	}
	if err := b.filters(in, int(flags&3)+1); err != nil {
		return nil, err
	}
	for in.n < int64(len(body)-2) {
		if in.byte() != 0 {
			return nil, format.Unsupportedf(b.start, "the header of an xz block has fields of an unknown kind")
		}
	}
	if check != nil {
		b.check = check()
	}
	return b, nil
}

// filters reads the list of filters, the last of which is LZMA2 and reads the
// stream, and lays the others over it.
func (b *xzBlock) filters(in *summed, n int) error {
	var over []func(io.Reader) io.Reader
	for i := range n {
		id, size := in.number(), in.number()
		if in.err == nil && size > 1024 {
			in.err = format.Brokenf(b.start, "the header of an xz block is damaged")
		}
		var props []byte
		for range size {
			props = append(props, in.byte())
			if in.err != nil {
				break
			}
		}
		if in.err != nil {
			return format.Brokenf(b.start, "the header of an xz block is damaged")
		}
		last := i == n-1
		switch {
		case last && id == filterLZMA2 && len(props) == 1:
			dec, err := newLZMA2(b.src, props[0])
			if err != nil {
				return err
			}
			b.dec = dec
		case !last && id == filterDelta && len(props) == 1:
			over = append(over, func(r io.Reader) io.Reader { return NewDelta(r, int(props[0])+1) })
		case !last && id == filterX86 && len(props) == 0:
			over = append(over, NewX86)
		default:
			return format.Unsupportedf(b.start, "an xz block has a filter that the scanner does not have")
		}
	}
	for i := len(over) - 1; i >= 0; i-- {
		b.dec = over[i](b.dec)
	}
	return nil
}

func (b *xzBlock) Read(p []byte) (int, error) {
	n, err := b.dec.Read(p)
	b.yielded += int64(n)
	if b.check != nil {
		b.check.Write(p[:n])
	}
	return n, err
}

// end reads padding and checksum (3.3, 3.4) and returns the size of the block
// without its padding.
func (b *xzBlock) end() (unpadded int64, err error) {
	used := b.src.offset() - b.data
	if b.compressed >= 0 && b.compressed != used || b.expanded >= 0 && b.expanded != b.yielded {
		return 0, format.Brokenf(b.src.offset(), "an xz block has other sizes than its header says")
	}
	pad := make([]byte, -used&3)
	if err := b.src.full(pad); err != nil {
		return 0, err
	}
	var want []byte
	if b.check != nil {
		want = make([]byte, b.check.Size())
		if err := b.src.full(want); err != nil {
			return 0, err
		}
		got := b.check.Sum(nil)
		if b.check.Size() < 32 { // the CRCs are written low byte first
			for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
				got[i], got[j] = got[j], got[i]
			}
		}
		if !bytes.Equal(got, want) {
			return 0, format.Brokenf(b.src.offset(), "the checksum of an xz block is wrong")
		}
	}
	for _, x := range pad {
		if x != 0 {
			return 0, format.Brokenf(b.data+used, "the padding of an xz block is not zero")
		}
	}
	return b.data - b.start + used + int64(len(want)), nil
}
