"""The synthetic overlay: events a second and peak memory of generating it at several sizes, each in its own process.

Three figures. The whole overlay, from the real orders to the last file: people, contacts, truth and events of every
kind (web, mail, consent, tickets, answers). The web events alone, with the people and visits that they need. And the
landing of the copied shop (orders, lines, members, redemptions), which a scale above 1 brings along.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measuring import Measured, Row, run_python, write_results
from ingestion import LandingZone, completejourney
from ingestion.landing_zone import TableWriter
from ingestion.overlay import OverlayPlan, copied_tables, generate, land_generated, new_connection

# Web events and people per real household: about 120 events a person, and last a million people.
SIZES = ((1_000_000, 4), (10_000_000, 34), (50_000_000, 170), (50_000_000, 405))
GOAL_EVENTS_PER_SECOND, GOAL_MEMORY_MB = 1_000_000, 6_000
# Copies of a million people are 600 million order lines; a twentieth says what a row costs.
COPIES_SCALE = 20


def main() -> None:
    """Measure, print, rewrite the results."""
    rows: list[Row] = []
    for events, scale in SIZES:
        rows += [_overlay(events, scale), _web_events(events, scale)]
        _print(rows[-2])
        _print(rows[-1])
    rows.append(_copies())
    _print(rows[-1])
    print(f"written to {write_results('generation', rows)}")


def _overlay(events: int, scale: int) -> Row:
    measured, made = _in_a_process("overlay", scale, events)
    of_every_kind = made["rows"] - made["contacts"]
    return _row(
        f"overlay of {made['people']:,} people, {of_every_kind:,} events of which {made['web_events']:,} on the web",
        measured, made, of_every_kind,
    )  # fmt: skip


def _web_events(events: int, scale: int) -> Row:
    measured, made = _in_a_process("web events", scale, events)
    return _row(f"web events of {made['people']:,} people alone", measured, made, made["web_events"])


def _row(name: str, measured: Measured, made: Mapping[str, float], events: float) -> Row:
    return Row(
        f"{name} ({events / made['seconds']:,.0f} events a second)",
        round(made["seconds"], 2),
        f"at least {GOAL_EVENTS_PER_SECOND:,} events a second, under {GOAL_MEMORY_MB} MB",
        rows=int(events),
        peak_memory_mb=round(measured.peak_memory_mb),
    )


def _copies() -> Row:
    measured, made = _in_a_process("copies", COPIES_SCALE, 0)
    return Row(
        f"landing of {COPIES_SCALE} copies of the shop ({made['rows'] / made['seconds']:,.0f} rows a second)",
        round(made["seconds"], 2),
        f"under {GOAL_MEMORY_MB} MB",
        rows=int(made["rows"]),
        peak_memory_mb=round(measured.peak_memory_mb),
    )


def _in_a_process(what: str, scale: int, events: int) -> tuple[Measured, dict[str, float]]:
    code = f"from benchmarks.generation import generate_here; generate_here({what!r}, {scale}, {events})"
    measured = run_python("-c", code)
    made: dict[str, float] = json.loads(measured.output.strip().splitlines()[-1])
    return measured, made


def generate_here(what: str, scale: int, events: int) -> None:
    """Generate in this process and print what it took, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        zone = LandingZone(Path(folder) / "landing")
        real = completejourney.land(zone)
        base = completejourney.landed_tables(zone, real.load_id)
        plan = OverlayPlan(scale=scale, events=events)
        with new_connection() as connection:
            started = time.perf_counter()
            overlay = generate(connection, base, plan)
            if what == "overlay":
                load = land_generated(zone, Path(folder) / "truth", overlay)
            else:
                tables: dict[str, str | TableWriter] = {"web_events": overlay.web_events().write}
                if what == "copies":
                    started = time.perf_counter()
                    tables = dict(copied_tables(connection, plan, base))
                load = zone.land(
                    connection, load_id="measured", source="benchmark", load_date=completejourney.LOAD_DATE,
                    known_at_is_assumed=True, is_synthetic=True, tables=tables,
                )  # fmt: skip
            seconds = time.perf_counter() - started
    rows = dict(load.rows)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "people": overlay.people,
                "web_events": rows.get("web_events", 0),
                "contacts": rows.get("crm_contacts", 0),
                "rows": sum(rows.values()),
            }
        )
    )


def _print(row: Row) -> None:
    print(f"{row.name}: {row.ours_seconds} s, {row.peak_memory_mb:,.0f} MB ({row.goal})", flush=True)
