"""The propensity models as assets: one for each entry of `propensity_models`, alike but for what is asked.

What is learned, and how, is in `ml/`; what a run does with a model is in `model_refresh`.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from ml.catalogue import read_catalogue
from orchestration.challengers import Asked, RetrainReasons, no_reasons
from orchestration.kept_plots import keep_plots
from orchestration.metadata import images
from orchestration.model_refresh import Refreshed, refresh
from orchestration.progress import StageClock
from orchestration.propensity_models import PropensityModel, propensity_models
from orchestration.stages import gate_before
from orchestration.workspace import RunWorkspace
from shops import Settings, ShopFolders

# Of a run: which models somebody asked to be trained.
RETRAIN_TAG = "audience/retrain"
_LABELS = ("label_purchase", "label_purchase_windows", "label_churn", "label_redemption", "label_click")


def feature_deps() -> list[dg.AssetKey]:
    """What every Python model waits for: the tables of features and labels, and the gate after them."""
    tables = ["int_as_of_dates", *_LABELS, *dict.fromkeys(feature.table for feature in read_catalogue().features)]
    return [*(dg.AssetKey(["features", name]) for name in tables), gate_before("scores")]


def build_ml_assets(settings: Settings, retrain_reasons: RetrainReasons = no_reasons) -> list[dg.AssetsDefinition]:
    """An asset `scores/<model_name>` for each propensity model.

    Parameters
    ----------
    retrain_reasons : what monitoring says of a champion
    """
    return [_model_asset(model, settings, retrain_reasons) for model in propensity_models(settings)]


def _model_asset(model: PropensityModel, settings: Settings, retrain_reasons: RetrainReasons) -> dg.AssetsDefinition:
    @dg.asset(
        name=model.model_name,
        key_prefix="scores",
        group_name="scores",
        kinds={"python", "scikitlearn"},
        deps=feature_deps(),
        description=f"{model.description} Scored by the champion; a challenger is trained when one is due, and takes "
        "its place if it is better, nowhere inferior and calibrated.",
    )
    def asset(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "scores")
        asked = Asked.of(context.run.tags.get(RETRAIN_TAG))
        done = refresh(
            model, workspace.warehouse, workspace.folders, settings, workspace.run_id, asked, retrain_reasons
        )
        if done is None:
            clock.done(f"{model.model_name} is switched off: it has no labels to learn from")
            return dg.MaterializeResult(metadata={"switched_off": "no labels to learn from"})
        clock.done(f"{model.model_name}: {done.in_words}")
        return dg.MaterializeResult(metadata=_shown(done, workspace.folders))

    return asset


def _shown(done: Refreshed, folders: ShopFolders) -> dict[str, Any]:
    """What the UI shows; numbers are plotted over the runs."""
    champion, newest = done.champion, done.newest
    folder = folders.models / champion.model_name / champion.model_version
    shown: dict[str, Any] = {
        "dagster/row_count": done.scored.rows_written + done.scored.rows_kept,
        "rows_written": done.scored.rows_written,
        "rows_kept": done.scored.rows_kept,
        "model_version": champion.model_version,
        "champion_since": str(champion.known_from),
        "champion_because": f"{champion.choice} by {champion.chosen_by}: {champion.reason}",
        "is_fallback": champion.is_fallback,
        "trained_through": str(champion.trained_through),
        "feature_schema_hash": champion.feature_schema_hash,
        "artifact": dg.MetadataValue.path(folders.shown(folder)),
        **done.metrics,
        **images(keep_plots(folders, champion.model_name, done.plots)),
    }
    if newest is not None:
        shown |= {
            "last_decision": f"{newest.challenger_version or 'a challenger'} was {newest.verdict} on "
            f"{newest.as_of_date}; trained because {newest.trained_because}. {newest.reason}",
            "decisions_taken": newest.decisions_taken,
        }
    return shown


def known_models(settings: Settings) -> Sequence[str]:
    """Names of the models that have a champion."""
    return [model.model_name for model in propensity_models(settings)]
