"""How customers look around, as of a date: within one visit, within one hour, what lay in the cart, what few buy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from tests.unit.models.compiled import CompiledModels, rows

AS_OF = date(2024, 1, 10)
NOW = datetime(2024, 1, 10, 5)  # midnight in New York
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Event = dict[str, Any]


def event(ago: timedelta, event_name: str | None = "Product Viewed", session: str = "s", **more: Any) -> Event:
    """An event of the customer ann, so long before the date."""
    viewed = {"category_viewed": "fruit"} if event_name == "Product Viewed" else {}
    of_cart = {"quantity": 1, "cart_id": "c"} if event_name in ("Product Added", "Product Removed") else {}
    return {
        "customer_id": "ann", "as_of_date": AS_OF, "event_at": NOW - ago, "seconds_before": int(ago.total_seconds()),
        "event_name": event_name, "session_id": session, "session_started_at": NOW - 30 * DAY, "shown_price": 3.0,
        "product_id": "apple", "product_category": "fruit", **viewed, **of_cart, **more,
    }  # fmt: skip


def shop(models: CompiledModels, *events: Event, bought: str | None = None) -> duckdb.DuckDBPyConnection:
    """Habits and carts; of the category `bought` ann was a buyer before, and hardly anybody of durian."""
    warehouse = models.warehouse()
    models.empty(
        warehouse, "int_segments__web_events", "int_segments__niche_types", "int_activity__memberships",
        "int_activity__purchased_categories",
    )
    names = list(dict.fromkeys(name for one in events for name in one))
    numbered = [{**one, "event_id": str(number)} for number, one in enumerate(events)]
    landed = pa.table({name: [one.get(name) for one in numbered] for name in [*names, "event_id"]})  # noqa: F841 (read by DuckDB)
    warehouse.execute("insert into segments.int_segments__web_events by name select * from landed")
    if bought:
        warehouse.execute("insert into features.int_activity__memberships values (1, 'ann', null, null)")
        warehouse.execute(
            "insert into features.int_activity__purchased_categories by name select 1 as record_hash, "
            "? as product_category, date '2024-01-09' as day, date '2024-01-09' as counts_from", [bought]
        )
    warehouse.execute(
        "insert into segments.int_segments__niche_types values (?, 'durian', 1, 0.0199), (?, 'apples', 90, 0.9)",
        [AS_OF, AS_OF],
    )
    models.build(warehouse, "int_segments__web_habits", "int_segments__carts")
    return warehouse


def habit(column: str, models: CompiledModels, *events: Event, **more: Any) -> Any:
    """One column of ann's habits."""
    ((value,),) = rows(shop(models, *events, **more), f"select {column} from segments.int_segments__web_habits")
    return value


def cart(models: CompiledModels, *events: Event) -> tuple[Any, ...] | None:
    """Seconds since it was touched, seconds stayed after, hesitations, value."""
    found = rows(
        shop(models, *events),
        "select seconds_since_touched, seconds_stayed, hesitation_count, cart_value::double from segments.int_segments__carts",
    )
    return found[0] if found else None


def test_an_hour_is_any_hour_and_not_one_of_the_clock(models: CompiledModels) -> None:
    column = "most_views_of_a_category_in_an_hour_7d"
    within = [event(DAY), event(DAY + 30 * MINUTE), event(DAY + 60 * MINUTE)]
    assert habit(column, models, *within) == 3
    assert habit(column, models, *within[:2], event(DAY + 61 * MINUTE)) == 2
    assert habit(column, models, *within[:2], event(DAY + MINUTE, category_viewed="milk")) == 2
    assert habit(column, models, *(event(7 * DAY + MINUTE) for _ in range(3))) == 0, "longer ago than a week"


def test_a_visit_is_one_session(models: CompiledModels) -> None:
    column = "most_views_of_a_category_in_a_session_7d"
    own_page = event(DAY, None, content_type="category", category_viewed="/c/fruit", product_id=None)
    assert habit(column, models, event(DAY), event(2 * DAY), event(3 * DAY), event(DAY, session="t")) == 3
    assert habit(column, models, own_page, own_page, event(DAY)) == 2
    assert habit("session_count_of_one_category_28d", models, *(
        event(20 * DAY, session=session) for session in "aaabbbcc"
    )) == 2  # fmt: skip


