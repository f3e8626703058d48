"""Two that write one landing zone take turns; whoever may not wait is told who holds it."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingestion import LandingError, LandingZone
from ingestion.landing_lock import WAIT_VARIABLE
from tests.unit.ingestion.test_landing_zone import ORDER


def _land(root: Path, load_id: str, failed: list[Exception]) -> None:
    try:
        with duckdb.connect() as connection:
            LandingZone(root).land(
                connection,
                load_id=load_id,
                source="test",
                load_date=date(2024, 1, 2),
                known_at_is_assumed=False,
                tables={"orders": ORDER},
            )
    except Exception as error:
        failed.append(error)


def test_loads_of_several_writers_have_a_number_each(tmp_path: Path) -> None:
    failed: list[Exception] = []
    writers = [threading.Thread(target=_land, args=(tmp_path, f"load_{n}", failed)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    numbers = duckdb.sql(f"select load_sequence from '{tmp_path}/loads/*/*.parquet' order by all").fetchall()
    assert numbers == [(n,) for n in range(1, 7)]


def test_the_same_load_by_several_writers_lands_once(tmp_path: Path) -> None:
    failed: list[Exception] = []
    writers = [threading.Thread(target=_land, args=(tmp_path, "same", failed)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert len(LandingZone(tmp_path).loads()) == 1


def test_who_may_not_wait_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WAIT_VARIABLE, "0")
    failed: list[Exception] = []
    with LandingZone(tmp_path).writing():
        _land(tmp_path, "second", failed)
    (error,) = failed
    assert isinstance(error, LandingError)
    assert "is being written by process " in str(error)
    _land(tmp_path, "second", failed)
    assert [load.load_id for load in LandingZone(tmp_path).loads()] == ["second"]


def test_within_one_writer_it_can_be_taken_again(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    with zone.writing(), zone.writing():
        zone.prepare()
