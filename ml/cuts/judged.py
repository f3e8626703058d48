"""Judged predictions and current scores, checked and in an order that rows do not set."""

import numpy as np
import pandas as pd

from ml.frames import as_days, require_columns
from ml.splits import LeakError

SELECTION, HOLD_OUT = "selection", "hold_out"
VERSION = ("model_name", "model_version")
ROW = ("as_of_date", "campaign_id", "customer_id")
JUDGED_COLUMNS = (*VERSION, "judged_for", *ROW, "probability", "label")
CURRENT_COLUMNS = (*VERSION, *ROW, "score")


def judged_rows(judged: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``ml.judged_predictions`` in order of their key, with `campaign_id` empty where there is none.

    Raises
    ------
    MissingColumnsError
        If a column is not there.
    LeakError
        If a version's selection slice is not wholly before its hold-out.
    ValueError
        If a probability, label or use is none, or a key stands twice.
    """
    what = "ml.judged_predictions"
    require_columns(judged, JUDGED_COLUMNS, what)
    rows = _ordered(judged[list(JUDGED_COLUMNS)], (*VERSION, "judged_for", *ROW), what)
    unknown = sorted(set(rows["judged_for"]) - {SELECTION, HOLD_OUT})
    if unknown:
        raise ValueError(f"{what}: judged_for is {unknown[0]!r}; it must be {SELECTION} or {HOLD_OUT}.")
    _refuse(rows, ~_is_share(rows["probability"]), "probability", "a number from 0 to 1", what)
    _refuse(rows, ~pd.to_numeric(rows["label"], errors="coerce").isin([0, 1]), "label", "0 or 1", what)
    rows["label"] = rows["label"].astype(np.float64)
    for (name, version), own in rows.groupby(list(VERSION)):
        earlier = own.loc[own["judged_for"] == SELECTION, "as_of_date"].max()
        later = own.loc[own["judged_for"] == HOLD_OUT, "as_of_date"].min()
        if earlier >= later:
            raise LeakError(
                f"{what}: the selection slice of {name} {version} reaches {earlier:%Y-%m-%d}, its hold-out begins on "
                f"{later:%Y-%m-%d}: a cut would be reported on days that chose it."
            )
    return rows


def current_rows(current: pd.DataFrame) -> pd.DataFrame:
    """The scores of each model's newest as-of date, in order of their key; see `judged_rows` for the errors."""
    what = "the current scores"
    require_columns(current, CURRENT_COLUMNS, what)
    rows = _ordered(current[list(CURRENT_COLUMNS)], (*VERSION, *ROW), what)
    _refuse(rows, ~_is_share(rows["score"]), "score", "a probability", what)
    newest = rows.groupby("model_name")["as_of_date"].transform("max")
    return rows[rows["as_of_date"] == newest].reset_index(drop=True)


def occasions(rows: pd.DataFrame, score: str) -> list[np.ndarray]:
    """The scores of each date and campaign: of people who would be contacted together."""
    return [own[score].to_numpy(dtype=np.float64) for _, own in rows.groupby(["as_of_date", "campaign_id"])]


def _ordered(frame: pd.DataFrame, keys: tuple[str, ...], what: str) -> pd.DataFrame:
    campaigns = frame["campaign_id"].astype(object)
    rows = frame.assign(
        as_of_date=as_days(frame["as_of_date"]),
        campaign_id=campaigns.where(campaigns.notna(), "").astype(str),
        customer_id=frame["customer_id"].astype(str),
    )
    rows = rows.sort_values(list(keys), kind="stable").reset_index(drop=True)
    repeated = rows.duplicated(list(keys))
    if repeated.any():
        example = rows.loc[repeated, list(keys)].iloc[0].astype(str).to_dict()
        raise ValueError(f"{what}: {int(repeated.sum())} rows too many for the key {list(keys)}, e.g. {example}.")
    return rows


def _is_share(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").between(0, 1)


def _refuse(rows: pd.DataFrame, wrong: pd.Series, column: str, meant: str, what: str) -> None:
    if wrong.any():
        row = rows[wrong].iloc[0]
        raise ValueError(
            f"{what}: {column} of customer {row['customer_id']}, {row['model_name']}, {row['as_of_date']:%Y-%m-%d} is "
            f"{row[column]!r}; it must be {meant}."
        )
