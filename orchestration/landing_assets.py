"""The landing stage as assets: one a landing table, written by whatever adapter the shop's settings name."""

from collections.abc import Iterator

import dagster as dg

from ingestion import read_contract
from ingestion.adapters import MAPPING, land_shop
from orchestration.arrivals import LOADS_KEY, SEEN, arrivals
from orchestration.progress import StageClock
from orchestration.retries import tried_again
from orchestration.workspace import RunWorkspace
from shops import Settings


def build_landing_assets(settings: Settings) -> dg.AssetsDefinition:
    """Assets `landing/<table>` for each table of the contract."""
    contract = read_contract()

    @dg.multi_asset(
        name="landing",
        specs=[
            dg.AssetSpec(
                ["landing", table],
                group_name="landing",
                kinds={"parquet"},
                skippable=True,
            )
            for table in contract.tables
        ],
        can_subset=True,
    )
    def landing(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> Iterator[dg.MaterializeResult[None]]:
        clock = StageClock(context, "landing")
        with tried_again(context):
            seen = arrivals(workspace.folders, settings)
            loads = land_shop(workspace.folders, settings)
        if settings.source.adapter not in (MAPPING, None):
            seen = arrivals(workspace.folders, settings)  # What it wrote itself is no news.
        fresh = [load for load in loads if not load.already_landed]
        notes = [note for load in loads for note in load.notes]
        for key in sorted(context.selected_asset_keys):
            table = key.path[-1]
            rows = sum(load.rows.get(table, len(loads) if table == "loads" else 0) for load in loads)
            without_it = {} if rows else {"without_it": contract.without_it.get(table, "")}
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "dagster/row_count": rows,
                    "loads": [load.load_id for load in loads],
                    "notes": notes,
                    "folder": dg.MetadataValue.path(workspace.folders.shown(workspace.folders.landing / table)),
                    **without_it,
                    **({SEEN: seen} if key == LOADS_KEY and seen else {}),
                },
            )
        for note in notes:
            clock.note(note)
        total = sum(sum(load.rows.values()) for load in loads)
        clock.done(f"{total:,} rows in {len(loads)} load(s), {len(fresh)} of them new")

    return landing
