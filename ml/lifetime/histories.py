"""Purchase histories as three numbers a customer, checked, and put together where they are the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import feature_matrix

Floats = npt.NDArray[np.float64]

REPEATS = "repeat_purchase_day_count"
BETWEEN = "days_between_first_and_last_purchase"
AGE = "customer_age_days"
HISTORY = (REPEATS, BETWEEN, AGE)


class HistoryError(ValueError):
    """A purchase history that cannot be; the message names column, row and value."""


class TooLittleError(ValueError):
    """The histories are in order, but too few or too much alike for the model; another one has to be taken."""


@dataclass(frozen=True)
class Histories:
    """Purchase histories: repeat purchase days x, days from the first to the last t_x, days from the first to now T.

    Attributes
    ----------
    repeats, between, age : arrays of shape (n_rows,)
    counts : array of shape (n_rows,), how many customers have this history
    """

    repeats: Floats
    between: Floats
    age: Floats
    counts: Floats

    def sample(self, step: int) -> "Histories":
        """Every `step`-th of the histories."""
        return Histories(self.repeats[::step], self.between[::step], self.age[::step], self.counts[::step])

    def collapsed(self) -> "Histories":
        """Each distinct history once, in order of x, t_x and T; most customers share theirs with others.

        The histories are taken as one customer each.
        """
        ranges = [_Codes.of(values) for values in (self.repeats, self.between, self.age)]
        if np.prod([float(one.size) for one in ranges]) >= 2.0**63:
            ranges = [_Codes.dense(values) for values in (self.repeats, self.between, self.age)]
        first, second, third = ranges
        keys = (first.codes * second.size + second.codes) * third.size + third.codes
        distinct, counts = np.unique(keys, return_counts=True)
        rest, of_third = np.divmod(distinct, third.size)
        of_first, of_second = np.divmod(rest, second.size)
        return Histories(
            first.values(of_first), second.values(of_second), third.values(of_third), counts.astype(np.float64)
        )


@dataclass(frozen=True)
class _Codes:
    """Whole numbers from 0 to `size` - 1 that stand for values, in their order; whole days stand for themselves."""

    codes: npt.NDArray[np.int64]
    size: int
    known: Floats | None

    @classmethod
    def of(cls, values: Floats) -> "_Codes":
        whole = values.astype(np.int64)
        return cls(whole, int(whole.max()) + 1, None) if (whole == values).all() else cls.dense(values)

    @classmethod
    def dense(cls, values: Floats) -> "_Codes":
        known, codes = np.unique(values, return_inverse=True)
        return cls(codes.astype(np.int64), len(known), known)

    def values(self, codes: npt.NDArray[np.int64]) -> Floats:
        return codes.astype(np.float64) if self.known is None else self.known[codes]


def histories_of(frame: pd.DataFrame, what: str = "the purchase histories") -> Histories:
    """The histories of a frame, one a row, in its order.

    Parameters
    ----------
    frame : DataFrame with the columns of `HISTORY`
        A one-time buyer has 0 repeat purchase days, and 0 days between the first and the last.

    Raises
    ------
    MissingColumnsError
        If a column is not there.
    HistoryError
        If there is no row, or a value is null, infinite or negative, a count is not whole, the last purchase lies
        after the end (t_x > T), or the days between first and last do not go with the repeat purchase days.
    """
    matrix = feature_matrix(frame, HISTORY, (), what)
    if matrix.empty:
        raise HistoryError(f"{what} have no rows. Next: choose an as-of date at which customers have features.")
    for column in HISTORY:
        values = matrix[column].to_numpy()
        _refuse(~np.isfinite(values), matrix, column, what, "is null or infinite")
        _refuse(values < 0, matrix, column, what, "is negative")
    repeats, between, age = (matrix[column].to_numpy() for column in HISTORY)
    _refuse(repeats != np.floor(repeats), matrix, REPEATS, what, "is not a whole number")
    _refuse(between > age, matrix, BETWEEN, what, f"is more than {AGE}: the last purchase lies after the end")
    _refuse((repeats > 0) & (between <= 0), matrix, BETWEEN, what, f"is 0, though {REPEATS} is not")
    _refuse((repeats == 0) & (between > 0), matrix, BETWEEN, what, f"is not 0, though {REPEATS} is")
    return Histories(repeats, between, age, np.ones(len(matrix)))


def _refuse(wrong: npt.NDArray[np.bool_], matrix: pd.DataFrame, column: str, what: str, why: str) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    raise HistoryError(
        f"{what}: {column} {why} in {int(wrong.sum())} row(s), first in row {row}: {matrix.iloc[row].to_dict()}. "
        "Next: compare the query with the contract of feat_customer_rfm."
    )
