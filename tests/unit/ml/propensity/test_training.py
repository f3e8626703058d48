"""Training and scoring as a whole, on made-up shops in which the truth is known."""

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.evaluation import PERFORMANCE_COLUMNS
from ml.frames import MissingColumnsError
from ml.propensity import TASKS, TrainedModel, default_test_from, score, train
from ml.propensity.candidates import boosting, logistic
from ml.propensity.cohorts import MIN_AGE_DAYS
from ml.propensity.inputs import BadInputError
from ml.propensity.trained import JUDGED_COLUMNS
from ml.score_rows import SCORE_COLUMNS

PURCHASE, REDEMPTION = TASKS["purchase_propensity_14d"], TASKS["redemption_propensity"]
QUICK = (logistic(0.1), boosting(rounds=20, learning_rate=0.1, min_leaf=20))
BOUGHT_FROM, MAILED_FROM = datetime.date(2017, 8, 14), datetime.date(2017, 6, 19)
Shop = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def shop(make_purchase_shop: Callable[..., Shop]) -> Shop:
    return make_purchase_shop()


@pytest.fixture(scope="module")
def mailed(make_redemption_shop: Callable[..., Shop]) -> Shop:
    return make_redemption_shop()


def trained(task: Any, shop: Shop, **options: Any) -> TrainedModel:
    test_from = options.pop("test_from", MAILED_FROM if task.is_per_offer else BOUGHT_FROM)
    return train(task, *shop, test_from, candidates=QUICK, **options)


@pytest.fixture(scope="module")
def model(shop: Shop) -> TrainedModel:
    return trained(PURCHASE, shop)


@pytest.fixture(scope="module")
def offer_model(mailed: Shop) -> TrainedModel:
    return trained(REDEMPTION, mailed)


def same(one: TrainedModel, other: TrainedModel) -> bool:
    pd.testing.assert_frame_equal(one.performance, other.performance)
    pd.testing.assert_frame_equal(one.judged_predictions(), other.judged_predictions())
    return one.scorer.model_version == other.scorer.model_version and one.parameters == other.parameters


def figure(model: TrainedModel, part: str, metric: str, baseline: str) -> pd.Series:
    rows = model.performance.set_index(["slice", "metric", "baseline_name"])
    found: pd.Series = rows.loc[(part, metric, baseline)]
    return found


def test_it_finds_what_was_planted(model: TrainedModel, offer_model: TrainedModel) -> None:
    for found, part in ((model, "all"), (offer_model, "mailed")):
        assert found.metrics()[f"{part}/roc_auc"] > 0.7  # type: ignore[operator]
        for baseline in ("logistic_regression_rfm", "days_since_last_order"):
            assert figure(found, part, "roc_auc_gain", baseline)["ci_low"] > 0
        assert figure(found, part, "log_loss_gain", "base_rate")["ci_low"] > 0
    assert {"mailed", "mailed, Type A", "mailed, Type B"} == set(offer_model.performance["slice"])


def test_tables_have_the_columns_of_their_contracts(model: TrainedModel, shop: Shop) -> None:
    scores = score(PURCHASE, model.scorer, shop[0])
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert scores["score"].between(0, 1).all()
    assert set(scores["unit"]) == {"probability of an order within 14 days"}
    assert set(scores["horizon_days"]) == {14}
    assert isinstance(scores["as_of_date"].iloc[0], datetime.date)
    assert tuple(model.performance.columns) == PERFORMANCE_COLUMNS
    row = model.version_row("0" * 64).iloc[0]
    assert json.loads(row["feature_names"]) == list(PURCHASE.numeric)
    assert json.loads(row["parameters"])["chosen"] == row["algorithm"]
    assert row["trained_through"] == datetime.date(2017, 8, 13)
    assert tuple(model.judged_predictions().columns) == JUDGED_COLUMNS


def test_judged_predictions_are_those_of_the_slices(offer_model: TrainedModel) -> None:
    rows = offer_model.judged_predictions()
    assert rows["judged_for"].value_counts().to_dict() == {
        "hold_out": len(offer_model.hold_out), "selection": len(offer_model.selection),
    }  # fmt: skip
    held_out = rows[rows["judged_for"] == "hold_out"]
    assert held_out["probability"].tolist() == offer_model.hold_out.scores["model"].tolist()
    assert held_out["label"].tolist() == offer_model.hold_out.labels.tolist()
    assert held_out["campaign_id"].notna().all()
    assert not rows.duplicated(["customer_id", "campaign_id"]).any()
    judged = offer_model.hold_out
    assert {*REDEMPTION.keys, *REDEMPTION.numeric, *REDEMPTION.categorical} == set(judged.rows.columns)
    assert next(iter(judged.scores)) == "model"
    assert all(len(said) == len(judged.rows) for said in judged.scores.values())
    np.testing.assert_allclose(offer_model.scorer.probabilities(judged.rows), judged.scores["model"], atol=2e-6)


