"""How unlike those mailed were: against sums done by hand, and against a draw by lot."""

import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.balance import MAX_IMBALANCE
from ml.response import BALANCE_COLUMNS, FEATURES, Mailing, campaign_balance
from ml.response.balance import PROPENSITY, why_no_effect
from ml.response.pictures import balance_plot
from tests.unit.ml.response.conftest import Campaigns

Make = Callable[..., Campaigns]


def row_of(balance: pd.DataFrame, campaign: str | None, feature: str, kind: str = "Type A") -> pd.Series:
    own = balance[(balance["campaign_type"] == kind) & (balance["feature"] == feature)]
    own = own[own["campaign_id"].isna() if campaign is None else own["campaign_id"] == campaign]
    assert len(own) == 1
    return own.iloc[0]


def test_a_campaign_is_compared_as_by_hand(make_campaigns: Make) -> None:
    eligible, _ = make_campaigns()
    balance = campaign_balance(eligible)
    assert tuple(balance.columns) == BALANCE_COLUMNS
    own = eligible[eligible["campaign_id"] == "k2"]
    mine = own.loc[own["is_mailed"], "total_spend"].to_numpy()
    rest = own.loc[~own["is_mailed"], "total_spend"].to_numpy()
    row = row_of(balance, "k2", "total_spend")
    difference = (mine.mean() - rest.mean()) / np.sqrt((mine.var() + rest.var()) / 2)
    assert row["standardized_difference"] == pytest.approx(difference, abs=1e-6)
    assert row["variance_ratio"] == pytest.approx(mine.var() / rest.var(), abs=1e-5)
    assert row["mean_ratio"] == pytest.approx(mine.mean() / rest.mean(), abs=1e-6)
    assert (row["mailed_count"], row["not_mailed_count"]) == (len(mine), len(rest))
    assert row["mailed_high"] == pytest.approx(np.quantile(mine, 0.99), abs=1e-5)
    low, high = np.quantile(mine, [0.01, 0.99])
    assert row["not_mailed_within"] == pytest.approx(((rest >= low) & (rest <= high)).mean(), abs=1e-6)
    assert row["is_balanced"] is False
    assert row["as_of_date"] == own["as_of_date"].iloc[0]


def test_who_is_drawn_by_lot_is_balanced_and_who_is_chosen_is_not(make_campaigns: Make) -> None:
    for randomized in (True, False):
        balance = campaign_balance(make_campaigns(customers=3_000, types="AA", randomized=randomized)[0])
        assert row_of(balance, None, "total_spend")["is_balanced"] is randomized
        propensity = row_of(balance, None, PROPENSITY)
        assert bool(abs(propensity["standardized_difference"]) <= MAX_IMBALANCE) is randomized


def test_the_season_of_a_campaign_with_few_mailed_is_no_difference() -> None:
    """In summer everybody spends more, and few are mailed: within each campaign nobody differs."""
    parts = []
    for number, (spend, mailed) in enumerate(((10.0, 300), (90.0, 30))):
        own = pd.DataFrame(1.0, index=range(600), columns=list(FEATURES))
        own["total_spend"] = spend + np.tile([-5.0, 5.0], 300)
        parts.append(
            own.assign(
                customer_id=[f"c{place:03}" for place in range(600)],
                campaign_id=f"k{number}",
                campaign_type="Type A",
                as_of_date=datetime.date(2017, 3, 6) + datetime.timedelta(days=60 * number),
                is_mailed=np.arange(600) < mailed,
            )
        )
    row = row_of(campaign_balance(pd.concat(parts)), None, "total_spend")
    assert row["standardized_difference"] == pytest.approx(0, abs=1e-9)
    assert row["mailed_mean"] == pytest.approx(row["not_mailed_mean"])


def test_the_order_of_rows_does_not_matter(make_campaigns: Make) -> None:
    eligible, _ = make_campaigns()
    mixed = campaign_balance(eligible.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(campaign_balance(eligible), mixed)


def test_who_is_not_a_row_is_counted_all_the_same(make_campaigns: Make) -> None:
    eligible, _ = make_campaigns(types="AA")
    counts = (~eligible["is_mailed"]).groupby(eligible["campaign_id"]).sum()
    some = eligible[eligible["is_mailed"] | (eligible.index % 3 == 0)]
    some = some.assign(not_mailed_count=some["campaign_id"].map(counts))
    whole, part = campaign_balance(eligible), campaign_balance(some)
    assert list(whole["not_mailed_count"]) == list(part["not_mailed_count"])
    one, other = (row_of(found, None, "total_spend")["standardized_difference"] for found in (whole, part))
    assert one == pytest.approx(other, abs=0.2)


def test_a_type_that_went_to_everybody_has_nobody_beside(make_campaigns: Make) -> None:
    eligible, _ = make_campaigns(types="AA")
    balance = campaign_balance(eligible.assign(is_mailed=True))
    assert balance["standardized_difference"].isna().all()
    assert balance["is_balanced"].isna().all()
    assert balance_plot(balance) is None
    assert "times as much" not in why_no_effect(balance, "Type A")
    assert not Mailing.fit(eligible.assign(is_mailed=True)).models


def test_the_reason_names_what_differs_most(make_campaigns: Make) -> None:
    balance = campaign_balance(make_campaigns()[0])
    reason = why_no_effect(balance, "Type A")
    ratio = row_of(balance, None, "total_spend")["mean_ratio"]
    assert reason.startswith("coupons were not randomized")
    assert f"had spent {ratio:.1f} times as much as the others" in reason
    assert "they differ most in total_spend" in reason


def test_the_picture_is_the_same_bytes(make_campaigns: Make) -> None:
    balance = campaign_balance(make_campaigns()[0])
    first, second = balance_plot(balance), balance_plot(balance)
    assert first is not None
    assert first == second
