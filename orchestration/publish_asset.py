"""The publish step as an asset: what passed the gate of the marts goes before the readers."""

import os
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from orchestration.foreign_keys import ForeignKey
from orchestration.ledger import record_promotion
from orchestration.progress import StageClock
from orchestration.publishing import DATABASE_FILE, SCHEMA, URL_VARIABLE, publish
from orchestration.retries import tried_again
from orchestration.stages import STAGES, gate_key
from orchestration.warehouse import reading
from orchestration.workspace import RunWorkspace

SITE_FOLDER = "site"


def build_publish_asset(marts: Sequence[dg.AssetKey], keys: Sequence[ForeignKey]) -> dg.AssetsDefinition:
    """The asset `publish/audience_database`, which waits for the last gate and declares the foreign keys `keys`."""

    @dg.asset(
        key=["publish", "audience_database"],
        group_name="publish",
        deps=[*marts, gate_key("marts")],
        kinds={"duckdb", "parquet"},
        description="The serving database, its Parquet copies and the site, switched together by one symlink; and the "
        f"same tables in PostgreSQL, where {URL_VARIABLE} names one.",
    )
    def audience_database(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "publish")
        _refuse_unless_all_gates_passed(workspace)
        with tried_again(context):
            published = publish(
                workspace.warehouse,
                workspace.folders,
                workspace.run_id,
                keys,
                os.environ.get(URL_VARIABLE) or None,
                add=lambda folder: _build_site(context, folder),
            )
        record_promotion(workspace.folders, workspace.run_id, of=workspace.inputs)
        current = workspace.folders.current
        shown = workspace.folders.shown
        also = "" if published.left_in_postgres is None else f" and in PostgreSQL, schema {SCHEMA}"
        clock.done(f"{len(published.rows)} tables at {shown(current / DATABASE_FILE)}{also}")
        for schema in published.left_in_postgres or ():
            context.log.warning(
                f"PostgreSQL: the schema {schema}, which was replaced, is still read, or a view stands on it; the next "
                "run that publishes tries again to drop it."
            )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(published.rows.values()),
                "database": dg.MetadataValue.path(shown(current / DATABASE_FILE)),
                "parquet": dg.MetadataValue.path(shown(current / "parquet")),
                "site": dg.MetadataValue.path(shown(current / SITE_FOLDER / "index.html")),
                "tables": dg.MetadataValue.md(
                    "| table | rows |\n| --- | ---: |\n"
                    + "\n".join(f"| {table} | {rows:,} |" for table, rows in published.rows.items())
                ),
            }
        )

    return audience_database


def _build_site(context: dg.AssetExecutionContext, folder: Path) -> None:
    from pages import SiteError, build_site  # with its charts it takes a second to load, and only a run needs it

    clock = StageClock(context, "publish")
    try:
        built = build_site(folder / DATABASE_FILE, folder / SITE_FOLDER)
    except SiteError as error:
        raise dg.Failure(f"nothing is published: {error}") from error
    clock.done(f"{built.pages} pages for marketers")


def _refuse_unless_all_gates_passed(workspace: RunWorkspace) -> None:
    """A part of the chain, started in the UI, may leave gates out; readers only see what passed all, in this run."""
    with reading(workspace.warehouse) as connection:
        passed = connection.execute(
            "select gate from quality.gate_results where run_id = ? group by gate "
            "having bool_and(success or severity <> 'critical')",
            [workspace.run_id],
        ).fetchall()
    missing = [stage for stage in STAGES if (stage,) not in passed]
    if missing:
        raise dg.Failure(
            f"nothing is published: in this run the gates {', '.join(missing)} were not asked. "
            "Next: launch the job 'refresh'."
        )
