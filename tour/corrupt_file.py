"""A file lands that was cut on its way: the first gate is red, nothing is built, readers see what they saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestration.publishing import DATABASE_FILE
from orchestration.warehouse import reading
from shops import ShopFolders
from tour.copies import replace_file
from tour.telling import Teller

TITLE = "a corrupt file lands"
NEEDS = ("landing", "published", "state", "models", "dbt", "warehouse.duckdb")


@dataclass(frozen=True)
class Figures:
    """What the scene found; checksums are SHA-256 of the published database in the copy."""

    file: Path
    is_red: bool
    failures: list[str]
    published_before: str
    published_after: str
    warehouse_before: str
    warehouse_after: str


def play(copy: ShopFolders, tell: Teller) -> Figures:
    """Cut the newest file of order lines in half, run the chain, look at what is published."""
    from orchestration.progress import print_progress
    from orchestration.running import run_chain

    file = max((copy.landing / "order_lines").glob("*/*.parquet"), key=lambda one: one.stat().st_size)
    whole = file.read_bytes()
    published, warehouse = _checksum(copy.current / DATABASE_FILE), _checksum(copy.warehouse)
    run_before, held, expected = copy.current.resolve().name, *_landing_gate(copy)
    replace_file(file, whole[: len(whole) // 2])
    tell.does(f"cut {file.relative_to(copy.landing)} from {len(whole):,} to {len(whole) // 2:,} bytes")
    tell.does("run the chain: python -m orchestration run")
    print_progress(tell.says)
    outcome = run_chain(copy)
    for failure in outcome.failures:
        tell.says(f"failed: {failure}")
    found = Figures(
        file, not outcome.success, outcome.failures, published, _checksum(copy.current / DATABASE_FILE), warehouse,
        _checksum(copy.warehouse),
    )  # fmt: skip
    tell.shows(
        "What readers see",
        ("", "before", "after"),
        [
            ("gate of the landing zone", f"green, {held} of {expected} hold", "red" if found.is_red else "green"),
            ("published run", run_before[:8], copy.current.resolve().name[:8]),
            ("published database, SHA-256", found.published_before[:16], found.published_after[:16]),
            ("warehouse, SHA-256", found.warehouse_before[:16], found.warehouse_after[:16]),
        ],
    )
    tell.look(
        [
            (copy.shown(copy.reports / "gates" / "landing.html"), "the red gate's report (in the copy)"),
            ("make ui, group landing", "your gates, and what each of them found"),
            ("tests/integration/test_landing_faults.py", "more that a file can be wrong in"),
        ]
    )
    return found


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _landing_gate(copy: ShopFolders) -> tuple[int, int]:
    """How many expectations of the landing zone held in the published run, of how many."""
    with reading(copy.current / DATABASE_FILE) as connection:
        row = connection.execute(
            "select count(*) filter (success), count(*) from marts.rpt_data_quality where gate = 'landing'"
        ).fetchone()
    assert row is not None
    return row[0], row[1]
