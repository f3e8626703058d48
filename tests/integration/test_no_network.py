"""No part of a run or of the UI calls out: the telemetry of dbt, Dagster and Great Expectations is off by default."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shops import PROJECT_ROOT, ShopFolders
from tests.conftest import NETWORK_LOG, network_guard, small_environment
from tests.integration.web_server import WebServer


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    return network_guard(tmp_path / NETWORK_LOG)


def _calls(log: Path) -> list[str]:
    lines = log.read_text().splitlines()
    assert "guarded process" in lines, "the guard was not loaded, so this test would prove nothing"
    return [line for line in lines if line != "guarded process"]


def test_the_guard_sees_a_call(guarded: dict[str, str], tmp_path: Path) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://telemetry.invalid/')"
    failed = subprocess.run([sys.executable, "-c", code], env={**os.environ, **guarded}, capture_output=True)
    assert failed.returncode != 0
    assert _calls(tmp_path / NETWORK_LOG) == ["look up telemetry.invalid"]


def test_a_run_from_landing_to_publish_makes_no_call(good_shop: Path) -> None:
    assert _calls(good_shop / NETWORK_LOG) == []


@pytest.mark.slow
def test_dbt_from_the_shell_and_the_ui_make_no_call(shop: ShopFolders, guarded: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", "-s", "tag:marts", "--target-path", str(shop.data / "target")],
        cwd=PROJECT_ROOT,
        env={**small_environment(shop.data_root), **guarded},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout
    with WebServer(shop, guarded) as server:
        assert server.query("{ version }")["version"]
        assert server.query("{ assetNodes { id } }")["assetNodes"]
    assert _calls(tmp_path / NETWORK_LOG) == []
