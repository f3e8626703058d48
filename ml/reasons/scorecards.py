"""Reasons of a scorecard: its points are its contributions, as it stands."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import feature_matrix
from ml.scorecard import POINTS_TO_DOUBLE, Scorecard

Floats = npt.NDArray[np.float64]

LOG_ODDS_A_POINT = float(np.log(2)) / POINTS_TO_DOUBLE


class ScorecardExplainer:
    """The points of a row less those of a typical customer, as log-odds (10 points double the odds).

    Parameters
    ----------
    card : the scorecard
    reference : DataFrame of one row with the inputs' features; see `ml.reasons.reference.typical`
    """

    method = "exact"

    def __init__(self, card: Scorecard, reference: pd.DataFrame) -> None:
        self._card = card
        self.reference = reference[list(self.features)].reset_index(drop=True)

    @property
    def features(self) -> tuple[str, ...]:
        """The inputs, in order."""
        return tuple(item.feature for item in self._card.inputs)

    def margin(self, rows: pd.DataFrame) -> Floats:
        """Log-odds of the rows, shape (n_rows,)."""
        return np.asarray((self._card.sums(rows) - self._card.even_points) * LOG_ODDS_A_POINT)

    def contributions(self, rows: pd.DataFrame) -> Floats:
        """Shape (n_rows, n_inputs); each row adds up to its margin less that of the reference."""
        return (self._points(rows) - self._points(self.reference)) * LOG_ODDS_A_POINT

    def _points(self, rows: pd.DataFrame) -> Floats:
        matrix = feature_matrix(rows, self.features, (), "the inputs of the scorecard")
        columns = [
            np.asarray(self._card.points[item.feature], dtype=np.float64)[item.bins_of(matrix[item.feature].to_numpy())]
            for item in self._card.inputs
        ]
        return np.column_stack(columns) if columns else np.zeros((len(matrix), 0))
