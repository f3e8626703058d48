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
import duckdb
from dagster import DagsterEventType
from dagster._core.storage.tags import RESUME_RETRY_TAG
from pydantic import PrivateAttr

from orchestration.cluster_ledger import record_clusters
from orchestration.failures import run_failure
from orchestration.ledger import record_linkage_model, record_memberships
from orchestration.lock import write_lock
from orchestration.model_ledger import record_models
from orchestration.segment_ledger import record_segments
from orchestration.webhook import tell_webhook
from shops import ShopFolders

KEPT_FAILED_RUNS = 3
WAREHOUSE_FILE = "warehouse.duckdb"
PART_OF_THE_CHAIN = "part of the chain"


class RunWorkspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse copy that every step of one run reads and writes."""

    shop: str
    data_root: str

    _run_id: str = PrivateAttr(default="")
    _inputs: str = PrivateAttr(default=PART_OF_THE_CHAIN)

    @property
    def folders(self) -> ShopFolders:
        return ShopFolders.of(self.shop, Path(self.data_root))

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def inputs(self) -> str:
        """The fingerprint of what this run was made from, or that it was only a part of the chain."""
        return self._inputs

    def note_inputs(self, fingerprint: str) -> None:
        """Keep the fingerprint, taken when everything has landed and nothing has been read."""
        self._inputs = fingerprint

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
        if run.tags.get(RESUME_RETRY_TAG) == "true":
            raise dg.Failure(
                "a failed run's warehouse is not carried over, so it cannot be resumed from where it failed. "
                "Next: launch the job 'refresh' anew, or materialize the assets that you want."
            )
        self._run_id, self._inputs = run.run_id, PART_OF_THE_CHAIN
        kept, problem = False, None
        try:
            with write_lock(self.folders.lock, f"run {run.run_id[:8]}"):
                self._open()
                try:
                    yield self
                finally:
                    if not _has_failed(context.instance, run.run_id):
                        self.promote()
                        kept = True
                    prune_runs(self.folders.runs)
        except Exception as error:
            problem = str(error)
            raise
        finally:
            if not kept:
                _tell_of_failure(context, self.folders, run, problem)

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.folders.warehouse.exists():
            # Folds in what a killed `dbt build` left in the write-ahead log: the copy is of the file alone.
            duckdb.connect(str(self.folders.warehouse)).close()
            copy_warehouse(self.folders.warehouse, self.warehouse)

    def promote(self) -> None:
        """Make this run's warehouse the warehouse; a second call does nothing."""
        if self.warehouse.exists():
            # Before the rename: a ledger that is ahead of the warehouse is met by the next run, one behind is not.
            record_memberships(self.folders, self.warehouse, self.run_id)
            record_linkage_model(self.folders, self.warehouse)
            record_segments(self.folders, self.warehouse, self.run_id)
            record_clusters(self.folders, self.warehouse, self.run_id)
            record_models(self.folders, self.warehouse, self.run_id)
            # A log beside the old file must not be played into the new one.
            self.folders.warehouse.with_name(f"{WAREHOUSE_FILE}.wal").unlink(missing_ok=True)
            self.warehouse.replace(self.folders.warehouse)
        shutil.rmtree(self.folder, ignore_errors=True)


def copy_warehouse(source: Path, target: Path) -> None:
    """Copy a file; on a file system that can share blocks, at no cost until one of the two is written."""
    shared = subprocess.run(["cp", "--reflink=auto", str(source), str(target)], stderr=subprocess.DEVNULL)
    if shared.returncode != 0:  # A `cp` that does not know the option.
        shutil.copyfile(source, target)


def prune_runs(runs: Path) -> None:
    """Keep the folders of the last failed runs, drop the older ones."""
    folders = sorted((path for path in runs.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-KEPT_FAILED_RUNS]:
        shutil.rmtree(folder, ignore_errors=True)


def _tell_of_failure(
    context: dg.InitResourceContext, folders: ShopFolders, run: dg.DagsterRun, problem: str | None
) -> None:
    """Here, and not in a sensor or a hook of a job: every run comes by, wherever it was started."""
    if context.instance is None or context.log is None:
        return
    failure = run_failure(context.instance, folders, run, problem)
    context.log.error(failure.text)
    unheard = tell_webhook(failure.as_json())
    if unheard:
        context.log.warning(f"the webhook could not be told of it: {unheard}")


def _has_failed(instance: dg.DagsterInstance | None, run_id: str) -> bool:
    """Whether a step of the run failed or never came to an end; a failed blocking gate fails its step."""
    if instance is None:
        return True
    started = {r.dagster_event.step_key for r in _events(instance, run_id, DagsterEventType.STEP_START)}
    succeeded = {r.dagster_event.step_key for r in _events(instance, run_id, DagsterEventType.STEP_SUCCESS)}
    return bool(started - succeeded) or not started


def _events(instance: dg.DagsterInstance, run_id: str, kind: DagsterEventType) -> list:  # type: ignore[type-arg]
    return [record for record in instance.all_logs(run_id, of_type=kind) if record.dagster_event]
