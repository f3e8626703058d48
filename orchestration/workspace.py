"""A run's own copy of the warehouse, and how it becomes the warehouse.

A run works in `runs/<run_id>/`. Only a run without a failed step or gate replaces the warehouse, by rename; anything
else is a folder to inspect, never state to repair. The write lock is held from the copy to the rename.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType
from pydantic import PrivateAttr

from orchestration.lock import write_lock
from shops import ShopFolders

KEPT_FAILED_RUNS = 3
WAREHOUSE_FILE = "warehouse.duckdb"


class RunWorkspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse copy that every step of one run reads and writes."""

    shop: str
    data_root: str

    _run_id: str = PrivateAttr(default="")

    @property
    def folders(self) -> ShopFolders:
        return ShopFolders.of(self.shop, Path(self.data_root))

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def folder(self) -> Path:
        return self.folders.runs / self._run_id

    @property
    def warehouse(self) -> Path:
        """The file that this run works on."""
        return self.folder / WAREHOUSE_FILE

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RunWorkspace]:
        run = context.run
        if run is None:
            raise RuntimeError("a run workspace exists only within a run")
        self._run_id = run.run_id
        with write_lock(self.folders.lock, f"run {run.run_id[:8]}"):
            self._open()
            try:
                yield self
            finally:
                if not _has_failed(context.instance, run.run_id):
                    self.promote()
                prune_runs(self.folders.runs)

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.folders.warehouse.exists():
            # --reflink: on a file system that can, the copy costs nothing until it is written.
            source, target = str(self.folders.warehouse), str(self.warehouse)
            subprocess.run(["cp", "--reflink=auto", source, target], check=True)

    def promote(self) -> None:
        """Make this run's warehouse the warehouse; a second call does nothing."""
        if self.warehouse.exists():
            self.warehouse.replace(self.folders.warehouse)
        shutil.rmtree(self.folder, ignore_errors=True)


def prune_runs(runs: Path) -> None:
    """Keep the folders of the last failed runs, drop the older ones."""
    folders = sorted((path for path in runs.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-KEPT_FAILED_RUNS]:
        shutil.rmtree(folder, ignore_errors=True)


def _has_failed(instance: dg.DagsterInstance | None, run_id: str) -> bool:
    """Whether a step of the run failed or never came to an end; a failed blocking gate fails its step."""
    if instance is None:
        return True
    started = {r.dagster_event.step_key for r in _events(instance, run_id, DagsterEventType.STEP_START)}
    succeeded = {r.dagster_event.step_key for r in _events(instance, run_id, DagsterEventType.STEP_SUCCESS)}
    return bool(started - succeeded) or not started


def _events(instance: dg.DagsterInstance, run_id: str, kind: DagsterEventType) -> list:  # type: ignore[type-arg]
    return [record for record in instance.all_logs(run_id, of_type=kind) if record.dagster_event]
