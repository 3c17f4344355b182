"""Learns from the patients of one shard, and of no other, who comes back to hospital within 30 days."""

import json
from pathlib import Path

import numpy as np
import yaml
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import features

# Versions of the ONNX operators, fixed so that a newer converter writes the same graph.
OPSET = {"": 18, "ai.onnx.ml": 3}


def main():
    params = yaml.safe_load(Path("params.yaml").read_text())
    training, _ = features.split(features.read(), params["seed"], params["held_out"])
    estimator = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(**params["model"], solver="newton-cholesky", tol=1e-10),
    )
    # How many threads share a sum decides its rounding. One thread keeps that from depending on the machine.
    with threadpool_limits(limits=1):
        estimator.fit(training.features.astype(np.float64), training.readmitted)
    graph = to_onnx(
        estimator,
        name="readmission-shard",
        initial_types=[("features", FloatTensorType([None, len(features.NAMES)]))],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    for folder in ("model", "metrics"):
        Path(folder).mkdir(exist_ok=True)
    Path("model/model.onnx").write_bytes(graph.SerializeToString(deterministic=True))
    Path("metrics/train.json").write_text(json.dumps(training.size(), indent=2) + "\n")


if __name__ == "__main__":
    main()
