package graphs

import (
	"github.com/sallyport/sallyport/internal/format/protobuf"
)

// onnxHolds says which field an attribute of a type has its value in
// (AttributeProto.AttributeType).
var onnxHolds = [...]string{1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings", 9: "tensors",
	10: "graphs", 11: "sparse_tensor", 12: "sparse_tensors", 13: "tp", 14: "type_protos"}

// attributes walks the attributes of a node with all that lies in them.
func (m *onnxModel) attributes(node protobuf.Part, scope *names, n *onnxNode) error {
	own := scope.alone()
	defer own.drop()
	return node.Fields(func(v protobuf.Value) error {
		if !v.Is("attribute") {
			return nil
		}
		name, err := m.attribute(v.Message(), scope)
		if err != nil {
			return err
		}
		fresh, err := own.add(name)
		if err == nil && !fresh {
			m.invalid(v.Off, name, "two attributes of a node have one name")
		}
		return err
	})
}

func (m *onnxModel) attribute(a protobuf.Part, scope *names) (name string, err error) {
	var kind uint64
	var reference, holds string
	several := false
	err = a.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			name, err = v.String(maxName)
		case "ref_attr_name":
			reference, err = v.String(maxName)
		case "type":
			kind = v.Bits
		case "doc_string", "":
		default:
			several = several || holds != "" && holds != v.Name()
			holds = v.Name()
		}
		if err != nil {
			return err
		}
		switch v.Name() {
		case "t", "tensors":
			_, err = m.tensor(v.Message())
		case "sparse_tensor", "sparse_tensors":
			_, err = m.sparse(v.Message(), scope.alone())
		case "g", "graphs":
			inner := scope.within()
			err = m.graph(v.Message(), inner)
			inner.drop()
		}
		return err
	})
	if err != nil {
		return "", err
	}
	switch {
	case name == "":
		m.invalid(a.Off, "attribute", "an attribute without a name")
	case kind == 0 && m.ir > 1:
		m.invalid(a.Off, name, "an attribute does not say of which type it is")
	case kind >= uint64(len(onnxHolds)):
		m.invalid(a.Off, name, "no type of attributes has this number")
	case several:
		m.invalid(a.Off, name, "an attribute has values of several types")
	case kind != 0 && holds != "" && holds != onnxHolds[kind]:
		m.invalid(a.Off, name, "an attribute has a value of another type than it says")
	case kind != 0 && holds == "" && reference == "" && onnxSingle(kind):
		m.invalid(a.Off, name, "an attribute has no value")
	case reference != "" && m.inside == nil:
		m.invalid(a.Off, name, "an attribute refers to one of a function, and is in none")
	}
	return name, nil
}

// onnxSingle reports whether an attribute of a type has one value; lists may be
// empty, and then nothing of them is in the file.
func onnxSingle(kind uint64) bool { return kind <= 5 || kind == 11 || kind == 13 }
