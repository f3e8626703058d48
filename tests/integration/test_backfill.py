"""Features at a date of the past: as a full build has them, beside what stands, kept, and only when the gate holds."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations import run_gate
from orchestration import gate_assets
from orchestration.backfill_asset import BACKFILL_KEY
from orchestration.content import content_hashes
from orchestration.instance import open_instance
from orchestration.running import run_backfill, run_chain
from orchestration.warehouse import reading
from shops import PROJECT_ROOT, ShopFolders
from tests.conftest import small_environment
from tests.integration.dbt_here import dbt
from tests.integration.outcome import ReaderView
from tests.integration.web_server import WebServer

ASKED = date(2017, 6, 7)  # a Wednesday: no date of the schedule, and no campaign starts on it


def _rows(shop: ShopFolders, condition: str) -> dict[str, tuple[int, str]]:
    """Of each table of features and labels the number of rows and a hash of them, at dates that fulfil `condition`."""
    with reading(shop.warehouse) as connection:
        tables = connection.execute(
            "select table_name from duckdb_columns() where schema_name = 'features' and column_name = 'as_of_date' "
            "and (table_name like 'feat%' or table_name like 'int\\_features%' escape '\\' or table_name like 'label%')"
        ).fetchall()
        assert len(tables) > 15
        return {
            table: connection.execute(
                f"select count(*), bit_xor(hash(asked))::varchar from features.{table} as asked where {condition}"
            ).fetchone()
            for (table,) in tables
        }  # type: ignore[return-value]


def _marked(shop: ShopFolders) -> set[str]:
    with open_instance(shop) as instance:
        return instance.get_materialized_partitions(BACKFILL_KEY)


@pytest.mark.slow
def test_a_failing_gate_leaves_the_warehouse_as_it_was(shop: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ReaderView.of(shop)

    def corrupt_then_check(gate: str, warehouse: Path, **options: object) -> object:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(f"update features.int_features__rfm set total_spend = 0 where as_of_date = '{ASKED}'")
        return run_gate(gate, warehouse, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(gate_assets, "run_gate", corrupt_then_check)
    outcome = run_backfill(shop, [ASKED])

    (reason,) = outcome.failures
    assert reason.startswith("backfill__features: gate features failed: ")
    assert ReaderView.of(shop) == before
    assert _marked(shop) == set(), "a date is marked as there only when it is"
    assert (shop.runs / outcome.run_id / "warehouse.duckdb").exists(), "the failed run is kept to look into"


@pytest.mark.slow
def test_a_date_is_added_as_a_full_build_has_it_and_stays(shop: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    before, others = ReaderView.of(shop), _rows(shop, f"as_of_date <> '{ASKED}'")
    # Another date that "now" may mean, asked for in passing, would drop those after it.
    monkeypatch.setenv("AUDIENCE_AS_OF", "2017-10-02")
    outcome = run_backfill(shop, [ASKED])
    monkeypatch.delenv("AUDIENCE_AS_OF")

    assert outcome.success, outcome.failures
    assert _rows(shop, f"as_of_date <> '{ASKED}'") == others
    added = _rows(shop, f"as_of_date = '{ASKED}'")
    assert added["feat_customer_rfm"][0] > 150
    assert added["label_purchase"][0] == added["feat_customer_rfm"][0]
    assert _marked(shop) == {ASKED.isoformat()}
    after = ReaderView.of(shop)
    assert (after.folder, after.database, after.parquet) == (before.folder, before.database, before.parquet)

    dbt(
        shop, "build", "--full-refresh", "--select", "tag:features", "--exclude-resource-type", "unit_test",
        as_of_dates=[ASKED.isoformat()],
    )  # fmt: skip
    assert _rows(shop, f"as_of_date = '{ASKED}'") == added
    assert _rows(shop, f"as_of_date <> '{ASKED}'") == others


LAUNCH = """
mutation Launch($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) { __typename ... on LaunchBackfillSuccess { backfillId } }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status runs { startTime endTime } } }
}
"""


@pytest.mark.slow
def test_a_range_from_the_ui_is_one_run_and_ranges_follow_each_other(shop: ShopFolders) -> None:
    dates = ["2017-06-07", "2017-06-08", "2017-07-04"]
    parameters = {"assetSelection": [{"path": list(BACKFILL_KEY.path)}], "partitionNames": dates}
    with WebServer(shop) as server:
        launched = server.query(LAUNCH, parameters=parameters)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        deadline = time.monotonic() + 900
        while True:
            found = server.query(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            if found["status"] not in {"REQUESTED", "COMPLETING"}:
                break
            assert time.monotonic() < deadline, found
            time.sleep(1)
    assert found["status"] == "COMPLETED_SUCCESS"
    first, second = sorted(found["runs"], key=lambda run: run["startTime"])
    assert first["endTime"] <= second["startTime"]
    assert _marked(shop) == set(dates)
    with reading(shop.warehouse) as connection:
        asked = connection.execute("select as_of_date::varchar from features.int_as_of_dates where is_asked_for")
        assert sorted(row[0] for row in asked.fetchall()) == dates


@pytest.mark.slow
def test_a_later_run_keeps_the_date_and_two_backfills_take_turns(shop: ShopFolders) -> None:
    others = ("2017-06-08", "2017-06-10")
    command = [sys.executable, "-m", "orchestration", "backfill"]
    both = [
        subprocess.Popen([*command, *dates], cwd=PROJECT_ROOT, env=small_environment(shop.data_root), text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for dates in ([ASKED.isoformat()], others)
    ]  # fmt: skip
    said = [run.communicate(timeout=900) for run in both]
    assert [run.returncode for run in both] == [0, 0], said
    assert "".join(error for _, error in said).count("waiting: the warehouse is being written by") == 1

    asked = f"as_of_date in ('{ASKED}', '{others[0]}', '{others[1]}')"
    added = _rows(shop, asked)
    with reading(shop.warehouse) as connection:
        dates = connection.execute(f"select distinct as_of_date from features.feat_customer_rfm where {asked}")
        assert len(dates.fetchall()) == 3
    assert _marked(shop) == {ASKED.isoformat(), *others}

    outcome = run_chain(shop)
    assert outcome.success, outcome.failures
    assert _rows(shop, asked) == added
    # Asked for again, nothing is computed, and nothing differs.
    before = content_hashes(shop.warehouse)
    assert run_backfill(shop, [ASKED]).success
    assert {t for t, c in content_hashes(shop.warehouse).items() if before[t] != c} <= {"quality.gate_results"}
