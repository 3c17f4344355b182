package archives

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// wandbBlock is how many bytes a block of the log has.
const wandbBlock = 32 << 10

// wandbReading knows the log that Weights & Biases writes beside a run: a mark,
// and then blocks of records as LevelDB writes its logs (doc/log_format.md): a
// checksum of 4 bytes, a length of 2, a kind, and so many bytes. Fewer than 7
// bytes at the end of a block are zero.
var wandbReading = inspect.Reading{
	Format: "wandb-log", Extensions: []string{".wandb"},
	Match:   begins(":W&B\xe1\xbe"),
	Inspect: inspectWandb,
}

// inspectWandb follows the records, which are data to the one program that reads
// them. The log may end within one, when the run was stopped.
func inspectWandb(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	c.Skip(7)
	for c.Left() > 0 {
		at := c.Offset()
		if rest := wandbBlock - at%wandbBlock; rest < 7 {
			if fill := c.Bytes(uint64(min(rest, c.Left())), 7); len(bytes.Trim(fill, "\x00")) > 0 {
				return format.Brokenf(at, "bytes at the end of a block belong to no record")
			}
			continue
		}
		if c.Left() < 7 {
			break
		}
		c.Skip(4)
		n, kind := int64(c.U16()), c.U8()
		if c.Err() == nil && (kind < 1 || kind > 4 || at%wandbBlock+7+n > wandbBlock) {
			return format.Brokenf(at, "no record where one must be")
		}
		c.Skip(min(n, c.Left()))
		if err := p.Step(2); err != nil {
			return err
		}
	}
	return c.Err()
}
