"""Writes data/*.schema from the descriptors that libraries carry.

    schema.py onnx       > data/onnx.schema        (onnx)
    schema.py tensorflow > data/tensorflow.schema  (tensorflow-cpu)
    schema.py coreml     > data/coreml.schema      (coremltools)
"""

import importlib.metadata
import sys

KINDS = ["", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string",
         "group", "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64"]


def short(d):
    """Name within its package: nested messages keep their outer names."""
    name = d.full_name
    if "keras" in d.file.package:
        return "Keras" + name[len(d.file.package) + 1:]
    return name[len(d.file.package) + 1:] if d.file.package else name


def collect(d, seen, skip):
    if d.full_name in seen or short(d) in skip:
        return
    seen[d.full_name] = d
    for f in d.fields:
        if f.message_type is not None:
            collect(f.message_type, seen, skip)


def write(roots, version, skip=()):
    seen = {}
    for r in roots:
        collect(r, seen, skip)
    print(f"# From the descriptors of {version}. Made by testdata/schema.py.")
    print("# A message, then its fields: number, type (* repeated), name, oneof.")
    for full in sorted(seen, key=lambda k: short(seen[k])):
        d = seen[full]
        print(f"\n{short(d)}")
        for f in sorted(d.fields, key=lambda f: f.number):
            kind = KINDS[f.type]
            if f.message_type is not None:
                name = short(f.message_type)
                kind = "message" if f.message_type.full_name not in seen else name
            star = "*" if f.is_repeated else ""
            group = f" {f.containing_oneof.name}" if f.containing_oneof is not None and not f.containing_oneof.name.startswith("_") else ""
            print(f"{f.number} {star}{kind} {f.name}{group}")


def version(dist):
    return f"{dist} {importlib.metadata.version(dist)}"


what = sys.argv[1]
if what == "onnx":
    from onnx import onnx_ml_pb2 as pb
    write([pb.ModelProto.DESCRIPTOR], version("onnx"))
elif what == "coreml":
    from coremltools.proto import Model_pb2 as pb
    write([pb.Model.DESCRIPTOR], version("coremltools"))
elif what == "tensorflow":
    from tensorflow.core.protobuf import saved_model_pb2, fingerprint_pb2
    from tensorflow.core.framework import graph_pb2
    roots = [saved_model_pb2.SavedModel, graph_pb2.GraphDef, fingerprint_pb2.FingerprintDef]
    try:
        from tf_keras.protobuf import saved_metadata_pb2
        roots.append(saved_metadata_pb2.SavedMetadata)
    except ImportError:
        pass
    write([r.DESCRIPTOR for r in roots], version("tensorflow-cpu"))
