package blob

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

// MaxSegment bounds the bytes of one segment, so that a damaged length cannot
// ask for more memory than that.
const MaxSegment = 64 << 20

// maxSealed bounds what MaxSegment bytes can become: stored as is, framed,
// padded and sealed.
var maxSealed = int64(seal.PadTo(frameHeader+MaxSegment) + seal.Overhead)

const (
	frameHeader = 1 + 4 + 4

	methodRaw = 0
	methodS2  = 1
)

// buffers holds the scratch space of sealing and opening.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// appendFrame appends the frame of plain to dst. S2 halves a table at three
// times the speed of Zstandard's fastest level, which would make it a third:
// data is waited for more often than disks are bought.
func appendFrame(dst, plain []byte) []byte {
	start := len(dst)
	body := start + frameHeader
	room := frameHeader + s2.MaxEncodedLen(len(plain))
	dst = slices.Grow(dst, room)[:start+room]
	method := byte(methodS2)
	packed := s2.Encode(dst[body:], plain)
	dst = dst[:body+len(packed)]
	if len(packed) >= len(plain) {
		method = methodRaw
		dst = append(dst[:body], plain...)
	}
	payload := len(dst) - start - frameHeader
	dst[start] = method
	binary.BigEndian.PutUint32(dst[start+1:], uint32(len(plain)))
	binary.BigEndian.PutUint32(dst[start+5:], uint32(payload))
	return append(dst, make([]byte, seal.PadTo(len(dst)-start)-(len(dst)-start))...)
}

// openFrame appends the bytes that frame holds to dst. An error is of kind
// Corrupt.
func openFrame(dst, frame []byte) ([]byte, error) {
	bad := sallyport.Errorf(sallyport.Corrupt, "a segment's frame contradicts itself")
	if len(frame) < frameHeader {
		return nil, bad
	}
	size := int64(binary.BigEndian.Uint32(frame[1:]))
	payload := int64(binary.BigEndian.Uint32(frame[5:]))
	if size > MaxSegment || payload > size || int64(len(frame)) != int64(seal.PadTo(frameHeader+int(payload))) {
		return nil, bad
	}
	body := frame[frameHeader : frameHeader+payload]
	switch frame[0] {
	case methodRaw:
		if payload != size {
			return nil, bad
		}
		return append(dst, body...), nil
	case methodS2:
		if n, err := s2.DecodedLen(body); err != nil || int64(n) != size {
			return nil, bad
		}
		start, end := len(dst), len(dst)+int(size)
		dst = slices.Grow(dst, int(size))[:end]
		if _, err := s2.Decode(dst[start:end], body); err != nil {
			return nil, bad
		}
		return dst, nil
	}
	return nil, bad
}

// place is the associated data of the segment at off in a pack, for its bytes
// and for its wrapped key.
func place(pack string, off int64) string { return fmt.Sprintf("segment %s %d", pack, off) }
