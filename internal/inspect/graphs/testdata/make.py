"""Writes testdata/honest with the libraries that the models belong to.

    make.py onnx        (onnx, skl2onnx, scikit-learn)
    make.py tensorflow  (tensorflow-cpu, tf_keras)
    make.py coreml      (coremltools)
"""

import os
import shutil
import sys
import tempfile

import numpy as np

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "honest")


def place(*names):
    path = os.path.join(OUT, *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def make_onnx():
    import onnx
    from onnx import TensorProto as T, helper as h, numpy_helper as nh
    from skl2onnx import to_onnx
    from sklearn import datasets, ensemble, linear_model, pipeline, preprocessing, svm

    def save(name, model, **kw):
        onnx.checker.check_model(model)
        onnx.save(model, place("onnx", name + ".onnx"), **kw)

    x, y = datasets.load_iris(return_X_y=True)
    x = x.astype(np.float32)
    small = dict(n_estimators=3, max_depth=3, random_state=0)
    for model in [linear_model.LogisticRegression(max_iter=1000), ensemble.RandomForestClassifier(**small), svm.SVC(),
                  ensemble.GradientBoostingRegressor(**small), ensemble.AdaBoostClassifier(n_estimators=2, random_state=0)]:
        fitted = pipeline.make_pipeline(preprocessing.StandardScaler(), model).fit(x, y)
        save(type(model).__name__, to_onnx(fitted, x[:1]))

    info = lambda name, shape: h.make_tensor_value_info(name, T.FLOAT, shape)
    branch = lambda name, op: h.make_graph([h.make_node(op, ["x"], [name])], name, [], [info(name, [4])])
    nodes = [h.make_node("ReduceSum", ["x"], ["s"], keepdims=0), h.make_node("Cast", ["s"], ["c"], to=T.BOOL),
             h.make_node("If", ["c"], ["b"], then_branch=branch("t", "Relu"), else_branch=branch("e", "Neg")),
             h.make_node("Twice", ["b"], ["y"], domain="own")]
    twice = h.make_function("own", "Twice", ["a"], ["r"], [h.make_node("Add", ["a", "a"], ["r"])], [h.make_opsetid("", 17)])
    opsets = [h.make_opsetid("", 17), h.make_opsetid("own", 1)]
    save("branch-and-function", h.make_model(h.make_graph(nodes, "g", [info("x", [4])], [info("y", [4])]), functions=[twice],
                                             opset_imports=opsets, ir_version=8))

    held = []
    for name, kind in T.DataType.items():
        if name in ("UNDEFINED", "STRING"):
            continue
        held.append(h.make_tensor(name + "_typed", kind, [5], [1] * 5))
        held.append(h.make_tensor(name + "_empty", kind, [0, 3], []))
        if not name.startswith("COMPLEX"):
            held.append(nh.from_array(np.ones((3, 3)).astype(h.tensor_dtype_to_np_dtype(kind)), name + "_raw"))
    held.append(h.make_tensor("texts", T.STRING, [2], [b"a", b"b"]))
    graph = h.make_graph([h.make_node("Identity", ["FLOAT_typed"], ["y"])], "g", [], [info("y", [5])], held)
    onnx.save(h.make_model(graph), place("onnx", "types.onnx"))

    weights = nh.from_array(np.arange(1024, dtype=np.float32).reshape(32, 32), "w")
    graph = h.make_graph([h.make_node("MatMul", ["x", "w"], ["y"])], "g", [info("x", [1, 32])], [info("y", [1, 32])], [weights])
    save("external", h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8),
         save_as_external_data=True, location="external.onnx.data", size_threshold=0)


