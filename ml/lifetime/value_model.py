"""Lifetime value: what each customer will spend within a horizon, by the candidate that was best on an earlier date.

Three windows, one after the other: rows to learn from, a date to choose and to widen ranges on, a hold-out that judges.
"""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import (
    as_date,
    as_days,
    content_hash,
    feature_matrix,
    in_key_order,
    model_version,
    require_columns,
    schema_hash,
)
from ml.lifetime import value_evidence
from ml.lifetime.candidates import CANDIDATES, FEATURES, Cohort, Widening, cohorts_of, fit_candidate, predicted
from ml.lifetime.histories import HistoryError, TooLittleError
from ml.lifetime.purchase_value import PurchaseValue
from ml.lifetime.value_evidence import DECIDES, METRICS, Judged, Tracked
from ml.score_rows import score_rows
from ml.splits import check_time_order, make_slice, spaced_dates

Floats = npt.NDArray[np.float64]

KEYS = ("customer_id", "as_of_date")
LABELS = (*KEYS, "horizon_days", "discounted_spend")
# Half a year of weekly dates: older ones cost time.
MAX_LEARNED_DATES = 26
MIN_ROWS = 100
SCORE_DIGITS = 2


class NotEnoughHistoryError(ValueError):
    """A horizon cannot be judged yet; the message begins with "not enough history" and says what is missing."""


def model_name(horizon_days: int) -> str:
    """Each horizon is a model of its own."""
    return f"lifetime_value_{horizon_days}d"


@dataclass(frozen=True)
class Dates:
    """As-of dates whose windows do not overlap: those to choose by end before the hold-out.

    Attributes
    ----------
    hold_out, choice : date
    before_choice, before_hold_out : tuple of date
        What is learned from to predict the one and the other: windows had ended by then.
    """

    hold_out: datetime.date
    choice: datetime.date
    before_choice: tuple[datetime.date, ...]
    before_hold_out: tuple[datetime.date, ...]


def plan(labels: pd.DataFrame, horizon_days: int, test_as_of: datetime.date | None = None) -> Dates:
    """Which dates serve for what.

    Parameters
    ----------
    labels : DataFrame with `LABELS`; a date is there if its whole window was observed
    test_as_of : the hold-out; None is the newest date

    Raises
    ------
    NotEnoughHistoryError
        If the hold-out has no labels, or there are not a date to choose on before it and one to learn from before that,
        with `MIN_ROWS` customers each.
    """
    require_columns(labels, LABELS, "label_value")
    own = as_days(labels.loc[labels["horizon_days"] == horizon_days, "as_of_date"])
    counts = own.value_counts()
    usable = [as_date(day) for day in counts[counts >= MIN_ROWS].index]
    days = sorted(day for day in usable if test_as_of is None or day <= test_as_of)
    needs = f"{horizon_days} days ahead need three such windows one after the other: to learn from, to choose, to judge"
    if not days or (test_as_of is not None and days[-1] != test_as_of):
        asked = "any date" if test_as_of is None else f"{test_as_of}"
        raise NotEnoughHistoryError(
            f"not enough history: the {horizon_days} days from {asked} on were not observed for {MIN_ROWS} customers. "
            f"{needs}."
        )
    hold_out = days[-1]
    found = spaced_dates(days, hold_out, horizon_days, 1)
    ended = {day: tuple(one for one in days if one + datetime.timedelta(days=horizon_days) <= day) for day in days}
    if not found or not ended[found[0]]:
        raise NotEnoughHistoryError(
            f"not enough history: the first date is {days[0]}, the hold-out {hold_out}, "
            f"{(hold_out - days[0]).days} days apart. {needs}."
        )
    choice = found[0]
    return Dates(hold_out, choice, ended[choice][-MAX_LEARNED_DATES:], ended[hold_out][-MAX_LEARNED_DATES:])


