"""Gamma-Gamma: published values, the gradient, shrinkage, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from ml.lifetime.gamma_gamma import GammaGamma, _Likelihood
from ml.lifetime.histories import HistoryError, TooLittleError


@pytest.fixture(scope="module")
def fitted(cdnow_values: pd.DataFrame) -> GammaGamma:
    return GammaGamma().fit(cdnow_values)


def values(*rows: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["purchase_day_count", "mean_order_value"])


def test_the_repeaters_of_cdnow_give_the_published_parameters(fitted: GammaGamma, cdnow_values: pd.DataFrame) -> None:
    assert fitted.n_customers_ == 946
    assert fitted.p_ == pytest.approx(6.25, abs=0.005)
    assert fitted.q_ == pytest.approx(3.74, abs=0.005)
    assert fitted.v_ == pytest.approx(15.44, abs=0.02)
    assert fitted.log_likelihood_ == pytest.approx(-4055.9, abs=0.05)
    # the note reports .11
    assert fitted.correlation_ == pytest.approx(0.11, abs=0.005)
    assert fitted.log_likelihood(cdnow_values) == pytest.approx(fitted.log_likelihood_)
    assert fitted.mean_of_all == pytest.approx(35.2, abs=0.1)


def test_the_order_of_rows_changes_nothing(fitted: GammaGamma, cdnow_values: pd.DataFrame) -> None:
    shuffled = GammaGamma().fit(cdnow_values.sample(frac=1, random_state=2))
    assert (shuffled.p_, shuffled.q_, shuffled.v_) == (fitted.p_, fitted.q_, fitted.v_)


@given(st.tuples(*[st.floats(-2, 3)] * 3), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_that_of_the_likelihood(logs: tuple[float, ...], seed: int) -> None:
    generator = np.random.default_rng(seed)
    function = _Likelihood((generator.integers(1, 9, 50).astype(float), generator.gamma(3, 9, 50)))
    at = np.array(logs)
    by_differences = approx_fprime(at, lambda point: function(point)[0], 1e-6)
    assert function(at)[1] == pytest.approx(by_differences, rel=1e-3, abs=0.05)


def test_few_purchases_are_drawn_to_the_mean_of_all_and_many_are_believed(fitted: GammaGamma) -> None:
    once, often = fitted.expected_value(values((1, 200.0), (500, 200.0)))
    assert fitted.mean_of_all < once < often < 200
    assert often == pytest.approx(200, rel=0.01)


def test_totals_that_are_drawn_have_the_expected_mean(fitted: GammaGamma) -> None:
    rows = values((3, 20.0), (8, 90.0))
    drawn = fitted.draw_totals(rows, np.full((2, 40_000), 4.0), np.random.default_rng(4))
    assert drawn.mean(axis=1) == pytest.approx(4 * fitted.expected_value(rows), rel=0.02)
    assert not fitted.draw_totals(rows, np.zeros((2, 3)), np.random.default_rng(4)).any()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((0.0, 5.0), "purchase_day_count is null, infinite or below 1"),
        ((2.0, 0.0), "mean_order_value is null, infinite or not positive"),
        ((2.0, -3.0), "mean_order_value"),
        ((2.0, np.inf), "mean_order_value"),
        ((np.nan, 3.0), "purchase_day_count"),
    ],
)
def test_what_cannot_be_is_refused_with_column_and_row(row: tuple[float, float], said: str) -> None:
    with pytest.raises(HistoryError, match=said) as refused:
        GammaGamma().fit(values(*[(1.0, 5.0)] * 20, row))
    assert "first in row 20" in str(refused.value)


def test_too_few_customers_and_infinite_means_are_too_little() -> None:
    with pytest.raises(TooLittleError, match="9 rows"):
        GammaGamma().fit(values(*[(1.0, 5.0)] * 9))
    wild = GammaGamma()
    wild.p_, wild.q_, wild.v_ = 0.2, 0.5, 1.0
    assert wild.mean_of_all == float("inf")
    with pytest.raises(TooLittleError, match="infinite in 1 row"):
        wild.expected_value(values((1, 5.0)))


def test_everybody_spends_the_same() -> None:
    found = GammaGamma().fit(values(*[(2.0, 10.0)] * 50))
    assert np.isnan(found.correlation_)
    assert found.expected_value(values((2, 10.0))) == pytest.approx([10], rel=0.01)
