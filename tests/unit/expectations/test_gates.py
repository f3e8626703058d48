"""Every gate passes on a good shop and fails, with the right message, on each kind of damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from expectations import GATES, ExpectationsError, GateReport, validation
from expectations.limits import read_limits
from shops import load_settings
from tests.unit.expectations.scratch_shop import Shop

LINES = "staging.stg_shop__order_lines"
ORDERS = "staging.stg_shop__orders"
INDEX = "identity.master_customer_index"
RFM = "features.feat_customer_rfm"
SCORES = "scores.int_scores__scores"
CLUSTERS = "scores.int_scores__customer_clusters"
CATALOG = "scores.int_scores__clusters"
MEMBERSHIPS = "segments.int_segments__memberships"
SIZES = "segments.int_segments__sizes"

# gate, what is done to the data, and what the report has to name: table, part of the expectation
DAMAGES = [
    (
        "staging",
        f"update {LINES} set transaction_amount = transaction_amount * 100 where line_number % 3 = 0",
        LINES,
        "mean net amount",
    ),
    (
        "staging",
        f"update {LINES} set transaction_amount = -transaction_amount where line_number % 3 = 0",
        LINES,
        "mean net amount",
    ),
    ("staging", f"delete from {ORDERS} where order_id like '%3'", "staging", "staged rows / landed keys"),
    ("staging", f"insert into {ORDERS} select * from {ORDERS}", "staging", "staged rows / landed keys"),
    ("staging", "delete from staging.stg_campaigns__coupons", "staging", "staged rows / landed keys"),
    (
        "staging",
        f"insert into staging.quarantine select 'orders', order_id, 'currency is missing', '', '', false from {ORDERS}",
        "staging.quarantine",
        "rejected rows / landed rows, of each table",
    ),
    ("staging", f"drop table {LINES}", LINES, f"the table {LINES} exists"),
    ("identity", f"update {INDEX} set customer_id = 'c_all'", INDEX, "source records of the largest customer"),
    ("identity", f"update {INDEX} set customer_id = 'c_' || left(customer_id, 3)", INDEX, "customers / source records"),
    ("identity", f"delete from {INDEX} where source_system = 'orders'", INDEX, "source records in the index"),
    ("identity", f"update {INDEX} set customer_id = source_system || customer_id", INDEX, "more than one source"),
    ("identity", f"update {INDEX} set match_confidence = 0.1", INDEX, "mean match confidence"),
    ("identity", "delete from identity.int_identity__customers", INDEX, "rows of int_identity__customers"),
    ("identity", f"delete from {INDEX}", INDEX, "customers / source records"),
    (
        "identity",
        "update identity.int_identity__source_records set set_aside_reason = 'bot' where source_record_id < 'H2'",
        INDEX,
        "source records not set aside",
    ),
    (
        "identity",
        "insert into identity.int_identity__review_queue "
        f"select 'kept with a conflict', 'conflicting birth dates', customer_id, 2 from {INDEX} limit 40",
        INDEX,
        "name two people or two birth dates",
    ),
    (
        "identity",
        "update identity.int_identity__memberships set promotion_number = 1, valid_to = timestamp '2017-06-01'; "
        "insert into identity.int_identity__memberships by name "
        "select * replace ('c_all' as customer_id, null as promotion_number, null::timestamp as valid_to) "
        "from identity.int_identity__memberships",
        INDEX,
        "customers merged since the last promoted run",
    ),
    (
        "identity",
        "insert into identity.int_identity__redirects "
        "select 'c_' || source_record_key, null, timestamp '2017-06-01' "
        "from identity.int_identity__source_records limit 1",
        INDEX,
        "retired customer ids that lead nowhere",
    ),
    (
        "identity",
        f"update {INDEX} set customer_id = 'c_' || left(source_record_id, 2)",
        INDEX,
        "source records of a customer, 99% quantile",
    ),
    ("features", f"update {RFM} set total_spend = 0", RFM, "total spend now, features / orders"),
    ("features", f"update {RFM} set total_spend = 0 where as_of_date = '2017-10-16'", RFM, "total spend, each as-of"),
    (
        "features",
        f"update {RFM} set days_since_last_order = -days_since_last_order",
        "features",
        "counts, days and ranks are not negative",
    ),
    ("features", f"update {RFM} set customer_age_days = 90000", "features", "days lie within the history"),
    ("features", f"delete from {RFM} where as_of_date = '2018-01-01'", "features", "newest as-of date is the current"),
    ("features", "delete from features.feat_customer_basket", "features", "newest as-of date is the current"),
    (
        "features",
        "delete from features.feat_customer_discount where customer_id < 'c_8'",
        "features",
        "rows now / customers with activity",
    ),
    ("features", "update features.label_purchase set has_purchased = 0", "features.label_purchase", "positive labels"),
    (
        "features",
        "delete from features.int_as_of_dates where not is_current",
        "features.int_as_of_dates",
        "as-of dates",
    ),
    ("features", "delete from features.int_activity__orders", RFM, "total spend now, features / orders"),
    ("scores", f"update {SCORES} set score = 0.5", SCORES, "probabilities differ between customers"),
    ("scores", f"update {SCORES} set score = score * 3", SCORES, "probabilities lie between 0 and 1"),
    ("scores", f"update {SCORES} set score = 'nan' where customer_id < 'c_2'", SCORES, "scores are finite numbers"),
    ("scores", f"update {SCORES} set score = score / 10", SCORES, "odds of the mean score of purchase"),
    ("scores", f"delete from {SCORES} where campaign_id is null and customer_id < 'c_8'", SCORES, "scored customers"),
    ("scores", f"delete from {SCORES}", SCORES, "number of models that score"),
    ("scores", f"update {SCORES} set model_version = 'v0'", SCORES, "every score is from a model that is known"),
    ("scores", f"update {SCORES} set feature_schema_hash = 'h0'", SCORES, "scores name the features of their model"),
    (
        "scores",
        "update scores.int_scores__model_champions set model_version = 'v2'; "
        "update scores.int_scores__model_performance set model_version = 'v2'",
        SCORES,
        "scores of now are the champion's",
    ),
    (
        "scores",
        "update scores.int_scores__model_performance set is_champion = false",
        SCORES,
        "champions without a figure",
    ),
    ("scores", f"insert into {SCORES} select * from {SCORES}", SCORES, "scores a customer"),
    ("scores", f"update {SCORES} set as_of_date = as_of_date - 7", SCORES, "newest scores are of the current"),
    (
        "scores",
        "update scores.int_scores__model_performance set value = 0.5",
        "scores.int_scores__model_performance",
        "ROC-AUC of the champion",
    ),
    ("scores", f"update {CLUSTERS} set cluster_key = 'k1'", CLUSTERS, "number of clusters"),
    ("scores", f"delete from {CLUSTERS}", CLUSTERS, "clustered customers / customers now"),
    ("scores", f"update {CATALOG} set size_floor = 100000", CATALOG, "no cluster is below its floor"),
    (
        "scores",
        f"update {CLUSTERS} set cluster_key = 'k2.1' where level = 'micro'",
        CLUSTERS,
        "a micro-segment lies within its broad cluster",
    ),
    ("segments", f"insert into {MEMBERSHIPS} select * from {MEMBERSHIPS}", MEMBERSHIPS, "rows for each pair"),
    ("segments", f"delete from {MEMBERSHIPS}", MEMBERSHIPS, "number of segments with members"),
    ("segments", f"delete from {MEMBERSHIPS} where segment_key = 'lapsed'", MEMBERSHIPS, "asked again, does not name"),
    (
        "segments",
        f"update {MEMBERSHIPS} set customer_id = 'c_gone' where segment_key = 'lapsed' and customer_id = "
        f"(select min(customer_id) from {MEMBERSHIPS} where segment_key = 'lapsed')",
        MEMBERSHIPS,
        "asked again, does not name",
    ),
    ("segments", f"delete from {MEMBERSHIPS} where segment_type = 'cluster'", SIZES, "members less what the size says"),
    ("segments", f"update {SIZES} set customer_share = 0.98 where segment_key = 'lapsed'", SIZES, "share of customers"),
    (
        "segments",
        f"update {SIZES} set member_count = 9 where segment_key = 'lapsed'",
        SIZES,
        "that were not folded",
    ),
    ("segments", f"update {MEMBERSHIPS} set is_primary = false", MEMBERSHIPS, "without exactly one primary segment"),
    ("segments", f"update {MEMBERSHIPS} set is_primary = true", MEMBERSHIPS, "without exactly one primary segment"),
    (
        "segments",
        "update segments.int_segments__catalog set parent_segment_key = 'lapsed' where segment_key = 'big_spenders'",
        MEMBERSHIPS,
        "who are not in its parent",
    ),
    (
        "segments",
        "update segments.int_segments__flows set member_count = member_count / 3 where as_of_date = '2017-12-25'",
        "segments.int_segments__flows",
        "changed more than their size explains",
    ),
    ("marts", "delete from marts.fct_orders where order_id like '%7'", "marts.fct_orders", "orders in fct_orders less"),
    (
        "marts",
        "update marts.fct_orders set order_total = order_total + 0.01",
        "marts.fct_orders",
        "total sales of fct_o",
    ),
    (
        "marts",
        "delete from marts.fct_order_lines where line_number = 2",
        "marts.fct_orders",
        "lines in fct_order_lines",
    ),
    ("marts", "delete from marts.dim_dates", "marts", "published tables have rows"),
    ("marts", "delete from marts.fct_scores where score < 0.2", "marts", "published rows less the rows"),
    (
        "marts",
        "update marts.rpt_segment_summary set member_count = 1",
        "marts.rpt_segment_summary",
        "members in rpt_segment_summary less",
    ),
    ("marts", "update marts.dim_products set is_inferred = true", "marts.dim_products", "not in the product file"),
    ("marts", "drop table marts.fct_order_lines", "marts.fct_order_lines", "the table marts.fct_order_lines exists"),
    ("marts", "alter table marts.fct_orders drop column order_total", "marts.fct_orders", "total sales of fct_orders"),
]


@pytest.fixture(autouse=True)
def no_data_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out Data Docs, which take half the time of a gate on small data; test_reports.py reads them."""
    monkeypatch.setattr(validation, "write_data_docs", lambda folder: None)