def make_tensorflow():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    import tf_keras

    temp = tempfile.mkdtemp()

    def keep(name, *files):
        for f in files:
            shutil.copyfile(os.path.join(temp, name, f), place("tensorflow", name, f))

    class Small(tf.Module):
        def __init__(self):
            self.v = tf.Variable(np.ones((4, 3), np.float32))
            path = os.path.join(temp, "vocab.txt")
            with open(path, "w") as f:
                f.write("a\nb\n")
            file = tf.lookup.TextFileInitializer(tf.saved_model.Asset(path), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
                                                 tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
            self.table = tf.lookup.StaticHashTable(file, -1)

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def __call__(self, x):
            tf.print("x")
            return tf.nn.relu(tf.matmul(x, self.v))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, x):
            return self.table.lookup(x)

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
        def loop(self, n):
            i = tf.constant(0)
            while i < n:
                i += 1
            return i

    small = Small()
    tf.saved_model.save(small, os.path.join(temp, "module"), signatures={"serving_default": small.__call__, "look": small.look})
    keep("module", "saved_model.pb", "fingerprint.pb", "assets/vocab.txt")

    dense = tf_keras.Sequential([tf_keras.layers.Input((8,)), tf_keras.layers.Dense(1)])
    dense.save(os.path.join(temp, "keras2"), save_format="tf")
    keep("keras2", "saved_model.pb", "keras_metadata.pb")

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        y = tf.matmul(x, v1.get_variable("v", [4, 2]), name="y")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, os.path.join(temp, "v1"), {"x": x}, {"y": y})
        keep("v1", "saved_model.pb")
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
        for name in ("frozen.pb", "frozen.pbtxt"):
            tf.io.write_graph(frozen, os.path.dirname(place("tensorflow", name)), name, as_text=name.endswith("txt"))
        v1.train.Saver().save(session, os.path.join(temp, "v1", "model"))
        shutil.copyfile(os.path.join(temp, "v1", "model.meta"), place("tensorflow", "model.meta"))

    def lite(name, converter, quantise=False, flex=False):
        if quantise:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if flex:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        with open(place("tflite", name + ".tflite"), "wb") as f:
            f.write(converter.convert())

    @tf.function(input_signature=[tf.TensorSpec([3, 3], tf.float32)])
    def determinant(x):
        return tf.linalg.det(x)

    of = tf.lite.TFLiteConverter
    lite("dense", of.from_keras_model(dense))
    lite("dense-quantised", of.from_keras_model(tf_keras.Sequential([tf_keras.layers.Input((64,)), tf_keras.layers.Dense(64)])), quantise=True)
    lite("loop", of.from_concrete_functions([small.loop.get_concrete_function()], small))
    lite("flex", of.from_concrete_functions([determinant.get_concrete_function()]), flex=True)


def make_coreml():
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder
    from coremltools.models.tree_ensemble import TreeEnsembleRegressor

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 4))])
    def program(x):
        x = mb.linear(x=x, weight=np.ones((16, 4), np.float32), bias=np.zeros(16, np.float32))
        return mb.cond(pred=mb.greater(x=mb.reduce_sum(x=x), y=0.0), _true_fn=lambda: mb.relu(x=x), _false_fn=lambda: mb.mul(x=x, y=2.0))

    package = os.path.join(tempfile.mkdtemp(), "program.mlpackage")
    ct.convert(program, source="milinternal", convert_to="mlprogram", skip_model_load=True).save(package)
    for name in ("model.mlmodel", "weights/weight.bin"):
        shutil.copyfile(os.path.join(package, "Data/com.apple.CoreML", name), place("coreml", "program.mlpackage", "Data", "com.apple.CoreML", *name.split("/")))
    shutil.copyfile(os.path.join(package, "Manifest.json"), place("coreml", "program.mlpackage", "Manifest.json"))
    ct.convert(program, source="milinternal", convert_to="neuralnetwork").save(place("coreml", "network.mlmodel"))

    b = NeuralNetworkBuilder([("x", datatypes.Array(4))], [("y", datatypes.Array(2))])
    b.add_inner_product("ip", W=np.ones((2, 4)), b=np.zeros(2), input_channels=4, output_channels=2, has_bias=True, input_name="x", output_name="h")
    b.add_activation("act", "RELU", "h", "y")
    ct.utils.save_spec(b.spec, place("coreml", "layers.mlmodel"))
    t = TreeEnsembleRegressor([("x", datatypes.Array(4))], "y")
    t.add_branch_node(0, 0, 0, 0.5, "BranchOnValueLessThanEqual", 1, 2)
    t.add_leaf_node(0, 1, 1.0)
    t.add_leaf_node(0, 2, 2.0)
    t.set_default_prediction_value(0.0)
    ct.utils.save_spec(t.spec, place("coreml", "tree.mlmodel"))


{"onnx": make_onnx, "tensorflow": make_tensorflow, "coreml": make_coreml}[sys.argv[1]]()
