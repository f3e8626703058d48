import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.frames import as_days
from ml.propensity.events import default_test_from, plan_events
from ml.propensity.inputs import BadInputError
from ml.propensity.limits import Limits
from ml.propensity.slices import Plan
from ml.propensity.tasks import CHURN, TASKS
from tests.unit.ml.conftest import drawn_features

TASK = TASKS["purchase_propensity_14d"]
TEST_FROM = datetime.date(2017, 8, 14)
Shop = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def shop(make_purchase_shop: Callable[..., Shop]) -> Shop:
    return make_purchase_shop(customers=40, dates=10)


def plan_of(shop: Shop, **options: object) -> Plan:
    given = {"test_from": TEST_FROM, "test_until": None, "limits": Limits(), **options}
    return plan_events(TASK, *shop, **given)  # type: ignore[arg-type]


def begins(plan: Plan) -> dict[str, list[str]]:
    return {
        name: [str(split.judged.slice.first_as_of) for split in splits]
        for name, splits in (("folds", plan.folds), ("selection", plan.selection), ("hold_out", [plan.hold_out]))
    }


def test_dates_follow_each_other(shop: Shop) -> None:
    plan = plan_of(shop)
    assert begins(plan) == {
        "folds": ["2017-05-22", "2017-06-05", "2017-06-19"],
        "selection": ["2017-07-03", "2017-07-17", "2017-07-31"],
        "hold_out": ["2017-08-14"],
    }
    assert plan.trained_through == datetime.date(2017, 8, 13)
    assert len(plan.hold_out.judged) == 40
    for split in [*plan.folds, *plan.selection, plan.hold_out]:
        days = plan.rows["as_of_date"].iloc[split.learned.slice.rows]
        assert (days + pd.Timedelta(days=14) <= pd.Timestamp(split.judged.slice.first_as_of)).all()


def test_dates_whose_window_reaches_the_hold_out_are_left_out(shop: Shop) -> None:
    week_later = shop[1].assign(as_of_date=as_days(shop[1]["as_of_date"]) - pd.Timedelta(days=7))
    features = pd.concat([shop[0], shop[0].assign(as_of_date=week_later["as_of_date"].dt.date)])
    plan = plan_of((features, pd.concat([shop[1], week_later.assign(as_of_date=week_later["as_of_date"].dt.date)])))
    days = sorted(plan.rows["as_of_date"].dt.strftime("%m-%d").unique())
    assert "08-07" not in days
    assert days[-3:] == ["07-17", "07-31", "08-14"]


def test_rows_are_sampled_by_customer(shop: Shop) -> None:
    plan = plan_of(shop, limits=Limits(fit_rows=130, judged_rows=20))
    assert 0 < len(plan.hold_out.judged) < 40
    learned = plan.rows.iloc[plan.hold_out.learned.slice.rows]
    assert 0 < learned["customer_id"].nunique() < 40
    assert (learned.groupby("customer_id").size() == 7).all()


def test_a_date_without_rows_is_refused_with_its_neighbors(shop: Shop) -> None:
    with pytest.raises(BadInputError, match=r"no rows at 2017-08-15.*2017-08-14, 2017-08-28"):
        plan_of(shop, test_from=datetime.date(2017, 8, 15))
    with pytest.raises(BadInputError, match="window that ends before 2017-08-20"):
        plan_of(shop, test_until=datetime.date(2017, 8, 20))


def test_what_is_not_known_yet_is_no_label(shop: Shop) -> None:
    labels = shop[1].copy()
    labels["has_purchased_14d"] = labels["has_purchased_14d"].astype("Int64")
    labels.loc[labels["as_of_date"] > datetime.date(2017, 7, 31), "has_purchased_14d"] = pd.NA
    assert default_test_from(TASK, labels) == datetime.date(2017, 7, 31)
    with pytest.raises(BadInputError, match="has no has_purchased_14d"):
        default_test_from(TASK, labels[labels["as_of_date"] > datetime.date(2017, 7, 31)])


def churn_shop() -> Shop:
    """Sixty customers at 14 dates, every other one with a window of 28 and of 90 days."""
    days = [datetime.date(2017, 1, 2) + datetime.timedelta(days=28 * step) for step in range(10)]
    keys = pd.DataFrame([(f"c{n:02d}", day) for day in days for n in range(60)], columns=["customer_id", "as_of_date"])
    generator = np.random.default_rng(0)
    labels = keys.assign(horizon_days=np.where(keys.index % 2, 28, 90), has_churned=generator.integers(0, 2, len(keys)))
    return drawn_features(keys, CHURN, generator), labels


def test_windows_of_different_length_are_learned_from_once_they_are_over() -> None:
    features, labels = churn_shop()
    test_from = datetime.date(2017, 7, 17)
    plan = plan_events(CHURN, features, labels, test_from, datetime.date(2017, 9, 1), Limits())
    for split in [*plan.folds, *plan.selection, plan.hold_out]:
        rows = plan.rows.iloc[split.learned.slice.rows]
        assert (rows["last_label_day"] < pd.Timestamp(split.judged.slice.first_as_of)).all()
    newest = plan.rows.iloc[plan.hold_out.learned.slice.rows].groupby("as_of_date")["horizon_days"].max()
    assert newest.iloc[-1] == 28
    assert newest.iloc[0] == 90
    judged = plan.rows.iloc[plan.hold_out.judged.slice.rows]
    assert set(judged["horizon_days"]) == {28}, "a window of 90 days reaches the day that is not to be read"


def test_the_newest_whole_date_judges_by_default() -> None:
    _, labels = churn_shop()
    newest = labels["as_of_date"].max()
    labels = labels[(labels["as_of_date"] < newest) | (labels["horizon_days"] == 28)]
    assert default_test_from(CHURN, labels) == newest - datetime.timedelta(days=28)
