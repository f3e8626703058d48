"""Challengers: when one is trained, on which hold-out it is judged, and what is decided about it.

A hold-out that has decided once decides nothing else: looked at again and again, it would at last let somebody through
by luck. Nor is a model trained more than once a week unless somebody asks for it by name: as-of dates lie a week apart,
so that there is nothing new to judge on before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np
import pandas as pd

from ml.frames import as_date, as_days
from orchestration.model_inputs import TrainingRows, described
from orchestration.model_ledger import FALLBACK, Choice, Decided, ModelPast
from orchestration.model_slices import segments_of
from orchestration.propensity_models import BASELINES, RECENCY, PropensityModel, first_free
from orchestration.warehouse import reading
from shops import Settings, ShopFolders

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.promotion import Decision
    from ml.propensity import PropensityScorer, TrainedModel

TRAINING_PAUSE_DAYS = 7
ALL_DUE = "all"
GATE = "promotion gate"
# Days since the last order of who has none.
NEVER = 1e6

# What monitoring says of a champion: reasons to train another, in words; none while it does well.
RetrainReasons = Callable[[Path, Choice], Sequence[str]]


def no_reasons(_warehouse: Path, _champion: Choice) -> Sequence[str]:
    """Nobody watches."""
    return ()


@dataclass(frozen=True)
class Asked:
    """What somebody asked to be trained: models by name, or all that are due."""

    names: frozenset[str] = frozenset()
    is_all: bool = False

    @classmethod
    def of(cls, text: str | None) -> Asked:
        """From the tag of a run: names with commas between them, or `all`."""
        if text == ALL_DUE:
            return cls(is_all=True)
        return cls(frozenset(filter(None, (text or "").split(","))))


@dataclass(frozen=True)
class Challenge:
    """What came out of a challenge.

    Attributes
    ----------
    decided : the decision, as a row of the ledger; None where it is on record already
    trained : the challenger; None where there was no free hold-out
    checks : rows of ``ml.model_decision_checks`` without run_id
    is_promoted : whether the challenger is champion now
    """

    decided: Decided | None
    trained: TrainedModel | None
    checks: pd.DataFrame | None
    is_promoted: bool


def why_train(
    model: PropensityModel, past: ModelPast, as_of: date, asked: Asked, monitored: Sequence[str]
) -> str | None:
    """Why a challenger is due, in words; None where none is."""
    if model.model_name in asked.names:
        return "somebody asked for it by name"
    champion = past.champion
    reasons = []
    if champion is None or champion.choice == FALLBACK:
        reasons.append("no model has been promoted yet")
    tried = [one for one in past.decisions if one.challenger_version is not None]
    if tried and tried[-1].definition_hash != model.definition_hash:
        reasons.append("features, settings or code of the model have changed")
    if asked.is_all:
        reasons.append("somebody asked for all models that are due")
    reasons.extend(monitored)
    newest = max((one.as_of_date for one in tried), default=None)
    if newest is not None and newest <= as_of < newest + timedelta(days=TRAINING_PAUSE_DAYS):
        return None
    return "; ".join(reasons) or None


def challenge(
    model: PropensityModel,
    warehouse: Path,
    folders: ShopFolders,
    settings: Settings,
    past: ModelPast,
    champion: PropensityScorer | None,
    why: str,
    labels: pd.DataFrame,
    as_of: date,
    run_id: str,
) -> Challenge:
    """Train a challenger on the newest hold-out that has not decided yet, and decide about it.

    Parameters
    ----------
    champion : what it is held against; None: the baselines
    labels : all labels of the model, not empty

    Raises
    ------
    dagster.Failure
        If the champion has learned from the hold-out.
    """
    hold_out = model.hold_out(labels, first_free(past.used_through))
    is_used = hold_out is None
    if hold_out is None:
        hold_out = model.hold_out(labels, None)
        if past.champion is not None:
            used_up = _used_up(model, past, why, hold_out, as_of, run_id)
            # A run as of a past date finds what later ones have used: that is nothing to be told of the date.
            is_past = any(one.as_of_date > as_of for one in past.all_decisions)
            return Challenge(None if is_past or _is_on_record(used_up, past) else used_up, None, None, False)
    if hold_out is None:
        hold_out = as_of
    with reading(warehouse) as connection:
        features = described(model.family, champion.feature_names if champion else None)
        rows = model.inputs.training(connection, features, labels, hold_out)
        judged_from = as_days(labels["as_of_date"]) >= pd.Timestamp(hold_out)
        slices = segments_of(connection, folders, settings, labels[judged_from.to_numpy()])
        rows = dataclasses.replace(rows, slices=slices)
    trained = model.train(rows)
    if is_used:
        # There has to be something that scores: its rates are taken, and it is not judged.
        decided = _used_up(model, past, why, hold_out, as_of, run_id)
        return Challenge(decided, trained, None, False)
    decision, has_looked = _decide(model, trained, rows, champion, warehouse, folders, settings)
    judged = trained.hold_out
    decided = Decided(
        model_name=model.model_name,
        decisions_taken=_taken(past) + has_looked,
        hold_out_from=_first(judged.rows, hold_out),
        hold_out_through=_last(judged.rows, hold_out),
        uses_hold_out=has_looked,
        challenger_version=trained.scorer.model_version,
        champion_version=champion.model_version if champion else None,
        verdict=decision.verdict,
        reason=decision.in_words,
        trained_because=why,
        as_of_date=as_of,
        known_from=_known_from(judged.rows, labels, past, as_of),
        definition_hash=model.definition_hash,
        rows=len(judged.labels),
        positives=int(judged.labels.sum()),
        run_id=run_id,
    )
    named = {"model_name": model.model_name, "model_version": trained.scorer.model_version}
    return Challenge(decided, trained, decision.checks.assign(**named), decision.is_promoted)


def _decide(
    model: PropensityModel,
    trained: TrainedModel,
    training: TrainingRows,
    champion: PropensityScorer | None,
    warehouse: Path,
    folders: ShopFolders,
    settings: Settings,
) -> tuple[Decision, bool]:
    """The decision, and whether the hold-out was looked at for it."""
    from ml import promotion

    judged, scorer = trained.hold_out, trained.scorer
    if scorer.pipeline is None:
        return promotion.refusal(
            "There are too few rows of one class to learn from: cohorts and the base rate go on."
        ), False
    rules = promotion.Rules()
    rarer = int(min(judged.labels.sum(), len(judged.labels) - judged.labels.sum()))
    own = next(iter(judged.scores.values()))
    opponents, rankings = _opponents(model, trained, training, champion)
    with reading(warehouse) as connection:
        slices = segments_of(connection, folders, settings, judged.rows)
    decision = promotion.decide(judged.rows, judged.labels, own, opponents, rankings, slices, rules)
    # Too few rows to compare anything: the hold-out is as good as new when more have come.
    return decision, rarer >= rules.min_class_rows


def _opponents(
    model: PropensityModel, trained: TrainedModel, training: TrainingRows, champion: PropensityScorer | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What the challenger is held against: probabilities, and scores that only rank."""
    judged = trained.hold_out
    if champion is None:
        recency = judged.rows[RECENCY].to_numpy(dtype=np.float64, na_value=np.nan) if RECENCY in judged.rows else None
        rankings = {} if recency is None else {RECENCY: model.recency_sign * np.nan_to_num(recency, nan=NEVER)}
        return {name: judged.scores[name] for name in BASELINES if name in judged.scores}, rankings
    if len(judged.rows) and champion.trained_through >= as_date(judged.rows["as_of_date"].min()):
        raise dg.Failure(
            f"{champion.model_version} has learned from labels up to {champion.trained_through}, and the hold-out of "
            f"{model.model_name} begins on {as_date(judged.rows['as_of_date'].min())}: it would be judged on what it "
            "knows. Next: choose a later hold-out in the shop's settings, or leave it to the newest date."
        )
    keys = [name for name in ("customer_id", "as_of_date", "campaign_id") if name in judged.rows]
    own = judged.rows[keys].assign(as_of_date=as_days(judged.rows["as_of_date"]))
    given = training.features.assign(as_of_date=as_days(training.features["as_of_date"]))
    of_champion = own.merge(given, on=keys, how="left", validate="one_to_one")
    return {champion.model_version: champion.probabilities(of_champion)}, {}


