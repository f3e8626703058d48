import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluation import METRICS
from ml.frames import MissingColumnsError
from ml.propensity import (
    MIN_ROWS_PER_CLASS,
    Calibration,
    Candidate,
    blend,
    boosting,
    choose,
    fit_calibration,
    fit_scorer,
    logistic,
    smoothed_rate,
)
from ml.splits import folds_by_date
from ml.threads import one_thread

IDENTITY = {
    "model_name": "m",
    "model_version": "v",
    "trained_through": datetime.date(2017, 10, 15),
    "horizon_days": 14,
}
LINE = logistic(0.1)
STEPS = boosting(rounds=40, learning_rate=0.1, min_leaf=20)


def training_rows(size: int = 2_000) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(4)
    features = pd.DataFrame({"visits": generator.gamma(2, 2, size), "noise": generator.normal(size=size)})
    features["kind"] = np.where(generator.random(size) < 0.5, "A", "B").astype(object)
    chance = 1 / (1 + np.exp(-(features["visits"] - 4 + (features["kind"] == "A"))))
    return features, (generator.random(size) < chance).astype(np.int64).to_numpy()


@pytest.mark.parametrize("candidate", [LINE, STEPS, blend(LINE, STEPS)], ids=lambda candidate: candidate.family)
def test_every_candidate_learns(candidate: object) -> None:
    features, labels = training_rows()
    scorer = fit_scorer(candidate, features, labels, Calibration(), ["visits", "noise"], ["kind"], **IDENTITY)  # type: ignore[arg-type]
    auc = METRICS["roc_auc"](labels.astype(float), scorer.probabilities(features), np.ones((1, len(labels))))[0]
    assert auc > 0.75
    assert scorer.fallback_tier == "model"


@pytest.mark.parametrize("candidate", [LINE, STEPS], ids=lambda candidate: candidate.family)
def test_nulls_and_new_kinds_get_a_score(candidate: object) -> None:
    features, labels = training_rows()
    features.loc[::5, "visits"] = np.nan
    features["empty"] = np.nan
    scorer = fit_scorer(candidate, features, labels, Calibration(), ["visits", "noise", "empty"], ["kind"], **IDENTITY)  # type: ignore[arg-type]
    strange = pd.DataFrame({"visits": [np.nan], "noise": [0.0], "empty": [1.0], "kind": ["never seen"]})
    assert 0 < scorer.probabilities(strange)[0] < 1


def test_a_missing_feature_is_an_error_and_not_a_zero() -> None:
    features, labels = training_rows()
    scorer = fit_scorer(LINE, features, labels, Calibration(), ["visits", "noise"], ["kind"], **IDENTITY)
    with pytest.raises(MissingColumnsError, match="the input of m lacks visits"):
        scorer.probabilities(features.drop(columns="visits"))


@pytest.mark.parametrize("positives", [0, 1, MIN_ROWS_PER_CLASS - 1])
def test_too_few_positives_fall_back_to_the_base_rate(positives: int) -> None:
    features, _ = training_rows(200)
    labels = np.r_[np.ones(positives), np.zeros(200 - positives)].astype(np.int64)
    scorer = fit_scorer(LINE, features, labels, Calibration(2.0, 1.0), ["visits"], ["kind"], **IDENTITY)
    assert scorer.fallback_tier == "base_rate"
    assert scorer.algorithm == "base_rate"
    assert scorer.probabilities(features) == pytest.approx((positives + 1) / 202, abs=1e-6)


def test_enough_positives_do_not_fall_back() -> None:
    features, _ = training_rows(200)
    labels = np.r_[np.ones(MIN_ROWS_PER_CLASS), np.zeros(200 - MIN_ROWS_PER_CLASS)].astype(np.int64)
    assert fit_scorer(LINE, features, labels, Calibration(), ["visits"], [], **IDENTITY).fallback_tier == "model"


def test_the_base_rate_of_nothing_is_a_half() -> None:
    assert smoothed_rate(np.zeros(0, dtype=np.int64)) == 0.5


