"""Why a run failed and what became of it, in words: for the terminal, the run's log, and a webhook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.stages import CHECK_NAME
from shops import ShopFolders

_SHOWN_STEPS = 5
_SHOWN_LINES = 6
# A message leaves the machine; what an engine quotes of a row may be somebody's address.
_E_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")


@dataclass(frozen=True)
class StepFailure:
    """A step that failed: a gate in the gate's own words, any other step in those of its first cause."""

    step: str
    reason: str

    def __str__(self) -> str:
        return f"{self.step}: {self.reason}"


@dataclass(frozen=True)
class RunFailure:
    """A run that failed."""

    shop: str
    run_id: str
    job: str
    steps: Sequence[StepFailure]
    outcome: str

    @property
    def text(self) -> str:
        """The message."""
        lines = [f"{self.shop}: the run {self.run_id} ({self.job}) failed."]
        for failure in self.steps[:_SHOWN_STEPS]:
            lines.append(f"{failure.step}: {_first_lines(failure.reason)}")
        if len(self.steps) > _SHOWN_STEPS:
            lines.append(f"… and {len(self.steps) - _SHOWN_STEPS} more step(s).")
        return "\n".join([*lines, self.outcome])

    def as_json(self) -> dict[str, Any]:
        """What a webhook gets; chat programs show `text`."""
        return {
            "text": self.text,
            "shop": self.shop,
            "run_id": self.run_id,
            "job": self.job,
            "failed": [{"step": each.step, "reason": _first_lines(each.reason)} for each in self.steps],
        }


def step_failures(instance: dg.DagsterInstance, run_id: str) -> list[StepFailure]:
    """Every step of the run that failed, as its events say."""
    gates = {
        "__".join(check.asset_key.path): str(check.metadata["summary"].value)
        for check in (
            event.asset_check_evaluation_data for event in _events(instance, run_id, "ASSET_CHECK_EVALUATION")
        )
        if not check.passed and check.check_name == CHECK_NAME
    }
    failures = []
    for event in _events(instance, run_id, "STEP_FAILURE"):
        data = event.step_failure_data
        cause = (data.error.cause or data.error).message.strip() if data.error else "no reason was recorded"
        # A failure that was raised on purpose says what to do next; its cause does not.
        own = data.user_failure_data.description if data.user_failure_data else None
        failures.append(StepFailure(str(event.step_key), gates.get(str(event.step_key)) or own or cause))
    return failures


def run_failure(
    instance: dg.DagsterInstance, folders: ShopFolders, run: dg.DagsterRun, problem: str | None
) -> RunFailure:
    """The failure of `run`; `problem` is what ended it where no step of it failed."""
    steps = step_failures(instance, run.run_id)
    if not steps:
        steps = [StepFailure("run", problem or "it was ended before its last step")]
    job = "assets chosen in the UI" if run.job_name.startswith("__ASSET_JOB") else f"job {run.job_name}"
    return RunFailure(folders.shop, run.run_id, job, steps, what_stands(folders, run.run_id))


def what_stands(folders: ShopFolders, run_id: str) -> str:
    """What a failed run has changed, and what to do next."""
    switched = folders.current.resolve().name == run_id
    published = "It was published, but the" if switched else "Nothing was published and the"
    folder = folders.runs / run_id
    kept = f"; what the run built lies in {folders.shown(folder)}" if folder.exists() else ""
    return f"{published} warehouse is as it was{kept}. Next: correct the cause and run again."


def _first_lines(reason: str) -> str:
    lines = _E_MAIL.sub("…@…", reason).strip().splitlines()
    return "\n".join([*lines[:_SHOWN_LINES], *(["…"] if len(lines) > _SHOWN_LINES else [])])


def _events(instance: dg.DagsterInstance, run_id: str, kind: str) -> list[Any]:
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType(kind))
    return [record.dagster_event for record in records if record.dagster_event]
