package hdf5

import "github.com/sallyport/sallyport/internal/format"

// An Attribute is a small value with a name at an object. It is valid during
// the call of Visit.Attribute.
type Attribute struct {
	Object    *Object
	Name      string
	Type      Type
	Count     uint64 // values
	Off, Size int64  // where they stand, one after another

	w *walker
}

// Values calls fn with the place of each value of text or bytes: of each string
// or sequence that is not empty, and of the whole of any other type at once.
func (a *Attribute) Values(fn func(off, n int64) error) error {
	switch {
	case a.Size == 0:
		return nil
	case a.Type.Class == Variable:
		return a.w.variable(a.Type, a.Off, a.Count, fn)
	case a.Type.Class != String:
		return fn(a.Off, a.Size)
	}
	size := int64(a.Type.Size)
	for off := a.Off; off < a.Off+a.Size; off += size {
		if err := a.w.step(1); err != nil {
			return err
		}
		if err := fn(off, size); err != nil {
			return err
		}
	}
	return nil
}

// attribute reads one at the cursor that ends before end (§IV.A.2.m) and tells
// of it.
func (w *walker) attribute(o *Object, end int64) error {
	at := w.c.Offset()
	v, flags := w.c.U8(), w.c.U8()
	if w.c.Err() == nil && (v == 0 || v > 3) {
		return version(at, "an attribute", v)
	}
	nameSize, typeSize, spaceSize := w.c.U16(), w.c.U16(), w.c.U16()
	if v == 3 {
		w.c.Skip(1)
	}
	pad := func(n uint16) int64 { return int64(n) }
	if v == 1 {
		flags = 0
		pad = func(n uint16) int64 { return (int64(n) + 7) &^ 7 }
	}
	if err := w.c.Err(); err != nil {
		return err
	}
	nameAt := w.c.Offset()
	typeAt := nameAt + pad(nameSize)
	spaceAt := typeAt + pad(typeSize)
	a := &Attribute{Object: o, Off: spaceAt + pad(spaceSize), w: w}
	if a.Off > end {
		return format.Brokenf(at, "an attribute leaves its message")
	}
	var err error
	if a.Name, err = w.text(nameAt, nameAt+int64(nameSize)); err != nil {
		return err
	}
	w.c.Move(typeAt)
	if flags&1 != 0 {
		a.Type, err = w.sharedType()
	} else {
		a.Type, err = w.datatype()
	}
	if err != nil {
		return err
	}
	w.c.Move(spaceAt)
	if flags&2 != 0 {
		return format.Unsupportedf(at, "a dataspace is shared")
	}
	if a.Count, err = w.count(); err != nil {
		return err
	}
	if a.Type.Size == 0 || a.Count > uint64(end-a.Off)/uint64(a.Type.Size) {
		return format.Brokenf(at, "an attribute has more values than its message")
	}
	a.Size = int64(a.Count) * int64(a.Type.Size)
	if w.visit.Attribute == nil {
		return nil
	}
	return w.visit.Attribute(a)
}

// attributeInfo reads where an object's attributes are if they are not in its
// header.
func (w *walker) attributeInfo(o *Object) error {
	at := w.c.Offset()
	v, flags := w.c.U8(), w.c.U8()
	if w.c.Err() == nil && v != 0 {
		return version(at, "the place of attributes", v)
	}
	if flags&1 != 0 {
		w.c.Skip(2)
	}
	return w.dense(flags&2 != 0, denseAttributes, func(off, end int64) error {
		w.c.Move(off)
		return w.attribute(o, end)
	})
}

// variable calls fn with the place of each of n values that stand elsewhere and
// to which references stand from off on.
func (w *walker) variable(t Type, off int64, n uint64, fn func(off, n int64) error) error {
	for range n {
		if err := w.step(1); err != nil {
			return err
		}
		w.c.Move(off)
		size := uint64(w.c.U32())
		if !t.Text {
			size *= uint64(t.Base)
		}
		heap, ok := w.address()
		index := w.c.U32()
		if err := w.c.Err(); err != nil {
			return err
		}
		off += int64(t.Size)
		if !ok || size == 0 || heap == w.base {
			continue // the library writes address 0 for what is empty
		}
		at, room, err := w.global(heap, index)
		if err != nil {
			return err
		}
		if size > uint64(room) {
			return format.Brokenf(at, "a value is longer than its place")
		}
		if err := fn(at, int64(size)); err != nil {
			return err
		}
	}
	return nil
}

// global finds an object in a collection of the global heap (§III.E).
func (w *walker) global(heap int64, index uint32) (at, size int64, err error) {
	if v := w.magic(heap, "GCOL"); w.c.Err() == nil && v != 1 {
		return 0, 0, version(heap, "a global heap", v)
	}
	w.c.Skip(3)
	whole := w.length()
	if err := w.c.Err(); err != nil {
		return 0, 0, err
	}
	if err := w.block(heap, whole); err != nil {
		return 0, 0, err
	}
	end := heap + int64(whole)
	head := int64(8 + w.lens)
	for end-w.c.Offset() >= head {
		if err := w.step(1); err != nil {
			return 0, 0, err
		}
		id := w.c.U16()
		w.c.Skip(6)
		n := w.length()
		at := w.c.Offset()
		switch {
		case w.c.Err() != nil:
			return 0, 0, w.c.Err()
		case n > uint64(end-at) && id != 0:
			return 0, 0, format.Brokenf(at, "an object leaves its heap")
		case uint32(id) == index && id != 0:
			return at, int64(n), nil
		case id == 0:
			return 0, 0, format.Brokenf(heap, "a heap does not have what it should")
		}
		w.c.Skip(min(int64(n+7)&^7, end-at))
	}
	return 0, 0, format.Brokenf(heap, "a heap does not have what it should")
}
