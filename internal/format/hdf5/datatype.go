package hdf5

import "github.com/sallyport/sallyport/internal/format"

// A Class of datatypes (§IV.A.2.d).
type Class uint8

// The classes that matter to those who look for text.
const (
	Integer  Class = 0
	String   Class = 3 // of fixed size
	Opaque   Class = 5
	Variable Class = 9 // strings or sequences of any length
)

// A Type is what is needed of a datatype to find values.
type Type struct {
	Class Class
	Size  uint32 // bytes of a value where it stands; of Variable: of the reference to it
	Text  bool   // of Variable: strings and not sequences
	Base  uint32 // of Variable: bytes of one member of a sequence
}

// datatype reads what it needs at the cursor.
func (w *walker) datatype() (Type, error) {
	at := w.c.Offset()
	head := w.c.U32()
	t := Type{Class: Class(head & 15), Size: w.c.U32(), Base: 1}
	if v := uint8(head >> 4 & 15); w.c.Err() == nil && (v == 0 || v > 5) {
		return t, version(at, "a datatype", v)
	}
	if t.Class == Variable {
		t.Text = head>>8&15 == 1
		w.c.Skip(4)
		t.Base = w.c.U32()
		if w.c.Err() == nil && int64(t.Size) != int64(8+w.offs) {
			return t, format.Brokenf(at, "a datatype has an impossible size")
		}
	}
	return t, w.c.Err()
}

// sharedType reads, at the cursor, which named datatype stands for one (§IV.A.2,
// shared messages), and that.
func (w *walker) sharedType() (Type, error) {
	at, err := w.sharedAt()
	if err != nil {
		return Type{}, err
	}
	var t Type
	found := false
	err = w.messages(at, func(m message) error {
		if m.kind != msgDatatype || m.shared || found {
			return nil
		}
		found = true
		t, err = w.datatype()
		return err
	})
	if err == nil && !found {
		err = format.Brokenf(at, "a named datatype is none")
	}
	return t, err
}

// sharedAt reads the reference to the object that holds a shared message. One
// to a heap of such messages, which hardly any file has, is not followed.
func (w *walker) sharedAt() (int64, error) {
	from := w.c.Offset()
	v, kind := w.c.U8(), w.c.U8()
	switch {
	case w.c.Err() != nil:
	case v == 1:
		w.c.Skip(6)
	case v == 3 && kind == 1:
		return 0, format.Unsupportedf(from, "a message is shared in a heap")
	case v > 3 || v == 0:
		return 0, version(from, "a shared message", v)
	}
	at, ok := w.address()
	if w.c.Err() == nil && !ok {
		return 0, format.Brokenf(from, "a shared message is nowhere")
	}
	return at, w.c.Err()
}

// count reads a dataspace at the cursor (§IV.A.2.b) and returns how many values
// it has.
func (w *walker) count() (uint64, error) {
	at := w.c.Offset()
	v, rank, _ := w.c.U8(), w.c.U8(), w.c.U8()
	null := false
	switch v {
	case 1:
		w.c.Skip(5)
	case 2:
		null = w.c.U8() == 2
	default:
		if w.c.Err() == nil {
			return 0, version(at, "a dataspace", v)
		}
	}
	n := uint64(1)
	for range rank {
		d := w.length()
		if d != 0 && n > 1<<62/d {
			return 0, format.Brokenf(at, "a dataspace has more values than there can be")
		}
		n *= d
	}
	if null {
		n = 0
	}
	return n, w.c.Err()
}
