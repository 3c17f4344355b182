package trees

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// catBoostVersion is what every .cbm file says its core is.
const catBoostVersion = "FlabuffersModel_v1"

func matchCatBoost(_ *inspect.File, head []byte) inspect.Fit {
	if bytes.HasPrefix(head, []byte("CBM1")) {
		return inspect.Yes
	}
	return inspect.No
}

// inspectCatBoost reads the frame of a .cbm file: a core of the size it says, a
// flatbuffer whose root lies within it, and behind it the parts that the core
// names. What the core points to the library verifies itself before it uses it.
func inspectCatBoost(p *inspect.Pass, f *inspect.File) error {
	p.Step(1)
	c := f.Cursor()
	c.Skip(4)
	size := c.Length(uint64(c.U32()))
	if c.Err() != nil {
		return c.Err()
	}
	core := &flatTable{c: format.NewCursor(f, 8, size), base: 8, end: 8 + size}
	core.root()
	version := core.string(0)
	parts := core.vector(3)
	if err := core.c.Err(); err != nil {
		return err
	}
	s := subject{p, f}
	if version != catBoostVersion {
		s.find(ruleShape, 8, version, "it is no version of the format that is known")
	}
	if parts == 0 && c.Left() > size {
		return format.Brokenf(8+size, "bytes behind the end of a model without further parts")
	}
	return nil
}

// A flatTable is the root table of a flatbuffer.
type flatTable struct {
	c         *format.Cursor
	base, end int64
	at        int64   // of the table
	fields    []int64 // offsets within it; 0: the field is not there
}

// root finds the table and its fields, of which the first eight count.
func (t *flatTable) root() {
	t.c.Order = binary.LittleEndian
	t.at = t.base + int64(t.c.U32())
	t.c.Move(t.at)
	vtable := t.at - int64(int32(t.c.U32()))
	if vtable < t.base {
		t.c.Fail(format.Brokenf(t.at, "a table of fields before the buffer"))
	}
	t.c.Move(vtable)
	n := (int(t.c.U16()) - 4) / 2
	t.c.U16()
	for range min(max(n, 0), 8) {
		t.fields = append(t.fields, int64(t.c.U16()))
	}
}

// vector moves to what a field points to and returns how many elements it says
// it has, 0 if the field is not there.
func (t *flatTable) vector(field int) int64 {
	if field >= len(t.fields) || t.fields[field] == 0 {
		return 0
	}
	at := t.at + t.fields[field]
	t.c.Move(at)
	t.c.Move(at + int64(t.c.U32()))
	return int64(t.c.Count(uint64(t.c.U32()), 1))
}

func (t *flatTable) string(field int) string {
	n := t.vector(field)
	return t.c.String(uint64(n), 256)
}

// matchCatBoostJSON looks for a first key that only CatBoost writes.
func matchCatBoostJSON(_ *inspect.File, head []byte) inspect.Fit {
	b := bytes.TrimLeft(head, " \t\r\n")
	if len(b) == 0 || b[0] != '{' {
		return inspect.No
	}
	in := json.NewReader(bytes.NewReader(head))
	in.Next()
	t, err := in.Next()
	if err == nil && t.Kind == json.Key && (t.Is("ctr_data") || t.Is("features_info") && bytes.Contains(head, []byte(`"float_features"`)) || t.Is("oblivious_trees")) {
		return inspect.Yes
	}
	return inspect.No
}

// A catModel is a CatBoost model in JSON being read.
type catModel struct {
	*stream
	floats   int   // float features that there are
	greatest int64 // that a split looks at
	at       int64
	flawed   bool
}

func inspectCatBoostJSON(p *inspect.Pass, f *inspect.File) error {
	m := &catModel{stream: jsonStream(subject{p, f}, f.Reader()), floats: -1, greatest: -1}
	v, err := m.next()
	if err != nil {
		return err
	}
	err = m.object(v, func(key string, v event) error {
		switch key {
		case "features_info":
			return m.object(v, func(key string, v event) (err error) {
				if key == "float_features" {
					m.floats, err = m.array(v, m.drop)
					return err
				}
				return m.drop(v)
			})
		case "oblivious_trees":
			_, err := m.array(v, m.oblivious)
			return err
		case "trees":
			_, err := m.array(v, m.branch)
			return err
		}
		return m.drop(v)
	})
	if err != nil {
		return err
	}
	if m.greatest >= int64(max(m.floats, 0)) {
		m.find(ruleIndex, m.at, "float_feature_index", "a tree looks at a feature that the model does not have")
	}
	return m.end()
}

// oblivious reads a tree of which every level has one split, so that n splits
// have 2^n leaves of one value or more.
func (m *catModel) oblivious(v event) error {
	values, weights, splits := 0, 0, 0
	off := v.off
	err := m.object(v, func(key string, v event) (err error) {
		switch key {
		case "leaf_values":
			values, err = m.array(v, m.drop)
		case "leaf_weights":
			weights, err = m.array(v, m.drop)
		case "splits":
			splits, err = m.array(v, m.split)
		default:
			err = m.drop(v)
		}
		return err
	})
	const deepest = 16
	if err == nil && !m.flawed && (splits > deepest || values == 0 || values%(1<<min(splits, deepest)) != 0 || weights != 0 && weights != 1<<min(splits, deepest)) {
		m.flawed = true
		m.find(ruleShape, off, "leaf_values", "a tree has another number of leaves than its splits make")
	}
	return err
}

// branch reads a node of a tree of another shape: a split with two branches, or
// a value.
func (m *catModel) branch(v event) error {
	off := v.off
	left, right, split, value := false, false, false, false
	err := m.object(v, func(key string, v event) error {
		switch key {
		case "left":
			left = true
			return m.branch(v)
		case "right":
			right = true
			return m.branch(v)
		case "split":
			split = true
			return m.split(v)
		case "value":
			value = true
		}
		return m.drop(v)
	})
	if err == nil && !m.flawed && (left != right || left != split || left == value) {
		m.flawed = true
		m.find(ruleShape, off, "trees", "a node is neither a split nor a leaf")
	}
	return err
}

func (m *catModel) split(v event) error {
	return m.object(v, func(key string, v event) error {
		if key == "float_feature_index" {
			n, ok := v.int()
			if !ok || n < 0 {
				n = 1<<31 - 1
			}
			if n > m.greatest {
				m.greatest, m.at = n, v.off
			}
		}
		return m.drop(v)
	})
}
