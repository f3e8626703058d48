"""The contract with two semi-private calls: dbt's events become Dagster's, and the file is free afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.dbt_in_process import DbtFailed, InProcessDbt
from orchestration.definitions import build_definitions
from orchestration.event_log import PatientSqliteEventLogStorage
from orchestration.instance import open_instance
from orchestration.lock import write_lock
from orchestration.running import run_chain
from orchestration.stages import DBT_STAGES
from shops import ShopFolders


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> InProcessDbt:
    return InProcessDbt(ShopFolders.of("demo", tmp_path_factory.mktemp("data")))


def test_the_file_is_free_after_dbt(dbt: InProcessDbt) -> None:
    with write_lock(dbt.folders.lock, "test"):
        dbt.prepare(dbt.folders.warehouse)
        for read_only in (False, True):
            with duckdb.connect(str(dbt.folders.warehouse), read_only=read_only) as connection:
                assert connection.execute("select count(*) from ml.scores").fetchone() == (0,)


def test_tables_of_python_follow_their_contract(dbt: InProcessDbt) -> None:
    """A warehouse of an earlier version: a column is missing, one has another type, one is gone from the contract."""
    with write_lock(dbt.folders.lock, "test"):
        warehouse = dbt.folders.data / "older.duckdb"
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("create schema ml")
            connection.execute("create table ml.scores (customer_id varchar, score varchar, gone integer)")
            connection.execute("insert into ml.scores values ('c', '0.5', 1)")
        dbt.prepare(warehouse)
        with duckdb.connect(str(warehouse)) as connection:
            columns = dict(
                connection.execute(
                    "select column_name, data_type from duckdb_columns() where table_name = 'scores'"
                ).fetchall()
            )
            assert columns["score"] == "DOUBLE"
            assert columns["as_of_date"] == "DATE"
            assert "gone" not in columns
            assert connection.execute("select customer_id, score from ml.scores").fetchall() == [("c", 0.5)]


def test_a_copied_shop_is_not_parsed_anew(dbt: InProcessDbt, tmp_path: Path) -> None:
    elsewhere = ShopFolders.of("demo", tmp_path)
    shutil.copytree(dbt.target_folder, elsewhere.data / "dbt")
    again = InProcessDbt(elsewhere)
    assert json.loads((again.target_folder / "perf_info.json").read_text())["parsed_path_count"] == 0
    assert again.models_of("marts") == dbt.models_of("marts")


@pytest.mark.parametrize("stage", DBT_STAGES)
def test_a_whole_stage_is_asked_for_by_its_tag(dbt: InProcessDbt, stage: str) -> None:
    """And the tag gives the same models and tests as their names."""
    names = dbt.models_of(stage)
    assert dbt._selection(names) == [f"tag:{stage}"]
    assert dbt._selection(names[1:]) == names[1:]
    by_name, by_tag = (
        set(dbt._invoke(["ls", "--exclude-resource-type", "unit_test", "--select", *asked]).result)
        for asked in (names, [f"tag:{stage}"])
    )
    assert by_name == by_tag
    assert len(by_tag) > len(names)


def test_a_project_that_does_not_parse_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.dbt_in_process.PROJECT_ROOT", tmp_path)
    with pytest.raises(DbtFailed, match="does not parse"):
        InProcessDbt(ShopFolders.of("demo", tmp_path))


def test_a_run_without_data_says_what_to_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the proof that events go through our event log and come back from it."""
    monkeypatch.setattr("orchestration.landing_assets.land_shop", lambda *_: [])
    folders = ShopFolders.of("demo", tmp_path)
    folders.data.mkdir()
    duckdb.connect(str(folders.warehouse)).close()  # `dbt compile` leaves such an empty file behind.
    outcome = run_chain(folders)
    assert not outcome.success
    assert outcome.failures[0].startswith("gates__landing: gate landing failed")
    assert not folders.current.exists()
    with open_instance(folders) as instance:
        assert isinstance(instance.event_log_storage, PatientSqliteEventLogStorage)
        run = instance.get_run_by_id(outcome.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)


def test_definitions_load_without_side_effects_on_data(tmp_path: Path) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build_definitions(folders)
    assert not folders.warehouse.exists()
    assert not folders.landing.exists()
