"""The shift alarm: right rate of false alarms over a whole run, and what it must find."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

from expectations.limits import FeaturesLimits
from expectations.shift import Panel, Shift, measure_shifts

PAIRS = 4
DATES = PAIRS + 2
ALPHA = 0.05


def simulated(seed: int, customers: int = 300, alternating: bool = False) -> Panel:
    """A shop without any change of pace: customers differ much, and change little from date to date.

    Twelve features that hang together by two traits of the customer, among them counts with many zeros, sums that grow,
    an age and words. `alternating`: customers buy every other week.
    """
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(customers, 1, 2))
    carried = rng.normal(size=(customers, 1, 12)) + np.cumsum(rng.normal(0, 0.15, (customers, DATES, 12)), axis=1)
    mixed = 0.8 * traits @ rng.normal(size=(2, 12)) + carried
    if alternating:
        phase = rng.integers(0, 2, (customers, 1, 1))
        mixed = mixed + 3.0 * ((np.arange(DATES)[None, :, None] + phase) % 2)
    features = {f"level_{number}": mixed[..., number] for number in range(4)}
    features |= {f"count_{number}": np.floor(np.maximum(mixed[..., number] - 0.5, 0)) for number in range(4, 8)}
    spent = rng.exponential(np.exp(0.3 * traits[..., 0]), (customers, DATES))
    features["total_spend"] = 50 * np.exp(mixed[:, :1, 8]) + np.cumsum(spent, axis=1)
    features["age"] = rng.integers(1, 300, (customers, 1)) + 7 * np.arange(DATES)
    features["sometimes_null"] = np.where(mixed[..., 9] < -1, np.nan, mixed[..., 9])
    words = np.array(["never", "web", "store", "both"], dtype=object)
    features["word"] = words[np.clip(np.floor(mixed[..., 10] + 2), 0, 3).astype(int)]
    return Panel(
        np.repeat(np.arange(customers), DATES),
        np.tile(np.arange(DATES), customers),
        {name: values.reshape(-1) for name, values in features.items()},
    )


def row_by_row(panel: Panel) -> Panel:
    """The same rows, each as if it were of a customer of its own: what a test of independent rows believes."""
    return Panel(np.arange(len(panel.customers)), panel.dates, panel.features)


def smallest_p(shifts: list[Shift]) -> float:
    return min(shift.p_value for shift in shifts)


def replaced(panel: Panel, feature: str, values: Any) -> Panel:
    """The panel with one feature replaced, or one more."""
    return Panel(panel.customers, panel.dates, {**panel.features, feature: values})


def with_shift(panel: Panel, feature: str, share: float) -> Panel:
    """`share` of the customers have the feature's highest value at the judged date."""
    hit = np.random.default_rng(0).random(panel.customers.max() + 1) < share
    values = panel.features[feature]
    return replaced(panel, feature, np.where(hit[panel.customers] & (panel.dates == DATES - 1), values.max(), values))


def growing(seed: int) -> Panel:
    """Two thirds of the customers come at one of the dates."""
    panel = simulated(seed)
    came = np.random.default_rng(seed).integers(-3, DATES, panel.customers.max() + 1)
    there = panel.dates >= came[panel.customers]
    return Panel(
        panel.customers[there], panel.dates[there], {name: values[there] for name, values in panel.features.items()}
    )


@pytest.mark.parametrize(
    "drawn",
    [simulated, lambda seed: simulated(seed, alternating=True), growing],
    ids=["steady customers", "every other week", "new customers"],
)
def test_false_alarms_of_a_run_are_as_rare_as_said(drawn: Callable[[int], Panel]) -> None:
    runs = 300
    alarms = [smallest_p(measure_shifts([drawn(seed)], PAIRS, draws=199)) <= ALPHA for seed in range(runs)]
    assert ALPHA / 2 <= np.mean(alarms) <= ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / runs)


def test_rows_taken_for_independent_give_wrong_p_values() -> None:
    """Dates share their customers: taken for others', the same rows alarm never, and miss what is there."""
    p_values = [smallest_p(measure_shifts([row_by_row(simulated(seed))], PAIRS, draws=199)) for seed in range(20)]
    assert min(p_values) > ALPHA
    shifted = with_shift(simulated(1, 600), "count_5", 0.05)
    assert smallest_p(measure_shifts([shifted], PAIRS)) <= ALPHA
    assert smallest_p(measure_shifts([row_by_row(shifted)], PAIRS)) > ALPHA


@pytest.mark.parametrize("feature", ["level_1", "count_5", "total_spend", "age"])
def test_shift_of_some_customers_is_found_named_and_sized(feature: str) -> None:
    first, *others = measure_shifts([with_shift(simulated(1, 2000), feature, 0.15)], PAIRS)
    assert first.feature == feature
    assert first.p_value <= ALPHA
    assert first.effect == pytest.approx(0.15, abs=0.04)
    assert first.effect > first.usual
    assert all(other.effect < 0.05 for other in others)