def test_the_selection_lies_before_the_hold_out_and_was_not_learned_from(model: TrainedModel) -> None:
    assert pd.to_datetime(model.selection.rows["as_of_date"]).max() <= pd.Timestamp("2017-07-31")
    assert set(model.hold_out.rows["as_of_date"]) == {pd.Timestamp("2017-08-14")}
    # the shipped model has learned from these rows since, and says something else of them
    assert (model.scorer.probabilities(model.selection.rows) != model.selection.scores["model"]).any()


@pytest.mark.parametrize("task", [PURCHASE, REDEMPTION], ids=lambda task: task.model_name)
def test_the_order_of_rows_does_not_matter(task: Any, request: pytest.FixtureRequest) -> None:
    shop: Shop = request.getfixturevalue("mailed" if task.is_per_offer else "shop")
    before: TrainedModel = request.getfixturevalue("offer_model" if task.is_per_offer else "model")
    shuffled = tuple(frame.sample(frac=1, random_state=9) for frame in shop)
    again = trained(task, shuffled)  # type: ignore[arg-type]
    assert same(again, before)
    pd.testing.assert_frame_equal(score(task, again.scorer, shuffled[0]), score(task, before.scorer, shop[0]))


def test_later_rows_and_columns_that_no_feature_is_change_nothing(model: TrainedModel, shop: Shop) -> None:
    features, labels = shop
    oldest = labels["as_of_date"] == labels["as_of_date"].min()
    future = datetime.date(2017, 11, 13)
    later = labels[oldest].assign(as_of_date=future, has_purchased_14d=1)
    later_features = features[oldest].assign(as_of_date=future)
    telling = features.assign(has_purchased_14d=labels["has_purchased_14d"], spend_next_14d=labels["has_purchased_14d"])
    again = trained(PURCHASE, (pd.concat([telling, later_features]), pd.concat([labels, later])))
    assert same(again, model)


def test_a_feature_that_knows_the_future_is_found_only_where_it_lies(model: TrainedModel, shop: Shop) -> None:
    """Planted into the hold-out alone it changes neither the model nor what was chosen."""
    features, labels = shop[0].copy(), shop[1]
    held_out = features["as_of_date"] == BOUGHT_FROM
    features.loc[held_out, "order_count_28d"] = 100.0 * labels.loc[held_out, "has_purchased_14d"]
    again = trained(PURCHASE, (features, labels))
    assert again.scorer.model_version == model.scorer.model_version
    pd.testing.assert_frame_equal(score(PURCHASE, again.scorer, shop[0]), score(PURCHASE, model.scorer, shop[0]))


def test_labels_of_the_hold_out_do_not_reach_the_model(model: TrainedModel, shop: Shop) -> None:
    features, labels = shop[0], shop[1].copy()
    held_out = labels["as_of_date"] == BOUGHT_FROM
    labels.loc[held_out, "has_purchased_14d"] = 1 - labels.loc[held_out, "has_purchased_14d"]
    again = trained(PURCHASE, (features, labels))
    pd.testing.assert_frame_equal(score(PURCHASE, again.scorer, features), score(PURCHASE, model.scorer, features))
    assert again.metrics()["all/roc_auc"] == pytest.approx(1 - model.metrics()["all/roc_auc"], abs=1e-5)  # type: ignore[operator]


def test_what_is_redeemed_after_the_split_is_not_known(mailed: Shop, offer_model: TrainedModel) -> None:
    features, labels = mailed[0], mailed[1].copy()
    running = (pd.to_datetime(labels["as_of_date"]) < "2017-06-19") & (labels["first_redeemed_on"] >= "2017-06-19")
    assert running.any()
    labels.loc[running, "first_redeemed_on"] = pd.NaT
    labels.loc[running, "has_redeemed"] = 0
    assert same(trained(REDEMPTION, (features, labels)), offer_model)


