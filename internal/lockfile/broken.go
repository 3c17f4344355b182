package lockfile

import (
	"bytes"
	"errors"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format"
)

// broken says where a file is not what its format demands. err is what the
// format's reader said of b.
func broken(name string, b []byte, err error) error {
	e, ok := errors.AsType[*format.Error](err)
	if !ok {
		return sallyport.Errorf(sallyport.Invalid, "cannot be read: %w", err).At("%s", name)
	}
	kind := sallyport.Invalid
	if e.Kind == format.Exceeded {
		kind = sallyport.Limit
	}
	place := Place{File: name}
	if e.Off >= 0 {
		place.Line = lineAt(b, e.Off)
	}
	return sallyport.Errorf(kind, "%s", e.Text).At("%s", place).Try("mend the file, or have its tool write it again")
}

var errNoObject = format.Brokenf(0, "not an object")

// lineAt returns the line of a byte.
func lineAt(b []byte, off int64) int { return (&lineCounter{b: b}).at(off) }

// A lineCounter tells the lines of bytes. Going forwards it reads the text once.
type lineCounter struct {
	b     []byte
	off   int64
	lines int // before off
}

func (c *lineCounter) at(off int64) int {
	off = min(max(off, 0), int64(len(c.b)))
	if off < c.off {
		c.off, c.lines = 0, 0
	}
	c.lines += bytes.Count(c.b[c.off:off], []byte("\n"))
	c.off = off
	return c.lines + 1
}
