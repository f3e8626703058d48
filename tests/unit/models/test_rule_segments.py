"""Each shipped rule at its thresholds: who just fulfils it is in, and who misses one condition by the least is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from shops import load_settings
from tests.unit.models.compiled import CompiledModels, rows

Row = dict[str, Any]
AS_OF = date(2024, 1, 10)
MINUTE, HOUR, DAY = 60, 3600, 86400

# rule: what just fulfils it, and for each condition what just misses it (absolute thresholds; those of the demo shop).
RULES: dict[str, tuple[Row, list[Row]]] = {
    "recent_buyers": ({"days_since_last_order": 30}, [{"days_since_last_order": 31}]),
    "frequent_buyers": ({"order_count_28d": 6}, [{"order_count_28d": 5}]),
    "loyal_customers": (
        {"active_month_count_6m": 6, "engagement_score": 0.5}, [{"active_month_count_6m": 5}, {"engagement_score": 0.49}]
    ),
    "high_value_customers": ({"spend_90d_rank": 0.8}, [{"spend_90d_rank": 0.79}]),
    "new_customers": ({"customer_age_days": 56}, [{"customer_age_days": 57}]),
    "at_risk": (
        {"order_count": 4, "days_since_last_order": 31},
        [{"order_count": 3}, {"days_since_last_order": 30}, {"days_since_last_order": 61}],
    ),
    "lapsed": ({"days_since_last_order": 61}, [{"days_since_last_order": 60}]),
    "high_value_lapsed": (
        {"days_since_last_order": 61, "total_spend_rank": 0.5}, [{"days_since_last_order": 60}, {"total_spend_rank": 0.49}]
    ),
    "dormant": ({"days_since_last_order": 181}, [{"days_since_last_order": 180}]),
    "seasonal_shoppers": ({"coming_season_spend_ratio": 1.5}, [{"coming_season_spend_ratio": 1.49}]),
    "recent_repeat_buyers": (
        {"days_since_last_order": 14, "repeat_line_share": 0.5}, [{"days_since_last_order": 15}, {"repeat_line_share": 0.4}]
    ),
    "price_sensitive_shoppers": (
        {"discounted_view_share": 0.5, "product_view_count": 5, "mean_order_value_rank": 0.5},
        [{"discounted_view_share": 0.49}, {"product_view_count": 4}, {"mean_order_value_rank": 0.51}],
    ),
    "discount_buyers": ({"retail_discount_share": 0.25}, [{"retail_discount_share": 0.24}]),
    "coupon_responders": ({"campaigns_redeemed": 1}, [{"campaigns_redeemed": 0}]),
    "high_purchase_intent": (
        {"product_view_count_7d": 4, "add_count_7d": 1, "days_since_last_mail_opened": 14},
        [{"product_view_count_7d": 3}, {"add_count_7d": 0}, {"days_since_last_mail_opened": 15}],
    ),
    "purchase_intent": (
        {"most_views_of_a_product_7d": 2, "mail_opened_count_30d": 1, "order_count_7d": 0},
        [{"most_views_of_a_product_7d": 1}, {"mail_opened_count_30d": 0}, {"order_count_7d": 1}],
    ),
    "high_intent": ({"buy_readiness": 80.1}, [{"buy_readiness": 80.0}]),
    "likely_to_buy": ({"purchase_propensity_14d": 0.9}, [{"purchase_propensity_14d": 0.89}]),
    "promotion_clickers": (
        {"most_views_of_a_product_7d": 2, "promotion_click_count_7d": 1},
        [{"most_views_of_a_product_7d": 1}, {"promotion_click_count_7d": 0}],
    ),
    "high_intent_for_a_product": (
        {"product_view_count_7d": 4, "add_count_7d": 1, "days_since_last_mail_opened": 14,
         "products_viewed_48h": ["1082185", "other"]},
        [{"product_view_count_7d": 3}, {"products_viewed_48h": ["other"]}],
    ),
    "engaged": ({"engagement_score": 0.81}, [{"engagement_score": 0.8}]),
    "frequent_visitors": ({"session_count_28d": 13}, [{"session_count_28d": 12}]),
    "inactive_visitors": ({"seconds_since_last_event": 48 * HOUR + 1}, [{"seconds_since_last_event": 48 * HOUR}]),
    "browsing_enthusiasts": ({"session_count_of_one_category_28d": 2}, [{"session_count_of_one_category_28d": 1}]),
    "category_in_a_session": (
        {"most_views_of_a_category_in_a_session_7d": 4}, [{"most_views_of_a_category_in_a_session_7d": 3}]
    ),
    "category_in_an_hour": (
        {"most_views_of_a_category_in_an_hour_7d": 3}, [{"most_views_of_a_category_in_an_hour_7d": 2}]
    ),
    "product_lookers": (
        {"most_views_of_a_product_not_engaged_with_7d": 4, "order_count_7d": 0},
        [{"most_views_of_a_product_not_engaged_with_7d": 3}, {"order_count_7d": 1}],
    ),
    "product_like_one_bought": (
        {"most_views_of_a_product_like_one_bought_7d": 4}, [{"most_views_of_a_product_like_one_bought_7d": 3}]
    ),
    "niche_searchers": ({"niche_search_count_28d": 1}, [{"niche_search_count_28d": 0}]),
    "review_readers": ({"content_view_count_28d": 2}, [{"content_view_count_28d": 1}]),
    "lapsed_price_lookers": (
        {"days_since_last_order": 91, "price_view_count_7d": 1}, [{"days_since_last_order": 90}, {"price_view_count_7d": 0}]
    ),
    "category_returners": (
        {"days_since_last_order": 31, "categories_viewed_7d": ["CHEESE"]},
        [{"days_since_last_order": 30}, {"categories_viewed_7d": ["MILK"]}],
    ),
    "cart_abandonment_risk": (
        {"cart_value": 1, "seconds_since_cart_touched": 30 * MINUTE + 1, "cart_hesitation_count": 2,
         "cart_abandonment_share": 0.4},
        [{"cart_value": None}, {"seconds_since_cart_touched": 30 * MINUTE}, {"cart_hesitation_count": 1}],
    ),
    "cart_left_at_once": (
        {"seconds_since_cart_touched": 24 * HOUR, "seconds_cart_stayed": 10 * MINUTE,
         "seconds_since_last_event": 30 * MINUTE + 1},
        [{"seconds_since_cart_touched": 24 * HOUR + 1}, {"seconds_cart_stayed": 10 * MINUTE + 1},
         {"seconds_since_last_event": 30 * MINUTE}],
    ),
    "cart_idle": (
        {"seconds_since_cart_touched": 30 * MINUTE + 1},
        [{"seconds_since_cart_touched": 30 * MINUTE}, {"seconds_since_cart_touched": DAY + 1}],
    ),
    "cart_unbought": ({"seconds_since_cart_touched": DAY + 1}, [{"seconds_since_cart_touched": DAY}]),
    "cart_abandoned_and_back": (
        {"seconds_since_cart_touched": DAY + 30 * MINUTE + 1, "seconds_since_last_product_view": DAY},
        [{"seconds_since_cart_touched": DAY + 30 * MINUTE}, {"seconds_since_last_product_view": None},
         {"seconds_since_last_product_view": DAY + 1, "seconds_since_cart_touched": 2 * DAY}],
    ),
    "urban_category_buyers": (
        {"categories_bought_30d": ["CHEESE"], "attributes": {"places.settlement": "urban"}, "mail_open_share_90d": 0.5},
        [{"categories_bought_30d": ["MILK"]}, {"attributes": {"places.settlement": "rural"}}, {"attributes": None},
         {"mail_open_share_90d": 0.49}, {"has_unsubscribed": True}],
    ),
    "young_urban_clickers": (
        {"age_band": "25-34", "attributes": {"places.settlement": "urban"}, "mail_click_share_30d": 0.1},
        [{"age_band": "35-44"}, {"attributes": {"places.settlement": "rural"}}, {"mail_click_share_30d": 0.09}],
    ),
}  # fmt: skip

# The same by the customer's own rhythm.
RELATIVE: dict[str, tuple[Row, list[Row]]] = {
    "recent_buyers": ({"days_since_last_order": 15, "rhythm_days": 10}, [{"days_since_last_order": 16}]),
    "lapsed": ({"days_since_last_order": 61, "rhythm_days": 10}, [{"days_since_last_order": 60}]),
    "dormant": ({"days_since_last_order": 181, "rhythm_days": 10}, [{"rhythm_days": 11}]),
    "new_customers": ({"customer_age_days": 80, "rhythm_days": 10}, [{"rhythm_days": 9}]),
    "at_risk": (
        {"order_count": 4, "days_since_last_order": 31, "rhythm_days": 10},
        [{"days_since_last_order": 30}, {"days_since_last_order": 61}, {"order_count": 3}],
    ),
    "recent_repeat_buyers": (
        {"days_since_last_order": 10, "rhythm_days": 10, "repeat_line_share": 0.5}, [{"days_since_last_order": 11}]
    ),
    "lapsed_price_lookers": (
        {"days_since_last_order": 91, "rhythm_days": 10, "price_view_count_7d": 1}, [{"days_since_last_order": 90}]
    ),
    "category_returners": (
        {"days_since_last_order": 31, "rhythm_days": 10, "categories_viewed_7d": ["CHEESE"]},
        [{"days_since_last_order": 30}],
    ),
    "frequent_buyers": (
        {"order_count_28d": 6, "usual_order_count_28d": 4}, [{"order_count_28d": 5}, {"usual_order_count_28d": 4.1}]
    ),
    "high_purchase_intent": (
        {"product_view_count_7d": 6, "usual_product_view_count_7d": 4, "add_count_7d": 1,
         "days_since_last_mail_opened": 14},
        [{"product_view_count_7d": 5}],
    ),
    "frequent_visitors": ({"session_count_28d": 25, "usual_session_count_7d": 4}, [{"session_count_28d": 24}]),
    "inactive_visitors": (
        {"seconds_since_last_event": 48 * HOUR + 1, "usual_hours_between_visits": 24}, [{"usual_hours_between_visits": 25}]
    ),
    "review_readers": (
        {"content_view_count_28d": 3, "usual_content_view_count_28d": 2}, [{"usual_content_view_count_28d": 2.1}]
    ),
}  # fmt: skip


def members(models: CompiledModels, rule: str, form: str, *candidates: Row) -> list[int]:
    """Which of the candidates, by number, fulfil the rule; what they do not say is null, as where nothing is known."""
    warehouse = models.warehouse()
    models.empty(warehouse, "int_segments__candidates")
    for number, candidate in enumerate(candidates):
        _insert(warehouse, {"customer_id": str(number), "as_of_date": AS_OF, **candidate})
    models.build(warehouse, f"seg_{rule}")
    found = rows(warehouse, f"select customer_id from segments.seg_{rule} where threshold_form = '{form}'")
    return sorted(int(number) for (number,) in found)


def _insert(warehouse: duckdb.DuckDBPyConnection, candidate: Row) -> None:
    given = {name: value for name, value in candidate.items() if name != "attributes" and value is not None}
    landed = pa.table({name: [value] for name, value in given.items()})  # noqa: F841 (read by DuckDB)
    attributes = candidate.get("attributes")
    listed = f"map {{'places.settlement': '{attributes['places.settlement']}'}}" if attributes else "null"
    warehouse.execute(
        f"insert into segments.int_segments__candidates by name select *, {listed} as attributes from landed"
    )


@pytest.mark.parametrize("rule", RULES)
def test_absolute_thresholds(rule: str, models: CompiledModels) -> None:
    fulfils, misses = RULES[rule]
    assert members(models, rule, "absolute", fulfils, *({**fulfils, **change} for change in misses), {}) == [0]


@pytest.mark.parametrize("rule", RELATIVE)
def test_relative_thresholds(rule: str, models: CompiledModels) -> None:
    fulfils, misses = RELATIVE[rule]
    assert members(models, rule, "relative", fulfils, *({**fulfils, **change} for change in misses), {}) == [0]


def test_twice_nothing_is_nothing(models: CompiledModels) -> None:
    """Multiples of what is usual never fall below two."""
    rare = {"usual_order_count_28d": 0.1}
    assert members(models, "frequent_buyers", "relative", {**rare, "order_count_28d": 1}, {**rare, "order_count_28d": 2}) == [1]


def test_every_shipped_rule_is_tried() -> None:
    shipped = set(load_settings("demo").segments.rules) - {"big_basket_shoppers"}
    assert set(RULES) == shipped
    two_forms = {rule for rule, kept in load_settings("demo").segments.rules.items() if "gaps" in kept or any(
        name.endswith("_usual") for name in kept)}  # fmt: skip
    assert two_forms == set(RELATIVE)


def test_who_has_never_bought_did_not_buy(models: CompiledModels) -> None:
    prospect = {"most_views_of_a_product_7d": 2, "mail_opened_count_30d": 1, "order_count_7d": None}
    assert members(models, "purchase_intent", "absolute", prospect) == [0]
