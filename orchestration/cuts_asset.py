"""Cuts by campaign goal as an asset: judged predictions and current scores in, cuts and curves out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.metadata import images, markdown_table
from orchestration.progress import StageClock
from orchestration.stages import gate_before
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:  # every dbt command loads this package, and pandas takes as long as all of its rest
    from ml.cuts import Cuts, Goal

_SHOWN = (
    "model_name", "goal", "cut", "people_contacted", "precision_in_words", "recall_in_words", "held",
    "current_contacted", "note", "reason",
)  # fmt: skip


def build_cuts_asset(settings: Settings, scoring: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `scores/score_cuts`; it waits for the assets of `scoring`, which write scores and judge them."""

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python"},
        deps=[*scoring, gate_before("scores")],
        description="Of each campaign goal the cut: whom to contact, what that gave on the hold-out, and how many have "
        "such a score today. Chosen on an earlier slice than the one that reports.",
    )
    def score_cuts(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        goals, unset = goals_of(settings)
        found = refresh(workspace.warehouse, goals, workspace.run_id)
        missing = [*unset, *found.unasked]
        met = int(found.cuts["cut"].notna().sum())
        clock.done("; ".join([f"{met} cuts of {len(found.cuts)} goals", *missing]))
        return dg.MaterializeResult(metadata=_shown(found, missing))

    return score_cuts


def goals_of(settings: Settings) -> "tuple[list[Goal], list[str]]":
    """The goals of the shop's settings, and what is not asked for, with the reason."""
    from ml.cuts import Goal

    section = settings.goals
    money = {"unit_cost": section.profit.unit_cost, "margin": section.profit.margin}
    wishes: list[tuple[str, Any, dict[str, float | None]]] = [
        ("conversion", "precision", section.conversion.precision),
        ("retention", "recall", section.retention.recall),
        ("upsell", "recall", section.upsell.recall),
        ("budget", "people", dict(section.budget.people)),
    ]
    goals = [
        Goal(name, model, kind, wanted, **money)
        for name, kind, by_model in wishes
        for model, wanted in by_model.items()
        if wanted is not None
    ]
    lacking = [f"goals.profit.{name}" for name, amount in money.items() if amount is None]
    if lacking:
        return goals, [f"profit: {' and '.join(lacking)} not set in the shop's settings.yml"]
    return [*goals, *(Goal("profit", model, "profit", **money) for model in section.profit.models)], []


def refresh(warehouse: Path, goals: "Sequence[Goal]", run_id: str) -> "Cuts":
    """Choose the cuts and put them in the place of those of the last run.

    Parameters
    ----------
    warehouse : the DuckDB file
    """
    from ml.cuts import cut_tables

    with reading(warehouse) as connection:
        judged = connection.execute(
            "select customer_id, as_of_date, campaign_id, model_name, model_version, judged_for, probability, label "
            "from ml.judged_predictions where list_contains(?::varchar[], model_name)",
            [sorted({goal.model_name for goal in goals})],
        ).df()
        current = connection.execute(
            "select customer_id, as_of_date, campaign_id, model_name, model_version, score "
            "from ml.scores where list_contains(?::varchar[], model_name) and score_kind = 'probability' "
            "qualify as_of_date = max(as_of_date) over (partition by model_name)",
            [sorted({goal.model_name for goal in goals})],
        ).df()
    found = cut_tables(judged, current, goals)
    with writing(warehouse) as connection:
        for table, frame in (("ml.score_cuts", found.cuts), ("ml.score_cut_curves", found.curves)):
            connection.execute(f"delete from {table}")
            if len(frame):
                replace_rows(connection, table, frame.assign(run_id=run_id), {"run_id": run_id})
    return found


def _shown(found: "Cuts", missing: Sequence[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"dagster/row_count": len(found.cuts)}
    if missing:
        shown["without_a_cut"] = "; ".join(missing)
    if found.cuts.empty:
        return shown
    table = found.cuts[list(_SHOWN)].astype(object)
    shown["cuts"] = dg.MetadataValue.md(markdown_table(table.where(table.notna(), "")))
    shown["caution"] = "; ".join(dict.fromkeys(found.cuts["caution"]))
    return shown | images(found.plots())
