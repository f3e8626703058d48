"""The oracle says what comes true of customers made by its process, and a model as good as it has all of its share."""

import datetime

import numpy as np
import pandas as pd
import pytest

from benchmarks.oracle import RECIPES, Recipe, coming_mails, compared, oracle_of_clicks, oracle_of_orders, orders_of

AT, HORIZON = 300.0, 28.0


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_as_many_order_as_the_oracle_says(recipe: Recipe) -> None:
    orders = orders_of(recipe, customers=2_000)
    said = oracle_of_orders(recipe, orders, AT, HORIZON)
    coming = orders[(orders["at"] >= AT) & (orders["at"] < AT + HORIZON)]
    came_true = said.index.isin(coming["customer"])
    quarter = pd.qcut(said, 4, labels=False, duplicates="drop").to_numpy()
    for inside in (quarter == number for number in range(4)):
        error = np.sqrt((said[inside] * (1 - said[inside])).sum()) / inside.sum()
        assert abs(said[inside].mean() - came_true[inside].mean()) < 4 * error


def test_the_oracle_of_orders_knows_nothing_of_what_comes() -> None:
    orders = orders_of(RECIPES[0], customers=200)
    before = orders[orders["at"] < AT]
    pd.testing.assert_series_equal(
        oracle_of_orders(RECIPES[0], orders, AT, HORIZON), oracle_of_orders(RECIPES[0], before, AT, HORIZON)
    )


def test_the_oracle_of_clicks_learns_from_mails_before() -> None:
    shares = [1.0, 0.6]
    nothing_known = oracle_of_clicks([], [], 0.5, shares)
    assert oracle_of_clicks([True] * 4, [True] * 4, 0.5, shares) > 2 * nothing_known
    assert oracle_of_clicks([False] * 8, [False] * 8, 0.5, shares) < nothing_known / 2
    assert oracle_of_clicks([], [], 0.9, shares) > nothing_known
    assert oracle_of_clicks([], [], 0.5, []) == 0


def test_the_oracle_of_clicks_is_the_share_that_clicks() -> None:
    from ingestion.overlay.mail import CLICKED_SHARE, OPENED_SHARE

    draw = np.random.default_rng(3)
    interest = np.exp(0.7 * draw.standard_normal(200_000) - 0.245)
    opened = draw.random((2, len(interest))) < np.minimum(0.95, OPENED_SHARE * interest)
    clicked = opened & (draw.random((2, len(interest))) < np.minimum(0.8, CLICKED_SHARE * interest))
    known = opened[0] & ~clicked[0]
    said = oracle_of_clicks([True], [False], 0.5, [1.0])
    assert said == pytest.approx(clicked[1][known].mean(), rel=0.05)


def test_mails_after_the_end_of_a_campaign_or_of_the_labels_are_not_coming() -> None:
    start = datetime.date(2017, 10, 30)
    assert len(coming_mails(start, start + datetime.timedelta(days=60), datetime.date(2018, 1, 1))) == 3
    assert len(coming_mails(start, start + datetime.timedelta(days=10), datetime.date(2018, 1, 1))) == 2
    assert len(coming_mails(start, start + datetime.timedelta(days=60), start + datetime.timedelta(days=9))) == 1


def test_who_says_what_the_oracle_says_has_all_of_its_share() -> None:
    draw = np.random.default_rng(1)
    oracle = draw.random(2_000)
    judged = pd.DataFrame(
        {"customer_id": np.arange(2_000).astype(str), "label": (draw.random(2_000) < oracle).astype(int),
         "oracle": oracle, "model": oracle}
    )  # fmt: skip
    found = compared(judged)
    assert found.share == (1.0, 1.0, 1.0)
    assert found.regret == (0.0, 0.0, 0.0)
    noisy = compared(judged.assign(model=draw.random(2_000)))
    assert noisy.share[2] < 0.3
    assert noisy.regret[1] > 0.1
