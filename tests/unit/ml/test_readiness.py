"""Buy readiness is honest in time: what happens after a formula was made changes no score that it gives."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import readiness, readiness_evidence
from ml.catalogue import read_catalogue
from ml.evaluation import PERFORMANCE_COLUMNS

HORIZON = 7
FIRST = datetime.date(2017, 1, 30)
DATES = tuple(FIRST + datetime.timedelta(days=7 * week) for week in range(24))
NOW = DATES[-1]


def shop(customers: int = 90, seed: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers who buy at their own rate, at weekly dates; the newest date has no label yet."""
    drawn = np.random.default_rng(seed)
    rate = np.tile(drawn.gamma(1.5, 0.08, customers), len(DATES))
    keys = pd.DataFrame(
        {
            "customer_id": [f"c{number:03}" for _ in DATES for number in range(customers)],
            "as_of_date": [day for day in DATES for _ in range(customers)],
        }
    )
    numbers = pd.DataFrame(np.nan, index=keys.index, columns=list(readiness.FEATURES))
    numbers["purchase_day_count_28d"] = drawn.poisson(28 * rate)
    numbers["days_since_last_order"] = np.minimum(1 + drawn.exponential(1 / rate), 300).astype(int)
    bought = (drawn.random(len(keys)) < 1 - np.exp(-HORIZON * rate)).astype(int)
    labels = keys.assign(has_purchased=bought)
    return pd.concat([keys, numbers], axis=1), labels[labels["as_of_date"] < NOW].reset_index(drop=True)


def scored(
    features: pd.DataFrame, labels: pd.DataFrame, written: tuple[datetime.date, ...] = ()
) -> tuple[readiness.Plan, dict[datetime.date, readiness.Formula], pd.DataFrame]:
    todo = readiness.plan(DATES, NOW, labels, written, HORIZON)
    formulas = readiness.fit(todo, features, labels, HORIZON)
    return todo, formulas, readiness.score(todo.to_score, formulas, features)


def test_every_date_with_enough_before_it_is_scored_by_a_formula_that_was_made_before() -> None:
    features, labels = shop()
    todo, formulas, scores = scored(features, labels)
    assert todo.to_score[-1] == NOW
    # Four windows of seven days must have ended: that is so on the first 28th day from 2017-02-27 on.
    assert todo.to_score[0] == datetime.date(2017, 3, 20)
    assert len(scores) == 90 * len(todo.to_score)
    assert scores["score"].between(0, 100).all()
    assert set(scores["score_kind"]) == {"index"}
    for made, formula in formulas.items():
        assert formula.trained_through < made
        assert all(day + datetime.timedelta(days=HORIZON) <= made for day in formula.training_dates)


@settings(max_examples=6, deadline=None)
@given(week=st.integers(8, 22), seed=st.integers(0, 1000))
def test_the_future_changes_no_score_of_the_past(week: int, seed: int) -> None:
    features, labels = shop()
    cut = DATES[week]
    _, _, before = scored(features, labels)
    drawn = np.random.default_rng(seed)
    later = features["as_of_date"] > cut
    other = features.assign(
        purchase_day_count_28d=np.where(later, drawn.poisson(9, len(features)), features["purchase_day_count_28d"])
    )
    ends = pd.to_datetime(labels["as_of_date"]) + pd.Timedelta(days=HORIZON)
    unseen = (ends > pd.Timestamp(cut)).to_numpy()
    changed = labels.assign(has_purchased=np.where(unseen, 1 - labels["has_purchased"], labels["has_purchased"]))
    _, _, after = scored(other, changed)
    kept = before["as_of_date"] <= cut
    pd.testing.assert_frame_equal(before[kept], after[after["as_of_date"] <= cut])
    assert not before.equals(after)


def test_a_later_run_writes_only_what_is_missing_and_the_current_date() -> None:
    features, labels = shop()
    _, _, everything = scored(features, labels)
    written = tuple(day for day in everything["as_of_date"].unique() if day != DATES[15])
    todo, formulas, scores = scored(features, labels, written)
    assert todo.to_score == (DATES[15], NOW)
    assert len(formulas) == 2
    same = everything[everything["as_of_date"].isin(todo.to_score)].reset_index(drop=True)
    pd.testing.assert_frame_equal(scores, same)