@dataclass(frozen=True)
class ValueScorer:
    """What is needed to score, and nothing of the customers that were learned from.

    Attributes
    ----------
    algorithm : str
        One of `CANDIDATES`.
    estimator : fitted candidate
    widening : Widening
        Of ranges, so that they held 95% of what was spent on the date of the choice.
    cohorts : mapping of name -> Cohort
        For customers with too little of their own; ``everybody`` is the base value.
    """

    model_name: str
    model_version: str
    algorithm: str
    estimator: Any
    widening: Widening
    cohorts: Mapping[str, Cohort]
    trained_through: datetime.date
    horizon_days: int
    yearly_discount: float
    feature_names: tuple[str, ...] = FEATURES

    @property
    def feature_schema_hash(self) -> str:
        """Hash of names and order of the features."""
        return schema_hash(self.feature_names, ())

    def ranges(self, features: pd.DataFrame) -> pd.DataFrame:
        """expected, low, high (money, within the horizon, discounted) and tier of each row; see `predicted`."""
        return self.widening.apply(predicted(self.estimator, features, self.cohorts))


@dataclass(frozen=True)
class ValueModel:
    """A scorer together with the evidence for it.

    Attributes
    ----------
    performance : DataFrame
        Rows of ``ml.model_performance`` without run_id.
    parameters : dict
        What was chosen, among what, on which dates; goes as JSON into ``ml.model_versions``.
    tenths : DataFrame
        See `value_evidence.by_tenth`.
    purchases : PurchaseValue or None
        BG/NBD and Gamma-Gamma fitted at the hold-out, whether or not they score; None where they could not be.
    """

    scorer: ValueScorer
    performance: pd.DataFrame
    parameters: dict[str, Any]
    tenths: pd.DataFrame
    purchases: PurchaseValue | None
    hold_out: datetime.date

    def version_row(self, artifact_sha256: str) -> pd.DataFrame:
        """The row of ``ml.model_versions`` without run_id."""
        scorer = self.scorer
        row = {
            "model_name": scorer.model_name,
            "model_version": scorer.model_version,
            "algorithm": scorer.algorithm,
            "trained_through": scorer.trained_through,
            "feature_names": json.dumps(scorer.feature_names),
            "feature_schema_hash": scorer.feature_schema_hash,
            "parameters": json.dumps(self.parameters, sort_keys=True),
            "artifact_sha256": artifact_sha256,
        }
        return pd.DataFrame([row])

    def metrics(self) -> dict[str, float]:
        """Hold-out figures of the model itself, by name."""
        own = self.performance[~self.performance["metric"].astype(str).str.endswith("_gain")]
        own = own.drop_duplicates("metric").dropna(subset=["value"])
        return {str(metric): float(value) for metric, value in zip(own["metric"], own["value"], strict=True)}

    def tracked(self, seen: pd.DataFrame) -> Tracked | None:
        """How purchases added up beside what BG/NBD expects; see `value_evidence.tracked`."""
        if self.purchases is None:
            return None
        return value_evidence.tracked(seen, self.hold_out, self.purchases.purchases_.expected_purchases_of_new_customer)

    def plots(self, currency: str, seen: pd.DataFrame) -> dict[str, bytes]:
        """PNG pictures: ``tenths`` and, where BG/NBD could be fitted, ``tracking``."""
        from ml.lifetime import value_plots

        title = f"{self.scorer.horizon_days} days from {self.hold_out:%Y-%m-%d} on, {self.scorer.algorithm}"
        found = {"tenths": value_plots.tenths(self.tenths, title, currency)}
        followed = self.tracked(seen)
        return found if followed is None else {**found, "tracking": value_plots.tracking(followed)}


