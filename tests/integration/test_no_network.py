"""No part of a run or of the UI calls out: the telemetry of dbt, Dagster and Great Expectations is off by default."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shops import PROJECT_ROOT, ShopFolders
from tests.conftest import small_environment
from tests.integration.web_server import WebServer

GUARD = Path(__file__).with_name("no_network")


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python processes note and refuse every call to the outside."""
    return {"PYTHONPATH": str(GUARD), "AUDIENCE_TEST_NETWORK_LOG": str(tmp_path / "network.log")}


def _calls(environment: dict[str, str]) -> list[str]:
    lines = Path(environment["AUDIENCE_TEST_NETWORK_LOG"]).read_text().splitlines()
    assert "guarded process" in lines, "the guard was not loaded, so this test would prove nothing"
    return [line for line in lines if line != "guarded process"]


def test_the_guard_sees_a_call(guarded: dict[str, str]) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://telemetry.invalid/')"
    failed = subprocess.run([sys.executable, "-c", code], env={**os.environ, **guarded}, capture_output=True)
    assert failed.returncode != 0
    assert _calls(guarded) == ["look up telemetry.invalid"]


def test_a_run_makes_no_call(fresh_shop: ShopFolders, guarded: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "run"],
        cwd=PROJECT_ROOT,
        env={**small_environment(fresh_shop.data_root), **guarded},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert _calls(guarded) == []


def test_dbt_from_the_shell_and_the_ui_make_no_call(shop: ShopFolders, guarded: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", "-s", "tag:marts", "--target-path", str(shop.data / "target")],
        cwd=PROJECT_ROOT,
        env={**small_environment(shop.data_root), **guarded},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    with WebServer(shop, guarded) as server:
        assert server.query("{ version }")["version"]
        assert server.query("{ assetNodes { id } }")["assetNodes"]
    assert _calls(guarded) == []
