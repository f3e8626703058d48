"""Drift alarms at the rate that was asked for when nothing changed, and sees what changed."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from ml.clusters.drift import COLUMNS, DriftLimits, measure_drift

FEATURES = ("visits", "basket", "coupons")
NO_LEAST = DriftLimits(min_feature_effect=0.0, min_segment_effect=0.0, draws=200)


def two_samples(seed: int, customers: int = 400, moved: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same people twice, a tenth of them exchanged; habits stay, weeks differ, `moved` of them visit more."""
    generator = np.random.default_rng(seed)
    habit = generator.normal(size=(customers, 3))
    parts = []
    for side in range(2):
        values = 0.9 * habit + np.sqrt(1 - 0.81) * generator.normal(size=habit.shape)
        if side == 1:
            values[generator.random(customers) < moved, 0] += 1.5
        frame = pd.DataFrame(np.exp(values), columns=list(FEATURES))
        frame["coupons"] = np.where(values[:, 2] > 1, values[:, 2], 0.0)
        frame["cluster_key"] = np.where(values[:, 0] > 0.5, "1", np.where(values[:, 1] > 0, "2", "3"))
        frame["customer_id"] = [f"c{number:05d}" for number in range(customers)]
        keep = slice(0, -customers // 20) if side == 0 else slice(customers // 20, None)
        parts.append(frame.iloc[keep])
    return parts[0], parts[1]


def test_the_rate_of_false_alarms_holds_for_a_run() -> None:
    runs = 300
    alarms = sum(measure_drift(*two_samples(seed), FEATURES, limits=NO_LEAST)["is_alarm"].any() for seed in range(runs))
    low, high = binom.interval(0.999, runs, 0.05)
    assert low <= alarms <= high


def test_a_planted_change_is_found_where_it_is() -> None:
    found = [measure_drift(*two_samples(seed, moved=0.4), FEATURES, limits=NO_LEAST) for seed in range(20)]
    alarmed = [set(one.loc[one["is_alarm"], "name"]) for one in found]
    assert all("visits" in names for names in alarmed)
    assert np.mean(["coupons" in names for names in alarmed]) < 0.2
    assert all("1" in names for names in alarmed)


def test_an_alarm_needs_a_least_effect() -> None:
    samples = two_samples(1, customers=8_000, moved=0.08)
    assert measure_drift(*samples, FEATURES, limits=NO_LEAST)["is_alarm"].any()
    found = measure_drift(*samples, FEATURES)
    assert list(found.columns) == list(COLUMNS)
    assert not found["is_alarm"].any()


def test_the_same_data_are_no_drift_whatever_the_order() -> None:
    before, now = two_samples(2)
    found = measure_drift(before, before, FEATURES, limits=NO_LEAST)
    assert (found["effect"] == 0).all()
    assert not found["is_alarm"].any()
    first = measure_drift(before, now, FEATURES)
    pd.testing.assert_frame_equal(first, measure_drift(before.sample(frac=1), now.sample(frac=1), FEATURES))


def test_constant_and_unknown_features_do_no_harm() -> None:
    before, now = (part.assign(basket=3.0, coupons=np.nan) for part in two_samples(3))
    found = measure_drift(before, now, FEATURES).set_index("name")
    assert found.loc[["basket", "coupons"], "effect"].eq(0).all()
    lost = measure_drift(before, now.assign(basket=np.nan), FEATURES).set_index("name")
    assert lost.loc["basket", "effect"] == 1
    assert lost.loc["basket", "is_alarm"]
