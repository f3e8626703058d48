"""A made-up shop that mails its good customers, as shops do."""

import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.response import FEATURES

FIRST = datetime.date(2017, 3, 6)
TEST_FROM = FIRST + datetime.timedelta(days=21 * 6)
Campaigns = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="session")
def make_campaigns() -> Callable[..., Campaigns]:
    """Who could have received each of eight campaigns, and what those mailed did.

    Who has spent more is mailed more often and redeems more often. `types` are those of the campaigns in turn.
    """

    def make(
        customers: int = 400, types: str = "ABABABAB", rates: dict[str, float] | None = None, randomized: bool = False
    ) -> Campaigns:
        drawn = np.random.default_rng(5)
        level = drawn.normal(size=customers)
        parts = []
        for number, kind in enumerate(types):
            own = pd.DataFrame(drawn.gamma(2.0, 2.0, size=(customers, len(FEATURES))), columns=list(FEATURES))
            own["total_spend"] = np.exp(5 + level + drawn.normal(0, 0.2, customers))
            own["median_days_between_orders"] = own["median_days_between_orders"].where(drawn.random(customers) > 0.1)
            chance = 0.5 if randomized else 1 / (1 + np.exp(-1.5 * level))
            own = own.assign(
                customer_id=[f"c{place:04}" for place in range(customers)],
                campaign_id=f"k{number}",
                campaign_type=f"Type {kind}",
                as_of_date=FIRST + datetime.timedelta(days=21 * number),
                is_mailed=drawn.random(customers) < chance,
                level=level,
            )
            parts.append(own)
        eligible = pd.concat(parts, ignore_index=True)
        base = eligible["campaign_type"].str[-1].map(rates or {}).fillna(0.3).to_numpy(dtype=np.float64)
        odds = base / (1 - base) * np.exp(eligible["level"])
        responded = drawn.random(len(eligible)) < odds / (1 + odds)
        starts = pd.to_datetime(eligible["as_of_date"])
        days = starts + pd.to_timedelta(drawn.integers(0, 28, len(eligible)), unit="D")
        responses = eligible[["customer_id", "campaign_id"]].assign(
            label_ends_on=starts + pd.Timedelta(days=27),
            responded_on=days.where(responded),
            has_responded=responded.astype(int),
        )
        return eligible.drop(columns="level"), responses[eligible["is_mailed"]].reset_index(drop=True)

    return make


@pytest.fixture(scope="session")
def current(make_campaigns: Callable[..., Campaigns]) -> pd.DataFrame:
    """Features of today's customers."""
    eligible, _ = make_campaigns(types="A")
    return eligible[["customer_id", *FEATURES]].assign(as_of_date=datetime.date(2017, 11, 6))
