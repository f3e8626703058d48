"""A run is refused, or killed without warning: the next one finishes with the tables of an undisturbed run."""

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

# The progress line after which the run is killed: while staging, scores and marts are at work.
MOMENTS = ("gate      landing", "gate      features", "segments")


def _run_and_kill(shop: ShopFolders, after: str) -> None:
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


def _run_on_a_file_that_is_cut(shop: ShopFolders) -> None:
    (file,) = (shop.landing / "order_lines").glob("load_date=2018*/*.parquet")
    good, times = file.read_bytes(), file.stat()
    file.write_bytes(good[: len(good) // 2])
    outcome = run_chain(shop)
    (failure,) = (failure for failure in outcome.failures if failure.startswith("gates__landing"))
    assert file.name in failure
    assert "order_lines" in failure
    file.write_bytes(good)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.slow
def test_refused_once_and_killed_at_three_stages_the_next_run_equals_an_undisturbed_one(shop: ShopFolders) -> None:
    """Each disturbed run is the next run of the one before it, so all but the first start among leftovers."""
    before = ReaderView.of(shop)
    undisturbed = content_hashes(shop.warehouse)
    _run_on_a_file_that_is_cut(shop)
    assert ReaderView.of(shop) == before
    for number, moment in enumerate(MOMENTS, start=2):
        _run_and_kill(shop, moment)
        assert ReaderView.of(shop) == before
        assert len(list(shop.runs.iterdir())) == number, "each such run's folder is there to look into"

    outcome = run_chain(shop)

    assert outcome.success, outcome.failures
    assert content_hashes(shop.warehouse) == undisturbed