def _used_up(
    model: PropensityModel, past: ModelPast, why: str, hold_out: date | None, as_of: date, run_id: str
) -> Decided:
    """The refusal where no hold-out is left."""
    return Decided(
        model_name=model.model_name,
        decisions_taken=_taken(past),
        hold_out_from=hold_out,
        hold_out_through=past.used_through,
        uses_hold_out=False,
        challenger_version=None,
        champion_version=past.champion.model_version if past.champion else None,
        verdict="refused",
        reason="There is no hold-out: no date has labels that are known."
        if past.used_through is None
        else f"The hold-out of {hold_out} has decided already: the next unused date is needed, and its labels are not "
        "known yet.",
        trained_because=why,
        as_of_date=as_of,
        known_from=as_of,
        definition_hash=model.definition_hash,
        rows=0,
        positives=0,
        run_id=run_id,
    )


def _is_on_record(decided: Decided, past: ModelPast) -> bool:
    """Whether the same was refused before for the same reason: to ask again is no new decision."""
    facts = ("uses_hold_out", "hold_out_from", "hold_out_through", "definition_hash", "champion_version")
    return any(all(getattr(one, name) == getattr(decided, name) for name in facts) for one in past.all_decisions)


def _taken(past: ModelPast) -> int:
    return sum(one.uses_hold_out for one in past.all_decisions)


