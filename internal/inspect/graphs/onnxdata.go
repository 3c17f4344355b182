package graphs

import (
	"errors"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// onnxDataReading knows the files that hold nothing but the data of a model's
// tensors: they have no form of their own, and are what a model beside them says.
var onnxDataReading = inspect.Reading{
	Format: "onnx-data", Generic: true,
	Match: func(f *inspect.File, head []byte) inspect.Fit {
		if besideONNX(f) {
			return inspect.Maybe
		}
		return inspect.No
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		models := 0
		for _, name := range f.Around.Names() {
			if !strings.HasSuffix(strings.ToLower(name), ".onnx") || !strings.HasPrefix(f.Name, folder(name)) || name == f.Name {
				continue
			}
			if models++; models > maxModels {
				break
			}
			found, err := refers(p, f, name)
			if found || err != nil {
				return err
			}
		}
		return inspect.ErrNotThis
	},
}

// maxModels is how many models are asked for one file.
const maxModels = 16

var errFound = errors.New("found")

// folder is what the names of all files in the folder of name begin with.
func folder(name string) string { return name[:len(name)-len(path.Base(name))] }

func besideONNX(f *inspect.File) bool {
	for _, name := range f.Around.Names() {
		if strings.HasSuffix(strings.ToLower(name), ".onnx") && strings.HasPrefix(f.Name, folder(name)) {
			return true
		}
	}
	return false
}

// refers reports whether the model called name keeps data in f.
func refers(p *inspect.Pass, f *inspect.File, name string) (bool, error) {
	model, err := f.Around.Open(name)
	if err != nil {
		return false, nil // a file that cannot be opened is told of when it is scanned
	}
	defer model.Close()
	if !isONNX(model) {
		return false, nil
	}
	part := glance(model, 0, model.Size, onnxSchema().Message("ModelProto"))
	err = locations(part, func(location string) error {
		if model.Beside(location) == f.Name {
			return errFound
		}
		return p.Step(1)
	})
	return err == errFound, nil
}

// locations calls fn for each file that a message, or one within it, names as
// the place of a tensor's data.
func locations(m protobuf.Part, fn func(string) error) error {
	if m.Type == onnxSchema().Message("StringStringEntryProto") {
		return nil
	}
	return m.Fields(func(v protobuf.Value) error {
		switch {
		case v.Is("external_data"):
			key, err := member(v.Message(), "key")
			if err != nil || key != "location" {
				return err
			}
			location, err := member(v.Message(), "value")
			if err != nil {
				return err
			}
			return fn(location)
		case v.Field != nil && v.Field.Type != nil:
			return locations(v.Message(), fn)
		}
		return nil
	})
}
