package protobuf

import (
	"math"

	"github.com/sallyport/sallyport/internal/format"
)

// A Value is a field of a message as it stands in the file.
type Value struct {
	Field  *Field // nil: the schema does not have it
	Number uint64
	Off    int64  // of the value's first byte
	Size   int64  // of Bytes, Embedded and packed values, in bytes
	Bits   uint64 // of single numbers
	Packed bool   // many numbers stand in Size bytes from Off on

	part *Part
}

// Is reports whether the value is of the field called name. An unknown field
// has no name.
func (v Value) Is(name string) bool { return v.Field != nil && v.Field.Name == name }

// Name is the field's name, or "" for an unknown field.
func (v Value) Name() string {
	if v.Field == nil {
		return ""
	}
	return v.Field.Name
}

// Message is the value as a message; of other kinds it is an empty one.
func (v Value) Message() Part {
	if v.Field == nil || v.Field.Kind != Embedded {
		return Part{doc: v.part.doc}
	}
	return v.As(v.Field.Type)
}

// As is the value's bytes as a message of a type that the schema does not say.
func (v Value) As(t *Message) Part {
	return Part{Type: t, Off: v.Off, Size: v.Size, doc: v.part.doc, depth: v.part.depth + 1}
}

// Int is a single number as a signed one.
func (v Value) Int() int64 {
	if v.Field != nil && v.Field.Kind == Zigzag {
		return int64(v.Bits>>1) ^ -int64(v.Bits&1)
	}
	return int64(v.Bits)
}

// Bool is a single number as a truth.
func (v Value) Bool() bool { return v.Bits != 0 }

// Float is a single 32-bit number.
func (v Value) Float() float32 { return math.Float32frombits(uint32(v.Bits)) }

// String reads the value's bytes. More than limit of them are an error, which
// is of Kind Exceeded and ends nothing but this call.
func (v Value) String(limit int) (string, error) {
	if v.Size > int64(limit) {
		return "", format.Exceededf(v.Off, "a text of %d bytes is longer than the %d that are read", v.Size, limit)
	}
	c := v.part.doc.c
	if v.Size <= 16<<10 { // the window holds it: no second reading
		c.Move(v.Off)
		s := string(c.Peek(int(v.Size)))
		return s, c.Err()
	}
	c.Move(v.Off)
	s := c.String(uint64(v.Size), limit)
	return s, c.Err()
}

// Count is how many numbers a field holds: those of its packed bytes, or one.
// It reads packed varints to count them.
func (v Value) Count() (n int64, err error) {
	switch {
	case !v.Packed:
		return 1, nil
	case v.Field.Kind == Fixed32:
		n = v.Size / 4
	case v.Field.Kind == Fixed64:
		n = v.Size / 8
	default:
		err = v.Numbers(func(uint64) error { n++; return nil })
		return n, err
	}
	if v.Size%int64(v.width()) != 0 {
		return 0, format.Brokenf(v.Off, "packed numbers end within one")
	}
	return n, nil
}

func (v Value) width() int {
	if v.Field.Kind == Fixed32 {
		return 4
	}
	return 8
}

// Numbers calls fn for each number that the field holds.
func (v Value) Numbers(fn func(bits uint64) error) error {
	if !v.Packed {
		return fn(uint64(v.Int()))
	}
	for at, end := v.Off, v.Off+v.Size; at < end; {
		next, bits, err := v.number(at)
		if err == nil && next > end {
			err = format.Brokenf(at, "packed numbers end within one")
		}
		if err == nil {
			err = fn(bits)
		}
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (v Value) number(at int64) (next int64, bits uint64, err error) {
	c := v.part.doc.c
	c.Move(at)
	switch v.Field.Kind {
	case Fixed32:
		bits = uint64(c.U32())
	case Fixed64:
		bits = c.U64()
	case Zigzag:
		bits = c.Varint()
		bits = bits>>1 ^ -(bits & 1)
	default:
		bits = c.Varint()
	}
	if v.part.doc.Step != nil && c.Err() == nil {
		err = v.part.doc.Step(1)
	}
	if c.Err() != nil {
		err = c.Err()
	}
	return c.Offset(), bits, err
}

// Words calls fn for each eight bytes of the value as a number, little end
// first, and leaves what remains.
func (v Value) Words(fn func(uint64) error) error {
	c := v.part.doc.c
	for at := v.Off; at+8 <= v.Off+v.Size; at += 8 {
		c.Move(at)
		n := c.U64()
		err := c.Err()
		if err == nil && v.part.doc.Step != nil {
			err = v.part.doc.Step(1)
		}
		if err == nil {
			err = fn(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