def test_calibration_repairs_overconfidence() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=5_000)
    labels = (generator.random(5_000) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    overconfident = 1 / (1 + np.exp(-(3 * logits + 1)))
    found = fit_calibration(overconfident, labels)
    assert found.slope == pytest.approx(1 / 3, abs=0.04)
    assert found.intercept == pytest.approx(-1 / 3, abs=0.06)
    once = np.ones((1, 5_000))
    error = METRICS["calibration_error"]
    assert error(labels, found.apply(overconfident), once)[0] < error(labels, overconfident, once)[0] / 3


def test_calibration_never_turns_the_order_around() -> None:
    labels = np.r_[np.ones(50), np.zeros(50)].astype(np.int64)
    assert fit_calibration(np.linspace(0.1, 0.9, 100), labels) == Calibration(1.0, 0.0)


def test_few_rows_are_not_calibrated() -> None:
    labels = np.r_[np.ones(10), np.zeros(90)].astype(np.int64)
    assert fit_calibration(np.linspace(0.9, 0.1, 100), labels) == Calibration(1.0, 0.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.floats(0.01, 5), st.floats(-3, 3))
def test_calibration_keeps_ranks_and_range(values: list[float], slope: float, intercept: float) -> None:
    ordered = np.sort(np.array(values))
    calibrated = Calibration(slope, intercept).apply(ordered)
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


def chosen_from(shape: str) -> str:
    """Family that `choose` takes when the chance of a positive is a line, or a step that no line follows."""
    generator = np.random.default_rng(6)
    size = 1_800
    features = pd.DataFrame({"x": generator.normal(size=size), "y": generator.normal(size=size)})
    chance = 1 / (1 + np.exp(-2 * features["x"])) if shape == "line" else np.where(features["x"].abs() < 0.6, 0.9, 0.1)
    labels = (generator.random(size) < chance).astype(np.int64)
    days = pd.Series(np.repeat(pd.date_range("2017-01-02", periods=6, freq="14D"), size // 6))
    folds = folds_by_date(days, 14, [day.date() for day in days.unique()[3:]])
    pairs = [(np.asarray(labels[f.train.rows]), np.asarray(labels[f.judged.rows])) for f in folds]
    customers = pd.Series(np.tile(range(size // 6), 6))
    with one_thread():
        return choose(
            [LINE, STEPS, blend(LINE, STEPS)], features, pairs, folds, customers, ["x", "y"], []
        ).winner.family


def test_the_simple_model_ships_when_nothing_beats_it() -> None:
    assert chosen_from("line") == "logistic_regression"


def test_a_model_that_beats_it_ships() -> None:
    assert chosen_from("step") in {"gradient_boosting", "blend"}


def test_luck_is_not_enough_to_ship() -> None:
    """Of two equally good models one is ahead by chance; whichever is the simple one is taken."""
    generator = np.random.default_rng(8)
    features = pd.DataFrame(generator.normal(size=(1_200, 6)), columns=list("abcdef"))
    chance = 1 / (1 + np.exp(-features["a"]))
    labels = (generator.random(1_200) < chance).astype(np.int64)
    days = pd.Series(np.repeat(pd.date_range("2017-01-02", periods=4, freq="14D"), 300))
    folds = folds_by_date(days, 14, [day.date() for day in days.unique()[2:]])
    pairs = [(np.asarray(labels[f.train.rows]), np.asarray(labels[f.judged.rows])) for f in folds]
    customers = pd.Series(np.tile(range(300), 4))
    one, other = logistic(0.001), logistic(0.01)
    for simple, challenger in ((one, other), (other, one)):
        rival = Candidate(challenger.name, "another family", challenger.build)
        choice = choose([simple, rival], features, pairs, folds, customers, list("abcdef"), [])
        assert choice.winner is simple


def test_scores_are_calibrated_ones() -> None:
    features, labels = training_rows(400)
    raw, shifted = (
        fit_scorer(LINE, features, labels, calibration, ["visits"], [], **IDENTITY).probabilities(features)
        for calibration in (Calibration(), Calibration(1.0, 1.0))
    )
    np.testing.assert_allclose(shifted, Calibration(1.0, 1.0).apply(raw), atol=1e-5)
    assert (shifted > raw).all()
