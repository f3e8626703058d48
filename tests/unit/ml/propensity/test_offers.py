import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.propensity.inputs import BadInputError
from ml.propensity.limits import Limits
from ml.propensity.offers import default_test_from, plan_offers
from ml.propensity.slices import Plan
from ml.propensity.tasks import CLICK, REDEMPTION
from tests.unit.ml.conftest import drawn_features

# the sixth of eight campaigns; the fourth and fifth are still running then
TEST_FROM = datetime.date(2017, 6, 19)
Shop = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def shop(make_redemption_shop: Callable[..., Shop]) -> Shop:
    return make_redemption_shop()


def plan_of(shop: Shop, test_from: datetime.date = TEST_FROM, test_until: datetime.date | None = None) -> Plan:
    return plan_offers(REDEMPTION, *shop, test_from, test_until, Limits())


def test_campaigns_are_split_by_their_start(shop: Shop) -> None:
    plan = plan_of(shop)
    campaigns = plan.rows["campaign_id"]
    assert set(campaigns.iloc[plan.hold_out.learned.slice.rows]) == {"k0", "k1", "k2", "k3", "k4"}
    assert set(campaigns.iloc[plan.hold_out.judged.slice.rows]) == {"k5", "k6", "k7"}
    assert [set(campaigns.iloc[split.judged.slice.rows]) for split in plan.selection] == [{"k3"}, {"k4"}]
    assert [set(campaigns.iloc[split.judged.slice.rows]) for split in plan.folds] == [{"k1"}, {"k2"}]
    assert plan.trained_through == datetime.date(2017, 6, 18)


def test_each_split_learns_what_was_known_when_it_began(shop: Shop) -> None:
    plan = plan_of(shop)
    happened = plan.rows["first_redeemed_on"]
    begin = plan.selection[0].judged.slice.first_as_of
    for splits, cut in ((plan.folds, begin), (plan.selection, TEST_FROM)):
        for split in splits:
            known = happened.iloc[split.learned.slice.rows] < pd.Timestamp(split.judged.slice.first_as_of)
            assert split.learned.labels.sum() == known.sum() < happened.iloc[split.learned.slice.rows].notna().sum()
            judged = happened.iloc[split.judged.slice.rows] < pd.Timestamp(cut)
            assert split.judged.labels.sum() == judged.sum()


def test_a_window_that_was_cut_says_what_share_was_seen(shop: Shop) -> None:
    plan = plan_of(shop)
    seen = {split.judged.slice.first_as_of: split.judged.seen for split in plan.selection}
    oldest, newest = (seen[day] for day in sorted(seen))
    assert oldest is not None
    assert newest is not None
    # 42 of 35 days, and 21
    assert (oldest == 1).all()
    assert newest == pytest.approx(21 / 35, abs=0.1)
    whole = plan.hold_out.judged.seen
    assert whole is not None
    assert (whole == 1).all()


def test_nothing_is_read_from_the_last_day_on(shop: Shop) -> None:
    until = datetime.date(2017, 7, 17)
    plan = plan_of(shop, test_until=until)
    judged = plan.hold_out.judged
    rows = plan.rows.iloc[judged.slice.rows]
    assert set(rows["campaign_id"]) == {"k5", "k6"}
    assert judged.labels.sum() == (rows["first_redeemed_on"] < pd.Timestamp(until)).sum()
    assert judged.slice.last_label_day == datetime.date(2017, 7, 16)
    assert judged.seen is not None
    assert (judged.seen[(rows["campaign_id"] == "k6").to_numpy()] < 0.5).all()
    later = shop[1].copy()
    later.loc[later["first_redeemed_on"] >= pd.Timestamp(until), "first_redeemed_on"] = pd.NaT
    again = plan_of((shop[0], later), test_until=until)
    assert again.hold_out.judged.labels.tolist() == judged.labels.tolist()
    assert again.hold_out.learned.labels.tolist() == plan.hold_out.learned.labels.tolist()


def test_who_was_not_reached_yet_is_not_asked_about() -> None:
    generator = np.random.default_rng(0)
    starts = [datetime.date(2017, 3, 6) + datetime.timedelta(days=21 * step) for step in range(5)]
    keys = pd.DataFrame(
        [(f"c{n:02d}", f"k{step}", start, "A") for step, start in enumerate(starts) for n in range(60)],
        columns=["customer_id", "campaign_id", "as_of_date", "campaign_type"],
    )
    features = drawn_features(keys, CLICK, generator).assign(campaign_days=35)
    began = pd.to_datetime(keys["as_of_date"])
    delivered = began + pd.to_timedelta(generator.integers(0, 30, len(keys)), unit="D")
    labels = keys.drop(columns="campaign_type").assign(
        label_ends_on=began + pd.Timedelta(days=34),
        first_delivered_on=delivered,
        first_clicked_on=delivered.where(generator.random(len(keys)) < 0.3),
    )
    labels["has_clicked"] = labels["first_clicked_on"].notna().astype(int)
    plan = plan_offers(CLICK, features, labels, starts[4], None, Limits())
    for split in [*plan.folds, *plan.selection, plan.hold_out]:
        reached = plan.rows["first_delivered_on"].iloc[split.learned.slice.rows]
        assert (reached < pd.Timestamp(split.judged.slice.first_as_of)).all()
    assert len(plan.hold_out.learned) < 240


def test_the_default_hold_out_is_the_newest_fifth(shop: Shop) -> None:
    assert default_test_from(REDEMPTION, shop[1]) == datetime.date(2017, 7, 10)
    with pytest.raises(BadInputError, match="label_redemption is empty"):
        default_test_from(REDEMPTION, shop[1][:0])
