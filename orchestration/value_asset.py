"""Lifetime value as an asset: chosen and judged on past dates, scored now; no rows where the history is too short."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from ml.catalogue import Feature, read_catalogue
from orchestration.metadata import images, markdown_table
from orchestration.progress import StageClock
from orchestration.stages import gate_before
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:
    import pandas as pd

    from ml.lifetime.value_model import ValueModel

_LABEL = "label_value"
# Who has features at all: customers with an order before the as-of date.
_POPULATION = "feat_customer_rfm"
_TABLES = ("ml.scores", "ml.model_performance", "ml.model_versions")


def build_value_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `scores/lifetime_value`."""

    tables = dict.fromkeys(feature.table for feature in read_catalogue().features)

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python", "scikitlearn"},
        deps=[
            *(dg.AssetKey(["features", name]) for name in ("int_as_of_dates", _LABEL, *tables)),
            gate_before("scores"),
        ],
        description="What each customer will spend within the next days, with the range in which it lies: the best of "
        "four ways on an earlier date, judged on a later one.",
    )
    def lifetime_value(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        done = refresh(workspace.warehouse, workspace.folders.models, settings, workspace.run_id)
        if not done.models:
            why = "; ".join(done.without.values())
            clock.done(f"no lifetime value: {why}")
            return dg.MaterializeResult(metadata={"switched_off": why})
        metadata: dict[str, Any] = {"dagster/row_count": sum(done.rows.values())}
        for horizon, why in done.without.items():
            clock.note(f"no lifetime value of {horizon} days: {why}")
            metadata[f"without_{horizon}d"] = why
        for horizon, model in done.models.items():
            metrics = model.metrics()
            clock.done(
                f"{model.scorer.model_name}: {model.scorer.algorithm}, error {metrics['rmse']:.2f}, "
                f"{metrics['interval_coverage']:.1%} within their range, {done.rows[horizon]:,} scores"
            )
            of_horizon = {
                "model_version": model.scorer.model_version,
                "algorithm": model.scorer.algorithm,
                "trained_through": str(model.scorer.trained_through),
                "tiers": done.tiers[horizon],
                "tenths": dg.MetadataValue.md(markdown_table(model.tenths)),
                **metrics,
                **images(model.plots(settings.shop.reporting_currency, done.seen[horizon])),
            }
            metadata |= {f"{name}_{horizon}d": value for name, value in of_horizon.items()}
        return dg.MaterializeResult(metadata=metadata)

    return lifetime_value


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did, by horizon: models, rows and their tiers, purchases as seen, and why there is no model."""

    models: "dict[int, ValueModel]"
    rows: dict[int, int]
    tiers: dict[int, str]
    seen: "dict[int, pd.DataFrame]"
    without: dict[int, str]


def refresh(warehouse: Path, folder: Path, settings: Settings, run_id: str) -> Refreshed:
    """Train and score each horizon that the history allows; what an earlier run wrote of the others goes.

    Parameters
    ----------
    warehouse : the DuckDB file
    folder : where models are stored, a folder for each
    """
    from ml.lifetime import candidates, storing, value_model

    wanted = settings.models.lifetime_value
    done = Refreshed({}, {}, {}, {}, {})
    written: list[tuple[str, str, pd.DataFrame]] = []
    described = read_catalogue().named(candidates.FEATURES)
    for horizon in wanted.horizons_days:
        name = value_model.model_name(horizon)
        # The date that a shop names is one of the first horizon; longer windows from it on may not have been observed.
        asked = wanted.test_as_of_date if horizon == wanted.horizons_days[0] else None
        with reading(warehouse) as connection:
            labels = _labels(connection, horizon, wanted.test_as_of_date)
            try:
                dates = value_model.plan(labels, horizon, asked)
            except value_model.NotEnoughHistoryError as error:
                done.without[horizon] = str(error)
                continue
            days = [dates.hold_out, dates.choice, *dates.before_choice, *dates.before_hold_out]
            features = _features(connection, described, "list_contains(?::date[], as_of_date)", sorted(set(days)))
            now = _features(connection, described, "is_current")
            done.seen[horizon] = _seen(connection, dates.hold_out + timedelta(days=horizon))
        model = value_model.train(features, labels, horizon, wanted.yearly_discount, dates.hold_out)
        scores = value_model.score(model.scorer, now, settings.shop.reporting_currency)
        stored = folder / name / model.scorer.model_version
        checksum = storing.save_scorer(stored, model.scorer, model.metrics())
        done.models[horizon] = model
        done.rows[horizon] = len(scores)
        counted = scores["fallback_tier"].value_counts().sort_index()
        done.tiers[horizon] = ", ".join(f"{tier} {count:,}" for tier, count in counted.items())
        frames = (scores, model.performance, model.version_row(checksum))
        written.extend((name, table, frame) for table, frame in zip(_TABLES, frames, strict=True))
    with writing(warehouse) as connection:
        for table in _TABLES:
            # of horizons that the shop had once, too
            connection.execute(f"delete from {table} where starts_with(model_name, 'lifetime_value_')")
        for name, table, frame in written:
            replace_rows(connection, table, frame.assign(run_id=run_id), {"model_name": name})
    return done


def _labels(connection: duckdb.DuckDBPyConnection, horizon: int, no_later_than: date | None) -> "pd.DataFrame":
    """Labels of scheduled dates; where the shop names a hold-out date, none whose date lies after it."""
    return connection.execute(
        f"select customer_id, as_of_date, horizon_days, discounted_spend from features.{_LABEL} "
        "join features.int_as_of_dates using (as_of_date) "
        "where horizon_days = ? and is_scheduled and (?::date is null or as_of_date <= ?::date)",
        [horizon, no_later_than, no_later_than],
    ).df()


def _features(
    connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], dates: str, *values: list[date]
) -> "pd.DataFrame":
    listed = ", ".join(f"{feature.table}.{feature.name}" for feature in features)
    tables = dict.fromkeys(feature.table for feature in features if feature.table != _POPULATION)
    joins = " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in tables)
    return connection.execute(
        f"select customer_id, as_of_date, {listed} from features.{_POPULATION} {joins} "
        f"join features.int_as_of_dates using (as_of_date) where {dates}",
        list(values),
    ).df()


def _seen(connection: duckdb.DuckDBPyConnection, until: date) -> "pd.DataFrame":
    """How purchases added up, up to the end of the window that judges."""
    return connection.execute(
        f"select customer_id, as_of_date, customer_age_days, repeat_purchase_day_count from features.{_POPULATION} "
        "join features.int_as_of_dates using (as_of_date) where is_scheduled and as_of_date <= ?",
        [until],
    ).df()
