import numpy as np
import pytest

from ml.balance import pooled_spread, standardized, variance_ratio, weighted_mean, weighted_variance

VALUES = np.array([1.0, 3.0, 2.0, 6.0, 4.0])
MINE = np.array([True, True, False, False, False])
EVENLY = np.ones(5)


def test_differences_are_over_the_spread_of_both_groups() -> None:
    spread = pooled_spread(VALUES, MINE, ~MINE, EVENLY)
    assert spread == pytest.approx(np.sqrt((VALUES[:2].var() + VALUES[2:].var()) / 2))
    assert standardized(2.0, 4.0, spread) == pytest.approx(-2 / spread)
    assert variance_ratio(VALUES, MINE, ~MINE, EVENLY) == pytest.approx(VALUES[:2].var() / VALUES[2:].var())


def test_a_weight_is_so_many_rows() -> None:
    weights = np.array([2.0, 1.0, 1.0, 0.0, 3.0])
    assert weighted_mean(VALUES, ~MINE, weights) == pytest.approx(np.mean([2, 4, 4, 4]))
    assert weighted_variance(VALUES, ~MINE, weights) == pytest.approx(np.var([2, 4, 4, 4]))


def test_nothing_to_weigh_or_to_vary() -> None:
    assert np.isnan(weighted_mean(VALUES, MINE, np.zeros(5)))
    assert np.isnan(weighted_variance(VALUES, MINE, np.zeros(5)))
    assert standardized(2.0, 2.0, 0.0) == 0.0
    assert np.isnan(variance_ratio(np.ones(5), MINE, ~MINE, EVENLY))
