"""Features see returns from the day after they became known, and no earlier; what came back is then no purchase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows
from tests.unit.models.test_orders_staging import STAGING
from tests.unit.models.test_returns import back

FEATURES = ("feat_customer_rfm", "feat_customer_basket", "feat_customer_discount", "feat_customer_offer")
DAYS = [date(2024, 1, 1) + timedelta(days) for days in range(1, 14)]


def featured(
    models: CompiledModels, orders: Sequence[Row], order_lines: Sequence[Row], dates: Iterable[date] = DAYS
) -> duckdb.DuckDBPyConnection:
    """A warehouse with features as of `dates`; a card is a customer, and all are mailed an offer of apples daily."""
    warehouse = models.warehouse()
    land(warehouse, orders=orders, order_lines=order_lines, products=_PRODUCTS)
    models.build(warehouse, *STAGING)
    warehouse.execute("""
        create table identity.master_customer_index as
        select distinct 'orders' as source_system, buyer as source_record_id, loyalty_id as customer_id,
            null::timestamp as valid_from, null::timestamp as valid_to
        from staging.stg_shop__orders where loyalty_id is not null
    """)
    listed = ", ".join(f"(date '{day}')" for day in dates)
    warehouse.execute(f"""
        create table features.int_as_of_dates as
        select as_of_date, as_of_date = max(as_of_date) over () as is_current, true as is_scheduled,
            false as is_campaign_start, false as is_asked_for, true as is_new
        from (values {listed}) as dates (as_of_date)
    """)
    models.build(warehouse, "int_activity__memberships")
    warehouse.execute("""
        create table features.int_activity__campaign_recipients as
        select record_hash, 'c' || as_of_date as campaign_id, 'A' as campaign_type, as_of_date as starts_on,
            as_of_date + 7 as ends_on, as_of_date as counts_from, null::date as counts_until
        from features.int_activity__memberships, features.int_as_of_dates
    """)
    warehouse.execute("""
        create table staging.stg_campaigns__coupons as
        select campaign_id, 'k1' as coupon_id, 'apple' as product_id from features.int_activity__campaign_recipients
    """)
    models.build(warehouse, *FEATURES)
    return warehouse


_PRODUCTS = [
    {"product_id": "apple", "product_category": "fruit", "brand_type": "Private", "occurred_at": at("2024-01-01")},
    {"product_id": "pear", "product_category": "fruit", "brand_type": "National", "occurred_at": at("2024-01-01")},
    {"product_id": "milk", "product_category": "dairy", "brand_type": "Private", "occurred_at": at("2024-01-01")},
]


def history(warehouse: duckdb.DuckDBPyConnection, column: str, table: str = "feat_customer_rfm") -> dict[int, Any]:
    """Day of January 2024: a feature of the only customer as of it."""
    return {
        day: float(value)
        for day, value in rows(warehouse, f"select day(as_of_date), {column} from features.{table} order by as_of_date")
    }


def test_a_return_counts_from_the_day_after_it_became_known(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("b", "2024-01-04"), order("r", "2024-01-06", known_at=at("2024-01-08"))],
        [
            line("a", 1, "2024-01-02", quantity=2, net=20),
            line("b", 1, "2024-01-04", quantity=1, net=7, product_id="milk"),
            back("r", 1, "2024-01-06", quantity=1, net=10, known_at=at("2024-01-08")),
        ],
    )
    spend = history(warehouse, "total_spend")
    assert [spend[day] for day in (3, 4, 5, 8, 9, 14)] == [20, 20, 27, 27, 17, 17]
    orders = history(warehouse, "order_count")
    assert [orders[day] for day in (4, 5, 8, 9, 14)] == [1, 2, 2, 2, 2]


def test_an_order_that_came_back_is_no_purchase_once_that_is_known(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("b", "2024-01-05"), order("r1", "2024-01-07"), order("r2", "2024-01-09")],
        [
            line("a", 1, "2024-01-02", net=20, product_id="milk"),
            line("b", 1, "2024-01-05", net=10),
            line("b", 2, "2024-01-05", net=5, product_id="pear"),
            line("b", 3, "2024-01-05", net=3, line_type="fee", product_id="postage"),
            back("r1", 1, "2024-01-07", net=10),
            back("r2", 1, "2024-01-09", net=5, product_id="pear"),
        ],
    )
    assert [history(warehouse, "order_count")[day] for day in (5, 6, 8, 9, 10)] == [1, 2, 2, 2, 1]
    # The postage was kept; but with nothing bought, it is not spending of a purchase.
    assert [history(warehouse, "total_spend")[day] for day in (5, 6, 8, 9, 10)] == [20, 38, 28, 28, 20]
    assert [history(warehouse, "days_since_last_order")[day] for day in (6, 9, 10)] == [1, 4, 8]
    products = history(warehouse, "product_count", "feat_customer_basket")
    assert [products[day] for day in (5, 6, 8, 10)] == [1, 3, 2, 1]
    offers = history(warehouse, "offer_purchase_count", "feat_customer_offer")
    assert [offers[day] for day in (5, 6, 7, 8)] == [0, 1, 1, 0]


def test_of_two_orders_of_a_day_one_comes_back(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("b", "2024-01-02"), order("r", "2024-01-05")],
        [
            line("a", 1, "2024-01-02", net=20, product_id="milk"),
            line("b", 1, "2024-01-02", quantity=2, net=10),
            back("r", 1, "2024-01-05", quantity=2, net=10, original_order_id="b"),
        ],
    )
    assert [history(warehouse, "order_count")[day] for day in (3, 5, 6)] == [2, 2, 1]
    assert [history(warehouse, "total_spend")[day] for day in (3, 5, 6)] == [30, 30, 20]


def test_of_two_lines_one_comes_back_and_the_order_stays(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("r1", "2024-01-05"), order("r2", "2024-01-07")],
        [
            line("a", 1, "2024-01-02", quantity=3, net=30),
            line("a", 2, "2024-01-02", net=20, product_id="milk"),
            back("r1", 1, "2024-01-05", net=10),
            back("r2", 1, "2024-01-07", net=20, product_id="milk"),
        ],
    )
    assert [history(warehouse, "order_count")[day] for day in (5, 6, 8)] == [1, 1, 1]
    assert [history(warehouse, "total_spend")[day] for day in (5, 6, 7, 8)] == [50, 40, 40, 20]
    lines = history(warehouse, "mean_lines_per_order", "feat_customer_basket")
    assert [lines[day] for day in (5, 6, 7, 8)] == [2, 2, 2, 1]
    private = history(warehouse, "private_brand_spend_share", "feat_customer_basket")
    assert [private[day] for day in (5, 6, 8)] == [1, 1, 1]
    offers = history(warehouse, "offer_spend", "feat_customer_offer")
    assert [offers[day] for day in (5, 6, 8)] == [30, 20, 20]


def test_an_order_counts_until_its_cancellation_is_known(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [
            order("a", "2024-01-02"),
            order("b", "2024-01-05"),
            order("b", "2024-01-05", status="cancelled", known_at=at("2024-01-08")),
            order("never", "2024-01-06", status="cancelled"),
        ],
        [line("a", 1, "2024-01-02"), line("b", 1, "2024-01-05"), line("never", 1, "2024-01-06")],
    )
    assert list(history(warehouse, "order_count").items()) == [
        *((day, 1) for day in (3, 4, 5)),
        *((day, 2) for day in (6, 7, 8)),
        *((day, 1) for day in range(9, 15)),
    ]


def test_a_customer_of_whom_everything_came_back_has_no_features_any_more(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("r", "2024-01-05")],
        [line("a", 1, "2024-01-02"), back("r", 1, "2024-01-05")],
    )
    assert list(history(warehouse, "order_count")) == [3, 4, 5]


def test_a_return_that_fits_no_line_is_taken_off_the_latest_purchase_before_it(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order(name, f"2024-01-{day:02d}") for name, day in {"r0": 1, "z": 1, "a": 2, "r1": 5, "b": 9}.items()],
        [
            back("r0", 1, "2024-01-01 06:00", net=50),  # bought before the history begins
            line("z", 1, "2024-01-01", net=4, product_id="pear"),
            line("b", 1, "2024-01-09", net=1, product_id="milk"),
            line("a", 1, "2024-01-02", net=30),
            back("r1", 1, "2024-01-05", net=8, product_id="milk"),
        ],
    )
    spend = history(warehouse, "total_spend")
    assert [spend[day] for day in (3, 5, 6, 14)] == [34, 34, 26, 27]
    charged = "select order_id, charged_order_id from features.int_activity__returns"
    assert rows(warehouse, charged) == [("r1", "a")]


def test_what_fits_no_line_is_not_taken_off_an_order_that_came_back(models: CompiledModels) -> None:
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("b", "2024-01-03"), order("r1", "2024-01-05"), order("r2", "2024-01-07")],
        [
            line("a", 1, "2024-01-02", net=30),
            line("b", 1, "2024-01-03", net=20, product_id="milk"),
            back("r1", 1, "2024-01-05", net=20, product_id="milk"),
            back("r2", 1, "2024-01-07", net=8, product_id="pear"),
        ],
    )
    spend = history(warehouse, "total_spend")
    assert [spend[day] for day in (3, 4, 6, 8)] == [30, 50, 30, 22]


def test_days_before_a_return_stay_new_when_the_first_purchase_of_a_product_goes(models: CompiledModels) -> None:
    """Apples were first bought on the second; when that comes back, the fourth is the first time."""
    warehouse = featured(
        models,
        [order("a", "2024-01-02"), order("b", "2024-01-04"), order("c", "2024-01-03"), order("r", "2024-01-08")],
        [
            line("a", 1, "2024-01-02", quantity=3),
            line("c", 1, "2024-01-03", product_id="milk"),
            line("b", 1, "2024-01-04", quantity=2),
            back("r", 1, "2024-01-08", quantity=3),
        ],
    )
    products = history(warehouse, "product_count", "feat_customer_basket")
    assert [products[day] for day in (3, 4, 5, 8, 9)] == [1, 2, 2, 2, 2]
    gaps = history(warehouse, "coalesce(median_days_between_orders, 0)")
    assert [gaps[day] for day in (3, 5, 9)] == [0, 1, 1]


_SALE = st.fixed_dictionaries(
    {
        "card": st.sampled_from(["c1", "c1", "c1", "c2"]),
        "day": st.integers(1, 5),
        "products": st.lists(st.sampled_from(["apple", "apple", "pear"]), min_size=1, max_size=3),
        "quantity": st.sampled_from([1, 1, 2, 0]),
        "fee": st.booleans(),
        "cancelled_after": st.sampled_from([None, None, None, None, 0, 2, 5]),
    }
)
_RETURN = st.fixed_dictionaries(
    {
        "card": st.sampled_from(["c1", "c1", "c1", "c2"]),
        "day": st.integers(2, 9),
        "delay": st.sampled_from([0, 0, 1, 3]),
        "product": st.sampled_from(["apple", "apple", "pear", "milk"]),
        "quantity": st.sampled_from([1, 1, 2, 0]),
        "names": st.sampled_from([None, None, "order", "line"]),
        "named": st.integers(0, 5),
    }
)


def _day(number: int) -> str:
    return f"2024-01-{number:02d}"


def _landed(
    sales: Sequence[dict[str, Any]], returns: Sequence[dict[str, Any]], before: int = 99
) -> tuple[list[Row], list[Row]]:
    """Orders and lines as far as they were known before the day `before` of January."""
    orders, lines = [], []
    for number, sale in enumerate(sales):
        if sale["day"] >= before:
            continue
        name, day = f"o{number}", _day(sale["day"])
        after = sale["cancelled_after"]
        if after != 0:
            orders.append(order(name, day, loyalty_id=sale["card"]))
        if after is not None and sale["day"] + after < before:
            known = {"known_at": at(_day(sale["day"] + after))}
            orders.append(order(name, day, loyalty_id=sale["card"], status="cancelled", **known))
        for position, product in enumerate(sale["products"], start=1):
            net = 5 * sale["quantity"] if sale["quantity"] else 1
            lines.append(line(name, position, day, sale["quantity"], net, product_id=product))
        if sale["fee"]:
            lines.append(line(name, 9, day, 1, 2.5, product_id="postage", line_type="fee"))
    for number, back_again in enumerate(returns):
        known = back_again["day"] + back_again["delay"]
        if known >= before:
            continue
        named = {
            None: {},
            "order": {"original_order_id": f"o{back_again['named']}"},
            "line": {"original_order_id": f"o{back_again['named']}", "original_line_number": 1},
        }[back_again["names"]]
        name, day = f"r{number}", _day(back_again["day"])
        more = {"known_at": at(_day(known)), "product_id": back_again["product"], **named}
        orders.append(order(name, day, loyalty_id=back_again["card"], known_at=at(_day(known))))
        lines.append(back(name, 1, day, back_again["quantity"], 5 * back_again["quantity"] or 2, **more))
    return orders, lines


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sales=st.lists(_SALE, min_size=3, max_size=6),
    returns=st.lists(_RETURN, min_size=2, max_size=6),
    as_of=st.integers(3, 12),
)
def test_features_are_those_of_a_shop_that_knew_no_more(
    models: CompiledModels, sales: list[dict[str, Any]], returns: list[dict[str, Any]], as_of: int
) -> None:
    """As of any day, all that landed gives the same features as only what was known before that day."""
    whole = featured(models, *_landed(sales, returns), [date(2024, 1, as_of)])
    known = featured(models, *_landed(sales, returns, before=as_of), [date(2024, 1, as_of)])
    for table in FEATURES:
        # A customer whose orders are all still to come is mailed in one of the two shops only.
        query = f"from features.{table} where as_of_date = date '2024-01-{as_of:02d}' order by all"
        if table == "feat_customer_offer":
            query = query.replace(" where", " where bought_offer_product_count > 0 and")
        assert rows(whole, query) == rows(known, query), table


def test_a_return_that_names_a_later_order_is_charged_as_if_it_named_none(models: CompiledModels) -> None:
    sales = [
        {"card": "c1", "day": day, "products": products, "quantity": 1, "fee": False, "cancelled_after": None}
        for day, products in [(1, ["apple"]), (5, ["apple"]), (1, ["apple", "apple"])]
    ]
    returns = [
        {"card": "c1", "day": 2, "delay": 0, "product": "apple", "quantity": 1, "names": "line", "named": 1},
    ]  # fmt: skip
    spend = "select total_spend from features.feat_customer_rfm"
    found = [
        rows(featured(models, *_landed(sales, returns, **limit), [date(2024, 1, 3)]), spend) for limit in ({}, {"before": 3})
    ]
    assert found == [[(10,)]] * 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sales=st.lists(_SALE, min_size=2, max_size=6), returns=st.lists(_RETURN, min_size=1, max_size=6))
def test_when_all_is_known_features_are_what_is_left_of_the_orders(
    models: CompiledModels, sales: list[dict[str, Any]], returns: list[dict[str, Any]]
) -> None:
    """Orders counted in Python: those that stand, their lines that stand, and what was not given back."""
    warehouse = featured(models, *_landed(sales, returns), [date(2024, 2, 1)])
    left = rows(
        warehouse,
        "select order_id, line_number, product_id, quantity, returned_quantity, net_amount, returned_amount "
        "from staging.stg_shop__order_lines where line_type = 'sale'",
    )
    standing: dict[str, set[str]] = {}
    order_count: dict[str, int] = {}
    for number, sale in enumerate(sales):
        kept = [
            product
            for order_id, _, product, quantity, returned, net, given_back in left
            if order_id == f"o{number}" and (returned < quantity or (quantity == 0 and given_back < net))
        ]
        if kept and sale["cancelled_after"] is None:
            standing.setdefault(sale["card"], set()).update(kept)
            order_count[sale["card"]] = order_count.get(sale["card"], 0) + 1
    found = rows(
        warehouse,
        "select customer_id, rfm.order_count, basket.product_count from features.feat_customer_rfm as rfm "
        "inner join features.feat_customer_basket as basket using (customer_id, as_of_date)",
    )
    assert {card: count for card, count, _ in found} == order_count
    assert {card: count for card, _, count in found} == {card: len(products) for card, products in standing.items()}
    # The marts say the same, but for what fits no line, which features take off another order.
    models.build(warehouse, "fct_orders")
    published = rows(
        warehouse,
        "select customer_id, count(*), sum(total_after_returns) from marts.fct_orders where is_purchase group by 1",
    )
    assert {card: count for card, count, _ in published} == order_count
    unmatched = rows(
        warehouse,
        "select distinct customer_id from features.int_activity__returns "
        "inner join features.int_activity__memberships using (record_hash) where not is_matched",
    )
    spend = dict(rows(warehouse, "select customer_id, total_spend from features.feat_customer_rfm"))
    assert all(spend[card] == total for card, _, total in published if (card,) not in unmatched)
