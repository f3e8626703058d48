"""Small rules that every model obeys about the frames it is given: columns, order, types, fingerprints."""

import datetime
import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd


class MissingColumnsError(ValueError):
    """A frame lacks columns that a model needs; the message names them."""


class WrongTypeError(ValueError):
    """A column holds what the catalogue does not say; the message names column, row and value."""


def require_columns(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Raise `MissingColumnsError` if `frame` lacks any of `columns`; `what` names the frame in the message."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MissingColumnsError(
            f"{what} lacks {', '.join(missing)}. It has: {', '.join(map(str, frame.columns)) or 'no columns'}."
        )


def as_days(values: pd.Series) -> pd.Series:
    """Dates in whatever form a database driver hands them over, as midnight timestamps (null stays null)."""
    return pd.to_datetime(values).dt.as_unit("s").dt.normalize()


def as_date(value: Any) -> datetime.date:
    """One date, timestamp or ISO text as a `datetime.date`."""
    day: datetime.date = pd.Timestamp(value).date()
    return day


def dates_out(values: pd.Series) -> pd.Series:
    """Timestamps as `datetime.date` objects: what a DATE column wants; null becomes None."""
    days = [None if pd.isna(value) else value.date() for value in values]
    return pd.Series(days, index=values.index, dtype=object)


def in_key_order(frame: pd.DataFrame, keys: Sequence[str], what: str) -> pd.DataFrame:
    """A copy of `frame` sorted by `keys`, so that no result depends on the order in which rows arrive.

    Raises
    ------
    ValueError
        If two rows share a key: sorting could then not make the order unique.
    """
    require_columns(frame, keys, what)
    ordered = frame.sort_values(list(keys), kind="stable").reset_index(drop=True)
    repeated = ordered.duplicated(list(keys))
    if repeated.any():
        example = ordered.loc[repeated, list(keys)].iloc[0].to_dict()
        raise ValueError(f"{what} has {int(repeated.sum())} rows too many for its key {list(keys)}, e.g. {example}.")
    return ordered


def feature_matrix(frame: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str], what: str) -> pd.DataFrame:
    """The features alone: numbers as float64 (null as NaN), kinds as text (null as 'unknown').

    Returns
    -------
    DataFrame of shape (n_rows, n_numeric + n_categorical), columns in the order given, index 0..n-1.

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If the frame does not match what the feature catalogue says of these features.
    """
    require_columns(frame, [*numeric, *categorical], what)
    columns: dict[str, Any] = {}
    for name in numeric:
        columns[name] = _as_floats(frame[name], what)
    for name in categorical:
        kinds = frame[name].astype(object)
        columns[name] = np.asarray(kinds.where(kinds.notna(), "unknown"), dtype=object)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _as_floats(values: pd.Series, what: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = []
    for row, value in enumerate(values):
        # decimal.Decimal from an Arrow DECIMAL column
        if not (pd.isna(value) or isinstance(value, Number | Decimal)):
            raise WrongTypeError(
                f"{what}: {values.name} holds {value!r} in row {row}, and the feature catalogue says it is a number. "
                "Next: compare the query with the contract of the table."
            )
        numbers.append(np.nan if pd.isna(value) else float(value))
    return np.array(numbers, dtype=np.float64)


def content_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over the values of `frame` in row order; the same values give the same text in every process."""
    digest = hashlib.sha256(json.dumps([str(column) for column in frame.columns]).encode())
    if len(frame):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def schema_hash(numeric: Sequence[str], categorical: Sequence[str]) -> str:
    """16 hexadecimal digits that change when a feature is added, removed, renamed or moved."""
    text = json.dumps({"numeric": list(numeric), "categorical": list(categorical)})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def model_version(model_name: str, trained_through: datetime.date, *parts: Any) -> str:
    """Name, last training day and 8 digits over data, parameters and features; nothing of it comes from a clock."""
    text = json.dumps([model_name, trained_through.isoformat(), *parts], sort_keys=True, default=str)
    return f"{model_name}-{trained_through:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