def test_a_formula_is_made_every_28_days_of_the_calendar() -> None:
    days = [FIRST + datetime.timedelta(days=number) for number in range(120)]
    made = [readiness.made_on(day) for day in days]
    assert all(0 <= (day - one).days < 28 for day, one in zip(days, made, strict=True))
    assert all(one.weekday() == 0 for one in made)
    assert len(set(made)) in (5, 6)


def test_the_order_of_rows_does_not_matter() -> None:
    features, labels = shop()
    one = scored(features, labels)[2]
    other = scored(features.sample(frac=1, random_state=1), labels.sample(frac=1, random_state=2))[2]
    pd.testing.assert_frame_equal(one, other)


def test_too_little_to_learn_from_gives_no_score_at_all() -> None:
    features, labels = shop()
    few = labels[labels["as_of_date"] < DATES[3]]
    assert readiness.plan(DATES[:4], DATES[3], few, (), HORIZON).to_score == ()
    nobody = labels.assign(has_purchased=0)
    todo = readiness.plan(DATES, NOW, nobody, (), HORIZON)
    assert todo.to_score == ()
    assert readiness.score(todo.to_score, readiness.fit(todo, features, nobody, HORIZON), features).empty


def test_a_month_without_purchases_takes_the_formula_of_one_before() -> None:
    features, labels = shop()
    late = pd.to_datetime(labels["as_of_date"]) >= pd.Timestamp(DATES[6])
    quiet = labels.assign(has_purchased=np.where(late, 0, labels["has_purchased"]))
    kept = readiness.MAX_TRAINING_DATES
    assert kept < len(DATES) - 6
    todo, formulas, scores = scored(features, quiet)
    assert NOW in todo.to_score
    assert len(scores[scores["as_of_date"] == NOW]) == 90
    assert max(formulas) < readiness.made_on(NOW)


def test_inputs_are_features_of_the_catalogue() -> None:
    assert [feature.name for feature in read_catalogue().named(readiness.FEATURES)] == list(readiness.FEATURES)


def test_evidence_finds_a_score_that_means_what_it_says_and_one_that_does_not() -> None:
    drawn = np.random.default_rng(5)
    days = list(DATES[:10])
    keys = pd.DataFrame({"customer_id": np.tile([f"c{n}" for n in range(400)], 10), "as_of_date": np.repeat(days, 400)})
    chance = drawn.beta(1.2, 1.2, len(keys))
    labels = keys.assign(has_purchased=(drawn.random(len(keys)) < chance).astype(int))
    recency = keys.assign(days_since_last_order=drawn.integers(1, 90, len(keys)))
    honest = keys.assign(score=np.round(100 * chance))
    evidence = readiness_evidence.judge(honest, labels, recency, "v1", HORIZON)
    metrics = evidence.metrics()
    assert metrics["calibration_error"] < 0.03
    assert metrics["calibration_slope"] == pytest.approx(1, abs=0.08)
    assert tuple(evidence.performance.columns) == PERFORMANCE_COLUMNS
    assert (evidence.reliability["ci_low"] <= evidence.reliability["mean_readiness"]).mean() >= 0.8
    boasting = honest.assign(score=np.round(100 * (1 - (1 - chance) ** 2)))
    metrics = readiness_evidence.judge(boasting, labels, recency, "v1", HORIZON).metrics()
    assert metrics["calibration_error"] > 0.1
    assert metrics["calibration_intercept"] < -0.5


def test_scores_without_a_label_are_not_judged() -> None:
    features, labels = shop()
    scores = scored(features, labels)[2]
    recency = features[["customer_id", "as_of_date", "days_since_last_order"]]
    evidence = readiness_evidence.judge(scores, labels, recency, "v1", HORIZON)
    assert evidence.by_date["as_of_date"].max() == pd.Timestamp(DATES[-2])
    assert set(evidence.plots()) == {"calibration", "over_time"}
    nothing = readiness_evidence.judge(scores, labels.iloc[:0], recency, "v1", HORIZON)
    assert nothing.metrics() == {}
    assert nothing.plots() == {}
