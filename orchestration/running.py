"""Runs the chain from the shell: the same job that the UI starts, in this process."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from orchestration.definitions import REFRESH, build_definitions
from orchestration.instance import open_instance
from orchestration.ledger import fingerprint, published_promotion
from orchestration.lock import write_lock
from shops import ShopFolders

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: `failures` holds one text per failed step, the gate's reason among them."""

    run_id: str
    success: bool
    failures: list[str]


def is_up_to_date(folders: ShopFolders) -> bool:
    """Whether what readers see was made from the code, settings and data that are here now."""
    published = published_promotion(folders)
    return published is not None and published.fingerprint == fingerprint(folders)


def run_chain(folders: ShopFolders) -> RunOutcome:
    """Run the job `refresh`. Waits while another process writes this shop's warehouse."""
    with write_lock(folders.lock, "a run from the shell"):
        instance = open_instance(folders)
        job = build_definitions(folders).resolve_job_def(REFRESH)
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=_QUIET)
        failures = [_reason(event) for event in result.get_step_failure_events()] if not result.success else []
    return RunOutcome(result.run_id, result.success, failures)


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    if error is None:
        return f"{event.step_key} failed"
    cause = error.cause or error
    return f"{event.step_key}: {cause.message.strip()}"
