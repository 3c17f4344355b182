"""Asks the exported models about patients whom training never saw, and writes down how well they answer."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import yaml

import features
import report
from scores import bootstrap, intervals, score


def main():
    params = yaml.safe_load(Path("params.yaml").read_text())
    if not Path("model/card.json").exists():
        raise SystemExit("There is no model yet. Run train.py first.")
    card = json.loads(Path("model/card.json").read_text())
    if any(card["parameters"][name] != params[name] for name in ("seed", "held_out")):
        raise SystemExit("The models were trained with another split of the patients. Run train.py again.")
    _, held_out = features.split(features.read(), params["seed"], params["held_out"])

    sessions = {name: load(f"model/{name}.onnx") for name in ("baseline", "model")}
    answers = {name: ask(session, held_out.features)[:, 1] for name, session in sessions.items()}
    metrics = {
        "held_out": held_out.size(),
        **compare(held_out, answers, params),
        "groups": by_group(held_out, answers["model"], params),
        "sound": {name: soundness(session, held_out.features) for name, session in sessions.items()},
    }
    write(metrics, report.page(metrics, params), report.drawings(held_out.readmitted, answers))
    for name in answers:
        auroc = metrics[name]["auroc"]
        print(f"{name}: AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}) on held-out patients")
    if not all(passed for checks in metrics["sound"].values() for passed in checks.values()):
        raise SystemExit("A model does not answer soundly: see sound in metrics/validate.json.")


def load(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # sums in one order, on any machine
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ask(session, rows):
    """A row of two probabilities, of staying out of hospital and of being readmitted, for each row of features."""
    return session.run(["probabilities"], {"features": rows})[0]


def soundness(session, rows):
    """What must hold of any model of probabilities, however good it is."""
    together = ask(session, rows)
    alone = np.concatenate([ask(session, rows[i : i + 1]) for i in range(min(50, len(rows)))])
    blank = ask(session, np.full((1, rows.shape[1]), np.nan, dtype=np.float32))
    return {
        "answers_are_probabilities": are_probabilities(together),
        "neighbours_change_nothing": bool(np.allclose(alone, together[: len(alone)], rtol=0, atol=1e-6)),
        "missing_values_are_answered": are_probabilities(blank),
    }


def are_probabilities(answers):
    return bool(((answers >= 0) & (answers <= 1)).all() and np.allclose(answers.sum(axis=1), 1, rtol=0, atol=1e-5))


def compare(held_out, answers, params):
    """Both models' scores, and the difference between them draw by draw: the same patients, asked twice."""
    points, draws = {}, {}
    for name, probability in answers.items():
        points[name], draws[name] = measure(held_out, probability, cut(probability, params), params)
    shared = ("auroc", "average_precision", "brier")
    better_by = intervals(
        {name: points["model"][name] - points["baseline"][name] for name in shared},
        {name: draws["model"][name] - draws["baseline"][name] for name in shared},
        params["validation"]["confidence"],
    )
    scores = {name: intervals(points[name], draws[name], params["validation"]["confidence"]) for name in answers}
    return {
        **scores,
        "model_minus_baseline": better_by,
        "better_than_chance": scores["model"]["auroc"]["low"] > 0.5,
        "better_than_baseline": better_by["auroc"]["low"] > 0,
    }


def by_group(held_out, probability, params):
    """Scores of each group, all with the cut that holds for everybody; where people are too few, only that they are."""
    threshold, result = cut(probability, params), {}
    for grouping, values in held_out.groups.items():
        result[grouping] = {}
        for value in np.unique(values):
            members = values == value
            group = held_out.where(members)
            returned = int(group.readmitted.sum())
            if min(returned, len(group.readmitted) - returned) < params["validation"]["smallest_group"]:
                result[grouping][str(value)] = {"too_few": True}
                continue
            points, draws = measure(group, probability[members], threshold, params)
            scores = intervals(points, draws, params["validation"]["confidence"])
            result[grouping][str(value)] = {"too_few": False, **group.size(), **scores}
    return result


def cut(probability, params):
    """The probability above which an encounter belongs to the share that can be followed up."""
    return np.quantile(probability, 1 - params["validation"]["flagged"])


def measure(encounters, probability, threshold, params):
    def statistic(weight):
        return score(encounters.readmitted, probability, weight, threshold)

    plain = statistic(np.ones(len(probability), dtype=int))
    return plain, bootstrap(statistic, encounters.patient, params["validation"]["replicates"], params["seed"])


def write(metrics, page, drawings):
    for folder in ("metrics", "report"):
        Path(folder).mkdir(exist_ok=True)
    Path("metrics/validate.json").write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    Path("report/index.md").write_text(page, encoding="utf-8")
    for name, drawing in drawings.items():
        Path(f"report/{name}.svg").write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main()
