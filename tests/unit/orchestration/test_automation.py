"""What starts runs by itself: schedules in the shop's time zone, a sensor for files that are whole. Off at first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion import adapters
from orchestration.arrivals import LOADS_KEY, SEEN, Waiting, arrivals
from orchestration.automation import build_schedules, build_sensor
from orchestration.order_age_check import judge
from shops import Settings, SettingsError, ShopFolders, load_settings


@dg.op
def nothing() -> None:
    pass


@dg.job
def refresh() -> None:
    nothing()


@dg.job
def retrain() -> None:
    nothing()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShopFolders:
    """A shop whose mapping names CSV files of a folder."""
    own = tmp_path / "shops" / "corner"
    own.mkdir(parents=True)
    (tmp_path / "inbox").mkdir()
    monkeypatch.setattr(ShopFolders, "own", property(lambda self: tmp_path / "shops" / self.shop))
    columns = "{order_id: id, occurred_at: at, loyalty_id: card}"
    lines = "{order_id: id, product_id: sku, net_amount: paid}"
    (own / "mapping.yml").write_text(
        f"source: {{folder: {tmp_path / 'inbox'}}}\nzone: UTC\ncurrency: EUR\ntables:\n"
        f"  orders: {{from: 'orders*.csv', columns: {columns}}}\n"
        f"  order_lines: {{from: 'orders*.csv', columns: {lines}}}\n"
    )
    (own / "settings.yml").write_text("source: {adapter: mapping}\noperations: {settled_seconds: 60}\n")
    return ShopFolders.of("corner", tmp_path / "data")


@pytest.fixture
def settings(folders: ShopFolders) -> Settings:
    return load_settings(folders.shop)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def _deliver(folders: ShopFolders, name: str, rows: int = 1) -> None:
    (folders.own.parent.parent / "inbox" / name).write_text("id,at,card,sku,paid\n" + "1,2017-01-01,2,3,4\n" * rows)


def _tick(
    folders: ShopFolders, settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    sensor = build_sensor(refresh, folders, settings)
    told = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(told, dg.SensorResult | dg.SkipReason)
    return told


def _earlier(cursor: str | None, seconds: int) -> str:
    waiting = Waiting.read(cursor)
    assert waiting is not None
    return Waiting(waiting.key, waiting.since - timedelta(seconds=seconds)).written()


def test_files_start_one_run_when_they_are_whole(
    folders: ShopFolders, settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert isinstance(_tick(folders, settings, instance), dg.SkipReason)
    _deliver(folders, "orders-1.csv")
    _deliver(folders, "notes.csv")  # the mapping does not name it

    first = _tick(folders, settings, instance)
    assert isinstance(first, dg.SensorResult)
    assert not first.run_requests
    # It grew meanwhile: the waiting begins anew.
    _deliver(folders, "orders-1.csv", rows=2)
    second = _tick(folders, settings, instance, _earlier(first.cursor, 90))
    assert isinstance(second, dg.SensorResult)
    assert not second.run_requests
    # Unchanged for too short, then for long enough.
    third = _tick(folders, settings, instance, _earlier(second.cursor, 30))
    assert isinstance(third, dg.SensorResult)
    assert not third.run_requests
    fourth = _tick(folders, settings, instance, _earlier(second.cursor, 61))
    assert isinstance(fourth, dg.SensorResult)
    (request,) = fourth.run_requests or []
    assert request.run_key == arrivals(folders, settings)

    # Another look at the same files asks with the same key, of which Dagster starts one run.
    again = _tick(folders, settings, instance, fourth.cursor and _earlier(fourth.cursor, 61))
    assert isinstance(again, dg.SensorResult)
    assert [each.run_key for each in again.run_requests or []] == [request.run_key]


def test_files_that_a_run_has_seen_start_none(
    folders: ShopFolders, settings: Settings, instance: dg.DagsterInstance
) -> None:
    _deliver(folders, "orders-1.csv")
    seen = arrivals(folders, settings)
    instance.report_runless_asset_event(dg.AssetMaterialization(LOADS_KEY, metadata={SEEN: seen}))
    told = _tick(folders, settings, instance)
    assert isinstance(told, dg.SkipReason)
    assert "has seen all files" in str(told.skip_message)
    _deliver(folders, "orders-2.csv")
    assert isinstance(_tick(folders, settings, instance), dg.SensorResult)


def test_a_folder_that_is_away_is_said_and_no_error(
    folders: ShopFolders, settings: Settings, instance: dg.DagsterInstance
) -> None:
    (folders.own.parent.parent / "inbox").rmdir()
    told = _tick(folders, settings, instance)
    assert isinstance(told, dg.SkipReason)
    assert "does not exist" in str(told.skip_message)


def test_where_other_programs_land_the_rows_of_loads_are_news(tmp_path: Path) -> None:
    folders, settings = ShopFolders.of("demo", tmp_path), load_settings("demo")
    assert arrivals(folders, settings) is None
    row = folders.landing / "loads" / "load_date=2017-01-01" / "first.parquet"
    row.parent.mkdir(parents=True)
    row.write_bytes(b"x")
    before = arrivals(folders, settings)
    assert adapters.arriving_files(folders, settings) == [row]
    os.utime(row, (1, 1))
    assert arrivals(folders, settings) not in {None, before}


def test_schedules_run_by_the_shop_s_clock_and_are_off() -> None:
    settings = load_settings("demo")
    schedules = build_schedules(refresh, retrain, settings)
    assert [schedule.name for schedule in schedules] == ["refresh_schedule", "retrain_schedule"]
    for schedule in schedules:
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
        assert schedule.execution_timezone == "America/New_York"
        assert schedule.cron_schedule == ("0 5 * * *" if schedule.name == "refresh_schedule" else "0 2 * * 0")


def test_a_wrong_cron_is_told_with_its_setting() -> None:
    settings = load_settings("demo")
    wrong = settings.operations.model_copy(update={"refresh_cron": "0 25 * * *"})
    with pytest.raises(SettingsError, match=r"operations\.refresh_cron: '0 25"):
        build_schedules(refresh, retrain, settings.model_copy(update={"operations": wrong}))


@pytest.mark.parametrize(
    ("newest", "max_days", "passes"),
    [
        (date(2017, 12, 31), None, True),
        (date(2026, 1, 8), 2, True),
        (date(2026, 1, 7), 2, False),
        (None, None, False),
    ],
)
def test_the_age_of_the_newest_order(newest: date | None, max_days: int | None, passes: bool) -> None:
    result = judge(newest, date(2026, 1, 10), max_days)
    assert result.passed is passes
    assert result.severity == dg.AssetCheckSeverity.WARN