def _first(rows: pd.DataFrame, otherwise: date) -> date:
    return as_date(rows["as_of_date"].min()) if len(rows) else otherwise


def _last(rows: pd.DataFrame, otherwise: date) -> date:
    return as_date(rows["as_of_date"].max()) if len(rows) else otherwise


def _known_from(rows: pd.DataFrame, labels: pd.DataFrame, past: ModelPast, as_of: date) -> date:
    """The day after the last label that decided; no earlier than the choice before, which it follows."""
    if not len(rows):
        return as_of
    judged = as_days(labels["as_of_date"]).isin(as_days(rows["as_of_date"]).unique())
    last = as_date(labels.loc[judged, "label_ends_on"].max())
    before = past.champion.known_from if past.champion else date.min
    return min(as_of, max(last + timedelta(days=1), before))


def fallback_of(trained: TrainedModel) -> TrainedModel:
    """What stands in where no model is promoted: the challenger without its model, which leaves rates."""
    from ml.propensity.calibration import Calibration

    scorer = dataclasses.replace(
        trained.scorer,
        model_version=f"{trained.scorer.model_version}-fallback",
        algorithm="fallback",
        pipeline=None,
        calibration=Calibration(),
    )
    parameters = {"fallback_of": trained.scorer.model_version, "base_rate": round(scorer.base_rate, 6)}
    return dataclasses.replace(trained, scorer=scorer, parameters=parameters)


def choice_of(scorer: PropensityScorer, kind: str, decided: Decided, number: int, checksum: str, reason: str) -> Choice:
    """A choice that a run makes."""
    return Choice(
        model_name=scorer.model_name,
        choice_number=number,
        model_version=scorer.model_version,
        choice=kind,
        is_fallback=kind == FALLBACK,
        known_from=decided.known_from,
        hold_out_from=decided.hold_out_from,
        trained_through=scorer.trained_through,
        feature_schema_hash=scorer.feature_schema_hash,
        artifact_sha256=checksum,
        reason=reason,
        chosen_by=GATE,
        chosen_at=None,
        run_id=decided.run_id,
    )
