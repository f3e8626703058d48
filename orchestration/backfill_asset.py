"""Features at as-of dates of the past: an asset whose partitions are the dates.

The tables of features stay as they are, without partitions: dbt adds the dates to them and keeps them from then on. A
range of dates is one run; it is promoted when the gate of the features holds, and changes nothing otherwise.
"""

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.as_of_dates import AsOfSpan, DateNotPossible, read_date, span_of_published, span_of_warehouse
from orchestration.dbt_in_process import InProcessDbt
from orchestration.gate_assets import ask_gate, gate_check
from orchestration.progress import StageClock
from orchestration.warehouse import reading
from orchestration.workspace import RunWorkspace
from shops import Settings, ShopFolders

STAGE = "features"
BACKFILL_KEY = dg.AssetKey(["backfill", STAGE])
BACKFILL_STEP = "__".join(BACKFILL_KEY.path)


class AskedDates(dg.Config):
    """Dates from the shell, which need be no range; those of a run with partitions are one."""

    as_of_dates: list[str] = Field(default_factory=list)


def as_of_partitions(folders: ShopFolders, settings: Settings) -> dg.DailyPartitionsDefinition:
    """A partition for each as-of date that can be asked for; none before the first publication."""
    nothing = AsOfSpan(date(2000, 1, 1), date(2000, 1, 1))
    span = span_of_published(folders, settings) or nothing
    # The end is exclusive.
    return dg.DailyPartitionsDefinition(
        start_date=span.first.isoformat(),
        end_date=max(span.current + timedelta(days=1), span.first).isoformat(),
        timezone=settings.shop.business_timezone,
    )


def build_backfill_asset(folders: ShopFolders, dbt: InProcessDbt, settings: Settings) -> dg.AssetsDefinition:
    """The asset `backfill/features`, which belongs to no run of the whole chain."""

    def features(
        context: dg.AssetExecutionContext, config: AskedDates, workspace: RunWorkspace
    ) -> Iterator[dg.AssetCheckResult | dg.AssetMaterialization]:
        clock = StageClock(context, "backfill")
        is_partitioned = context.has_partition_key or context.has_partition_key_range
        try:
            dates = [read_date(text) for text in (context.partition_keys if is_partitioned else config.as_of_dates)]
            if not dates:
                raise DateNotPossible("no date is asked for. Next: choose partitions, or list as_of_dates.")
            span = span_of_warehouse(workspace.folders, settings, workspace.warehouse)
            span.refuse_impossible(dates)
        except DateNotPossible as problem:
            raise dg.Failure(str(problem)) from None
        dbt.build_at(dates, workspace.warehouse, current=span.current)
        found = _found(workspace, dates)
        computed = sum(metadata["computed_by_this_run"] for metadata in found.values())
        shown = ", ".join(map(str, dates)) if len(dates) <= 5 else f"{min(dates)} to {max(dates)}"
        clock.done(f"features at {shown}: {computed} computed, {len(dates) - computed} stood already")
        report = ask_gate(context, STAGE, workspace, dbt, settings)
        yield gate_check(report, BACKFILL_KEY)
        if not report.success:  # Before a partition is marked as there.
            raise dg.Failure(report.summary())
        for as_of_date, metadata in found.items():
            yield dg.AssetMaterialization(BACKFILL_KEY, partition=as_of_date.isoformat(), metadata=metadata)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # The policy is; a test holds it to what is used here.
        return dg.multi_asset(
            name=BACKFILL_STEP,
            specs=[
                dg.AssetSpec(
                    BACKFILL_KEY,
                    group_name="backfill",
                    # Waits for no asset: with one that each run makes, dates would be shown as out of date after every
                    # run, which brings them up to date.
                    kinds={"dbt", "duckdb"},
                    # Materializations are told date by date, with what each has, instead of as one output.
                    skippable=True,
                    description="Features and labels at as-of dates of the past, which stay from then on. Dates that "
                    "stand are not computed again; what is published does not change. Marked are the dates that were "
                    "asked for here: those of the schedule, campaign starts and the current date stand anyway.",
                )
            ],
            check_specs=[
                dg.AssetCheckSpec(
                    "expectations",
                    asset=BACKFILL_KEY,
                    blocking=True,
                    description="All expectations of the stage features hold; else the warehouse stays as it was.",
                )
            ],
            partitions_def=as_of_partitions(folders, settings),
            backfill_policy=dg.BackfillPolicy.single_run(),
        )(features)


def _found(workspace: RunWorkspace, dates: Sequence[date]) -> dict[date, dict[str, Any]]:
    """What stands at each date: rows by table, and whether this build computed them."""
    with reading(workspace.warehouse) as connection:
        is_new = dict(
            connection.execute(
                "select as_of_date, is_new from features.int_as_of_dates "
                "where is_asked_for and list_contains(?, as_of_date)",
                [list(dates)],
            ).fetchall()
        )
        if left_out := sorted(set(dates) - set(is_new)):
            raise dg.Failure(
                f"dbt did not keep {', '.join(map(str, left_out))}. Next: see whether the shop's settings.yml changed "
                "while the run was at work, and ask again."
            )
        tables = connection.execute(
            "select table_name from duckdb_columns() where schema_name = 'features' and column_name = 'as_of_date' "
            "and (starts_with(table_name, 'int_features__') or starts_with(table_name, 'label_')) order by 1"
        ).fetchall()
        counts = " union all ".join(
            f"select '{table}' as name, as_of_date, count(*) from features.{table} group by all" for (table,) in tables
        )
        rows = connection.execute(counts).fetchall()
    return {
        as_of_date: {
            "computed_by_this_run": is_new[as_of_date],
            **{name: count for name, at, count in rows if at == as_of_date},
        }
        for as_of_date in sorted(is_new)
    }
