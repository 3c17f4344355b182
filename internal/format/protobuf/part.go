package protobuf

import (
	"io"
	"math"

	"github.com/sallyport/sallyport/internal/format"
)

// maxDepth is how deep messages may lie in each other: as deep as the parsers
// of C++, Java and Python follow them by default.
const maxDepth = 100

// A Doc is a file with one message. It is not for concurrent use.
type Doc struct {
	// Odd is told what parsers take and honest writers do not write: an error of
	// Kind Broken, or Unsupported for fields that the schema does not have. What
	// it returns ends the walk unless it is nil. Without Odd the first oddity ends
	// the walk.
	Odd func(*format.Error) error
	// Step is told of every field; what it returns ends the walk. It may be nil.
	Step func(n int) error

	r io.ReaderAt
	c *format.Cursor
}

// A Part is a message in a file.
type Part struct {
	Type *Message // nil: unknown, and then every field is
	Off  int64    // of its first byte
	Size int64

	doc   *Doc
	depth int
	told  bool // its oddities have been
}

// Open returns the message of a type that the n bytes of r from off on are.
func Open(r io.ReaderAt, off, n int64, t *Message) (*Doc, Part) {
	d := &Doc{r: r, c: format.NewCursor(r, off, n)}
	return d, Part{Type: t, Off: off, Size: n, doc: d}
}

// Fields calls fn for each field in the order of the file. fn may walk what it
// is given before it returns; its error ends the walk and is returned.
func (m Part) Fields(fn func(Value) error) error {
	walk := m.Walk()
	for walk.Next() {
		if err := fn(walk.Value); err != nil {
			return err
		}
	}
	return walk.Err
}

// Check walks the message and all messages in it.
func (m Part) Check() error {
	return m.Fields(func(v Value) error {
		if v.Field != nil && v.Field.Kind == Embedded {
			return v.Message().Check()
		}
		return nil
	})
}

// A Walk yields the fields of a message, one for each call of Next.
type Walk struct {
	Value Value
	Err   error

	part    Part
	at, end int64
	seen    seen
}

// Walk begins a walk over the message's fields.
func (m Part) Walk() *Walk {
	w := &Walk{part: m, at: m.Off, end: m.Off + m.Size}
	if m.depth > maxDepth {
		w.Err = format.Exceededf(m.Off, "messages lie in each other more than %d deep", maxDepth)
	}
	return w
}

// Next moves to the next field and reports whether there is one.
func (w *Walk) Next() bool {
	if w.Err != nil || w.at >= w.end {
		return false
	}
	doc := w.part.doc
	if doc.Step != nil {
		w.Err = doc.Step(1)
	}
	at := w.at
	if w.Err == nil {
		w.at, w.Err = w.read(doc.c)
	}
	if w.Err == nil && !w.part.told {
		w.Err = w.judge(at)
	}
	return w.Err == nil
}

// read reads the next field and returns where the one after it begins.
func (w *Walk) read(c *format.Cursor) (after int64, err error) {
	c.Move(w.at)
	tag := c.Varint()
	v := Value{Number: tag >> 3, part: &w.part}
	if c.Err() == nil && (v.Number == 0 || tag > math.MaxUint32) {
		c.Fail(format.Brokenf(w.at, "a field has a number that no message can have"))
	}
	v.Off = c.Offset()
	wire := tag & 7
	switch wire {
	case wireVarint:
		v.Bits = c.Varint()
	case wire64:
		v.Bits = c.U64()
	case wire32:
		v.Bits = uint64(c.U32())
	case wireBytes:
		v.Size = c.Length(c.Varint())
		v.Off = c.Offset()
		c.Skip(v.Size)
	default:
		c.Fail(format.Brokenf(w.at, "a field has wire type %d, which no current message has", wire))
	}
	if c.Err() == nil && c.Offset() > w.end {
		c.Fail(format.Brokenf(w.at, "a field is longer than its message"))
	}
	if t := w.part.Type; t != nil && c.Err() == nil {
		v.Field = t.field(v.Number)
		if f := v.Field; f != nil {
			v.Packed = wire == wireBytes && f.Repeated && f.Kind.packs()
			if !v.Packed && wire != f.Kind.wire() {
				v.Field = nil // as parsers have it
			}
		}
	}
	w.Value = v
	return c.Offset(), c.Err()
}

// The wire types; 3 and 4 were groups.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

func (k Kind) wire() uint64 {
	switch k {
	case Fixed32:
		return wire32
	case Fixed64:
		return wire64
	case Bytes, Embedded:
		return wireBytes
	}
	return wireVarint
}

// seen is a set of the single fields of a message.
type seen [6]uint64

// judge tells of what is odd about the field that begins at at.
func (w *Walk) judge(at int64) error {
	v, t := &w.Value, w.part.Type
	f := v.Field
	switch {
	case t == nil:
		return w.part.doc.odd(format.Unsupportedf(at, "a message is of a type that this scanner does not know"))
	case f == nil && t.field(v.Number) != nil:
		return w.part.doc.odd(format.Brokenf(at, "field %d of %s has the wire type of another kind of field", v.Number, t.Name))
	case f == nil:
		return w.part.doc.odd(format.Unsupportedf(at, "%s has a field %d, which this scanner does not know", t.Name, v.Number))
	case f.Repeated || f.oneof >= 64*len(w.seen):
		return nil
	}
	word, bit := &w.seen[f.oneof/64], uint64(1)<<(f.oneof%64)
	if *word&bit != 0 {
		return w.part.doc.odd(format.Brokenf(at, "%s of %s stands twice: readers differ in which they take", f.Name, t.Name))
	}
	*word |= bit
	return nil
}

func (d *Doc) odd(err error) error {
	if d.Odd == nil {
		return err
	}
	return d.Odd(err.(*format.Error))
}

// Again is the message for a further walk, of whose own oddities nothing is
// told any more.
func (m Part) Again() Part {
	m.told = true
	return m
}
