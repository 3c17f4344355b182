#!/usr/bin/env python3
"""Writes honest pickles of the libraries that are installed.

    python3 make.py FOLDER

One folder for each library; the tests scan testdata/benign, which holds a
selection, and what SALLYPORT_SCAN_BENIGN names. What is not installed is left
out, and said.
"""
import collections
import datetime
import decimal
import enum
import io
import pathlib
import pickle
import random
import sys
import warnings

warnings.simplefilter("ignore")
OUT = pathlib.Path(sys.argv[1])


def save(folder, name, obj, protocols=range(6)):
    for p in protocols:
        try:
            data = pickle.dumps(obj, protocol=p)
        except (TypeError, pickle.PicklingError, AttributeError) as e:
            print("left out:", folder, name, p, e)
            continue
        path = OUT / folder / f"{name}-{p}.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def python():
    shared = [1, 2]
    save("python", "plain", {"a": [1, 2.5, -3, 2**70, None, True], "b": (1, "ü", b"\x80\x04\x95"), "c": {1, 2}, "d": frozenset("x"), "e": [shared, shared]})
    save("python", "types", [collections.OrderedDict(a=1), collections.defaultdict(list, {1: [2]}), collections.Counter("aab"), collections.deque([1, 2], 5),
                             datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.date(2020, 1, 1), datetime.timedelta(1), decimal.Decimal("1.5"),
                             complex(1, 2), range(5), slice(1, 2), bytearray(b"abc"), pathlib.PurePosixPath("a/b"), random.Random(1)])
    save("python", "big", [list(range(3000)), {str(i): i for i in range(3000)}, "x" * 70000, b"y" * 70000])
    path = OUT / "python" / "several.pkl"
    path.write_bytes(b"".join(pickle.dumps(x) for x in (1, "two", [3])))


def numpy():
    import numpy as np

    save("numpy", "arrays", [np.arange(5), np.ones((2, 3), order="F"), np.array(["a", "bc"]), np.array([b"x"]), np.array([1, None, "x"], dtype=object),
                             np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.array([(1, "x")], dtype=[("a", "i4"), ("b", "O")]),
                             np.float64(1), np.int32(2), np.bool_(True), np.datetime64("2020-01-01"), np.array(["2020"], dtype="M8[ns]"),
                             np.ma.masked_array([1, 2], [0, 1]), np.matrix([[1]]), np.dtype("f4"), np.float32, np.array([]), np.array(1 + 2j)])
    save("numpy", "random", [np.random.RandomState(1), np.random.default_rng(1), np.random.MT19937(1), np.random.PCG64(2)])
    save("numpy", "functions", [np.mean, np.log1p, np.sqrt, np.expm1, np.median])


def pandas():
    import numpy as np
    import pandas as pd

    d = pd.DataFrame({"i": [1, 2, 3], "f": [1.0, None, 3], "s": ["a", "b", None], "d": pd.date_range("2020", periods=3), "c": pd.Categorical(["x", "y", "x"]),
                      "t": pd.to_timedelta([1, 2, 3]), "n": pd.array([1, None, 3], dtype="Int64"), "st": pd.array(["a", None, "b"], dtype="string"),
                      "b": pd.array([True, None, False], dtype="boolean"), "z": pd.date_range("2020", periods=3, tz="UTC"), "p": pd.period_range("2020", periods=3, freq="M"),
                      "iv": pd.interval_range(0, 3), "sp": pd.arrays.SparseArray([0, 0, 1])})
    save("pandas", "frame", d)
    save("pandas", "series", [d["i"], d["s"], d["c"], d["d"]])
    save("pandas", "indexes", [pd.Index([1, 2]), pd.RangeIndex(5), pd.MultiIndex.from_product([[1, 2], ["a"]]), pd.DatetimeIndex(["2020"]), pd.Index(["a"]),
                               pd.CategoricalIndex(["a"]), pd.interval_range(0, 2), pd.timedelta_range("1s", periods=2), pd.period_range("2020", periods=2, freq="D"), pd.date_range("2020", periods=3, freq="D")])
    save("pandas", "scalars", [pd.Timestamp("2020"), pd.Timedelta(1, "s"), pd.NaT, pd.NA, pd.Period("2020", "M"), pd.offsets.Day(2), pd.offsets.MonthEnd(), pd.offsets.BusinessDay(),
                               pd.offsets.DateOffset(months=1), pd.Interval(0, 1)])
    save("pandas", "multi", d.set_index(["i", "s"])[["f"]])


