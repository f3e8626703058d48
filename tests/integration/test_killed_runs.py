"""A run is killed without warning: the next one finishes, and its tables equal those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from orchestration.content import content_hashes
from orchestration.running import run_chain
from shops import PROJECT_ROOT, ShopFolders
from tests.conftest import small_environment
from tests.integration.outcome import ReaderView


@pytest.mark.parametrize("after", ["gate      landing", "gate      features", "segments"])
def test_the_run_after_a_kill_equals_an_undisturbed_one(after: str, shop: ShopFolders) -> None:
    before = ReaderView.of(shop)
    undisturbed = content_hashes(shop.warehouse)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "orchestration", "run"],
        cwd=PROJECT_ROOT,
        env=small_environment(shop.data_root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(after):
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(timeout=60)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL, "".join(said)
    assert ReaderView.of(shop) == before
    assert any(shop.runs.iterdir()), "the killed run's folder is there to look into"

    outcome = run_chain(shop)

    assert outcome.success, outcome.failures
    assert content_hashes(shop.warehouse) == undisturbed
