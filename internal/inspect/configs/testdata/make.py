"""Writes the schemas of honest skops files that the tests read.

    pip install skops==0.16.0 scikit-learn==1.9.1 && python make.py
"""
import gzip
import io
import os
import zipfile

import numpy as np
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

here = os.path.dirname(os.path.abspath(__file__))
x, y = load_iris(return_X_y=True)
for name, model in {
    "pipeline": make_pipeline(StandardScaler(), SelectKBest(k=2), LogisticRegression()),
    "columns": make_pipeline(ColumnTransformer([("a", OneHotEncoder(handle_unknown="ignore"), [0])], remainder="passthrough"), SVC()),
    "forest": RandomForestClassifier(3, max_depth=2),
    "boosting": GradientBoostingClassifier(n_estimators=2, max_depth=1),
    "histogram": HistGradientBoostingClassifier(max_iter=2, early_stopping=True, random_state=np.random.default_rng(1).integers(9)),
    "search": GridSearchCV(SGDClassifier(), {"alpha": [.1, 1.]}),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree"),
    "network": MLPClassifier((2,), max_iter=2),
    "function": make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()),
}.items():
    data = skops.io.dumps(model.fit(x, y))
    schema = zipfile.ZipFile(io.BytesIO(data)).read("schema.json")
    with open(os.path.join(here, f"good-{name}.json.gz"), "wb") as out:
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as z:
            z.write(schema)
