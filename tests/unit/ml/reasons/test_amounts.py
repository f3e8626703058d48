"""Reasons of expected amounts: they add up, the model bears them out, and no mixture of two histories is impossible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.catalogue import read_catalogue
from ml.lifetime.candidates import CANDIDATES, FEATURES, USED_BY, fit_candidate
from ml.reasons.amounts import AmountExplainer
from ml.reasons.choosing import NOTHING, choose_reasons
from ml.reasons.reference import typical

EXPLAINED = [name for name in CANDIDATES if USED_BY[name]]
SIZE = 600


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Customers of every kind, among them some that never came back, and features that are null."""
    generator = np.random.default_rng(8)
    found = pd.DataFrame({name: np.round(generator.gamma(2, 3, SIZE), 1) for name in FEATURES})
    found["customer_age_days"] = generator.integers(40, 300, SIZE).astype(float)
    found["repeat_purchase_day_count"] = generator.poisson(3, SIZE).astype(float)
    since = np.floor(generator.random(SIZE) * (found["customer_age_days"] - 1))
    once = found["repeat_purchase_day_count"] == 0
    found["days_since_last_order"] = np.where(once, found["customer_age_days"], since)
    found["total_spend"] = np.round((1 + found["repeat_purchase_day_count"]) * generator.gamma(4, 8, SIZE), 2)
    found.loc[::7, "median_days_between_orders"] = np.nan
    return found


@pytest.fixture(scope="module")
def spend(customers: pd.DataFrame) -> np.ndarray:
    rate = customers["total_spend"] / customers["customer_age_days"] * np.exp(-customers["days_since_last_order"] / 90)
    return np.random.default_rng(9).gamma(2, 45 * rate.to_numpy() + 0.1)


def _explainer(name: str, customers: pd.DataFrame, spend: np.ndarray) -> tuple[Any, AmountExplainer, pd.DataFrame]:
    estimator = fit_candidate(name, customers, customers, spend, 90, 0.1)
    rows = customers[list(USED_BY[name])]
    return estimator, AmountExplainer(estimator, typical(rows, USED_BY[name], ())), rows


@pytest.mark.parametrize("name", EXPLAINED)
def test_contributions_add_up_to_the_logarithm(name: str, customers: pd.DataFrame, spend: np.ndarray) -> None:
    estimator, explainer, rows = _explainer(name, customers, spend)
    some = rows.head(80)
    expected = np.log(np.maximum(estimator.predict(some), 0.01))
    assert explainer.margin(some) == pytest.approx(expected), "rows of real customers are taken as they are"
    found = explainer.contributions(some)
    assert found.sum(axis=1) == pytest.approx(expected - explainer.margin(explainer.reference)[0])
    assert explainer.contributions(some.iloc[::-1])[::-1] == pytest.approx(found)


@pytest.mark.parametrize("name", EXPLAINED)
def test_reasons_are_found_and_borne_out(name: str, customers: pd.DataFrame, spend: np.ndarray) -> None:
    """Each theme of a mixture of two customers: the first reason of nearly everybody is one."""
    _, explainer, rows = _explainer(name, customers, spend)
    chosen = choose_reasons(explainer, rows.head(200), explainer.features)
    assert (chosen.theme[:, 0] != NOTHING).mean() > 0.9
    # How often somebody came back means one thing after a short silence and another after a long one.
    assert chosen.left_out < 0.2 * chosen.tried


def test_who_was_silent_for_long_has_it_as_a_reason(customers: pd.DataFrame, spend: np.ndarray) -> None:
    _, explainer, rows = _explainer("purchase_value", customers, spend)
    silent = rows[(rows["repeat_purchase_day_count"] > 3) & (rows["days_since_last_order"] > 150)]
    assert len(silent) > 5
    place = explainer.features.index("days_since_last_order")
    assert (explainer.contributions(silent)[:, place] < 0).all()


def test_every_feature_that_is_used_is_in_the_catalogue() -> None:
    for name in CANDIDATES:
        assert [one.name for one in read_catalogue().named(USED_BY[name])] == list(USED_BY[name])
        assert set(USED_BY[name]) <= set(FEATURES)
