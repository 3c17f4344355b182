package blob

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

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

	methodRaw  = 0
	methodZstd = 1
)

// One encoder and one decoder serve the whole process: both are safe for
// concurrent use and keep a state per processor. The checksum is left out
// because the tag of the sealed segment is a better one.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
	if err != nil {
		panic(err) // only for options that contradict each other
	}
	return e
})

var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderMaxMemory(MaxSegment), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err)
	}
	return d
})

// buffers holds the scratch space of sealing and opening.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// appendFrame appends the frame of plain to dst.
func appendFrame(dst, plain []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, frameHeader)...)
	dst = encoder().EncodeAll(plain, dst)
	method := byte(methodZstd)
	if len(dst)-start-frameHeader >= len(plain) {
		method = methodRaw
		dst = append(dst[:start+frameHeader], plain...)
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
	case methodZstd:
		start, end := len(dst), len(dst)+int(size)
		dst = slices.Grow(dst, int(size))
		out, err := decoder().DecodeAll(body, dst[start:start:end])
		if err != nil || int64(len(out)) != size {
			return nil, bad
		}
		return dst[:end], nil
	}
	return nil, bad
}

// place is the associated data of the segment at off in a pack, for its bytes
// and for its wrapped key.
func place(pack string, off int64) string { return fmt.Sprintf("segment %s %d", pack, off) }
