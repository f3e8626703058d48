"""How likely each customer was to be mailed: who was chosen, as far as features tell.

Where hardly anybody alike was mailed, an expected response is a guess from other customers; and where hardly anybody
alike was left out, no comparison could tell an effect (Rosenbaum and Rubin, *The Central Role of the Propensity Score*,
Biometrika 70, 1983; Crump, Hotz, Imbens and Mitnik, Biometrika 96, 2009, on limited overlap).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from ml.frames import feature_matrix
from ml.propensity.candidates import logistic
from ml.propensity.scorer import positive_probability
from ml.resampling import blocks_of
from ml.response.outcomes import FEATURES, TYPE, eligible_rows
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]

CANDIDATE = logistic(0.1)
# With fewer of either kind there is no telling who was chosen.
MIN_ROWS_PER_CLASS = 20
# Who is less likely to be mailed than all but so many of those mailed resembles none of them.
FLOOR = 0.01


@dataclass(frozen=True)
class Mailing:
    """Of each type of campaign a model of who was mailed.

    Attributes
    ----------
    models : type -> fitted Pipeline; a type with too few mailed, or too few left out, has none
    floors : type -> the propensity that all but `FLOOR` of those mailed had at least
    """

    models: Mapping[str, Pipeline]
    floors: Mapping[str, float]

    @classmethod
    def fit(cls, eligible: pd.DataFrame) -> "Mailing":
        """Learn it from who could have received each campaign; see `ml.response.train`."""
        rows = eligible_rows(eligible)
        matrix = feature_matrix(rows, FEATURES, (), "who could have received a campaign")
        mailed, types = rows["is_mailed"].to_numpy(dtype=np.int64), rows[TYPE].to_numpy()
        models, floors = {}, {}
        with one_thread():
            for name in sorted(set(types)):
                own = types == name
                if _enough(mailed[own]):
                    models[name] = CANDIDATE.build(FEATURES, ()).fit(matrix[own], mailed[own])
                    chosen = positive_probability(models[name], matrix[own & (mailed == 1)])
                    floors[name] = float(np.quantile(chosen, FLOOR))
        return cls(models, floors)

    def propensity(self, features: pd.DataFrame, campaign_type: str) -> Floats:
        """Probability of being mailed a campaign of the type, shape (n_rows,); NaN where it has no model."""
        if campaign_type not in self.models:
            return np.full(len(features), np.nan)
        matrix = feature_matrix(features, FEATURES, (), "the current features")
        with one_thread():
            return np.round(positive_probability(self.models[campaign_type], matrix), 6)


def cross_fitted(rows: pd.DataFrame) -> Floats:
    """The same for the customers that it is learned from, each by a model of the other half of the customers.

    Parameters
    ----------
    rows : `eligible_rows`

    Returns
    -------
    array of shape (n_rows,); NaN for a type with too few of either kind
    """
    matrix = feature_matrix(rows, FEATURES, (), "who could have received a campaign")
    mailed, types = rows["is_mailed"].to_numpy(dtype=np.int64), rows[TYPE].to_numpy()
    half = blocks_of(rows["customer_id"], at_most=2) if len(rows) else np.zeros(0, dtype=np.intp)
    found = np.full(len(rows), np.nan)
    with one_thread():
        for name in sorted(set(types)):
            for side in (0, 1):
                learn, judge = (types == name) & (half != side), (types == name) & (half == side)
                if _enough(mailed[learn]) and judge.any():
                    model = CANDIDATE.build(FEATURES, ()).fit(matrix[learn], mailed[learn])
                    found[judge] = positive_probability(model, matrix[judge])
    return found


def _enough(mailed: npt.NDArray[np.int64]) -> bool:
    return bool(min(mailed.sum(), len(mailed) - mailed.sum()) >= MIN_ROWS_PER_CLASS)
