"""The leak alarm: the strength of one feature, its error, and bounds that hold for all of a run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from expectations.leak import auc, rank_correlation, readings

EVERYBODY = np.arange(400)


def drawn(seed: int = 1, gain: float = 1.2) -> tuple[np.ndarray, np.ndarray]:
    """A feature with ties and a label that it tells with an AUC of about .8."""
    rng = np.random.default_rng(seed)
    label = rng.random(len(EVERYBODY)) < 0.3
    return np.round(rng.normal(size=len(label)) + gain * label, 1), label


def test_auc_counts_ties_as_half_and_takes_the_better_side() -> None:
    values, label = drawn()
    found, turned = auc(values, label, EVERYBODY, 30), auc(-values, label, EVERYBODY, 30)
    assert found is not None
    assert turned is not None
    assert found.strength == pytest.approx(roc_auc_score(label, values))
    assert (turned.strength, turned.error) == pytest.approx((found.strength, found.error))


def test_error_is_that_of_delong() -> None:
    values, label = drawn()
    positives, negatives = values[label][:, None], values[~label][None, :]
    wins = (positives > negatives) + 0.5 * (positives == negatives)
    by_positive, by_negative = wins.mean(axis=1), wins.mean(axis=0)
    variance = by_positive.var() / len(by_positive) + by_negative.var() / len(by_negative)
    found = auc(values, label, EVERYBODY, 30)
    assert found is not None
    assert found.error == pytest.approx(np.sqrt(variance))


def test_a_customer_with_several_rows_counts_once() -> None:
    values, label = drawn()
    once = auc(values, label, EVERYBODY, 30)
    thrice = auc(np.tile(values, 3), np.tile(label, 3), np.tile(EVERYBODY, 3), 30)
    assert once is not None
    assert thrice is not None
    assert (thrice.strength, thrice.error) == pytest.approx((once.strength, once.error))


def test_bounds_of_many_features_hold_together() -> None:
    """Forty features of one shop, each with a true AUC of .802: some bound lies above it in one run of twenty."""
    runs, features, true_auc = 100, 40, 0.8019
    beyond = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        label = rng.random(len(EVERYBODY)) < 0.3
        trait = rng.normal(size=len(EVERYBODY))
        strengths = [
            auc(0.6 * trait + 0.8 * rng.normal(size=len(label)) + 1.2 * label, label, EVERYBODY, 30)
            for _ in range(features)
        ]
        beyond += any(strength and strength.at_least(features, 0.05) > true_auc for strength in strengths)
    assert beyond / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_what_was_copied_from_the_label_is_sure() -> None:
    _, label = drawn()
    copied = auc(label.astype(float), label, EVERYBODY, 30)
    assert copied is not None
    assert copied.at_least(500, 0.05) == 1


def test_too_few_cases_say_nothing() -> None:
    values, label = drawn()
    assert auc(values, label, EVERYBODY, int(label.sum())) is not None
    assert auc(values, label, EVERYBODY, int(label.sum()) + 1) is None
    assert auc(values, ~label, EVERYBODY, int(label.sum()) + 1) is None
    assert auc(np.where(label, np.nan, values), label, EVERYBODY, 1) is None
    assert rank_correlation(values[:29], values[:29], 30) is None
    assert rank_correlation(np.ones(50), values[:50], 30) is None


def test_amounts_are_held_by_rank() -> None:
    values, _ = drawn()
    amounts = np.exp(-values + np.random.default_rng(2).normal(size=len(values)))
    found = rank_correlation(values, amounts, 30)
    assert found is not None
    assert found.strength == pytest.approx(-spearmanr(values, amounts).statistic)
    assert 0 < found.at_least(500, 0.05) < found.at_least(1, 0.05) < found.strength
    same = rank_correlation(values, 2 * values, 30)
    assert same is not None
    assert same.at_least(500, 0.05) > 0.99


def test_a_feature_is_read_by_value_by_null_and_by_word() -> None:
    numbers = readings("age", np.array([1.0, np.nan, 3.0]))
    assert list(numbers) == ["age", "age is null"]
    assert numbers["age is null"].tolist() == [0, 1, 0]
    assert list(readings("age", np.array([1.0, 2.0]))) == ["age"]
    words = readings("cell", np.array(["Lapsed", "New", None, "New"], dtype=object))
    assert {name: values.tolist() for name, values in words.items()} == {
        "cell = 'New'": [0, 1, 0, 1],
        "cell = 'Lapsed'": [1, 0, 0, 0],
        "cell is null": [0, 0, 1, 0],
    }
