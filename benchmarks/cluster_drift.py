"""Does the drift gate alarm as rarely as it says, and does it see what it should?

False alarms: customers with the demo shop's own features, where nothing changes. Each simulated run draws customers of
one date with replacement as the people of then; the people of now are the same ones with a tenth exchanged for others,
and each one's features are those of a random other date near by, so that a customer is like itself but not the same.
Dates are drawn independently for both sides: no difference is left but chance. An alarm here needs no least effect.

Power: in a share of the people of now, shopping days and days since the last order are as of the quietest tenth.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from benchmarks.cluster_stability import _weeks
from benchmarks.measuring import RESULTS
from ml.clusters.drift import DriftLimits, measure_drift
from ml.clusters.model import fit
from ml.clusters.segment_model import FEATURES, SegmentModel, in_order
from ml.clusters.settings import ClusterSettings
from ml.threads import one_thread

RUNS = 400
POWER_RUNS = 50
NEAR_DATES = 6
EXCHANGED = 0.1
NO_LEAST = DriftLimits(min_feature_effect=0.0, min_segment_effect=0.0, draws=300)


def main() -> None:
    weeks, earlier = _weeks()
    near = [in_order(week, FEATURES) for week in weeks[-NEAR_DATES:]]
    with one_thread():
        model = fit(weeks[-NEAR_DATES], earlier=earlier[:1], settings=ClusterSettings(algorithms=("k_means",))).model
        rows = [_false_alarms(near, model)]
        rows += [_power(near, model, moved, DriftLimits()) for moved in (0.05, 0.1, 0.15, 0.2, 0.3)]
    file = RESULTS / "cluster_drift.json"
    file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print(row)


def _people(near: Sequence[pd.DataFrame]) -> tuple[list[pd.DataFrame], np.ndarray]:
    """The dates with the customers who are at all of them, in one order."""
    ids = near[0]["customer_id"]
    for week in near[1:]:
        ids = ids[ids.isin(week["customer_id"])]
    return [week.set_index("customer_id").loc[ids].reset_index() for week in near], ids.to_numpy()


def _sides(
    weeks: Sequence[pd.DataFrame], generator: np.random.Generator, model: SegmentModel, moved: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    count = len(weeks[0])
    everyone = generator.integers(0, count, count + int(EXCHANGED * count))
    stacked = {name: np.stack([week[name].to_numpy(dtype=np.float64) for week in weeks]) for name in FEATURES}
    sides = []
    for side in range(2):
        places = everyone[:count] if side == 0 else everyone[len(everyone) - count :]
        # who was drawn twice is two people
        first = 0 if side == 0 else len(everyone) - count
        date = generator.integers(0, len(weeks), count)
        frame = pd.DataFrame({name: values[date, places] for name, values in stacked.items()})
        if side == 1 and moved:
            quiet = generator.random(count) < moved
            frame.loc[quiet, "purchase_day_count_90d"] = np.nanquantile(stacked["purchase_day_count_90d"], 0.1)
            frame.loc[quiet, "days_since_last_order"] = np.nanquantile(stacked["days_since_last_order"], 0.9)
        frame["customer_id"] = [f"p{place:06d}" for place in range(first, first + count)]
        frame["cluster_key"] = model.divide(frame)["broad_key"].to_numpy()
        sides.append(frame)
    return sides[0], sides[1]


def _false_alarms(near: Sequence[pd.DataFrame], model: SegmentModel) -> dict[str, Any]:
    started = time.perf_counter()
    weeks, _ = _people(near)
    alarms = 0
    for run in range(RUNS):
        sides = _sides(weeks, np.random.default_rng(run), model)
        alarms += bool(measure_drift(*sides, FEATURES, limits=NO_LEAST, seed=run)["is_alarm"].any())
    interval = binomtest(alarms, RUNS).proportion_ci(method="wilson")
    return {
        "name": "false alarms where nothing changed, no least effect asked",
        "goal": f"rate of {NO_LEAST.false_alarm_rate} a run within its 95% interval, or below",
        "customers": len(weeks[0]),
        "runs": RUNS,
        "rate": round(alarms / RUNS, 4),
        "ci_low": round(float(interval.low), 4),
        "ci_high": round(float(interval.high), 4),
        "ours_seconds": round(time.perf_counter() - started, 2),
    }


def _power(near: Sequence[pd.DataFrame], model: SegmentModel, moved: float, limits: DriftLimits) -> dict[str, Any]:
    weeks, _ = _people(near)
    found = []
    for run in range(POWER_RUNS):
        drift = measure_drift(*_sides(weeks, np.random.default_rng(run), model, moved), FEATURES, limits=limits)
        found.append((bool(drift["is_alarm"].any()), float(drift["effect"].max())))
    return {
        "name": f"{moved:.0%} of the customers fall silent, limits as shipped",
        "goal": "seen where at least a tenth of the customers moved",
        "runs": POWER_RUNS,
        "rate": round(float(np.mean([alarm for alarm, _ in found])), 4),
        "median_largest_effect": round(float(np.median([effect for _, effect in found])), 4),
    }


if __name__ == "__main__":
    main()
