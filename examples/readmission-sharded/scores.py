"""How good probabilities are, and how sure that is with the patients at hand."""

import numpy as np

# Weights held at a time, so that memory depends neither on the replicates nor on the patients.
BLOCK = 1_000_000


def score(happened, probability, weight, threshold):
    """Every score for each row of weights: one array per name, of the shape of weight without its last axis.

    A weight is an integer that says how often an encounter counts: ones give the plain scores, and a patient whom the
    bootstrap drew twice has twos. A score that the drawn patients leave undefined is not finite.
    """
    order = np.argsort(-probability, kind="stable")
    y, p, w = happened[order], probability[order].astype(np.float64), weight[..., order]
    last = np.append(np.diff(p) != 0, True)  # encounters of equal probability share one point of a curve
    hits, misses = np.cumsum(w * y, axis=-1)[..., last], np.cumsum(w * ~y, axis=-1)[..., last]
    more_hits, more_misses = np.diff(hits, prepend=0), np.diff(misses, prepend=0)
    positives, negatives = hits[..., -1], misses[..., -1]
    outranked = more_hits * (negatives[..., None] - misses + more_misses / 2)
    precision = hits / np.maximum(hits + misses, 1)
    flagged = p >= threshold
    with np.errstate(all="ignore"):
        return {
            "auroc": outranked.sum(axis=-1) / (positives * negatives),
            "average_precision": (more_hits * precision).sum(axis=-1) / positives,
            "brier": (w * (p - y) ** 2).sum(axis=-1) / w.sum(axis=-1),
            "observed_over_expected": positives / (w * p).sum(axis=-1),
            "calibration_slope": slope(y, p, w),
            "flagged_readmitted": (w * (y & flagged)).sum(axis=-1) / (w * flagged).sum(axis=-1),
            "readmitted_flagged": (w * (y & flagged)).sum(axis=-1) / positives,
        }


def slope(y, p, w):
    """Slope of a logistic regression of y on the log odds of p, by Newton's method: below 1 means overconfident.

    From zero it converges for any data with a finite slope; others end as not finite or far off, as they should.
    """
    x = np.log(p / (1 - p))
    a = b = np.zeros(w.shape[:-1])
    for _ in range(12):
        mean = 1 / (1 + np.exp(-(a[..., None] + b[..., None] * x)))
        error, curve = w * (y - mean), w * mean * (1 - mean)
        g0, g1 = error.sum(axis=-1), error @ x
        h0, h1, h2 = curve.sum(axis=-1), curve @ x, curve @ (x * x)
        determinant = h0 * h2 - h1 * h1
        a, b = a + (h2 * g0 - h1 * g1) / determinant, b + (h0 * g1 - h1 * g0) / determinant
    return b


def bootstrap(statistic, patient, replicates, seed):
    """The statistic of weights for many draws of as many patients, with replacement.

    Patients are drawn, not encounters: two stays of one person are alike and must not count as two witnesses.
    The same patients and seed give the same draws, so differences between statistics can be taken draw by draw.
    """
    names, index = np.unique(patient, return_inverse=True)
    chances = np.full(len(names), 1 / len(names))
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // len(patient))
    draws = (
        generator.multinomial(len(names), chances, size=min(block, replicates - start))
        for start in range(0, replicates, block)
    )
    parts = [statistic(counts[:, index]) for counts in draws]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def intervals(points, draws, confidence):
    """For each score that is defined, its value and the percentile interval of its draws."""
    levels = [(1 - confidence) / 2, (1 + confidence) / 2]
    result = {}
    for name, point in points.items():
        finite = draws[name][np.isfinite(draws[name])]
        if np.isfinite(point) and finite.size:
            low, high = np.quantile(finite, levels)
            result[name] = {"value": round(float(point), 5), "low": round(float(low), 5), "high": round(float(high), 5)}
    return result
