"""Boosted value: multiples of the own pace, whatever the length of the history; null, constant and infinite columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.frames import MissingColumnsError
from ml.lifetime.boosted_value import FEATURES, BoostedValue
from ml.lifetime.histories import HistoryError


def customers(count: int, age: float, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers with a pace of their own, who from now on spend twice of it if they bought lately and half if not."""
    generator = np.random.default_rng(seed)
    pace = generator.gamma(2.0, 2.0, count)
    lately = generator.random(count) < 0.5
    frame = pd.DataFrame(generator.random((count, len(FEATURES))), columns=list(FEATURES)).assign(
        customer_age_days=age,
        total_spend=pace * age,
        order_count=age / 7,
        days_since_last_order=np.where(lately, 2, 25),
        spend_28d=pace * 28,
    )
    return frame, 30 * pace * np.where(lately, 2.0, 0.5)


@pytest.fixture(scope="module")
def fitted() -> BoostedValue:
    return BoostedValue(horizon_days=30).fit(*customers(2000, 100, 1))


def test_it_learns_and_goes_beyond_the_ages_it_saw(fitted: BoostedValue) -> None:
    for age in (100, 400):
        rows, spend = customers(500, age, 2)
        rows["days_since_last_order"] *= age / 100
        found = fitted.predict(rows)
        assert np.abs(found - spend).mean() < 0.2 * spend.mean()
        assert found.sum() == pytest.approx(spend.sum(), rel=0.05)
        low, high = fitted.predict_range(rows)
        assert (low <= high).all()
        assert ((low <= spend * 1.01) & (spend * 0.99 <= high)).mean() > 0.85


def test_order_of_rows_does_not_matter_to_predictions(fitted: BoostedValue) -> None:
    rows, _ = customers(50, 100, 3)
    assert fitted.predict(rows.iloc[::-1])[::-1] == pytest.approx(fitted.predict(rows), abs=0)


def test_null_and_constant_columns_are_borne() -> None:
    rows, spend = customers(400, 100, 4)
    rows = rows.assign(spend_90d=np.nan, order_count_7d=3, mean_line_value=None)
    assert np.isfinite(BoostedValue(30).fit(rows, spend).predict(rows)).all()


def test_what_cannot_be_is_refused(fitted: BoostedValue) -> None:
    rows, spend = customers(300, 100, 5)
    with pytest.raises(HistoryError, match="spend_28d is infinite in row 7"):
        fitted.predict(rows.assign(spend_28d=rows["spend_28d"].where(rows.index != 7, np.inf)))
    with pytest.raises(MissingColumnsError, match="order_gap_ratio"):
        fitted.predict(rows.drop(columns="order_gap_ratio"))
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(HistoryError, match="spend to learn from"):
            BoostedValue(30).fit(rows, np.where(np.arange(300) == 3, wrong, spend))
