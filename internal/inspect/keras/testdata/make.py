"""Writes the files that the tests read: good-* must pass, bad-* must not.

    pip install keras==3.15.1 jax h5py==3.16.0 tables pandas && python make.py
"""
import gzip
import os
import pickle
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import h5py
import keras
import numpy as np
import pandas as pd
import tables
from keras import layers as L

here = os.path.dirname(os.path.abspath(__file__))
tmp = tempfile.mkdtemp()


def put(name, data):
    with open(os.path.join(here, name + ".gz"), "wb") as out:
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as z:
            z.write(data)


def model(name, m, h5=True):
    """The configuration and the weights of a .keras file, and a .h5 file."""
    path = os.path.join(tmp, "m.keras")
    m.save(path)
    with zipfile.ZipFile(path) as z:
        put(name + ".json", z.read("config.json"))
        if not name.startswith("bad"):
            put(name + ".weights.h5", z.read("model.weights.h5"))
    if h5:
        path = os.path.join(tmp, "m.h5")
        m.save(path)
        put(name + ".h5", open(path, "rb").read())


def file(name, fill):
    path = os.path.join(tmp, "f.h5")
    with h5py.File(path, "w") as f:
        fill(f)
    put(name + ".h5", open(path, "rb").read())


# Honest models.
m = keras.Sequential([L.Input((4,)), L.Dense(3, activation="relu", kernel_regularizer="l2"), L.BatchNormalization(),
                      L.Dropout(.1), L.Dense(1, activation=keras.activations.sigmoid)])
m.compile("adam", loss="binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
m.fit(np.zeros((8, 4)), np.zeros(8), verbose=0)
model("good-sequential", m)

a, b = L.Input((8,)), L.Input((8,))
x = L.Embedding(20, 5)(a)
x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
x = L.TimeDistributed(L.Dense(2))(x)
x = L.GlobalAveragePooling1D()(x)
y = keras.ops.add(b, 1.0)
y = L.Dense(2)(y * 2)
y = keras.ops.concatenate([x, y], axis=-1)[:, 1:]
y = keras.Sequential([L.Input((3,)), L.Dense(2)])(y)
m = keras.Model([a, b], [y, keras.ops.softmax(y)])
m.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(.1, 10)),
          loss=[keras.losses.MeanSquaredError(), keras.losses.Huber()], metrics=[["mae"], [keras.metrics.MeanSquaredError()]])
model("good-functional", m)
put("good-to_json.json", m.to_json().encode())

m = keras.Sequential([L.Input((2,)), L.Normalization(mean=[0., 1.], variance=[1., float("inf")]), L.Dense(1, dtype="mixed_bfloat16")])
model("good-infinity", m, h5=False)

m = keras.Sequential([L.Input((8, 8, 3)), L.RandomFlip(), L.RandomRotation(.1), L.Conv2D(2, 3), L.MaxPool2D(), L.Flatten(), L.Dense(1)])
m.compile("rmsprop", loss=keras.losses.binary_crossentropy, metrics=[keras.metrics.binary_accuracy])
model("good-image", m)

q = L.Input((5, 4))
z = L.MultiHeadAttention(2, 4)(q, q)
model("good-attention", keras.Model(q, L.Activation("gelu")(L.LayerNormalization()(z + q))))


# Honest HDF5 of others.
def plain(f):
    f.attrs["title"] = "Counts of patients. See Methods.\nNothing else."
    f.attrs["json"] = '{"columns": ["a", "b"]}'
    f.attrs["braces"] = "{not json}"
    f["x"] = np.arange(10)
    f["soft"] = h5py.SoftLink("/x")
    f.create_dataset("z", data=np.arange(100), compression="gzip", shuffle=True)


file("good-plain", plain)
path = os.path.join(tmp, "p.h5")
pd.DataFrame({"a": [1, 2], "b": [.5, .25]}).to_hdf(path, key="t", format="table")
put("good-pandas.h5", open(path, "rb").read())

# Code.
model("bad-lambda", keras.Sequential([L.Input((2,)), L.Lambda(lambda x: x + 1)]))


def named(x):
    return x


model("bad-lambda-named", keras.Sequential([L.Input((2,)), L.Lambda(named)]))


@keras.saving.register_keras_serializable("mine")
class Mine(L.Layer):
    def call(self, x):
        return x


model("bad-custom", keras.Sequential([L.Input((2,)), Mine()]))


# Files that reach out.
def external_link(f):
    f["layers"] = h5py.ExternalLink("/etc/passwd.h5", "/")


def external_neighbour(f):
    f["layers"] = h5py.ExternalLink("other.h5", "/")


def external_storage(f):
    f.create_dataset("layers/0", (10,), "i1", external=[("/etc/passwd", 0, 10)])


def virtual(f):
    layout = h5py.VirtualLayout(shape=(10,), dtype="i1")
    layout[:] = h5py.VirtualSource("/data/other.h5", "d", shape=(10,))
    f.create_virtual_dataset("layers/0", layout)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def pickled(f):
    f.attrs["obj"] = np.bytes_(pickle.dumps(Evil(), 0))


def pickled_binary(f):
    f.create_group("g").attrs["obj"] = np.bytes_(pickle.dumps(Evil(), 2))


file("bad-external-link", external_link)
file("bad-external-neighbour", external_neighbour)
file("bad-external-storage", external_storage)
file("bad-virtual", virtual)
file("bad-pickle", pickled)
file("bad-pickle-binary", pickled_binary)
path = os.path.join(tmp, "t.h5")
with tables.open_file(path, "w") as f:
    f.root._v_attrs.thing = Evil()
put("bad-pytables.h5", open(path, "rb").read())


def frame(name, data, **options):
    path = os.path.join(tmp, name + ".h5")
    pd.DataFrame({"a": data}).astype(object).to_hdf(path, key="t", format="fixed", **options)
    put(name + ".h5", open(path, "rb").read())


frame("good-pandas-object", ["x", "y"])
frame("bad-pandas-object", [Evil(), 1])
frame("bad-pandas-compressed", ["x", "y"], complevel=5, complib="zlib")
