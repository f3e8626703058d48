"""Everything Dagster knows of one shop: assets by stage, gates between them, jobs.

`build_definitions` does the work; nothing happens at import. `dagster dev -m orchestration.definitions` finds `defs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.asset_facts import AssetFacts
from orchestration.automation import build_schedules, build_sensor
from orchestration.backfill_asset import BACKFILL_KEY, build_backfill_asset
from orchestration.challengers import ALL_DUE
from orchestration.cluster_asset import build_cluster_asset
from orchestration.column_lineage import known_lineage, refresh_lineage
from orchestration.cuts_asset import build_cuts_asset
from orchestration.dbt_assets import build_stage_assets
from orchestration.dbt_in_process import InProcessDbt
from orchestration.foreign_keys import foreign_keys
from orchestration.gate_assets import build_gate_asset
from orchestration.landing_assets import build_landing_assets
from orchestration.linkage_asset import build_linkage_asset
from orchestration.ml_assets import RETRAIN_TAG, build_ml_assets
from orchestration.model_card_asset import build_model_card_asset
from orchestration.monitoring_asset import build_monitoring_asset, stored_reasons
from orchestration.order_age_check import build_order_age_check
from orchestration.publish_asset import build_publish_asset
from orchestration.publishing import SCHEMA
from orchestration.readiness_asset import build_readiness_asset
from orchestration.reasons_asset import build_reasons_asset
from orchestration.response_asset import build_response_asset
from orchestration.stages import DBT_STAGES, STAGES
from orchestration.value_asset import build_value_asset
from orchestration.workspace import RunWorkspace
from shops import ShopFolders, load_settings

REFRESH = "refresh"
BACKFILL = "backfill"
RETRAIN = "retrain"


def build_definitions(
    folders: ShopFolders | None = None,
    resource_overrides: Mapping[str, Any] | None = None,
    with_lineage: bool = False,
) -> dg.Definitions:
    """The definitions of the shop in `folders` (default: what the environment says).

    Parameters
    ----------
    folders
        Which shop, and where its data lies.
    resource_overrides
        Resources to use instead of the real ones, by name; for tests.
    with_lineage
        Whether assets say where their columns come from, which takes seconds after the SQL has changed; for the UI.
    """
    folders = folders or ShopFolders.of()
    settings = load_settings(folders.shop)
    dbt = InProcessDbt(folders)
    landing = build_landing_assets(settings)
    scorers = [
        *build_ml_assets(settings, stored_reasons),
        build_readiness_asset(settings),
        build_value_asset(settings),
    ]
    scored = [key for asset in scorers for key in asset.keys]
    reasons = build_reasons_asset(settings, scored)
    ml = [
        *scorers,
        build_cluster_asset(settings),
        build_response_asset(settings),
        build_cuts_asset(settings, scored),
        reasons,
        build_monitoring_asset(settings, scored),
        build_model_card_asset(settings, reasons.key),
    ]
    python_assets = [key for asset in ml for key in asset.keys]
    by_stage: dict[str, list[dg.AssetsDefinition]] = {"landing": [landing]}
    for stage in DBT_STAGES:
        by_stage[stage] = [build_stage_assets(stage, dbt, python_assets)]
    by_stage["identity"].append(build_linkage_asset(settings))
    by_stage["scores"].extend(ml)
    gates = [
        build_gate_asset(stage, [key for asset in by_stage[stage] for key in asset.keys], dbt, settings)
        for stage in STAGES
    ]
    backfill = build_backfill_asset(folders, dbt, settings)
    publish = build_publish_asset(
        [key for asset in by_stage["marts"] for key in asset.keys], foreign_keys(dbt.manifest_dict, SCHEMA)
    )
    if with_lineage:
        refresh_lineage(dbt)
    facts = AssetFacts(dbt.manifest_dict, settings, known_lineage(dbt) if with_lineage else None)
    refresh = dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(BACKFILL_KEY),
        description="The whole chain: land, build, check, score, segment, publish.",
    )
    retrain = dg.define_asset_job(
        RETRAIN,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(BACKFILL_KEY),
        tags={RETRAIN_TAG: ALL_DUE},
        description="The whole chain, and a challenger of every model that has a hold-out left and was not "
        "trained within the week; it becomes champion if it is better.",
    )
    return dg.Definitions(
        assets=facts.complete([*(asset for stage in STAGES for asset in by_stage[stage]), *gates, publish, backfill]),
        asset_checks=[build_order_age_check(folders, settings)],
        jobs=[
            refresh,
            retrain,
            dg.define_asset_job(
                BACKFILL,
                selection=dg.AssetSelection.assets(BACKFILL_KEY),
                description="Features and labels at as-of dates of the past, one run for a range of them. They stay "
                "from then on; what is published does not change.",
            ),
        ],
        schedules=build_schedules(refresh, retrain, settings),
        sensors=[build_sensor(refresh, folders, settings)],
        resources={
            "workspace": RunWorkspace(shop=folders.shop, data_root=str(folders.data_root)),
            **(resource_overrides or {}),
        },
        # One process a run: the multiprocess executor pays seconds of imports a step, and the warehouse has one writer.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What the Dagster UI and its run workers load."""
    return build_definitions(with_lineage=True)
