"""Writes models as the installed libraries write them, into the folder that is
the first argument. Says on standard error which libraries are missing."""

import os
import pickle
import sys
import warnings

warnings.filterwarnings("ignore")
folder = sys.argv[1]
os.makedirs(folder)


def path(name, ending):
    return os.path.join(folder, "".join(c if c.isalnum() else "_" for c in name) + ending)


def dump(name, thing, protocols=(2, 5)):
    for p in protocols:
        with open(path(f"{name}_{p}", ".pkl"), "wb") as f:
            pickle.dump(thing, f, protocol=p)


def plain():
    import collections
    import datetime
    import decimal
    import fractions
    import uuid

    shared = ["os", "system", "builtins\neval"]
    dump("containers", {"list": [1, 2.5, None, True, shared], "again": shared, "tuple": (1, (2, 3)), "set": {1, 2}, "frozen": frozenset("ab")}, range(6))
    dump("numbers", [0, -1, 255, 65535, 2**31, -(2**63), 10**80, 1e300, float("nan"), 1j], range(6))
    dump("collections", [collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("abc"), collections.deque([1, 2], 5)], range(6))
    dump("values", [datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(1), decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5)], range(6))
    dump("bytes", [b"", b"\x80\x04", bytearray(b"abc"), "\u20ac\U0001f600"], range(6))
    dump("long", {f"word{i}": i for i in range(5000)}, range(6))


def numpy():
    import numpy as np

    r = np.random.default_rng(1)
    arrays = [r.normal(size=(20, 3)), np.arange(5, dtype=">i4"), np.asfortranarray(np.ones((3, 2), "f4")), np.array(["a", "bc"]), np.array([b"x"]),
              np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]), np.array(["2020-01-01"], dtype="M8[D]"), np.array([1, "a", None], dtype=object), np.array(5.0),
              np.array([True]), np.array([1j]), np.zeros((0, 3)), np.ma.masked_array([1, 2], mask=[0, 1])]
    for i, a in enumerate(arrays):
        dump(f"array{i}", a, (0, 2, 4, 5))
        np.save(path(f"array{i}", ".npy"), np.asarray(a), allow_pickle=True)
    dump("scalars", [np.float32(1), np.int64(2), np.bool_(True), np.str_("x"), np.datetime64("2020-01-01")])
    dump("random", [np.random.RandomState(1), r])
    np.savez(path("plain", ".npz"), a=arrays[0], b=arrays[1])
    np.savez_compressed(path("compressed", ".npz"), a=arrays[0], b=arrays[6])


def pandas():
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"n": [1, 2, 3], "f": [1.5, None, 2], "s": ["a", "b", None], "t": pd.date_range("2020-01-01", periods=3), "c": pd.Categorical(["x", "y", "x"])})
    things = {"frame": frame, "series": frame["f"], "indexed": frame.set_index("t"), "multi": frame.set_index(["n", "s"]), "string": frame["s"].astype("string"),
              "nullable": frame["n"].astype("Int64"), "zone": frame["t"].dt.tz_localize("UTC"), "period": frame["t"].dt.to_period("M"), "range": pd.RangeIndex(5),
              "interval": pd.interval_range(0, 3), "timedelta": frame["t"] - frame["t"][0], "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
              "timestamp": pd.Timestamp("2020-01-01", tz="UTC"), "columns": frame.columns, "wide": pd.DataFrame(np.zeros((3, 20))), "empty": pd.DataFrame()}
    for name, thing in things.items():
        dump("pandas_" + name, thing)
        for ending in (".gz", ".bz2", ".xz", ".zip", ".tar"):
            if name in ("frame", "series"):
                thing_path = path("pandas_" + name, ".pkl" + ending)
                pd.to_pickle(thing, thing_path)


def sklearn():
    import joblib
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.utils import all_estimators

    r = np.random.default_rng(1)
    x, y = abs(r.normal(size=(40, 4))), np.arange(40) % 2
    models = {}
    for name, cls in all_estimators():
        try:
            models[name] = cls()
        except Exception:
            continue
    chosen = {}
    for name, m in models.items():
        try:
            chosen[name] = m.fit(x, y)
        except Exception:
            chosen[name] = m
    for name, m in chosen.items():
        try:
            dump(name, m, (2, 5) if len(name) % 2 else (4,))
        except Exception:
            continue
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    mixed = make_pipeline(ColumnTransformer([("n", StandardScaler(), [0, 1]), ("c", OneHotEncoder(handle_unknown="ignore"), [2])]), LogisticRegression())
    mixed.fit(np.round(x), y)
    search = GridSearchCV(RandomForestClassifier(5), {"max_depth": [2, 3]}, cv=2).fit(x, y)
    for name, m in {"pipeline": mixed, "search": search, "boosted": GradientBoostingClassifier(n_estimators=3).fit(x, y)}.items():
        dump(name, m, range(6))
        joblib.dump(m, path(name, ".joblib"))
        for i, how in enumerate([3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 3)]):
            try:
                joblib.dump(m, path(f"{name}_{i}", ".joblib"), compress=how)
            except ValueError:
                pass
    joblib.dump([np.array([1, "a"], dtype=object), x, x.T, {"x": x}], path("arrays", ".joblib"))


def torch():
    import collections

    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.LayerNorm(2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    things = {"state": model.state_dict(), "model": model, "checkpoint": {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3},
              "tensor": torch.arange(5), "half": torch.ones(2, dtype=torch.bfloat16), "parameter": torch.nn.Parameter(torch.ones(2)),
              "ordered": collections.OrderedDict(a=torch.zeros(2, 2).t()), "size": torch.Size([1, 2]), "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}
    for name, thing in things.items():
        torch.save(thing, path("torch_" + name, ".pt"))
        torch.save(thing, path("legacy_" + name, ".bin"), _use_new_zipfile_serialization=False)


for make in (plain, numpy, pandas, sklearn, torch):
    try:
        make()
    except ImportError as e:
        print("MISSING", {"sklearn": "scikit-learn joblib"}.get(make.__name__, make.__name__), file=sys.stderr)
