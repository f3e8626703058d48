"""Rows planted around an as-of date, with absurd values: what was not known just before the date changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import duckdb
import pytest

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows

AS_OF = date(2024, 1, 10)
TABLES = (
    "feat_customer_rfm",
    "feat_customer_basket",
    "feat_customer_discount",
    "feat_customer_campaign",
    "feat_customer_offer",
    "feat_customer_category",
    "feat_customer_taste",
)
ABSURD: dict[str, Any] = {"quantity": 9999, "net": 999_999, "gross_amount": 999_999}


def shop(
    models: CompiledModels,
    orders: Sequence[Row] = (),
    lines: Sequence[Row] = (),
    *,
    merged_on: date | None = None,
    redemptions: Iterable[Row] = (),
) -> duckdb.DuckDBPyConnection:
    """Features as of `AS_OF` of two customers, who are found to be one on `merged_on`; and what `orders` add."""
    warehouse = models.warehouse()
    own = [("a", "2024-01-02", "c1"), ("b", "2024-01-05", "c1"), ("c", "2024-01-03", "c2")]
    land(
        warehouse,
        orders=[*(order(name, day, loyalty_id=card) for name, day, card in own), *orders],
        order_lines=[*(line(name, 1, day, net=10, gross_amount=12, retail_discount=2) for name, day, _ in own), *lines],
        products=[{"product_id": "apple", "product_category": "fruit", "occurred_at": at("2024-01-01")}],
        campaigns=[
            {"campaign_id": "k", "campaign_type": "A", "starts_on": date(2024, 1, 4), "ends_on": date(2024, 1, 20),
             "occurred_at": at("2024-01-04")},
            {"campaign_id": "now", "campaign_type": "A", "starts_on": AS_OF, "ends_on": date(2024, 1, 20),
             "occurred_at": at("2024-01-04")},
        ],
        campaign_recipients=[
            {"campaign_id": campaign, "loyalty_id": card, "occurred_at": at("2024-01-04")}
            for campaign in ("k", "now") for card in ("c1", "c2")
        ],
        coupons=[{"campaign_id": "now", "coupon_id": "x", "product_id": "apple", "occurred_at": at("2024-01-01")}],
        coupon_redemptions=list(redemptions),
    )  # fmt: skip
    models.build(warehouse, "stg_shop__orders", "stg_campaigns__recipients")
    cards = "select distinct loyalty_id, buyer from staging.stg_shop__orders"
    whole = f"""
        select source_system, case source_system when 'orders' then buyer else loyalty_id end as source_record_id,
            'of ' || loyalty_id as customer_id,
            timestamp '2023-01-01' as valid_from, null::timestamp as valid_to
        from ({cards}), (values ('orders'), ('campaign_recipients'), ('coupon_redemptions')) as systems (source_system)
    """
    if merged_on is not None:
        instant = f"timestamp '{merged_on} 12:00'"
        whole = f"""
            select * replace (case when customer_id = 'of c2' then {instant} end as valid_to) from ({whole})
            union all
            select * replace ('of c1' as customer_id, {instant} as valid_from) from ({whole}) where customer_id = 'of c2'
        """
    warehouse.execute(f"create table identity.master_customer_index as {whole}")
    warehouse.execute(f"""
        create table features.int_as_of_dates as
        select date '{AS_OF}' as as_of_date, true as is_current, true as is_scheduled, false as is_campaign_start,
            false as is_asked_for, true as is_new
    """)
    models.build(warehouse, *TABLES)
    return warehouse


def features(warehouse: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """All features as of the date."""
    found = {table: rows(warehouse, f"from features.{table} order by all") for table in TABLES}
    assert all(found.values()), "nothing is the same whatever is planted"
    return found


# New York is five hours behind: 04:59 UTC is still the day before.
SAME = {
    "at midnight": ([order("x", "2024-01-10 05:00", "c1")], [line("x", 1, "2024-01-10 05:00", **ABSURD)]),
    "on the day": ([order("x", "2024-01-10", "c1")], [line("x", 1, "2024-01-10", **ABSURD)]),
    "later": ([order("x", "2024-02-10", "c1")], [line("x", 1, "2024-02-10", **ABSURD)]),
    "given back on the day": (
        [order("r", "2024-01-10", "c1")],
        [line("r", 1, "2024-01-10", -1, -10, line_type="return", original_order_id="a", original_line_number=1)],
    ),
    "cancelled on the day": (
        [order("a", "2024-01-02", "c1", status="cancelled", known_at=at("2024-01-10"))], [],
    ),
}  # fmt: skip
SAME_AS_KNOWN = {
    "bought before, known on the day": (
        [order("x", "2024-01-06", "c1", known_at=at("2024-01-10"))],
        [line("x", 1, "2024-01-06", known_at=at("2024-01-10"), **ABSURD)],
    ),
    "bought before, its line known on the day": (
        [order("x", "2024-01-06", "c1")], [line("x", 1, "2024-01-06", known_at=at("2024-01-10"), **ABSURD)],
    ),
    "another line of a known order": ([], [line("a", 2, "2024-01-02", known_at=at("2024-01-11"), **ABSURD)]),
    "landed again without news": (
        [order("a", "2024-01-02", "c1", known_at=at("2024-01-12"))],
        [line("a", 1, "2024-01-02", net=10, gross_amount=12, retail_discount=2, known_at=at("2024-01-12"))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", SAME)
def test_what_happens_from_the_date_on_changes_nothing(planted: str, models: CompiledModels) -> None:
    assert features(shop(models, *SAME[planted])) == features(shop(models))


@pytest.mark.parametrize("planted", [*SAME, *SAME_AS_KNOWN])
def test_what_becomes_known_from_the_date_on_changes_nothing(planted: str, models_as_known: CompiledModels) -> None:
    rows_of = {**SAME, **SAME_AS_KNOWN}[planted]
    assert features(shop(models_as_known, *rows_of)) == features(shop(models_as_known))


@pytest.mark.parametrize("planted", ["bought before, known on the day", "another line of a known order"])
def test_what_is_known_today_may_count(planted: str, models: CompiledModels) -> None:
    """With the basis `current` a late arrival belongs to its own day."""
    assert features(shop(models, *SAME_AS_KNOWN[planted])) != features(shop(models))


def test_a_row_just_before_the_date_counts(models: CompiledModels, models_as_known: CompiledModels) -> None:
    planted = [order("x", "2024-01-10 04:59", "c1")], [line("x", 1, "2024-01-10 04:59", net=7)]
    for compiled in (models, models_as_known):
        spend = "select total_spend from features.feat_customer_rfm where customer_id = 'of c1'"
        assert rows(shop(compiled, *planted), spend) == [(27,)]


def test_a_correction_that_was_not_known_yet_is_not_used(models_as_known: CompiledModels) -> None:
    """Neither is what it corrects: that stands in no row any more."""
    corrected = shop(models_as_known, lines=[line("a", 1, "2024-01-02", net=9999, known_at=at("2024-01-12"))])
    query = "select total_spend from features.feat_customer_rfm where customer_id = 'of c1'"
    assert rows(corrected, query) == [(10,)]


@pytest.mark.parametrize(("merged_on", "customers"), [(date(2024, 1, 9), 1), (AS_OF, 2), (date(2024, 3, 1), 2)])
def test_a_merge_counts_once_it_is_known(
    merged_on: date, customers: int, models: CompiledModels, models_as_known: CompiledModels
) -> None:
    query = "select count(*), sum(order_count) from features.feat_customer_rfm"
    assert rows(shop(models_as_known, merged_on=merged_on), query) == [(customers, 3)]
    assert rows(shop(models, merged_on=merged_on), query) == [(1, 3)]


def test_a_redemption_on_the_day_changes_nothing(models: CompiledModels, models_as_known: CompiledModels) -> None:
    on_the_day = {
        "campaign_id": "k", "coupon_id": "x", "loyalty_id": "c1", "redeemed_on": AS_OF, "occurred_at": at("2024-01-10"),
    }  # fmt: skip
    known_then = {
        **on_the_day, "redeemed_on": date(2024, 1, 6), "occurred_at": at("2024-01-06"), "known_at": at("2024-01-10"),
    }  # fmt: skip
    assert features(shop(models, redemptions=[on_the_day])) == features(shop(models))
    assert features(shop(models_as_known, redemptions=[on_the_day, known_then])) == features(shop(models_as_known))
    assert features(shop(models, redemptions=[known_then])) != features(shop(models))


def test_churn_waits_for_the_customers_own_rhythm(models: CompiledModels) -> None:
    """Every second day makes a horizon of four weeks, the least there is; a single day one of half a year."""
    days = [order(f"o{day}", f"2024-01-{day:02}", "often") for day in range(1, 10, 2)]
    later = [order("back", "2024-02-20", "c1"), order("end", "2024-03-30", "late")]
    sold = [line(one["order_id"], 1, f"{one['occurred_at']:%Y-%m-%d}") for one in (*days, *later)]
    warehouse = shop(models, [*days, *later], sold)
    warehouse.execute("""
        create or replace table features.int_as_of_dates as
        select date '2024-01-10' + days as as_of_date, days = 81 as is_current, true as is_scheduled,
            false as is_campaign_start, false as is_asked_for, true as is_new
        from (values (0), (40), (81)) as offsets (days)
    """)
    models.build(
        warehouse, "int_as_of_grid", "int_as_of_calendar", "int_activity__customers", "int_activity__owners",
        "int_features__order_rhythm", "int_features__rfm", "label_churn", "label_next_category",
    )  # fmt: skip
    churned = "select customer_id, day(as_of_date), horizon_days, has_churned from features.label_churn order by all"
    # c1 bought on the second and the fifth, and again after six weeks; of c2 nothing can be said yet.
    assert rows(warehouse, churned) == [
        ("of c1", 10, 28, 1), ("of c1", 19, 28, 0), ("of often", 10, 28, 1), ("of often", 19, 28, 1),
    ]  # fmt: skip
    following = "select customer_id, next_category from features.label_next_category where day(as_of_date) = 19 order by 1"
    assert rows(warehouse, following) == [("of c1", "fruit"), ("of c2", None), ("of often", None)]
