"""Money: everything that is summed is in the shop's reporting currency (here US dollars), and nothing is mixed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows
from tests.unit.models.test_orders_staging import STAGING, reasons


def rate(currency: str, quote: str, day: str, value: float, **more: Any) -> Row:
    """A landed exchange rate."""
    return {
        "currency": currency,
        "quote_currency": quote,
        "rate_date": date.fromisoformat(day),
        "rate": value,
        "occurred_at": at(day),
        **more,
    }


def sold_in(
    models: CompiledModels, currency: str, rates: Sequence[Row], occurred_at: str = "2024-01-05", **amounts: Any
) -> duckdb.DuckDBPyConnection:
    """A warehouse with an order of 100 in `currency`, and one of 10 US dollars."""
    warehouse = models.warehouse()
    land(
        warehouse,
        orders=[order("a", occurred_at, currency=currency), order("b", occurred_at)],
        order_lines=[line("a", 1, occurred_at, net=100) | amounts, line("b", 1, occurred_at, net=10)],
        exchange_rates=rates,
    )
    models.build(warehouse, *STAGING)
    return warehouse


def amount(warehouse: duckdb.DuckDBPyConnection) -> float | None:
    """What the order is worth in the reporting currency; None while it waits in quarantine."""
    found = rows(warehouse, "select net_amount::double from staging.stg_shop__order_lines where order_id = 'a'")
    assert len(found) <= 1, "the order's line stands more than once: two rates held on its day"
    return found[0][0] if found else None


def test_the_latest_rate_on_or_before_the_business_day(models: CompiledModels) -> None:
    rates = [
        rate("EUR", "USD", "2024-01-01", 1.1),
        rate("EUR", "USD", "2024-01-05", 1.2),
        rate("EUR", "USD", "2024-01-06", 9),
    ]
    assert amount(sold_in(models, "EUR", rates)) == 120
    assert amount(sold_in(models, "EUR", rates, "2024-01-04")) == 110
    # Three at night in London on the fifth is the evening of the fourth in New York.
    assert amount(sold_in(models, "EUR", rates, "2024-01-05 03:00")) == 110


def test_a_pair_may_be_given_the_other_way_round(models: CompiledModels) -> None:
    inverse = rate("USD", "EUR", "2024-01-01", 0.8)
    assert amount(sold_in(models, "EUR", [inverse])) == 125
    # Of one day, the direct pair counts; of two days, the later one.
    assert amount(sold_in(models, "EUR", [inverse, rate("EUR", "USD", "2024-01-01", 1.2)])) == 120
    assert amount(sold_in(models, "EUR", [inverse, rate("EUR", "USD", "2023-12-31", 1.2)])) == 125


def test_rates_are_not_chained_over_a_third_currency(models: CompiledModels) -> None:
    chain = [rate("SEK", "EUR", "2024-01-01", 0.09), rate("EUR", "USD", "2024-01-01", 1.1)]
    assert amount(sold_in(models, "SEK", chain)) is None


def test_without_a_rate_the_lines_wait_and_the_reason_says_what_to_land(models: CompiledModels) -> None:
    warehouse = sold_in(models, "EUR", [rate("EUR", "USD", "2024-01-06", 1.2)])
    assert reasons(warehouse, "order_lines") == [
        ("a / 1", "no exchange rate from EUR to USD on or before its day: land one in exchange_rates")
    ]
    assert rows(warehouse, "select count(*), sum(net_amount)::double from staging.stg_shop__order_lines") == [(1, 10.0)]

    land(warehouse, "second", sequence=2, exchange_rates=[rate("EUR", "USD", "2024-01-01", 1.5)])
    models.build(warehouse, *STAGING)
    assert amount(warehouse) == 150
    assert reasons(warehouse, "order_lines") == []


def test_the_original_amount_and_currency_stay(models: CompiledModels) -> None:
    warehouse = sold_in(models, "eur ", [rate("EUR", "USD", "2024-01-01", 1.2)])
    kept = (
        "select transaction_amount::double, transaction_currency from staging.stg_shop__order_lines order by order_id"
    )
    assert rows(warehouse, kept) == [(100.0, "EUR"), (10.0, "USD")]


def test_converted_parts_add_up_to_the_cent(models: CompiledModels) -> None:
    parts = {"gross_amount": 100.05, "retail_discount": 0.03, "coupon_match_discount": 0.02, "net_amount": 100.0}
    warehouse = sold_in(models, "EUR", [rate("EUR", "USD", "2024-01-01", 1.33333333)], **parts)
    found = rows(
        warehouse,
        "select gross_amount - retail_discount - coupon_match_discount = net_amount, net_amount::double "
        "from staging.stg_shop__order_lines where order_id = 'a'",
    )
    assert found == [(True, 133.33)]


def test_wrong_rates_are_set_aside(models: CompiledModels) -> None:
    rates = [
        rate("EUR", "USD", "2024-01-01", 1.2),
        rate("EUR", "USD", "2024-01-02", 0),
        rate("EUR", "EUR", "2024-01-03", 1),
        rate("euro", "USD", "2024-01-03", 1),
        rate("EUR", "USD", "2024-01-04", 1.3),
        rate("EUR", "USD", "2024-01-04", 1.4, known_at=at("2024-01-06")),
    ]
    warehouse = sold_in(models, "EUR", rates)
    assert amount(warehouse) == 140
    assert [reason for _, reason in reasons(warehouse, "exchange_rates")] == [
        "both currencies are the same",
        "rate is not positive",
        "a later version of this key stands",
        "currency is no ISO 4217 code",
    ]


_CURRENCIES = st.sampled_from(["USD", "EUR", "SEK"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sales=st.lists(st.tuples(_CURRENCIES, st.integers(1, 9), st.integers(1, 500)), min_size=1, max_size=8),
    rates=st.lists(
        st.tuples(st.sampled_from(["EUR", "SEK"]), st.integers(1, 9), st.sampled_from([0.09, 0.5, 1.1])), max_size=6
    ),
)
def test_sums_are_never_mixed(
    models: CompiledModels, sales: list[tuple[str, int, int]], rates: list[tuple[str, int, float]]
) -> None:
    """What is summed is what each order is worth by its own rate; orders without a rate are in no sum."""
    warehouse = models.warehouse()
    land(
        warehouse,
        orders=[order(f"o{n}", f"2024-01-0{day}", currency=kind) for n, (kind, day, _) in enumerate(sales)],
        order_lines=[line(f"o{n}", 1, f"2024-01-0{day}", net=net) for n, (_, day, net) in enumerate(sales)],
        # One rate a currency and day: which of two counts is told elsewhere.
        exchange_rates=[
            rate(kind, "USD", f"2024-01-0{day}", value)
            for (kind, day), value in {(k, d): v for k, d, v in rates}.items()
        ],
    )
    models.build(warehouse, *STAGING)
    by_day = {(kind, day): value for kind, day, value in rates}
    worth = 0.0
    waiting = 0
    for kind, day, net in sales:
        earlier = [by_day[kind, d] for d in range(day, 0, -1) if (kind, d) in by_day]
        if kind == "USD":
            worth += net
        elif earlier:
            worth += round(net * earlier[0], 2)
        else:
            waiting += 1
    ((total, count),) = rows(
        warehouse, "select coalesce(sum(net_amount), 0), count(*) from staging.stg_shop__order_lines"
    )
    assert float(total) == round(worth, 2)
    assert count == len(sales) - waiting
    assert len(reasons(warehouse, "order_lines")) == waiting