@pytest.mark.parametrize("gate", GATES)
def test_good_shop_passes(good_shop: Shop, gate: str) -> None:
    report = good_shop.run(gate)
    assert [result.sentence() for result in report.failures + report.warnings] == []
    assert report.success
    assert report.report_path.exists()


@pytest.mark.parametrize(("gate", "damage", "table", "expectation"), DAMAGES, ids=lambda value: str(value)[:60])
def test_damage_is_caught_and_named(shop: Shop, gate: str, damage: str, table: str, expectation: str) -> None:
    shop.execute(damage)
    report = shop.run(gate)
    assert not report.success
    named = [result for result in report.failures if result.table_name == table and expectation in result.expectation]
    assert named, [result.sentence() for result in report.failures]
    assert named[0].observed_value != ""
    assert named[0].threshold != ""
    assert f"gate {gate} failed" in report.summary()


def test_failure_shows_rows_threshold_and_next_step(shop: Shop) -> None:
    shop.execute(f"update {INDEX} set customer_id = 'c_all' where source_record_id < 'H2'")
    report = shop.run("identity")
    glued = next(result for result in report.failures if "largest customer" in result.expectation)
    assert glued.threshold == "between 1 and 250"
    assert int(glued.observed_value.replace(",", "")) > 250
    assert glued.sample_rows[0]["customer_id"] == "c_all"
    assert "python -m expectations identity" in report.summary()
    assert "c_all" in report.markdown()


