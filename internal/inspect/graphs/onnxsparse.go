package graphs

import "github.com/sallyport/sallyport/internal/format/protobuf"

// sparse checks a SparseTensorProto: values, and for each where it belongs.
func (m *onnxModel) sparse(part protobuf.Part, scope *names) (*onnxTensor, error) {
	var values, indices *onnxTensor
	var dims []int64
	err := part.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "values":
			values, err = m.tensor(v.Message())
		case "indices":
			indices, err = m.tensor(v.Message())
		case "dims":
			err = v.Numbers(func(n uint64) error {
				if len(dims) < maxRank {
					dims = append(dims, int64(n))
				}
				return nil
			})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if values == nil {
		m.invalid(part.Off, "sparse tensor", "a sparse tensor without values")
		return nil, nil
	}
	if values.name != "" {
		if _, err := scope.add(values.name); err != nil {
			return nil, err
		}
	}
	size, ok := product(dims)
	switch {
	case !ok || len(dims) == 0 || len(dims) >= maxRank:
		m.invalid(part.Off, values.label(), "the dimensions of a sparse tensor are none, negative or too large")
	case indices == nil && values.count > 0 || len(values.dims) != 1:
		m.invalid(part.Off, values.label(), "a sparse tensor has not one place for each value")
	case indices != nil:
		return values, m.places(part.Off, values, indices, dims, size)
	}
	return values, nil
}

// places checks the indices of a sparse tensor: one linear index for each value,
// or one index for each dimension, all within the shape.
func (m *onnxModel) places(off int64, values, indices *onnxTensor, dims []int64, size int64) error {
	linear := len(indices.dims) == 1 && indices.dims[0] == values.count
	full := len(indices.dims) == 2 && indices.dims[0] == values.count && indices.dims[1] == int64(len(dims))
	if indices.kind != 7 || !linear && !full || indices.external {
		m.invalid(off, values.label(), "a sparse tensor has not one place for each value")
		return nil
	}
	i := 0
	bad := false
	each := func(n uint64) error {
		limit := size
		if full {
			limit = dims[i%len(dims)]
		}
		i++
		bad = bad || n >= uint64(limit)
		return nil
	}
	err := indices.int64s(each)
	if bad {
		m.invalid(off, values.label(), "an index of a sparse tensor leaves its shape")
	}
	return err
}

// int64s calls fn for each element of a tensor of 64-bit numbers.
func (t *onnxTensor) int64s(fn func(uint64) error) error {
	if t.raw.Field != nil {
		return t.raw.Words(fn)
	}
	return t.part.Again().Fields(func(v protobuf.Value) error {
		if v.Is("int64_data") {
			return v.Numbers(fn)
		}
		return nil
	})
}
