package graphs

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Sources: the .proto files of tensorflow/core 2.21 and of tf_keras.

var (
	tfSchema  = schema("tensorflow.schema")
	tfOps     = list("tensorflow.ops")
	tfRefused = list("tensorflow.refused")
)

var savedModelReading = inspect.Reading{
	Format: "savedmodel",
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		return fit(f, "SavedModel", func(v protobuf.Value) bool { return v.Is("meta_graphs") && isMetaGraph(v.Message()) })
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		return wire(p, f, tfSchema().Message("SavedModel")).Fields(func(v protobuf.Value) error {
			if v.Is("meta_graphs") {
				return metaGraph(p, f, v.Message())
			}
			return nil
		})
	},
}

var metaGraphReading = inspect.Reading{
	Format: "tensorflow-metagraph",
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		return fit(f, "MetaGraphDef", func(v protobuf.Value) bool { return v.Is("graph_def") && isGraph(v.Message()) })
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		return metaGraph(p, f, wire(p, f, tfSchema().Message("MetaGraphDef")))
	},
}

var graphDefReading = inspect.Reading{
	Format: "tensorflow-graph",
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		return fit(f, "GraphDef", func(v protobuf.Value) bool { return v.Is("node") && isNode(v.Message()) })
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		g := &tfGraph{p: p, f: f, seen: map[tfAsk]string{}}
		return g.inspect(wire(p, f, tfSchema().Message("GraphDef")))
	},
}

// keras2Reading knows keras_metadata.pb: the configuration of each layer of a
// Keras 2 model beside its SavedModel.
var keras2Reading = inspect.Reading{
	Format: "keras-metadata",
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		return fit(f, "KerasSavedMetadata", func(v protobuf.Value) bool {
			id, err := member(v.Message(), "identifier")
			return err == nil && strings.HasPrefix(id, "_tf_keras_")
		})
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		return wire(p, f, tfSchema().Message("KerasSavedMetadata")).Fields(func(v protobuf.Value) error {
			if v.Is("nodes") {
				return kerasObject(p, f, v)
			}
			return nil
		})
	},
}

// fingerprintReading knows fingerprint.pb: checksums of a SavedModel.
var fingerprintReading = inspect.Reading{
	Format: "savedmodel-fingerprint",
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		sums := 0
		doc, m := protobuf.Open(f, 0, f.Size, tfSchema().Message("FingerprintDef"))
		doc.Odd = nil
		err := m.Fields(func(v protobuf.Value) error {
			if v.Number < 6 {
				sums++
			}
			if v.Is("version") {
				return v.Message().Check()
			}
			return nil
		})
		if err != nil || sums < 4 || f.Size > 4096 {
			return inspect.No
		}
		return inspect.Yes
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		return wire(p, f, tfSchema().Message("FingerprintDef")).Check()
	},
}

// fit reports whether a file may be a message of a type: no field of it is of
// another kind than the type has, and one of them is what sure asks for.
func fit(f *inspect.File, name string, sure func(protobuf.Value) bool) inspect.Fit {
	if f.Size < 4 {
		return inspect.No
	}
	found := false
	err := glance(f, 0, f.Size, tfSchema().Message(name)).Fields(func(v protobuf.Value) error {
		found = found || v.Field != nil && v.Field.Kind == protobuf.Embedded && sure(v)
		return nil
	})
	if found && (err == nil || err == errEnough) {
		return inspect.Yes
	}
	return inspect.No
}

func isMetaGraph(m protobuf.Part) bool {
	found := false
	err := m.Fields(func(v protobuf.Value) error {
		found = found || v.Is("graph_def") && isGraph(v.Message())
		return nil
	})
	return found && (err == nil || err == errEnough)
}

// isGraph reports whether a message is a graph with a node at least.
func isGraph(m protobuf.Part) bool {
	found := false
	err := m.Fields(func(v protobuf.Value) error {
		found = found || v.Is("node") && isNode(v.Message())
		return nil
	})
	return found && (err == nil || err == errEnough)
}

// isNode reports whether a message is a node: it has a name and an operator,
// and all its fields are those of a node.
func isNode(m protobuf.Part) bool {
	var name, op string
	err := m.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			name, err = v.String(maxName)
		case "op":
			op, err = v.String(maxName)
		}
		return err
	})
	return err == nil && name != "" && op != "" && !strings.ContainsFunc(op, notInName)
}

// notInName reports whether an operator's name may not have a letter.
func notInName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '>' || r == '.' || r == '-' || r == '/')
}

// metaGraph judges a graph with what belongs to it.
func metaGraph(p *inspect.Pass, f *inspect.File, m protobuf.Part) error {
	g := &tfGraph{p: p, f: f, seen: map[tfAsk]string{}, whole: true}
	err := m.Fields(func(v protobuf.Value) error {
		switch v.Name() {
		case "saver_def":
			name, err := member(v.Message(), "filename_tensor_name")
			g.saver = tensorNode(name)
			return err
		case "asset_file_def":
			return g.asset(v.Message())
		case "object_graph_def":
			return v.Message().Fields(func(v protobuf.Value) error {
				if v.Is("nodes") {
					return savedObject(p, f, v)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.Again().Fields(func(v protobuf.Value) error {
		if v.Is("graph_def") {
			return g.inspect(v.Message())
		}
		return nil
	})
}

// savedObject hands the configuration that a Keras layer has in the graph of
// objects to those who judge such configurations.
func savedObject(p *inspect.Pass, f *inspect.File, object protobuf.Value) error {
	return object.Message().Fields(func(v protobuf.Value) error {
		if v.Is("user_object") {
			return kerasObject(p, f, v)
		}
		return nil
	})
}

// kerasObject inspects the configuration of a Keras object as a file.
func kerasObject(p *inspect.Pass, f *inspect.File, object protobuf.Value) error {
	return object.Message().Fields(func(v protobuf.Value) error {
		if !v.Is("metadata") || v.Size == 0 {
			return nil
		}
		config, err := f.Section("config.json", v.Off, v.Size)
		if err != nil {
			return err
		}
		return p.Inspect(config)
	})
}
