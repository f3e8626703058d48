"""Train a task, and score with what came of it: the one way for all yes/no models.

Choose, calibrate, fit and judge go forward in time (`ml.propensity.slices.Plan`): candidates and settings are compared
on the oldest dates, the one that won predicts a later slice from before it and is calibrated there, then learns from
everything before the hold-out, which it is judged on once. What was judged is what ships.
"""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.evaluation import performance_rows, sliced_rows
from ml.frames import content_hash, model_version, require_columns, schema_hash
from ml.propensity import events, offers
from ml.propensity.calibration import OutOfTime, calibrate, rows_per_class, unweighted
from ml.propensity.candidates import Candidate, logistic
from ml.propensity.choice import Choice, choose
from ml.propensity.inputs import checked_matrix, sampled, silent_features
from ml.propensity.limits import Limits
from ml.propensity.scorer import MIN_ROWS_PER_CLASS, SCORE_DIGITS, PropensityScorer, fit_scorer, positive_probability
from ml.propensity.slices import Part, Plan
from ml.propensity.targeting import targeting_included
from ml.propensity.tasks import RECENCY, RFM_FEATURES, Task
from ml.propensity.trained import Judged, TrainedModel
from ml.score_rows import score_rows
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
BASELINE = logistic(1.0)
# Slices are many, and their intervals wide: the ends need no third digit.
SLICE_RESAMPLES = 200


def default_test_from(task: Task, labels: pd.DataFrame) -> datetime.date:
    """The hold-out where a shop sets none: the newest whole date, or the start of the newest fifth of the campaigns."""
    require_columns(labels, [*task.keys, *task.label_columns], task.label_table)
    return offers.default_test_from(task, labels) if task.is_per_offer else events.default_test_from(task, labels)


def train(
    task: Task,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    test_from: datetime.date,
    *,
    test_until: datetime.date | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    candidates: Sequence[Candidate] | None = None,
    slices: pd.DataFrame | None = None,
    everyone: pd.DataFrame | None = None,
) -> TrainedModel:
    """Choose, calibrate and fit on what was known before `test_from`; judge once from then on.

    Parameters
    ----------
    task : Task
    features : DataFrame with ``task.keys``, ``task.numeric`` and ``task.categorical``, one row per key
        Rows without a label are ignored.
    labels : DataFrame with ``task.keys`` and ``task.label_columns``
    test_from : date
        The hold-out: the as-of date that judges; for offers, campaigns that start on it or later.
    test_until : date, optional
        Nothing that happened from then on is read: windows of events that reach it are left out, those of offers cut.
    limits : Limits
        How much the training may cost.
    candidates : sequence of Candidate, default those of the task
        Blends are made from what wins and need not be given.
    slices : DataFrame with customer_id, as_of_date and slice, optional
        Several slices a customer (segments, demographic groups): the hold-out is judged in each, too.
    everyone : DataFrame with ``task.keys``, ``task.customer_features`` and the type of campaign, optional
        For offers: one row for each campaign and each customer known at its start, mailed or not, for the slices
        "targeting included", by a second model that never ships.

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If a key, a feature or a label column is not there, or is not what the catalogue says.
    BadInputError
        If a number is infinite, a label is not 0 or 1, or nobody has features at the hold-out's date.
    ValueError
        If a key is repeated.

    Examples
    --------
    >>> model = train(TASKS["purchase_propensity_14d"], features, labels, datetime.date(2017, 10, 16))  # doctest: +SKIP
    >>> model.metrics()["all/roc_auc"]  # doctest: +SKIP
    0.85
    """
    make_plan = offers.plan_offers if task.is_per_offer else events.plan_events
    plan = make_plan(task, features, labels, test_from, test_until, limits)
    numeric, categorical = task.numeric, task.categorical
    matrix = checked_matrix(plan.rows, numeric, categorical, f"the features of {task.model_name}")
    tried = tuple(candidates or task.candidates)
    learned = plan.hold_out.learned
    training = matrix.iloc[learned.slice.rows]
    trained_through = plan.trained_through or test_from - datetime.timedelta(days=1)
    customers = plan.rows["customer_id"]
    identity: dict[str, Any] = {
        "model_name": task.model_name,
        "trained_through": trained_through,
        "horizon_days": task.horizon_days,
        "model_version": model_version(
            task.model_name,
            trained_through,
            [candidate.definition(numeric, categorical) for candidate in tried],
            dataclasses.astuple(limits),
            task.horizon_days,
            schema_hash(numeric, categorical),
            content_hash(training.assign(label=learned.labels, customer=customers.iloc[learned.slice.rows])),
        ),
    }
    with one_thread():
        choice = choose(tried, plan, matrix, numeric, categorical, limits)
        selected, said = _out_of_time(choice.winner, plan, matrix, task, limits)
        plain = unweighted(learned.labels, choice.winner.is_balanced)
        calibration, losses = calibrate(said, plain)
        fitting: dict[str, Any] = {"required": task.required, "type_column": task.type_column, **identity}
        scorer = fit_scorer(choice.winner, training, learned.labels, calibration, numeric, categorical, **fitting)
        hold_out = _judge(task, scorer, choice, plan, matrix, training, fitting)
    selection = _selected(task, scorer, plan, matrix, selected, said)
    performance = [_performance(task, hold_out, scorer, test_from)]
    if slices is not None:
        facts: dict[str, Any] = {
            "model_name": task.model_name,
            "model_version": scorer.model_version,
            "as_of_date": test_from,
        }
        performance.append(
            sliced_rows(
                hold_out.labels,
                hold_out.scores,
                hold_out.rows,
                slices,
                ranking_only=(RECENCY,),
                resamples=SLICE_RESAMPLES,
                is_champion=True,
                **facts,
            )
        )
    if everyone is not None and task.is_per_offer:
        # Evidence beside the model that ships, and kept with it: the second model is nothing of its own.
        beside = targeting_included(task, everyone, labels, test_from, test_until)
        performance.append(beside.assign(model_version=scorer.model_version))
    filled = [part for part in performance if len(part)] or performance[:1]
    parameters = _parameters(task, plan, choice, scorer, matrix, test_from, test_until, limits)
    parameters["calibration_losses"] = {name: round(loss, SCORE_DIGITS) for name, loss in losses.items()}
    return TrainedModel(
        scorer,
        pd.concat(filled, ignore_index=True),
        parameters,
        hold_out,
        selection,
        f"{task.title}, {'campaigns from' if task.is_per_offer else 'hold-out'} {test_from:%Y-%m-%d}",
    )