def train(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    horizon_days: int,
    yearly_discount: float,
    test_as_of: datetime.date | None = None,
) -> ValueModel:
    """Choose on a date before the hold-out, fit on what was known at the hold-out, judge there once.

    The model that is returned is the one that was judged: it is not fitted again on later rows.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`, one row a customer and as-of date, in any order
        Rows without a label, and of dates after the hold-out, are ignored.
    labels : DataFrame with `LABELS`; other horizons are ignored
        discounted_spend is what was spent in ``[as_of_date, as_of_date + horizon_days)``; more given back than bought
        counts as nothing.
    yearly_discount : float
        As it went into the labels; 0.1 makes money a year from now worth 1 / 1.1.

    Raises
    ------
    NotEnoughHistoryError
        See `plan`.
    MissingColumnsError, HistoryError
        If a column is missing, or a history or amount cannot be.
    ValueError
        If a customer is there twice at a date.
    """
    dates = plan(labels, horizon_days, test_as_of)
    rows = _labelled_rows(features, labels, horizon_days, dates)
    days = rows["as_of_date"]
    _check_windows(days, horizon_days, dates)

    def part(*wanted: datetime.date) -> tuple[pd.DataFrame, Floats]:
        found = rows[days.isin([pd.Timestamp(day) for day in wanted])].reset_index(drop=True)
        return found, found["spend"].to_numpy(dtype=np.float64)

    at_choice, at_hold_out = part(dates.choice), part(dates.hold_out)
    early, late = part(*dates.before_choice), part(*dates.before_hold_out)
    _, said, refused = _fitted(at_choice[0], *early, horizon_days, yearly_discount)
    winner, table = _choose(at_choice[1], said, at_choice[0]["customer_id"])
    widening = Widening.of(at_choice[1], said[winner])

    estimators, judged_on, refused_later = _fitted(at_hold_out[0], *late, horizon_days, yearly_discount)
    if winner not in estimators:
        raise TooLittleError(f"{winner} was chosen on {dates.choice}, but cannot be fitted on {dates.hold_out}.")
    trained_through = dates.hold_out - datetime.timedelta(days=1)
    matrices = [feature_matrix(frame, FEATURES, (), "the features") for frame in (early[0], late[0], at_choice[0])]
    matrices.append(feature_matrix(at_hold_out[0], FEATURES, (), "the features"))
    name = model_name(horizon_days)
    version = model_version(
        name,
        trained_through,
        [str(estimators[key]) for key in estimators],
        horizon_days,
        yearly_discount,
        schema_hash(FEATURES, ()),
        [content_hash(matrix) for matrix in matrices],
        [content_hash(pd.DataFrame({"spend": spend})) for spend in (early[1], late[1], at_choice[1])],
    )
    cohorts = cohorts_of(*late)
    scorer = ValueScorer(
        name, version, winner, estimators[winner], widening, cohorts, trained_through, horizon_days, yearly_discount
    )
    judged_on[winner] = widening.apply(judged_on[winner])
    spend, customers = at_hold_out[1], at_hold_out[0]["customer_id"]
    judged = Judged(spend, {key: frame["expected"].to_numpy() for key, frame in judged_on.items()}, customers)
    performance = value_evidence.performance(
        judged,
        spend,
        judged_on,
        winner,
        model_name=name,
        model_version=version,
        as_of_date=dates.hold_out,
        slice="all",
    )
    purchases = estimators.get("purchase_value")
    parameters = {
        "chosen": winner,
        "decided_by": DECIDES,
        "candidates": table,
        "not_fitted": {**refused, **refused_later},
        "hold_out": dates.hold_out.isoformat(),
        "chosen_on": dates.choice.isoformat(),
        "learned_from": [day.isoformat() for day in dates.before_hold_out],
        "learned_rows": len(late[1]),
        "horizon_days": horizon_days,
        "yearly_discount": yearly_discount,
        "widening": dataclasses.asdict(widening),
        "cohorts": {key: dataclasses.asdict(cohort) for key, cohort in cohorts.items()},
        "purchase_value": None if purchases is None else purchases.facts(),
    }
    tenths = value_evidence.by_tenth(spend, judged_on[winner]["expected"].to_numpy(), customers)
    return ValueModel(scorer, performance, parameters, tenths, purchases, dates.hold_out)


