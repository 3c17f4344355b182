package graphs

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Source: mlmodel/src/MILBlob/Blob of coremltools. A head of 64 bytes with a
// count and the version, and then for each constant, at multiples of 64, a head
// and its bytes.
const (
	blobAlign    = 64
	blobSentinel = 0xdeadbeef
)

var coremlWeightsReading = inspect.Reading{
	Format: "coreml-weights",
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if len(head) >= 2*blobAlign && bytes.Equal(head[4:8], []byte{2, 0, 0, 0}) &&
			len(bytes.Trim(head[8:blobAlign], "\x00")) == 0 && bytes.Equal(head[blobAlign:blobAlign+4], []byte{0xef, 0xbe, 0xad, 0xde}) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: inspectWeights,
}

func inspectWeights(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	count := c.Count(uint64(c.U32()), blobAlign)
	at := int64(blobAlign)
	for range count {
		c.Move(at)
		sentinel, _ := c.U32(), c.U32()
		size, off := c.U64(), c.U64()
		if c.Err() == nil && (sentinel != blobSentinel || off != uint64(at)+blobAlign) {
			return format.Brokenf(at, "a constant does not begin where it should")
		}
		c.Skip(at + blobAlign - c.Offset())
		c.Skip(c.Length(size))
		if err := c.Err(); err != nil {
			return err
		}
		at = (c.Offset() + blobAlign - 1) / blobAlign * blobAlign
		if err := p.Step(1); err != nil {
			return err
		}
	}
	if c.Left() >= blobAlign {
		return format.Brokenf(c.Offset(), "%d bytes follow the last constant", c.Left())
	}
	return c.Err()
}
