"""A run's copy of the warehouse, and what becomes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.workspace import KEPT_FAILED_RUNS, RunWorkspace, prune_runs
from shops import ShopFolders

WRITE_AND_DIE = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("set wal_autocheckpoint = '1TB'")
connection.execute("create table kept as select 42 as answer")
os._exit(9)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> RunWorkspace:
    workspace = RunWorkspace(shop="demo", data_root=str(tmp_path))
    workspace._run_id = "run-1"
    workspace.folders.data.mkdir()
    return workspace


def test_what_a_killed_writer_had_committed_is_in_the_copy(workspace: RunWorkspace) -> None:
    warehouse = workspace.folders.warehouse
    duckdb.connect(str(warehouse)).close()
    subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(warehouse)], check=False)
    assert warehouse.with_name("warehouse.duckdb.wal").exists()

    workspace._open()

    with duckdb.connect(str(workspace.warehouse), read_only=True) as copy:
        assert copy.execute("from kept").fetchall() == [(42,)]


def test_promoting_replaces_the_warehouse_and_leaves_nothing_of_the_run(workspace: RunWorkspace) -> None:
    workspace._open()
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("create table fresh as select 1 as one")
    log = workspace.folders.warehouse.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"of an older file")

    workspace.promote()

    assert not log.exists()
    assert not workspace.folder.exists()
    with duckdb.connect(str(workspace.folders.warehouse), read_only=True) as connection:
        assert connection.execute("from fresh").fetchall() == [(1,)]


def test_only_the_last_failed_runs_stay(tmp_path: Path) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    for number in range(KEPT_FAILED_RUNS + 2):
        (folders.runs / f"run-{number}").mkdir(parents=True)
    prune_runs(folders.runs)
    assert len(list(folders.runs.iterdir())) == KEPT_FAILED_RUNS
