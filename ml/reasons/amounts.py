"""Reasons of expected amounts of money: what each feature changes of the logarithm of what is expected.

The models are of several kinds, and a customer is scored by few features: they are walked through, see
`ml.reasons.sampling`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.lifetime.histories import AGE, REPEATS
from ml.lifetime.purchase_value import SINCE
from ml.reasons.sampling import sampled_contributions

Floats = npt.NDArray[np.float64]

# Nothing has no logarithm: less than this amount is this amount.
LEAST_AMOUNT = 0.01


class AmountExplainer:
    """Contributions of features to the natural logarithm of an expected amount: 0.1 is about a tenth more.

    Parameters
    ----------
    estimator : fitted, with ``predict(rows)``, an amount of money of at least 0 a row
        One of `ml.lifetime.candidates`.
    reference : DataFrame of one row, the features in order; see `ml.reasons.reference.typical`
    """

    method = "walked through"

    def __init__(self, estimator: Any, reference: pd.DataFrame) -> None:
        self._estimator = estimator
        self.reference = _possible(reference.reset_index(drop=True))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.reference.columns)

    def margin(self, rows: pd.DataFrame) -> Floats:
        """Logarithm of what is expected of the rows, shape (n_rows,)."""
        if not len(rows):
            return np.zeros(0)
        expected = np.asarray(self._estimator.predict(_possible(rows)), dtype=np.float64)
        return np.asarray(np.log(np.maximum(expected, LEAST_AMOUNT)))

    def contributions(self, rows: pd.DataFrame) -> Floats:
        """Shape (n_rows, n_features); each row adds up to its margin less that of the reference."""
        return sampled_contributions(self.margin, rows, self.reference)


def _possible(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which purchase histories can be, where they are mixed of two customers' values.

    Nobody's last order lies before their first; who never came back bought on one day, who did, on two.
    """
    if not {AGE, SINCE, REPEATS} <= set(rows.columns):
        return rows
    age = rows[AGE].to_numpy(dtype=np.float64)
    since = np.minimum(rows[SINCE].to_numpy(dtype=np.float64), age)
    repeats = rows[REPEATS].to_numpy(dtype=np.float64)
    came_back = (repeats > 0) & (age > 0)
    since = np.where(came_back, np.minimum(since, age - np.minimum(age, 1.0)), age)
    return rows.assign(**{SINCE: since, REPEATS: np.where(came_back, repeats, 0.0)})
