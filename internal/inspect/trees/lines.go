package trees

import (
	"bufio"
	"errors"
	"io"
	"strconv"

	"github.com/sallyport/sallyport/internal/format"
)

// lines reads text of lines that are keys with long lists of values, in constant
// memory.
type lines struct {
	r   *bufio.Reader
	off int64 // of the next byte
}

// maxField is how long a key or value may be.
const maxField = 4096

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// key reads the beginning of a line, up to "=" or its end, which valued tells
// apart. At the end of the file it returns io.EOF.
func (l *lines) key() (key string, valued bool, err error) {
	key, end, err := l.upTo("=\n")
	if err == io.EOF && key != "" {
		return key, false, nil
	}
	return key, end == '=', err
}

// field reads the next value of a line; last is set if the line ends behind it.
func (l *lines) field() (value string, last bool, err error) {
	value, end, err := l.upTo(" \n")
	if err == io.EOF {
		return value, true, nil
	}
	return value, end == '\n', err
}

// rest drops the rest of a line.
func (l *lines) rest() error {
	for {
		b, err := l.r.ReadSlice('\n')
		l.off += int64(len(b))
		switch {
		case err == nil || err == io.EOF:
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// upTo reads up to one of two bytes and returns what it was.
func (l *lines) upTo(ends string) (string, byte, error) {
	var out []byte
	for {
		b, err := l.r.ReadByte()
		if err != nil {
			return string(out), 0, err
		}
		l.off++
		if b == ends[0] || b == ends[1] {
			if n := len(out); b == '\n' && n > 0 && out[n-1] == '\r' {
				out = out[:n-1]
			}
			return string(out), b, nil
		}
		if b == 0 {
			return "", 0, format.Brokenf(l.off-1, "a zero byte within text")
		}
		if len(out) >= maxField {
			return "", 0, format.Exceededf(l.off, "a word of more than %d bytes", maxField)
		}
		out = append(out, b)
	}
}

// each reads the values of a line, and counts them.
func (l *lines) each(fn func(value string) error) (n int, err error) {
	for {
		value, last, err := l.field()
		if err != nil {
			return n, err
		}
		if value != "" {
			n++
			if fn != nil {
				if err := fn(value); err != nil {
					return n, err
				}
			}
		}
		if last {
			return n, nil
		}
	}
}

// ints reads a line of whole numbers; what is none becomes a number that is no
// index.
func (l *lines) ints(list *[]int32) error {
	_, err := l.each(func(value string) error { return add(list, l.off, whole(value)) })
	return err
}

// whole is the value as a number, or one that is no index.
func whole(value string) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return -1 << 62
	}
	return n
}
