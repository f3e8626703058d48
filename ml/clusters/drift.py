"""Have customers changed so much since the model was fitted that it should be fitted anew?

Two samples of customers, when the model was fitted and now, both divided by that model. For each feature the effect is
the share of customers that lie in another bin than then, over bins that the first sample sets; for each segment it is
the difference of its share of customers. `ml.drift` says when one is an alarm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.drift import Comparison, chosen_customers, knots, memberships, stability_index
from ml.frames import feature_matrix, in_key_order

COLUMNS = ("kind", "name", "share_before", "share_now", "effect", "population_stability_index", "p_value",
           "min_effect", "is_alarm")  # fmt: skip


@dataclass(frozen=True)
class DriftLimits:
    """When a change is an alarm.

    Attributes
    ----------
    false_alarm_rate : float
        Of runs in which nothing changed, the share that may alarm.
    min_feature_effect : float
        Share of customers that must have moved to another bin of a feature.
    min_segment_effect : float
        By how much a segment's share of customers must have changed, as a share of all customers.
    draws : int
        Bootstrap draws.
    """

    false_alarm_rate: float = 0.05
    min_feature_effect: float = 0.1
    min_segment_effect: float = 0.05
    draws: int = 500


def measure_drift(
    before: pd.DataFrame,
    now: pd.DataFrame,
    features: Sequence[str],
    segment: str = "cluster_key",
    limits: DriftLimits | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure every feature and segment between two samples.

    Parameters
    ----------
    before, now : DataFrame with customer_id, the features and the column `segment`
        One row a customer; both divided by the same model.
    features : names of numeric features
    limits : what counts as an alarm
    seed : of the draws

    Returns
    -------
    DataFrame with `COLUMNS`
        Features, then segments, each with the largest effect first. share_before and share_now are of segments.
        p_value: chance of so extreme an effect anywhere in a run in which nothing changed.
    """
    limits = limits or DriftLimits()
    before, now = _sampled(before), _sampled(now)
    matrices = [feature_matrix(part, features, (), "the features held against each other") for part in (before, now)]
    compared = Comparison(before["customer_id"], now["customer_id"], limits.draws, seed)
    for name in features:
        at = knots(matrices[0][name].to_numpy())
        then, today = (memberships(matrix[name].to_numpy(), at) for matrix in matrices)
        stability = round(stability_index(then.mean(axis=0), today.mean(axis=0), len(before)), 6)
        compared.add(
            {
                "kind": "feature",
                "name": name,
                "population_stability_index": stability,
                "min_effect": limits.min_feature_effect,
            },
            then,
            today,
        )
    for key in sorted(set(before[segment]) | set(now[segment])):
        then, today = ((part[segment] == key).to_numpy(dtype=np.float64)[:, None] for part in (before, now))
        shares = {"share_before": round(float(then.mean()), 6), "share_now": round(float(today.mean()), 6)}
        compared.add(
            {"kind": "segment", "name": key, **shares, "min_effect": limits.min_segment_effect},
            then,
            today,
        )
    found = compared.table(limits.false_alarm_rate).reindex(columns=list(COLUMNS))
    return found.sort_values(["kind", "effect", "name"], ascending=[True, False, True]).reset_index(drop=True)


def _sampled(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a customer, of at most so many customers."""
    rows = in_key_order(frame, ("customer_id",), "the features held against each other")
    return rows[chosen_customers(rows["customer_id"])].reset_index(drop=True)