def test_what_is_redeemed_before_the_split_is_known(mailed: Shop, offer_model: TrainedModel) -> None:
    features, labels = mailed[0], mailed[1].copy()
    known = (pd.to_datetime(labels["as_of_date"]) < "2017-06-19") & (labels["first_redeemed_on"] < "2017-06-19")
    labels.loc[labels.index[known][:20], "first_redeemed_on"] = pd.NaT
    assert trained(REDEMPTION, (features, labels)).scorer.model_version != offer_model.scorer.model_version


def test_targeting_is_reported_apart_and_never_ships(mailed: Shop) -> None:
    features, labels = mailed
    reached = features["customer_id"].str[-1].isin(list("0123456"))
    found = trained(REDEMPTION, (features[reached], labels[reached]), everyone=features)
    apart = found.performance[found.performance["slice"].str.startswith("targeting included")]
    assert set(apart["slice"]) == {"targeting included", "targeting included, per customer"}
    assert not apart["is_champion"].any()
    assert set(apart["baseline_name"]) == {"was_mailed"}
    assert (apart.loc[apart["slice"] == "targeting included", "rows"] == 3 * 150).all()
    # They stand beside the figures of the version they were judged for.
    assert set(apart["model_version"]) == {found.scorer.model_version}
    assert not any(name.startswith("targeting") for name in found.metrics())


def test_it_is_judged_in_slices(shop: Shop) -> None:
    features, _ = shop
    who = features.loc[features["as_of_date"] == BOUGHT_FROM, ["customer_id", "as_of_date"]]
    slices = pd.concat(
        [who.iloc[:250].assign(slice="many"), who.assign(slice="everybody"), who.iloc[:30].assign(slice="a few")]
    )
    found = trained(PURCHASE, shop, slices=slices).performance
    assert set(found["slice"]) == {"all", "many", "everybody"}
    sizes = found.drop_duplicates("slice").set_index("slice")["rows"]
    assert sizes.to_dict() == {"all": 300, "everybody": 300, "many": 250}
    # Of slices fewer resamples are drawn: all but the ends of the intervals is the same.
    given = found.drop(columns=["ci_low", "ci_high"]).set_index("slice")
    everybody, whole = (given.loc[name].reset_index(drop=True) for name in ("everybody", "all"))
    pd.testing.assert_frame_equal(everybody, whole)


def test_scores_say_for_which_campaign(offer_model: TrainedModel, mailed: Shop) -> None:
    scores = score(REDEMPTION, offer_model.scorer, mailed[0])
    assert not scores.duplicated(["customer_id", "campaign_id"]).any()
    assert len(scores) == len(mailed[0])
    assert scores["horizon_days"].isna().all()


def test_tiers_are_per_row(model: TrainedModel, shop: Shop) -> None:
    """A new customer has a cohort's score; one whose rhythm is not known has the model's."""
    now = shop[0][shop[0]["as_of_date"] == BOUGHT_FROM].head(3).copy()
    now["customer_age_days"] = [MIN_AGE_DAYS - 1, 100, 100]
    now["days_since_last_order"] = [1.0, 1.0, np.nan]
    now["median_days_between_orders"] = np.nan
    tiers = score(PURCHASE, model.scorer, now).set_index("customer_id")["fallback_tier"]
    assert tiers.tolist() == ["cohort", "model", "cohort"]


@pytest.mark.parametrize("task", [PURCHASE, REDEMPTION], ids=lambda task: task.model_name)
def test_what_is_missing_is_named(task: Any, request: pytest.FixtureRequest) -> None:
    features, labels = request.getfixturevalue("mailed" if task.is_per_offer else "shop")
    with pytest.raises(MissingColumnsError, match="total_spend"):
        trained(task, (features.drop(columns="total_spend"), labels))
    with pytest.raises(MissingColumnsError, match=task.label_columns[0]):
        trained(task, (features, labels.drop(columns=task.label_columns[0])))


def test_a_customer_twice_is_refused(shop: Shop, mailed: Shop) -> None:
    for task, (features, labels) in ((PURCHASE, shop), (REDEMPTION, mailed)):
        with pytest.raises(ValueError, match="rows too many"):
            trained(task, (pd.concat([features, features.iloc[:1]]), labels))
        with pytest.raises(ValueError, match="rows too many"):
            trained(task, (features, pd.concat([labels, labels.iloc[:1]])))


def test_infinite_numbers_and_odd_labels_are_refused(shop: Shop) -> None:
    features, labels = shop
    with pytest.raises(BadInputError, match="total_spend is infinite in 1 of 2400 rows"):
        trained(PURCHASE, (features.assign(total_spend=[np.inf, *features["total_spend"][1:]]), labels))
    with pytest.raises(BadInputError, match="has_purchased_14d is 2"):
        trained(PURCHASE, (features, labels.assign(has_purchased_14d=2)))


