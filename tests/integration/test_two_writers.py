"""Two runs at once: the second waits its turn or is refused in words; nobody sees a lock error of the engine."""

from __future__ import annotations

import time

import pytest

from orchestration.lock import WAIT_VARIABLE, write_lock
from shops import ShopFolders
from tests.conftest import run_command
from tests.integration.outcome import ReaderView
from tests.integration.web_server import WebServer


def test_dbt_from_the_shell_is_refused_in_words(shop: ShopFolders) -> None:
    with write_lock(shop.lock, "a run from the shell"):
        refused = run_command(shop.data_root, "-m", "dbt.cli.main", "run", "-s", "dim_dates", **{WAIT_VARIABLE: "0"})
    assert refused.returncode != 0
    assert "the warehouse is being written by a run from the shell" in refused.stdout
    assert "Conflicting lock" not in refused.stdout + refused.stderr


def test_a_run_is_refused_in_words_when_it_may_not_wait(shop: ShopFolders) -> None:
    with write_lock(shop.lock, "dbt from the shell"):
        refused = run_command(shop.data_root, "-m", "orchestration", "run", **{WAIT_VARIABLE: "0"})
    assert refused.returncode == 1
    assert "the warehouse is being written by dbt from the shell" in refused.stderr
    assert "Traceback" not in refused.stderr


def _wait_until_it_writes(shop: ShopFolders) -> None:
    """Until a run has its copy of the warehouse, which it makes when it has its turn."""
    deadline = time.monotonic() + 300
    while not any(shop.runs.glob("*/warehouse.duckdb")):
        assert time.monotonic() < deadline, "the run from the UI did not begin"
        time.sleep(0.2)


@pytest.mark.slow
def test_a_run_from_the_ui_and_one_from_the_shell_take_turns(shop: ShopFolders) -> None:
    with WebServer(shop) as server:
        from_ui = server.launch("refresh")
        _wait_until_it_writes(shop)
        from_shell = run_command(shop.data_root, "-m", "orchestration", "run")
        assert from_shell.returncode == 0, from_shell.stdout + from_shell.stderr
        assert from_shell.stderr.count("waiting: the warehouse is being written by") == 1
        assert "Conflicting lock" not in from_shell.stdout + from_shell.stderr
        server.wait_for_success(from_ui)

        # One asset alone can be materialized too: its table in the warehouse is new, what is published stays.
        before = ReaderView.of(shop)
        asset = [{"path": ["marts", "dim_dates"]}]
        server.wait_for_success(server.launch("__ASSET_JOB", assetSelection=asset, assetCheckSelection=[]))
        after = ReaderView.of(shop)
        assert (after.folder, after.database) == (before.folder, before.database)
        assert after.warehouse != before.warehouse
