import datetime
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml import purchase
from ml.evaluation import PERFORMANCE_COLUMNS
from ml.frames import MissingColumnsError
from ml.propensity import TrainedModel, blend, boosting, logistic

LINE, STEPS = logistic(0.1), boosting(rounds=20, learning_rate=0.1, min_leaf=20)
QUICK = (LINE, STEPS, blend(LINE, STEPS))
TEST_AS_OF = datetime.date(2017, 8, 14)


@pytest.fixture(scope="module")
def shop(make_purchase_shop: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return make_purchase_shop()


@pytest.fixture(scope="module")
def model(shop: tuple[pd.DataFrame, pd.DataFrame]) -> TrainedModel:
    return purchase.train(*shop, TEST_AS_OF, candidates=QUICK)


def test_it_finds_what_was_planted(model: TrainedModel) -> None:
    metrics = model.metrics()
    assert metrics["all/roc_auc"] is not None
    assert metrics["all/roc_auc"] > 0.7
    gain = model.performance.set_index(["metric", "baseline_name"]).loc[("roc_auc_gain", "logistic_regression_rfm")]
    assert gain["ci_low"] > 0


def test_tables_have_the_columns_of_the_contract(model: TrainedModel, shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    scores = purchase.score(model.scorer, shop[0])
    assert scores.columns.tolist() == [
        "customer_id",
        "as_of_date",
        "model_name",
        "model_version",
        "feature_schema_hash",
        "campaign_id",
        "score",
        "score_low",
        "score_high",
        "score_kind",
        "unit",
        "horizon_days",
        "fallback_tier",
    ]
    assert scores["score"].between(0, 1).all()
    assert isinstance(scores["as_of_date"].iloc[0], datetime.date)
    assert tuple(model.performance.columns) == PERFORMANCE_COLUMNS
    row = model.version_row("0" * 64).iloc[0]
    assert json.loads(row["feature_names"]) == list(purchase.FEATURES)
    assert json.loads(row["parameters"])["chosen"] == row["algorithm"]
    assert row["trained_through"] == datetime.date(2017, 8, 13)


def test_the_order_of_rows_does_not_matter(model: TrainedModel, shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    features, labels = (frame.sample(frac=1, random_state=9) for frame in shop)
    again = purchase.train(features, labels, TEST_AS_OF, candidates=QUICK)
    assert again.scorer.model_version == model.scorer.model_version
    pd.testing.assert_frame_equal(again.performance, model.performance)
    pd.testing.assert_frame_equal(purchase.score(again.scorer, features), purchase.score(model.scorer, shop[0]))


def test_later_labels_change_nothing(model: TrainedModel, shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    features, labels = shop[0].copy(), shop[1].copy()
    later = labels["as_of_date"] == labels["as_of_date"].min()
    future = labels[later].assign(as_of_date=datetime.date(2017, 11, 13), has_purchased=1)
    future_features = features[later].assign(as_of_date=datetime.date(2017, 11, 13))
    again = purchase.train(
        pd.concat([features, future_features]), pd.concat([labels, future]), TEST_AS_OF, candidates=QUICK
    )
    assert again.scorer.model_version == model.scorer.model_version
    pd.testing.assert_frame_equal(again.performance, model.performance)


def test_labels_of_the_hold_out_do_not_reach_the_model(
    model: TrainedModel, shop: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    features, labels = shop[0], shop[1].copy()
    held_out = labels["as_of_date"] == TEST_AS_OF
    assert held_out.any()
    labels.loc[held_out, "has_purchased"] = 1 - labels.loc[held_out, "has_purchased"]
    again = purchase.train(features, labels, TEST_AS_OF, candidates=QUICK)
    pd.testing.assert_frame_equal(purchase.score(again.scorer, features), purchase.score(model.scorer, features))
    assert again.metrics()["all/roc_auc"] == pytest.approx(1 - model.metrics()["all/roc_auc"], abs=1e-5)  # type: ignore[operator]


def test_dates_whose_window_reaches_the_hold_out_are_left_out(shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    wide = purchase.train(*shop, TEST_AS_OF, horizon_days=28, candidates=QUICK)
    assert wide.parameters["training_dates"] == ["2017-06-19", "2017-07-17"]


def test_a_missing_feature_is_named(shop: tuple[pd.DataFrame, pd.DataFrame], model: TrainedModel) -> None:
    features, labels = shop
    with pytest.raises(MissingColumnsError, match="store_count"):
        purchase.train(features.drop(columns="store_count"), labels, TEST_AS_OF)
    with pytest.raises(MissingColumnsError, match="store_count"):
        purchase.score(model.scorer, features.drop(columns="store_count"))


def test_a_customer_twice_is_refused(shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    features, labels = shop
    with pytest.raises(ValueError, match="rows too many"):
        purchase.train(pd.concat([features, features.iloc[:1]]), labels, TEST_AS_OF)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_one_class_gets_the_base_rate(
    rate: float, make_purchase_shop: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
) -> None:
    features, labels = make_purchase_shop(customers=40, dates=4, rate=rate)
    found = purchase.train(features, labels, datetime.date(2017, 7, 17), candidates=QUICK)
    assert found.scorer.fallback_tier == "base_rate"
    assert purchase.score(found.scorer, features)["score"].between(0, 1, inclusive="neither").all()
    assert found.performance.loc[found.performance["metric"] == "roc_auc", "value"].isna().all()
    assert found.plots() == {}


@pytest.mark.parametrize("kept", [0, 1])
def test_a_shop_with_hardly_any_history_gets_the_base_rate(
    kept: int, make_purchase_shop: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
) -> None:
    features, labels = make_purchase_shop(customers=30, dates=2)
    dates = sorted(labels["as_of_date"].unique())[:kept]
    labels = labels[labels["as_of_date"].isin(dates)]
    found = purchase.train(features, labels, datetime.date(2017, 6, 5), candidates=QUICK)
    assert found.scorer.fallback_tier == "base_rate"
    assert np.unique(purchase.score(found.scorer, features)["score"]).tolist() == [0.5]


def test_the_default_hold_out_is_the_newest_labelled_date(shop: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    assert purchase.default_test_as_of(shop[1]) == TEST_AS_OF
