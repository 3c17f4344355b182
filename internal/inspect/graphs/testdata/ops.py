"""Writes the lists of operators from the registries that libraries carry.

    ops.py onnx       > data/onnx.ops        (onnx, onnxruntime, onnxruntime-extensions)
    ops.py tensorflow > data/tensorflow.ops  (tensorflow-cpu)
    ops.py refused    > data/tensorflow.refused
    ops.py mil        > data/mil.ops         (coremltools)

What a list leaves out is not allowed. The reasons stand beside each pattern.
"""

import importlib.metadata
import re
import sys


def version(*dists):
    return ", ".join(f"{d} {importlib.metadata.version(d)}" for d in dists)


def head(text, *dists):
    print(f"# {text}")
    print(f"# From the registries of {version(*dists)}. Made by testdata/ops.py.")


def onnx():
    import onnx.defs
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime
    import onnxruntime_extensions as ext

    head("Operators of ONNX by domain. Of onnxruntime's own, those are left out that load a vendor's program.",
         "onnx", "onnxruntime", "onnxruntime-extensions")
    ops = {}
    for s in list(onnx.defs.get_all_schemas_with_history()) + list(runtime.get_all_operator_schema()):
        ops.setdefault(s.domain, set()).add(s.name)
    ops["com.microsoft"] -= {"EPContext", "Snpe", "SampleOp"}
    ops["ai.onnx"] = ops.pop("")
    ops["ai.onnx.training"] = ops.get("ai.onnx.preview.training", set())
    ops["ai.onnx.contrib"] = extension_ops(ext)
    for domain in sorted(ops):
        print(f"\n[{domain}]")
        print("\n".join(sorted(ops[domain])))


def extension_ops(ext):
    """Every operator of the extensions but those that call Python or a network."""
    from onnxruntime_extensions import _cuops
    names = {n for n in dir(_cuops) if isinstance(getattr(_cuops, n), type)
             and issubclass(getattr(_cuops, n), _cuops.CustomOp)}
    out = set()
    for n in names - {"CustomOp"}:
        cls = getattr(_cuops, n)
        out.add(cls.op_type() if callable(getattr(cls, "op_type", None)) else n)
    return {n for n in out if not re.search(r"Py|Azure|OpenAI", n)}


# What TensorFlow operators do that a model has no need of.
REFUSED = {
    "calls Python": r"PyFunc|EagerPyFunc|GeneratorDataset",
    "reads or writes files": r"(Read|Write)File|MatchingFiles|WholeFile|Reader|TextLine|TFRecord|FixedLengthRecord|"
                             r"CSVDataset|SqlDataset|LMDB|LoadDataset|SaveDataset|Snapshot.+|ListSnapshot|RecordInput|"
                             r"LoadAndRemap|GenerateVocabRemapping|Skipgram|NegTrain|CalibrationStatisticsSaver|DistributedSave|"
                             r"ImmutableConst|FileSystem|CacheDataset|DTensorRestore|DumpTensor",
    "writes summaries": r"Summary(Writer|Db|File)|ImportEvent|Write.*Summary|^SummaryWriter",
    "speaks to other machines": r"^Rpc|DataService|RegisterDataset|Remote|Collective|Nccl|WorkerHeartbeat|DeleteRpc|"
                                r"^_?(Host)?(Send|Recv)|^_Host(Send|Recv)",
    "sends values to a debugger": r"^Debug(Identity|Nan|Numeric)|^Copy(Host)?$",
    "holds a graph in a string": r"DatasetFromGraph|DeserializeIterator",
    "calls code by its name in the process": r"XlaCustomCall|XlaHostCompute|^Xla(Send|Recv)|HostCompute|_XlaRun|_XlaCompile|_TPUCompile",
    "stops or delays the process": r"^Abort$|Sleep|ConstructionFails",
    "drives a TPU cluster": r"(Configure|Initialize|Shutdown|Disconnect|Connect|Finalize|Wait|Execute|Enqueue|Load|Retrieve|Send|Recv)"
                            r".*(TPU|Tpu)|Infeed|Outfeed|^TPU(Compile|Execute|Round|Ordinal|Reshard)|TPUArray",
    "is for tests of TensorFlow": r"^(A|B|Attr.*|Binary|Unary|None|Old|Simple|Foo\d|Int.*put|Float.*put|Two(Float|Int|Refs).*|TypeList.*|"
                                  r"N(In|Ints|Poly|Out).*|Ref(In|Out).*|OutT.*|Out.*Restrict|Polymorphic.*|InPolymorphicTwice|Reserved.*|"
                                  r"Restrict|Test.*|Namespace.*|KernelLabel.*|FuncAttr|FuncListAttr|FiveFloat.*|ListInput|ListOutput|"
                                  r"Int64Output|StubResource.*|ResourceCreateOp|ResourceInitializedOp|ResourceUsingOp|ComplexStruct|"
                                  r"MixedStruct|SimpleStruct|OpWith.*|DefaultAttrs|CopyOp|RequiresOlder.*|GraphDefVersion|DevicePlacementOp|"
                                  r"MlirPassthroughOp|SyncDevice)$",
}

# The internal operators that frozen and optimised graphs hold.
INTERNAL = r"^_(Arg|Retval|Fused\w+|FusedBatchNorm\w+|UnaryOpsComposition|ListToArray|ArrayToList|SwitchN|If|While|XlaMerge|TensorToHashBucketFast)$"

# Allowed under a condition that the scanner checks; the word names it.
CONTRACTS = {
    "SaveV2": "saver", "RestoreV2": "saver", "MergeV2Checkpoints": "saver", "Save": "saver", "SaveSlices": "saver",
    "Restore": "saver", "RestoreSlice": "saver",
    "InitializeTableFromTextFile": "asset", "InitializeTableFromTextFileV2": "asset",
    "PrintV2": "stream", "FixedUnigramCandidateSampler": "vocabulary", "DecodeProtoV2": "descriptor", "EncodeProto": "descriptor",
}


# Reasons that are odd and no attack by themselves.
MILD = {"calls code by its name in the process", "drives a TPU cluster"}


def registry():
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session as session
    known = op_def_pb2.OpList()
    known.ParseFromString(session.TF_GetBuffer(session.TF_GetAllOpList()))
    return sorted(o.name for o in known.op)


def tensorflow():
    head("Operators of TensorFlow that compute and do nothing else; a second word is the condition that the scanner checks.",
         "tensorflow-cpu")
    for name in registry():
        if name in CONTRACTS:
            print(name, CONTRACTS[name])
        elif name.startswith("_") and not re.search(INTERNAL, name):
            pass
        elif not any(re.search(p, name) for p in REFUSED.values()):
            print(name)


def refused():
    head("Operators of TensorFlow that no model needs: how bad they are, and what they do.", "tensorflow-cpu")
    for name in registry():
        if name in CONTRACTS:
            continue
        for reason, pattern in REFUSED.items():
            if re.search(pattern, name) and not reason.startswith("is for tests"):
                print(name, "suspicious" if reason in MILD else "malicious", reason)
                break


def mil():
    from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry
    import coremltools.converters.mil.mil.ops.defs  # noqa: F401
    head("Operators of Core ML's intermediate language.", "coremltools")
    print("\n".join(sorted(SSAOpRegistry.core_ops)))


{"onnx": onnx, "tensorflow": tensorflow, "refused": refused, "mil": mil}[sys.argv[1]]()
