"""Expected response by type of campaign as an asset, with the balance of those mailed against those not mailed."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd

from ml.catalogue import read_catalogue
from orchestration.metadata import images, markdown_table
from orchestration.ml_assets import feature_deps
from orchestration.progress import StageClock
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:
    from ml.response import ResponseModel

_POPULATION = "feat_customer_rfm"
# So many of those not mailed are enough to tell how unlike they are: a million customers at each of many campaigns
# would be more rows than all the rest of the run.
MAX_NOT_MAILED = 20_000
# The tables that are written, all of them anew.
_TABLES = ("ml.expected_responses", "ml.campaign_balance")
_MODELS = "expected_response_"
_WHY_NONE = "no campaigns have landed"


def build_response_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `scores/expected_responses`."""

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python", "scikitlearn"},
        deps=feature_deps(),
        description="What is likely to come of each type of campaign, for each customer, if mailed; no effect of "
        "mailing: those mailed were not drawn by lot, and how unlike they were stands beside it.",
    )
    def expected_responses(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        done = refresh(
            workspace.warehouse,
            workspace.folders.models,
            settings.models.purchase.horizon_days,
            settings.models.redemption.test_from_date,
            settings.models.redemption.test_until_date,
            workspace.run_id,
        )
        if done.models == ():
            clock.done(f"no expected responses: {done.why_none}")
            return dg.MaterializeResult(metadata={"switched_off": done.why_none})
        clock.done(f"{len(done.expected):,} expected responses: {', '.join(_said(model) for model in done.models)}")
        return dg.MaterializeResult(metadata=_shown(done))

    return expected_responses


@dataclass(frozen=True)
class Inputs:
    """What the warehouse knows of campaigns: see `ml.response.train`.

    Attributes
    ----------
    eligible : who could have received each campaign, with features as of its first day
    redeemed, purchased : what those mailed did
    current : features of today's customers
    """

    eligible: pd.DataFrame
    redeemed: pd.DataFrame
    purchased: pd.DataFrame
    current: pd.DataFrame


@dataclass(frozen=True)
class Refreshed:
    """What a refresh wrote; without models, why there are none."""

    models: "tuple[ResponseModel, ...]"
    expected: pd.DataFrame
    balance: pd.DataFrame
    why_none: str = ""


def refresh(
    warehouse: Path, folder: Path, horizon: int, test_from: date | None, test_until: date | None, run_id: str
) -> Refreshed:
    """Learn, judge and write; what earlier runs wrote goes.

    Parameters
    ----------
    warehouse : the DuckDB file
    folder : where models are stored, a folder for each model, in it one for each version
    horizon : days in which a purchase counts as a response
    test_from : campaigns from here on are the hold-out; None is as the redemption model has it
    test_until : campaigns from here on, and what happened from here on, are not read; None: all
    """
    from ml import response
    from ml.propensity.offers import default_test_from
    from ml.propensity.tasks import REDEMPTION

    inputs = read_inputs(warehouse, horizon)
    nothing = pd.DataFrame()
    if inputs.eligible.empty:
        _write(warehouse, (), nothing, nothing, {}, run_id)
        return Refreshed((), nothing, nothing, _WHY_NONE)
    starts = inputs.eligible.loc[inputs.eligible["is_mailed"], ["customer_id", "campaign_id", "as_of_date"]]
    begin = test_from or default_test_from(REDEMPTION, starts)
    balance = response.campaign_balance(inputs.eligible)
    outcomes = [response.REDEEMED, response.purchased(horizon)]
    eligible = inputs.eligible
    responses = dict(zip((outcome.name for outcome in outcomes), (inputs.redeemed, inputs.purchased), strict=True))
    if test_until is not None:
        eligible, responses = response.known_before(test_until, eligible, responses, outcomes)
    models, why = [], []
    for outcome in outcomes:
        try:
            models.append(response.train(eligible, responses[outcome.name], outcome, begin))
        except response.NothingToLearnError as error:
            why.append(str(error))
    mailing = response.Mailing.fit(inputs.eligible)
    expected = response.expected_responses(models, inputs.current, mailing, balance)
    checksums = {model.model_version: _save(folder, model) for model in models}
    _write(warehouse, tuple(models), expected, balance, checksums, run_id)
    return Refreshed(tuple(models), expected, balance, "; ".join(why))


def read_inputs(warehouse: Path, horizon: int) -> Inputs:
    """Read what is learned from and whom it is said of."""
    with reading(warehouse) as connection:
        return Inputs(
            _eligible(connection),
            connection.execute(
                "select customer_id, campaign_id, label_ends_on, first_redeemed_on as responded_on, "
                "has_redeemed as has_responded from features.label_redemption"
            ).df(),
            connection.execute(
                "select customer_id, campaign_id, (as_of_date + ? - 1)::date as label_ends_on, "
                "null::date as responded_on, has_purchased as has_responded "
                "from features.feat_customer_offer join features.label_purchase using (customer_id, as_of_date) "
                "where horizon_days = ?",
                [horizon, horizon],
            ).df(),
            connection.execute(
                f"select customer_id, as_of_date, {_features()} from features.{_POPULATION} {_joins()} "
                "join features.int_as_of_dates using (as_of_date) where is_current"
            ).df(),
        )


def _eligible(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Each campaign with the customers who had ordered before it: all that were mailed, and of the others enough."""
    return connection.execute(
        f"""
        with campaigns as (
            -- distinct: a campaign stands once for each customer that it was mailed to
            select distinct campaign_id, campaign_type, as_of_date from features.feat_customer_offer
        ),
        mailed as (select customer_id, campaign_id, true as is_mailed from features.feat_customer_offer),
        known as (
            select
                campaigns.campaign_id, campaigns.campaign_type, customer_id, as_of_date,
                coalesce(mailed.is_mailed, false) as is_mailed,
            from campaigns join features.{_POPULATION} using (as_of_date)
                left join mailed using (customer_id, campaign_id)
        ),
        drawn as (
            select
                *,
                count(*) filter (not is_mailed) over (partition by campaign_id) as not_mailed_count,
                row_number() over (partition by campaign_id, is_mailed order by md5(customer_id), customer_id) as place,
            from known
            qualify is_mailed or place <= {MAX_NOT_MAILED}
        )
        select campaign_id, campaign_type, is_mailed, not_mailed_count, customer_id, as_of_date, {_features()}
        from drawn join features.{_POPULATION} using (customer_id, as_of_date) {_joins()}
        """
    ).df()


def _features() -> str:
    from ml.response import FEATURES

    return ", ".join(f"{feature.table}.{feature.name}" for feature in read_catalogue().named(FEATURES))


def _joins() -> str:
    from ml.response import FEATURES

    tables = dict.fromkeys(feature.table for feature in read_catalogue().named(FEATURES))
    return " ".join(
        f"left join features.{table} using (customer_id, as_of_date)" for table in tables if table != _POPULATION
    )


def _save(folder: Path, model: "ResponseModel") -> str:
    """Store each fitted part and, over them, a manifest with the rates and the checksums; returns its checksum."""
    from ml import artifacts

    place = folder / model.outcome.model_name / model.model_version
    stored = {}
    for number, (name, part) in enumerate(sorted(model.parts.items())):
        facts: dict[str, Any] = {"tier": part.tier, "rate": part.rate, "rows": part.rows, "positives": part.positives}
        if part.fitted is not None:
            # The name of a type may hold what a file system forbids.
            own = f"type_{number}"
            facts |= {"folder": own, "sha256": artifacts.save_scorer(place / own, part.fitted.scorer)}
        stored[name] = facts
    facts = {
        "model_name": model.outcome.model_name,
        "model_version": model.model_version,
        "trained_through": model.trained_through,
        "metrics": model.metrics(),
        "parts": stored,
    }
    return artifacts.save(place, None, facts)


def _write(
    warehouse: Path,
    models: "tuple[ResponseModel, ...]",
    expected: pd.DataFrame,
    balance: pd.DataFrame,
    checksums: dict[str, str],
    run_id: str,
) -> None:
    with writing(warehouse) as connection:
        for table, frame in zip(_TABLES, (expected, balance), strict=True):
            connection.execute(f"delete from {table}")
            if len(frame):
                replace_rows(connection, table, frame.assign(run_id=run_id), {"run_id": run_id})
        for table in ("ml.model_performance", "ml.judged_predictions", "ml.model_versions"):
            connection.execute(f"delete from {table} where starts_with(model_name, ?)", [_MODELS])
        for model in models:
            named = {"model_name": model.outcome.model_name}
            row = model.version_row(checksums[model.model_version])
            replace_rows(connection, "ml.model_versions", row.assign(run_id=run_id), named)
            for table, frame in (
                ("ml.model_performance", model.performance),
                ("ml.judged_predictions", model.predictions),
            ):
                if len(frame):
                    replace_rows(connection, table, frame.assign(run_id=run_id), named)


def _said(model: "ResponseModel") -> str:
    auc = model.metrics().get("mailed/roc_auc")
    tiers = ", ".join(f"{name} {part.tier.replace('_', ' ')}" for name, part in model.parts.items())
    judged = "not judged" if auc is None else f"ROC-AUC {auc:.3f}"
    return f"{model.outcome.name} ({judged}; {tiers})"


def _shown(done: Refreshed) -> dict[str, Any]:
    from ml.response.pictures import balance_plot

    of_types = done.balance[done.balance["campaign_id"].isna()]
    columns = [
        "campaign_type", "feature", "mailed_mean", "not_mailed_mean", "mean_ratio", "standardized_difference",
        "variance_ratio",
    ]  # fmt: skip
    picture = balance_plot(done.balance)
    shown: dict[str, Any] = {
        "dagster/row_count": len(done.expected),
        "balance": dg.MetadataValue.md(markdown_table(of_types[columns])),
        **images({} if picture is None else {"balance": picture}),
    }
    if done.why_none:
        shown["switched_off"] = done.why_none
    for model in done.models:
        own = {f"{model.outcome.name}/{name}": value for name, value in model.metrics().items()}
        shown |= {"model_version_" + model.outcome.name: model.model_version, **own}
    return shown
