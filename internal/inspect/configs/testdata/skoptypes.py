"""Writes ../skops.txt, the types that a skops file may name and by which loader.

    pip install numpy scipy && python skoptypes.py FOLDER     # with folders skl-1.3.2/src, …

Estimators are read from the sources of scikit-learn, of which nothing is
imported; the names of ufuncs from the installed numpy and scipy.
"""
import ast
import os
import sys

import numpy as np
import scipy.special

SCIPY = "csr csc coo bsr dia dok lil".split()
FIXED = """
DictNode builtins dict
DictNode collections OrderedDict
DictNode sklearn.utils._bunch Bunch
DefaultDictNode collections defaultdict
ListNode builtins list
SetNode builtins set
SetNode builtins frozenset
TupleNode builtins tuple
BytesNode builtins bytes
BytearrayNode builtins bytearray
SliceNode builtins slice
PartialNode functools partial
OperatorFuncNode operator itemgetter
NdArrayNode numpy ndarray
MaskedArrayNode numpy.ma MaskedArray
MaskedArrayNode numpy.ma.core MaskedArray
RandomStateNode numpy.random RandomState
RandomStateNode numpy.random.mtrand RandomState
RandomGeneratorNode numpy.random Generator
RandomGeneratorNode numpy.random._generator Generator
DTypeNode numpy dtype
TreeNode sklearn.tree._tree Tree
QuantileForestNode quantile_forest._quantile_forest_fast QuantileForest
_DictWithDeprecatedKeysNode sklearn.covariance._graph_lasso _DictWithDeprecatedKeys
ConstructorFromReduceNode datetime timezone
ConstructorFromReduceNode datetime timedelta
ConstructorFromReduceNode datetime date
ConstructorFromReduceNode datetime datetime
ConstructorFromReduceNode decimal Decimal
ConstructorFromReduceNode zoneinfo ZoneInfo
ObjectNode scipy.interpolate._bsplines BSpline
ObjectNode sklearn.cluster._bisect_k_means _BisectingTree
ObjectNode sklearn.neural_network._stochastic_optimizers AdamOptimizer
ObjectNode sklearn.neural_network._stochastic_optimizers SGDOptimizer
FunctionNode numpy mean
FunctionNode numpy median
FunctionNode numpy max
FunctionNode numpy min
FunctionNode numpy amax
FunctionNode numpy amin
FunctionNode numpy sum
FunctionNode numpy std
FunctionNode numpy var
FunctionNode numpy asarray
FunctionNode scipy._lib.array_api_compat.numpy._aliases asarray
FunctionNode scipy.linalg._basic pinv
FunctionNode sklearn.cluster._kmeans _kmeans_single_lloyd
FunctionNode sklearn.cluster._kmeans _kmeans_single_elkan
FunctionNode sklearn.cluster._kmeans lloyd_iter_chunked_dense
FunctionNode sklearn.cluster._kmeans lloyd_iter_chunked_sparse
FunctionNode sklearn.metrics._scorer _passthrough_scorer
FunctionNode sklearn.utils.validation check_array
""".split("\n")
SCORES = {"sklearn.feature_selection._univariate_selection": "chi2 f_classif f_oneway f_regression r_regression",
          "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression"}
LOSSES = """CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss CyHalfPoissonLoss
CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss""".split()
SGD = "EpsilonInsensitive Hinge Huber Log ModifiedHuber SquaredEpsilonInsensitive SquaredHinge SquaredLoss".split()
METRICS = """Euclidean SEuclidean Manhattan Chebyshev Minkowski WMinkowski Mahalanobis Hamming Canberra BrayCurtis Jaccard
Matching Dice Kulsinski RogersTanimoto RussellRao SokalMichener SokalSneath Haversine""".split()
TYPES = "int float str bool complex bytes list set tuple dict NoneType".split()
ROOTS = {"BaseEstimator", "BaseLoss", "BaseLink", "Kernel", "Interval", "_BaseScorer", "BaseCrossValidator", "BaseShuffleSplit",
         "_BaseKFold", "LossFunction", "_CVObjects"}
