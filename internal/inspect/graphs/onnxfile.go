package graphs

import (
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// An onnxFile says where the data of a tensor lies outside of the model.
type onnxFile struct {
	location, offset, length string
	keys                     int // of those three that were there
}

// location reads one entry of external_data. Runtimes take the last of two
// equal keys or the first, and some set whatever key they are given on an object
// of theirs; so each may stand once, and others than the documented may not.
func (m *onnxModel) location(entry protobuf.Part, to *onnxFile) error {
	var key, value string
	err := entry.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "key":
			key, err = v.String(maxName)
		case "value":
			value, err = v.String(maxName)
		}
		return err
	})
	if err != nil {
		return err
	}
	var at *string
	bit := 1
	switch key {
	case "location":
		at = &to.location
	case "offset":
		at, bit = &to.offset, 2
	case "length":
		at, bit = &to.length, 4
	case "checksum":
		at, bit = new(string), 8
	default:
		m.outside(entry.Off, inspect.Suspicious, key, "a key that no description of external data has")
		return nil
	}
	if to.keys&bit != 0 {
		m.outside(entry.Off, inspect.Suspicious, key, "the key stands twice: programs differ in which they take")
	}
	to.keys |= bit
	*at = value
	return nil
}

// external checks that the data of a tensor lies in a regular file in the
// model's folder or below, and that the file is long enough.
func (m *onnxModel) external(off int64, t *onnxTensor) error {
	if where := t.file.location; strings.HasPrefix(where, "*/") {
		m.outside(off, inspect.Malicious, where, "it stands for an address in the memory of the program that loads the model")
		return nil
	}
	if entry, ok := beside(m.p, m.f, off, t.file.location); ok {
		m.span(off, t, entry.Size)
	}
	return nil
}

// span checks the part of a file that a tensor takes.
func (m *onnxModel) span(off int64, t *onnxTensor, size int64) {
	begin, ok := whole(t.file.offset, 0)
	length, ok2 := whole(t.file.length, t.bytes)
	switch {
	case !ok || !ok2:
		m.invalid(off, t.label(), "an offset or a length in another file is no number")
	case length != t.bytes:
		m.invalid(off, t.label(), "its data in another file is longer or shorter than its shape and type say")
	case begin > size || length > size-begin:
		m.invalid(off, t.label(), "its data leaves the file that should hold it")
	}
}

// whole is the number that a text stands for, or absent if it is empty.
func whole(text string, absent int64) (int64, bool) {
	if text == "" {
		return absent, true
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil
}

func (m *onnxModel) outside(off int64, v inspect.Verdict, what, why string) {
	m.p.Find(m.f, inspect.Finding{Rule: ruleFile, Verdict: v, Offset: off, What: what, Why: why})
}
