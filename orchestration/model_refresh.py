"""What a run does with a propensity model: decide who scores, score, write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd

from orchestration.challengers import (
    Asked,
    Challenge,
    RetrainReasons,
    challenge,
    choice_of,
    fallback_of,
    no_reasons,
    why_train,
)
from orchestration.champions import load_champion
from orchestration.model_inputs import current_as_of
from orchestration.model_ledger import (
    FALLBACK,
    PROMOTED,
    Choice,
    Decided,
    ModelPast,
    flag_champion,
    model_past,
    restore_model,
)
from orchestration.propensity_models import PropensityModel
from orchestration.scoring import Scored, score_missing
from orchestration.warehouse import reading, replace_rows, writing
from shops import Settings, ShopFolders

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.propensity import PropensityScorer, TrainedModel


@dataclass(frozen=True)
class Refreshed:
    """What a run did with a model: who scores, what was decided, what was written.

    Attributes
    ----------
    decided : the decision of this run; None where nobody was due
    newest : the newest decision of all
    metrics : hold-out figures of the champion, by ``slice/metric``
    """

    champion: Choice
    challenge: Challenge | None
    newest: Decided | None
    scored: Scored
    metrics: dict[str, float]
    plots: dict[str, bytes]

    @property
    def in_words(self) -> str:
        """One line."""
        auc = next((value for name, value in self.metrics.items() if name.endswith("/roc_auc")), None)
        shown = "" if auc is None else f" (ROC-AUC {auc:.3f} on the hold-out)"
        decided = self.challenge.decided if self.challenge else None
        verdict = "" if decided is None else f"a challenger was {decided.verdict}; "
        return (
            f"{verdict}{self.champion.model_version}{shown} scores, {self.scored.rows_written:,} scores written, "
            f"{self.scored.rows_kept:,} kept"
        )


def refresh(
    model: PropensityModel,
    warehouse: Path,
    folders: ShopFolders,
    settings: Settings,
    run_id: str,
    asked: Asked | None = None,
    retrain_reasons: RetrainReasons = no_reasons,
) -> Refreshed | None:
    """Bring a model up to date in `warehouse`; None where there is nothing to learn from.

    Raises
    ------
    dagster.Failure
        If the champion cannot be used. Whoever asks for a model by name gets another one trained all the same.
    """
    asked = asked or Asked()
    with reading(warehouse) as connection:
        as_of = current_as_of(connection)
        labels = model.inputs.labels(connection)
    past = model_past(folders, model.model_name, as_of)
    with writing(warehouse) as connection:
        restore_model(connection, folders, model.model_name, as_of, past)
    if labels.empty and past.champion is None:
        return None
    scorer, failure = _champion(folders, past, model.model_name in asked.names)
    monitored = retrain_reasons(warehouse, past.champion) if past.champion else ()
    why = None if labels.empty else why_train(model, past, as_of, asked, monitored)
    done, champion = None, past.champion
    if why is not None:
        beaten = scorer if champion is not None and not champion.is_fallback else None
        done = challenge(model, warehouse, folders, settings, past, beaten, why, labels, as_of, run_id)
        chosen = _keep(model, done, past, warehouse, folders, run_id)
        if chosen is not None:
            champion, scorer, failure = *chosen, None
    if failure is not None:
        raise failure
    assert champion is not None
    assert scorer is not None
    scored = score_missing(model, scorer, champion, warehouse, as_of, run_id)
    with reading(warehouse) as connection:
        metrics = _metrics(connection, model.model_name)
    plots = done.trained.plots() if done and done.trained else {}
    newest = (done.decided if done else None) or (past.decisions[-1] if past.decisions else None)
    return Refreshed(champion, done, newest, scored, metrics, plots)


def _champion(
    folders: ShopFolders, past: ModelPast, is_asked: bool
) -> tuple[PropensityScorer | None, dg.Failure | None]:
    """The scorer of the champion; where it cannot be used, why: whoever asked for another one may still get it."""
    if past.champion is None:
        return None, None
    try:
        return load_champion(folders, past.champion), None
    except dg.Failure as failure:
        if is_asked:
            return None, failure
        raise


def _keep(
    model: PropensityModel,
    done: Challenge,
    past: ModelPast,
    warehouse: Path,
    folders: ShopFolders,
    run_id: str,
) -> tuple[Choice, PropensityScorer] | None:
    """Write what a challenge brought; returns what scores from now on, if that is another than before."""
    decided, trained = done.decided, done.trained
    chosen: list[tuple[Choice, PropensityScorer]] = []
    versions: list[pd.DataFrame] = []
    if trained is not None and decided is not None:
        number = past.choice_count
        if past.champion is None:
            stand_in = fallback_of(trained)
            checksum = _save(folders, stand_in, {})
            versions.append(stand_in.version_row(checksum))
            number += 1
            because = "before there was a model" if done.is_promoted else decided.reason
            chosen.append((choice_of(stand_in.scorer, FALLBACK, decided, number, checksum, because), stand_in.scorer))
        if decided.challenger_version is not None:
            # A version that was champion keeps its artifact, byte for byte: the ledger knows its checksum.
            known = [one for one in past.choices if one.model_version == decided.challenger_version]
            checksum = known[-1].artifact_sha256 if known else _save(folders, trained, trained.metrics())
            versions.append(trained.version_row(checksum))
            if done.is_promoted:
                choice = choice_of(trained.scorer, PROMOTED, decided, number + 1, checksum, decided.reason)
                chosen.append((choice, trained.scorer))
    frames: dict[str, list[pd.DataFrame]] = {
        "model_versions": versions,
        "model_decisions": [pd.DataFrame([asdict(decided)])] if decided else [],
        "model_champions": [pd.DataFrame([asdict(choice)]) for choice, _ in chosen],
        "model_decision_checks": [] if done.checks is None else [done.checks],
    }
    if trained is not None and decided is not None and decided.challenger_version is not None:
        own = trained.performance["is_champion"].astype(bool) & done.is_promoted
        frames["model_performance"] = [trained.performance.assign(is_champion=own)]
        frames["judged_predictions"] = [trained.judged_predictions()]
    champion = chosen[-1][0] if chosen else past.champion
    with writing(warehouse) as connection:
        for table, parts in frames.items():
            for frame in parts:
                _add(connection, f"ml.{table}", frame.assign(run_id=run_id))
        flag_champion(connection, model.model_name, champion.model_version if champion else None)
    return chosen[-1] if chosen else None


def _save(folders: ShopFolders, trained: TrainedModel, metrics: dict[str, float | None]) -> str:
    from ml import artifacts

    scorer = trained.scorer
    return artifacts.save_scorer(folders.models / scorer.model_name / scorer.model_version, scorer, metrics)


def _add(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Add rows of this run, in the place of what the same version, choice or run had."""
    if frame.empty:
        return
    key = next(name for name in ("choice_number", "model_version", "run_id") if name in frame)
    where: dict[str, Any] = {name: frame[name].iloc[0] for name in ("model_name", key)}
    # DuckDB takes Python's numbers, not numpy's.
    where = {name: value.item() if hasattr(value, "item") else value for name, value in where.items()}
    replace_rows(connection, table, frame, where)


def _metrics(connection: duckdb.DuckDBPyConnection, model_name: str) -> dict[str, float]:
    """Of the whole hold-out, and of each type of campaign in it; segments and groups are in the table."""
    rows = connection.execute(
        "with own as (select * from ml.model_performance where model_name = ? and is_champion), "
        "whole as (select slice from own order by rows desc, slice limit 1) "
        "select own.slice || '/' || metric, any_value(value) from own, whole "
        "where (own.slice = whole.slice or starts_with(own.slice, whole.slice || ', ')) "
        "and value is not null and not ends_with(metric, '_gain') group by own.slice, metric "
        "order by own.slice <> any_value(whole.slice), 1",
        [model_name],
    ).fetchall()
    return dict(rows)
