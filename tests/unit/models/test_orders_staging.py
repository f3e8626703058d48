"""Which landed orders and lines stand, which are set aside and why, which are inferred, which are outliers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows

STAGING = (
    "stg_landing__loads",
    "stg_shop__products",
    "stg_shop__exchange_rates",
    "stg_shop__orders",
    "stg_shop__returns",
    "stg_shop__order_lines",
    "quarantine",
)
A_LATER_VERSION = "a later version of this key stands"
A_REPEAT = "exact duplicate"
A_CONFLICT = "same key and arrival as the row that stands, other content"


def staged(models: CompiledModels, orders: Sequence[Row], order_lines: Sequence[Row], **more: Any) -> Any:
    """A warehouse whose staging is built from one load."""
    warehouse = models.warehouse()
    land(warehouse, orders=orders, order_lines=order_lines, **more)
    models.build(warehouse, *STAGING)
    return warehouse


def reasons(warehouse: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    """What is in quarantine of a landing table: key and reason."""
    return rows(
        warehouse, f"select record_key, reason from staging.quarantine where landing_table = '{table}' order by all"
    )


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"order_id": None}, "order_id is missing"),
        ({"occurred_at": None, "known_at": at("2024-01-01")}, "occurred_at is missing"),
        ({"occurred_at": at("1970-01-01")}, "occurred_at is the zero of a clock"),
        ({"known_at": None}, "known_at is missing"),
        ({"known_at": at("2023-12-30")}, "occurred_at lies after known_at"),
        ({"business_timezone": None}, "business_timezone is missing"),
        ({"business_timezone": "America/Newyork"}, "business_timezone is no IANA zone"),
        ({"currency": None}, "currency is missing"),
        ({"currency": "Dollar"}, "currency is no ISO 4217 code"),
        ({"status": "on hold"}, "status is unknown"),
    ],
)
def test_an_order_that_cannot_be_used_waits_in_quarantine_with_its_lines(
    models: CompiledModels, wrong: dict[str, Any], reason: str
) -> None:
    bad = {**order("bad", "2024-01-01"), **wrong}
    warehouse = staged(
        models,
        [order("good", "2024-01-01"), bad],
        [line("good", 1, "2024-01-01"), line("bad", 1, "2024-01-01")],
    )
    assert [found for _, found in reasons(warehouse, "orders")] == [reason]
    if wrong.get("order_id", "bad") is not None:
        assert reasons(warehouse, "order_lines") == [("bad / 1", "its order was rejected")]
        assert rows(warehouse, "select order_id, is_inferred from staging.stg_shop__orders") == [("good", False)]
    assert rows(warehouse, "select count(*) from staging.stg_shop__order_lines where order_id = 'good'") == [(1,)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"line_number": None}, "key is missing"),
        ({"product_id": None}, "product_id is missing"),
        ({"net_amount": None}, "net_amount is missing"),
        ({"known_at": None}, "known_at is missing"),
        ({"known_at": at("2023-12-30")}, "occurred_at lies after known_at"),
        ({"line_type": "gift"}, "line_type is unknown"),
        ({"quantity": -1}, "a sale has a negative quantity"),
        ({"net_amount": -10}, "a sale has a negative amount"),
        ({"gross_amount": 8, "retail_discount": -2}, "a sale has a negative discount"),
        ({"quantity": 2_000_000_000}, "quantity or amount is beyond a billion"),
        ({"gross_amount": 12, "retail_discount": 1}, "gross_amount less discounts is not net_amount"),
    ],
)
def test_a_line_that_cannot_be_used_is_set_aside_and_the_good_one_stays(
    models: CompiledModels, wrong: dict[str, Any], reason: str
) -> None:
    warehouse = staged(
        models,
        [order("a", "2024-01-01")],
        [line("a", 1, "2024-01-01"), {**line("a", 2, "2024-01-01"), **wrong}],
    )
    assert [found for _, found in reasons(warehouse, "order_lines")] == [reason]
    assert rows(warehouse, "select line_number from staging.stg_shop__order_lines") == [(1,)]


@pytest.mark.parametrize(
    "fine",
    [
        {"quantity": 0},
        {
            "known_at": at("2024-01-01 00:00")
        },  # half a day before it happened: a clock, or a zone that was taken for UTC
        {"gross_amount": 10.02},  # two cents off: the source rounds
        {"line_type": "fee", "net_amount": -3},
        {"line_type": "return"},
    ],
)
def test_what_is_only_unusual_is_not_rejected(models: CompiledModels, fine: dict[str, Any]) -> None:
    warehouse = staged(models, [order("a", "2024-01-01")], [{**line("a", 1, "2024-01-01"), **fine}])
    assert rows(warehouse, "select * from staging.quarantine") == []
    assert rows(
        warehouse,
        "select gross_amount - retail_discount - coupon_match_discount = net_amount from staging.stg_shop__order_lines",
    ) == [(True,)]


def test_versions_repeats_and_conflicts_are_told_apart(models: CompiledModels) -> None:
    later = {"known_at": at("2024-01-02")}
    warehouse = staged(
        models,
        [order("a", "2024-01-01")],
        [
            line("a", 1, "2024-01-01", net=1),
            line("a", 1, "2024-01-01", net=2, **later),
            line("a", 1, "2024-01-01", net=2, **later),
            line("a", 1, "2024-01-01", net=1.5, **later),
        ],
    )
    stands = rows(warehouse, "select net_amount::double from staging.stg_shop__order_lines")
    assert stands == [(2.0,)]
    assert sorted(reason for _, reason in reasons(warehouse, "order_lines")) == [A_LATER_VERSION, A_REPEAT, A_CONFLICT]
    assert rows(warehouse, "select is_routine, reason from staging.quarantine order by reason") == [
        (True, A_LATER_VERSION),
        (True, A_REPEAT),
        (False, A_CONFLICT),
    ]


@pytest.mark.parametrize("order_of_rows", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_which_row_stands_does_not_hang_on_the_order_of_rows(models: CompiledModels, order_of_rows: list[int]) -> None:
    """Known at the same time: the later load stands, and within a load the content decides."""
    nets = [1, 3, 2]
    warehouse = models.warehouse()
    lines = [line("a", 1, "2024-01-01", net=nets[position]) for position in order_of_rows]
    land(warehouse, "first", orders=[order("a", "2024-01-01")], order_lines=lines)
    models.build(warehouse, *STAGING)
    stands = "select net_amount::double from staging.stg_shop__order_lines"
    assert rows(warehouse, stands) == [(3.0,)]
    land(warehouse, "second", sequence=2, order_lines=[line("a", 1, "2024-01-01", net=0.5)])
    models.build(warehouse, *STAGING)
    assert rows(warehouse, stands) == [(0.5,)]


def test_a_good_version_stands_when_the_later_one_cannot(models: CompiledModels) -> None:
    warehouse = staged(
        models,
        [order("a", "2024-01-01"), order("a", "2024-01-01", currency=None, known_at=at("2024-01-02"))],
        [line("a", 1, "2024-01-01")],
    )
    assert reasons(warehouse, "orders") == [("a", "currency is missing")]
    assert rows(warehouse, "select count(*) from staging.stg_shop__order_lines") == [(1,)]


def test_lines_whose_order_has_not_landed_get_an_inferred_order_until_it_lands(models: CompiledModels) -> None:
    early, late = line("a", 1, "2024-01-02 03:00"), line("a", 2, "2024-01-02 04:00")
    warehouse = staged(models, [order("other", "2024-01-01")], [late, early])
    inferred = rows(
        warehouse,
        "select loyalty_id, is_inferred, currency, business_timezone, ordered_at, order_date "
        "from staging.stg_shop__orders where order_id = 'a'",
    )
    # Three at night in London is ten in the evening of the day before in the shop's New York.
    assert inferred == [(None, True, "USD", "America/New_York", at("2024-01-02 03:00"), date(2024, 1, 1))]
    assert rows(warehouse, "select count(*) from staging.stg_shop__order_lines where order_id = 'a'") == [(2,)]
    assert rows(warehouse, "select * from staging.quarantine") == []

    land(warehouse, "second", sequence=2, orders=[order("a", "2024-01-02 03:00", loyalty_id="c7")])
    models.build(warehouse, *STAGING)
    known = rows(
        warehouse, "select order_id, loyalty_id, is_inferred from staging.stg_shop__orders where order_id = 'a'"
    )
    assert known == [("a", "c7", False)]


def test_an_inferred_order_is_in_the_currency_of_most_others(models: CompiledModels) -> None:
    others = [order(f"o{number}", "2024-01-01", currency="EUR") for number in range(2)]
    warehouse = staged(models, [*others, order("o2", "2024-01-01")], [line("a", 1, "2024-01-02")])
    assert rows(warehouse, "select currency from staging.stg_shop__orders where is_inferred") == [("EUR",)]


def test_identifiers_are_trimmed_and_empty_ones_are_missing(models: CompiledModels) -> None:
    warehouse = staged(
        models,
        [order(" 77", "2024-01-01", loyalty_id=" card "), order("", "2024-01-01"), order(" ", "2024-01-01")],
        [line("77 ", 1, "2024-01-01"), line("77", 2, "2024-01-01", product_id=" ")],
    )
    found = rows(warehouse, "select order_id, loyalty_id, is_inferred from staging.stg_shop__orders")
    assert found == [("77", "card", False)]
    assert rows(warehouse, "select order_id, line_number from staging.stg_shop__order_lines") == [("77", 1)]
    assert [reason for _, reason in reasons(warehouse, "orders")] == ["order_id is missing"] * 2
    assert [reason for _, reason in reasons(warehouse, "order_lines")] == ["product_id is missing"]


def test_of_two_versions_that_came_at_once_the_same_stands_whatever_their_order(models: CompiledModels) -> None:
    apples = [{"product_id": "apple", "department": name, "known_at": at("2024-01-01")} for name in ("fruit", "garden")]
    found = set()
    for products in (apples, apples[::-1]):
        warehouse = staged(models, [], [], products=products)
        found.add(tuple(rows(warehouse, "select department from staging.stg_shop__products")))
        assert [reason for _, reason in reasons(warehouse, "products")] == [
            "same key and arrival as the row that stands, other content"
        ]
    assert len(found) == 1


def test_a_bad_line_infers_no_order(models: CompiledModels) -> None:
    warehouse = staged(
        models,
        [order("other", "2024-01-01")],
        [
            line("a", 1, "2024-01-01", net=-1),
            {**line("b", 1, "2024-01-01"), "occurred_at": None, "known_at": at("2024-01-01")},
        ],
    )
    assert rows(warehouse, "select order_id from staging.stg_shop__orders") == [("other",)]
    assert reasons(warehouse, "order_lines") == [
        ("a / 1", "a sale has a negative amount"),
        ("b / 1", "its order has not landed or was rejected, and occurred_at is missing"),
    ]


def test_outliers_are_flagged_and_stay(models: CompiledModels) -> None:
    usual = [line("a", number, "2024-01-01", quantity=2, net=10 + number % 3) for number in range(1, 13)]
    odd = [
        line("a", 20, "2024-01-01", quantity=2, net=0.9),  # a slip in the price: less than a tenth of 5
        line("a", 21, "2024-01-01", quantity=1, net=60),  # more than ten times
        line("a", 22, "2024-01-01", quantity=41, net=205),  # more than twenty times two units
        line("a", 23, "2024-01-01", quantity=40, net=200),  # not quite
        line("a", 24, "2024-01-01", quantity=1, net=500, product_id="piano"),  # the only one: nothing to compare with
        line("a", 25, "2024-01-01", quantity=-41, net=-205, line_type="return"),
    ]
    warehouse = staged(models, [order("a", "2024-01-01")], [*usual, *odd])
    flagged = rows(warehouse, "select line_number from staging.stg_shop__order_lines where is_outlier order by 1")
    assert flagged == [(20,), (21,), (22,)]
    assert rows(warehouse, "select count(*) from staging.quarantine") == [(0,)]


def test_of_a_rare_product_a_quantity_beyond_the_shops_quantile_is_an_outlier(models: CompiledModels) -> None:
    usual = [line("a", number, "2024-01-01", quantity=1 + number % 5) for number in range(1, 1100)]
    rare = line("a", 2000, "2024-01-01", quantity=80_000, product_id="paper")
    warehouse = staged(models, [order("a", "2024-01-01")], [*usual, rare])
    assert rows(warehouse, "select line_number from staging.stg_shop__order_lines where is_outlier") == [(2000,)]


def test_an_order_is_void_from_when_that_became_known(models: CompiledModels) -> None:
    warehouse = staged(
        models,
        [
            order("stands", "2024-01-01"),
            order("born cancelled", "2024-01-01", status="cancelled", known_at=at("2024-01-09")),
            order("cancelled later", "2024-01-01"),
            order("cancelled later", "2024-01-01", status="Cancelled", known_at=at("2024-01-05")),
            order("cancelled later", "2024-01-01", status="returned", known_at=at("2024-01-07")),
            order("revived", "2024-01-01"),
            order("revived", "2024-01-01", status="cancelled", known_at=at("2024-01-05")),
            order("revived", "2024-01-01", known_at=at("2024-01-07")),
            order("cancelled again", "2024-01-01", status="cancelled", known_at=at("2024-01-03")),
            order("cancelled again", "2024-01-01", known_at=at("2024-01-05")),
            order("cancelled again", "2024-01-01", status="cancelled", known_at=at("2024-01-08")),
            {**order("no status", "2024-01-01"), "status": None},
        ],
        [],
    )
    assert rows(warehouse, "select order_id, voided_at from staging.stg_shop__orders order by 1") == [
        ("born cancelled", at("2024-01-01")),
        ("cancelled again", at("2024-01-08")),
        ("cancelled later", at("2024-01-05")),
        ("no status", None),
        ("revived", None),
        ("stands", None),
    ]


# Versions of three orders and their lines, good and bad ones, in up to three loads.
_VERSION = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["a", "b", "c"]),
        "line_number": st.sampled_from([None, 1, 2]),
        "net": st.sampled_from([-1.0, 1.0, 2.0, None]),
        "line_type": st.sampled_from(["sale", "sale", "return", "gift"]),
        "known": st.integers(1, 3),
        "load": st.integers(1, 3),
        "is_order": st.booleans(),
        "currency": st.sampled_from(["USD", "USD", None]),
    }
)


def _landed(versions: Sequence[dict[str, Any]]) -> dict[int, tuple[list[Row], list[Row]]]:
    loads: dict[int, tuple[list[Row], list[Row]]] = {}
    for version in versions:
        orders, lines = loads.setdefault(version["load"], ([], []))
        known_at = at(f"2024-01-0{version['known']}")
        if version["is_order"]:
            orders.append(order(version["key"], "2024-01-01", currency=version["currency"], known_at=known_at))
        else:
            lines.append(
                line(version["key"], version["line_number"], "2024-01-01", net=version["net"], known_at=known_at)
                | {"line_type": version["line_type"]}
            )
    return loads


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(_VERSION, min_size=1, max_size=12), draw=st.randoms(use_true_random=False))
def test_every_row_is_staged_or_in_quarantine_whatever_the_order(
    models: CompiledModels, versions: list[dict[str, Any]], draw: random.Random
) -> None:
    """The counts add up, and the same rows and loads, written in another order, give the same tables."""
    found = []
    for attempt in range(2):
        warehouse = models.warehouse()
        loads = list(_landed(versions).items())
        if attempt:
            draw.shuffle(loads)
        for sequence, (orders, lines) in loads:
            if attempt:
                draw.shuffle(orders)
                draw.shuffle(lines)
            land(warehouse, f"load-{sequence}", sequence=sequence, orders=orders, order_lines=lines)
        models.build(warehouse, *STAGING)
        for table, kept in (
            ("orders", "stg_shop__orders where not is_inferred"),
            ("order_lines", "stg_shop__order_lines"),
        ):
            ((landed, staged_rows, set_aside),) = rows(
                warehouse,
                f"select (select count(*) from landing.{table}), (select count(*) from staging.{kept}), "
                f"(select count(*) from staging.quarantine where landing_table = '{table}')",
            )
            assert landed == staged_rows + set_aside
        found.append(
            [
                rows(warehouse, f"from staging.{table} order by all")
                for table in ("stg_shop__orders", "stg_shop__order_lines", "stg_shop__returns", "quarantine")
            ]
        )
    assert found[0] == found[1]
