"""Intent at an instant within a day (13:30 in New York): what lies before it counts, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.unit.models.compiled import CompiledModels, rows
from tests.unit.models.conftest import AS_OF_AT

NOW = datetime.fromisoformat(AS_OF_AT)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Event = dict[str, Any]


def event(ago: timedelta, event_name: str = "Product Viewed", **more: Any) -> Event:
    """An event of the visitor v, so long before the instant."""
    return {
        "event_name": event_name, "event_at": NOW - ago, "received_at": NOW - ago, "anonymous_id": "v",
        "session_id": "s", "session_started_at": NOW - 6 * DAY, "product_id": "apple", "shown_price": 3.0,
        **({"cart_id": "cart", "quantity": 1} if event_name in ("Product Added", "Product Removed") else {}), **more,
    }  # fmt: skip


def shop(models: CompiledModels, *events: Event, bots: tuple[str, ...] = (), memberships: Sequence[tuple[Any, ...]] = ()
) -> duckdb.DuckDBPyConnection:
    """Intent of the customer `ann`, whose login is u and whose cookie is v, and of `bob`, whose login is w."""
    warehouse = models.warehouse()
    models.empty(
        warehouse, "stg_web__events", "stg_web__visitors", "stg_shop__products"
    )
    warehouse.execute("insert into staging.stg_shop__products by name select 'apple' as product_id, 'fruit' as product_category")
    for bot in bots:
        warehouse.execute("insert into staging.stg_web__visitors by name select ? as anonymous_id, true as is_bot", [bot])
    warehouse.execute("""
        create table identity.master_customer_index (
            source_system varchar, source_record_id varchar, customer_id varchar, valid_from timestamp, valid_to timestamp
        )
    """)
    own = [("web_users", "u", "ann"), ("web_visitors", "v", "ann"), ("web_users", "w", "bob")]
    warehouse.executemany(
        "insert into identity.master_customer_index values (?, ?, ?, ?, ?)",
        memberships or [(*one, NOW - 30 * DAY, None) for one in own],
    )
    names = list(dict.fromkeys(name for one in events for name in one))
    numbered = [{**one, "event_id": str(number)} for number, one in enumerate(events)]
    landed = pa.table({name: [one.get(name) for one in numbered] for name in [*names, "event_id"]})  # noqa: F841 (read by DuckDB)
    if events:
        warehouse.execute("insert into staging.stg_web__events by name select * from landed")
    models.build(
        warehouse, "int_intent__events", "feat_customer_intent", "feat_customer_product_intent", "feat_customer_category_intent"
    )
    return warehouse


WINDOWS = {"10m": 10 * MINUTE, "30m": 30 * MINUTE, "1h": HOUR, "24h": DAY, "48h": 2 * DAY, "7d": 7 * DAY}


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_ends_with_its_last_second(name: str, models_as_known: CompiledModels) -> None:
    second = timedelta(seconds=1)
    query = f"select intent_view_count_{name}, intent_add_count_{name} from features.feat_customer_intent"
    started = {"session_started_at": NOW - 8 * DAY}
    inside = [event(WINDOWS[name], **started), event(second, "Product Added", **started)]
    outside = event(WINDOWS[name] + second, **started)
    assert rows(shop(models_as_known, *inside, outside), query) == [(1, 1)]


def test_nothing_from_the_instant_on_counts(models_as_known: CompiledModels) -> None:
    seen = [event(MINUTE), event(2 * MINUTE, "Product Added")]
    planted = [
        event(timedelta(0)), event(-MINUTE, "Product Added", quantity=9999, shown_price=9999.0),
        event(-MINUTE, "Order Completed"),
        # before the instant, but nobody had it
        event(3 * MINUTE, "Product Added", quantity=9999, received_at=NOW),
    ]  # fmt: skip
    tables = ("feat_customer_intent", "feat_customer_product_intent", "feat_customer_category_intent")
    with_planted, without = (shop(models_as_known, *events) for events in ([*seen, *planted], seen))
    for table in tables:
        assert rows(with_planted, f"from features.{table}") == rows(without, f"from features.{table}")


def test_a_login_after_the_instant_names_nobody(models_as_known: CompiledModels) -> None:
    """A visit of the cookie of ann, in which bob logs in: whose it is, changes with the login."""
    query = "select distinct customer_id from features.feat_customer_intent"
    browsing = event(HOUR)
    assert rows(shop(models_as_known, browsing, event(-MINUTE, user_id="w")), query) == [("ann",)]
    assert rows(shop(models_as_known, browsing, event(MINUTE, user_id="w")), query) == [("bob",)]


@pytest.mark.parametrize(("merged", "customer"), [(-HOUR, "ann"), (HOUR, "bob")])
def test_a_merge_counts_once_it_is_known(merged: timedelta, customer: str, models_as_known: CompiledModels) -> None:
    """Also on the day of the instant: an hour later is too late."""
    then = NOW - merged
    memberships = [("web_visitors", "v", "ann", NOW - 30 * DAY, then), ("web_visitors", "v", "bob", then, None)]
    warehouse = shop(models_as_known, event(2 * HOUR), memberships=memberships)
    assert rows(warehouse, "select customer_id from features.feat_customer_intent") == [(customer,)]


def test_programs_want_nothing(models_as_known: CompiledModels) -> None:
    assert rows(shop(models_as_known, event(MINUTE), bots=("v",)), "from features.feat_customer_intent") == []


def test_products_and_categories_are_counted_apart(models_as_known: CompiledModels) -> None:
    warehouse = shop(models_as_known, event(HOUR), event(MINUTE), event(MINUTE, product_id="new"))
    products = "select product_id, product_intent_view_count_10m, product_intent_view_count_24h from features.feat_customer_product_intent"
    assert rows(warehouse, f"{products} order by 1") == [("apple", 1, 2), ("new", 1, 1)]
    categories = "select product_category, category_intent_view_count_24h from features.feat_customer_category_intent"
    assert rows(warehouse, f"{categories} order by 1") == [("fruit", 2), ("unknown", 1)]


CARTS: dict[str, tuple[list[Event], tuple[int, float, float]]] = {
    "left an hour ago": ([event(HOUR, "Product Added", quantity=2)], (1, 6, 6)),
    "still looking": ([event(HOUR, "Product Added", quantity=2), event(MINUTE)], (0, 0, 6)),
    "taken out again": ([event(2 * HOUR, "Product Added"), event(HOUR, "Product Removed")], (0, 0, 0)),
    "one of two taken out": ([event(2 * HOUR, "Product Added", quantity=2), event(HOUR, "Product Removed")], (1, 3, 3)),
    "ordered": ([event(2 * HOUR, "Product Added"), event(HOUR, "Order Completed")], (0, 0, 0)),
    "filled again after an order": (
        [event(3 * HOUR, "Product Added"), event(2 * HOUR, "Order Completed"), event(HOUR, "Product Added", cart_id="next")],
        (1, 3, 3),
    ),
    "two carts": ([event(2 * HOUR, "Product Added"), event(HOUR, "Product Added", cart_id="other")], (2, 6, 6)),
    "at the price shown last": (
        [event(2 * HOUR, "Product Added"), event(HOUR, "Product Added", shown_price=2.0)], (1, 4, 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CARTS)
def test_abandoned_carts_have_a_value(what: str, models_as_known: CompiledModels) -> None:
    events, expected = CARTS[what]
    query = "select abandoned_cart_count_24h, abandoned_cart_value_24h, open_cart_value from features.feat_customer_intent"
    (found,) = rows(shop(models_as_known, *events), query)
    assert tuple(map(float, found)) == expected


def test_an_old_cart_is_not_of_a_short_window(models_as_known: CompiledModels) -> None:
    warehouse = shop(models_as_known, event(3 * DAY, "Product Added"))
    query = "select abandoned_cart_count_48h, abandoned_cart_count_7d from features.feat_customer_intent"
    assert rows(warehouse, query) == [(0, 1)]
