"""Makes the models in this folder with the libraries that are installed:

    pip install xgboost lightgbm catboost nyoka pandas && python make.py
    pip install xgboost==1.6.2 lightgbm==3.3.5 pandas && python make.py old

The second, on Python 3.8, makes those whose names begin with "old-": the binary
form that later versions of XGBoost no longer write."""

import json, sys
import numpy as np, pandas as pd, xgboost as xgb, lightgbm as lgb

old = "old-" if "old" in sys.argv[1:] else ""
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)).astype("f")
X[:, 3] = rng.integers(0, 12, 200)
y = ((X[:, 0] + rng.normal(size=200)) > 0).astype(int)
y3 = rng.integers(0, 3, 200)
frame = pd.DataFrame(X, columns=list("abcd"))
frame["d"] = pd.Categorical(frame["d"].astype(int))


def boost(name, exts, label=y, data=None, **params):
    d = data if data is not None else xgb.DMatrix(X, label=label)
    b = xgb.train({"objective": "binary:logistic", "max_depth": 2, **params}, d, 2)
    for ext in exts:
        if ext == "ser":
            open(old + name + ".ser", "wb").write(bytes(b.__getstate__()["handle"]))
        else:
            b.save_model(old + name + "." + ext)


tree = ["model"] if old else ["json", "ubj"]
boost("xgb-binary", tree + ([] if old else ["ser"]))
boost("xgb-multi", tree, y3, objective="multi:softprob", num_class=3)
boost("xgb-dart", tree, booster="dart", rate_drop=0.5)
boost("xgb-linear", tree, booster="gblinear")
boost("xgb-prune", tree, tree_method="exact", max_depth=4, gamma=2)
if not old:
    cat = xgb.DMatrix(frame, label=X[:, 3] % 3 == 0, enable_categorical=True)
    boost("xgb-category", tree, data=cat, tree_method="hist", max_cat_to_onehot=2)
    both = np.stack([y, 1 - y], 1).astype(float)
    boost("xgb-vector", tree, both, objective="reg:squarederror", multi_strategy="multi_output_tree", tree_method="hist")


def light(name, label=y, rounds=2, **kw):
    params = {"verbose": -1, "num_leaves": 5, "min_data_in_leaf": 5, "objective": "binary", **kw}
    extra = {k: params.pop(k) for k in ("group", "categorical_feature") if k in params}
    lgb.train(params, lgb.Dataset(X, label, **extra), rounds).save_model(old + "lgb-" + name + ".txt")


light("binary")
light("category", (X[:, 3] % 3 == 0).astype(int), categorical_feature=[3], min_data_per_group=1, cat_smooth=1)
if not old:
    light("multi", y3, objective="multiclass", num_class=3)
    light("linear", objective="regression", linear_tree=True)
    light("rank", objective="lambdarank", group=[100, 100])
    light("stump", min_data_in_leaf=1000)

    from catboost import CatBoostClassifier, CatBoostRegressor

    for name, model in {"symmetric": CatBoostRegressor(iterations=2, depth=2, verbose=0),
                        "depthwise": CatBoostRegressor(iterations=2, depth=2, verbose=0, grow_policy="Depthwise")}.items():
        model.fit(X, y)
        model.save_model("cat-" + name + ".cbm")
        model.save_model("cat-" + name + ".json", format="json")
    strings = frame.astype({"d": str})
    model = CatBoostClassifier(iterations=2, depth=2, verbose=0, cat_features=[3]).fit(strings, y)
    model.save_model("cat-category.cbm")

    # As PMML: a decision tree by nyoka.
    from nyoka import skl_to_pmml
    from sklearn.pipeline import Pipeline
    from sklearn.tree import DecisionTreeClassifier

    pipeline = Pipeline([("tree", DecisionTreeClassifier(max_depth=2))]).fit(frame[["a", "b"]].values, y)
    skl_to_pmml(pipeline, ["a", "b"], "y", "nyoka.pmml")
    # And by sklearn2pmml, which needs Java and scikit-learn 1.5.
    import sklearn

    if sklearn.__version__.startswith("1.5"):
        from sklearn2pmml import PMMLPipeline, sklearn2pmml

        sklearn2pmml(PMMLPipeline([("tree", DecisionTreeClassifier(max_depth=2))]).fit(frame[["a", "b"]], pd.Series(y, name="y")), "jpmml.pmml")