def test_with_many_customers_a_tiny_shift_is_sure_and_small() -> None:
    first = measure_shifts([with_shift(simulated(1, 20_000), "level_1", 0.02)], PAIRS)[0]
    assert first.feature == "level_1"
    assert first.p_value <= ALPHA
    assert first.effect < FeaturesLimits().min_shift / 2


def test_an_alarm_does_not_echo_in_the_next_week() -> None:
    """The shift is among the pairs that say what is usual, and stays."""
    panel = simulated(1, 2000)
    raised = panel.features["level_1"] + 9.0 * (panel.dates >= DATES - 2)
    found = {shift.feature: shift for shift in measure_shifts([replaced(panel, "level_1", raised)], PAIRS)}
    assert found["level_1"].effect > 0.1
    assert found["level_1"].effect < found["level_1"].usual


def test_a_feature_that_nobody_has_any_more_is_found_and_one_that_begins_is_left_out() -> None:
    panel = simulated(1)
    gone = np.where(panel.dates == DATES - 1, np.nan, panel.features["level_1"])
    first = measure_shifts([replaced(panel, "level_1", gone)], PAIRS)[0]
    assert (first.feature, first.null_share, first.null_share_before) == ("level_1", 1.0, 0.0)
    assert first.effect > 0.9
    begun = np.where(panel.dates < DATES - 1, np.nan, panel.features["level_1"])
    assert "level_1" not in {shift.feature for shift in measure_shifts([replaced(panel, "level_1", begun)], PAIRS)}


@pytest.mark.parametrize("usual", [5.0, 0.0], ids=["five", "none"])
def test_a_value_beyond_all_before_is_found_where_most_have_the_same(usual: float) -> None:
    panel = simulated(1)
    values = np.where((panel.dates == DATES - 1) & (panel.customers % 5 == 0), 40.0, usual)
    first = measure_shifts([replaced(panel, "same", values)], PAIRS)[0]
    assert first.feature == "same"
    assert first.effect == pytest.approx(0.2, abs=0.04)


def test_a_word_that_was_not_there_before_is_found() -> None:
    panel = simulated(1)
    words = np.where((panel.dates == DATES - 1) & (panel.customers % 5 == 0), "kiosk", panel.features["word"])
    first = measure_shifts([replaced(panel, "word", words.astype(object))], PAIRS)[0]
    assert first.feature == "word"
    assert first.effect == pytest.approx(0.2, abs=0.04)


def test_a_value_that_most_share_may_drift_a_little() -> None:
    """A rate shrunk toward the mean: who has none of its own has the mean, which is another one every week."""
    panel = simulated(1)
    means = np.array([0.110, 0.111, 0.109, 0.112, 0.108, 0.113])[panel.dates]
    rates = np.where(panel.customers % 5 < 3, means, 0.05 + 0.3 * (panel.customers % 97) / 97)
    found = {shift.feature: shift for shift in measure_shifts([replaced(panel, "rate", rates)], PAIRS)}
    assert found["rate"].effect < 0.25


def test_customers_who_came_together_grow_old_together() -> None:
    """All of a campaign's customers cross from bin to bin at once, and nothing happened."""
    panel = simulated(1)
    ages = 7.0 * panel.dates + np.where(panel.customers % 5 < 3, 50, panel.customers % 97 * 3)
    found = {shift.feature: shift for shift in measure_shifts([replaced(panel, "age", ages)], PAIRS)}
    assert found["age"].effect < 0.01


def test_tables_without_rows_and_shops_without_customers_are_left_out() -> None:
    panel = simulated(1)
    later = panel.dates > 0
    began = Panel(panel.customers[later], panel.dates[later], {"late": panel.features["level_1"][later]})
    assert "late" not in {shift.feature for shift in measure_shifts([panel, began], PAIRS)}
    nobody = np.empty(0, dtype=np.int64)
    assert measure_shifts([Panel(nobody, nobody, {"none": np.empty(0)})], PAIRS) == []
    assert measure_shifts([], PAIRS) == []


def test_the_same_rows_give_the_same_answer() -> None:
    panel = simulated(3)
    order = np.random.default_rng(1).permutation(len(panel.dates))
    mixed = Panel(
        panel.customers[order], panel.dates[order], {name: values[order] for name, values in panel.features.items()}
    )
    first, second = measure_shifts([panel], PAIRS), measure_shifts([mixed], PAIRS)
    assert [shift.feature for shift in first] == [shift.feature for shift in second]
    # Sums in another order differ in the last digit, and a draw that ties may fall on the other side.
    assert [shift.p_value for shift in first] == pytest.approx([shift.p_value for shift in second], abs=0.01)
