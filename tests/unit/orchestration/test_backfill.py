"""The job `backfill`: which dates are its partitions, which it refuses, and that both are known without a warehouse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.__main__ import main
from orchestration.as_of_dates import AsOfSpan, DateNotPossible, read_dates, span_of_published, span_of_warehouse
from orchestration.backfill_asset import BACKFILL_KEY, as_of_partitions
from orchestration.definitions import BACKFILL, REFRESH, build_definitions
from shops import Settings, ShopFolders, load_settings

SPAN = AsOfSpan(first_order=date(2017, 1, 1), current=date(2018, 1, 1))


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def _keeping(days: int) -> Settings:
    settings = load_settings("demo")
    features = settings.features.model_copy(update={"retention_days": days})
    return settings.model_copy(update={"features": features})


def _publish_days(folders: ShopFolders) -> None:
    published = folders.current / "parquet" / "dim_dates"
    published.mkdir(parents=True)
    duckdb.execute(
        "copy (select unnest(range(date '2017-01-01', date '2018-01-02', interval 1 day))::date as date_day) "
        f"to '{published / 'dim_dates.parquet'}' (format parquet)"
    )


def test_without_a_warehouse_the_job_is_there_and_has_no_partition(folders: ShopFolders) -> None:
    definitions = build_definitions(folders)
    job = definitions.resolve_job_def(BACKFILL)
    assert job.partitions_def is not None
    assert job.partitions_def.get_partition_keys() == []
    assert job.asset_layer.executable_asset_keys == {BACKFILL_KEY}
    asset = definitions.resolve_asset_graph().get(BACKFILL_KEY)
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    refresh = definitions.resolve_job_def(REFRESH)
    assert refresh.partitions_def is None, "the whole chain is asked for without a date"
    assert BACKFILL_KEY not in refresh.asset_layer.executable_asset_keys


def test_partitions_are_the_dates_that_can_be_asked_for(folders: ShopFolders) -> None:
    _publish_days(folders)
    partitions = as_of_partitions(folders, load_settings("demo"))
    keys = partitions.get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2017-01-02", "2018-01-01", 365)
    assert partitions.timezone == "America/New_York"
    assert as_of_partitions(folders, _keeping(7)).get_partition_keys()[0] == "2017-12-25"


def test_a_damaged_publication_leaves_the_definitions_loadable(folders: ShopFolders) -> None:
    _publish_days(folders)
    (folders.current / "parquet" / "dim_dates" / "dim_dates.parquet").write_bytes(b"PAR1")
    assert span_of_published(folders, load_settings("demo")) is None
    assert as_of_partitions(folders, load_settings("demo")).get_partition_keys() == []


@pytest.mark.parametrize(
    ("asked", "span", "says"),
    [
        (date(2018, 1, 2), SPAN, "2018-01-02 lies after the current as-of date, 2018-01-01.*Next: ask for 2018-01-01"),
        (date(2017, 1, 1), SPAN, "the first order is of 2017-01-01.*Next: ask for 2017-01-02"),
        (
            date(2017, 12, 21),
            AsOfSpan(SPAN.first_order, SPAN.current, retention_days=10),
            "2017-12-21 would be dropped again: features.retention_days = 10 keeps the dates from 2017-12-22 on.*Next:",
        ),
    ],
)
def test_an_impossible_date_is_refused_with_the_next_step(asked: date, span: AsOfSpan, says: str) -> None:
    with pytest.raises(DateNotPossible, match=says):
        span.refuse_impossible([date(2017, 12, 30), asked])
    span.refuse_impossible([span.first, span.current])


def test_dates_are_listed_or_span_days() -> None:
    assert read_dates(["2017-06-12", "2017-06-05", "2017-06-12"], None, None) == [date(2017, 6, 5), date(2017, 6, 12)]
    assert read_dates([], "2017-06-30", "2017-07-01") == [date(2017, 6, 30), date(2017, 7, 1)]
    for listed, first, last, says in (
        ([], None, None, "which dates"),
        (["2017-06-05"], "2017-06-05", "2017-06-06", "which dates"),
        ([], "2017-06-05", None, "which dates"),
        ([], "2017-06-05", "2017-06-04", "--from 2017-06-05 lies after --to 2017-06-04"),
        (["2017-13-05"], None, None, "'2017-13-05' is not a date. Next: write it as 2017-06-05"),
    ):
        with pytest.raises(DateNotPossible, match=says):
            read_dates(listed, first, last)


def test_a_shop_without_features_is_told_to_run_first(
    folders: ShopFolders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DateNotPossible, match="has no features yet"):
        span_of_warehouse(folders, load_settings("demo"))
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(folders.data_root))
    assert main(["backfill", "2017-06-05"]) == 1
    assert "Next: make run SHOP=demo" in capsys.readouterr().err
    assert not folders.warehouse.exists()
    assert not folders.runs.exists(), "no run was begun for it"
