import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.evaluation import METRICS
from ml.frames import MissingColumnsError
from ml.propensity.calibration import Calibration
from ml.propensity.candidates import Candidate, boosting, forest, logistic
from ml.propensity.inputs import BadInputError
from ml.propensity.scorer import MIN_ROWS_PER_CLASS, PropensityScorer, fit_scorer

IDENTITY: dict[str, Any] = {
    "model_name": "m",
    "model_version": "v",
    "trained_through": datetime.date(2017, 10, 15),
    "horizon_days": 14,
}
LINE = logistic(0.1)
PLAIN = Calibration()
NUMBERS, KINDS = ["visits", "customer_age_days"], ["kind"]


def training_rows(size: int = 1_000) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(4)
    features = pd.DataFrame(
        {"visits": generator.gamma(2, 2, size), "customer_age_days": generator.integers(10, 300, size).astype(float)}
    )
    features["kind"] = np.where(generator.random(size) < 0.5, "A", "B").astype(object)
    chance = 1 / (1 + np.exp(-(features["visits"] - 4 + (features["kind"] == "A"))))
    return features, (generator.random(size) < chance).astype(np.int64).to_numpy()


def fitted(candidate: Candidate = LINE, calibration: Calibration = PLAIN, **options: Any) -> PropensityScorer:
    features, labels = training_rows()
    return fit_scorer(candidate, features, labels, calibration, NUMBERS, KINDS, **options, **IDENTITY)


@pytest.mark.parametrize("candidate", [LINE, boosting(40, 0.1, 20), forest(30, 20)], ids=lambda c: c.family)
def test_scores_rank_and_do_not_depend_on_other_rows(candidate: Candidate) -> None:
    features, labels = training_rows()
    scorer = fitted(candidate)
    said = scorer.probabilities(features)
    assert METRICS["roc_auc"](labels.astype(float), said, np.ones((1, len(labels))))[0] > 0.75
    np.testing.assert_allclose(scorer.probabilities(features.iloc[5:9]), said[5:9], atol=2e-6)
    assert scorer.fallback_tier == "model"


def test_a_missing_feature_is_an_error_and_not_a_zero() -> None:
    features, _ = training_rows()
    with pytest.raises(MissingColumnsError, match="the input of m lacks visits"):
        fitted().probabilities(features.drop(columns="visits"))
    with pytest.raises(BadInputError, match="visits is infinite"):
        fitted().probabilities(features.assign(visits=np.inf))


@pytest.mark.parametrize("positives", [0, 1, MIN_ROWS_PER_CLASS - 1])
def test_too_few_positives_leave_it_to_cohorts_and_base_rate(positives: int) -> None:
    features, _ = training_rows()
    labels = np.r_[np.ones(positives), np.zeros(1_000 - positives)].astype(np.int64)
    scorer = fit_scorer(LINE, features, labels, Calibration(2.0, 1.0), NUMBERS, KINDS, **IDENTITY)
    assert scorer.pipeline is None
    assert scorer.fallback_tier == "cohort"
    said, tiers = scorer.predict(features)
    assert set(tiers) == {"cohort"}
    assert ((said > 0) & (said < 1)).all()
    strange = features.iloc[:1].assign(customer_age_days=np.nan)
    assert scorer.predict(strange)[1].tolist() == ["base_rate"]
    assert scorer.probabilities(strange)[0] == pytest.approx((positives + 1) / 1_002, abs=1e-6)


def test_enough_positives_do_not_fall_back() -> None:
    features, _ = training_rows()
    labels = np.r_[np.ones(MIN_ROWS_PER_CLASS), np.zeros(1_000 - MIN_ROWS_PER_CLASS)].astype(np.int64)
    assert fit_scorer(LINE, features, labels, Calibration(), NUMBERS, [], **IDENTITY).pipeline is not None


def test_who_is_little_known_is_not_given_a_score_of_the_model() -> None:
    scorer = fitted(required=("visits", "customer_age_days"))
    features = training_rows()[0].iloc[:4].assign(visits=[1.0, np.nan, 1.0, 1.0], customer_age_days=[90, 90, 2, np.nan])
    said, tiers = scorer.predict(features)
    assert tiers.tolist() == ["model", "cohort", "cohort", "base_rate"]
    assert scorer.tiers(features).tolist() == tiers.tolist()
    assert said[3] == pytest.approx(scorer.base_rate, abs=1e-6)
    assert said[0] != said[1]


def test_scores_are_calibrated_ones_and_by_type() -> None:
    features, _ = training_rows()
    raw = fitted().probabilities(features)
    shifted = fitted(calibration=Calibration(1.0, 1.0)).probabilities(features)
    np.testing.assert_allclose(shifted, Calibration(1.0, 1.0).apply(raw), atol=1e-5)
    by_type = fitted(calibration=Calibration(1.0, 0.0, 0.0, {"A": 1.0}), type_column="kind").probabilities(features)
    is_a = (features["kind"] == "A").to_numpy()
    np.testing.assert_allclose(by_type[is_a], shifted[is_a], atol=1e-6)
    np.testing.assert_allclose(by_type[~is_a], raw[~is_a], atol=1e-6)


def test_no_rows_get_no_scores() -> None:
    said, tiers = fitted().predict(training_rows()[0][:0])
    assert len(said) == len(tiers) == 0
