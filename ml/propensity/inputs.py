"""What goes into a model: the features as numbers and kinds, checked, and a sample of many customers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import feature_matrix


class BadInputError(ValueError):
    """Features or labels that no honest score can be made from; the message says where and what to do."""


def checked_matrix(frame: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str], what: str) -> pd.DataFrame:
    """`ml.frames.feature_matrix`, which also refuses infinite numbers.

    Raises
    ------
    BadInputError
        If a number is infinite: a division by zero upstream, and no value that could be put in its place.
    """
    matrix = feature_matrix(frame, numeric, categorical, what)
    for name in numeric:
        infinite = np.isinf(matrix[name].to_numpy())
        if infinite.any():
            raise BadInputError(
                f"{what}: {name} is infinite in {int(infinite.sum())} of {len(matrix)} rows, first in row "
                f"{int(infinite.argmax())}. Next: let the feature's model give null where it divides by zero."
            )
    return matrix


def silent_features(matrix: pd.DataFrame, numeric: Sequence[str]) -> dict[str, list[str]]:
    """Features that tell no two rows apart: ``{"all_null": [...], "constant": [...]}``; models go without them."""
    null = [name for name in numeric if len(matrix) and matrix[name].isna().all()]
    constant = [name for name in numeric if name not in null and matrix[name].nunique(dropna=False) == 1]
    return {"all_null": null, "constant": constant}


def checked_labels(labels: pd.Series, what: str) -> npt.NDArray[np.int64]:
    """Labels as 0 and 1, shape (n_rows,).

    Raises
    ------
    BadInputError
        If one is neither.
    """
    numbers = pd.to_numeric(labels, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isin(numbers, (0.0, 1.0))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInputError(
            f"{what}: {labels.name} is {labels.iloc[row]} in row {row} and has to be 0 or 1 "
            f"({int(wrong.sum())} such rows). Next: compare the query with the contract of the label."
        )
    return numbers.astype(np.int64)


def sampled(customers: pd.Series, at_most: int) -> npt.NDArray[np.bool_]:
    """Which rows to keep so that about `at_most` remain: all rows of a customer or none, by a hash of the key.

    Neither the order of rows nor what else is in the frame decides whether a customer is in; a smaller sample is part
    of a larger one.
    """
    if len(customers) <= at_most:
        return np.ones(len(customers), dtype=bool)
    hashed = pd.util.hash_array(np.asarray(customers.to_numpy(dtype=object)), categorize=True)
    chosen: npt.NDArray[np.bool_] = hashed < np.uint64(at_most / len(customers) * float(2**64 - 2**11))
    return chosen
