"""A scorecard: each input cut into a few bins, points for each bin, points summed, one formula from points to a rate.

Points are those of credit scoring (Siddiqi, *Credit Risk Scorecards*, 2006): `POINTS_TO_DOUBLE` points more double the
odds. They come from one penalised logistic regression on the steps between neighbouring bins, in which the steps of
an input that is meant to be monotone may only go its way: so no bin needs mending by hand afterwards, and a bin that
nobody was in gets the points of its neighbour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import lsq_linear
from scipy.special import expit

from ml.frames import feature_matrix

Floats = npt.NDArray[np.float64]
Direction = Literal["rising", "falling", "free"]

POINTS_TO_DOUBLE = 10
UNKNOWN = "unknown"
# One pseudo-row's worth of doubt about every step: with thousands of rows it only keeps empty bins at their neighbours.
PENALTY = 1.0
MAX_STEPS = 50
# Of a log-odds; a point is 0.07.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Input:
    """One question that the scorecard asks.

    Attributes
    ----------
    feature : str
        Name in the feature catalogue; null there is the bin `UNKNOWN`.
    cuts : tuple of float
        Ascending; the bins are below the first, from each cut to the next, and from the last on.
    direction : str
        Whether more of it may only raise the points, only lower them, or either.
    title : str
        What a reader is told.
    """

    feature: str
    cuts: tuple[float, ...]
    direction: Direction
    title: str

    def bins_of(self, values: Floats) -> npt.NDArray[np.intp]:
        """Number of the bin of each value, from 0; the last one, ``len(cuts) + 1``, is `UNKNOWN`."""
        found = np.searchsorted(np.asarray(self.cuts), values, side="right")
        return np.where(np.isnan(values), len(self.cuts) + 1, found)

    def labels(self) -> list[str]:
        """The bins in words, in order."""
        edges = [f"{cut:g}" for cut in self.cuts]
        middle = [f"{low} to under {high}" for low, high in pairwise(edges)]
        return [f"under {edges[0]}", *middle, f"{edges[-1]} or more", UNKNOWN]


@dataclass(frozen=True)
class Scorecard:
    """Points for each bin, and how a sum of points becomes a rate.

    Attributes
    ----------
    inputs : tuple of Input
    points : mapping feature -> points of its bins, whole numbers from 0, in the order of `Input.labels`
    even_points : float
        The sum at which the event is as likely as not.
    """

    inputs: tuple[Input, ...]
    points: Mapping[str, tuple[int, ...]]
    even_points: float

    def sums(self, features: pd.DataFrame) -> Floats:
        """Points of each row, shape (n_rows,).

        Raises
        ------
        MissingColumnsError
            If an input is not there.
        """
        matrix = feature_matrix(features, [item.feature for item in self.inputs], (), "the inputs of the scorecard")
        total = np.zeros(len(matrix))
        for item in self.inputs:
            total += np.asarray(self.points[item.feature])[item.bins_of(matrix[item.feature].to_numpy())]
        return total

    def rate_of(self, sums: npt.ArrayLike) -> Floats:
        """The rate, 0 to 1, that belongs to sums of points."""
        return np.asarray(expit((np.asarray(sums) - self.even_points) * np.log(2) / POINTS_TO_DOUBLE))

    def rates(self, features: pd.DataFrame) -> Floats:
        """The rate of each row, 0 to 1, shape (n_rows,)."""
        return self.rate_of(self.sums(features))

    def table(self) -> pd.DataFrame:
        """One row an input and bin: feature, title, bin, points."""
        return pd.DataFrame(
            [
                {"feature": item.feature, "title": item.title, "bin": label, "points": points}
                for item in self.inputs
                for label, points in zip(item.labels(), self.points[item.feature], strict=True)
            ]
        )

    def facts(self) -> dict[str, Any]:
        """All of it as values that JSON can hold."""
        return {
            "points_to_double": POINTS_TO_DOUBLE,
            "even_points": self.even_points,
            "inputs": [
                {"feature": i.feature, "cuts": list(i.cuts), "points": list(self.points[i.feature])}
                for i in self.inputs
            ],
        }


def from_facts(facts: Mapping[str, Any]) -> Scorecard:
    """The scorecard that `Scorecard.facts` tells of; it scores the same, titles and directions are not told."""
    told = facts["inputs"]
    inputs = tuple(Input(one["feature"], tuple(one["cuts"]), "free", one["feature"]) for one in told)
    points = {one["feature"]: tuple(one["points"]) for one in told}
    return Scorecard(inputs, points, float(facts["even_points"]))


def fit(inputs: Sequence[Input], features: pd.DataFrame, labels: npt.ArrayLike) -> Scorecard:
    """The points that make the labels likeliest, under the directions of `inputs`.

    An input that is null for everybody says nothing and is left out.

    Parameters
    ----------
    inputs : the questions
    features : DataFrame with the inputs' features, one row an observation; the order of rows does not matter
    labels : array of 0 and 1, shape (n_rows,); both must be there
    """
    matrix = feature_matrix(features, [item.feature for item in inputs], (), "the inputs of the scorecard")
    truth = np.asarray(labels, dtype=np.float64)
    asked = tuple(item for item in inputs if matrix[item.feature].notna().any())
    bins = {item.feature: item.bins_of(matrix[item.feature].to_numpy()) for item in asked}
    steps, bounds = _steps(asked, bins)
    # Rows with the same bins are one row with a weight, and their order is gone.
    key = np.zeros(len(truth), dtype=np.int64)
    for item in asked:
        key = key * (len(item.cuts) + 2) + bins[item.feature]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    rows, hits = np.bincount(place).astype(np.float64), np.bincount(place, truth).astype(np.float64)
    found = _maximum(steps[first], rows, hits, bounds)
    weights = _weights_of_bins(asked, found[1:], bins)
    scale = POINTS_TO_DOUBLE / np.log(2)
    points = {name: tuple(int(p) for p in np.rint((own - own.min()) * scale)) for name, own in weights.items()}
    # The constant is set anew for the rounded points, so that rounding shifts nobody's rate on average.
    card = Scorecard(asked, points, 0.0)
    even = _even_points(card.sums(features) if asked else np.zeros(len(truth)), float(truth.mean()))
    return Scorecard(asked, points, even)


def _steps(
    inputs: Sequence[Input], bins: Mapping[str, npt.NDArray[np.intp]]
) -> tuple[npt.NDArray[np.int8], list[tuple[float, float]]]:
    """A column for each cut, 1 from the cut on, and one for null; and which signs their weights may have."""
    allowed = {"rising": (0.0, np.inf), "falling": (-np.inf, 0.0), "free": (-np.inf, np.inf)}
    columns: list[npt.NDArray[np.int8]] = []
    bounds: list[tuple[float, float]] = [(-np.inf, np.inf)]
    for item in inputs:
        own, last = bins[item.feature], len(item.cuts) + 1
        for number in range(1, last):
            columns.append(((own >= number) & (own < last)).astype(np.int8))
            bounds.append(allowed[item.direction])
        columns.append((own == last).astype(np.int8))
        bounds.append((-np.inf, np.inf))
    rows = len(next(iter(bins.values()))) if bins else 0
    return np.column_stack(columns) if columns else np.zeros((rows, 0), dtype=np.int8), bounds


def _maximum(
    patterns: npt.NDArray[np.int8],
    rows: Floats,
    hits: Floats,
    bounds: Sequence[tuple[float, float]],
) -> Floats:
    """Constant and weights of the steps, of the penalised likelihood under `bounds`.

    Newton's method, each step a least-squares problem within the bounds: some ten steps, where a quasi-Newton method
    takes hundreds, because neighbouring steps are nearly the same column.
    """
    design = np.column_stack([np.ones(len(patterns)), patterns.astype(np.float64)])
    penalty = np.full(design.shape[1], PENALTY)
    penalty[0] = 1e-9
    low, high = np.array(bounds).T

    def loss(beta: Floats) -> float:
        line = design @ beta
        return float((rows * np.logaddexp(0, line) - hits * line).sum() + 0.5 * (penalty * beta**2).sum())

    beta = np.zeros(design.shape[1])
    beta[0] = np.log((hits.sum() + 1) / (rows.sum() - hits.sum() + 1))
    now = loss(beta)
    for _ in range(MAX_STEPS):
        rates = expit(design @ beta)
        curve = design.T @ (design * (rows * rates * (1 - rates))[:, None]) + np.diag(penalty)
        slope = design.T @ (rows * rates - hits) + penalty * beta
        root = np.linalg.cholesky(curve)
        aim = lsq_linear(root.T, np.linalg.solve(root, curve @ beta - slope), bounds=(low, high), method="bvls").x
        share = 1.0
        while share > 1e-3 and loss(beta + share * (aim - beta)) > now:
            share /= 2
        moved = share * (aim - beta)
        beta, now = beta + moved, loss(beta + moved)
        if np.abs(moved).max() < TOLERANCE:
            break
    return beta


def _weights_of_bins(
    inputs: Sequence[Input], steps: Floats, bins: Mapping[str, npt.NDArray[np.intp]]
) -> dict[str, Floats]:
    """Log-odds of each bin against the first one; the last entry is that of null, the mean where null never was."""
    weights, place = {}, 0
    for item in inputs:
        cuts, seen = len(item.cuts), bins[item.feature]
        known = np.r_[0.0, np.cumsum(steps[place : place + cuts])]
        is_null = seen > cuts
        null = steps[place + cuts] if is_null.any() else known[seen].mean()
        weights[item.feature] = np.r_[known, null]
        place += cuts + 1
    return weights


def _even_points(sums: Floats, rate: float) -> float:
    """The sum worth one half, such that the mean rate over `sums` is `rate` (bisection: it falls steadily)."""
    low, high = sums.min() - 1000.0, sums.max() + 1000.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = float(expit((sums - middle) * np.log(2) / POINTS_TO_DOUBLE).mean())
        low, high = (middle, high) if mean > rate else (low, middle)
    return round(float(low + high) / 2, 2)
