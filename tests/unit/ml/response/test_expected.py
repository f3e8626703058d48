"""Rows of expected responses: probabilities with intervals, and no effect."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ml.response import EXPECTED_COLUMNS, REDEEMED, Mailing, campaign_balance, expected_responses, purchased, train
from tests.unit.ml.response.conftest import TEST_FROM, Campaigns

Make = Callable[..., Campaigns]


def test_each_customer_and_type_has_an_expected_response_and_no_effect(
    make_campaigns: Make, current: pd.DataFrame
) -> None:
    eligible, responses = make_campaigns(types="AABABABC", rates={"A": 0.3, "B": 0.04})
    models = [train(eligible, responses, outcome, TEST_FROM) for outcome in (REDEEMED, purchased(28))]
    mailing, balance = Mailing.fit(eligible), campaign_balance(eligible)
    found = expected_responses(models, current, mailing, balance)
    assert tuple(found.columns) == EXPECTED_COLUMNS
    assert len(found) == len(current) * 3 * 2
    assert not found.duplicated(["customer_id", "campaign_type", "outcome"]).any()
    assert found["expected_response"].between(0, 1).all()
    assert (found["expected_low"] <= found["expected_response"]).all()
    assert (found["expected_response"] <= found["expected_high"]).all()
    assert found["incremental_effect"].isna().all()
    assert found["incremental_profit"].isna().all()
    assert found["effect_missing_reason"].str.startswith("coupons were not randomized").all()
    redeemed = found[found["outcome"] == "redeemed"]
    assert set(redeemed["horizon_days"].isna()) == {True}
    assert dict(redeemed.groupby("campaign_type")["fallback_tier"].first()) == {
        "Type A": "model",
        "Type B": "common_model",
        "Type C": "base_rate",
    }
    mixed = expected_responses(models, current.sample(frac=1, random_state=1), mailing, balance)
    pd.testing.assert_frame_equal(found, mixed)


def test_who_is_unlike_all_that_were_mailed_is_marked(make_campaigns: Make, current: pd.DataFrame) -> None:
    eligible, responses = make_campaigns(customers=800, types="AAAAAAAA")
    model = train(eligible, responses, REDEEMED, TEST_FROM)
    strange = current.assign(total_spend=np.where(np.arange(len(current)) < 5, 0.0, current["total_spend"]))
    found = expected_responses([model], strange, Mailing.fit(eligible), campaign_balance(eligible))
    poor = set(strange["customer_id"][:5])
    is_poor = found["customer_id"].isin(poor)
    assert not found.loc[is_poor, "is_like_mailed"].any()
    assert found.loc[~is_poor, "is_like_mailed"].mean() > 0.8


def test_nobody_to_say_it_of(make_campaigns: Make, current: pd.DataFrame) -> None:
    eligible, responses = make_campaigns()
    model = train(eligible, responses, REDEEMED, TEST_FROM)
    mailing, balance = Mailing.fit(eligible), campaign_balance(eligible)
    for found in (
        expected_responses([model], current.iloc[:0], mailing, balance),
        expected_responses([], current, mailing, balance),
    ):
        assert found.empty
        assert tuple(found.columns) == EXPECTED_COLUMNS
