"""CDNOW's customers, and shops whose customers keep to the model."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.lifetime.candidates import FEATURES

FIRST = datetime.date(2017, 1, 30)


def data_file(name: str) -> Path:
    (found,) = (file for file in files("lifetimes") or [] if file.name == name)
    return Path(str(found.locate()))


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The summary of the sample's first 39 weeks, in days."""
    summary = pd.read_csv(data_file("cdnow_customers_summary.csv"))
    return pd.DataFrame(
        {
            "repeat_purchase_day_count": summary["frequency"],
            "days_between_first_and_last_purchase": (7 * summary["recency"]).round(),
            "customer_age_days": (7 * summary["T"]).round(),
        }
    )


@pytest.fixture(scope="session")
def cdnow_values() -> pd.DataFrame:
    """Mean value of the repeat purchases of the 946 who came back."""
    summary = pd.read_csv(data_file("cdnow_customers_summary_with_transactions.csv"))
    repeaters = summary[summary["x"] > 0]
    return pd.DataFrame({"purchase_day_count": repeaters["x"], "mean_order_value": repeaters["zbar"]})


def purchases(customers: int, days: int, seed: int, leaving: float = 0.03) -> list[tuple[np.ndarray, np.ndarray]]:
    """Days and amounts of each customer's purchases; the first one is day 0 to 60 of the shop."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        first, rate, mean = generator.integers(0, 60), generator.gamma(1.5, 0.06), generator.gamma(4.0, 10.0)
        on, at = [int(first)], float(first)
        while generator.random() >= leaving:
            at += max(1.0, generator.exponential(1 / rate))
            if at >= days:
                break
            on.append(int(at))
        on = sorted(set(on))
        found.append((np.array(on), np.round(generator.gamma(3.0, mean / 3.0, len(on)), 2)))
    return found


@pytest.fixture(scope="session")
def make_shop() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    """Features at weekly dates, and labels of those whose window was observed."""

    def make(
        customers: int = 150,
        days: int = 210,
        horizon: int = 42,
        seed: int = 5,
        leaving: float = 0.03,
        discount: float = 0.1,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        bought = purchases(customers, days, seed, leaving)
        features, labels = [], []
        for as_of in range(70, days + 1, 14):
            date = FIRST + datetime.timedelta(days=as_of)
            for number, (on, amount) in enumerate(bought):
                past = on < as_of
                if not past.any():
                    continue
                keys = {"customer_id": f"c{number:04}", "as_of_date": date}
                last, first = on[past].max(), on[0]

                def spent(window: int, on: np.ndarray = on, amount: np.ndarray = amount, as_of: int = as_of) -> float:
                    return float(amount[(on < as_of) & (on >= as_of - window)].sum())

                features.append(
                    {
                        **keys,
                        **dict.fromkeys(FEATURES, np.nan),
                        "customer_age_days": as_of - first,
                        "days_since_last_order": as_of - last,
                        "repeat_purchase_day_count": past.sum() - 1,
                        "order_count": past.sum(),
                        "total_spend": amount[past].sum(),
                        "mean_order_value": amount[past].mean(),
                        "spend_28d": spent(28),
                        "spend_90d": spent(90) if as_of >= 90 else np.nan,
                    }
                )
                if as_of + horizon <= days:
                    later = (on >= as_of) & (on < as_of + horizon)
                    worth = amount[later] * (1 + discount) ** (-(on[later] - as_of) / 365)
                    labels.append({**keys, "horizon_days": horizon, "discounted_spend": worth.sum()})
        return pd.DataFrame(features), pd.DataFrame(labels)

    return make
