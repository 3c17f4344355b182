"""Make the honest files that the tests read, with the libraries that own the formats.

    pip install 'numpy<2.5' safetensors gguf flax ml_dtypes
    python make.py FOLDER
"""
import json
import pathlib
import sys
import warnings

import gguf
import ml_dtypes
import numpy as np
import safetensors.numpy
from flax import serialization

out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)


def write(name, data):
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# safetensors
kinds = [np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8, np.bool_, np.complex64]
all_kinds = {f"t{i}.{np.dtype(k).name}": np.ones((i, 3), k) for i, k in enumerate(kinds)}
write("all.safetensors", safetensors.numpy.save(all_kinds, {"format": "pt", "note": "é\n\""}))
write("empty.safetensors", safetensors.numpy.save({}))
write("scalar.safetensors", safetensors.numpy.save({"a": np.array(1.5, np.float32), "z": np.zeros((0, 7), np.float32), "y": np.zeros((0,), np.float32)}))
narrow = {"bfloat16": [2, 2], "float8_e4m3fn": [3], "float8_e5m2": [1], "float8_e8m0fnu": [2], "float4_e2m1fn_x2": [4]}
zeros = np.zeros(64, np.uint8)
write("narrow.safetensors", safetensors.serialize({
    name: safetensors.TensorSpec(dtype=name, shape=shape, data_ptr=zeros.ctypes.data, data_len=int(np.prod(shape)) * (2 if name == "bfloat16" else 1))
    for name, shape in narrow.items()}))

# sharded
write("shards/model-00001-of-00002.safetensors", safetensors.numpy.save({"a": np.ones(3, np.float32)}))
write("shards/model-00002-of-00002.safetensors", safetensors.numpy.save({"b": np.ones(3, np.float32)}))
index = {"metadata": {"total_size": 24}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
write("shards/model.safetensors.index.json", json.dumps(index, indent=2).encode())

# GGUF
TEMPLATE = """{% for message in messages %}{{ '<|' ~ message['role'] ~ '|>' + message['content'] | trim + eos_token }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""


def model(path, endianess=gguf.GGUFEndian.LITTLE, template=TEMPLATE, quantised=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    w = gguf.GGUFWriter(path, "llama", endianess=endianess)
    w.add_block_count(2)
    w.add_context_length(2048)
    w.add_float32("llama.rope.freq_base", 10000.0)
    w.add_bool("tokenizer.ggml.add_bos_token", True)
    w.add_token_list(["<s>", "a", "é"])
    w.add_token_scores([0.0, -1.0, -2.5])
    w.add_token_types([3, 1, 1])
    w.add_array("test.nested", [[1, 2], [3]])
    for kind in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float64"):
        getattr(w, "add_" + kind)("test." + kind, 7)
    w.add_custom_alignment(64)
    if template:
        w.add_chat_template(template)
    for i, t in enumerate([np.float32, np.float16, np.float64, np.int8, np.int16, np.int32, np.int64]):
        w.add_tensor(f"t{i}", np.ones((i + 1, 5), t))
    if quantised and endianess == gguf.GGUFEndian.LITTLE:
        for q in (gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.BF16, gguf.GGMLQuantizationType.TQ1_0):
            w.add_tensor("q." + q.name, gguf.quants.quantize(rng.standard_normal((2, 256)).astype(np.float32), q), raw_dtype=q)
        for q, (block, size) in gguf.GGML_QUANT_SIZES.items():
            w.add_tensor("z." + q.name, np.zeros((1, size), np.uint8), raw_dtype=q)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


model(out / "little.gguf")
model(out / "big.gguf", gguf.GGUFEndian.BIG)
model(out / "named.gguf", template=[{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": TEMPLATE}], quantised=False)
w = gguf.GGUFWriter(out / "vocab.gguf", "llama")
w.add_token_list(["a"] * 100)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()

# npy
arrays = {
    "f8": np.arange(6.0), "fortran": np.asfortranarray(np.ones((3, 4), np.float32)), "scalar": np.array(3), "none": np.zeros((0, 3)),
    "big": np.arange(3, dtype=">i4"), "bool": np.array([True, False]), "complex": np.ones(2, np.complex128), "half": np.ones(3, np.float16),
    "long": np.ones(2, np.longdouble), "text": np.array(["ab", "é"]), "bytes": np.array([b"ab", b"c"]), "void": np.zeros(2, "V7"),
    "time": np.array(["2020-01-01", "NaT"], "M8[ns]"), "span": np.array([1, 2], "m8[25us]"), "untimed": np.array([1], "m8"),
    "record": np.zeros(3, [("a", "<i4"), ("b", "<f8", (2, 3)), ("c", [("d", "U3"), (("title", "e"), "?")])]),
    "aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "quotes": np.zeros(1, [("it's", "i1"), ('"', "i1"), ("back\\slash", "i1")]), "utf8": np.zeros(1, [("日本", "f4")]),
    "bf16": np.ones(3, ml_dtypes.bfloat16), "objects": np.array([1, "a", None, [2]], object), "mixed": np.array([(1, "x")], [("n", "i4"), ("o", "O")]),
    "wide": np.zeros(1, [(f"field_{i:05}", "f4") for i in range(600)]),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for name, a in arrays.items():
        path = out / "npy" / f"{name}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, a)
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open(out / "npy" / f"version{version[0]}.npy", "wb") as f:
            np.lib.format.write_array(f, np.ones((2, 2)), version=version)

# Flax
tree = {"params": {"dense": {"kernel": np.ones((3, 4), np.float32), "bias": np.zeros(4, ml_dtypes.bfloat16)}, "n": {}},
        "step": 7, "negative": -70000, "rate": 0.5, "done": True, "none": None, "name": "adam", "c": 1 + 2j, "scalar": np.float32(3), "int": np.int64(-1),
        "list": [np.ones(2, np.int8), np.zeros((0, 2), np.uint16)], "half": np.ones(1, np.float16), "flag": np.array([True])}
write("flax.msgpack", serialization.to_bytes(tree))
serialization.MAX_CHUNK_SIZE = 64
write("chunked.msgpack", serialization.msgpack_serialize({"a": np.arange(100, dtype=np.float32)}))
write("flax_unnamed", serialization.to_bytes(tree))

# Transformers
write("hf/tokenizer_config.json", json.dumps({"bos_token": "<s>", "added_tokens_decoder": {str(i): {"content": f"<{i}>"} for i in range(300)}, "chat_template": TEMPLATE}).encode())
write("hf-named/tokenizer_config.json", json.dumps({"chat_template": [{"name": "default", "template": TEMPLATE}, {"name": "rag", "template": TEMPLATE}]}).encode())
write("hf/chat_template.jinja", TEMPLATE.encode())
