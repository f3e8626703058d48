"""What a backtest is given, checked and brought into one frame: a row for each customer and past date."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import as_days, require_columns
from ml.resampling import blocks_of

KEYS = ("customer_id", "as_of_date")
# What a customer did before the date, in windows side by side: two customers with the same rows rise or fall alike.
COUNTS = ("purchase_days_0_28", "purchase_days_28_56", "purchase_days_56_84")
AMOUNTS = ("spend_0_84",)
MATCHED_ON = (*COUNTS, *AMOUNTS, "days_since_last_order", "customer_age_days")
OUTCOMES = ("has_purchased", "spend")
PLACEBO_OUTCOMES = ("placebo_has_purchased", "placebo_spend")


@dataclass(frozen=True)
class Rows:
    """The population in order of date and customer, with who is a member and what came of it.

    Attributes
    ----------
    frame : DataFrame
        as_of_date, customer_id, is_member, is_observed, `OUTCOMES`, `PLACEBO_OUTCOMES` (NaN where not known), and every
        number that was given of the population.
    dates : array of shape (n_rows,)
        Number of each row's date, from 0.
    blocks : array of shape (n_rows,)
        Number of each row's customer, or group of customers: what is drawn for intervals.
    matched_on, others : tuple of str
        Columns that cells are made of, and those that are only compared.
    notes : tuple of str
        What was left out, in sentences.
    """

    frame: pd.DataFrame
    dates: npt.NDArray[np.intp]
    blocks: npt.NDArray[np.intp]
    matched_on: tuple[str, ...]
    others: tuple[str, ...]
    notes: tuple[str, ...]


def gathered(
    members: pd.DataFrame,
    population: pd.DataFrame,
    outcomes: pd.DataFrame,
    placebo: pd.DataFrame | None,
    matched_on: Sequence[str] | None,
) -> Rows:
    """Bring the frames together; see `ml.backtest.backtest` for what they hold.

    Raises
    ------
    MissingColumnsError
        If a key, an outcome or a column to match on is not there.
    ValueError
        If the population, the outcomes or the placebo have a key twice.
    """
    chosen = tuple(matched_on) if matched_on is not None else tuple(c for c in MATCHED_ON if c in population.columns)
    if not chosen:
        raise ValueError(
            f"the population has no column to match on. Next: give some of {', '.join(MATCHED_ON)}, or name others."
        )
    require_columns(population, [*KEYS, *chosen], "the population")
    base = keyed(population, "the population")
    numbers = [c for c in base.columns if c not in KEYS and pd.api.types.is_numeric_dtype(_plain(base[c]))]
    frame = base[list(KEYS)].copy()
    for name in dict.fromkeys([*chosen, *numbers]):
        frame[name] = _plain(base[name]).astype(np.float64)
    frame = _with(frame, outcomes, OUTCOMES, OUTCOMES, "the outcomes")
    frame = _with(frame, placebo, OUTCOMES, PLACEBO_OUTCOMES, "the placebo outcomes")
    is_member, strangers = marked(frame, members)
    frame.insert(2, "is_member", is_member)
    frame.insert(3, "is_observed", frame["has_purchased"].notna())
    notes = [] if not strangers else [f"{strangers:,} member rows are of customers without features at their date."]
    notes += _unobserved(frame)
    codes, _ = pd.factorize(frame["as_of_date"], sort=True)
    others = tuple(name for name in numbers if name not in chosen and name not in (*OUTCOMES, *PLACEBO_OUTCOMES))
    return Rows(frame, codes, blocks_of(frame["customer_id"]), chosen, others, tuple(notes))


def keyed(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """`frame` in order of date and customer, with days as timestamps; refuses a key that is there twice."""
    require_columns(frame, KEYS, what)
    found = frame.assign(customer_id=frame["customer_id"].astype(str), as_of_date=as_days(frame["as_of_date"]))
    found = found.sort_values(["as_of_date", "customer_id"], kind="stable").reset_index(drop=True)
    if found.duplicated(list(KEYS)).any():
        raise ValueError(f"{what}: a customer stands twice at one date.")
    return found


def marked(frame: pd.DataFrame, members: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], int]:
    """Which rows of `frame` are in `members`, and how many of the members are in no row."""
    found = keyed(members, "the members")[list(KEYS)]
    merged = frame[list(KEYS)].merge(found, on=list(KEYS), how="left", indicator=True)
    is_member = (merged["_merge"] == "both").to_numpy()
    return is_member, len(found) - int(is_member.sum())


def _with(
    frame: pd.DataFrame, found: pd.DataFrame | None, columns: Sequence[str], names: Sequence[str], what: str
) -> pd.DataFrame:
    if found is None:
        return frame.assign(**dict.fromkeys(names, np.nan))
    require_columns(found, [*KEYS, *columns], what)
    ordered = keyed(found, what)
    values = {name: _plain(ordered[column]).astype(np.float64) for column, name in zip(columns, names, strict=True)}
    return frame.merge(ordered[list(KEYS)].assign(**values), on=list(KEYS), how="left")


def _plain(values: pd.Series) -> pd.Series:
    """Decimals of a database as numbers; words stay words."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    try:
        return pd.to_numeric(values)
    except (TypeError, ValueError):
        return values


def _unobserved(frame: pd.DataFrame) -> list[str]:
    by_date = frame.groupby("as_of_date")["is_observed"].mean()
    missing = by_date.index[by_date == 0]
    notes = []
    if len(missing):
        days = ", ".join(f"{day:%Y-%m-%d}" for day in missing[:4]) + (" and others" if len(missing) > 4 else "")
        notes.append(
            f"What came after {len(missing)} of {len(by_date)} dates is not observed yet ({days}): they count for "
            "reach and overlap, and not for what members did next."
        )
    partly = int((~frame["is_observed"] & ~frame["as_of_date"].isin(missing)).sum())
    if partly:
        notes.append(f"{partly:,} rows have no outcome though their date has; they are not compared.")
    return notes