SINGLE = {"_BinMapper", "_PassthroughScorer", "_MultimetricScorer", "_CurveScorer", "TreePredictor", "_CalibratedClassifier", "_SigmoidCalibration", "_ConstantPredictor", "Bunch",
          "_DictWithDeprecatedKeys", "_Reducer", "TargetTags", "InputTags", "Tags", "MetadataRequest", "MethodMetadataRequest",
          "HalfLogitLink", "IdentityLink", "LogitLink", "LogLink", "MultinomialLogit", "Interval"}

lines = {line for line in FIXED if line}
lines |= {f"LossNode {m} {c}" for m in ("sklearn._loss._loss", "_loss", "_loss._loss") for c in LOSSES}
lines |= {f"LossNode {m} {c}" for m in ("sklearn.linear_model._sgd_fast", "_sgd_fast") for c in SGD}
for metric in METRICS:
    lines |= {f"ObjectNode sklearn.metrics._dist_metrics {metric}Distance{bits}" for bits in ("", "32", "64")}
for kind in ("KDTree", "BallTree"):
    module = {"KDTree": "_kd_tree", "BallTree": "_ball_tree"}[kind]
    lines |= {f"ObjectNode sklearn.neighbors.{module} {kind}{bits}" for bits in ("", "32", "64")}
lines |= {f"FunctionNode {m} {f}" for m, fs in SCORES.items() for f in fs.split()}
lines |= {f"TypeNode builtins {t}" for t in TYPES} | {f"JsonNode builtins {t}" for t in TYPES}
scalars = {t.__name__ for t in np.sctypeDict.values()} | {"bool_", "float_", "str_", "object_"}
lines |= {f"{n} numpy {t}" for n in ("TypeNode", "NdArrayNode") for t in scalars}
for kind in SCIPY:
    for form in ("matrix", "array"):
        lines |= {f"SparseMatrixNode scipy.sparse.{u}{kind} {kind}_{form}" for u in ("", "_")}
    lines.add(f"SparseMatrixNode scipy.sparse {kind}_matrix")
for name in dir(np):
    if isinstance(getattr(np, name), np.ufunc):
        lines |= {f"FunctionNode {m} {name}" for m in ("numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath")}
for name in dir(scipy.special):
    if isinstance(getattr(scipy.special, name), np.ufunc):
        lines |= {f"FunctionNode {m} {name}" for m in ("scipy.special", "scipy.special._ufuncs")}

versions = []
for wheel in sorted(os.listdir(sys.argv[1])):
    src = os.path.join(sys.argv[1], wheel, "src")
    if not wheel.startswith("skl-"):
        continue
    versions.append(wheel.removeprefix("skl-"))
    found = {}
    for folder, _, files in os.walk(os.path.join(src, "sklearn")):
        for file in files:
            if not file.endswith(".py") or "/tests" in folder:
                continue
            path = os.path.join(folder, file)
            module = os.path.relpath(path, src)[:-3].replace("/", ".").removesuffix(".__init__")
            for node in ast.parse(open(path).read()).body:
                if isinstance(node, ast.ClassDef):
                    bases = {b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "") for b in node.bases}
                    found.setdefault(node.name, []).append((module, bases))

    def good(name, seen=()):
        if name in seen:
            return False
        return name in ROOTS or name in SINGLE or any(good(b, seen + (name,)) for _, bs in found.get(name, []) for b in bs)

    for name, places in found.items():
        if good(name):
            lines |= {f"ObjectNode {module} {name}" for module, _ in places}

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "skops.txt"), "w") as f:
    f.write("# What a skops file may name: loader, module, name. Made by testdata/skoptypes.py from scikit-learn\n"
            f"# {' '.join(versions)}, numpy {np.__version__} and scipy {scipy.__version__}.\n"
            "# Reason: an estimator's state is set without calling it, and what it is made of is judged by itself; the\n"
            "# functions compute numbers from numbers; all others are containers of what is judged by itself.\n")
    f.write("\n".join(sorted(lines)) + "\n")