def test_rows_of_the_result_table(good_shop: Shop) -> None:
    report = good_shop.run("segments")
    rows = report.rows("run-1")
    assert len(rows) == len(report.results)
    columns = (
        "gate expectation table_name column_name success observed_value threshold sample_rows severity run_id run_at"
    )
    assert " ".join(rows[0]) == columns
    assert {row["severity"] for row in rows} <= {"critical", "warning"}
    assert rows[0]["run_at"].tzinfo is None


def test_name_of_what_failed_is_reported(shop: Shop) -> None:
    shop.execute(f"update {RFM} set order_count_28d = -1, days_since_last_order = -5")
    failed = next(r for r in shop.run("features").failures if "not negative" in r.expectation)
    assert failed.column_name == "feat_customer_rfm.days_since_last_order, feat_customer_rfm.order_count_28d"


def test_campaign_may_be_older_than_the_first_order(shop: Shop) -> None:
    shop.execute("alter table features.feat_customer_campaign add column days_since_last_campaign integer default 900")
    assert shop.run("features").success


def test_constant_feature_is_a_warning(shop: Shop) -> None:
    shop.execute("update features.feat_customer_basket set store_count = 1")
    report = shop.run("features")
    assert report.success
    assert [result.column_name for result in report.warnings] == ["feat_customer_basket.store_count"]
    assert "1 warning" in report.summary()


