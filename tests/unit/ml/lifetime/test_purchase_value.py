"""Spend from purchase histories: discounting, ranges, and who paid nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.lifetime.purchase_value import FEATURES, PurchaseValue, histories


@pytest.fixture(scope="module")
def now(make_shop: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    features, _ = make_shop()
    newest = features[features["as_of_date"] == features["as_of_date"].max()]
    return newest[list(FEATURES)].reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(now: pd.DataFrame) -> PurchaseValue:
    return PurchaseValue(horizon_days=42, yearly_discount=0.1).fit(now)


def test_histories_are_those_of_the_features(now: pd.DataFrame) -> None:
    found = histories(now)
    between = found["days_between_first_and_last_purchase"]
    assert (between == now["customer_age_days"] - now["days_since_last_order"]).all()
    total = (found["mean_order_value"] * found["purchase_day_count"]).to_numpy()
    assert total == pytest.approx(now["total_spend"].to_numpy())


def test_discounting_is_that_of_every_single_day(now: pd.DataFrame, fitted: PurchaseValue) -> None:
    plain = PurchaseValue(horizon_days=42, yearly_discount=0.0).fit(now).predict(now)
    rows = histories(now)
    up_to = [fitted.purchases_.expected_purchases(rows, day) for day in np.arange(0, 42.01, 0.25)]
    middle = (np.arange(168) + 0.5) * 0.25
    by_day = (np.diff(up_to, axis=0) * 1.1 ** (-middle / 365)[:, None]).sum(axis=0)
    assert fitted.predict(now) == pytest.approx(by_day * fitted.values_.expected_value(rows), rel=1e-6)
    assert (fitted.predict(now) < plain).all()


def test_ranges_hold_the_expected_value_and_belong_to_the_history(now: pd.DataFrame, fitted: PurchaseValue) -> None:
    low, high = fitted.predict_range(now)
    expected = fitted.predict(now)
    assert (low >= 0).all()
    assert (low <= expected).all()
    # who is nearly surely gone is expected to spend a few cents, and draws nothing
    buys = high > 0
    assert (expected[buys] <= high[buys]).all()
    assert (expected[~buys] < 5).all()
    shuffled = now.sample(frac=1, random_state=3)
    for ends, again in zip((low, high), fitted.predict_range(shuffled), strict=True):
        assert pd.Series(again, shuffled.index).sort_index().to_numpy() == pytest.approx(ends, abs=0)


def test_who_gave_all_of_it_back_is_expected_to_spend_nothing(now: pd.DataFrame, fitted: PurchaseValue) -> None:
    rows = now.assign(total_spend=now["total_spend"].where(now.index > 0, -5.0))
    assert fitted.predict(rows)[0] == 0
    assert fitted.predict_range(rows)[1][0] == 0
    assert PurchaseValue(42).fit(rows).values_.n_customers_ == len(rows) - 1


def test_facts_name_the_parameters_and_the_correlation(fitted: PurchaseValue) -> None:
    facts = fitted.facts()
    assert {"r", "alpha", "a", "b", "p", "q", "v", "correlation_of_count_and_value"} < set(facts)