def test_views_of_one_product_and_what_is_engagement(models: CompiledModels) -> None:
    views = [event(DAY), event(2 * DAY), event(3 * DAY), event(DAY, product_id="pear")]
    assert habit("most_views_of_a_product_7d", models, *views) == 3
    alone = "most_views_of_a_product_not_engaged_with_7d"
    assert habit(alone, models, *views) == 3
    assert habit(alone, models, *views, event(HOUR, "Product Added")) == 1
    assert habit(alone, models, *views, event(HOUR, None, content_type="review")) == 1
    assert habit(alone, models, *views, event(8 * DAY, "Product Added")) == 3, "longer ago than a week"


def test_like_one_bought_means_bought_before_the_date(models: CompiledModels) -> None:
    column = "most_views_of_a_product_like_one_bought_7d"
    assert habit(column, models, event(DAY), event(HOUR)) == 0
    assert habit(column, models, event(DAY), event(HOUR), bought="fruit") == 2
    assert habit(column, models, event(DAY), event(HOUR), bought="milk") == 0
    late = shop(models, event(DAY), bought="fruit")
    late.execute("update features.int_activity__purchased_categories set counts_from = date '2024-01-10'")
    models.build(late, "int_segments__web_habits")
    assert rows(late, f"select {column} from segments.int_segments__web_habits") == [(0,)]


def test_a_niche_search_leads_to_what_few_buy(models: CompiledModels) -> None:
    column = "niche_search_count_28d"
    search = event(HOUR, "Products Searched", product_id=None)
    rare, common = event(59 * MINUTE, product_type="durian"), event(59 * MINUTE, product_type="apples")
    assert habit(column, models, search, rare) == 1
    assert habit(column, models, search, common) == 0
    assert habit(column, models, search, common, event(58 * MINUTE, product_type="durian")) == 0, "not what came next"
    assert habit(column, models, search, event(59 * MINUTE, product_type="durian", session="later")) == 0
    assert habit(column, models, rare) == 0, "nobody searched"
    assert habit(column, models, search, event(59 * MINUTE, product_type="truffle")) == 1, "nobody ever bought one"


def test_windows_end_with_their_last_second(models: CompiledModels) -> None:
    second = timedelta(seconds=1)
    click = "Promotion Clicked"
    assert habit("promotion_click_count_7d", models, event(7 * DAY, click), event(7 * DAY + second, click)) == 1
    assert habit("product_view_count_24h", models, event(DAY), event(DAY + second)) == 1
    assert habit("price_view_count_7d", models, event(7 * DAY), event(DAY, shown_price=None)) == 1
    viewed = habit("products_viewed_48h", models, event(2 * DAY), event(2 * DAY + second, product_id="pear"))
    assert viewed == ["apple"]
    list_page = event(DAY, "Product List Viewed", content_type="category", category_viewed="milk", product_id=None)
    assert habit("categories_viewed_7d", models, event(DAY), list_page) == ["fruit", "milk"]
    assert habit("seconds_since_last_product_view", models, event(DAY), event(HOUR, "Cart Viewed")) == 24 * 3600
    assert habit("seconds_since_last_event", models, event(DAY), event(3 * HOUR)) == 3 * 3600


def test_a_cart_is_what_was_put_in_and_not_taken_out_since_the_last_order(models: CompiledModels) -> None:
    added, removed = event(3 * HOUR, "Product Added"), event(2 * HOUR, "Product Removed")
    assert cart(models, added) == (3 * 3600, 0, 0, 3.0)
    assert cart(models, added, removed) is None
    assert cart(models, added, event(HOUR, "Order Completed")) is None
    assert cart(models, event(4 * HOUR, "Order Completed"), added) == (3 * 3600, 0, 0, 3.0)
    assert cart(models, event(7 * DAY + MINUTE, "Product Added")) is None, "longer ago than a week"


def test_how_long_they_stayed_is_counted_within_the_visit(models: CompiledModels) -> None:
    added = event(3 * HOUR, "Product Added")
    stayed = cart(models, added, event(3 * HOUR - 9 * MINUTE), event(HOUR, session="later"))
    assert stayed is not None
    assert stayed[1] == 9 * 60


def test_hesitation_is_looking_again_opening_the_cart_and_taking_out(models: CompiledModels) -> None:
    added = event(3 * HOUR, "Product Added")
    before = event(4 * HOUR)
    other = event(HOUR, product_id="pear")
    again, opened = event(2 * HOUR), event(2 * HOUR, "Cart Viewed", product_id=None)
    removed = [event(150 * MINUTE, "Product Added", product_id="pear"), event(HOUR, "Product Removed", product_id="pear")]
    found = cart(models, added, before, other)
    assert found is not None
    assert found[2] == 0
    found = cart(models, added, again, opened, *removed)
    assert found is not None
    assert found[2] == 3
