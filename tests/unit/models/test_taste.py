"""Taste: shares and entropy of categories, prices against the category, and the season to come from two years."""

from __future__ import annotations

from datetime import date, timedelta
from math import log
from typing import Any

import duckdb
import pytest

from tests.unit.models.compiled import CompiledModels, land, line, order, rows

AS_OF = date(2024, 1, 10)
PRODUCTS = {
    "apple": ("PRODUCE", "fruit"), "pear": ("PRODUCE", "fruit"), "milk": ("DAIRY", "milk"), "gin": (None, None),
}  # fmt: skip


def shop(models: CompiledModels, *bought: tuple[str, str, str, float]) -> duckdb.DuckDBPyConnection:
    """Taste as of `AS_OF` of who bought (card, day, product, price) one by one."""
    warehouse = models.warehouse()
    named = [(str(number), *one) for number, one in enumerate(bought)]
    land(
        warehouse,
        orders=[order(name, day, card) for name, card, day, _, _ in named],
        order_lines=[
            line(name, 1, day, net=price, gross_amount=price, product_id=product)
            for name, _, day, product, price in named
        ],
        products=[
            {"product_id": name, "department": department, "product_category": category}
            for name, (department, category) in PRODUCTS.items()
        ],
    )
    models.build(warehouse, "stg_shop__orders")
    warehouse.execute(f"""
        create table identity.master_customer_index as
        select distinct 'orders' as source_system, buyer as source_record_id, loyalty_id as customer_id,
            timestamp '2000-01-01' as valid_from, null::timestamp as valid_to
        from staging.stg_shop__orders;
        create table features.int_as_of_dates as
        select date '{AS_OF}' as as_of_date, true as is_current, true as is_scheduled, false as is_campaign_start,
            false as is_asked_for, true as is_new
    """)
    models.build(warehouse, "feat_customer_taste", "feat_customer_category")
    return warehouse


def taste(warehouse: duckdb.DuckDBPyConnection, card: str) -> dict[str, Any]:
    found = warehouse.execute("from features.feat_customer_taste where customer_id = ?", [card])
    names = [column[0] for column in found.description or []]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def test_entropy_and_favorite_are_of_lines_over_categories(models: CompiledModels) -> None:
    bought = [("ann", "2024-01-02", product, 5) for product in ("apple", "pear", "milk", "gin")]
    ann = taste(shop(models, *bought), "ann")
    assert ann["favorite_category"] == "fruit"
    assert ann["favorite_category_line_share"] == 0.5
    assert ann["category_entropy"] == pytest.approx(-0.5 * log(0.5) - 2 * 0.25 * log(0.25), abs=1e-5)


def test_one_category_has_no_entropy(models: CompiledModels) -> None:
    ann = taste(shop(models, ("ann", "2024-01-02", "apple", 5), ("ann", "2024-01-03", "pear", 5)), "ann")
    assert ann["category_entropy"] == pytest.approx(0, abs=1e-5)
    assert ann["favorite_category_line_share"] == 1


def test_shares_are_of_the_level_that_the_shop_names(models: CompiledModels) -> None:
    warehouse = shop(
        models, ("ann", "2024-01-02", "apple", 6), ("ann", "2024-01-02", "pear", 2), ("ann", "2024-01-03", "gin", 8)
    )
    query = "select category, round(category_line_share, 4), category_spend_share from features.feat_customer_category"
    assert rows(warehouse, f"{query} order by 1") == [("PRODUCE", 0.6667, 0.5), ("unknown", 0.3333, 0.5)]


BEFORE = [("eve", "2023-12-02", "apple", 8), ("eve", "2023-12-03", "apple", 2)]


def test_price_index_holds_prices_against_the_category_before_the_month(models: CompiledModels) -> None:
    warehouse = shop(
        models, *BEFORE, ("ann", "2024-01-02", "apple", 8), ("bob", "2024-01-03", "apple", 2), ("bob", "2024-01-03", "milk", 7)
    )
    assert taste(warehouse, "ann")["price_index"] == pytest.approx(2, rel=0.01)
    # half of the mean of 8 and 2, which is kept to a hundredth; milk had no price before
    assert taste(warehouse, "bob")["price_index"] == pytest.approx(0.5, rel=0.01)
    assert taste(warehouse, "eve")["price_index"] is None


def test_prices_of_the_month_and_later_are_not_in_the_mean(models: CompiledModels) -> None:
    bought = [*BEFORE, ("ann", "2024-01-02", "apple", 8)]
    later = [("eve", day, "apple", 9999) for day in ("2024-01-01", "2024-01-02", str(AS_OF), "2024-02-01")]
    assert taste(shop(models, *bought, *later), "ann") == taste(shop(models, *bought), "ann")


def test_seasons_need_two_years(models: CompiledModels) -> None:
    weekly = [("ann", str(AS_OF - timedelta(day)), "apple", 10) for day in range(7, 728, 7)]
    assert taste(shop(models, *weekly), "ann")["coming_season_spend_ratio"] is None


@pytest.mark.parametrize(("in_season", "ratio"), [(10, 1.0), (30, 26 * 3 / (24 + 2 * 3))])
def test_the_season_to_come_is_like_that_of_both_years(in_season: float, ratio: float, models: CompiledModels) -> None:
    """Every week 10, and `in_season` in the four weeks that followed the date a year and two years ago."""
    seasons = {*range(337, 365), *range(701, 729)}
    weekly = [
        ("ann", str(AS_OF - timedelta(day)), "apple", in_season if day in seasons else 10) for day in range(7, 729, 7)
    ]
    assert taste(shop(models, *weekly), "ann")["coming_season_spend_ratio"] == pytest.approx(ratio, rel=1e-6)
