"""Who moved from which cluster to which: because customers changed, or because the definition did.

Population change: one model, applied to the features of two dates. Definition change: the features of one date, divided
by two models. A count of moves between two runs mixes the two; these do not.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.clusters.lineage import key_order
from ml.clusters.segment_model import SegmentModel

COLUMNS = ("kind", "level", "from_as_of_date", "to_as_of_date", "from_model_version", "to_model_version", "from_key",
           "to_key", "customer_count", "share_of_from")  # fmt: skip
LEVELS = ("broad", "micro")


@dataclass(frozen=True)
class Divided:
    """Customers of one date, divided by one model.

    Attributes
    ----------
    keys : DataFrame with customer_id, broad_key and micro_key (None where there is none), one row a customer
    """

    as_of_date: datetime.date
    model_version: str
    keys: pd.DataFrame

    @classmethod
    def of(cls, model: SegmentModel, rows: pd.DataFrame) -> "Divided":
        """What `model` makes of the customers of one date."""
        divided = model.divide(rows)[["broad_key", "micro_key"]]
        keys = divided.assign(customer_id=rows["customer_id"].astype(str).to_numpy())
        return cls(pd.Timestamp(rows["as_of_date"].iloc[0]).date(), model.model_version, keys)


def migration(before: Divided, after: Divided) -> pd.DataFrame:
    """The matrix from one division to another, as rows.

    Returns
    -------
    DataFrame with `COLUMNS`
        kind is "population" or "definition", whichever of date and model differs. A null key is a customer who was not
        there, or was in no micro-segment. share_of_from: of those in from_key.

    Raises
    ------
    ValueError
        If both the date and the model differ: the two kinds of change would be mixed.
    """
    same_date, same_model = before.as_of_date == after.as_of_date, before.model_version == after.model_version
    if not (same_date or same_model):
        raise ValueError(
            f"from {before.model_version} at {before.as_of_date} to {after.model_version} at {after.as_of_date} both "
            "customers and definition change; hold one of them still"
        )
    joined = before.keys.merge(after.keys, on="customer_id", how="outer", suffixes=("_from", "_to"))
    parts = []
    for level in LEVELS:
        pairs = joined[[f"{level}_key_from", f"{level}_key_to"]].set_axis(["from_key", "to_key"], axis=1)
        pairs = pairs.astype(object).where(pairs.notna(), None).dropna(how="all")
        counted = pairs.groupby(["from_key", "to_key"], dropna=False).size().rename("customer_count").reset_index()
        counted["share_of_from"] = counted["customer_count"] / counted.groupby("from_key", dropna=False)[
            "customer_count"
        ].transform("sum")
        parts.append(counted.assign(level=level))
    found = pd.concat(parts, ignore_index=True)
    for name in ("from_key", "to_key"):
        found[name] = found[name].astype(object).where(found[name].notna(), None)
    found["share_of_from"] = found["share_of_from"].round(6)
    stamped = found.assign(
        kind="definition" if same_date else "population",
        from_as_of_date=before.as_of_date,
        to_as_of_date=after.as_of_date,
        from_model_version=before.model_version,
        to_model_version=after.model_version,
    )
    places = [
        (str(row.level), key_order(str(row.from_key or 0)), key_order(str(row.to_key or 0)))
        for row in stamped.itertuples()
    ]
    ordered = sorted(range(len(stamped)), key=lambda number: places[number])
    return stamped.iloc[ordered].reset_index(drop=True)[list(COLUMNS)]


def migrations(dates: Iterable[Divided], before_refit: Divided | None = None) -> pd.DataFrame:
    """All matrices of a run.

    Parameters
    ----------
    dates : one model at successive dates, the oldest first; the last one is now. Taken one after the other, so that
        a large shop's need not be in memory together.
    before_refit : the customers of now, as the previous model divides them; None if the model is the previous one

    Returns
    -------
    DataFrame with `COLUMNS`
        From each date to the next, from the first to the last, and from the previous model to this one.
    """
    found: list[pd.DataFrame] = []
    first: Divided | None = None
    last: Divided | None = None
    for divided in dates:
        if first is None or last is None:
            first = last = divided
            continue
        found.append(migration(last, divided))
        last = divided
    if first is not None and last is not None and len(found) > 1:
        found.append(migration(first, last))
    if before_refit is not None and last is not None and before_refit.model_version != last.model_version:
        found.append(migration(before_refit, last))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))


def kept_share(matrix: pd.DataFrame, level: str = "broad") -> float:
    """Share of the customers in both divisions who have the same key in both; NaN without such customers."""
    both = matrix[(matrix["level"] == level) & matrix["from_key"].notna() & matrix["to_key"].notna()]
    total = both["customer_count"].sum()
    if not total:
        return float(np.nan)
    return float(both.loc[both["from_key"] == both["to_key"], "customer_count"].sum() / total)