def estimators():
    import numpy as np
    from sklearn.utils import all_estimators

    rng = np.random.RandomState(0)
    X = np.abs(rng.rand(30, 4)) + 0.1
    y = rng.randint(0, 2, 30)
    for name, cls in all_estimators():
        try:
            if name in ("ClassifierChain", "RegressorChain", "MultiOutputClassifier", "MultiOutputRegressor", "OneVsOneClassifier", "OneVsRestClassifier", "OutputCodeClassifier",
                        "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector", "FixedThresholdClassifier", "TunedThresholdClassifierCV", "SelfTrainingClassifier"):
                from sklearn.linear_model import LinearRegression, LogisticRegression

                est = cls(LinearRegression() if "Regressor" in name else LogisticRegression())
                Y = np.c_[y, 1 - y] if "Multi" in name or "Chain" in name else y
            else:
                est, Y = cls(), y
            for p in ("n_estimators", "max_iter"):
                if p in est.get_params():
                    est.set_params(**{p: 5})
        except Exception:
            continue
        try:
            est.fit(X, Y)
        except Exception:
            pass  # as it was made is an honest file as well
        yield name, est
    from sklearn.cluster import KMeans
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, VotingClassifier, StackingClassifier
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.metrics import f1_score, make_scorer
    from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC

    yield "grid", GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 2]}, cv=KFold(2), scoring=make_scorer(f1_score)).fit(X, y)
    yield "text", make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(["aa bb", "cc dd"] * 3, [0, 1] * 3)
    yield "counts", CountVectorizer(strip_accents="unicode").fit(["aa bb cc", "dd ee"])
    yield "columns", ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2]), ("c", OneHotEncoder(), make_column_selector(dtype_include=object))]).set_params()
    yield "function", make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()).fit(X, y)
    yield "kbest", SelectKBest(f_classif, k=2).fit(X, y)
    yield "gp", GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel()).fit(X, y)
    yield "voting", VotingClassifier([("a", LogisticRegression()), ("b", SGDClassifier(loss="log_loss"))]).fit(X, y)
    yield "stack", StackingClassifier([("a", LogisticRegression())], cv=2).fit(X, y)
    yield "hgb", HistGradientBoostingRegressor(max_iter=3, loss="poisson").fit(X, y)
    for loss in ("hinge", "squared_hinge", "modified_huber", "perceptron", "huber", "epsilon_insensitive"):
        yield "sgd-" + loss, SGDClassifier(loss=loss).fit(X, y)
    yield "random", LogisticRegression(random_state=np.random.RandomState(3)).fit(X, y)


def sklearn():
    for name, est in estimators():
        save("sklearn", name, est, protocols=(2, 4, 5))


def joblib():
    import joblib as jl
    import numpy as np

    folder = OUT / "joblib"
    folder.mkdir(parents=True, exist_ok=True)
    for name, est in estimators():
        jl.dump(est, folder / f"{name}.joblib")
    jl.dump({"a": np.arange(100), "o": np.array([1, "x", None], dtype=object), "f": np.asfortranarray(np.ones((3, 4))), "e": np.array([]), "b": [np.ones(3)] * 2,
             "s": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "u": np.array(["a", "bc"]), "d": np.array(["2020"], dtype="M8[D]")}, folder / "arrays.joblib")
    jl.dump({"a": np.arange(100), "o": np.array([1, "x", None], dtype=object)}, folder / "arrays-p2.joblib", protocol=2)


def torch():
    import torch as t

    folder = OUT / "torch"
    folder.mkdir(parents=True, exist_ok=True)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.BatchNorm1d(4), t.nn.Dropout(), t.nn.Conv1d(1, 1, 1), t.nn.LSTM(2, 3), t.nn.MultiheadAttention(4, 2),
                          t.nn.TransformerEncoderLayer(4, 2, 8), t.nn.GELU(), t.nn.Upsample(2), t.nn.EmbeddingBag(3, 2), t.nn.ModuleDict({"a": t.nn.Identity()}), t.nn.ParameterList([t.nn.Parameter(t.ones(1))]))
    opt = t.optim.AdamW(net.parameters())
    sched = t.optim.lr_scheduler.StepLR(opt, 1)
    things = {"state": net.state_dict(), "whole": net, "optimizer": opt.state_dict(), "optimizer-whole": opt, "scheduler": sched.state_dict(), "tensor": t.arange(3),
              "types": [t.zeros(2, dtype=d) for d in (t.float16, t.bfloat16, t.float64, t.int8, t.bool, t.complex64, t.uint8, t.int16)],
              "misc": [t.float32, t.device("cpu"), t.Size([1, 2]), t.nn.Parameter(t.ones(2)), t.ones(2).to_sparse(), t.ones(2, 2).to_sparse_csr(), t.strided, t.ones(2, device="meta")],
              "quant": t.quantize_per_tensor(t.ones(3), 0.1, 0, t.qint8), "views": [net[0].weight, net[0].weight[0], net[0].weight.t()], "rng": {"cpu": t.get_rng_state()}, "empty": t.zeros(0)}
    for name, obj in things.items():
        for new in (True, False):
            try:
                t.save(obj, folder / f"{name}-{'zip' if new else 'legacy'}.pt", _use_new_zipfile_serialization=new)
            except (TypeError, RuntimeError) as e:
                print("left out: torch", name, new, e)
        save("torch", name, obj)
    t.jit.script(t.nn.Sequential(t.nn.Linear(2, 2), t.nn.ReLU())).save(str(folder / "script.pt"))


def boosters():
    import numpy as np

    X, y = np.random.RandomState(0).rand(40, 3), np.arange(40) % 2
    try:
        import xgboost

        save("boost", "xgb", xgboost.XGBClassifier(n_estimators=2).fit(X, y), (2, 4))
        save("boost", "xgb-booster", xgboost.XGBRegressor(n_estimators=2).fit(X, y).get_booster(), (2, 4))
    except ImportError as e:
        print(e)
    try:
        import lightgbm

        save("boost", "lgb", lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=1, verbose=-1).fit(X, y), (2, 4))
        save("boost", "lgb-booster", lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, y).booster_, (2, 4))
    except ImportError as e:
        print(e)


for make in (python, numpy, pandas, sklearn, joblib, torch, boosters):
    try:
        make()
    except ImportError as e:
        print("left out:", make.__name__, e)
print(sum(1 for p in OUT.rglob("*") if p.is_file()), "files")
