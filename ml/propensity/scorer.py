"""What gives a score: a fitted pipeline, its calibration, and what stands in where they cannot speak."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from ml import batch_scoring
from ml.frames import require_columns, schema_hash
from ml.propensity.calibration import Calibration, rows_per_class
from ml.propensity.candidates import Candidate
from ml.propensity.cohorts import Fallback, fit_fallback
from ml.propensity.inputs import checked_matrix
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# With fewer rows of either class a fitted model would be noise: cohorts and the base rate stand in, and scores say so.
MIN_ROWS_PER_CLASS = 100
SCORE_DIGITS = 6


@dataclass(frozen=True)
class PropensityScorer:
    """What is needed to score, and nothing of the training data.

    Attributes
    ----------
    pipeline : Pipeline or None
        None means that training had too few rows of a class: everybody gets what `fallback` says.
    calibration : Calibration
    fallback : Fallback
        For rows of which too little is known.
    trained_through : date
        Last day whose label the training saw.
    type_column : str or None
        The kind by which the calibration is shifted.
    """

    model_name: str
    model_version: str
    algorithm: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    pipeline: Pipeline | None
    calibration: Calibration
    fallback: Fallback
    trained_through: datetime.date
    horizon_days: int | None
    type_column: str | None = None

    @property
    def base_rate(self) -> float:
        """Share of positives in the training rows, smoothed."""
        return self.fallback.base_rate

    @property
    def fallback_tier(self) -> str:
        """The best tier that a score of this model can have: ``"model"``, ``"cohort"`` or ``"base_rate"``."""
        if self.pipeline is not None:
            return "model"
        return "cohort" if self.fallback.cohorts else "base_rate"

    @property
    def feature_schema_hash(self) -> str:
        """Hash of names and order of the features."""
        return schema_hash(self.numeric, self.categorical)

    @property
    def identity(self) -> dict[str, Any]:
        """What every score row says of the model that gave it."""
        return {
            "model_name": self.model_name,
            "model_version": self.model_version,
            "feature_schema_hash": self.feature_schema_hash,
            "horizon_days": self.horizon_days,
        }

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All features, numbers first."""
        return (*self.numeric, *self.categorical)

    def probabilities(self, features: pd.DataFrame) -> Floats:
        """Probability of each row of `features`, shape (n_rows,), rounded to 6 digits; see `predict`."""
        return self.predict(features)[0]

    def tiers(self, features: pd.DataFrame) -> npt.NDArray[np.object_]:
        """What the score of each row rests on, shape (n_rows,); see `predict`."""
        require_columns(features, self.feature_names, f"the input of {self.model_name}")
        _, tiers = self.fallback.rates(features)
        return tiers if self.pipeline is None else np.where(self.fallback.knows_enough(features), "model", tiers)

    def predict(self, features: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.object_]]:
        """Probability and fallback tier of each row; a row's score depends on no other row.

        Returns
        -------
        probabilities : array of shape (n_rows,), rounded to 6 digits
        tiers : array of text, shape (n_rows,)

        Raises
        ------
        MissingColumnsError
            If a feature of the training is not there. Nothing is filled in for it.
        BadInputError
            If a number is infinite.
        """
        matrix = checked_matrix(features, self.numeric, self.categorical, f"the input of {self.model_name}")
        found, tiers = self.fallback.rates(matrix)
        if self.pipeline is not None and len(matrix):
            with one_thread():
                raw = positive_probability(self.pipeline, matrix)
            types = matrix[self.type_column].to_numpy() if self.type_column else None
            known = self.fallback.knows_enough(matrix)
            found = np.where(known, self.calibration.apply(raw, types), found)
            tiers = np.where(known, "model", tiers)
        return np.round(found, SCORE_DIGITS), tiers


def positive_probability(pipeline: Pipeline, features: pd.DataFrame) -> Floats:
    """Probability of label 1, shape (n_rows,)."""
    if not len(features):
        return np.zeros(0)
    return batch_scoring.positive_probability(pipeline, features)


def fit_scorer(
    candidate: Candidate,
    features: pd.DataFrame,
    labels: Labels,
    calibration: Calibration,
    numeric: Sequence[str],
    categorical: Sequence[str],
    *,
    required: Sequence[str] = (),
    type_column: str | None = None,
    **identity: Any,
) -> PropensityScorer:
    """Fit `candidate` on all of `features`, or leave it to cohorts and base rate if a class has too few rows.

    Parameters
    ----------
    required : features that a row needs for the model to speak of it
    type_column : the kind of campaign, by which calibration and cohorts differ
    **identity : model_name, model_version, trained_through and horizon_days
    """
    pipeline = None
    if rows_per_class(labels) >= MIN_ROWS_PER_CLASS:
        pipeline = candidate.build(numeric, categorical).fit(features, labels)
    return PropensityScorer(
        algorithm=candidate.name if pipeline is not None else "none: too few rows of a class",
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        pipeline=pipeline,
        calibration=calibration if pipeline is not None else Calibration(),
        fallback=fit_fallback(features, labels, required, type_column),
        type_column=type_column,
        **identity,
    )
