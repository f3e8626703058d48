"""The gates as assets: one a stage, which all of the stage feeds and all that comes later depends on.

A blocking check stops only what is downstream of the asset it hangs on. With the check on one table, marts that read
its neighbor still ran; so each gate is an asset of its own.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from expectations import GateReport, run_gate
from ingestion.contract import CONTRACT_FILE
from orchestration.dbt_in_process import InProcessDbt
from orchestration.ledger import fingerprint
from orchestration.progress import StageClock
from orchestration.report_server import report_link
from orchestration.stages import CHECK_NAME, STAGES, gate_key
from orchestration.warehouse import has_table, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import PROJECT_ROOT, Settings, ShopFolders


def build_gate_asset(
    stage: str, guarded: Sequence[dg.AssetKey], dbt: InProcessDbt, settings: Settings
) -> dg.AssetsDefinition:
    """The asset `gates/<stage>` with its blocking check."""
    key = gate_key(stage)
    folders = dbt.folders
    link = report_link(folders, folders.reports / "gates" / f"{stage}.html")

    @dg.asset(
        key=key,
        group_name=stage,
        deps=list(guarded),
        kinds={"greatexpectations"},
        check_specs=[
            dg.AssetCheckSpec(
                CHECK_NAME,
                asset=key,
                blocking=True,
                description=f"All expectations of the stage {stage} hold; when one does not, nothing later runs.",
            )
        ],
        description=f"What must hold of the stage {stage} before anything later may read it."
        + (f" [The report of its last check]({link})." if link else ""),
        metadata={"report_page": dg.MetadataValue.url(link)} if link else {},
    )
    def gate(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> Iterator[dg.MaterializeResult[None]]:
        if stage == STAGES[0]:
            workspace.note_inputs(fingerprint(workspace.folders))
        report = ask_gate(context, stage, workspace, dbt, settings)
        yield dg.MaterializeResult(
            metadata={
                "expectations": len(report.results),
                "held": _held(report),
                "report": dg.MetadataValue.path(ShopFolders.shown(report.report_path)),
            },
            check_results=[gate_check(report, key)],
        )

    return gate


def ask_gate(
    context: dg.AssetExecutionContext, stage: str, workspace: RunWorkspace, dbt: InProcessDbt, settings: Settings
) -> GateReport:
    """Hold the run's warehouse against the expectations of `stage`; keep what was found, and say it."""
    clock = StageClock(context, "gate")
    folders = workspace.folders
    extra = folders.own / "expectations.yml"
    report = run_gate(
        stage,
        workspace.warehouse,
        landing=folders.landing,
        settings=settings.model_dump(mode="json"),
        reports=folders.reports,
        contract=CONTRACT_FILE,
        extra=extra if extra.exists() else None,
        feature_models=(PROJECT_ROOT / "models" / "features", folders.own / "models" / "features"),
        data_docs=stage == STAGES[-1],
    )
    _record(report, workspace, dbt)
    clock.done(f"{stage}: {_held(report)} of {len(report.results)} expectations hold")
    if not report.success:
        context.log.error(report.summary())
    return report


def gate_check(report: GateReport, asset: dg.AssetKey) -> dg.AssetCheckResult:
    """What a gate found, as the check of `asset`."""
    return dg.AssetCheckResult(
        passed=report.success, asset_key=asset, check_name=CHECK_NAME, metadata=_check_metadata(report)
    )


def _held(report: GateReport) -> int:
    return sum(result.success for result in report.results)


def _check_metadata(report: GateReport) -> dict[str, Any]:
    """What the UI shows of a gate: the first failing expectation spelled out, all results, numbers to plot."""
    metadata: dict[str, Any] = {
        "summary": report.summary(),
        "results": dg.MetadataValue.md(report.markdown()),
        "report": dg.MetadataValue.path(ShopFolders.shown(report.report_path)),
        "expectations": len(report.results),
        "failed": len(report.failures),
        "warnings": len(report.warnings),
    }
    if report.failures:
        first = report.failures[0]
        metadata |= {
            "failing_expectation": f"{first.table_name}: {first.expectation}",
            "observed_value": first.observed_value,
            "threshold": first.threshold,
            "sample_rows": dg.MetadataValue.json(json.loads(json.dumps(first.sample_rows, default=str))),
        }
    return metadata


def _record(report: GateReport, workspace: RunWorkspace, dbt: InProcessDbt) -> None:
    """Keep what the gate found in the warehouse; the marts show it as rpt_data_quality."""
    # The first gate runs before dbt does: the table may be missing, or have the columns of an earlier version.
    if report.gate == STAGES[0] or not has_table(workspace.warehouse, "quality", "gate_results"):
        dbt.prepare(workspace.warehouse)
    frame = pd.DataFrame(report.rows(workspace.run_id))
    with writing(workspace.warehouse) as connection:
        replace_rows(connection, "quality.gate_results", frame, {"gate": report.gate})
