"""Judged predictions of a made-up model that means what it says."""

import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

SELECTION_DAY, HOLD_OUT_DAY, NOW = (datetime.date(2017, 9, 4), datetime.date(2017, 10, 2), datetime.date(2017, 11, 6))
KEY = {"model_name": "purchase_propensity", "model_version": "v1"}


def slice_of(scores: np.ndarray, labels: np.ndarray, judged_for: str, day: datetime.date) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **KEY,
            "judged_for": judged_for,
            "customer_id": [f"c{number:05}" for number in range(len(scores))],
            "as_of_date": day,
            "campaign_id": None,
            "probability": scores,
            "label": labels,
        }
    )


@pytest.fixture(scope="session")
def make_judged() -> Callable[..., pd.DataFrame]:
    """A selection slice and a hold-out whose probabilities are right."""

    def make(customers: int = 800, seed: int = 4, digits: int = 3) -> pd.DataFrame:
        drawn = np.random.default_rng(seed)
        parts = []
        for judged_for, day in (("selection", SELECTION_DAY), ("hold_out", HOLD_OUT_DAY)):
            scores = np.round(drawn.beta(1.2, 1.2, customers), digits)
            labels = (drawn.random(customers) < scores).astype(int)
            parts.append(slice_of(scores, labels, judged_for, day))
        return pd.concat(parts, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def current() -> pd.DataFrame:
    """Scores of today, and older ones that must not count."""
    drawn = np.random.default_rng(8)
    scores = np.round(drawn.beta(1.2, 1.2, 900), 3)
    now = slice_of(scores, scores, "", NOW).rename(columns={"label": "score"})
    return pd.concat([now, now.assign(as_of_date=SELECTION_DAY)], ignore_index=True).drop(
        columns=["judged_for", "probability"]
    )
