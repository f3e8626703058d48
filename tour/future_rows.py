"""Absurd orders of the days after an as-of date: its features do not see them, a query without a date does.

The absurd orders are those of customers who are going to buy. Whoever sums up all that is in the table today gets a
feature that knows the answer: it looks splendid in training and is worth nothing in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from orchestration.warehouse import reading, writing
from shops import ShopFolders, load_settings
from tour.copies import original_of
from tour.outcomes import newest_known
from tour.telling import Teller

TITLE = "absurd rows from the future"
NEEDS = ("landing", "state", "dbt", "warehouse.duckdb")
AMOUNT = 999_999
# What is told of here, and the tables that its SQL is made of, from the staged orders on.
FEATURES = ("feat_customer_rfm", "feat_customer_discount")
INCREMENTS = ("int_activity__fingerprints", "int_features__rfm", "int_features__discount")
MODELS = (
    "int_activity__order_lines",
    "int_activity__orders",
    "int_activity__returns",
    "int_activity__purchase_days",
    "int_activity__customers",
    "int_activity__owners",
    "int_as_of_grid",
    "int_as_of_calendar",
    "int_features__order_rhythm",
    *INCREMENTS,
)


@dataclass(frozen=True)
class Seen:
    """What features and the naive query say at one date.

    Attributes
    ----------
    hashes : of the rows of each feature table at the date.
    feature_auc, naive_auc : how well spend before the date, and spend of all rows, tell who buys (ROC-AUC).
    """

    hashes: Mapping[str, str]
    feature_auc: float
    naive_auc: float


@dataclass(frozen=True)
class Figures:
    """What the scene found."""

    as_of_date: date
    planted: int
    before: Seen
    after: Seen


def play(copy: ShopFolders, tell: Teller) -> Figures:
    """Read features and the naive query at a date whose outcome is known, plant, compute again, read again."""
    from orchestration.dbt_in_process import InProcessDbt

    horizon = load_settings(copy.shop).models.purchase.horizon_days
    day = newest_known(copy.warehouse, horizon)
    tell.does(f"read the features as of {day}, and who bought in the {horizon} days from then on")
    before = _seen(copy, day, horizon)
    planted = _plant(copy, day, horizon)
    tell.does(f"plant {planted:,} orders of {AMOUNT:,} each on those days, one for everybody who buys then")
    tell.does("compute the features as of that date again, by their own SQL (dbt)")
    InProcessDbt(copy).build_with(MODELS, copy.warehouse, {})
    found = Figures(day, planted, before, _seen(copy, day, horizon))
    tell.shows(
        f"As of {day}",
        ("", "before", "after"),
        [
            *((f"{name}, hash of its rows", found.before.hashes[name][:16], found.after.hashes[name][:16])
              for name in FEATURES),
            ("total_spend of the features, ROC-AUC", f"{before.feature_auc:.3f}", f"{found.after.feature_auc:.3f}"),
            ("the same summed up without a date, ROC-AUC", f"{before.naive_auc:.3f}", f"{found.after.naive_auc:.3f}"),
        ],
    )  # fmt: skip
    tell.concludes(
        "The naive query tells beforehand who is going to buy, and it does so by what they bought then. "
        "Even before, a part of its AUC was that."
    )
    tell.look(
        [
            ("docs/features.md", "how features are kept from looking ahead"),
            (copy.shown(original_of(copy).reports / "gates" / "features.html"),
             "the gate that raises the alarm at features like that"),
            ("tests/unit/models/test_no_leak.py", "each kind of row around a date, and what it may change"),
        ]
    )  # fmt: skip
    return found


def _seen(copy: ShopFolders, day: date, horizon: int) -> Seen:
    with reading(copy.warehouse) as connection:
        hashes = {}
        for table in FEATURES:
            row = connection.execute(
                "select md5(string_agg(row_hash, '' order by row_hash)) from ("
                f"select md5(features::varchar) as row_hash from features.{table} as features where as_of_date = ?)",
                [day],
            ).fetchone()
            hashes[table] = str(row[0]) if row else ""
        rows = connection.execute(
            """
            with naive as (
                select customer_id, sum(net_amount) as amount
                from staging.stg_shop__orders as orders
                inner join staging.stg_shop__order_lines as lines using (order_id)
                inner join identity.master_customer_index as index
                    on orders.buyer = index.source_record_id and index.source_system = 'orders'
                where index.valid_to is null
                group by customer_id
            )
            select has_purchased = 1 as bought, total_spend::double as feature, coalesce(amount, 0)::double as naive
            from features.label_purchase
            inner join features.feat_customer_rfm using (customer_id, as_of_date)
            left join naive using (customer_id)
            where as_of_date = ? and horizon_days = ? order by customer_id
            """,
            [day, horizon],
        ).fetchnumpy()
    return Seen(hashes, _auc(rows["feature"], rows["bought"]), _auc(rows["naive"], rows["bought"]))


def _auc(values: Any, bought: Any) -> float:
    """As the features gate measures it: of the better side."""
    from expectations.leak import auc

    found = auc(np.asarray(values), np.asarray(bought), np.arange(len(values)), min_cases=1)
    return float("nan") if found is None else found.strength


def _plant(copy: ShopFolders, day: date, horizon: int) -> int:
    """Put the orders into the staged tables, and leave the one date to be computed, from nothing."""
    with writing(copy.warehouse) as connection:
        connection.execute(
            f"""
            create temp table planted as
            select orders.* replace ('planted-' || index.customer_id as order_id)
            from staging.stg_shop__orders as orders
            inner join identity.master_customer_index as index
                on orders.buyer = index.source_record_id and index.source_system = 'orders' and index.valid_to is null
            where order_date >= date '{day}' and order_date < date '{day}' + {horizon}
            qualify row_number() over (partition by index.customer_id order by ordered_at, order_id) = 1
            """
        )
        connection.execute("insert into staging.stg_shop__orders from planted")
        connection.execute(
            f"""
            insert into staging.stg_shop__order_lines by name
            select lines.* replace (
                planted.order_id as order_id, {AMOUNT} as gross_amount, {AMOUNT} as net_amount,
                {AMOUNT} as amount_after_returns, {AMOUNT} as transaction_amount
            )
            from planted
            cross join (
                from staging.stg_shop__order_lines where line_type = 'sale' and returned_quantity = 0 limit 1
            ) as lines
            """
        )
        connection.execute(f"delete from features.int_as_of_dates where as_of_date <> date '{day}'")
        connection.execute("update features.int_as_of_dates set is_new = true")
        for model in INCREMENTS:  # Without its table the SQL computes all of it, and not only what has changed.
            connection.execute(f"drop table features.{model}")
        row = connection.execute("select count(*) from planted").fetchone()
    return int(row[0]) if row else 0
