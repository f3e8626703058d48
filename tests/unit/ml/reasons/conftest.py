"""Fitted pipelines of each kind that scores, on rows with numbers, nulls and kinds."""

from collections.abc import Callable, Iterator
from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from ml.propensity.candidates import blend, boosting, boosting_pipeline, logistic, logistic_pipeline
from ml.reasons.contributions import Explainer
from ml.reasons.reference import typical
from ml.threads import one_thread

NUMBERS = ("order_count_28d", "order_count_90d", "days_since_last_order", "spend_90d", "idle")
KINDS = ("campaign_type",)
FAMILIES = ("line", "trees", "mean", "forest", "unknown")


def drawn(size: int, seed: int = 3) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(np.round(generator.gamma(2, 4, (size, 4))), columns=list(NUMBERS[:4]))
    rows["idle"] = generator.normal(size=size)
    rows.loc[generator.random(size) < 0.15, "days_since_last_order"] = np.nan
    rows["campaign_type"] = np.asarray(generator.choice(["A", "B", "C"], size, p=[0.5, 0.3, 0.2]), dtype=object)
    return rows


def happened(rows: pd.DataFrame) -> np.ndarray:
    """More orders, a short pause and type A make it likelier; orders and spend do so together. `idle` does nothing."""
    line = (
        0.35 * (rows["order_count_28d"] - 8)
        - 0.08 * (rows["days_since_last_order"].fillna(20) - 8)
        + (rows["campaign_type"] == "A")
        + ((rows["order_count_90d"] > 8) & (rows["spend_90d"] > 8))
    )
    return (np.random.default_rng(5).random(len(rows)) < 1 / (1 + np.exp(-line))).astype(np.int64).to_numpy()


class OddSteps(RandomForestClassifier):
    """An estimator that nobody told the reasons of."""


def unfitted(family: str) -> Pipeline:
    prepare = boosting_pipeline(NUMBERS, KINDS, 1, 0.1, 1)[0]
    if family == "line":
        return logistic_pipeline(NUMBERS, KINDS, 0.1)
    if family == "trees":
        return boosting_pipeline(NUMBERS, KINDS, 40, 0.1, 30)
    if family == "mean":
        return blend(logistic(0.1), boosting(40, 0.1, 30)).build(NUMBERS, KINDS)
    if family == "forest":
        return Pipeline(
            [("prepare", prepare), ("model", RandomForestClassifier(15, min_samples_leaf=20, random_state=0))]
        )
    return Pipeline([("all", prepare), ("none", "passthrough"), ("model", OddSteps(5, max_depth=3, random_state=0))])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As scoring runs; on a busy machine threads that wait for each other take most of the time."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def explainers() -> dict[str, Explainer]:
    """One explainer a family, each against the typical row of the same rows."""
    rows = drawn(2_000)
    with one_thread():
        return {
            family: Explainer(unfitted(family).fit(rows, happened(rows)), typical(rows, NUMBERS, KINDS))
            for family in FAMILIES
        }


def exact_shapley(value: Callable[[np.ndarray], float], count: int) -> np.ndarray:
    """Shapley's formula over all coalitions (Shapley 1953); `value` takes which players are in."""
    worth = {mask: value(((mask >> np.arange(count)) & 1).astype(bool)) for mask in range(2**count)}
    found = np.zeros(count)
    for player in range(count):
        for mask, amount in worth.items():
            if mask & (1 << player):
                size = bin(mask).count("1") - 1
                weight = factorial(size) * factorial(count - size - 1) / factorial(count)
                found[player] += weight * (amount - worth[mask ^ (1 << player)])
    return found
