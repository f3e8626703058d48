"""How good a probability is: metrics with intervals from resampled customers, vectorised over the resamples.

A customer is resampled with all their rows, because rows of one customer are not independent. Each resample is a
row of weights (a Poisson bootstrap: the number of times a customer is drawn), so that every metric is one weighted
formula for the point estimate and for all resamples at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import as_days, require_columns
from ml.resampling import blocks_of, drawn_counts, drawn_sums, draws

Floats = npt.NDArray[np.float64]

RESAMPLES = 500
SEED = 20170101
TOP_SHARE = 0.1
CALIBRATION_BINS = 10
# 500 resamples of a million rows would be 4 GB of weights: they are drawn in blocks of at most this many numbers.
BLOCK_SIZE = 4_000_000
# Beyond so many rows, figures come from sums over customers, and ranks are read in cells.
MANY_ROWS = 20_000
RANK_CELLS = 1_000


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
    return _auc_of(*_ranked(labels, scores, weights))


def _auc_of(positives: Floats, total: Floats) -> Floats:
    negatives = total - positives
    below = negatives.sum(axis=1, keepdims=True) - np.cumsum(negatives, axis=1)
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return _divide(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def average_precision(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """Mean precision over the positives, from the highest score down."""
    return _precision_of(*_ranked(labels, scores, weights))


def _precision_of(positives: Floats, total: Floats) -> Floats:
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
    return _lift_of(*_ranked(labels, scores, weights))


def _lift_of(positives: Floats, total: Floats) -> Floats:
    wanted = TOP_SHARE * total.sum(axis=1, keepdims=True)
    earlier = np.cumsum(total, axis=1) - total
    taken = np.clip(_divide(wanted - earlier, total), 0, 1)
    top_rate = _divide((positives * np.nan_to_num(taken)).sum(axis=1), wanted[:, 0])
    return _divide(top_rate, _divide(positives.sum(axis=1), total.sum(axis=1)))


def highest_lift(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """The lift of scores that know everything: the tenth on top holds positives only, as far as there are any."""
    return _highest_lift_of(_divide(weights @ labels, weights.sum(axis=1)))


def _highest_lift_of(rate: Floats) -> Floats:
    return _divide(np.minimum(rate, TOP_SHARE) / TOP_SHARE, rate)


METRICS: Mapping[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier_score": brier_score,
    "calibration_error": calibration_error,
    "lift_at_10pct": lift_at_top,
    "highest_lift_at_10pct": highest_lift,
}
# Metrics that are made of `_ranked` alone: the rows are put in order once for all of them.
_OF_RANKS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "roc_auc": _auc_of,
    "average_precision": _precision_of,
    "lift_at_10pct": _lift_of,
}
RANKING_METRICS = ("roc_auc", "average_precision", "lift_at_10pct", "highest_lift_at_10pct")
# Metrics of which the difference to a baseline is told, and the sign that makes a better model positive.
GAINS = {"roc_auc": 1, "average_precision": 1, "log_loss": -1, "brier_score": -1}
# In a slice with fewer rows, or fewer of one class, a figure would say more about chance than about the model.
MIN_SLICE_ROWS = 200
MIN_SLICE_ROWS_PER_CLASS = 20


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
    if len(truth) > MANY_ROWS:
        samples = _drawn_from_many(truth, named, customers, metrics, resamples)
        return _compared(
            named,
            metrics,
            {key: float(found[0]) for key, found in samples.items()},
            {key: found[1:] for key, found in samples.items()},
        )
    once = np.ones((1, len(truth)))
    points = {
        (name, m): float(found[0])
        for name, s in named.items()
        for m, found in _figures(truth, s, once, metrics).items()
    }
    drawn: dict[tuple[str, str], list[Floats]] = {key: [] for key in points}
    for weights in resample_weights(customers, resamples):
        for name, scores_of_one in named.items():
            for metric, found in _figures(truth, scores_of_one, weights, metrics).items():
                drawn[name, metric].append(found)
    samples = {key: np.concatenate([np.zeros(0), *blocks]) for key, blocks in drawn.items()}
    return _compared(named, metrics, points, samples)


def _figures(labels: Floats, scores: Floats, weights: Floats, metrics: tuple[str, ...]) -> dict[str, Floats]:
    """Metric -> its figure for each row of weights."""
    ranked = _ranked(labels, scores, weights) if any(metric in _OF_RANKS for metric in metrics) else None
    return {
        metric: _OF_RANKS[metric](*ranked)
        if ranked is not None and metric in _OF_RANKS
        else METRICS[metric](labels, scores, weights)
        for metric in metrics
    }


def _compared(
    named: Mapping[str, Floats],
    metrics: tuple[str, ...],
    points: Mapping[tuple[str, str], float],
    samples: Mapping[tuple[str, str], Floats],
) -> tuple[dict[tuple[str, str], Estimate], dict[tuple[str, str], Estimate]]:
    model, *baselines = named
    figures = {key: _interval(points[key], samples[key]) for key in points}
    gains = {
        (name, m): _interval(points[model, m] - points[name, m], samples[model, m] - samples[name, m])
        for name in baselines
        for m in metrics
    }
    return figures, gains


def _drawn_from_many(
    truth: Floats, named: Mapping[str, Floats], customers: pd.Series, metrics: tuple[str, ...], resamples: int
) -> dict[tuple[str, str], Floats]:
    """(score name, metric) -> the figure, and then that of each resample: from sums over customers.

    Ranks are read in `RANK_CELLS` cells of equally many rows, whose scores count as ties: a million rows then cost what
    ten thousand do, and a ROC-AUC is off by less than .0001.
    """
    blocks = blocks_of(customers)
    times = draws(int(blocks.max()) + 1, resamples)
    yes = truth == 1
    found: dict[tuple[str, str], Floats] = {}
    for name, scores in named.items():
        edges = np.unique(np.quantile(scores, np.linspace(0, 1, RANK_CELLS + 1)[1:-1]))
        cells = len(edges) - np.searchsorted(edges, scores, side="left")
        total = drawn_counts(cells, len(edges) + 1, blocks, times)
        positives = drawn_counts(cells[yes], len(edges) + 1, blocks[yes], times)
        rows, bins = total.sum(axis=1), calibration_bins(scores)
        clipped = np.clip(scores, 1e-6, 1 - 1e-6)
        columns = [-(truth * np.log(clipped) + (1 - truth) * np.log1p(-clipped)), (scores - truth) ** 2]
        columns += [np.where(bins == number, scores - truth, 0.0) for number in range(bins.max() + 1)]
        sums = drawn_sums(np.column_stack(columns), blocks, times)
        figures = {
            "roc_auc": _auc_of(positives, total),
            "average_precision": _precision_of(positives, total),
            "log_loss": _divide(sums[:, 0], rows),
            "brier_score": _divide(sums[:, 1], rows),
            "calibration_error": _divide(np.abs(sums[:, 2:]).sum(axis=1), rows),
            "lift_at_10pct": _lift_of(positives, total),
            "highest_lift_at_10pct": _highest_lift_of(_divide(positives.sum(axis=1), rows)),
        }
        found |= {(name, metric): figures[metric] for metric in metrics}
    return found


def _turned(found: Estimate, sign: int) -> Estimate:
    return found if sign > 0 else Estimate(-found.value, -found.high, -found.low)


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
    positive when the model is better (of log loss and Brier score: baseline - model). `keys` are the columns
    model_name, model_version, as_of_date, slice and is_champion. Figures are rounded to 6 digits; what is not defined
    is null.
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
            if metric in GAINS:
                rows.append((f"{metric}_gain", _turned(gains[name, metric], GAINS[metric]), name, base))
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
    # + 0.0: a gain of -0 is none, and stays the same when it has been stored and read
    frame[numbers] = frame[numbers].round(6) + 0.0
    return frame


def sliced_rows(
    labels: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    rows: pd.DataFrame,
    slices: pd.DataFrame,
    *,
    min_rows: int = MIN_SLICE_ROWS,
    min_rows_per_class: int = MIN_SLICE_ROWS_PER_CLASS,
    **facts: Any,
) -> pd.DataFrame:
    """`performance_rows` of each slice that is large enough, in the order of their names.

    Parameters
    ----------
    labels, scores : as for `performance_rows`, one entry a row of `rows`
    rows : DataFrame with customer_id and as_of_date, shape (n_rows, at least 2)
    slices : DataFrame with customer_id, as_of_date and slice
        A customer may be in several slices at a date, or in none.
    min_rows, min_rows_per_class : int
        Slices with fewer rows, or fewer of either class, are left out.
    **facts : what `performance_rows` takes besides slice
    """
    require_columns(slices, ["customer_id", "as_of_date", "slice"], "the slices")
    truth = np.asarray(labels, dtype=np.float64)
    named = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    keys = rows[["customer_id", "as_of_date"]].reset_index(drop=True)
    keys = keys.assign(as_of_date=as_days(keys["as_of_date"]), position=np.arange(len(keys)))
    given = slices[["customer_id", "as_of_date", "slice"]].drop_duplicates()
    placed = keys.merge(given.assign(as_of_date=as_days(given["as_of_date"])), on=["customer_id", "as_of_date"])
    parts = [pd.DataFrame(columns=list(PERFORMANCE_COLUMNS))]
    for name, inside in placed.groupby("slice", sort=True)["position"]:
        at = np.sort(inside.to_numpy())
        positives = truth[at].sum()
        if len(at) < min_rows or min(positives, len(at) - positives) < min_rows_per_class:
            continue
        of_slice = {score: values[at] for score, values in named.items()}
        parts.append(performance_rows(truth[at], of_slice, keys["customer_id"].iloc[at], slice=str(name), **facts))
    return pd.concat(parts[1:] or parts, ignore_index=True)
