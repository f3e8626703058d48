"""What a day costs the identity stage: 1% of the records are new, against resolving all of them.

A shop many times the demo lands 95% of its records, then 1% a day. Each day is continued, and resolved wholly on a copy
of the warehouse; both must give the same tables. Seconds are those of dbt (models and data tests) and of linkage,
without the start of Python, the parse of the project, and staging. On the way: who is who in the whole shop.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.demo_shop import build_models, models_after_linkage
from benchmarks.identity import WITH_LINKAGE, quality
from benchmarks.measuring import RESULTS, Measured, Row, run_python, write_results
from ingestion import LandingZone, completejourney
from ingestion.overlay import OverlayPlan, land_overlay
from orchestration.content import content_hashes
from orchestration.dbt_in_process import InProcessDbt
from orchestration.ledger import record_memberships
from orchestration.linkage_asset import link
from shops import ShopFolders, load_settings

SCALE = 130
WEB_EVENTS = 8_000_000
DAYS = 3
GOAL = 0.05
PARTS = 1000
FIRST_PARTS, PARTS_A_DAY = 950, 10
# By what each table is split: a record lands with all of its rows.
KEYS = {
    "crm_contacts": "contact_id",
    "email_events": "email",
    "support_tickets": "email",
    "survey_answers": "email",
    "web_events": "anonymous_id",
}
Step = tuple[dict[str, Any], Measured]


def main() -> None:
    """Measure, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _step(root, "land")
        first, trained = _step(root, "resolve")
        rows = [
            Row(f"{first['records']:,} records resolved, the linkage model trained", first["seconds"], "none",
                first["records"], round(trained.peak_memory_mb)),
        ]  # fmt: skip
        days: list[Step] = []
        wholes: list[Step] = []
        for day in range(DAYS + 1):
            said = _step(root, "day", str(day))
            if day:  # the first writes down what promotion has recorded of all records; it is no usual day
                days.append(said)
                wholes.append(_step(root, "whole"))
        # A run takes a quarter of an hour: what is measured so far is kept.
        file = write_results("identity_increment", [*rows, *_rows(days, wholes)])
        found, _ = _step(root, "quality")
    (RESULTS / "identity_scale.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for row in [*rows, *_rows(days, wholes)]:
        print(f"{row.name}: {row.ours_seconds:.2f} s, {row.peak_memory_mb:,.0f} MB  {row.goal}")
    print(f"who is who in {found['records']:,} records: precision {found['precision']}, recall {found['recall']}")
    print(f"written to {file}")


def _rows(days: Sequence[Step], wholes: Sequence[Step]) -> list[Row]:
    """Medians of days, each beside resolving all on the same state."""
    one_day, whole = (statistics.median(said["seconds"] for said, _ in steps) for steps in (days, wholes))
    records, changed = days[-1][0]["records"], days[-1][0]["changed"]
    parts = ", ".join(
        f"{name} {statistics.median(said['parts'][name] for said, _ in days):.1f} s" for name in days[0][0]["parts"]
    )
    share = f"{one_day / whole:.1%} of resolving all ({parts})"
    return [
        Row(f"{records:,} records resolved anew with the same model", round(whole, 2), "none", records,
            round(max(one.peak_memory_mb for _, one in wholes))),
        Row(f"a day: {changed:,} records changed ({changed / records:.1%}), {share}", round(one_day, 2),
            f"at most {GOAL:.0%} of resolving all, same tables", changed,
            round(max(one.peak_memory_mb for _, one in days)), "resolving all", round(whole, 2),
            round(whole / one_day, 1)),
    ]  # fmt: skip


def _step(root: Path, *arguments: str) -> Step:
    """Run a step in its own process, so that its memory is its own."""
    process = run_python("-m", "benchmarks.identity_increment", str(root), *arguments)
    return json.loads(process.output.strip().splitlines()[-1]), process


def _land(root: Path) -> dict[str, Any]:
    """The whole shop in a zone of its own, and the first parts of it in the zone that is resolved."""
    whole = ShopFolders.of("demo", root / "whole")
    zone = LandingZone(whole.landing)
    real = completejourney.land(zone)
    plan = OverlayPlan(scale=SCALE, events=WEB_EVENTS)
    land_overlay(zone, whole.truth, completejourney.landed_tables(zone, real.load_id), plan)
    folders = ShopFolders.of("demo", root)
    completejourney.land(LandingZone(folders.landing))
    shutil.copytree(whole.truth, folders.truth)
    _land_parts(root, "first", 0, FIRST_PARTS)
    return {}


def _land_parts(root: Path, load_id: str, first: int, end: int) -> None:
    whole, zone = ShopFolders.of("demo", root / "whole"), LandingZone(ShopFolders.of("demo", root).landing)
    tables = {}
    for table, key in KEYS.items():
        rows = f"read_parquet('{whole.landing}/{table}/*/*.parquet', hive_partitioning = false)"
        part = f"coalesce(hash({key}), 0) % {PARTS} between {first} and {end - 1}"
        tables[table] = f"select * exclude (load_id) from {rows} where {part}"
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        zone.land(
            connection,
            load_id=load_id,
            source="benchmark",
            load_date=date(2018, 1, 11),
            known_at_is_assumed=False,
            tables=tables,
            is_synthetic=True,
        )


def _resolve(folders: ShopFolders) -> dict[str, Any]:
    """The identity stage as it is due: before linkage, linkage, after it."""
    dbt = InProcessDbt(folders)
    after = models_after_linkage(dbt)
    parts = {}
    started = time.perf_counter()
    build_models(dbt, [name for name in dbt.models_of("identity") if name not in after])
    parts["rules"] = time.perf_counter() - started
    started = time.perf_counter()
    link(folders.warehouse, folders, load_settings("demo").identity.linkage, "benchmark")
    parts["linkage"] = time.perf_counter() - started
    # A second command with the same manifest must not meet the ephemeral models of staging.
    dbt = InProcessDbt(folders)
    started = time.perf_counter()
    build_models(dbt, after)
    parts["customers"] = time.perf_counter() - started
    counts = {
        name: _number(folders, f"select count(*) from identity.int_identity__{table}")
        for name, table in {"records": "source_records", "changed": "changed_records"}.items()
    }
    return {"seconds": round(sum(parts.values()), 2), "parts": parts, **counts}


def _day(root: Path, day: int) -> dict[str, Any]:
    """Promote what stands, land a day, stage it, and continue identity."""
    folders = ShopFolders.of("demo", root)
    run_id = f"day-{day}"
    with duckdb.connect(str(folders.warehouse)) as connection:
        # What the gate would have written: only then is anything recorded.
        connection.execute("create schema if not exists quality")
        connection.execute(
            "create table if not exists quality.gate_results (gate text, run_id text, success bool, severity text)"
        )
        passed = "select 'identity' as gate, ? as run_id, true as success, 'critical' as severity"
        connection.execute(f"insert into quality.gate_results by name {passed}", [run_id])
    record_memberships(folders, folders.warehouse, run_id)
    first = FIRST_PARTS + day * PARTS_A_DAY
    _land_parts(root, run_id, first, first + PARTS_A_DAY)
    dbt = InProcessDbt(folders)
    build_models(dbt, dbt.models_of("staging"))
    return _resolve(folders)


def _whole(root: Path) -> dict[str, Any]:
    """Resolve all on a copy, with the same linkage model; the tables must be those of the increment."""
    folders = ShopFolders.of("demo", root)
    kept = folders.warehouse.with_suffix(".kept")
    shutil.copy2(folders.warehouse, kept)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute("drop table identity.int_identity__changed_records")
        connection.execute("delete from ml.identity_matches; delete from ml.linkage_records")
    said = _resolve(folders)
    different = _different(folders.warehouse, kept)
    if different:
        raise RuntimeError(f"an increment gives other rows than a full build: {different}")
    kept.replace(folders.warehouse)
    return said


def _different(one: Path, other: Path) -> list[str]:
    """Tables of the stage that have other rows in one warehouse than in the other."""
    here, there = (
        {table: found for table, found in content_hashes(file).items() if table.startswith("identity.")}
        for file in (one, other)
    )
    return sorted(table for table in here.keys() | there.keys() if here.get(table) != there.get(table))


def _number(folders: ShopFolders, query: str) -> int:
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _run(root: Path, step: str, *arguments: str) -> dict[str, Any]:
    folders = ShopFolders.of("demo", root)
    if step == "land":
        return _land(root)
    if step == "resolve":
        dbt = InProcessDbt(folders)
        build_models(dbt, dbt.models_of("staging"))
        return _resolve(folders)
    if step == "day":
        return _day(root, int(arguments[0]))
    if step == "whole":
        return _whole(root)
    return asdict(quality(folders, f"{SCALE} times the shop", WITH_LINKAGE))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_run(Path(sys.argv[1]), *sys.argv[2:])))
    else:
        main()
