"""A source that never landed: its features are null with the reason, the others stand, and nothing breaks."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows

AS_OF = date(2024, 1, 10)
LANDED: dict[str, list[Row]] = {
    "products": [{"product_id": "apple", "product_category": "fruit", "brand_type": "Private"}],
    "campaigns": [
        {"campaign_id": "k", "campaign_type": "A", "starts_on": date(2024, 1, 4), "ends_on": date(2024, 1, 20),
         "occurred_at": at("2024-01-04")},
    ],
    "campaign_recipients": [{"campaign_id": "k", "loyalty_id": "other", "occurred_at": at("2024-01-04")}],
    "coupon_redemptions": [
        {"campaign_id": "k", "coupon_id": "x", "loyalty_id": "other", "redeemed_on": date(2024, 1, 5),
         "occurred_at": at("2024-01-05")},
    ],
}  # fmt: skip
FEATURES = {
    "products": [
        "mean_categories_per_order", "category_count", "private_brand_spend_share", "favorite_category",
        "favorite_category_line_share", "category_entropy", "price_index",
    ],
    "campaigns": ["campaigns_received", "campaigns_redeemed", "coupons_redeemed", "campaign_response_rate"],
    "campaign_recipients": ["campaigns_received", "campaigns_redeemed", "coupons_redeemed", "campaign_response_rate"],
    "coupon_redemptions": ["campaigns_redeemed", "coupons_redeemed", "campaign_response_rate"],
}  # fmt: skip
STAND = ["order_count", "mean_lines_per_order", "store_count"]


def shop(models: CompiledModels, without: str | None = None) -> duckdb.DuckDBPyConnection:
    """Features of one customer, of whom no campaign knows."""
    warehouse = models.warehouse()
    land(
        warehouse,
        orders=[order("a", "2023-12-02", store_id="s"), order("b", "2024-01-02", store_id="s")],
        order_lines=[line("a", 1, "2023-12-02", gross_amount=10), line("b", 1, "2024-01-02", gross_amount=10)],
        **{table: given for table, given in LANDED.items() if table != without},
    )
    models.build(warehouse, "stg_shop__orders")
    warehouse.execute(f"""
        create table identity.master_customer_index as
        select 'orders' as source_system, buyer as source_record_id, 'ann' as customer_id,
            timestamp '2000-01-01' as valid_from, null::timestamp as valid_to
        from staging.stg_shop__orders;
        create table features.int_as_of_dates as
        select date '{AS_OF}' as as_of_date, true as is_current, true as is_scheduled, false as is_campaign_start,
            false as is_asked_for, true as is_new
    """)
    models.build(
        warehouse, "feat_customer_rfm", "feat_customer_basket", "feat_customer_taste", "feat_customer_campaign",
        "feat_customer_category",
    )  # fmt: skip
    return warehouse


def values(warehouse: duckdb.DuckDBPyConnection, names: list[str]) -> tuple[object, ...]:
    joined = " join ".join(
        f"features.feat_customer_{name}{' using (customer_id)' if name != 'rfm' else ''}"
        for name in ("rfm", "basket", "taste", "campaign")
    )
    (found,) = rows(warehouse, f"select {', '.join(names)} from {joined}")
    return found


@pytest.mark.parametrize("without", LANDED)
def test_its_features_are_null_and_the_reason_is_kept(without: str, models: CompiledModels) -> None:
    whole, lacking = shop(models), shop(models, without)
    assert None not in values(whole, FEATURES[without]), "no campaign is 0 where campaigns are known"
    assert set(values(lacking, FEATURES[without])) == {None}
    assert values(lacking, STAND) == values(whole, STAND)
    reasons = "select source, missing_reason from features.int_as_of_sources where source = "
    assert rows(lacking, f"{reasons}'{without}'") == [(without, f"no rows of {without} landed before this date")]
    assert rows(whole, f"{reasons}'{without}'") == [(without, None)]


def test_without_products_no_share_is_told(models: CompiledModels) -> None:
    assert rows(shop(models, "products"), "from features.feat_customer_category") == []
    assert len(rows(shop(models), "from features.feat_customer_category")) == 1
