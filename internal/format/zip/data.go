package zip

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/squash"
)

// Data returns a reader of a member's data as it was before compression. It
// ends with an error if size or checksum are not what the directory says, or
// if the data goes on after its compressed stream. An encrypted member's data
// is read as if it were not.
func (a *Archive) Data(e *Entry, l *Local) (io.Reader, error) {
	raw := io.NewSectionReader(a.r, l.Data, e.Compressed)
	v := &verified{left: e.Size, want: e.CRC, at: l.Data}
	switch e.Method {
	case Stored:
		if e.Size != e.Compressed {
			return nil, format.Brokenf(e.At, "a member that is not compressed has two sizes")
		}
		v.r = raw
		return v, nil
	case Deflate:
		v.z = squash.Open(squash.Deflate, raw)
	case Bzip2:
		v.z = squash.Open(squash.Bzip2, raw)
	case Zstd:
		v.z = squash.Open(squash.Zstd, raw)
	case Xz:
		v.z = squash.Open(squash.Xz, raw)
	case LZMA:
		// 5.8.8: version, size of the properties, properties.
		var h [9]byte
		if _, err := io.ReadFull(raw, h[:]); err != nil || binary.LittleEndian.Uint16(h[2:]) != 5 {
			return nil, format.Brokenf(l.Data, "the header of an LZMA member is none")
		}
		size := e.Size
		if e.Flags&flagMarker != 0 {
			size = -1
		}
		v.head = int64(len(h))
		v.z = squash.NewLZMA(raw, h[4:], size)
	default:
		return nil, format.Unsupportedf(e.At, "a member is compressed by method %d, which the scanner does not have", e.Method)
	}
	v.r, v.packed = v.z, e.Compressed
	return v, nil
}

// verified holds what r yields against what was promised.
type verified struct {
	r      io.Reader
	z      *squash.Reader // nil: the data is not compressed
	head   int64          // bytes before z's stream
	packed int64          // that z's stream must take
	at     int64
	left   int64
	want   uint32
	crc    uint32
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	if int64(n) > v.left {
		return int(v.left), format.Brokenf(v.at, "a member has more bytes than the directory says")
	}
	v.left -= int64(n)
	v.crc = crc32.Update(v.crc, crc32.IEEETable, p[:n])
	if err == io.EOF {
		switch {
		case v.left > 0:
			err = format.Brokenf(v.at, "a member has fewer bytes than the directory says")
		case v.crc != v.want:
			err = format.Brokenf(v.at, "a member's checksum is wrong")
		case v.z != nil && v.head+v.z.Consumed() != v.packed:
			err = format.Brokenf(v.at, "a member goes on behind the end of its compressed data")
		}
	}
	return n, err
}