def score(task: Task, scorer: PropensityScorer, features: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id, one per row of `features`, in key order.

    Parameters
    ----------
    task : Task
    scorer : PropensityScorer
        ``TrainedModel.scorer``, or one loaded from an artifact.
    features : DataFrame with ``task.keys`` and the features of `scorer`
    """
    require_columns(features, [*task.keys, *scorer.feature_names], f"the features of {task.model_name}")
    rows = events.scored_rows(task, features)
    probabilities, tiers = scorer.predict(rows)
    return score_rows(
        rows[list(task.keys)],
        probabilities,
        fallback_tier=tiers,
        score_kind="probability",
        unit=task.says,
        **scorer.identity,
    )


def _out_of_time(
    candidate: Candidate, plan: Plan, matrix: pd.DataFrame, task: Task, limits: Limits
) -> tuple[list[Part], list[OutOfTime]]:
    """The parts of the selection for which a model could learn from before them, and what it said of their rows."""
    parts: list[Part] = []
    said: list[OutOfTime] = []
    for split in plan.selection:
        if not split.is_usable(MIN_ROWS_PER_CLASS):
            continue
        judged = split.judged.where(sampled(plan.rows["customer_id"].iloc[split.judged.slice.rows], limits.judged_rows))
        fitted = candidate.build(task.numeric, task.categorical).fit(
            matrix.iloc[split.learned.slice.rows], split.learned.labels
        )
        given = matrix.iloc[judged.slice.rows]
        types = given[task.type_column].to_numpy() if task.type_column else None
        parts.append(judged)
        said.append(OutOfTime(positive_probability(fitted, given), judged.labels, types, judged.seen))
    return parts, said


def _judged_rows(task: Task, plan: Plan, matrix: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Keys and features of the rows of `parts`, as the model was given them."""
    keys = [plan.rows[list(task.keys)].iloc[part.slice.rows].reset_index(drop=True) for part in parts]
    given = [matrix.iloc[part.slice.rows].reset_index(drop=True) for part in parts]
    if not parts:
        return pd.concat([plan.rows[list(task.keys)].iloc[:0], matrix.iloc[:0]], axis=1)
    return pd.concat([pd.concat(keys, ignore_index=True), pd.concat(given, ignore_index=True)], axis=1)


def _selected(
    task: Task,
    scorer: PropensityScorer,
    plan: Plan,
    matrix: pd.DataFrame,
    parts: Sequence[Part],
    said: Sequence[OutOfTime],
) -> Judged:
    """The selection with calibrated out-of-time probabilities; of whom too little is known, the fallback."""
    rows = _judged_rows(task, plan, matrix, parts)
    found, tiers = scorer.fallback.rates(rows)
    if scorer.pipeline is not None and len(rows):
        known = scorer.fallback.knows_enough(rows)
        calibrated = np.concatenate([scorer.calibration.apply(part.raw, part.types) for part in said])
        found = np.where(known, calibrated, found)
        tiers = np.where(known, "model", tiers)
    seen = [np.ones(len(part)) if part.seen is None else part.seen for part in parts]
    found = found * np.concatenate([np.zeros(0), *seen])
    labels = np.concatenate([np.zeros(0, dtype=np.int64), *(part.labels for part in parts)])
    scores = {"model": np.round(found, SCORE_DIGITS), "base_rate": np.full(len(rows), scorer.base_rate)}
    return Judged(rows, labels, scores, tiers)


def _judge(
    task: Task,
    scorer: PropensityScorer,
    choice: Choice,
    plan: Plan,
    matrix: pd.DataFrame,
    training: pd.DataFrame,
    fitting: Mapping[str, Any],
) -> Judged:
    """The hold-out with what the model and its baselines say of it."""
    learned, judged = plan.hold_out.learned, plan.hold_out.judged
    rows = _judged_rows(task, plan, matrix, [judged])
    probabilities, tiers = scorer.predict(rows)
    scores = {
        "model": np.round(judged.as_seen(probabilities), SCORE_DIGITS),
        "base_rate": np.full(len(rows), round(scorer.base_rate, SCORE_DIGITS)),
    }
    baselines: dict[str, tuple[Candidate, Sequence[str], Sequence[str]]] = {
        "logistic_regression_rfm": (BASELINE, RFM_FEATURES, ())
    }
    if choice.winner is not choice.simplest:
        baselines["logistic_regression_same_features"] = (choice.simplest, task.numeric, task.categorical)
    plain = {key: value for key, value in fitting.items() if key not in ("required", "type_column")}
    for name, (candidate, numeric, categorical) in baselines.items():
        baseline = fit_scorer(
            candidate,
            training[[*numeric, *categorical]],
            learned.labels,
            unweighted(learned.labels, candidate.is_balanced),
            numeric,
            categorical,
            **plain,
        )
        scores[name] = np.round(judged.as_seen(baseline.probabilities(rows)), SCORE_DIGITS)
    # who never ordered has been silent for longest
    silence = rows[RECENCY].fillna(np.inf).to_numpy(dtype=np.float64)
    longest = np.nanmax(silence[np.isfinite(silence)], initial=0.0) + 1
    scores[RECENCY] = task.recency_sign * np.where(np.isfinite(silence), silence, longest)
    return Judged(rows, judged.labels, scores, tiers)


def _performance(task: Task, judged: Judged, scorer: PropensityScorer, test_from: datetime.date) -> pd.DataFrame:
    """Performance on the whole hold-out, and on each type of campaign in it."""
    inside = {task.slice: np.ones(len(judged), dtype=bool)}
    if task.type_column is not None:
        kinds = judged.rows[task.type_column].to_numpy()
        if len(set(kinds)) > 1:
            inside |= {f"{task.slice}, {kind}": kinds == kind for kind in sorted(set(kinds))}
    parts = [
        performance_rows(
            judged.labels[chosen],
            {name: values[chosen] for name, values in judged.scores.items()},
            judged.rows["customer_id"][chosen],
            ranking_only=(RECENCY,),
            model_name=task.model_name,
            model_version=scorer.model_version,
            as_of_date=test_from,
            slice=name,
            is_champion=True,
        )
        for name, chosen in inside.items()
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _parameters(
    task: Task,
    plan: Plan,
    choice: Choice,
    scorer: PropensityScorer,
    matrix: pd.DataFrame,
    test_from: datetime.date,
    test_until: datetime.date | None,
    limits: Limits,
) -> dict[str, Any]:
    """What was chosen, among what, on which days, as plain values."""
    learned = plan.hold_out.learned
    facts: dict[str, Any] = {
        "chosen": scorer.algorithm,
        "fallback_tier": scorer.fallback_tier,
        "candidates": choice.table,
        "search": choice.cost,
        "limits": dataclasses.asdict(limits),
        "calibration": dataclasses.asdict(scorer.calibration),
        "base_rate": round(scorer.base_rate, SCORE_DIGITS),
        "cohorts": dict(scorer.fallback.cohorts),
        "horizon_days": task.horizon_days,
        "test_from": test_from.isoformat(),
        "test_until": test_until.isoformat() if test_until else None,
        "fold_dates": _begins(plan.folds),
        "selection_dates": _begins(plan.selection),
        "training_rows": len(learned),
        "training_positives": int(learned.labels.sum()),
        "hold_out_rows": len(plan.hold_out.judged),
        **silent_features(matrix.iloc[learned.slice.rows], task.numeric),
    }
    if rows_per_class(learned.labels) < MIN_ROWS_PER_CLASS:
        facts["no_model"] = (
            f"{int(learned.labels.sum())} yes among {len(learned)} training rows, at least {MIN_ROWS_PER_CLASS} of "
            "each class are needed: everybody gets the rate of the cohort, or the base rate"
        )
    if task.is_per_offer:
        campaigns = plan.rows["campaign_id"]
        facts["training_campaigns"] = sorted(set(campaigns.iloc[learned.slice.rows]))
        facts["test_campaigns"] = sorted(set(campaigns.iloc[plan.hold_out.judged.slice.rows]))
        facts["open_windows"] = "cut at the split: what happened before it counts, and so many days were seen"
    else:
        days = plan.rows["as_of_date"].iloc[learned.slice.rows]
        facts["training_dates"] = sorted({day.date().isoformat() for day in days.unique()})
    return facts


def _begins(splits: Sequence[Any]) -> list[str]:
    days = [split.judged.slice.first_as_of for split in splits]
    return [day.isoformat() for day in days if day is not None]
