import datetime
from collections.abc import Callable

import pandas as pd
import pytest

from ml import redemption
from ml.frames import MissingColumnsError
from ml.propensity import TrainedModel, blend, boosting, logistic

LINE, STEPS = logistic(0.1), boosting(rounds=20, learning_rate=0.1, min_leaf=20)
QUICK = (LINE, STEPS, blend(LINE, STEPS))
# the sixth of eight campaigns; the fourth and fifth are still running then
TEST_FROM = datetime.date(2017, 6, 19)
Shop = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def shop(make_redemption_shop: Callable[..., Shop]) -> Shop:
    return make_redemption_shop()


@pytest.fixture(scope="module")
def model(shop: Shop) -> TrainedModel:
    return redemption.train(*shop, TEST_FROM, candidates=QUICK)


def test_it_finds_what_was_planted(model: TrainedModel) -> None:
    metrics = model.metrics()
    assert metrics["mailed/roc_auc"] is not None
    assert metrics["mailed/roc_auc"] > 0.8
    assert {"mailed", "mailed, Type A", "mailed, Type B"} == set(model.performance["slice"])


def test_campaigns_are_split_by_their_start(model: TrainedModel) -> None:
    assert model.parameters["training_campaigns"] == ["k0", "k1", "k2", "k3", "k4"]
    assert model.parameters["test_campaigns"] == ["k5", "k6", "k7"]
    assert model.scorer.trained_through == datetime.date(2017, 6, 18)


def test_what_is_redeemed_after_the_split_is_not_known(shop: Shop, model: TrainedModel) -> None:
    features, labels = shop[0], shop[1].copy()
    running = (pd.to_datetime(labels["as_of_date"]) < "2017-06-19") & (labels["first_redeemed_on"] >= "2017-06-19")
    assert running.any()
    labels.loc[running, "first_redeemed_on"] = pd.NaT
    labels.loc[running, "has_redeemed"] = 0
    again = redemption.train(features, labels, TEST_FROM, candidates=QUICK)
    assert again.scorer.model_version == model.scorer.model_version
    pd.testing.assert_frame_equal(again.performance, model.performance)


def test_what_is_redeemed_before_the_split_is_known(shop: Shop, model: TrainedModel) -> None:
    features, labels = shop[0], shop[1].copy()
    known = (pd.to_datetime(labels["as_of_date"]) < "2017-06-19") & (labels["first_redeemed_on"] < "2017-06-19")
    labels.loc[labels.index[known][:20], "first_redeemed_on"] = pd.NaT
    again = redemption.train(features, labels, TEST_FROM, candidates=QUICK)
    assert again.scorer.model_version != model.scorer.model_version


def test_the_order_of_rows_does_not_matter(model: TrainedModel, shop: Shop) -> None:
    features, labels = (frame.sample(frac=1, random_state=9) for frame in shop)
    again = redemption.train(features, labels, TEST_FROM, candidates=QUICK)
    assert again.scorer.model_version == model.scorer.model_version
    pd.testing.assert_frame_equal(again.performance, model.performance)
    pd.testing.assert_frame_equal(redemption.score(again.scorer, features), redemption.score(model.scorer, shop[0]))


def test_targeting_is_reported_apart_and_never_ships(shop: Shop, model: TrainedModel) -> None:
    features, labels = shop
    # one customer in three was mailed
    mailed = features["customer_id"].str[-1].isin(list("0123"))
    found = redemption.train(features[mailed], labels[mailed], TEST_FROM, everyone=features, candidates=QUICK)
    apart = found.performance[found.performance["slice"].str.startswith("targeting included")]
    assert set(apart["slice"]) == {"targeting included", "targeting included, per customer"}
    assert not apart["is_champion"].any()
    assert set(apart["baseline_name"]) == {"was_mailed"}
    assert (apart.loc[apart["slice"] == "targeting included", "rows"] == 3 * 150).all()
    assert set(found.performance.loc[found.performance["is_champion"], "model_version"]) == {found.scorer.model_version}
    assert found.scorer.model_version not in set(apart["model_version"])
    assert not any(name.startswith("targeting") for name in found.metrics())


def test_scores_say_for_which_campaign(model: TrainedModel, shop: Shop) -> None:
    scores = redemption.score(model.scorer, shop[0])
    assert not scores.duplicated(["customer_id", "campaign_id"]).any()
    assert len(scores) == len(shop[0])
    assert scores["horizon_days"].isna().all()


def test_a_missing_feature_is_named(shop: Shop) -> None:
    features, labels = shop
    with pytest.raises(MissingColumnsError, match="matched_coupon_count"):
        redemption.train(features.drop(columns="matched_coupon_count"), labels, TEST_FROM)
    with pytest.raises(MissingColumnsError, match="label_ends_on"):
        redemption.train(features, labels.drop(columns="label_ends_on"), TEST_FROM)


def test_nobody_redeemed(make_redemption_shop: Callable[..., Shop]) -> None:
    features, labels = make_redemption_shop(customers=20, campaigns=4)
    labels = labels.assign(has_redeemed=0, first_redeemed_on=pd.NaT)
    found = redemption.train(features, labels, datetime.date(2017, 5, 8), everyone=features, candidates=QUICK)
    assert found.scorer.fallback_tier == "base_rate"
    assert found.plots() == {}
    assert redemption.score(found.scorer, features)["score"].nunique() == 1


def test_no_campaign_before_the_hold_out(make_redemption_shop: Callable[..., Shop]) -> None:
    features, labels = make_redemption_shop(customers=20, campaigns=2)
    found = redemption.train(features, labels, datetime.date(2017, 1, 1), candidates=QUICK)
    assert found.scorer.fallback_tier == "base_rate"
    assert found.parameters["training_rows"] == 0


def test_no_campaign_at_all(make_redemption_shop: Callable[..., Shop]) -> None:
    features, labels = make_redemption_shop(customers=20, campaigns=2)
    found = redemption.train(features[:0], labels[:0], datetime.date(2017, 9, 1), candidates=QUICK)
    assert found.performance.empty
    assert redemption.score(found.scorer, features[:0]).empty
    assert found.plots() == {}


def test_the_default_hold_out_is_the_newest_fifth(shop: Shop) -> None:
    assert redemption.default_test_from(shop[1]) == datetime.date(2017, 7, 10)


def test_a_fold_learns_what_was_known_when_it_began(shop: Shop) -> None:
    features, labels = shop
    rows = redemption._labelled_rows(features, labels, redemption.NUMBERS)
    learned, *_ = redemption._split(rows, TEST_FROM)
    folds, labels_of_fold = redemption._folds(rows, learned, TEST_FROM)
    assert len(folds) == 4
    for fold, (known, judged) in zip(folds, labels_of_fold, strict=True):
        begin = pd.Timestamp(fold.judged.first_as_of)
        redeemed_on = rows["first_redeemed_on"]
        assert known.sum() == (redeemed_on.iloc[fold.train.rows] < begin).sum()
        assert known.sum() < redeemed_on.iloc[fold.train.rows].notna().sum()
        assert judged.sum() == (redeemed_on.iloc[fold.judged.rows] < pd.Timestamp(TEST_FROM)).sum()
