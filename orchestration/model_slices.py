"""Segments in which a challenger may not be worse: who was in which, as of the hold-out's own dates.

Made from what exists before the scores stage: told facts, habits, the campaign's type, and the memberships that earlier
promoted runs put on record. The first run has none of these yet; what it can be held against is the rest.
"""

from __future__ import annotations

from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd

from ingestion.sql import literal
from ml.frames import as_days
from orchestration.ledger import open_ledger
from orchestration.segment_ledger import EVALUATIONS, MEMBERSHIPS
from shops import Settings, ShopFolders

PROFILE = "feat_customer_profile"
RFM = "feat_customer_rfm"
# Last order so many days ago, and no more.
RECENCY_DAYS = (7, 28, 90)
SLICE_COLUMNS = ("customer_id", "as_of_date", "campaign_id", "slice")


def segments_of(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, settings: Settings, rows: pd.DataFrame
) -> pd.DataFrame:
    """The segments of judged rows: customer_id, as_of_date, campaign_id (only if `rows` have it) and slice.

    Parameters
    ----------
    rows : DataFrame with customer_id, as_of_date and, for offers, campaign_id (and campaign_type)
    """
    keys = [name for name in ("customer_id", "as_of_date", "campaign_id") if name in rows]
    judged = rows[keys].assign(as_of_date=as_days(rows["as_of_date"]))
    connection.register("judged_rows", judged[["customer_id", "as_of_date"]].drop_duplicates())
    try:
        of_customers = [
            *_told(connection, settings.segments.represented_by),
            _habits(connection),
            _memberships(connection, folders),
        ]
    finally:
        connection.unregister("judged_rows")
    parts = [judged.merge(part, on=["customer_id", "as_of_date"]) for part in of_customers if len(part)]
    if "campaign_type" in rows:
        kinds = rows["campaign_type"].astype(str).to_numpy()
        parts.append(judged.assign(slice=[f"campaign type {kind}" for kind in kinds]))
    if not parts:
        return pd.DataFrame(columns=[name for name in SLICE_COLUMNS if name in (*keys, "slice")])
    return pd.concat(parts, ignore_index=True)[[*keys, "slice"]]


def _told(connection: duckdb.DuckDBPyConnection, columns: list[str]) -> list[pd.DataFrame]:
    """Demographic groups, of whom it was told and of whom it was not."""
    there = _columns(connection, PROFILE)
    found = []
    for column in columns:
        if column in there:
            name = literal(column.replace("_", " "))
            told = f"{name} || ' ' || coalesce({column}::varchar, 'unknown')"
            query = f"select customer_id, as_of_date, {told} as slice from features.{PROFILE}"
            found.append(_frame(connection, f"{query} semi join judged_rows using (customer_id, as_of_date)"))
    return found


def _habits(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Bands of recency in days, and thirds of the number of orders at the date."""
    found = _frame(
        connection,
        f"select customer_id, as_of_date, days_since_last_order, "
        f"order_count, quantile_cont(order_count, 1 / 3) over (partition by as_of_date) as low_third, "
        f"quantile_cont(order_count, 2 / 3) over (partition by as_of_date) as high_third "
        f"from features.{RFM} semi join judged_rows using (customer_id, as_of_date)",
    )
    days = found["days_since_last_order"].to_numpy(dtype=np.float64, na_value=np.nan)
    names = [f"last order {low + 1} to {high} days ago" for low, high in pairwise((0, *RECENCY_DAYS))]
    names.append(f"last order over {RECENCY_DAYS[-1]} days ago")
    recency = np.array(names, dtype=object)[np.searchsorted(RECENCY_DAYS, days, side="left")]
    counts, low, high = (found[name].to_numpy(dtype=np.float64) for name in ("order_count", "low_third", "high_third"))
    orders = np.select([counts <= low, counts <= high], ["fewest orders (a third)", "some orders (a third)"],
                       "most orders (a third)")  # fmt: skip
    keyed = found[["customer_id", "as_of_date"]]
    return pd.concat([keyed.assign(slice=recency), keyed.assign(slice=orders)], ignore_index=True)


def _memberships(connection: duckdb.DuckDBPyConnection, folders: ShopFolders) -> pd.DataFrame:
    """Rule and cluster segments of the same dates, as far as promoted runs have recorded them."""
    open_ledger(folders)
    tables = {
        table: f"read_parquet({literal(folders.state / table / '*.parquet')}, union_by_name = true)"
        for table in (EVALUATIONS, MEMBERSHIPS, "cluster_memberships")
    }
    return _frame(
        connection,
        f"""
        with dates as (select distinct as_of_date::date as as_of_date from judged_rows),
        stands as (
            select segment_key, as_of_date, max(promotion_number) as promotion_number
            from {tables[EVALUATIONS]} semi join dates using (as_of_date) group by all
        )
        select customer_id, as_of_date, 'segment ' || segment_key as slice
        from {tables[MEMBERSHIPS]} join stands using (segment_key, as_of_date, promotion_number)
        union all
        select customer_id, as_of_date, 'cluster ' || cluster_key
        from {tables["cluster_memberships"]} semi join dates using (as_of_date)
        where level = 'broad'
        qualify promotion_number = max(promotion_number) over (partition by as_of_date)
        """,
    )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = 'features' and table_name = ?", [table]
    ).fetchall()
    return {name for (name,) in rows}


def _frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    found = connection.execute(query).df()
    return found.assign(as_of_date=as_days(found["as_of_date"]))
