"""The dbt stages as assets: one definition a stage, so that a failed gate stops the next stage and all after it."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration.dbt_in_process import InProcessDbt
from orchestration.progress import StageClock
from orchestration.translator import StageTranslator
from orchestration.workspace import RunWorkspace


def build_stage_assets(stage: str, dbt: InProcessDbt, python_assets: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Assets of all models of `stage`, with their data tests as checks."""
    translator = StageTranslator(python_assets)

    @dbt_assets(
        manifest=dbt.manifest_dict, select=f"tag:{stage}", name=f"dbt_{stage}", dagster_dbt_translator=translator
    )
    def assets(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> Iterator[Any]:
        clock = StageClock(context, stage)
        models = [key.path[-1] for key in context.selected_asset_keys]
        tests = 0
        for event in dbt.build(models, workspace.warehouse, context, translator):
            tests += isinstance(event, dg.AssetCheckResult)
            yield event
        clock.done(f"{len(models)} models built, {tests} dbt tests passed")

    return assets
