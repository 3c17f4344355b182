"""Puts the models of all shards into one, whose answer is the mean of theirs, and asks it about held-out patients."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import yaml
from onnx import compose, helper

import features
from scores import bootstrap, intervals, score


def main():
    params = yaml.safe_load(Path("params.yaml").read_text())
    shards = sorted(Path("model").glob("shard-*/model.onnx"))
    if not shards:
        raise SystemExit("There are no models yet. Run train.py for each shard first.")
    graph = ensemble([onnx.load(path) for path in shards]).SerializeToString(deterministic=True)
    for folder in ("ensemble", "metrics"):
        Path(folder).mkdir(exist_ok=True)
    Path("ensemble/model.onnx").write_bytes(graph)

    _, held_out = features.split(features.read(), params["seed"], params["held_out"])
    metrics = {"shards": len(shards), "held_out": held_out.size(), "model": judge(graph, held_out, params)}
    Path("metrics/combine.json").write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    print(f"{len(shards)} shards: AUROC {metrics['model']['auroc']['value']:.3f} on patients whom training never saw")


def ensemble(models):
    """One graph: the same features into every model, and the mean of their probabilities out."""
    nodes, initializers, answers = [], [], []
    for i, model in enumerate(models):
        graph = compose.add_prefix_graph(model.graph, f"s{i}.", rename_inputs=False)
        nodes += graph.node
        initializers += graph.initializer
        answers.append(f"s{i}.probabilities")
    nodes.append(helper.make_node("Mean", answers, ["probabilities"]))
    first = models[0].graph
    out = next(output for output in first.output if output.name == "probabilities")
    graph = helper.make_graph(nodes, "readmission-ensemble", [first.input[0]], [out], initializers)
    model = helper.make_model(graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)
    onnx.checker.check_model(model)
    return model


def judge(graph, held_out, params):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    probability = session.run(["probabilities"], {"features": held_out.features})[0][:, 1].astype(np.float64)
    validation = params["validation"]
    threshold = np.quantile(probability, 1 - validation["flagged"])

    def statistic(weight):
        return score(held_out.readmitted, probability, weight, threshold)

    points = statistic(np.ones(len(probability), dtype=int))
    draws = bootstrap(statistic, held_out.patient, validation["replicates"], params["seed"])
    return intervals(points, draws, validation["confidence"])


if __name__ == "__main__":
    main()
