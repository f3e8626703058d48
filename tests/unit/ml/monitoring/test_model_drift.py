"""The rate of false alarms holds for a run over all features and the score; what changed is found where it did."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from ml.monitoring.model_drift import COLUMNS, ModelDriftLimits, measure_drift

NUMBERS, KINDS = ("visits", "basket"), ("region",)
NO_LEAST = ModelDriftLimits(min_feature_effect=0.0, min_score_effect=0.0, draws=200)


def samples(seed: int, customers: int = 300, moved: float = 0.0) -> list[pd.DataFrame]:
    """The same people at two times, on two dates each; a tenth is exchanged, `moved` of them visit more later."""
    generator = np.random.default_rng(seed)
    habit = generator.normal(size=(customers, 3))
    sides = []
    for side in range(2):
        keep = slice(0, -customers // 20) if side == 0 else slice(customers // 20, None)
        for _ in range(2):
            values = 0.9 * habit + np.sqrt(1 - 0.81) * generator.normal(size=habit.shape)
            if side:
                values[generator.random(customers) < moved, 0] += 1.5
            frame = pd.DataFrame({"visits": np.exp(values[:, 0]), "basket": values[:, 1]})
            frame["region"] = np.where(values[:, 2] > 0.5, "north", np.where(values[:, 2] > 0, "south", None))
            frame["score"] = 1 / (1 + np.exp(-values[:, 0] - values[:, 1]))
            frame["customer_id"] = [f"c{number:05d}" for number in range(customers)]
            sides.append(frame.iloc[keep])
    return [pd.concat(sides[:2], ignore_index=True), pd.concat(sides[2:], ignore_index=True)]


def test_the_rate_of_false_alarms_holds_for_a_run() -> None:
    runs = 200
    found = [measure_drift(*samples(seed), NUMBERS, KINDS, NO_LEAST) for seed in range(runs)]
    alarms = sum(one["is_alarm"].any() for one in found)
    low, high = binom.interval(0.999, runs, 0.05)
    assert low <= alarms <= high


def test_a_change_is_found_where_it_is_and_needs_a_least_effect() -> None:
    found = measure_drift(*samples(1, 1000, moved=0.4), NUMBERS, KINDS, NO_LEAST)
    assert list(found.columns) == list(COLUMNS)
    assert set(found.loc[found["is_alarm"], "name"]) >= {"visits", "score"}
    large = ModelDriftLimits(min_feature_effect=0.9, min_score_effect=0.9, draws=200)
    assert not measure_drift(*samples(1, 1000, moved=0.4), NUMBERS, KINDS, large)["is_alarm"].any()


def test_order_nothing_and_no_score() -> None:
    before, now = samples(2)
    found = measure_drift(before, now, NUMBERS, KINDS, NO_LEAST)
    mixed = measure_drift(before.sample(frac=1), now.sample(frac=1), NUMBERS, KINDS, NO_LEAST)
    pd.testing.assert_frame_equal(found, mixed)
    assert (measure_drift(before, before, NUMBERS, KINDS, NO_LEAST)["effect"] == 0).all()
    assert measure_drift(before.iloc[:0], now, NUMBERS).empty
    assert "score" not in set(measure_drift(before.drop(columns="score"), now, NUMBERS)["kind"])
