"""Fallbacks and ranges: who gets a cohort's value, and how ranges are widened until they hold what they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.lifetime.candidates import (
    COVERAGE,
    EVERYBODY,
    FEATURES,
    Cohort,
    MeanSpend,
    PastSpend,
    Widening,
    cohorts_of,
    fit_candidate,
    lacking,
    predicted,
)
from ml.lifetime.histories import HistoryError, TooLittleError


def rows(count: int, **columns: object) -> pd.DataFrame:
    usual = {
        **dict.fromkeys(FEATURES, 1.0),
        "customer_age_days": 100,
        "days_since_last_order": 10,
        "repeat_purchase_day_count": 3,
        "total_spend": 80.0,
        "spend_90d": 60.0,
    }
    return pd.DataFrame({name: np.resize(np.asarray(value), count) for name, value in {**usual, **columns}.items()})


def new(count: int, age: int = 9) -> pd.DataFrame:
    return rows(count, repeat_purchase_day_count=0, customer_age_days=age, days_since_last_order=age)


def test_who_has_too_little_of_their_own() -> None:
    found = lacking(pd.concat([rows(1), new(1), new(1, age=28), rows(1, total_spend=0.0)]))
    assert found.tolist() == [None, "new", None, "nothing_paid"]


def test_cohorts_fall_back_to_everybody_where_they_are_few() -> None:
    learned = pd.concat([rows(100), new(60), rows(5, total_spend=-3.0)])
    spend = np.r_[np.full(100, 50.0), np.full(60, 20.0), np.zeros(5)]
    cohorts = cohorts_of(learned, spend)
    assert set(cohorts) == {EVERYBODY, "new"}
    assert cohorts["new"] == Cohort(60, 20.0, 20.0, 20.0)
    said = predicted(PastSpend(90).fit(learned), pd.concat([rows(1), new(1), rows(1, total_spend=0.0)]), cohorts)
    assert said["tier"].tolist() == ["model", "cohort", "base_rate"]
    assert said["expected"].tolist() == [60.0, 20.0, cohorts[EVERYBODY].mean]


def test_the_mean_of_everybody_is_a_base_value_and_says_so() -> None:
    said = predicted(MeanSpend().fit(rows(3), [1.0, 2.0, 3.0]), rows(2), {EVERYBODY: Cohort(3, 2.0, 1.0, 3.0)})
    assert said["expected"].tolist() == [2.0, 2.0]
    assert said["tier"].tolist() == ["base_rate", "base_rate"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_spend_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(HistoryError, match="total_spend is null or infinite in row 1"):
        predicted(MeanSpend().fit(rows(1), [1.0]), rows(2, total_spend=[1.0, value]), {EVERYBODY: Cohort(1, 1, 1, 1)})


def test_what_is_too_little_says_so() -> None:
    with pytest.raises(TooLittleError, match="spend_90d is null in 2 row"):
        PastSpend(90).fit(rows(2)).predict(rows(2, spend_90d=np.nan))
    for spend, learned in ((np.ones(20), rows(20)), (np.zeros(400), rows(400))):
        with pytest.raises(TooLittleError, match="rows to learn from"):
            fit_candidate("boosted_value", rows(2), learned, spend, 90, 0.1)


@given(st.integers(0, 10_000), st.floats(0.1, 3.0))
@settings(max_examples=30, deadline=None)
def test_widened_ranges_hold_what_they_should_whatever_they_were(seed: int, told: float) -> None:
    generator = np.random.default_rng(seed)
    expected = generator.gamma(2.0, 30.0, 1500)
    spend = generator.gamma(2.0, expected / 2)
    low, high = expected * (1 - 0.5 * min(told, 2)), expected * (1 + told)
    said = pd.DataFrame({"expected": expected, "low": low, "high": high, "width": high - low + 0.3, "tier": "model"})
    found = Widening.of(spend[:1000], said.iloc[:1000]).apply(said)
    assert (found["low"] >= 0).all()
    assert ((found["low"] <= found["expected"]) & (found["expected"] <= found["high"])).all()
    held = ((found["low"] <= spend) & (spend <= found["high"])).to_numpy()
    assert held[:1000].mean() >= COVERAGE
    assert held[1000:].mean() > COVERAGE - 0.05


def test_cohorts_are_not_widened_and_without_models_nothing_is() -> None:
    said = pd.DataFrame({"expected": [5.0], "low": [1.0], "high": [9.0], "width": [0.0], "tier": ["cohort"]})
    assert Widening.of(np.array([50.0]), said) == Widening()
    assert Widening(2.0, 2.0).apply(said)[["low", "high"]].to_numpy().tolist() == [[1.0, 9.0]]
