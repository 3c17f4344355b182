"""Learns who comes back to hospital within 30 days: a logistic regression to beat, and gradient-boosted trees."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import yaml
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import features

# Versions of the ONNX operators, fixed so that a newer converter writes the same graph.
OPSET = {"": 18, "ai.onnx.ml": 3}


def main():
    params = yaml.safe_load(Path("params.yaml").read_text())
    training, held_out = features.split(features.read(), params["seed"], params["held_out"])
    estimators = {
        "baseline": make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            # Newton's method in double precision goes right into the optimum: the single-precision weights of the
            # export come out the same whatever order a machine adds numbers in.
            LogisticRegression(**params["baseline"], solver="newton-cholesky", tol=1e-10),
        ),
        "model": HistGradientBoostingClassifier(**params["model"], early_stopping=False, random_state=params["seed"]),
    }
    metrics = {"training": training.size(), "held_out": held_out.size()}
    Path("model").mkdir(exist_ok=True)
    for name, estimator in estimators.items():
        # How many threads share a sum decides its rounding. One thread keeps that from depending on the machine.
        with threadpool_limits(limits=1):
            estimator.fit(training.features.astype(np.float64), training.readmitted)
        graph = export(estimator, name)
        Path(f"model/{name}.onnx").write_bytes(graph)
        metrics[name] = judge(estimator, graph, training)
        print(f"{name}: AUROC {metrics[name]['auroc']:.3f} on the patients it was trained on")
    write("model/card.json", card(params, training, held_out))
    Path("metrics").mkdir(exist_ok=True)
    write("metrics/train.json", metrics)


def export(estimator, name):
    graph = to_onnx(
        estimator,
        name=f"readmission-{name}",
        initial_types=[("features", FloatTensorType([None, len(features.NAMES)]))],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    return graph.SerializeToString(deterministic=True)


def judge(estimator, graph, training):
    """Scores on the training patients, and how far the exported graph strays from what was fitted."""
    fitted = estimator.predict_proba(training.features)[:, 1]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"features": training.features})[0][:, 1]
    difference = float(np.abs(fitted - exported).max())
    if not difference < 1e-5:
        raise SystemExit(f"The exported model answers differently from the fitted one, by up to {difference:.1e}.")
    return {
        "auroc": round(roc_auc_score(training.readmitted, fitted), 6),
        "log_loss": round(log_loss(training.readmitted, fitted), 6),
        "export_agrees": True,
    }


def card(params, training, held_out):
    return {
        "predicts": "probability of readmission to hospital within 30 days of discharge",
        "for": "inpatients with diabetes who are discharged alive and not to hospice",
        "not_for": "deciding about a person without a clinician; hospitals or years unlike US 1999-2008",
        "input": {"name": "features", "type": "float32", "columns": features.NAMES},
        "output": {"name": "probabilities", "columns": ["not readmitted", "readmitted"]},
        "parameters": params,
        "training": training.size(),
        "held_out": held_out.size(),
    }


def write(path, value):
    Path(path).write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
