"""Runs from the shell: the same jobs that the UI starts, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from orchestration.as_of_dates import span_of_warehouse
from orchestration.backfill_asset import BACKFILL_STEP
from orchestration.definitions import BACKFILL, REFRESH, RETRAIN, build_definitions
from orchestration.failures import step_failures
from orchestration.instance import open_instance
from orchestration.ledger import fingerprint, published_promotion
from orchestration.lock import write_lock
from orchestration.ml_assets import RETRAIN_TAG, known_models
from shops import ShopFolders, load_settings

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
    if published is None or published.fingerprint != fingerprint(folders):
        return False
    # A run that was killed between publishing and promoting has left its folder, and perhaps no warehouse.
    return folders.warehouse.exists() and not (folders.runs / published.run_id).exists()


def run_chain(folders: ShopFolders, assets: Sequence[dg.AssetKey] | None = None) -> RunOutcome:
    """Run the job `refresh`, or of it only `assets`. Waits while another process writes this shop's warehouse."""
    with write_lock(folders.lock, "a run from the shell"):
        return _execute(folders, REFRESH, _QUIET, assets)


class UnknownModel(LookupError):
    """A model that this shop does not have."""


def run_retrain(folders: ShopFolders, models: Sequence[str] = ()) -> RunOutcome:
    """Run the job `retrain`: all models that are due, or `models`, by name and without the pause of a week.

    Raises
    ------
    UnknownModel
        A name is not that of a model with a champion.
    """
    known = known_models(load_settings(folders.shop))
    unknown = [name for name in models if name not in known]
    if unknown:
        raise UnknownModel(f"there is no model {', '.join(unknown)} to retrain. Known: {', '.join(known)}.")
    tags = {RETRAIN_TAG: ",".join(models)} if models else {}
    with write_lock(folders.lock, "a retraining from the shell"):
        return _execute(folders, RETRAIN, _QUIET, tags=tags)


def run_backfill(folders: ShopFolders, dates: Sequence[date]) -> RunOutcome:
    """Run the job `backfill` at `dates`, in one run. Waits while another process writes this shop's warehouse.

    Raises
    ------
    DateNotPossible
        A date lies before the first order, after the current as-of date, or further back than dates are kept.
    """
    asked = {BACKFILL_STEP: {"config": {"as_of_dates": [as_of_date.isoformat() for as_of_date in dates]}}}
    with write_lock(folders.lock, "a backfill from the shell"):
        # The run asks the same of its copy; here it costs neither the copy nor a failed run.
        span_of_warehouse(folders, load_settings(folders.shop)).refuse_impossible(dates)
        return _execute(folders, BACKFILL, {**_QUIET, "ops": asked})


def _execute(
    folders: ShopFolders,
    job_name: str,
    run_config: Mapping[str, Any],
    assets: Sequence[dg.AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
) -> RunOutcome:
    with open_instance(folders) as instance:
        job = build_definitions(folders).resolve_job_def(job_name)
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=run_config, asset_selection=assets, tags=tags
        )
        failures = [] if result.success else [str(each) for each in step_failures(instance, result.run_id)]
    if not result.success and not failures:
        failures = ["the run ended before its first step; `make ui` shows its events"]
    return RunOutcome(result.run_id, result.success, failures)
