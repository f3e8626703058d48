"""The lines that end a run: what is off for want of data, and what was set aside."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from ingestion import LoadSummary, completejourney, read_contract
from orchestration.summary import set_aside, silent_segments, switched_off

DEMO_WITHOUT_OVERLAY = """\
without    exchange_rates: orders in another than the reporting currency go to quarantine
           crm_contacts: no names, e-mail addresses or places of customers
           web_events: no browsing, carts or sessions
           email_events: no e-mail opens or clicks
           consent_events: no customer counts as reachable
           support_tickets: no service history
           survey_answers: no stated preferences
           external_attributes: no attributes from outside"""

ORDERS_ALONE = """\
without    loyalty_members: no demographics
           products: products are inferred from the lines, without department or brand
           campaigns, campaign_recipients: no campaign history and no redemption score
           coupons: no coupon features
           coupon_redemptions: no redemption score
""" + DEMO_WITHOUT_OVERLAY.replace("without", "       ")


@pytest.mark.parametrize(
    ("landed", "text"),
    [
        (completejourney.TABLES, DEMO_WITHOUT_OVERLAY),
        (("orders", "order_lines"), ORDERS_ALONE),
        (read_contract().tables, ""),
    ],
)
def test_what_is_off_for_want_of_data_is_told(landed: Sequence[str], text: str) -> None:
    rows = {table: 5 if table in landed else 0 for table in read_contract().tables}
    half = {table: number for table, number in rows.items() if table < "m"}
    other_half = {table: number for table, number in rows.items() if table >= "m"}
    loads = [LoadSummary("a", "till", half, False), LoadSummary("b", "till", other_half, False)]
    assert "\n".join(switched_off(loads)) == text


@pytest.fixture
def published() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema marts")
    connection.execute(
        "create table marts.rpt_quarantine (landing_table varchar, reason varchar, is_routine boolean, "
        "row_count bigint)"
    )
    return connection


def test_nothing_wrong_is_no_line(published: duckdb.DuckDBPyConnection) -> None:
    published.execute("insert into marts.rpt_quarantine values ('coupons', 'exact duplicate', true, 4872)")
    assert set_aside(published) == []


def test_rows_that_are_wrong_are_one_line(published: duckdb.DuckDBPyConnection) -> None:
    published.execute(
        "insert into marts.rpt_quarantine values "
        "('order_lines', 'a sale has a negative amount', false, 700), "
        "('order_lines', 'a sale has a negative amount', false, 900), "
        "('orders', 'currency is missing', false, 12), "
        "('products', 'product_id is missing', false, 1), ('orders', 'status is unknown', false, 1), "
        "('coupons', 'exact duplicate', true, 4872)"
    )
    assert set_aside(published) == [
        "set aside  1,614 rows: 1,600 of order_lines (a sale has a negative amount), "
        "12 of orders (currency is missing), 1 of orders (status is unknown) and 1 more; all in marts.rpt_quarantine"
    ]


def test_segments_that_say_nothing_are_told_by_why(published: duckdb.DuckDBPyConnection) -> None:
    published.execute("create table marts.dim_segments (segment_name varchar, status varchar, status_reason varchar)")
    assert silent_segments(published) == []
    published.execute(
        "insert into marts.dim_segments values ('Lapsed', 'ok', null), "
        "('Dormant', 'not informative here', 'fewer than 50 members'), "
        "('Cart Idle', 'not informative here', 'fewer than 20 members'), "
        "('Seasonal Shoppers', 'switched off', 'it needs 730 days of orders, and there are 365')"
    )
    assert silent_segments(published) == [
        "silent     too few to act on: Cart Idle, Dormant",
        "           switched off, it needs 730 days of orders, and there are 365: Seasonal Shoppers",
    ]