def test_thresholds_come_from_the_settings(shop: Shop) -> None:
    shop.execute(f"update {RFM} set total_spend = total_spend * 1.01")
    assert not shop.run("features").success
    assert shop.run("features", gates={"features": {"max_spend_shift": 0.05}}).success


def test_unknown_threshold_names_the_nearest(good_shop: Shop) -> None:
    with pytest.raises(ExpectationsError, match="did you mean max_quarantine_share"):
        good_shop.run("staging", gates={"staging": {"max_quarantined_share": 0.5}})
    with pytest.raises(ExpectationsError, match="did you mean staging"):
        good_shop.run("staging", gates={"stagin": {}})


def test_shipped_settings_are_valid_thresholds() -> None:
    limits = read_limits(load_settings("demo").model_dump())
    assert limits.staging.max_quarantine_share > 0


def test_unknown_gate(good_shop: Shop) -> None:
    with pytest.raises(ExpectationsError, match="the gates are landing"):
        good_shop.run("stagin")


def test_shop_without_optional_tables_passes(sparse_shop: Callable[[], Shop]) -> None:
    shop = sparse_shop()
    reports: list[GateReport] = [shop.run(gate) for gate in GATES]
    assert [result.sentence() for report in reports for result in report.failures] == []


def test_superseded_versions_do_not_count_as_rejected(shop: Shop) -> None:
    shop.execute(
        "insert into staging.quarantine "
        f"select 'orders', order_id, 'a later version of this key stands', '', '', true from {ORDERS}"
    )
    assert shop.run("staging").success


def test_missing_warehouse_is_a_result(shop: Shop) -> None:
    shop.warehouse.unlink()
    report = shop.run("staging")
    assert not report.success
    assert "does not exist" in report.failures[0].observed_value
    assert "make demo" in report.summary()


def test_broken_warehouse_is_a_result(shop: Shop) -> None:
    shop.warehouse.write_bytes(b"not a database" * 1000)
    report = shop.run("marts")
    assert "cannot be opened" in report.failures[0].observed_value


def test_warehouse_held_by_a_writer_is_a_result(shop: Shop) -> None:
    with duckdb.connect(str(shop.warehouse)):
        report = shop.run("identity")
    assert not report.success
    assert "cannot be opened" in report.failures[0].observed_value


@pytest.mark.parametrize("damage", ["select 1", f"drop table {INDEX}", f"alter table {INDEX} drop column customer_id"])
def test_warehouse_is_free_for_a_writer_after_a_gate(shop: Shop, damage: str) -> None:
    shop.execute(damage)
    shop.run("identity")
    shop.execute("create table identity.written_afterwards as select 1 as one")
    shop.run("identity")
    shop.execute("drop table identity.written_afterwards")


def test_warehouse_may_be_read_elsewhere_meanwhile(good_shop: Shop) -> None:
    with duckdb.connect(str(good_shop.warehouse), read_only=True):
        assert good_shop.run("identity").success


def test_gate_leaves_the_warehouse_as_it_was(good_shop: Shop) -> None:
    before = good_shop.warehouse.read_bytes()
    good_shop.run("marts")
    assert good_shop.warehouse.read_bytes() == before


def test_path_with_awkward_characters(good_shop: Shop, tmp_path: Path) -> None:
    shop = Shop(tmp_path / "a shop's $HOME 100%? é")
    shop.root.mkdir()
    shop.landing.symlink_to(good_shop.landing)
    shop.warehouse.write_bytes(good_shop.warehouse.read_bytes())
    assert [shop.run(gate).failures for gate in ("landing", "staging")] == [[], []]


def test_a_fallback_is_told_and_is_no_fault(shop: Shop) -> None:
    """Too few positives to learn from: everybody gets the base rate, which is neither spread nor a model."""
    shop.execute(f"update {SCORES} set fallback_tier = 'base_rate', score = 0.7")
    report = shop.run("scores")
    assert "share of scores from a model, not from a fallback" in [result.expectation for result in report.warnings]
    assert "probabilities differ" not in " ".join(result.expectation for result in report.failures)
