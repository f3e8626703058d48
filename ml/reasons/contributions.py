"""What each feature of a row adds to the log-odds that a fitted pipeline gives it, against a typical customer.

A logistic regression is a sum already: the coefficient times the distance from the reference, which is its Shapley
value (Lundberg and Lee, *A unified approach to interpreting model predictions*, NIPS 2017, corollary 1). Trees:
`ml.reasons.trees`. A mean of probabilities, of a blend or a forest, is not a sum of log-odds: contributions to a part
are carried on by its ratio of differences, ``(g(out) - g(out of the reference)) / (out - out of the reference)``,
through the logistic function and back (the rescale rule, Shrikumar et al., *Learning important features through
propagating activation differences*, ICML 2017, section 3.5.1; for series of models Chen, Lundberg and Lee, *Explaining
a series of models by propagating Shapley values*, Nature Communications 13, 2022). The ratio is never negative, so no
sign of a part changes, and the sum stays the difference of the log-odds.

Any other model is walked through: `ml.reasons.sampling`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from ml.reasons.columns import UnknownPreparationError, features_of_columns
from ml.reasons.sampling import sampled_contributions
from ml.reasons.trees import TreeContributions, boosted_trees, forest_trees

Floats = npt.NDArray[np.float64]

# A probability of 0 or 1 has no log-odds; a forest gives both.
MARGIN_FLOOR = 1e-6
# Where input and reference give the same, the ratio of differences is the slope there.
SAME = 1e-9


class Explainer:
    """Contributions of features to the log-odds of a pipeline, before calibration, which changes no order.

    Parameters
    ----------
    pipeline : fitted Pipeline of two classes
    reference : DataFrame of one row, the features in order; see `ml.reasons.reference.typical`

    Attributes
    ----------
    method : str
        How contributions are worked out: ``"exact"`` Shapley values of the log-odds, ``"carried through"`` where they
        are exact for the parts of a mean, or ``"walked through"`` for a model that is not known here.
    """

    def __init__(self, pipeline: Pipeline, reference: pd.DataFrame) -> None:
        self.reference = reference.reset_index(drop=True)
        self._pipeline = pipeline
        self._parts: _Part | None
        try:
            self._parts = _part_of(pipeline, self.reference)
            self.method = "exact" if self._parts.is_log_odds else "carried through"
        except (UnknownPreparationError, NotImplementedError):
            self._parts, self.method = None, "walked through"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.reference.columns)

    def margin(self, rows: pd.DataFrame) -> Floats:
        """Log-odds of the rows as the pipeline itself gives them, shape (n_rows,)."""
        if not len(rows):
            return np.zeros(0)
        return _log_odds(self._pipeline.predict_proba(rows)[:, 1])

    def contributions(self, rows: pd.DataFrame) -> Floats:
        """Shape (n_rows, n_features); each row adds up to its margin less that of the reference.

        Parameters
        ----------
        rows : DataFrame with the features, in order
        """
        if not len(rows):
            return np.zeros((0, len(self.features)))
        if self._parts is None:
            return sampled_contributions(self.margin, rows, self.reference)
        found = self._parts.explain(rows)
        if self._parts.is_log_odds:
            return found.contributions
        return _carried(found, _log_odds, lambda p: 1 / np.maximum(p * (1 - p), MARGIN_FLOOR)).contributions


@dataclass(frozen=True)
class _Explained:
    """Outputs of rows and of the reference, and contributions that add up to their difference."""

    contributions: Floats
    output: Floats
    reference: float


@dataclass(frozen=True)
class _Part:
    """A model that can be explained, and whether its output is log-odds or a probability."""

    is_log_odds: bool
    explain: Callable[[pd.DataFrame], _Explained]


def _log_odds(probabilities: npt.ArrayLike) -> Floats:
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), MARGIN_FLOOR, 1 - MARGIN_FLOOR)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _carried(found: _Explained, through: Callable[[Any], Any], slope: Callable[[Any], Any]) -> _Explained:
    """The same contributions after an increasing function: the rescale rule."""
    output, reference = through(found.output), float(through(found.reference))
    step = found.output - found.reference
    is_same = np.abs(step) < SAME
    ratio = np.where(is_same, slope(found.output), (output - reference) / np.where(is_same, 1.0, step))
    return _Explained(found.contributions * ratio[:, None], output, reference)


def _part_of(pipeline: Pipeline, reference: pd.DataFrame) -> _Part:
    model = pipeline.steps[-1][1]
    if isinstance(model, VotingClassifier):
        if len(pipeline.steps) > 1 or model.voting != "soft":
            raise NotImplementedError("a vote that is no mean of probabilities of whole pipelines")
        members = [_part_of(member, reference) for member in model.estimators_]
        shares = np.ones(len(members)) if model.weights is None else np.asarray(model.weights, dtype=np.float64)
        return _mean(members, shares / shares.sum())
    if len(pipeline.steps) != 2 or not isinstance(pipeline.steps[0][1], ColumnTransformer):
        raise NotImplementedError("a pipeline that is not a ColumnTransformer and a model")
    prepare = pipeline.steps[0][1]
    owners = features_of_columns(prepare, reference)

    def prepared(rows: pd.DataFrame) -> Floats:
        return np.asarray(prepare.transform(rows), dtype=np.float64)

    if isinstance(model, LogisticRegression):
        return _line(model, prepared, owners, reference)
    if isinstance(model, HistGradientBoostingClassifier):
        return _Part(True, _of_trees(boosted_trees(model), prepared, owners, reference, model.decision_function))
    if isinstance(model, RandomForestClassifier):

        def as_forests_see(rows: pd.DataFrame) -> Floats:
            # A forest compares single-precision numbers with its thresholds.
            return prepared(rows).astype(np.float32).astype(np.float64)

        def probability(matrix: Floats) -> Floats:
            return np.asarray(model.predict_proba(matrix)[:, 1])

        return _Part(False, _of_trees(forest_trees(model), as_forests_see, owners, reference, probability))
    raise NotImplementedError(type(model).__name__)


def _line(
    model: LogisticRegression,
    prepared: Callable[[pd.DataFrame], Floats],
    owners: npt.NDArray[np.intp],
    reference: pd.DataFrame,
) -> _Part:
    weights = model.coef_[0]
    at_reference = prepared(reference)[0]
    # each column's weight in the place of its feature
    by_feature = np.zeros((len(owners), len(reference.columns)))
    by_feature[np.arange(len(owners)), owners] = weights
    start = float(at_reference @ weights + model.intercept_[0])

    def explain(rows: pd.DataFrame) -> _Explained:
        found = (prepared(rows) - at_reference) @ by_feature
        return _Explained(found, start + found.sum(axis=1), start)

    return _Part(True, explain)


def _of_trees(
    trees: list[Any],
    prepared: Callable[[pd.DataFrame], Floats],
    owners: npt.NDArray[np.intp],
    reference: pd.DataFrame,
    output: Callable[[Floats], Floats],
) -> Callable[[pd.DataFrame], _Explained]:
    at_reference = prepared(reference)
    contributions = TreeContributions(trees, at_reference[0], owners, len(reference.columns))
    start = float(output(at_reference)[0])

    def explain(rows: pd.DataFrame) -> _Explained:
        found = contributions.of(prepared(rows))
        return _Explained(found, start + found.sum(axis=1), start)

    return explain


def _mean(members: list[_Part], shares: Floats) -> _Part:
    """The weighted mean of the members' probabilities."""

    def explain(rows: pd.DataFrame) -> _Explained:
        total = np.zeros((len(rows), rows.shape[1]))
        output, reference = np.zeros(len(rows)), 0.0
        for member, share in zip(members, shares, strict=True):
            found = member.explain(rows)
            if member.is_log_odds:
                found = _carried(found, expit, lambda margin: expit(margin) * (1 - expit(margin)))
            total += share * found.contributions
            output, reference = output + share * found.output, reference + share * found.reference
        return _Explained(total, output, reference)

    return _Part(False, explain)
