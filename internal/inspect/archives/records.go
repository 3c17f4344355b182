package archives

import (
	"hash/crc32"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// recordsReading knows the records that TensorFlow and PyTorch write: examples,
// and the events that TensorBoard shows. A record is a length of 8 bytes, its
// checksum, so many bytes, and their checksum (tsl/lib/io/record_writer.h).
var recordsReading = inspect.Reading{
	Format: "tfrecord", // often compressed under the same name, so that none is promised
	Match: func(f *inspect.File, head []byte) inspect.Fit {
		return fit(len(head) >= 16 && masked(head[:8]) == uint32(head[8])|uint32(head[9])<<8|uint32(head[10])<<16|uint32(head[11])<<24)
	},
	Inspect: inspectRecords,
}

// masked is the checksum of a record's part: CRC-32C, turned and moved so that
// the checksum of data with checksums in it is of use.
func masked(b []byte) uint32 {
	crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// inspectRecords follows the lengths to the end of the file. What the records
// hold is data for every program that reads them. A log of events may end within
// a record, when what wrote it was stopped.
func inspectRecords(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	for c.Left() > 0 {
		at := c.Offset()
		length := c.Bytes(8, 8)
		sum := c.U32()
		if c.Err() == nil && masked(length) != sum {
			return format.Brokenf(at, "the checksum of a record's length is wrong")
		}
		if c.Err() == nil {
			c.Skip(c.Length(c.Order.Uint64(length)))
			c.Skip(4)
		}
		if err := c.Err(); err != nil {
			if strings.Contains(f.Base(), ".tfevents.") && format.Is(err, format.Broken) {
				return nil
			}
			return err
		}
		if err := p.Step(4); err != nil {
			return err
		}
	}
	return c.Err()
}
