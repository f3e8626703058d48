"""Up to when it is known what customers did next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from orchestration.warehouse import reading


def newest_known(warehouse: Path, horizon_days: int) -> date:
    """The newest scheduled as-of date whose outcome has been observed."""
    with reading(warehouse) as connection:
        row = connection.execute(
            "select max(as_of_date) from features.label_purchase join features.int_as_of_dates using (as_of_date) "
            "where is_scheduled and horizon_days = ?",
            [horizon_days],
        ).fetchone()
    assert row is not None, "an aggregate has one row"
    day: date = row[0]
    return day
