"""The features gate: shifts, leaks and sources are named with what to do; what cannot be measured is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations import ExpectationResult, validation
from expectations.gates.features_sources import declared_features
from expectations.limits import SourceAgeLimits
from ml.catalogue import read_catalogue
from shops import PROJECT_ROOT
from tests.unit.expectations.scratch_shop import Shop

RFM = "features.feat_customer_rfm"
BASKET = "features.feat_customer_basket"
SOURCES = "features.int_as_of_sources"
NOW = "as_of_date = '2018-01-01'"


@pytest.fixture(autouse=True)
def no_data_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "write_data_docs", lambda folder: None)


def named(results: list[ExpectationResult], words: str) -> ExpectationResult:
    found = [result for result in results if words in result.expectation]
    assert found, [result.sentence() for result in results]
    return found[0]


def test_a_shift_of_many_stops_the_run(shop: Shop) -> None:
    shop.execute(f"update {BASKET} set store_count = 40 where {NOW} and customer_id < 'c_6'")
    report = shop.run("features")
    failure = named(report.failures, "left the usual pace of a feature")
    assert failure.column_name == "feat_customer_basket.store_count"
    assert failure.threshold == "at most 0.25"
    assert failure.sample_rows[0]["moved_share"] == pytest.approx(6 / 16, abs=0.08)
    assert "gates.features.max_shift" in failure.next_step
    assert "gates.features.max_shift" in report.summary()


def test_a_shift_of_some_is_a_warning(shop: Shop) -> None:
    shop.execute(f"update {BASKET} set store_count = 40 where {NOW} and customer_id < 'c_3'")
    report = shop.run("features")
    assert report.success
    assert named(report.warnings, "left the usual pace").column_name == "feat_customer_basket.store_count"
    assert shop.run("features", gates={"features": {"min_shift": 0.4}}).warnings == []


def test_a_mailing_moves_its_features_and_stops_nothing(shop: Shop) -> None:
    shop.execute(f"update features.feat_customer_campaign set campaign_count = campaign_count + 3 where {NOW}")
    report = shop.run("features")
    assert report.success
    assert named(report.warnings, "left the usual pace").column_name == "feat_customer_campaign.campaign_count"
    assert not shop.run("features", gates={"features": {"shifts_of_own_doing": []}}).success


def test_a_feature_that_became_null_for_everybody_is_a_shift(shop: Shop) -> None:
    shop.execute(f"update {BASKET} set mean_lines_per_order = null where {NOW}")
    failure = named(shop.run("features").failures, "left the usual pace of a feature")
    assert failure.column_name == "feat_customer_basket.mean_lines_per_order"
    assert failure.sample_rows[0]["null_share"] == 1


def test_with_too_few_dates_a_shift_is_not_measured(shop: Shop) -> None:
    shop.execute("update features.int_as_of_dates set is_scheduled = false where as_of_date < '2017-12-11'")
    report = shop.run("features")
    assert report.success
    warning = named(report.warnings, "not measured")
    assert (warning.observed_value, warning.threshold) == ("4", "at least 6")


def test_between_scheduled_dates_the_newest_of_them_is_held_against_those_before(shop: Shop) -> None:
    """From a Monday to a Wednesday other things change than from Monday to Monday."""
    shop.execute(f"update features.int_as_of_dates set is_scheduled = false where {NOW}")
    shop.execute(f"update {BASKET} set store_count = 40 where as_of_date = '2017-12-25' and customer_id < 'c_6'")
    failure = named(shop.run("features").failures, "left the usual pace of a feature")
    assert str(failure.sample_rows[0]["as_of_date"]) == "2017-12-25"


LEAKS = [
    ("label_purchase", "has_purchased", "store_count", "label.has_purchased + 1", "max_label_auc"),
    ("label_churn", "has_churned", "store_count", "nullif(store_count * (1 - label.has_churned), 0)", "max_label_auc"),
    ("label_purchase", "spend", "mean_lines_per_order", "label.spend / 7 + 1", "max_label_correlation"),
]


@pytest.mark.parametrize(("table", "label", "feature", "leak", "limit"), LEAKS, ids=lambda value: str(value)[:30])
def test_a_feature_that_knows_its_label_stops_the_run(
    shop: Shop, table: str, label: str, feature: str, leak: str, limit: str
) -> None:
    shop.execute(
        f"update {BASKET} set {feature} = {leak} from features.{table} as label "
        f"where {BASKET}.customer_id = label.customer_id and {BASKET}.as_of_date = label.as_of_date"
    )
    failures = [result for result in shop.run("features").failures if limit in result.next_step]
    assert len(failures) == 1
    assert f"feat_customer_basket.{feature}" in failures[0].column_name
    assert f"for {table}.{label}" in failures[0].column_name
    assert "such as" in failures[0].observed_value
    assert "strictly before as_of_date" in failures[0].next_step


def test_an_offer_that_knows_who_redeems_stops_the_run(shop: Shop) -> None:
    shop.execute(
        "update features.feat_customer_offer set bought_count = has_redeemed from features.label_redemption as label "
        "where features.feat_customer_offer.customer_id = label.customer_id "
        "and features.feat_customer_offer.campaign_id = label.campaign_id"
    )
    failures = shop.run("features").failures
    assert [result.column_name for result in failures] == [
        "feat_customer_offer.bought_count for label_redemption.has_redeemed"
    ]


def test_a_suspicious_feature_is_a_warning(shop: Shop) -> None:
    """One that knows the label of nineteen customers in twenty."""
    shop.execute(
        f"update {BASKET} set store_count = case when hash({BASKET}.customer_id) % 20 = 0 then 1 - has_purchased "
        f"else has_purchased end from features.label_purchase as label "
        f"where {BASKET}.customer_id = label.customer_id and {BASKET}.as_of_date = label.as_of_date"
    )
    report = shop.run("features", gates={"features": {"suspicious_label_auc": 0.85}})
    assert report.success
    assert "store_count for label_purchase.has_purchased" in named(report.warnings, "suspiciously").column_name


def test_without_labels_leaks_are_not_measured(shop: Shop) -> None:
    shop.execute("drop table features.label_churn; delete from features.label_redemption")
    report = shop.run("features", gates={"features": {"min_label_cases": 10_000}})
    assert report.success
    assert named(report.warnings, "to find leaks").observed_value == "0"


def test_a_source_that_went_silent(shop: Shop) -> None:
    shop.execute(f"update {SOURCES} set last_day = date '2017-12-20' where source = 'web_events' and {NOW}")
    report = shop.run("features")
    assert report.success
    warning = named(report.warnings, "freshness: days from the last day of each other source")
    assert warning.column_name == "web_events"
    assert warning.sample_rows[0]["days_behind"] == 12
    shop.execute(f"update {SOURCES} set last_day = date '2017-12-15' where source = 'orders' and {NOW}")
    failure = named(shop.run("features").failures, "freshness: days from the last day of orders")
    assert failure.column_name == "orders"
    assert "max_source_age_days" in failure.next_step
    assert shop.run("features", gates={"features": {"max_source_age_days": {"orders": 30}}}).success


def test_a_missing_source_degrades_and_names_the_models_that_suffer(shop: Shop) -> None:
    shop.execute(
        f"update {SOURCES} set row_count = 0, first_day = null, last_day = null, "
        "missing_reason = 'no rows of ' || source || ' landed before this date' "
        "where source in ('web_events', 'campaigns', 'survey_answers')"
    )
    report = shop.run("features")
    assert report.success
    warning = named(report.warnings, "each source has rows")
    assert warning.column_name == (
        "campaigns (16 features null or unknown, churn_propensity, click_propensity, purchase_propensity, "
        "redemption_propensity learn less), "
        "survey_answers (3 features null or unknown, no model learns less), "
        "web_events (89 features null or unknown, click_propensity learns less)"
    )
    assert warning.sample_rows[0]["missing_reason"] == "no rows of campaigns landed before this date"
    known = {"sources_never_landed": ["web_events", "campaigns", "survey_answers"]}
    assert shop.run("features", gates={"features": known}).warnings == []


def test_the_gate_reads_the_catalogue_as_models_do(tmp_path: Path) -> None:
    declared = {
        feature.name: (feature.source, feature.models)
        for feature in declared_features((PROJECT_ROOT / "models" / "features", tmp_path / "not there"))
    }
    assert declared == {feature.name: (feature.source, feature.models) for feature in read_catalogue().features}


def test_sources_of_features_are_observed_and_have_a_limit() -> None:
    """A source that a feature names is one that the table of sources has, and the settings know."""
    sql = (PROJECT_ROOT / "models" / "features" / "as_of" / "int_as_of_sources.sql").read_text(encoding="utf-8")
    limited = set(SourceAgeLimits.model_fields)
    assert {source for feature in read_catalogue().features for source in feature.source} <= limited
    assert {source for source in limited if f"    '{source}': (" in sql} == limited
    landed = yaml.safe_load((PROJECT_ROOT / "models" / "landing.yml").read_text(encoding="utf-8"))["sources"][0]
    assert limited <= {table["name"] for table in landed["tables"]}
