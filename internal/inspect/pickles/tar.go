package pickles

import (
	"encoding/binary"
	"path"
	"strconv"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/pickle"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A legacyTar is a member of the archives that torch.save wrote before 0.1.10:
// "storages" and "tensors" are streams with raw data between them, "pickle"
// refers to the tensors by number.
type legacyTar struct {
	member string
	raw    bool // data follows the streams
	size   int64
}

// tarMember returns what f is in such an archive; nil for all other files.
func tarMember(f *inspect.File) *legacyTar {
	base := f.Base()
	if f.OnDisk() || base != "storages" && base != "tensors" && base != "pickle" {
		return nil
	}
	for _, other := range [...]string{"storages", "tensors", "pickle", "sys_info"} {
		if _, ok := f.Around.Lookup(path.Join(path.Dir(f.Name), other)); !ok {
			return nil
		}
	}
	return &legacyTar{member: base, raw: base != "pickle"}
}

// persistent judges the identity of a tensor: its number as text, or a class
// with its source, which is loaded by name.
func (t *legacyTar) persistent(j *judge, m *pickle.Machine, id, result pickle.Value) string {
	if _, err := strconv.ParseUint(text(m, id), 10, 64); err == nil {
		m.SetTag(result, j.tag(thing{entry: &tensorOfTar, kind: "tensor", life: fresh}))
		return ""
	}
	if n, ok := m.Int(id); ok && n >= 0 {
		m.SetTag(result, j.tag(thing{entry: &tensorOfTar, kind: "tensor", life: fresh}))
		return ""
	}
	return "its identity is not that of a tensor"
}

var tensorOfTar = entry{"torch", "Tensor", contract{kind: "class", mode: "state"}}

// skip moves over the data behind a stream: behind the first, which counts them,
// there is none; a storage has its count of elements and their bytes; a tensor
// its dimensions.
func (t *legacyTar) skip(f *inspect.File, at *int64, n int) (done bool, err error) {
	if n == 0 {
		return false, nil
	}
	c := format.NewCursor(f, *at, f.Size-*at)
	c.Order = binary.LittleEndian
	if t.member == "tensors" {
		dims := c.U32()
		c.Skip(4)
		c.Skip(16*int64(c.Count(uint64(dims), 16)) + 8)
	} else {
		count := c.U64()
		if t.size == 0 || count > uint64(c.Left()/t.size) {
			return true, format.Brokenf(*at, "the data of a storage is shorter than its count says")
		}
		c.Skip(int64(count) * t.size)
	}
	*at = c.Offset()
	return c.Left() == 0, c.Err()
}
