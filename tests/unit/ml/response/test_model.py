"""Tiers, time order, and the level of a type."""

import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.frames import MissingColumnsError
from ml.response import FEATURES, REDEEMED, NothingToLearnError, ResponseModel, known_before, purchased, train
from ml.response.outcomes import eligible_rows, responses_of
from tests.unit.ml.response.conftest import FIRST, TEST_FROM, Campaigns

Make = Callable[..., Campaigns]


def expected_of(model: ResponseModel, name: str, eligible: pd.DataFrame) -> np.ndarray:
    features = eligible[list(FEATURES)].astype(float).assign(campaign_type=name)
    return np.array(model.parts[name].expected(features))


@pytest.fixture(scope="module")
def trained(make_campaigns: Make) -> ResponseModel:
    """A is common, B is rare, C was mailed for the first time in the hold-out."""
    eligible, responses = make_campaigns(types="AABABABC", rates={"A": 0.3, "B": 0.04})
    return train(eligible, responses, REDEEMED, TEST_FROM)


def test_positives_decide_what_a_type_rests_on(trained: ResponseModel) -> None:
    tiers = {name: part.tier for name, part in trained.parts.items()}
    assert tiers == {"Type A": "model", "Type B": "common_model", "Type C": "base_rate"}
    assert trained.parts["Type B"].positives < 100 <= trained.parts["Type A"].positives
    assert trained.parts["Type C"].rows == 0
    known = trained.parameters["types"]
    assert {name: facts["tier"] for name, facts in known.items()} == tiers


