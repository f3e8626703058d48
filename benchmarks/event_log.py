"""Dagster's event log: ours, which keeps connections open, against the one that ships, event by event, alternating."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from benchmarks.measuring import Measured, Row, median_seconds, timed, write_results
from orchestration.event_log import PatientSqliteEventLogStorage

ROUNDS = 5
EVENTS = 300


def main() -> None:
    """Measure, print, rewrite the results."""
    ours: list[Measured] = []
    peers: list[Measured] = []
    for _ in range(ROUNDS):
        ours.append(_write_events(PatientSqliteEventLogStorage))
        peers.append(_write_events(SqliteEventLogStorage))
    row = Row(
        f"storing {EVENTS} asset materializations",
        median_seconds(ours),
        "faster than the storage that ships",
        rows=EVENTS,
        peer="SqliteEventLogStorage of Dagster",
        peer_seconds=median_seconds(peers),
        ratio=round(median_seconds(peers) / median_seconds(ours), 2),
    )
    file = write_results("event_log", [row])
    print(f"{row.name}: {row.ours_seconds} s ours, {row.peer_seconds} s as shipped, ratio {row.ratio}")
    print(f"written to {file}")


def _write_events(storage_class: type[SqliteEventLogStorage]) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "dagster.yaml"
        settings.write_text(
            "event_log_storage:\n"
            f"  module: {storage_class.__module__}\n  class: {storage_class.__name__}\n"
            f"  config: {{base_dir: {folder}/events}}\n"
        )
        with dg.DagsterInstance.from_config(folder) as instance:
            assert type(instance.event_log_storage) is storage_class
            with timed() as measured:
                for number in range(EVENTS):
                    instance.report_runless_asset_event(dg.AssetMaterialization(f"asset_{number % 60}"))
    return measured.result()
