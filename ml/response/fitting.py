"""Fitting a response on some rows: one estimator, the level of a type, and refits on customers drawn again.

All that this package takes from `ml.propensity` is taken here, in `ml.response.model` and in `ml.response.mailing`.

Two things are left out, after trying them on the demo shop's campaigns before 2017-09-01, each judged by a model from
before it. A choice among estimators: this one had a ROC-AUC of .725 for redeeming over all types (gradient boosting
.672, the mean of both .705) and of .834 for buying (.830, .840). And Platt's calibration on the newest campaigns, which
learns how that season or that type differed: the log loss of redeeming rose from .327 to .341, of a type with a model
of its own from .337 to .404, while buying gained a little. With the level of each type it is .317.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ml.propensity.calibration import Calibration
from ml.propensity.candidates import logistic
from ml.propensity.scorer import PropensityScorer, fit_scorer, positive_probability
from ml.resampling import blocks_of, draws

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

CANDIDATE = logistic(0.01)
RFM = logistic(1.0)
# The spread of so many refits is known to about an eighth.
REFITS = 30
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Fitted:
    """A scorer, and lines of the same kind fitted on customers drawn again.

    Attributes
    ----------
    scorer : PropensityScorer
    lines : array of shape (n_refits, 1 + n_prepared)
        Intercept and coefficients of each refit, on the columns that the scorer's own preparation makes.
    """

    scorer: PropensityScorer
    lines: Floats

    def expected(self, features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """Probability and its 95% interval for each row: the spread of the refits, in logits, around it.

        The interval is of the probability, as the customers that were learned from set it; not of what one will do.
        """
        probability = self.scorer.probabilities(features)
        prepared = _prepared(self.scorer.pipeline, features[list(self.scorer.feature_names)])
        logits = prepared @ self.lines[:, 1:].T + self.lines[:, 0]
        half = NORMAL_95 * logits.std(axis=1, ddof=1) if len(self.lines) > 1 else np.zeros(len(prepared))
        middle = _logit(probability)
        return probability, _probability(middle - half, probability, -1), _probability(middle + half, probability, 1)


def _prepared(pipeline: Pipeline, matrix: pd.DataFrame) -> Floats:
    prepared: Floats = np.asarray(pipeline[:-1].transform(matrix), dtype=np.float64)
    return prepared


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.log(clipped) - np.log1p(-clipped)


def _probability(logits: Floats, beside: Floats, side: int) -> Floats:
    """Logits as probabilities, never on the wrong side of the figure itself by rounding."""
    found = np.round(1 / (1 + np.exp(-logits)), 6)
    return np.minimum(found, beside) if side < 0 else np.maximum(found, beside)


def rarer(labels: Labels) -> int:
    """Rows of the rarer class."""
    return int(min(labels.sum(), len(labels) - labels.sum())) if len(labels) else 0


def fit(
    matrix: pd.DataFrame,
    labels: Labels,
    customers: pd.Series,
    numeric: Sequence[str],
    kinds: Sequence[str],
    **identity: Any,
) -> Fitted:
    """Fit on all rows, and `REFITS` times on customers drawn with all their rows.

    Parameters
    ----------
    matrix : DataFrame of shape (n_rows, n_features), see `ml.frames.feature_matrix`
    labels : array of shape (n_rows,)
    customers : Series of shape (n_rows,)
    identity : model_name, model_version, trained_through, horizon_days
    """
    scorer = fit_scorer(CANDIDATE, matrix, labels, Calibration(), numeric, kinds, **identity)
    pipeline = scorer.pipeline
    if pipeline is None:
        raise ValueError("too few rows of one class to fit a response on. Next: ask for a base rate instead.")
    prepared = _prepared(pipeline, matrix)
    blocks = blocks_of(customers)
    lines = []
    for times in draws(int(blocks.max()) + 1, REFITS):
        weights = times[blocks]
        if 0 < weights @ labels < weights.sum():
            # What prepares the columns stays: medians and spreads hardly move, and a refit is then one small fit.
            line = clone(pipeline[-1]).fit(prepared, labels, sample_weight=weights)
            lines.append(np.r_[line.intercept_, line.coef_[0]])
    return Fitted(scorer, np.array(lines))


def levelled(fitted: Fitted, matrix: pd.DataFrame, rate: float) -> Fitted:
    """The same for rows of one type, moved so that their mean probability is the type's rate: no rank changes.

    A common model draws types towards each other, for the sake of customers; the level of a type is known from its own.

    Parameters
    ----------
    matrix : the rows of the type that were learned from
    rate : above 0 and below 1
    """
    logits = _logit(positive_probability(fitted.scorer.pipeline, matrix[list(fitted.scorer.feature_names)]))
    shift = float(brentq(lambda move: float(np.mean(1 / (1 + np.exp(-(logits + move))))) - rate, -30, 30))
    return replace(fitted, scorer=replace(fitted.scorer, calibration=Calibration(1.0, round(shift, 6))))