def _labelled_rows(features: pd.DataFrame, labels: pd.DataFrame, horizon_days: int, dates: Dates) -> pd.DataFrame:
    """Features and spend at the dates that are used, in key order; later labels are not even joined."""
    require_columns(features, [*KEYS, *FEATURES], "the features of lifetime value")
    used = {dates.hold_out, dates.choice, *dates.before_choice, *dates.before_hold_out}
    wanted = labels[labels["horizon_days"] == horizon_days]
    wanted = wanted.assign(as_of_date=as_days(wanted["as_of_date"]))
    wanted = wanted[wanted["as_of_date"].isin([pd.Timestamp(day) for day in used])]
    spend = wanted["discounted_spend"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(spend).all():
        raise HistoryError(
            "label_value: discounted_spend is null or infinite. Next: look at the contract of label_value."
        )
    wanted = wanted[list(KEYS)].assign(spend=np.maximum(spend, 0.0))
    given = features.assign(as_of_date=as_days(features["as_of_date"]))[[*KEYS, *FEATURES]]
    rows = wanted.merge(given, on=list(KEYS), how="inner")
    return in_key_order(rows, ("as_of_date", "customer_id"), "the features of lifetime value")


def _check_windows(days: pd.Series, horizon_days: int, dates: Dates) -> None:
    last_label_day = days + pd.Timedelta(days=horizon_days - 1)
    slices = [
        make_slice(name, days.isin([pd.Timestamp(day) for day in wanted]).to_numpy(), days, last_label_day)
        for name, wanted in (
            ("learned", dates.before_choice),
            ("choice", [dates.choice]),
            ("hold-out", [dates.hold_out]),
            ("learned for the hold-out", dates.before_hold_out),
        )
    ]
    check_time_order(slices[:3])
    check_time_order([slices[3], slices[2]])


def _fitted(
    now: pd.DataFrame, learned: pd.DataFrame, spend: Floats, horizon_days: int, yearly_discount: float
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], dict[str, str]]:
    """Of each candidate the estimator and what it says of the rows `now`; of those that cannot be fitted the reason."""
    estimators, said, refused = {}, {}, {}
    cohorts = cohorts_of(learned, spend)
    for name in CANDIDATES:
        try:
            estimator = fit_candidate(name, now, learned, spend, horizon_days, yearly_discount)
            said[name] = predicted(estimator, now, cohorts)
        except TooLittleError as error:
            refused[name] = str(error)
        else:
            estimators[name] = estimator
    return estimators, said, refused


def _choose(spend: Floats, said: Mapping[str, pd.DataFrame], customers: pd.Series) -> tuple[str, list[dict[str, Any]]]:
    """The simplest candidate that no other one beats by more than noise; and the figures of all."""
    judged = Judged(spend, {name: frame["expected"].to_numpy() for name, frame in said.items()}, customers)
    winner, table = "", []
    for name in said:
        entry: dict[str, Any] = {"candidate": name}
        entry |= {metric: _rounded(float(judged.metric(metric, name)[0])) for metric in METRICS}
        if winner:
            gain = judged.gain(DECIDES, name, winner)
            entry[f"{DECIDES}_gain"] = {"over": winner, "value_low_high": [_rounded(number) for number in gain]}
        if not winner or gain[1] > 0:
            winner = name
        table.append(entry)
    return winner, table


def _rounded(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 4)


def score(scorer: ValueScorer, features: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id, one per row of `features`, in key order.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`, at least one row
    currency : ISO code, for the unit

    Raises
    ------
    HistoryError
        If there are no rows, or a history cannot be.
    ValueError
        If a customer is there twice at a date.
    """
    require_columns(features, [*KEYS, *scorer.feature_names], "the features of lifetime value")
    given = features.assign(as_of_date=as_days(features["as_of_date"]))
    rows = in_key_order(given, ("as_of_date", "customer_id"), "the features of lifetime value")
    said = scorer.ranges(rows)
    return score_rows(
        rows[list(KEYS)],
        said["expected"].round(SCORE_DIGITS).to_numpy(),
        score_low=said["low"].round(SCORE_DIGITS).to_numpy(),
        score_high=said["high"].round(SCORE_DIGITS).to_numpy(),
        fallback_tier=said["tier"].to_numpy(),
        model_name=scorer.model_name,
        model_version=scorer.model_version,
        feature_schema_hash=scorer.feature_schema_hash,
        score_kind="money",
        unit=unit(currency, scorer.horizon_days, scorer.yearly_discount),
        horizon_days=scorer.horizon_days,
    )


def unit(currency: str, horizon_days: int, yearly_discount: float) -> str:
    """What a score is counted in."""
    discounted = f"discounted at {100 * yearly_discount:.4g}% a year" if yearly_discount else "not discounted"
    return f"{currency} spent within {horizon_days} days, {discounted}"