def test_without_enough_positives_everybody_gets_the_rate_of_the_type(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(customers=60, types="ABABABAB", rates={"A": 0.2, "B": 0.02})
    model = train(eligible, responses, REDEEMED, TEST_FROM)
    assert {part.tier for part in model.parts.values()} == {"base_rate"}
    assert not model.has_model
    a, b = model.parts["Type A"], model.parts["Type B"]
    assert 0 < b.rate < a.rate < 1
    assert a.rate_low < a.rate < a.rate_high
    assert not model.performance["is_champion"].any()
    assert len(set(expected_of(model, "Type A", eligible)[0])) == 1


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_alone_is_a_rate_and_never_sure(make_campaigns: Make, value: int) -> None:
    eligible, responses = make_campaigns()
    first_days = responses["label_ends_on"] - pd.Timedelta(days=27)
    one = responses.assign(
        has_responded=value, responded_on=first_days.where(responses["label_ends_on"].notna() & (value == 1))
    )
    model = train(eligible, one, REDEEMED, TEST_FROM)
    assert {part.tier for part in model.parts.values()} == {"base_rate"}
    assert all(0 < part.rate < 1 for part in model.parts.values())


def test_the_evidence_is_better_than_the_rate_of_the_type(trained: ResponseModel) -> None:
    rows = trained.performance
    gain = rows[
        (rows["slice"] == "mailed, Type A")
        & (rows["metric"] == "roc_auc_gain")
        & (rows["baseline_name"] == "campaign_type_rate")
    ]
    # Of the hold-out k6 is of type B, k7 of C: type A has no slice, and none is made up.
    assert gain.empty
    overall = rows[(rows["slice"] == "mailed") & (rows["metric"] == "roc_auc_gain")]
    assert set(overall["baseline_name"]) == {"campaign_type_rate", "logistic_regression_rfm"}
    assert set(rows["slice"]) == {"mailed", "mailed, Type B", "mailed, Type C"}
    assert set(rows["as_of_date"]) == {TEST_FROM}


def test_a_model_of_its_own_ranks_customers(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(types="AAAAAAAA")
    model = train(eligible, responses, REDEEMED, TEST_FROM)
    rows = model.performance
    row = rows[(rows["metric"] == "roc_auc_gain") & (rows["baseline_name"] == "campaign_type_rate")].iloc[0]
    assert row["ci_low"] > 0
    assert model.metrics()["mailed/roc_auc"] > 0.65


def test_the_common_model_has_the_level_of_the_type(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(types="AABABABA", rates={"A": 0.3, "B": 0.04})
    model = train(eligible, responses, REDEEMED, TEST_FROM)
    part = model.parts["Type B"]
    assert part.tier == "common_model"
    rows = responses_of(eligible_rows(eligible), responses, "x")
    learned = rows[(rows["campaign_type"] == "Type B") & (rows["as_of_date"] < pd.Timestamp(TEST_FROM))]
    probability, low, high = expected_of(model, "Type B", learned)
    assert probability.mean() == pytest.approx(part.rate, abs=1e-4)
    assert (low <= probability).all()
    assert (probability <= high).all()
    assert (low < high).all()


def test_the_order_of_rows_does_not_matter(make_campaigns: Make, trained: ResponseModel) -> None:
    eligible, responses = make_campaigns(types="AABABABC", rates={"A": 0.3, "B": 0.04})
    mixed = train(
        eligible.sample(frac=1, random_state=1), responses.sample(frac=1, random_state=2), REDEEMED, TEST_FROM
    )
    assert mixed.model_version == trained.model_version
    pd.testing.assert_frame_equal(mixed.performance, trained.performance)
    pd.testing.assert_frame_equal(mixed.predictions, trained.predictions)
    for name in trained.parts:
        assert np.array_equal(expected_of(mixed, name, eligible), expected_of(trained, name, eligible))


def test_what_came_later_teaches_nothing(make_campaigns: Make) -> None:
    """Responses from the split on may be anything: what was learned is the same."""
    eligible, responses = make_campaigns()
    begin = pd.Timestamp(TEST_FROM)
    later = (pd.to_datetime(responses["responded_on"]) >= begin) | (
        responses["responded_on"].isna() & (responses["label_ends_on"] >= begin)
    )
    turned = responses.assign(
        has_responded=responses["has_responded"].where(~later, 1 - responses["has_responded"]),
        responded_on=responses["responded_on"].where(~later, responses["label_ends_on"].where(later)),
    )
    turned["responded_on"] = turned["responded_on"].where(turned["has_responded"] == 1)
    one, other = (train(eligible, labels, REDEEMED, TEST_FROM) for labels in (responses, turned))
    assert one.model_version == other.model_version
    assert not one.performance.equals(other.performance)
    for name in one.parts:
        assert np.array_equal(expected_of(one, name, eligible), expected_of(other, name, eligible))


def test_a_purchase_window_that_is_open_at_the_split_is_left_out(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns()
    outcome = purchased(28)
    model = train(eligible, responses, outcome, TEST_FROM)
    # k5 began 21 days before the split: its 28 days were not over.
    assert model.parameters["training_campaigns"] == ["k0", "k1", "k2", "k3", "k4"]
    assert train(eligible, responses, REDEEMED, TEST_FROM).parameters["training_campaigns"][-1] == "k5"
    assert model.trained_through < TEST_FROM


def test_looking_no_further_than_a_day(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns()
    outcomes = [REDEEMED, purchased(28)]
    earlier, found = known_before(TEST_FROM, eligible, {outcome.name: responses for outcome in outcomes}, outcomes)
    assert pd.to_datetime(earlier["as_of_date"]).max() < pd.Timestamp(TEST_FROM)
    for name, rows in found.items():
        assert rows["label_ends_on"].max() < pd.Timestamp(TEST_FROM), name
        assert not (rows["responded_on"] >= pd.Timestamp(TEST_FROM)).any(), name
        assert ((rows["has_responded"] == 1) == rows["responded_on"].notna()).all(), name
    assert set(found["redeemed"]["campaign_id"]) - set(found["purchased"]["campaign_id"]) == {"k5"}


def test_nothing_to_learn_is_said(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns()
    with pytest.raises(NothingToLearnError, match=r"no response \(redeemed\) was observed before 2017-03-06"):
        train(eligible, responses, REDEEMED, FIRST)


def test_a_campaign_without_a_type_has_the_type_unknown(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(types="AAAAAAAA")
    model = train(eligible.assign(campaign_type=None), responses, REDEEMED, TEST_FROM)
    assert list(model.parts) == ["unknown"]


def test_bad_rows_are_refused(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(customers=30)
    with pytest.raises(MissingColumnsError, match="lacks is_mailed"):
        train(eligible.drop(columns="is_mailed"), responses, REDEEMED, TEST_FROM)
    with pytest.raises(MissingColumnsError, match="lacks has_responded"):
        train(eligible, responses.drop(columns="has_responded"), REDEEMED, TEST_FROM)
    with pytest.raises(ValueError, match="rows too many"):
        train(pd.concat([eligible, eligible.iloc[:1]]), responses, REDEEMED, TEST_FROM)
    with pytest.raises(ValueError, match="rows too many"):
        train(eligible, pd.concat([responses, responses.iloc[:1]]), REDEEMED, TEST_FROM)


def test_a_feature_that_is_never_known_or_never_differs_does_no_harm(make_campaigns: Make) -> None:
    eligible, responses = make_campaigns(types="AAAAAAAA")
    odd = eligible.assign(**{FEATURES[0]: np.nan, FEATURES[1]: 7.0})
    model = train(odd, responses, REDEEMED, TEST_FROM)
    assert np.isfinite(expected_of(model, "Type A", odd)).all()


def test_a_version_says_what_it_is(trained: ResponseModel) -> None:
    (row,) = trained.version_row("abc").to_dict("records")
    assert row["model_name"] == "expected_response_redeemed"
    assert row["model_version"].startswith("expected_response_redeemed-2017")
    assert row["trained_through"] == trained.trained_through < TEST_FROM
    assert datetime.date(2017, 7, 1) < trained.trained_through