def test_constant_and_empty_columns_are_named_and_do_no_harm(shop: Shop) -> None:
    features = shop[0].assign(total_spend=5.0, coupon_value=np.nan)
    found = trained(PURCHASE, (features, shop[1]))
    assert found.parameters["constant"] == ["total_spend"]
    assert found.parameters["all_null"] == ["coupon_value"]
    assert found.metrics()["all/roc_auc"] > 0.7  # type: ignore[operator]


def test_a_type_of_campaign_that_was_never_seen_gets_a_score(offer_model: TrainedModel, mailed: Shop) -> None:
    strange = mailed[0].head(5).assign(campaign_type="Type Z")
    scores = score(REDEMPTION, offer_model.scorer, strange)
    assert scores["score"].between(0, 1, inclusive="neither").all()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_one_class_gets_cohorts_or_the_base_rate(rate: float, make_purchase_shop: Callable[..., Shop]) -> None:
    features, labels = make_purchase_shop(customers=40, dates=6, rate=rate)
    found = trained(PURCHASE, (features, labels), test_from=datetime.date(2017, 7, 17))
    assert found.scorer.pipeline is None
    assert "at least 100 of each class" in found.parameters["no_model"]
    scores = score(PURCHASE, found.scorer, features)
    assert set(scores["fallback_tier"]) <= {"cohort", "base_rate"}
    assert scores["score"].between(0, 1, inclusive="neither").all()
    assert found.performance.loc[found.performance["metric"] == "roc_auc", "value"].isna().all()
    assert found.plots() == {}
    assert len(found.selection) == 0


def test_fewer_than_a_hundred_who_did_are_no_model(make_purchase_shop: Callable[..., Shop]) -> None:
    features, labels = make_purchase_shop(customers=100, rate=0.12)
    found = trained(PURCHASE, (features, labels))
    assert 0 < found.parameters["training_positives"] < 100
    assert found.scorer.pipeline is None


def test_a_shop_without_history_gets_a_half(make_purchase_shop: Callable[..., Shop]) -> None:
    features, labels = make_purchase_shop(customers=30, dates=1)
    found = trained(PURCHASE, (features, labels), test_from=datetime.date(2017, 5, 8))
    assert set(score(PURCHASE, found.scorer, features)["score"]) == {0.5}
    nothing = trained(PURCHASE, (features, labels[:0]))
    assert nothing.performance.empty
    assert set(score(PURCHASE, nothing.scorer, features)["score"]) == {0.5}


def test_nobody_redeemed_and_no_campaign(make_redemption_shop: Callable[..., Shop]) -> None:
    features, labels = make_redemption_shop(customers=20, campaigns=4)
    nobody = labels.assign(has_redeemed=0, first_redeemed_on=pd.NaT)
    found = trained(REDEMPTION, (features, nobody), test_from=datetime.date(2017, 5, 8), everyone=features)
    assert found.scorer.pipeline is None
    assert found.plots() == {}
    before = trained(REDEMPTION, (features, labels), test_from=datetime.date(2017, 1, 1))
    assert before.parameters["training_rows"] == 0
    none = trained(REDEMPTION, (features[:0], labels[:0]))
    assert none.performance.empty
    assert score(REDEMPTION, none.scorer, features[:0]).empty
    assert none.judged_predictions().empty


def test_the_default_hold_outs(shop: Shop, mailed: Shop) -> None:
    assert default_test_from(PURCHASE, shop[1]) == BOUGHT_FROM
    assert default_test_from(REDEMPTION, mailed[1]) == datetime.date(2017, 7, 10)


def test_another_question_is_an_entry(shop: Shop) -> None:
    """The framework knows nothing of purchases: a task that asks for their opposite has the opposite scores."""
    task = dataclasses.replace(PURCHASE, model_name="silence_propensity", label_column="was_silent", recency_sign=1)
    labels = shop[1].assign(was_silent=1 - shop[1]["has_purchased_14d"])
    found = trained(task, (shop[0], labels))
    assert found.scorer.model_version.startswith("silence_propensity-20170813-")
    assert found.metrics()["all/roc_auc"] > 0.7  # type: ignore[operator]
    assert figure(found, "all", "roc_auc", "days_since_last_order")["baseline"] > 0
