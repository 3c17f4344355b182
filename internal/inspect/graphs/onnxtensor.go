package graphs

import (
	"math"
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
)

// An onnxTensor is what a TensorProto says about itself.
type onnxTensor struct {
	part     protobuf.Part
	name     string
	kind     uint64 // TensorProto.DataType
	dims     []int64
	count    int64 // product of dims
	bytes    int64 // that its elements take as raw data; 0 for texts
	external bool
	file     onnxFile
	raw      protobuf.Value // raw_data, if raw.Field is set
	numbers  int64          // in one of the typed fields
	typed    string         // which one
}

// onnxKinds has for each DataType the bits of an element in raw data, 0 for
// those that have none, and the typed field that holds it otherwise; there, each
// element takes per numbers, or all of a byte share one.
var onnxKinds = [...]struct {
	bits  int64
	typed string
	per   int64
}{
	1: {32, "float_data", 1}, 2: {8, "int32_data", 1}, 3: {8, "int32_data", 1}, 4: {16, "int32_data", 1}, 5: {16, "int32_data", 1},
	6: {32, "int32_data", 1}, 7: {64, "int64_data", 1}, 8: {0, "string_data", 1}, 9: {8, "int32_data", 1}, 10: {16, "int32_data", 1},
	11: {64, "double_data", 1}, 12: {32, "uint64_data", 1}, 13: {64, "uint64_data", 1}, 14: {64, "float_data", 2}, 15: {128, "double_data", 2},
	16: {16, "int32_data", 1}, 17: {8, "int32_data", 1}, 18: {8, "int32_data", 1}, 19: {8, "int32_data", 1}, 20: {8, "int32_data", 1},
	21: {4, "int32_data", 1}, 22: {4, "int32_data", 1}, 23: {4, "int32_data", 1}, 24: {8, "int32_data", 1}, 25: {2, "int32_data", 1},
	26: {2, "int32_data", 1}, 27: {6, "int32_data", 1}, 28: {6, "int32_data", 1},
}

// maxRank is how many dimensions a tensor may have.
const maxRank = 1024

// tensor reads and checks a TensorProto; its elements are not read.
func (m *onnxModel) tensor(part protobuf.Part) (*onnxTensor, error) {
	t, err := m.readTensor(part)
	if err != nil {
		return t, err
	}
	if why := t.check(); why != "" {
		m.invalid(part.Off, t.label(), why)
		return t, nil
	}
	if t.external {
		return t, m.external(part.Off, t)
	}
	return t, nil
}

func (t *onnxTensor) label() string {
	if t.name == "" {
		return "tensor"
	}
	return t.name
}

func (m *onnxModel) readTensor(part protobuf.Part) (*onnxTensor, error) {
	t := &onnxTensor{part: part}
	err := part.Fields(func(v protobuf.Value) (err error) {
		switch name := v.Name(); name {
		case "name":
			t.name, err = v.String(maxName)
		case "data_type":
			t.kind = v.Bits
		case "dims":
			return v.Numbers(func(n uint64) error {
				if len(t.dims) == maxRank {
					return format.Exceededf(v.Off, "a tensor has more than %d dimensions", maxRank)
				}
				t.dims = append(t.dims, int64(n))
				return nil
			})
		case "segment":
			return format.Unsupportedf(v.Off, "a tensor is only a segment of another")
		case "float_data", "int32_data", "int64_data", "double_data", "uint64_data":
			n, err := v.Count()
			t.hold(name, n)
			return err
		case "string_data":
			t.hold(name, 1)
		case "raw_data":
			t.raw = v
		case "data_location":
			t.external = v.Bits == 1
			if v.Bits > 1 {
				m.invalid(v.Off, "data_location", "no place for data has this number")
			}
		case "external_data":
			err = m.location(v.Message(), &t.file)
		}
		return err
	})
	return t, err
}

// hold counts numbers of a typed field.
func (t *onnxTensor) hold(field string, n int64) {
	if t.typed != "" && t.typed != field {
		field = "several"
	}
	t.typed = field
	t.numbers += n
}

// check says what is wrong with a tensor, or "".
func (t *onnxTensor) check() string {
	if t.kind == 0 || t.kind >= uint64(len(onnxKinds)) {
		return "no type of elements has this number"
	}
	kind := onnxKinds[t.kind]
	var ok bool
	if t.count, ok = product(t.dims); !ok {
		return "its dimensions are negative or their product leaves 64 bits"
	}
	if t.bytes, ok = rawSize(t.count, kind.bits); !ok {
		return "its size in bytes leaves 64 bits"
	}
	raw := t.raw.Field != nil
	switch {
	case t.external && (raw || t.typed != ""):
		return "it has its data in another file and here as well"
	case t.external:
		if kind.bits == 0 {
			return "texts cannot lie in another file"
		}
		return ""
	case t.file != (onnxFile{}):
		return "it names another file for its data and does not use it"
	case raw && t.typed != "":
		return "it has its data twice"
	case raw && kind.bits == 0:
		return "texts cannot be raw data"
	case raw && t.raw.Size != t.bytes:
		return "its raw data is longer or shorter than its shape and type say"
	case !raw && t.typed == "" && t.count > 0:
		return "it has a shape and no data"
	case !raw && t.typed != "" && t.typed != kind.typed:
		return "its data is of another type than it says"
	case !raw && t.typed != "" && !fits(t.numbers, t.count, kind.bits, kind.per):
		return "it has more or less data than its shape says"
	}
	return ""
}

// fits reports whether n numbers in a typed field are count elements. Elements
// that divide a byte are packed into bytes, each of which is a number.
func fits(n, count, size, per int64) bool {
	if size == 2 || size == 4 {
		bytes, _ := rawSize(count, size)
		return n == bytes
	}
	return count <= math.MaxInt64/per && n == count*per
}

// product multiplies dimensions.
func product(dims []int64) (int64, bool) {
	n := uint64(1)
	zero := false
	for _, d := range dims {
		if d < 0 {
			return 0, false
		}
		zero = zero || d == 0
	}
	if zero {
		return 0, true
	}
	for _, d := range dims {
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = lo
	}
	return int64(n), true
}

// rawSize is the bytes that count elements of some bits take.
func rawSize(count, size int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(count), uint64(size))
	if hi != 0 || lo > math.MaxInt64-7 {
		return 0, false
	}
	return int64(lo+7) / 8, true
}
