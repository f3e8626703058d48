"""Reasons as an asset: every current score gets its three largest, in words, each borne out by the model itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import numpy as np
import pandas as pd

from orchestration.explained_scores import ScoringModel, chunks, sample, scoring_models
from orchestration.metadata import images, markdown_table
from orchestration.ml_assets import feature_deps
from orchestration.own_words import own_words
from orchestration.progress import StageClock
from orchestration.warehouse import add_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings, ShopFolders

if TYPE_CHECKING:
    from ml.reasons.words import ReasonWords, Teller

WORDS_FILE = "reason_words.yml"
SHOWN_SCORES = 4


def build_reasons_asset(settings: Settings, scored_by: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `scores/score_reasons`.

    Parameters
    ----------
    settings : of the shop
    scored_by : the assets that write scores
    """

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python"},
        deps=[*scored_by, *feature_deps()],
        description="Why each current score is what it is: the three themes that move it most away from that of a "
        "typical customer, in words. What the model rests on, not what would change if the customer did.",
    )
    def score_reasons(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        found = write_reasons(workspace, settings)
        rows, tried = sum(one.reasons for one in found), sum(one.tried for one in found)
        left_out = sum(one.left_out for one in found)
        scores = sum(one.model.score_count for one in found)
        clock.done(
            f"{rows:,} reasons of {scores:,} scores; models bear out {1 - left_out / max(tried, 1):.1%} of what was "
            "tried, the rest is left out"
        )
        return dg.MaterializeResult(metadata=_shown(found, rows))

    return score_reasons


@dataclass(frozen=True)
class Written:
    """What was written of one model.

    Attributes
    ----------
    importance : DataFrame with theme, mean_contribution and share, largest first; empty without a model behind it
    examples : some rows, for the UI
    """

    model: ScoringModel
    method: str
    reasons: int
    tried: int
    left_out: int
    importance: pd.DataFrame
    examples: pd.DataFrame


def read_reason_words(folders: ShopFolders) -> "ReasonWords":
    """The shipped words with those of `shops/<name>/reason_words.yml` over them."""
    from ml.reasons.words import shipped_words, words_of

    own = own_words(folders, WORDS_FILE)
    return words_of(own.content, own.file, own.features) if own else shipped_words()


def write_reasons(workspace: RunWorkspace, settings: Settings) -> list[Written]:
    """Put the reasons of all current scores in the place of those that stand; one entry a model version.

    Raises
    ------
    WordsError
        If the shop's words have an entry that cannot be used.
    dagster.Failure
        If a model cannot be read, or its scores have no features.
    """
    words = read_reason_words(workspace.folders)
    currency = settings.shop.reporting_currency
    with writing(workspace.warehouse) as connection:
        connection.execute("delete from ml.score_reasons")
        return [
            _of_model(connection, model, words, currency, workspace.run_id)
            for model in scoring_models(connection, workspace.folders)
        ]


def _of_model(
    connection: duckdb.DuckDBPyConnection, model: ScoringModel, words: "ReasonWords", currency: str, run_id: str
) -> Written:
    from ml.reasons.importance import importance
    from ml.reasons.rows import tell_reasons
    from ml.reasons.words import Teller

    nothing = importance((), np.zeros(0), 0)
    teller: Teller = Teller(model.features, words, currency)
    explainer = model.explainer(sample(connection, model))
    reasons = explained = tried = left_out = 0
    sizes: Any = 0.0
    examples = pd.DataFrame()
    # What is read and what is written are connections of their own: a result that is not all read yet would be lost.
    with connection.cursor() as reader:
        for chunk in chunks(reader, model):
            told = tell_reasons(chunk, explainer, teller, model.model_name, model.model_version)
            add_rows(connection, "ml.score_reasons", told.rows.assign(run_id=run_id))
            reasons, explained = reasons + len(told.rows), explained + told.explained
            tried, left_out = tried + told.tried, left_out + told.left_out
            if told.explained:
                sizes = sizes + told.sizes
                examples = examples if len(examples) else _first(told.rows)
    found = importance(told_themes(teller), sizes, explained) if explained else nothing
    method = getattr(explainer, "method", "no model") if explainer is not None else "no model"
    return Written(model, method, reasons, tried, left_out, found, examples)


def told_themes(teller: "Teller") -> tuple[str, ...]:
    """The themes, in the order of their first features."""
    return tuple(dict.fromkeys(teller.themes))


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    """The reasons of some scores, always the same ones."""
    order = rows.assign(campaign_id=rows["campaign_id"].fillna("")).sort_values(
        ["customer_id", "campaign_id", "reason_rank"], kind="stable"
    )
    keys = order.drop_duplicates(["customer_id", "campaign_id"])[["customer_id", "campaign_id"]].head(SHOWN_SCORES)
    shown = order.merge(keys, on=["customer_id", "campaign_id"])
    return shown[["customer_id", "campaign_id", "reason_rank", "reason", "contribution"]].round(3)


def _shown(found: list[Written], rows: int) -> dict[str, Any]:
    """What the UI shows: how reasons came about, some of them, and what each model rests on."""
    from ml.reasons.importance import importance_plot

    summary = pd.DataFrame(
        [
            {
                "model": one.model.model_name,
                "version": one.model.model_version,
                "contributions": one.method,
                "scores": one.model.score_count,
                "reasons": one.reasons,
                "left out": f"{one.left_out / max(one.tried, 1):.2%}",
            }
            for one in found
        ],
        columns=["model", "version", "contributions", "scores", "reasons", "left out"],
    )
    names = [one.model.model_name for one in found]
    explained = {
        one.model.model_name if names.count(one.model.model_name) == 1 else one.model.model_version: one
        for one in found
        if len(one.importance)
    }
    return {
        "dagster/row_count": rows,
        "models": dg.MetadataValue.md(markdown_table(summary)),
        **{f"examples_{name}": dg.MetadataValue.md(markdown_table(one.examples)) for name, one in explained.items()},
        **images(
            {
                f"importance_{name}": importance_plot(one.importance, one.model.model_version)
                for name, one in explained.items()
            }
        ),
    }
