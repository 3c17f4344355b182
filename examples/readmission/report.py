"""What a reviewer reads: one page and two drawings, made of scores and averages, with nobody's own row or point."""

import numpy as np

SCORES = {
    "auroc": "AUROC: of two people, one readmitted, how often the right one gets the higher risk (0.5 is a coin)",
    "average_precision": "average precision (a coin gives the share readmitted)",
    "brier": "Brier score: mean squared error of the probability (less is better)",
    "observed_over_expected": "readmitted, over how many the model expected (1 is right)",
    "calibration_slope": "calibration slope (1 is right; less is overconfident, more is too cautious)",
    "flagged_readmitted": "share of the flagged who were readmitted",
    "readmitted_flagged": "share of the readmitted who were flagged",
}
COLOURS = {"baseline": "#b45309", "model": "#1d4ed8"}
SMALLEST_BIN = 50  # encounters that one point of the calibration drawing speaks for, at least


def page(metrics, params):
    held_out, validation = metrics["held_out"], params["validation"]
    rate = held_out["readmitted"] / held_out["encounters"]
    introduction = (
        f"{held_out['encounters']:,} encounters of {held_out['patients']:,} patients whom training never saw; "
        f"{held_out['readmitted']:,} ({rate:.1%}) were readmitted within 30 days. In brackets: the "
        f"{validation['confidence']:.0%} interval over {validation['replicates']:,} bootstrap draws of patients. "
        f"Flagged: the {validation['flagged']:.0%} of encounters of highest risk."
    )
    lines = ["# Readmission within 30 days: validation", "", introduction, ""]
    lines += ["| | baseline | model | model less baseline |", "|---|---|---|---|"]
    columns = [metrics[name] for name in ("baseline", "model", "model_minus_baseline")]
    for name, meaning in SCORES.items():
        lines.append(f"| {meaning} | " + " | ".join(cell(column.get(name)) for column in columns) + " |")
    lines += ["", verdict(metrics), "", *groups(metrics["groups"], validation["smallest_group"])]
    lines += ["", "![ROC curves](roc.svg) ![Calibration](calibration.svg)", ""]
    return "\n".join(lines)


def cell(score):
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})" if score else ""


def verdict(metrics):
    answers = {True: "yes", False: "not shown by these patients"}
    chance, baseline = answers[metrics["better_than_chance"]], answers[metrics["better_than_baseline"]]
    return f"By the intervals of AUROC: better than chance, {chance}; better than the baseline, {baseline}."


def groups(by_grouping, smallest):
    lines = ["## The model, group by group", "", "| group | encounters | readmitted | AUROC | observed / expected |"]
    lines[-1] += " readmitted who were flagged |"
    lines.append("|---|---|---|---|---|---|")
    few = []
    for grouping, values in by_grouping.items():
        for value, scores in values.items():
            if scores["too_few"]:
                few.append(f"{grouping} {value}")
                continue
            shown = [cell(scores.get(name)) for name in ("auroc", "observed_over_expected", "readmitted_flagged")]
            counts = [f"{scores['encounters']:,}", f"{scores['readmitted']:,}"]
            lines.append(f"| {grouping} {value} | " + " | ".join(counts + shown) + " |")
    if few:
        lines += ["", f"Too few for a figure (under {smallest} readmitted, or not readmitted): {', '.join(few)}."]
    return lines


def drawings(happened, answers):
    """Names and contents of the drawings, as SVG."""
    roc = {name: roc_points(happened, probability) for name, probability in answers.items()}
    calibration = {name: calibration_points(happened, probability) for name, probability in answers.items()}
    limit = max(0.05, *(value for points in calibration.values() for point in points for value in point))
    limit = np.ceil(limit * 20) / 20
    return {
        "roc": plot(roc, "not readmitted, but above the cut", "readmitted and above the cut", 1.0),
        "calibration": plot(calibration, "predicted probability", "share readmitted", limit, dots=True),
    }


def roc_points(happened, probability):
    """The ROC curve at every twentieth. All of its corners would give away the rank of each person readmitted."""
    order = np.argsort(-probability, kind="stable")
    last = np.append(np.diff(probability[order]) != 0, True)
    hits, misses = np.cumsum(happened[order])[last], np.cumsum(~happened[order])[last]
    x = np.linspace(0, 1, 21)
    return list(zip(x, np.interp(x, np.append(0, misses / misses[-1]), np.append(0, hits / hits[-1])), strict=True))


def calibration_points(happened, probability):
    bins = min(10, max(1, len(happened) // SMALLEST_BIN))
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [(probability[part].mean(), happened[part].mean()) for part in parts]


def plot(series, x_label, y_label, limit, dots=False):
    """Curves in a square from 0 to limit both ways, with the diagonal to compare by."""
    size, left, top = 300, 60, 20

    def at(x, y):
        return f"{left + size * x / limit:.1f},{top + size * (1 - y / limit):.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 380" font-family="sans-serif" font-size="12">',
        '<rect width="400" height="380" fill="white"/>',
        f'<path d="M{at(0, limit)} L{at(0, 0)} L{at(limit, 0)}" fill="none" stroke="black"/>',
        f'<path d="M{at(0, 0)} L{at(limit, limit)}" stroke="gray" stroke-dasharray="4"/>',
        f'<text x="{left + size / 2}" y="{top + size + 36}" text-anchor="middle">{x_label}</text>',
        f'<text transform="translate(18,{top + size / 2}) rotate(-90)" text-anchor="middle">{y_label}</text>',
    ]
    for tick in (0, limit / 2, limit):
        x, y = at(tick, tick).split(",")
        parts.append(f'<text x="{x}" y="{top + size + 16}" text-anchor="middle">{tick:.3g}</text>')
        parts.append(f'<text x="{left - 6}" y="{y}" text-anchor="end" dominant-baseline="middle">{tick:.3g}</text>')
    for i, (name, points) in enumerate(series.items()):
        parts.append(f'<polyline points="{" ".join(at(*p) for p in points)}" fill="none" stroke="{COLOURS[name]}"/>')
        if dots:
            centres = (at(*point).split(",") for point in points)
            parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{COLOURS[name]}"/>' for x, y in centres]
        parts.append(f'<text x="{left + 12}" y="{top + 12 + 16 * i}" fill="{COLOURS[name]}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
