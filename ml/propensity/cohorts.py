"""What a score rests on where the model does not know enough: the customer's cohort, and then the base rate.

A cohort is who is about as long a customer (and, for offers, was mailed the same type of campaign). It is known of
everybody, also of who has just ordered for the first time or not yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import require_columns

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

AGE = "customer_age_days"
# Days since the first order at which another cohort begins.
AGE_BANDS = (0, 28, 90, 180, 365)
# Younger customers have a cohort and no score of their own: their counts and rhythms say when they came, and no more.
MIN_AGE_DAYS = 7
# A cohort with fewer rows says what the base rate says; one with more is drawn towards it by so many rows.
MIN_COHORT_ROWS = 50
COHORT_PRIOR_ROWS = 20
TIERS = ("model", "cohort", "base_rate")


def smoothed_rate(labels: Labels) -> float:
    """(positives + 1) / (rows + 2): a rate that is never 0 or 1, and 0.5 where nothing is known."""
    return float((labels.sum() + 1) / (len(labels) + 2))


def cohort_names(features: pd.DataFrame, type_column: str | None = None) -> npt.NDArray[np.object_]:
    """The cohort of each row, shape (n_rows,), e.g. ``"first order 28 to 89 days ago"``.

    Parameters
    ----------
    features : DataFrame with customer_age_days (null: no order yet) and, if given, `type_column`
    """
    require_columns(features, [AGE, *([type_column] if type_column else [])], "the features of cohorts")
    names = ["no order yet"]
    for begin, end in zip(AGE_BANDS, [*AGE_BANDS[1:], None], strict=True):
        names.append(f"first order {begin} to {end - 1} days ago" if end else f"first order {begin} days ago or more")
    age = pd.to_numeric(features[AGE]).to_numpy(dtype=np.float64, na_value=np.nan)
    band = np.where(np.isnan(age), 0, np.searchsorted(AGE_BANDS, np.nan_to_num(age), side="right"))
    found = np.array(names, dtype=object)[band]
    if type_column is None:
        return found
    kinds = features[type_column].astype(object)
    words = np.asarray(kinds.where(kinds.notna(), "unknown"), dtype=object).astype(str).astype(object)
    of_type: npt.NDArray[np.object_] = found + ", " + words
    return of_type


@dataclass(frozen=True)
class Fallback:
    """Rates of cohorts, and of all.

    Attributes
    ----------
    base_rate : float
    cohorts : mapping of cohort to rate
        Only those with enough rows.
    required : tuple of str
        Features that have to be known for the model to speak.
    type_column : str or None
        Parts cohorts further.
    """

    base_rate: float
    cohorts: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    type_column: str | None = None

    def knows_enough(self, features: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether the model may speak of each row: what is `required` is known, and the first order is no news."""
        known = np.ones(len(features), dtype=bool)
        for name in self.required:
            values = features[name].notna().to_numpy()
            if name == AGE:
                age = pd.to_numeric(features[AGE]).to_numpy(dtype=np.float64, na_value=np.nan)
                values = values & ~(age < MIN_AGE_DAYS)
            known = known & values
        return known

    def rates(self, features: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.object_]]:
        """Rate and tier (``"cohort"`` or ``"base_rate"``) of each row."""
        if not self.cohorts:
            return np.full(len(features), self.base_rate), np.full(len(features), "base_rate", dtype=object)
        found = pd.Series(cohort_names(features, self.type_column)).map(dict(self.cohorts)).to_numpy(dtype=np.float64)
        tiers = np.where(np.isnan(found), "base_rate", "cohort").astype(object)
        return np.where(np.isnan(found), self.base_rate, found), tiers


def fit_fallback(
    features: pd.DataFrame, labels: Labels, required: Sequence[str] = (), type_column: str | None = None
) -> Fallback:
    """Rates of the cohorts in the training rows; each is drawn towards the base rate by `COHORT_PRIOR_ROWS`."""
    base_rate = smoothed_rate(labels)
    if not len(labels) or AGE not in features:
        return Fallback(base_rate, {}, tuple(required), type_column)
    by_cohort = pd.Series(labels).groupby(cohort_names(features, type_column)).agg(["sum", "count"])
    by_cohort = by_cohort[by_cohort["count"] >= MIN_COHORT_ROWS]
    rates = (by_cohort["sum"] + COHORT_PRIOR_ROWS * base_rate) / (by_cohort["count"] + COHORT_PRIOR_ROWS)
    cohorts = {str(name): round(float(rate), 6) for name, rate in rates.sort_index().items()}
    return Fallback(base_rate, cohorts, tuple(required), type_column)


def tier_counts(scores: pd.DataFrame) -> pd.DataFrame:
    """How many scores rest on what: a row for each model and as-of date with a column of rows for each tier.

    Parameters
    ----------
    scores : rows of ``ml.scores`` with model_name, model_version, as_of_date and fallback_tier

    Returns
    -------
    DataFrame with model_name, model_version, as_of_date, fallback_tier, rows, share; every tier is there, with 0 if
    nobody has it.
    """
    keys = ["model_name", "model_version", "as_of_date"]
    require_columns(scores, [*keys, "fallback_tier"], "the scores")
    counted = scores.groupby([*keys, "fallback_tier"], sort=True).size().unstack(fill_value=0)
    counted = counted.reindex(columns=list(TIERS), fill_value=0).rename_axis(columns="fallback_tier")
    found = counted.reset_index().melt(id_vars=keys, value_name="rows")
    found["share"] = found["rows"] / found.groupby(keys)["rows"].transform("sum")
    return found.sort_values([*keys, "fallback_tier"], ignore_index=True)
