"""What each source said before each as-of date: counted by day, from the day on which it was known where asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from tests.unit.models.compiled import CompiledModels, rows

STAGED = (
    "stg_crm__contacts",
    "stg_loyalty__members",
    "stg_shop__products",
    "stg_shop__orders",
    "stg_shop__order_lines",
    "stg_web__events",
    "stg_email__events",
    "stg_campaigns__campaigns",
    "stg_campaigns__recipients",
    "stg_campaigns__coupons",
    "stg_campaigns__coupon_redemptions",
    "stg_service__survey_answers",
    "int_as_of_dates",
)


@pytest.fixture
def warehouse(models: CompiledModels) -> duckdb.DuckDBPyConnection:
    """As-of dates 2, 5 and 9 January; an order of the 4th, known on the 6th, and a mail in the night to the 5th."""
    warehouse = models.warehouse()
    models.empty(warehouse, *STAGED)
    # 04:00 UTC is 23:00 of the day before in New York.
    for rows_of in (
        "features.int_as_of_dates (as_of_date) values ('2024-01-02'), ('2024-01-05'), ('2024-01-09')",
        "staging.stg_shop__orders (order_id, order_date, first_known_at) values ('o1', '2024-01-04', '2024-01-06 12:00')",
        "staging.stg_shop__order_lines (order_id, line_number) values ('o1', 1), ('o1', 2)",
        "staging.stg_shop__products (product_id) values ('apple')",
        "staging.stg_email__events (message_id, occurred_at, known_at) "
        "values ('m1', '2024-01-05 04:00', '2024-01-05 04:00')",
        "staging.stg_campaigns__campaigns (campaign_id, starts_on, known_at) "
        "values ('c1', '2024-01-05', '2024-01-01 12:00')",
        "staging.stg_campaigns__recipients (campaign_id, loyalty_id, known_at) "
        "values ('c1', 'card', '2024-01-01 12:00')",
    ):
        warehouse.execute(f"insert into {rows_of}")
    return warehouse


def said(warehouse: duckdb.DuckDBPyConnection, source: str) -> dict[int, tuple[Any, ...]]:
    """Day of January: rows, last day and reason of a source."""
    query = f"""
        select day(as_of_date), row_count, last_day, missing_reason from features.int_as_of_sources
        where source = '{source}' order by as_of_date
    """
    return {day: tuple(rest) for day, *rest in rows(warehouse, query)}


def test_rows_count_from_the_date_after_their_day(models: CompiledModels, warehouse: duckdb.DuckDBPyConnection) -> None:
    models.build(warehouse, "int_as_of_sources")
    landed_later = "no rows of {} landed before this date: the first is of 2024-01-0{}"
    on_the_4th, on_the_5th = date(2024, 1, 4), date(2024, 1, 5)
    assert said(warehouse, "orders") == {
        2: (0, None, landed_later.format("orders", 4)),
        5: (1, on_the_4th, None),
        9: (1, on_the_4th, None),
    }
    assert said(warehouse, "order_lines")[5] == (2, on_the_4th, None)
    assert said(warehouse, "email_events")[5] == (1, on_the_4th, None)
    assert said(warehouse, "campaign_recipients") == {
        2: (0, None, landed_later.format("campaign_recipients", 5)),
        5: (0, None, landed_later.format("campaign_recipients", 5)),
        9: (1, on_the_5th, None),
    }
    assert said(warehouse, "products")[2] == (1, None, None)
    assert said(warehouse, "web_events")[9] == (0, None, "no rows of web_events landed before this date")
    assert rows(warehouse, "select count(*), count(distinct source) from features.int_as_of_sources") == [(39, 13)]


def test_as_known_they_count_from_the_date_after_they_were_known(
    models_as_known: CompiledModels, warehouse: duckdb.DuckDBPyConnection
) -> None:
    models_as_known.build(warehouse, "int_as_of_sources")
    assert {day: count for day, (count, *_) in said(warehouse, "orders").items()} == {2: 0, 5: 0, 9: 1}
    assert {day: count for day, (count, *_) in said(warehouse, "order_lines").items()} == {2: 0, 5: 0, 9: 2}
    assert {day: count for day, (count, *_) in said(warehouse, "campaign_recipients").items()} == {2: 0, 5: 0, 9: 1}
