"""When a model is trained again, and why: weekly at the most, in sentences."""

import datetime
from dataclasses import dataclass, field

import pandas as pd

from ml.frames import as_days

LEAST_DAYS_BETWEEN = 7
# Features that are named beside a drift of the score.
SHOWN_FEATURES = 3
SAYS = {"log_loss": "the log loss", "roc_auc": "the ROC-AUC", "calibration_intercept": "the calibration intercept"}


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model at an as-of date.

    Attributes
    ----------
    as_of : date
        The current as-of date; "now" is nothing else.
    last_trained_on : date or None
        As-of date at which the model was last trained, whether or not the result was promoted. None: never.
    model_version : str or None
        The version that scores.
    trained_through : date or None
        Last day whose label its training saw.
    schema_of_model, schema_now : str or None
        Hash of the features that it was trained on, and of those the catalogue names now.
    drift : DataFrame, rows of ``ml.model_drift``
    outcomes : DataFrame, rows of ``ml.model_outcomes``
        Of any model and date: only the rows of model_version count, of drift those of as_of.
    """

    as_of: datetime.date
    last_trained_on: datetime.date | None = None
    model_version: str | None = None
    trained_through: datetime.date | None = None
    schema_of_model: str | None = None
    schema_now: str | None = None
    drift: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)


def retrain_reasons(
    facts: ModelFacts, max_age_days: int | None = 91, least_days_between: int = LEAST_DAYS_BETWEEN
) -> list[str]:
    """Why to train now; empty if there is no reason, or if training took place less than a week ago.

    A model that is not there, or was trained on other features than there are now, cannot score: it is trained whenever
    that was last done. All else waits until `least_days_between` days have passed since the last training, by as-of
    dates, also since one whose result was refused.

    Parameters
    ----------
    facts : what is known
    max_age_days : the last label day may lie so far back; None: as far as it likes
    least_days_between : days between two trainings

    Returns
    -------
    list of str
        Sentences: what cannot score first, then degradation, drift, age.

    Raises
    ------
    ValueError
        If the last training lies after the current as-of date.
    """
    if facts.last_trained_on is not None and facts.last_trained_on > facts.as_of:
        raise ValueError(
            f"the model was last trained on {facts.last_trained_on}, after the current as-of date {facts.as_of}. "
            "Next: ask as of that date or later."
        )
    if facts.model_version is None:
        return ["There is no model yet."]
    if facts.schema_now is not None and facts.schema_of_model != facts.schema_now:
        return [
            f"The features are other than those that {facts.model_version} was trained on "
            f"(schema {facts.schema_of_model}, now {facts.schema_now}): it cannot score."
        ]
    if facts.last_trained_on is not None and (facts.as_of - facts.last_trained_on).days < least_days_between:
        return []
    return [*_degraded(facts), *_drifted(facts), *_old(facts, max_age_days)]


def _degraded(facts: ModelFacts) -> list[str]:
    """A sentence a figure, of its newest date; only what came true since the last training speaks for another one."""
    rows = facts.outcomes
    if rows.empty:
        return []
    rows = rows[(rows["model_version"] == facts.model_version) & rows["is_degraded"].astype(bool)]
    known_on = as_days(rows["matured_on"])
    rows = rows[known_on <= pd.Timestamp(facts.as_of)]
    if facts.last_trained_on is not None:
        rows = rows[as_days(rows["matured_on"]) > pd.Timestamp(facts.last_trained_on)]
    rows = rows.assign(as_of_date=as_days(rows["as_of_date"])).sort_values(["metric", "as_of_date"])
    sentences = []
    for metric, found in rows.groupby("metric", sort=True):
        newest = found.iloc[-1]
        promised = "" if pd.isna(newest["promised"]) else f"promised {newest['promised']:.3f}, "
        dates = "" if len(found) == 1 else f" (and of {len(found) - 1} date(s) before)"
        sentences.append(
            f"Degraded: {SAYS.get(str(metric), str(metric))} of {newest['as_of_date']:%Y-%m-%d} is "
            f"{newest['value']:.3f}, {promised}expected of these customers {newest['expected']:.3f}{dates}."
        )
    return sentences


def _drifted(facts: ModelFacts) -> list[str]:
    """Only a drift of the score speaks for training: ages and totals of all time grow by themselves, every week."""
    rows = facts.drift
    if rows.empty:
        return []
    rows = rows[
        (rows["model_version"] == facts.model_version)
        & rows["is_alarm"].astype(bool)
        & (as_days(rows["as_of_date"]) == pd.Timestamp(facts.as_of))
    ]
    if rows.empty:
        return []
    own = rows[rows["kind"] == "score"]
    if own.empty:
        return []
    rows = rows[rows["kind"] == "feature"].sort_values(["effect", "name"], ascending=[False, True]).head(SHOWN_FEATURES)
    shown = ", ".join(f"{name} ({effect:.0%})" for name, effect in zip(rows["name"], rows["effect"], strict=True))
    beside = f"; of the features most in {shown}" if shown else ""
    return [
        f"Drift: {own['effect'].iloc[0]:.0%} of the customers have a score in another place than at the training, "
        f"where {own['min_effect'].iloc[0]:.0%} is an alarm{beside}."
    ]


def _old(facts: ModelFacts, max_age_days: int | None) -> list[str]:
    if max_age_days is None or facts.trained_through is None:
        return []
    age = (facts.as_of - facts.trained_through).days
    if age <= max_age_days:
        return []
    return [f"Age: its last label is of {facts.trained_through}, {age} days ago; {max_age_days} are allowed."]
