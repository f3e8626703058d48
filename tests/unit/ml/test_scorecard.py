import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import scorecard
from ml.frames import MissingColumnsError
from ml.scorecard import Input

ORDERS = Input("orders", (1, 3, 6), "rising", "Orders")
SILENCE = Input("silence", (7, 30), "falling", "Days of silence")
RATIO = Input("ratio", (1, 2), "free", "Pauses")
INPUTS = (ORDERS, SILENCE, RATIO)


def rows(seed: int = 0, count: int = 4000) -> tuple[pd.DataFrame, np.ndarray]:
    drawn = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "orders": drawn.poisson(2.5, count).astype(float),
            "silence": drawn.integers(1, 60, count).astype(float),
            "ratio": drawn.gamma(2, 0.7, count),
        }
    )
    frame.loc[drawn.random(count) < 0.1, "ratio"] = np.nan
    middle = frame["ratio"].between(1, 2).to_numpy()
    chance = 1 / (1 + np.exp(-(-1.5 + 0.5 * frame["orders"] - 0.03 * frame["silence"] + 1.0 * middle)))
    return frame, (drawn.random(count) < chance).astype(int)


def test_points_follow_what_was_planted_and_rates_are_what_happened() -> None:
    frame, bought = rows()
    card = scorecard.fit(INPUTS, frame, bought)
    low, middle, high, _unknown = card.points["ratio"]
    assert middle > low + 8  # planted: one unit of log-odds, 14 points
    assert middle > high + 8
    assert card.rates(frame).mean() == pytest.approx(bought.mean(), abs=1e-4)
    later, bought_later = rows(seed=1)
    rates = card.rates(later)
    for begin in (0.0, 0.25, 0.5, 0.75):
        inside = (rates >= begin) & (rates < begin + 0.25)
        assert bought_later[inside].mean() == pytest.approx(rates[inside].mean(), abs=0.06)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9))
def test_monotone_inputs_stay_monotone_whatever_the_labels(seed: int, share: float) -> None:
    frame, _ = rows(seed, 200)
    labels = (np.random.default_rng(seed).random(200) < share).astype(int)
    labels[:2] = [0, 1]
    card = scorecard.fit(INPUTS, frame, labels)
    assert list(card.points["orders"][:-1]) == sorted(card.points["orders"][:-1])
    assert list(card.points["silence"][:-1]) == sorted(card.points["silence"][:-1], reverse=True)
    assert all(min(points) == 0 for points in card.points.values())


def test_the_order_of_rows_does_not_matter() -> None:
    frame, bought = rows(count=500)
    turned = np.random.default_rng(3).permutation(500)
    one, other = scorecard.fit(INPUTS, frame, bought), scorecard.fit(INPUTS, frame.iloc[turned], bought[turned])
    assert one.facts() == other.facts()


def test_who_is_unknown_everywhere_is_no_question_and_unknown_later_costs_nothing_on_average() -> None:
    frame, bought = rows()
    card = scorecard.fit(INPUTS, frame.assign(ratio=np.nan), bought)
    assert [item.feature for item in card.inputs] == ["orders", "silence"]
    card = scorecard.fit(INPUTS, frame.assign(ratio=frame["ratio"].fillna(0.5)), bought)
    assert min(card.points["ratio"]) < card.points["ratio"][-1] < max(card.points["ratio"])


def test_bins_are_said_as_they_are_cut() -> None:
    assert ORDERS.labels() == ["under 1", "1 to under 3", "3 to under 6", "6 or more", "unknown"]
    assert ORDERS.bins_of(np.array([0, 1, 2.9, 3, 6, 99, np.nan])).tolist() == [0, 1, 1, 2, 3, 3, 4]


def test_ten_points_double_the_odds() -> None:
    card = scorecard.Scorecard((), {}, even_points=20.0)
    odds = card.rate_of([20, 30, 40]) / (1 - card.rate_of([20, 30, 40]))
    assert odds == pytest.approx([1, 2, 4])


def test_a_missing_input_is_named() -> None:
    frame, bought = rows(count=50)
    with pytest.raises(MissingColumnsError, match="silence"):
        scorecard.fit(INPUTS, frame.drop(columns="silence"), bought)
