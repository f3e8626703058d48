"""How good a probability is: metrics with intervals from resampled customers, vectorised over the resamples.

A customer is resampled with all their rows, because rows of one customer are not independent. Each resample is a
row of weights (a Poisson bootstrap: the number of times a customer is drawn), so that every metric is one weighted
formula for the point estimate and for all resamples at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

RESAMPLES = 500
SEED = 20170101
TOP_SHARE = 0.1
CALIBRATION_BINS = 10
# 500 resamples of a million rows would be 4 GB of weights: they are drawn in blocks of at most this many numbers.
BLOCK_SIZE = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval; NaN where it is not defined (a ranking metric with one class only)."""

    value: float
    low: float
    high: float


def _ranked(labels: Floats, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of positives and of all rows for each distinct score, highest first; shape (n_resamples, n_scores)."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    ordered = weights[:, order]
    positives = np.add.reduceat(ordered * labels[order], starts, axis=1)
    return positives, np.add.reduceat(ordered, starts, axis=1)


def _divide(top: Floats, bottom: Floats) -> Floats:
    quotient: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return quotient


def roc_auc(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Chance that a positive row has a higher score than a negative one; ties count one half."""
    positives, total = _ranked(labels, scores, weights)
    negatives = total - positives
    below = negatives.sum(axis=1, keepdims=True) - np.cumsum(negatives, axis=1)
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return _divide(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def average_precision(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Mean precision over the positives, from the highest score down."""
    positives, total = _ranked(labels, scores, weights)
    precision = _divide(np.cumsum(positives, axis=1), np.cumsum(total, axis=1))
    return _divide((positives * np.nan_to_num(precision)).sum(axis=1), positives.sum(axis=1))


def log_loss(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Mean negative log-likelihood, in nats."""
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    losses = -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped))
    return _divide(weights @ losses, weights.sum(axis=1))


def brier_score(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Mean squared distance between probability and label."""
    return _divide(weights @ (scores - labels) ** 2, weights.sum(axis=1))


def calibration_error(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Mean distance between predicted and observed rate over tenths of the rows by score."""
    bins = calibration_bins(scores)
    distances = np.zeros(len(weights))
    for number in range(bins.max(initial=-1) + 1):
        inside = bins == number
        distances += np.abs(weights[:, inside] @ (scores - labels)[inside])
    return _divide(distances, weights.sum(axis=1))


def calibration_bins(scores: Floats) -> npt.NDArray[np.intp]:
    """Number of the bin of each row, from 0: tenths by score; equal scores are never parted."""
    if not len(scores):
        return np.zeros(0, dtype=np.intp)
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, scores, side="left")
    return np.unique(bins, return_inverse=True)[1]


def lift_at_top(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Rate of positives in the tenth with the highest scores, divided by the overall rate.

    Equal scores at the border are taken in part, so that the order of rows does not matter.
    """
    positives, total = _ranked(labels, scores, weights)
    wanted = TOP_SHARE * total.sum(axis=1, keepdims=True)
    earlier = np.cumsum(total, axis=1) - total
    taken = np.clip(_divide(wanted - earlier, total), 0, 1)
    top_rate = _divide((positives * np.nan_to_num(taken)).sum(axis=1), wanted[:, 0])
    return _divide(top_rate, _divide(positives.sum(axis=1), total.sum(axis=1)))


METRICS: Mapping[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier_score": brier_score,
    "calibration_error": calibration_error,
    "lift_at_10pct": lift_at_top,
}
RANKING_METRICS = ("roc_auc", "average_precision", "lift_at_10pct")


def resample_weights(customers: pd.Series, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Floats]:
    """Blocks of weights of shape (n_block, n_rows): how often each row's customer was drawn.

    The draws belong to the sorted customers, so the order of rows does not change them.
    """
    _, inverse = np.unique(customers.to_numpy().astype(str), return_inverse=True)
    customer_count = int(inverse.max(initial=-1)) + 1
    block = max(1, BLOCK_SIZE // max(1, len(inverse)))
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, block):
        draws = generator.poisson(1.0, size=(min(block, resamples - start), customer_count))
        yield draws.astype(np.float64)[:, inverse]


def estimate(
    labels: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    customers: pd.Series,
    metrics: tuple[str, ...] = tuple(METRICS),
    resamples: int = RESAMPLES,
) -> tuple[dict[tuple[str, str], Estimate], dict[tuple[str, str], Estimate]]:
    """Metrics of several scores on the same rows, and the paired difference of the first score to each other one.

    Parameters
    ----------
    labels : array of 0 and 1, shape (n_rows,)
    scores : name -> array of shape (n_rows,); the first one is the model, the others are baselines
    customers : Series of shape (n_rows,), what is resampled

    Returns
    -------
    figures : (score name, metric) -> Estimate
    gains : (baseline name, metric) -> Estimate of metric(model) - metric(baseline) on the same resamples
    """
    truth = np.asarray(labels, dtype=np.float64)
    named = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    once = np.ones((1, len(truth)))
    points = {(name, m): float(METRICS[m](truth, s, once)[0]) for name, s in named.items() for m in metrics}
    drawn: dict[tuple[str, str], list[Floats]] = {key: [] for key in points}
    for weights in resample_weights(customers, resamples):
        for name, metric in points:
            drawn[name, metric].append(METRICS[metric](truth, named[name], weights))
    samples = {key: np.concatenate([np.zeros(0), *blocks]) for key, blocks in drawn.items()}
    model, *baselines = named
    figures = {key: _interval(points[key], samples[key]) for key in points}
    gains = {
        (name, m): _interval(points[model, m] - points[name, m], samples[model, m] - samples[name, m])
        for name in baselines
        for m in metrics
    }
    return figures, gains


def _interval(value: float, samples: Floats) -> Estimate:
    """Percentile interval, widened to hold the value: a calibration error grows when customers are resampled."""
    known = samples[~np.isnan(samples)]
    if np.isnan(value) or not len(known):
        return Estimate(value, np.nan, np.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, float(min(low, value)), float(max(high, value)))


PERFORMANCE_COLUMNS = (
    "model_name",
    "model_version",
    "as_of_date",
    "slice",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "baseline_name",
    "baseline",
    "rows",
    "positives",
    "is_champion",
)


def performance_rows(
    labels: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    customers: pd.Series,
    *,
    ranking_only: tuple[str, ...] = (),
    resamples: int = RESAMPLES,
    **keys: object,
) -> pd.DataFrame:
    """Rows of ``ml.model_performance`` (without run_id): each metric beside each baseline, and the paired gains.

    The first of `scores` is the model; the others are baselines. Those in `ranking_only` are no probabilities
    (a recency, a yes/no): they are compared by ranking metrics alone. ``<metric>_gain`` is the paired difference,
    positive when the model ranks better. `keys` are the columns model_name, model_version, as_of_date, slice and
    is_champion. Figures are rounded to 6 digits; what is not defined is null.
    """
    truth = np.asarray(labels, dtype=np.float64)
    if not len(truth):
        return pd.DataFrame(columns=list(PERFORMANCE_COLUMNS))
    model, *baselines = scores
    figures, gains = estimate(truth, scores, customers, resamples=resamples)
    counts = {"rows": len(truth), "positives": int(truth.sum())}
    rows = []
    for metric in METRICS:
        own = figures[model, metric]
        for name in baselines:
            if name in ranking_only and metric not in RANKING_METRICS:
                continue
            base = figures[name, metric].value
            rows.append((metric, own, name, base))
            if metric in ("roc_auc", "average_precision"):
                rows.append((f"{metric}_gain", gains[name, metric], name, base))
    frame = pd.DataFrame(
        [
            {
                **keys,
                "metric": metric,
                "value": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "baseline_name": name,
                "baseline": base,
                **counts,
            }
            for metric, found, name, base in rows
        ],
        columns=list(PERFORMANCE_COLUMNS),
    )
    numbers = ["value", "ci_low", "ci_high", "baseline"]
    frame[numbers] = frame[numbers].round(6)
    return frame
