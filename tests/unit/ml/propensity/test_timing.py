import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.propensity.timing import MIN_EVENTS, fit_timing


def test_open_windows_do_not_lower_the_curve() -> None:
    """Half of all act, evenly over 20 days; half of the windows were open for 10 days only."""
    generator = np.random.default_rng(0)
    event = np.where(generator.random(8_000) < 0.5, generator.integers(1, 21, 8_000), np.nan)
    observed = np.where(np.arange(8_000) % 2, 20, 10)
    found = fit_timing(np.where(event <= observed, event, np.nan), observed)
    assert len(found.incidence) == 20
    assert found.incidence[9] == pytest.approx(0.25, abs=0.015)
    assert found.incidence[19] == pytest.approx(0.5, abs=0.02)
    assert found.seen([10, 20, 40], [20, 20, 40])[0] == pytest.approx(0.5, abs=0.03)
    assert found.seen([20, 40], [20, 40]).tolist() == [1, 1]


def test_few_events_tell_nothing() -> None:
    event = np.r_[np.full(MIN_EVENTS - 1, 3.0), np.full(50, np.nan)]
    assert fit_timing(event, np.full(len(event), 10)).seen([1, 5], [10, 10]).tolist() == [1, 1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=MIN_EVENTS, max_size=80), st.integers(1, 40), st.integers(1, 40))
def test_more_days_never_show_less(days: list[int], one: int, other: int) -> None:
    event = np.r_[days, np.full(20, np.nan)].astype(float)
    found = fit_timing(event, np.full(len(event), 30))
    shares = found.seen(sorted([one, other]), [40, 40])
    assert 0 < shares[0] <= shares[1] <= 1
    assert (np.diff(found.incidence) >= 0).all()
