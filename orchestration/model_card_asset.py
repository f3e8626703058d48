"""Model cards as an asset: one for each model whose scores are current, as a page under `reports/` and in Dagster."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import numpy as np
import pandas as pd

from ingestion.sql import literal
from ml.catalogue import read_catalogue
from orchestration.explained_scores import ScoringModel, sample, scoring_models
from orchestration.model_inputs import POPULATION, joins, listed
from orchestration.progress import StageClock
from orchestration.reasons_asset import read_reason_words
from orchestration.warehouse import reading
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:
    from ml.model_card.content import ModelCard
    from ml.reasons.words import ReasonWords

REPORTS = "models"
PROFILE = "feat_customer_profile"
# What a model rests on is the same to the second digit with more customers.
WEIGHED_ROWS = 20_000
JUDGED_CUSTOMERS_KEPT = 200_000
# Readiness is judged by its own past scores: they were given before what they are held against.
READINESS, READINESS_LABEL = "buy_readiness", "label_readiness"
AMOUNT_LABEL = "label_value"


def build_model_card_asset(settings: Settings, reasons: dg.AssetKey) -> dg.AssetsDefinition:
    """The asset `scores/model_cards`.

    Parameters
    ----------
    settings : of the shop
    reasons : the asset that reads the same models before
    """

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python"},
        deps=[reasons],
        description="What each model that scores is: data, dates, figures beside baselines, groups, limits. A page "
        "each under reports/models/.",
    )
    def model_cards(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        from ml.model_card.rendering import as_markdown

        clock = StageClock(context, "scores")
        cards = write_cards(workspace, settings)
        clock.done(f"{len(cards)} model cards in {workspace.folders.shown(workspace.folders.reports / REPORTS)}")
        metadata: dict[str, Any] = {"dagster/row_count": len(cards)}
        for page, card in cards.items():
            metadata[f"card_{card.model_name}"] = dg.MetadataValue.md(as_markdown(card))
            metadata[f"page_{card.model_name}"] = dg.MetadataValue.path(workspace.folders.shown(page))
        return dg.MaterializeResult(metadata=metadata)

    return model_cards


def write_cards(workspace: RunWorkspace, settings: Settings) -> dict[Path, "ModelCard"]:
    """Write `reports/models/<model>.html` and `.md` for each model with current scores; pages of others go.

    Returns
    -------
    page -> card
    """
    from ml.model_card.rendering import as_html, as_markdown

    words = read_reason_words(workspace.folders)
    with reading(workspace.warehouse) as connection:
        newest = {model.model_name: model for model in scoring_models(connection, workspace.folders)}
        cards = [_card(connection, model, words, settings, workspace) for model in newest.values()]
    folder = workspace.folders.reports / REPORTS
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for card in cards:
        page = folder / f"{card.model_name}.html"
        _write(page, as_html(card))
        _write(page.with_suffix(".md"), as_markdown(card, with_pictures=False))
        written[page] = card
    for stale in [file for file in folder.glob("*.*") if file.with_suffix(".html") not in written]:
        stale.unlink()
    return written


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _card(
    connection: duckdb.DuckDBPyConnection,
    model: ScoringModel,
    words: "ReasonWords",
    settings: Settings,
    workspace: RunWorkspace,
) -> "ModelCard":
    from ml.model_card.amounts import make_amount_card
    from ml.model_card.making import make_card
    from ml.model_card.own_amounts import make_own_card
    from ml.model_card.sections import Recorded
    from ml.reasons.importance import importance
    from ml.reasons.words import Teller

    teller = Teller(model.features, words, settings.shop.reporting_currency)
    explainer, weighed, explained = _weighed(connection, model, teller.themes)
    dimensions = _dimensions(connection, settings)
    keys = [model.model_name, model.model_version]
    version = connection.execute("from ml.model_versions where model_name = ? and model_version = ?", keys).df()
    if version.empty:
        raise dg.Failure(
            f"{model.model_version} gave scores, and is not in ml.model_versions. "
            "Next: run the chain, which trains anew."
        )
    unit = connection.execute(
        "select max(unit) from ml.scores where model_name = ? and model_version = ?", keys
    ).fetchone()
    tiers = connection.execute(
        "select fallback_tier, count(*) from (select * from ml.scores where model_name = ? "
        "qualify as_of_date = max(as_of_date) over (partition by campaign_id)) group by 1 order by 2 desc",
        [model.model_name],
    ).fetchall()
    recorded = Recorded(
        version={str(name): value for name, value in version.iloc[0].items()},
        performance=connection.execute(
            "from ml.model_performance where model_name = ? and (model_version = ? or not is_champion)", keys
        ).df(),
        judged=_judged_amounts(connection, workspace, model, dimensions)
        if model.is_lifetime_value
        else _judged(connection, model, dimensions),
        dimensions=dimensions,
        importance=importance(tuple(dict.fromkeys(teller.themes)), weighed, explained)
        if explained
        else importance((), np.zeros(0), 0),
        method=getattr(explainer, "method", "none"),
        features=model.features,
        theme_of_feature=teller.themes,
        tiers=dict(tiers),
        unit=str(unit[0]) if unit else "",
        shop=settings.shop.title or workspace.folders.shop,
        synthetic_sources=_synthetic_sources(connection),
        decisions=_decisions(connection, model),
    )
    if model.is_lifetime_value:
        return make_amount_card(recorded, settings.shop.reporting_currency)
    if model.is_of_amounts:
        return make_own_card(recorded)
    return make_card(recorded)


def _weighed(
    connection: duckdb.DuckDBPyConnection, model: ScoringModel, theme_of_feature: tuple[str, ...]
) -> tuple[Any, Any, int]:
    """The explainer, the sums of absolute contributions by theme over current scores, and how many those are."""
    from ml.frames import feature_matrix
    from ml.threads import one_thread

    rows = sample(connection, model, WEIGHED_ROWS)
    explainer = model.explainer(rows)
    if explainer is None:
        return None, np.zeros(0), 0
    rows = rows[rows["fallback_tier"] == "model"]
    numbers = [feature.name for feature in model.features if feature.is_number]
    kinds = [feature.name for feature in model.features if not feature.is_number]
    matrix = feature_matrix(rows, numbers, kinds, f"the features of {model.model_name}")[list(explainer.features)]
    with one_thread():
        by_feature = explainer.contributions(matrix)
    themes = tuple(dict.fromkeys(theme_of_feature))
    member = np.array([[one == theme for theme in themes] for one in theme_of_feature], dtype=np.float64)
    return explainer, np.abs(by_feature @ member).sum(axis=0), len(rows)


def _dimensions(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """The demographic columns that the shop holds members of segments against, too."""
    there = {row[0] for row in connection.execute(f"describe features.{PROFILE}").fetchall()}
    return [column for column in settings.segments.represented_by if column in there]


def _judged(connection: duckdb.DuckDBPyConnection, model: ScoringModel, dimensions: list[str]) -> pd.DataFrame:
    """Predictions of the hold-out with what happened and the groups of the customers as of their date."""
    keys = [model.model_name, model.model_version]
    rows = (
        "select customer_id, as_of_date, probability, label from ml.judged_predictions "
        "where model_name = ? and model_version = ? and judged_for = 'hold_out'"
    )
    if model.model_name == READINESS:
        horizon = model.manifest["horizon_days"]
        rows = (
            "select customer_id, as_of_date, score / 100 as probability, has_purchased::bigint as label from ml.scores "
            f"join features.{READINESS_LABEL} as happened using (customer_id, as_of_date) "
            f"where model_name = ? and happened.horizon_days = {int(horizon)}"
        )
        keys = [model.model_name]
    groups = "".join(f", coalesce({column}::varchar, 'unknown') as {column}" for column in dimensions)
    count = connection.execute(f"select count(distinct customer_id) from ({rows})", keys).fetchone()
    every = max(1, -(-(count[0] if count else 0) // JUDGED_CUSTOMERS_KEPT))
    return connection.execute(
        f"select judged.*{groups} from ({rows}) as judged "
        f"left join features.{PROFILE} using (customer_id, as_of_date) where hash(customer_id) % {every} = 0",
        keys,
    ).df()


def _judged_amounts(
    connection: duckdb.DuckDBPyConnection, workspace: RunWorkspace, model: ScoringModel, dimensions: list[str]
) -> pd.DataFrame:
    """What the model says of the customers of its hold-out, what they spent, and their groups as of that date."""
    from ml.lifetime import storing

    scorer = storing.load_scorer(workspace.folders.models / model.model_name / model.model_version)
    hold_out = scorer.trained_through + timedelta(days=1)
    features = read_catalogue().named(scorer.feature_names)
    groups = "".join(f", coalesce({column}::varchar, 'unknown') as {column}" for column in dimensions)
    found = connection.execute(
        f"select {POPULATION}.customer_id, {listed(features)}, greatest(happened.discounted_spend, 0) as spent{groups} "
        f"from features.{POPULATION} join features.{AMOUNT_LABEL} as happened using (customer_id, as_of_date) "
        f"left join features.{PROFILE} using (customer_id, as_of_date) {joins(features, POPULATION)} "
        f"where as_of_date = ? and happened.horizon_days = ? order by {POPULATION}.customer_id",
        [hold_out, scorer.horizon_days],
    ).df()
    if not len(found):
        return pd.DataFrame(columns=["customer_id", "expected", "spent", *dimensions])
    found["expected"] = scorer.ranges(found)["expected"].to_numpy()
    return found[["customer_id", "expected", "spent", *dimensions]]


def _synthetic_sources(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Landing tables of which rows were generated, by what the loads say."""
    rows = connection.execute(
        "select distinct unnest(json_keys(rows_by_table)) from staging.stg_landing__loads where is_synthetic"
    ).fetchall()
    return frozenset(row[0] for row in rows)


def _decisions(connection: duckdb.DuckDBPyConnection, model: ScoringModel) -> list[dict[str, Any]] | None:
    """What the promotion gate said of this version; None where the warehouse keeps no decisions."""
    columns = [
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() where schema_name = 'ml' and table_name = 'model_decisions'"
        ).fetchall()
    ]
    if not columns:
        return None
    version = literal(model.model_version)
    about = [
        f"{name} = {version}" for name in ("challenger_version", "champion_version", "model_version") if name in columns
    ]
    order = "as_of_date desc" if "as_of_date" in columns else "1"
    found = connection.execute(
        f"select * from ml.model_decisions where model_name = ? and ({' or '.join(about) or 'true'}) order by {order}",
        [model.model_name],
    ).df()
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]
