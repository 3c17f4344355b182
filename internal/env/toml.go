package env

import (
	"bytes"
	"errors"

	"github.com/sallyport/sallyport/internal/format"
)

// again is what to do about a lock that its tool has not written like this.
const again = "make the lock again"

// broken says what is wrong with a lock in TOML: at the byte that the reader
// names, or else at the line of the table that it was at.
func (l *Lock) broken(text []byte, line int, err error) error {
	e, ok := errors.AsType[*format.Error](err)
	if !ok {
		return err
	}
	if e.Off >= 0 {
		line = 1 + bytes.Count(text[:e.Off], []byte{'\n'})
	}
	return l.errorf(line, "a %s that cannot be read: %s", l.Format, e.Text).Try(again)
}
