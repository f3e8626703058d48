"""Returns and cancellations net the line that they take back: which line that is, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows
from tests.unit.models.test_orders_staging import STAGING


def netted(models: CompiledModels, orders: Sequence[Row], order_lines: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    """A warehouse whose staging is built from one load."""
    warehouse = models.warehouse()
    land(warehouse, orders=orders, order_lines=order_lines)
    models.build(warehouse, *STAGING)
    return warehouse


def back(order_id: str, line_number: int, day: str, quantity: float = 1, net: float = 10, **more: Any) -> Row:
    """A landed return."""
    return line(order_id, line_number, day, quantity, net, **{"line_type": "return", **more})


def matches(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return: what it takes back, how much, and whether that is inferred."""
    return rows(
        warehouse,
        "select order_id || ' ' || line_number, original_order_id || ' ' || original_line_number, quantity::double, "
        "original_is_inferred from staging.stg_shop__returns where is_matched order by 1",
    )


def unmatched(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return: the units and the amount that fit no line."""
    return rows(
        warehouse,
        "select order_id || ' ' || line_number, quantity::double, net_amount::double "
        "from staging.stg_shop__returns where not is_matched order by 1",
    )


def after_returns(warehouse: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, float]]:
    """Line: quantity and amount after returns."""
    found = rows(
        warehouse,
        "select order_id || ' ' || line_number, quantity_after_returns::double, amount_after_returns::double "
        "from staging.stg_shop__order_lines",
    )
    return {name: (quantity, amount) for name, quantity, amount in found}


def test_the_line_that_the_source_names_is_taken_back(models: CompiledModels) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("b", "2024-01-02"), order("r", "2024-01-05", loyalty_id=None)],
        [
            line("a", 1, "2024-01-01", quantity=3, net=30),
            line("b", 1, "2024-01-02", quantity=3, net=30),
            back("r", 1, "2024-01-05", quantity=2, net=20, original_order_id="a", original_line_number=1),
        ],
    )
    assert matches(warehouse) == [("r 1", "a 1", 2.0, False)]
    assert after_returns(warehouse) == {"a 1": (1.0, 10.0), "b 1": (3.0, 30.0), "r 1": (0.0, 0.0)}
    sold = "select returned_quantity::double, returned_amount::double from staging.stg_shop__order_lines"
    assert rows(warehouse, f"{sold} where order_id = 'a'") == [(2.0, 20.0)]


def test_of_an_order_that_the_source_names_the_last_line_with_enough_left(models: CompiledModels) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("b", "2024-01-02"), order("r", "2024-01-05")],
        [
            line("a", 1, "2024-01-01", quantity=3),
            line("a", 2, "2024-01-01", quantity=2),
            line("a", 3, "2024-01-01", quantity=9, product_id="pear"),
            line("b", 1, "2024-01-02", quantity=9),
            back("r", 1, "2024-01-05", quantity=3, original_order_id="a"),
            # The source's own number of the line is not ours: what it says of the order still holds.
            back("r", 2, "2024-01-05", quantity=2, original_order_id="a", original_line_number=77),
        ],
    )
    assert matches(warehouse) == [("r 1", "a 1", 3.0, True), ("r 2", "a 2", 2.0, True)]


def test_else_the_latest_earlier_line_of_the_buyer_with_enough_left(models: CompiledModels) -> None:
    orders = [
        order("enough", "2024-01-01"),
        order("too few", "2024-01-02"),
        order("too late", "2024-01-09"),
        order("of another", "2024-01-03", loyalty_id="other"),
        order("r", "2024-01-05"),
    ]
    lines = [
        line("enough", 1, "2024-01-01", quantity=5),
        line("too few", 1, "2024-01-02", quantity=2),
        line("too late", 1, "2024-01-09", quantity=5),
        line("of another", 1, "2024-01-03", quantity=5),
        line("too few", 2, "2024-01-02", quantity=5, product_id="pear"),
        back("r", 1, "2024-01-05", quantity=3),
    ]
    assert matches(netted(models, orders, lines)) == [("r 1", "enough 1", 3.0, True)]


def test_each_return_takes_from_what_the_ones_before_it_left(models: CompiledModels) -> None:
    days = [order(name, f"2024-01-0{day}") for day, name in enumerate(["a", "b", "r1", "r2", "r3", "r4"], start=1)]
    warehouse = netted(
        models,
        days,
        [
            line("a", 1, "2024-01-01", quantity=2, net=20),
            line("b", 1, "2024-01-02", quantity=3, net=30),
            back("r4", 1, "2024-01-06", quantity=2, net=20),
            back("r3", 1, "2024-01-05", quantity=2, net=20),
            back("r2", 1, "2024-01-04", quantity=1, net=10),
            back("r1", 1, "2024-01-03", quantity=2, net=20),
        ],
    )
    assert matches(warehouse) == [("r1 1", "b 1", 2.0, True), ("r2 1", "b 1", 1.0, True), ("r3 1", "a 1", 2.0, True)]
    assert unmatched(warehouse) == [("r4 1", 2.0, 20.0)]
    assert after_returns(warehouse)["r4 1"] == (-2.0, -20.0)
    flagged = "select order_id from staging.stg_shop__order_lines where is_unmatched_return"
    assert rows(warehouse, flagged) == [("r4",)]


def test_a_return_that_becomes_known_later_takes_later(models: CompiledModels) -> None:
    """What an earlier return took back may not change when a later one lands."""
    orders = [order("a", "2024-01-01"), order("r1", "2024-01-05"), order("r2", "2024-01-04")]
    lines = [
        line("a", 1, "2024-01-01", quantity=1),
        back("r1", 1, "2024-01-05"),
        back("r2", 1, "2024-01-04", known_at=at("2024-01-20"), original_order_id="a", original_line_number=1),
    ]
    warehouse = netted(models, orders, lines)
    assert matches(warehouse) == [("r1 1", "a 1", 1.0, True)]
    assert unmatched(warehouse) == [("r2 1", 1.0, 10.0)]


def test_more_than_was_bought_does_not_come_back(models: CompiledModels) -> None:
    named = {"original_order_id": "a", "original_line_number": 1}
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("r", "2024-01-05")],
        [line("a", 1, "2024-01-01", quantity=3, net=30), back("r", 1, "2024-01-05", quantity=4, net=42, **named)],
    )
    assert matches(warehouse) == [("r 1", "a 1", 3.0, False)]
    assert unmatched(warehouse) == [("r 1", 1.0, 10.5)]
    assert after_returns(warehouse) == {"a 1": (0.0, -1.5), "r 1": (-1.0, -10.5)}


def test_a_price_reduction_afterwards_is_money_without_units(models: CompiledModels) -> None:
    named = {"original_order_id": "a", "original_line_number": 1}
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("r", "2024-01-05")],
        [line("a", 1, "2024-01-01", quantity=3, net=30), back("r", 1, "2024-01-05", quantity=0, net=5, **named)],
    )
    assert after_returns(warehouse) == {"a 1": (3.0, 25.0), "r 1": (0.0, 0.0)}


@pytest.mark.parametrize("sign", [1, -1])
def test_the_sources_sign_does_not_matter(models: CompiledModels, sign: int) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("r", "2024-01-05")],
        [line("a", 1, "2024-01-01", 3, 30), back("r", 1, "2024-01-05", quantity=sign * 2, net=sign * 20)],
    )
    assert after_returns(warehouse) == {"a 1": (1.0, 10.0), "r 1": (0.0, 0.0)}


def test_discounts_go_back_with_the_line(models: CompiledModels) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("r", "2024-01-05")],
        [
            line("a", 1, "2024-01-01", 2, 16, gross_amount=20, retail_discount=4),
            back("r", 1, "2024-01-05", 2, 16, gross_amount=20, retail_discount=4),
        ],
    )
    given_back = (
        "select gross_amount::double, retail_discount::double, net_amount::double from staging.stg_shop__returns"
    )
    assert rows(warehouse, given_back) == [(20.0, 4.0, 16.0)]


@pytest.mark.parametrize(
    ("buyer", "is_found"),
    [
        ({"user_id": "u1"}, True),
        ({"email": " Ann@Example.org "}, True),
        ({"email": "bob@example.org"}, False),
        ({}, False),
    ],
)
def test_without_a_card_the_login_or_the_address_says_who_buys(
    models: CompiledModels, buyer: dict[str, str], is_found: bool
) -> None:
    who = {"user_id": "u1"} if "user_id" in buyer else {"email": "ann@example.org"} if buyer else {}
    warehouse = netted(
        models,
        [order("a", "2024-01-01", loyalty_id=None, **who), order("r", "2024-01-05", loyalty_id=None, **buyer)],
        [line("a", 1, "2024-01-01"), back("r", 1, "2024-01-05")],
    )
    assert bool(matches(warehouse)) is is_found


def test_a_receipt_without_a_buyer_nets_its_own_lines(models: CompiledModels) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01", loyalty_id=None), order("b", "2024-01-01", loyalty_id=None)],
        [line("b", 1, "2024-01-01"), line("a", 1, "2024-01-01", 2, 20), back("a", 2, "2024-01-01 12:05")],
    )
    assert matches(warehouse) == [("a 2", "a 1", 1.0, True)]


def test_what_was_cancelled_as_a_whole_does_not_come_back_once_more(models: CompiledModels) -> None:
    orders = [order("a", "2024-01-01"), order("b", "2024-01-02", status="cancelled"), order("r", "2024-01-05")]
    lines = [line("a", 1, "2024-01-01"), line("b", 1, "2024-01-02")]
    returned = netted(models, orders, [*lines, back("r", 1, "2024-01-05")])
    assert matches(returned) == [("r 1", "a 1", 1.0, True)]
    cancelled = netted(models, orders, [*lines, back("r", 1, "2024-01-05", line_type="cancellation")])
    assert matches(cancelled) == [("r 1", "b 1", 1.0, True)]


def test_an_order_that_the_source_names_and_that_never_landed_leaves_the_return_unmatched(
    models: CompiledModels,
) -> None:
    warehouse = netted(
        models,
        [order("a", "2024-01-01"), order("r", "2024-01-05")],
        [line("a", 1, "2024-01-01"), back("r", 1, "2024-01-05", original_order_id="before our time")],
    )
    assert matches(warehouse) == []
    original = "select original_order_id from staging.stg_shop__order_lines where is_unmatched_return"
    assert rows(warehouse, original) == [("before our time",)]


# Lines of two buyers, sales and returns in any order of days, some naming what they take back.
_LINE = st.fixed_dictionaries(
    {
        "card": st.sampled_from(["c1", "c2", None]),
        "product": st.sampled_from(["apple", "pear"]),
        "day": st.integers(1, 6),
        "kind": st.sampled_from(["sale", "sale", "return", "cancellation"]),
        "quantity": st.sampled_from([0, 1, 1, 2, 5]),
        "net": st.sampled_from([0, 1, 3.33, 10]),
        "names": st.sampled_from([None, None, "order", "line"]),
        "named": st.integers(0, 14),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(_LINE, min_size=1, max_size=15))
def test_netting_never_takes_back_more_than_was_sold(models: CompiledModels, drawn: list[dict[str, Any]]) -> None:
    orders, lines = [], []
    for number, entry in enumerate(drawn):
        day = f"2024-01-0{entry['day']}"
        orders.append(order(f"o{number}", day, loyalty_id=entry["card"]))
        named = {
            None: {},
            "order": {"original_order_id": f"o{entry['named']}"},
            "line": {"original_order_id": f"o{entry['named']}", "original_line_number": 1},
        }[entry["names"]]
        lines.append(
            line(f"o{number}", 1, day, entry["quantity"], entry["net"], product_id=entry["product"])
            | {"line_type": entry["kind"], **(named if entry["kind"] != "sale" else {})}
        )
    warehouse = netted(models, orders, lines)
    staged = "staging.stg_shop__order_lines"
    assert rows(warehouse, f"from {staged} where line_type = 'sale' and quantity_after_returns < 0") == []
    assert rows(warehouse, f"from {staged} where line_type <> 'sale' and quantity_after_returns > 0") == []
    # Nothing is lost or made: what is moved onto a sale line is taken off the return.
    sums = "sum(quantity) = sum(quantity_after_returns) and sum(net_amount) = sum(amount_after_returns)"
    assert rows(warehouse, f"select {sums} from {staged}") == [(True,)]
    assert {(back, original, quantity) for back, original, quantity, _ in matches(warehouse)} == _matched_one_by_one(
        drawn
    )


def _matched_one_by_one(drawn: list[dict[str, Any]]) -> set[tuple[str, str, float]]:
    """The rule as a loop: return, line that it takes back, units of it."""
    remaining = {number: entry["quantity"] for number, entry in enumerate(drawn) if entry["kind"] == "sale"}
    found = set()
    # Lines become known on their days; of one day, in the order of their names.
    for number in sorted(range(len(drawn)), key=lambda number: (drawn[number]["day"], f"o{number}")):
        entry = drawn[number]
        if entry["kind"] == "sale":
            continue
        same = [
            sold
            for sold in sorted(remaining, key=lambda sold: (drawn[sold]["day"], f"o{sold}"))
            # What was sold on a later day was not known when it came back, even if it is named.
            if drawn[sold]["product"] == entry["product"] and drawn[sold]["day"] <= entry["day"]
        ]
        enough = [sold for sold in same if remaining[sold] >= entry["quantity"] > 0]
        if entry["names"] == "line" and entry["named"] in same:
            may = [entry["named"]]
        elif entry["names"] is not None:
            may = [sold for sold in enough if sold == entry["named"]]
        else:
            may = [
                sold
                for sold in enough
                if entry["card"] is not None
                and drawn[sold]["card"] == entry["card"]
            ]
        if may:
            units = min(remaining[may[-1]], entry["quantity"])
            remaining[may[-1]] -= units
            if units > 0 or entry["quantity"] == 0:
                found.add((f"o{number} 1", f"o{may[-1]} 1", float(units)))
    return found
