"""Cluster segments as an asset: features and the recorded model in, tables, artifact and pictures out.

Whether the model is kept, fitted again or replaced is decided in `ml.clusters.model`. What a run writes here goes into
the ledger when the run is promoted (`orchestration.cluster_ledger`), and comes from there into every later warehouse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd

from orchestration.cluster_inputs import ClusterFeatures, ClusterPast, read_words, settings_of
from orchestration.cluster_ledger import recorded_dates, restore_clusters
from orchestration.metadata import images, markdown_table
from orchestration.ml_assets import feature_deps
from orchestration.progress import StageClock
from orchestration.warehouse import replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings, ShopFolders

if TYPE_CHECKING:
    from ml.clusters.cards import Cards
    from ml.clusters.migration import Divided
    from ml.clusters.model import Segmentation
    from ml.clusters.words import Words

# Weeks before the current date that a choice weighs: does a division come out of them as well?
CHOICE_DATES = 4
SHOWN_LINEAGE = ("level", "event", "old_key", "new_key", "shared_members", "share_of_old", "share_of_new")


def build_cluster_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `scores/shopping_clusters`."""

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python", "scikitlearn"},
        deps=feature_deps(),
        description="Customers who shop alike, at two levels. The model is kept until customers have drifted; when it "
        "is fitted anew, clusters keep their keys and names.",
    )
    def shopping_clusters(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        found = segment(workspace.warehouse, workspace.folders, settings, workspace.run_id)
        model = found.segmentation.model
        clock.done(
            f"{len(model.broad_keys)} clusters, {len(model.all_keys) - len(model.broad_keys)} micro-segments; "
            f"{found.segmentation.action}: {found.segmentation.reason}"
        )
        return dg.MaterializeResult(metadata=_shown(found))

    return shopping_clusters


@dataclass(frozen=True)
class Segmented:
    """What came out of a run, as it was written."""

    segmentation: "Segmentation"
    cards: "Cards"
    matrices: pd.DataFrame
    proposals: pd.DataFrame
    words: "Words"


def segment(warehouse: Path, folders: ShopFolders, settings: Settings, run_id: str) -> Segmented:
    """Divide the customers of the warehouse's current as-of date, and write all of it into `ml.*`.

    Raises
    ------
    dagster.Failure
        If the recorded model cannot be read.
    WordsError
        If the shop's naming table has an entry that cannot be used.
    """
    from ml.clusters import tables
    from ml.clusters.cards import make_cards
    from ml.clusters.migration import Divided, migrations
    from ml.clusters.model import assign, fit
    from ml.clusters.segment_model import MODEL_NAME, in_order
    from ml.clusters.storing import save_model

    words = read_words(folders)
    features = ClusterFeatures(warehouse, settings.models.purchase.horizon_days)
    past = ClusterPast.of(folders, features.current)
    reference = features.nearest(past.previous.fitted_on) if past.previous else None
    segmentation = fit(
        features.at(features.current),
        past.previous,
        reference=features.at(reference) if reference else None,
        earlier=(features.at(day) for day in features.before(CHOICE_DATES)),
        settings=settings_of(settings),
        words=words,
        namesake=past.namesake,
        used_keys=past.keys,
    )
    model, cards = segmentation.model, make_cards(segmentation, words)
    is_new, checksum = segmentation.action != "assigned", past.artifact_sha256
    if is_new or checksum is None:
        checksum = save_model(folders.models / MODEL_NAME / model.model_version, model)
    watched, proposals = _proposals(segmentation, features, settings)
    stamp = {"model_name": MODEL_NAME, "model_version": model.model_version, "as_of_date": watched}
    written = {
        **tables.described(segmentation, cards),
        "cluster_drift": _drift(segmentation, features, past, reference, settings),
        "cluster_merge_proposals": proposals.assign(**stamp),
        "model_versions": tables.version_row(model, checksum),
    }
    with writing(warehouse) as connection:
        for table, frame in written.items():
            replace_rows(connection, f"ml.{table}", frame.assign(run_id=run_id), {"model_name": MODEL_NAME})
        restore_clusters(connection, folders, features.current)
        if is_new:
            for table, frame in (
                ("ml.cluster_models", tables.model_row(segmentation, checksum)),
                ("ml.cluster_lineage", tables.lineage_rows(segmentation)),
            ):
                replace_rows(connection, table, frame.assign(run_id=run_id), {"model_version": model.model_version})
        _note(connection, segmentation.assignments.assign(is_reconstructed=False), features.current, run_id)
    history = features.before(settings.models.clusters.history_dates)[::-1]
    # A first model also tells of the weeks before it. A run at a past date of a shop that has later models does not:
    # what was never said of those weeks is not said now, by a model that holds for one date.
    known = recorded_dates(folders, features.current) if past.namesake is None else set(history)

    def over_time() -> Iterator[Divided]:
        # A day at a time: those that were never recorded are divided by today's model, and marked.
        for day in history:
            rows = features.at(day)
            if rows.empty:
                continue
            if day not in known:
                with writing(warehouse) as connection:
                    _note(connection, assign(model, rows, words).assign(is_reconstructed=True), day, run_id)
            yield Divided.of(model, in_order(rows, model.features))
        yield Divided.of(model, segmentation.rows)

    matrices = migrations(over_time(), _before_refit(segmentation, past))
    with writing(warehouse) as connection:
        rows = matrices.assign(model_name=MODEL_NAME, run_id=run_id)
        replace_rows(connection, "ml.cluster_migrations", rows, {"model_name": MODEL_NAME})
    return Segmented(segmentation, cards, matrices, proposals, words)


def _drift(
    segmentation: "Segmentation",
    features: ClusterFeatures,
    past: ClusterPast,
    reference: date | None,
    settings: Settings,
) -> pd.DataFrame:
    """What decided. A model of this very date was decided on by a run before: the same is said again."""
    from ml.clusters import tables
    from ml.clusters.model import drift_since

    drift, version = segmentation.drift, past.previous.model_version if past.previous else None
    if past.previous is not None and past.previous.fitted_on == features.current and segmentation.action == "assigned":
        before = past.predecessor
        reference = features.nearest(before.fitted_on) if before and before.fitted_on <= features.current else None
        version, drift = before.model_version if before else None, drift.iloc[:0]
        if before is not None and reference is not None:
            drift = drift_since(before, features.at(reference), segmentation.rows, settings_of(settings))
    return tables.drift_rows(drift, version, features.current, reference)


def _before_refit(segmentation: "Segmentation", past: ClusterPast) -> "Divided | None":
    """The customers of now as the model before divides them; None where there is none, or its features are gone."""
    from ml.clusters.migration import Divided

    before = past.predecessor if segmentation.action == "assigned" else past.previous or past.namesake
    if before is None or not set(before.features) <= set(segmentation.rows.columns):
        return None
    return Divided.of(before, segmentation.rows)


def _proposals(
    segmentation: "Segmentation", features: ClusterFeatures, settings: Settings
) -> tuple[date | None, pd.DataFrame]:
    """Pairs of clusters that could be one, judged by what their members did after the newest date that is known of."""
    from ml.clusters.merging import COLUMNS, Alike, merge_proposals
    from ml.clusters.migration import Divided
    from ml.clusters.segment_model import in_order

    outcomes = features.outcomes()
    if outcomes is None:
        return None, pd.DataFrame(columns=list(COLUMNS))
    day, labels = outcomes
    rows = in_order(features.at(day), segmentation.model.features)
    alike = Alike(**settings.models.clusters.merge.model_dump())
    return day, merge_proposals(Divided.of(segmentation.model, rows).keys, labels, alike)


def _note(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, day: date, run_id: str) -> None:
    """Put the memberships of a day in the place of those recorded, unless they are the same."""
    connection.register("noted", frame)
    columns = "customer_id, level, cluster_key, cluster_name, model_version, is_outlier, is_reconstructed"
    recorded = f"(select {columns} from ml.customer_clusters where as_of_date = date '{day}')"
    difference = connection.execute(
        f"select count(*) from (({recorded} except select {columns} from noted) "
        f"union all (select {columns} from noted except {recorded}))"
    ).fetchone()
    connection.unregister("noted")
    if difference and difference[0]:
        replace_rows(connection, "ml.customer_clusters", frame.assign(run_id=run_id), {"as_of_date": day})


def _shown(found: Segmented) -> dict[str, Any]:
    """What the UI shows: map, cards, comparison, migrations, lineage."""
    from ml.clusters.cards import card_text
    from ml.clusters.plots import cluster_plots

    segmentation, cards, proposals, words = found.segmentation, found.cards, found.proposals, found.words
    texts = [card_text(row, cards.profiles, cards.typical, words) for _, row in cards.clusters.iterrows()]
    proposed = proposals[proposals["is_proposed"].astype(bool)] if len(proposals) else proposals
    return {
        "dagster/row_count": len(segmentation.rows),
        "model_version": segmentation.model.model_version,
        "holds_from": str(segmentation.model.fitted_on),
        "action": f"{segmentation.action}: {segmentation.reason}",
        "clusters": dg.MetadataValue.md(
            markdown_table(
                cards.clusters[["cluster_key", "cluster_name", "member_count", "customer_share", "spend_share"]]
            )
        ),
        "cards": dg.MetadataValue.md("\n\n".join(texts)),
        "lineage": dg.MetadataValue.md(
            markdown_table(segmentation.lineage[list(SHOWN_LINEAGE)]) if len(segmentation.lineage) else "no refit"
        ),
        "drift": dg.MetadataValue.md(
            markdown_table(segmentation.drift.round(4)) if len(segmentation.drift) else "nothing to compare with"
        ),
        "merge_proposals": dg.MetadataValue.md(
            markdown_table(proposed[["left_key", "right_key", "reason", "evidence"]]) if len(proposed) else "none"
        ),
        **images(cluster_plots(segmentation, cards, found.matrices, words)),
    }
