"""The write lock: one holder among processes, re-entrant within one, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.lock import WarehouseBusy, is_held_here, write_lock
from shops import PROJECT_ROOT

HOLD = "import sys, time; from pathlib import Path; from orchestration.lock import acquire; " \
       "acquire(Path(sys.argv[1]), 'a run in the UI'); print('held', flush=True); time.sleep(60)"  # fmt: skip


def _holder(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    holder = _holder(tmp_path / ".lock")
    with (
        pytest.raises(WarehouseBusy, match=r"a run in the UI \(process \d+\)"),
        write_lock(tmp_path / ".lock", "me", 0),
    ):
        pass
    holder.kill()
    holder.communicate()


def test_a_killed_holder_leaves_nothing_to_remove(tmp_path: Path) -> None:
    holder = _holder(tmp_path / ".lock")
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with write_lock(tmp_path / ".lock", "me", 1):
        assert is_held_here(tmp_path / ".lock")
    assert not is_held_here(tmp_path / ".lock")


def test_waiting_ends_when_the_holder_ends(tmp_path: Path) -> None:
    holder = _holder(tmp_path / ".lock")
    subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {holder.pid}"])
    started = time.monotonic()
    with write_lock(tmp_path / ".lock", "me", 30):
        assert time.monotonic() - started > 0.3
    holder.communicate()


def test_the_same_process_may_take_it_again(tmp_path: Path) -> None:
    with write_lock(tmp_path / ".lock", "run"), write_lock(tmp_path / ".lock", "dbt within the run", 0):
        assert is_held_here(tmp_path / ".lock")
    assert not is_held_here(tmp_path / ".lock")
