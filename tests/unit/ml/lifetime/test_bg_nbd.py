"""BG/NBD: published values, the gradient, and what must hold for any customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from ml.lifetime.bg_nbd import BGNBD, _Likelihood
from ml.lifetime.histories import HISTORY, HistoryError, TooLittleError, histories_of
from tests.unit.ml.lifetime.conftest import data_file

WEEK = 7


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> BGNBD:
    return BGNBD().fit(cdnow)


def customer(repeats: float, between: float, age: float) -> pd.DataFrame:
    return pd.DataFrame([(repeats, between, age)], columns=list(HISTORY))


def given_parameters(r: float, alpha: float, a: float, b: float) -> BGNBD:
    model = BGNBD()
    model.r_, model.alpha_, model.a_, model.b_ = r, alpha, a, b
    return model


def test_the_sample_of_cdnow_gives_the_published_parameters(fitted: BGNBD, cdnow: pd.DataFrame) -> None:
    assert fitted.r_ == pytest.approx(0.243, abs=0.0005)
    assert fitted.alpha_ / WEEK == pytest.approx(4.414, abs=0.0005)
    assert fitted.a_ == pytest.approx(0.793, abs=0.0005)
    assert fitted.b_ == pytest.approx(2.426, abs=0.0005)
    # published in weeks: a density of so many purchase times is per week and not per day
    in_weeks = fitted.log_likelihood_ + cdnow["repeat_purchase_day_count"].sum() * np.log(WEEK)
    assert in_weeks == pytest.approx(-9582.4, abs=0.05)
    assert fitted.log_likelihood(cdnow) == pytest.approx(fitted.log_likelihood_)
    assert fitted.n_histories_ < len(cdnow)
    assert not fitted.at_bound_


def test_a_new_customer_of_cdnow_buys_as_often_as_published(fitted: BGNBD) -> None:
    weeks = [1, 3, 31.8571, 78]
    found = fitted.expected_purchases_of_new_customer(WEEK * np.array(weeks))
    assert found == pytest.approx([series(fitted, WEEK * week, 2000) for week in weeks], rel=1e-9)
    assert found[:3] == pytest.approx([0.0532, 0.1506, 1.0405], abs=0.00005)
    # The published figure of 78 weeks is the series of eq. 9 cut off after 150 terms; all of it comes to 1.8580.
    assert series(fitted, WEEK * 78, 150) == pytest.approx(1.8576, abs=0.00005)
    assert found[3] == pytest.approx(1.8576, abs=0.0005)


def series(model: BGNBD, days: float, terms: int) -> float:
    """Eq. 9 as printed, its hypergeometric function summed term by term."""
    r, alpha, a, b = model.r_, model.alpha_, model.a_, model.b_
    z = days / (alpha + days)
    term = total = 1.0
    for j in range(terms - 1):
        term *= (r + j) * (b + j) / ((a + b - 1 + j) * (j + 1)) * z
        total += term
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + days)) ** r * total)


def test_the_customer_of_the_published_note_buys_1_226_times_in_39_weeks(fitted: BGNBD) -> None:
    found = fitted.expected_purchases(customer(2, 30.43 * WEEK, 38.86 * WEEK), 39 * WEEK)
    assert found == pytest.approx([1.226], abs=0.001)


def test_in_the_weeks_after_cdnow_sold_a_little_more_than_expected(fitted: BGNBD, cdnow: pd.DataFrame) -> None:
    bought = [text.split() for text in data_file("CDNOW_sample.txt").read_text().splitlines()]
    afterwards = {(customer, day) for _, customer, day, *_ in bought if day > "19970930"}
    assert len(afterwards) == 1882
    # 12% more than the model expected
    assert fitted.expected_purchases(cdnow, 39 * WEEK).sum() == pytest.approx(1653, abs=1)


def test_order_of_rows_and_copies_of_all_change_nothing(fitted: BGNBD, cdnow: pd.DataFrame) -> None:
    shuffled = BGNBD().fit(cdnow.sample(frac=1, random_state=1))
    assert (shuffled.r_, shuffled.alpha_, shuffled.a_, shuffled.b_) == (
        fitted.r_, fitted.alpha_, fitted.a_, fitted.b_,
    )  # fmt: skip
    twice = BGNBD().fit(pd.concat([cdnow, cdnow]))
    assert twice.r_ == pytest.approx(fitted.r_, rel=1e-4)
    assert twice.log_likelihood_ == pytest.approx(2 * fitted.log_likelihood_)


@given(st.tuples(*[st.floats(-3, 3)] * 4), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_that_of_the_likelihood(logs: tuple[float, ...], seed: int) -> None:
    generator = np.random.default_rng(seed)
    age = generator.integers(1, 300, 60)
    repeats = np.where(age > 1, generator.poisson(2.0, 60), 0)
    between = np.where(repeats > 0, generator.integers(1, np.maximum(age, 2)), 0)
    rows = histories_of(pd.DataFrame(dict(zip(HISTORY, (repeats, between, age), strict=True)))).collapsed()
    function = _Likelihood(rows)
    at = np.array(logs)
    by_differences = approx_fprime(at, lambda point: function(point)[0], 1e-6)
    assert function(at)[1] == pytest.approx(by_differences, rel=1e-3, abs=0.05)


parameters = st.tuples(st.floats(0.05, 20), st.floats(0.5, 500), st.floats(0.05, 20), st.floats(0.05, 200))


@given(parameters, st.integers(0, 120), st.floats(0.01, 1), st.floats(1, 700), st.floats(1, 400))
@settings(max_examples=150, deadline=None)
def test_the_expectation_is_that_of_the_distribution(
    given_: tuple[float, float, float, float], repeats: int, share: float, age: float, days: float
) -> None:
    model = given_parameters(*given_)
    rows = customer(repeats, share * age if repeats else 0.0, age)
    expected = model.expected_purchases(rows, days)[0]
    at_most = int(20 * expected + 40 * np.sqrt(expected + 1) + 200)
    chances = model.purchase_distribution(rows, days, at_most)[0]
    assert chances.sum() == pytest.approx(1)
    if chances[-1] < 1e-12:
        assert chances @ np.arange(at_most + 1) == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert 0 <= model.probability_alive(rows)[0] <= 1


@given(parameters)
@settings(max_examples=60, deadline=None)
def test_more_time_brings_more_purchases_and_longer_silence_less_hope(
    given_: tuple[float, float, float, float],
) -> None:
    model = given_parameters(*given_)
    over_time = model.expected_purchases_of_new_customer(np.array([0.0, 1, 10, 100, 1000]))
    assert over_time[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(over_time) >= 0).all()
    ages = pd.concat([customer(3, 50, age) for age in (50, 60, 90, 400)])
    assert (np.diff(model.probability_alive(ages)) <= 1e-12).all()


@pytest.mark.parametrize(
    "values", [(1.42, 1.0, 1.42, 3.0), (3.42, 1.0, 1.42, 3.0), (2.0, 9.0, 1.0, 4.0), (1.5, 20.0, 1e5, 1.6e5)]
)
def test_where_the_hypergeometric_function_fails_the_chances_are_summed(values: tuple[float, ...]) -> None:
    model = given_parameters(*values)
    over_time = model.expected_purchases_of_new_customer(np.array([0.0, 1, 10, 100, 1000]))
    assert over_time[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(over_time) >= 0).all()
    rows = customer(2, 20, 30)
    chances = model.purchase_distribution(rows, 50, 4000)[0]
    assert model.expected_purchases(rows, 50)[0] == pytest.approx(chances @ np.arange(4001), rel=1e-9)


def test_near_a_of_one_nothing_jumps() -> None:
    rows = customer(4, 60, 90)
    found = [given_parameters(0.8, 20, a, 3).expected_purchases(rows, 90)[0] for a in (1 - 2e-4, 1.0, 1 + 2e-4)]
    assert found[0] > found[1] > found[2]
    assert found[1] == pytest.approx((found[0] + found[2]) / 2, rel=1e-6)


def test_draws_follow_the_distribution(fitted: BGNBD, cdnow: pd.DataFrame) -> None:
    some = cdnow.iloc[:40]
    drawn = fitted.draw_purchases(some, 200, 4000, np.random.default_rng(1))
    chances = fitted.purchase_distribution(some, 200, 3)
    for count in range(3):
        assert (drawn == count).mean(axis=1) == pytest.approx(chances[:, count], abs=0.035)


def test_the_parameters_of_a_made_up_shop_come_back() -> None:
    generator = np.random.default_rng(3)
    customers = 30_000
    rate, leaving = generator.gamma(0.8, 1 / 20, customers), generator.beta(1.2, 4.0, customers)
    age = generator.integers(100, 366, customers).astype(float)
    repeats, last, at = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = np.ones(customers, dtype=bool)
    while active.any():
        who = np.flatnonzero(active)
        at[who] += generator.exponential(1 / rate[who])
        inside = at[who] <= age[who]
        bought = who[inside]
        repeats[bought] += 1
        last[bought] = at[bought]
        active[who[~inside]] = False
        active[bought[generator.random(len(bought)) < leaving[bought]]] = False
    found = BGNBD().fit(pd.DataFrame(dict(zip(HISTORY, (repeats, last, age), strict=True))))
    assert [found.r_, found.alpha_, found.a_, found.b_] == pytest.approx([0.8, 20, 1.2, 4.0], rel=0.15)
    # so many distinct histories that the search began on a part of them
    assert found.n_histories_ > 20_000


def test_nobody_repeats_and_one_customer() -> None:
    with pytest.raises(TooLittleError, match=r"0 in all 3 rows: nobody came back.*Next:"):
        BGNBD().fit(pd.concat([customer(0, 0, age) for age in (5, 9, 70)]))
    alone = BGNBD().fit(customer(3, 40, 60))
    # One customer says nothing of how customers differ: the parameters are the ends of what is searched.
    assert alone.at_bound_
    assert np.isfinite(alone.expected_purchases(customer(3, 40, 60), 30)).all()


def test_wrong_days_and_unfitted_models_are_refused(fitted: BGNBD, cdnow: pd.DataFrame) -> None:
    for days in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="days is"):
            fitted.expected_purchases(cdnow, days)
    with pytest.raises(ValueError, match="at_most"):
        fitted.purchase_distribution(cdnow, 10, 0)
    with pytest.raises(HistoryError, match="have no rows"):
        fitted.expected_purchases(cdnow.iloc[:0], 10)
