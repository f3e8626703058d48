"""The Python models as assets: read features, call `ml`, write rows and evidence back.

What is learned, and how, is in `ml/`; here is only which rows go in and where the results lie.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from ml.catalogue import Feature, read_catalogue
from orchestration.metadata import images
from orchestration.progress import StageClock
from orchestration.stages import gate_before
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

_LABELS = ("label_purchase", "label_redemption")
# Who has features at all: customers with an order before the as-of date.
_POPULATION = "feat_customer_rfm"


def feature_deps() -> list[dg.AssetKey]:
    """What every Python model waits for: the tables of features and labels, and the gate after them."""
    tables = ["int_as_of_dates", *_LABELS, *dict.fromkeys(feature.table for feature in read_catalogue().features)]
    return [*(dg.AssetKey(["features", name]) for name in tables), gate_before("scores")]


def build_ml_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Assets `scores/purchase_propensity` and `scores/redemption_propensity`."""

    catalogue = read_catalogue()

    def ml_asset(description: str) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
        return dg.asset(
            key_prefix="scores",
            group_name="scores",
            kinds={"python", "scikitlearn"},
            deps=feature_deps(),
            description=description,
        )

    @ml_asset("How likely each customer is to order within the next days; trained, judged on a later date, scored now.")
    def purchase_propensity(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        from ml import purchase

        clock = StageClock(context, "scores")
        horizon = settings.models.purchase.horizon_days
        with reading(workspace.warehouse) as connection:
            labels = _purchase_labels(connection, horizon)
            test_as_of = settings.models.purchase.test_as_of_date or purchase.default_test_as_of(labels)
            learned_from = catalogue.of_model(purchase.MODEL_NAME)
            features = _customer_features(connection, learned_from, "is_scheduled and as_of_date <= ?", test_as_of)
            now = _customer_features(connection, learned_from, "is_current and ?::date is not null", test_as_of)
        model = purchase.train(features, labels, test_as_of, horizon)
        result = _ModelResult(purchase.score(model.scorer, now), model)
        return _store(result, context, workspace, clock)

    @ml_asset(
        "How likely each customer that is mailed a campaign is to redeem one of its coupons, as of its first day."
    )
    def redemption_propensity(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        from ml import redemption

        clock = StageClock(context, "scores")
        with reading(workspace.warehouse) as connection:
            labels = connection.execute("from features.label_redemption").df()
            learned_from, offers = catalogue.of_model(redemption.MODEL_NAME), redemption.OFFER_TABLE
            features = _offer_features(connection, learned_from, offers)
            everyone = _features_of_everyone_at_campaign_starts(connection, learned_from, offers)
        if labels.empty:
            # The connection above is closed by now: the file takes one that reads or one that writes.
            _forget(workspace, redemption.MODEL_NAME)
            clock.done("no campaigns have landed: the redemption model is switched off")
            return dg.MaterializeResult(metadata={"switched_off": "no campaigns have landed"})
        test_from = settings.models.redemption.test_from_date or redemption.default_test_from(labels)
        model = redemption.train(features, labels, test_from, everyone)
        later = features[pd.to_datetime(features["as_of_date"]) >= pd.Timestamp(test_from)]
        return _store(_ModelResult(redemption.score(model.scorer, later), model), context, workspace, clock)

    return [purchase_propensity, redemption_propensity]


@dataclass(frozen=True)
class _ModelResult:
    scores: pd.DataFrame
    model: Any


def _store(
    result: _ModelResult, context: dg.AssetExecutionContext, workspace: RunWorkspace, clock: StageClock
) -> dg.MaterializeResult[None]:
    """Write a propensity model's scores, evidence and artifact; say how good it is."""
    from ml import artifacts

    scorer = result.model.scorer
    metrics = result.model.metrics()
    folder = workspace.folders.models / scorer.model_name / scorer.model_version
    checksum = artifacts.save_scorer(folder, scorer, metrics)
    with writing(workspace.warehouse) as connection:
        for table, frame in (
            ("ml.scores", result.scores),
            ("ml.model_performance", result.model.performance),
            ("ml.model_versions", result.model.version_row(checksum)),
        ):
            _replace(connection, table, frame, scorer.model_name, workspace.run_id)
    auc = next((value for name, value in metrics.items() if name.endswith("/roc_auc")), None)
    shown = "no hold-out figure: too few positives" if auc is None else f"ROC-AUC {auc:.3f} on the hold-out"
    clock.done(f"{scorer.model_name}: {shown}, {len(result.scores):,} scores, {scorer.algorithm}")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(result.scores),
            "model_version": scorer.model_version,
            "algorithm": scorer.algorithm,
            "trained_through": str(scorer.trained_through),
            "fallback_tier": scorer.fallback_tier,
            "artifact": dg.MetadataValue.path(workspace.folders.shown(folder)),
            **{name: value for name, value in metrics.items() if value is not None},
            **images(result.model.plots()),
        }
    )


def _forget(workspace: RunWorkspace, model_name: str) -> None:
    """Remove what an earlier run wrote of a model that is switched off now."""
    with writing(workspace.warehouse) as connection:
        for table in ("ml.scores", "ml.model_performance", "ml.model_versions"):
            connection.execute(f"delete from {table} where model_name = ?", [model_name])


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame, model_name: str, run_id: str
) -> None:
    replace_rows(connection, table, frame.assign(run_id=run_id), {"model_name": model_name})


def _purchase_labels(connection: duckdb.DuckDBPyConnection, horizon: int) -> pd.DataFrame:
    return connection.execute(
        "select labels.* from features.label_purchase as labels join features.int_as_of_dates using (as_of_date) "
        "where horizon_days = ? and is_scheduled",
        [horizon],
    ).df()


def _customer_features(
    connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], dates: str, *values: date
) -> pd.DataFrame:
    """Features of all customers at the as-of dates that fulfil `dates`."""
    return connection.execute(
        f"select customer_id, as_of_date, {_listed(features)} from features.{_POPULATION} {_joins(features)} "
        f"join features.int_as_of_dates using (as_of_date) where {dates}",
        list(values),
    ).df()


def _offer_features(connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], offers: str) -> pd.DataFrame:
    """Each mailed (customer, campaign) with the offer's and the customer's features at the campaign's start."""
    keys = f"{offers}.customer_id, {offers}.campaign_id, {offers}.as_of_date"
    return connection.execute(
        f"select {keys}, {_listed(features)} from features.{offers} {_joins(features, offers)}"
    ).df()


def _features_of_everyone_at_campaign_starts(
    connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], offers: str
) -> pd.DataFrame:
    """Each customer at each campaign's start, mailed or not: what the model would see with targeting included."""
    of_customers = [feature for feature in features if feature.table != offers]
    return connection.execute(
        f"select campaigns.campaign_id, campaigns.campaign_type, customer_id, as_of_date, {_listed(of_customers)} "
        f"from (select distinct campaign_id, campaign_type, as_of_date from features.{offers}) as campaigns "
        f"join features.{_POPULATION} using (as_of_date) {_joins(of_customers)}"
    ).df()


def _joins(features: Sequence[Feature], base: str = _POPULATION) -> str:
    """The tables of features beside the one that says who is there; who is not in another has null there."""
    tables = dict.fromkeys(feature.table for feature in features if feature.table != base)
    return " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in tables)


def _listed(features: Sequence[Feature]) -> str:
    return ", ".join(f"{feature.table}.{feature.name}" for feature in features)
