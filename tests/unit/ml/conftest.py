"""Small made-up shops in which the truth is known."""

import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.clusters.segment_model import DESCRIBED, FEATURES
from ml.propensity import TASKS, Task

Shop = tuple[pd.DataFrame, pd.DataFrame]
PURCHASE, REDEMPTION = TASKS["purchase_propensity_14d"], TASKS["redemption_propensity"]


def drawn_features(keys: pd.DataFrame, task: Task, generator: np.random.Generator) -> pd.DataFrame:
    """`keys` with random numbers as features of `task`; the customers are no new ones."""
    numbers = generator.gamma(2.0, 2.0, size=(len(keys), len(task.numeric)))
    features = pd.concat([keys, pd.DataFrame(numbers, columns=list(task.numeric))], axis=1)
    return features.assign(customer_age_days=generator.integers(8, 400, len(keys)))


@pytest.fixture(scope="session")
def make_purchase_shop() -> Callable[..., Shop]:
    """Features and labels of a shop in which whoever ordered more in 28 days buys more often."""

    def make(customers: int = 300, dates: int = 8, rate: float | None = None) -> Shop:
        generator = np.random.default_rng(1)
        first = datetime.date(2017, 5, 8)
        keys = pd.DataFrame(
            [
                (f"c{number:04d}", first + datetime.timedelta(days=14 * step))
                for step in range(dates)
                for number in range(customers)
            ],
            columns=["customer_id", "as_of_date"],
        )
        features = drawn_features(keys, PURCHASE, generator)
        features.loc[features.index % 7 == 0, "median_days_between_orders"] = np.nan
        chance = 1 / (1 + np.exp(-(features["order_count_28d"] - 4))) if rate is None else rate
        bought = (generator.random(len(keys)) < chance).astype(int)
        return features, keys.assign(has_purchased_14d=bought)

    return make


@pytest.fixture(scope="session")
def make_redemption_shop() -> Callable[..., Shop]:
    """Offers and labels of a shop in which whoever bought what is on offer redeems more often."""

    def make(customers: int = 150, campaigns: int = 8, strength: float = 1.5) -> Shop:
        generator = np.random.default_rng(2)
        first = datetime.date(2017, 3, 6)
        keys = pd.DataFrame(
            [
                (f"c{number:04d}", f"k{step}", first + datetime.timedelta(days=21 * step), f"Type {'AB'[step % 2]}")
                for step in range(campaigns)
                for number in range(customers)
            ],
            columns=["customer_id", "campaign_id", "as_of_date", "campaign_type"],
        )
        features = drawn_features(keys, REDEMPTION, generator).assign(campaign_days=35)
        chance = 1 / (1 + np.exp(-strength * (features["matched_coupon_count"] - 5)))
        redeemed = generator.random(len(keys)) < chance
        starts = pd.to_datetime(keys["as_of_date"])
        redeemed_on = starts + pd.to_timedelta(generator.integers(0, 35, len(keys)), unit="D")
        labels = keys.drop(columns="campaign_type").assign(
            label_ends_on=starts + pd.Timedelta(days=34),
            first_redeemed_on=redeemed_on.where(redeemed),
            has_redeemed=redeemed.astype(int),
        )
        return features, labels

    return make


@pytest.fixture(scope="session")
def make_groups() -> Callable[..., tuple[pd.DataFrame, np.ndarray]]:
    """Customers of as many kinds as asked for, and which kind each of them is."""

    def make(groups: int = 4, members: int = 100, spread: float = 0.05) -> tuple[pd.DataFrame, np.ndarray]:
        generator = np.random.default_rng(3)
        columns = [*FEATURES, *DESCRIBED]
        centers = np.exp(generator.permuted(np.tile(np.linspace(0, 3, groups), (len(columns), 1)), axis=1).T)
        truth = np.repeat(np.arange(groups), members)
        values = centers[truth] * np.exp(generator.normal(0, spread, size=(len(truth), len(columns))))
        frame = pd.DataFrame(values, columns=columns)
        frame.insert(0, "customer_id", [f"c{number:05d}" for number in range(len(frame))])
        frame.insert(1, "as_of_date", datetime.date(2018, 1, 1))
        return frame, truth

    return make
