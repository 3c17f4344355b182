package graphs

import (
	"math"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/flat"
	"github.com/sallyport/sallyport/internal/inspect"
)

// tfliteBits has the bits of an element of each TensorType; 0: texts and what
// has no data in a file.
var tfliteBits = [...]int64{32, 16, 32, 8, 64, 0, 8, 16, 64, 8, 64, 128, 64, 0, 0, 32, 16, 4, 16, 2, 4}

const tfliteString = 5

// data is where a buffer's bytes lie in the file: within the FlatBuffer, or,
// beyond 2 GiB, behind it.
func (m *tflite) data(t flat.Table) (off, size int64) {
	if o, n := t.U64(1, 0), t.U64(2, 0); o > 1 {
		if o > uint64(m.f.Size) || n > uint64(m.f.Size)-o {
			return -1, 0
		}
		return int64(o), int64(n)
	}
	v := t.Vector(0, 1)
	return v.Off, v.Size()
}

func (m *tflite) buffer(t flat.Table) {
	if off, _ := m.data(t); off < 0 {
		m.invalid(t.Off, "buffer", "its bytes leave the file")
	}
}

// tensor checks a tensor and, if it is a constant, that its bytes are those of
// its shape and type.
func (m *tflite) tensor(t flat.Table) error {
	kind := int(t.U8(1, 0))
	name := t.Text(3, maxName)
	shape := t.Vector(0, 4)
	dims := make([]int64, 0, min(shape.Len, 8))
	for i := range shape.Len {
		if i == maxRank {
			return format.Exceededf(t.Off, "a tensor has more than %d dimensions", maxRank)
		}
		dims = append(dims, int64(shape.I32(i)))
	}
	sparse, buffer := t.Has(6), t.U32(2, 0)
	outside := t.U32(10, 0)
	if err := m.step(); err != nil {
		return err
	}
	if buffer > math.MaxInt32 || !m.within(int32(buffer), max(m.buffers.Len, 1), t.Off, name) {
		return m.b.Err()
	}
	if kind >= len(tfliteBits) {
		m.p.Find(m.f, inspect.Finding{Rule: ruleInvalid, Verdict: inspect.Inconclusive, Offset: t.Off, What: name, Why: "its type is newer than this scanner"})
		return nil
	}
	count, ok := product(dims)
	size, ok2 := rawSize(max(count, 0), tfliteBits[kind])
	if !ok || !ok2 {
		m.invalid(t.Off, name, "its dimensions are negative or their product leaves 64 bits")
		return nil
	}
	if outside > 0 {
		return m.external(t, name, outside, size)
	}
	if m.buffers.Len == 0 {
		return nil
	}
	off, n := m.data(m.buffers.Table(int(buffer)))
	switch {
	case n == 0 || off < 0: // computed, or told of already
	case kind == tfliteString:
		return m.texts(t, name, off, n)
	case tfliteBits[kind] == 0:
		m.invalid(t.Off, name, "a tensor of a type that has no data has some")
	case !sparse && n != size:
		m.invalid(t.Off, name, "its data is longer or shorter than its shape and type say")
	}
	return m.b.Err()
}

// texts checks a constant of texts: a count, where each begins, where the last
// ends, and then the texts. Interpreters follow these without asking.
func (m *tflite) texts(t flat.Table, name string, off, n int64) error {
	c := format.NewCursor(m.f, off, n)
	count := int64(int32(c.U32()))
	ok := count >= 0 && count <= n/4-2
	last := 4 * (count + 2)
	for i := int64(0); ok && i <= count; i++ {
		at := int64(int32(c.U32()))
		ok = at >= last && at <= n && c.Err() == nil
		last = at
		if err := m.p.Step(1); err != nil {
			return err
		}
	}
	if !ok {
		m.invalid(t.Off, name, "the texts of a tensor leave its data")
	}
	return m.b.Err()
}

// external checks a tensor whose data lies in another file.
func (m *tflite) external(t flat.Table, name string, id uint32, size int64) error {
	for i := range m.outside.Len {
		b := m.outside.Table(i)
		if err := m.step(); err != nil {
			return err
		}
		if b.U32(0, 0) != id {
			continue
		}
		group := b.U32(1, 0)
		if group > math.MaxInt32 || !m.within(int32(group), m.groups.Len, b.Off, name) {
			return m.b.Err()
		}
		file := m.groups.Table(int(group)).Text(0, maxName)
		off, n := b.U64(2, 0), b.U64(3, 0)
		if err := m.b.Err(); err != nil {
			return err
		}
		entry, ok := beside(m.p, m.f, b.Off, file)
		if ok && (off > uint64(entry.Size) || n > uint64(entry.Size)-off || n != uint64(size) && !t.Has(6)) {
			m.invalid(t.Off, name, "its data leaves the file that should hold it, or is not as long as its shape says")
		}
		return nil
	}
	m.invalid(t.Off, name, "it names data in another file that the model does not describe")
	return m.b.Err()
}
