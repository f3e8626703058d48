"""The typical customer that reasons compare with: of each number the median, of each kind the most frequent."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def typical(matrix: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> pd.DataFrame:
    """One row that stands for the rows of `matrix`, whatever their order.

    A median is a value that somebody has (the lower of two in the middle). It is null where more than half of the rows
    are. Of kinds that are equally frequent it is the first by name.

    Parameters
    ----------
    matrix : DataFrame of shape (n_rows, n_features), see `ml.frames.feature_matrix`

    Returns
    -------
    DataFrame of shape (1, n_features), columns numbers first

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not len(matrix):
        raise ValueError("nobody is typical of no rows. Next: score customers before asking for reasons.")
    row: dict[str, object] = {}
    for name in numeric:
        values = matrix[name].to_numpy(dtype=np.float64)
        known = values[~np.isnan(values)]
        row[name] = float(np.quantile(known, 0.5, method="lower")) if 2 * len(known) >= len(values) else np.nan
    for name in categorical:
        counts = matrix[name].value_counts()
        row[name] = min(counts.index[counts == counts.max()])
    return pd.DataFrame({name: pd.Series([value], dtype=matrix[name].dtype) for name, value in row.items()})
