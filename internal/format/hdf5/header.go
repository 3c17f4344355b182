package hdf5

import (
	"slices"

	"github.com/sallyport/sallyport/internal/format"
)

// Kinds of header messages (§IV.A.2).
const (
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgLink          = 0x06
	msgExternal      = 0x07
	msgLayout        = 0x08
	msgFilters       = 0x0b
	msgAttribute     = 0x0c
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgDriver        = 0x14
	msgAttributeInfo = 0x15
	msgCacheImage    = 0x18
)

// maxChunks is how many pieces a header may have.
const maxChunks = 4096

// A message is one part of an object's header.
type message struct {
	kind   uint16
	shared bool  // its body says where it really is
	off    int64 // of the body
	end    int64
}

// A chunk is a piece of an object's header: messages and nothing else.
type chunk struct{ off, end int64 }

// A header is what its messages need to be read.
type header struct {
	version uint8
	ordered bool // messages have a creation order
	chunks  []chunk
}

// messages calls fn for each message of the header at at (§IV.A.1), with the
// cursor at the message's body.
func (w *walker) messages(at int64, fn func(message) error) error {
	h, err := w.header(at)
	for i := 0; err == nil && i < len(h.chunks); i++ {
		err = w.chunk(h, h.chunks[i], fn)
	}
	return err
}

// header reads the beginning of a header of either version.
func (w *walker) header(at int64) (*header, error) {
	w.c.Move(at)
	first := w.c.Peek(1)
	if first == nil {
		return nil, w.c.Err()
	}
	if first[0] == 'O' {
		return w.header2(at)
	}
	v := w.c.U8()
	w.c.Skip(1 + 2 + 4)
	size := w.c.U32()
	w.c.Skip(4)
	if err := w.c.Err(); err != nil {
		return nil, err
	}
	if v != 1 {
		return nil, format.Brokenf(at, "there is no object header where there should be")
	}
	h := &header{version: 1}
	return h, h.add(w, w.c.Offset(), uint64(size))
}

// header2 reads the beginning of a header of version 2.
func (w *walker) header2(at int64) (*header, error) {
	v := w.magic(at, "OHDR")
	flags := w.c.U8()
	if err := w.c.Err(); err != nil {
		return nil, err
	}
	if v != 2 {
		return nil, version(at, "an object header", v)
	}
	if flags&0x20 != 0 {
		w.c.Skip(16)
	}
	if flags&0x10 != 0 {
		w.c.Skip(4)
	}
	size := w.number(1 << (flags & 3))
	if err := w.c.Err(); err != nil {
		return nil, err
	}
	h := &header{version: 2, ordered: flags&0x04 != 0}
	first := w.c.Offset()
	if err := h.add(w, first, size); err != nil {
		return nil, err
	}
	return h, w.checksum(at, first+int64(size)-at)
}

// add adds a chunk of n bytes from off on.
func (h *header) add(w *walker, off int64, n uint64) error {
	if err := w.block(off, n); err != nil {
		return err
	}
	if slices.ContainsFunc(h.chunks, func(c chunk) bool { return c.off == off }) {
		return format.Brokenf(off, "an object header continues where it was before")
	}
	if len(h.chunks) >= maxChunks {
		return format.Exceededf(off, "an object header has more than %d pieces", maxChunks)
	}
	h.chunks = append(h.chunks, chunk{off, off + int64(n)})
	return w.step(len(h.chunks))
}

// chunk reads the messages of one piece; continuations become further pieces.
func (w *walker) chunk(h *header, c chunk, fn func(message) error) error {
	prefix := int64(8)
	if h.version == 2 {
		prefix = 4
		if h.ordered {
			prefix = 6
		}
	}
	for at := c.off; c.end-at >= prefix; {
		if err := w.step(1); err != nil {
			return err
		}
		m := w.message(h, at, prefix)
		if err := w.c.Err(); err != nil {
			return err
		}
		if m.end > c.end {
			return format.Brokenf(at, "a message leaves its object header")
		}
		at = m.end
		var err error
		if m.kind == msgContinuation {
			err = w.continuation(h)
		} else {
			err = fn(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// message reads the beginning of a message.
func (w *walker) message(h *header, at, prefix int64) message {
	w.c.Move(at)
	var m message
	if h.version == 1 {
		m.kind = w.c.U16()
	} else {
		m.kind = uint16(w.c.U8())
	}
	size := w.c.U16()
	m.shared = w.c.U8()&2 != 0
	m.off = at + prefix
	m.end = m.off + int64(size)
	w.c.Move(m.off)
	return m
}

// continuation reads where a header goes on.
func (w *walker) continuation(h *header) error {
	at, ok := w.address()
	size := w.length()
	if err := w.c.Err(); err != nil || !ok {
		return err
	}
	if h.version == 1 {
		return h.add(w, at, size)
	}
	if size < 8 {
		return format.Brokenf(at, "a piece of an object header is too short")
	}
	if err := w.block(at, size); err != nil {
		return err
	}
	w.c.Move(at)
	if b := w.c.Peek(4); b != nil && string(b) != "OCHK" {
		return format.Brokenf(at, "a block does not begin with OCHK")
	}
	if err := w.checksum(at, int64(size)-4); err != nil {
		return err
	}
	return h.add(w, at+4, size-8)
}
