import numpy as np
import pandas as pd
import pytest

from ml.propensity.candidates import GRID, Candidate, blend, boosting, forest, logistic

LINE, STEPS, TREES = logistic(0.1), boosting(rounds=40, learning_rate=0.1, min_leaf=20), forest(trees=30, min_leaf=20)
ALL = (
    LINE, STEPS, TREES, blend(LINE, STEPS), logistic(0.1, is_balanced=True), forest(30, 20, is_balanced=True),
    boosting(20, 0.1, 20, is_balanced=True),
)  # fmt: skip


def training_rows(size: int = 1_200) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(4)
    features = pd.DataFrame({"visits": generator.gamma(2, 2, size), "noise": generator.normal(size=size)})
    features["kind"] = np.where(generator.random(size) < 0.5, "A", "B").astype(object)
    chance = 1 / (1 + np.exp(-(features["visits"] - 6 + (features["kind"] == "A"))))
    return features, (generator.random(size) < chance).astype(np.int64).to_numpy()


@pytest.mark.parametrize("candidate", ALL, ids=lambda candidate: candidate.name)
def test_every_candidate_learns_and_takes_odd_columns(candidate: Candidate) -> None:
    features, labels = training_rows()
    features.loc[::5, "visits"] = np.nan
    features["empty"], features["constant"] = np.nan, 3.0
    numbers = ["visits", "noise", "empty", "constant"]
    fitted = candidate.build(numbers, ["kind"]).fit(features, labels)
    said = fitted.predict_proba(features)[:, 1]
    assert said[labels == 1].mean() > said[labels == 0].mean() + 0.1
    strange = pd.DataFrame(
        {"visits": [np.nan], "noise": [0.0], "empty": [1.0], "constant": [9.0], "kind": ["never seen"]}
    )
    assert 0 < fitted.predict_proba(strange)[0, 1] < 1


@pytest.mark.parametrize("balanced", [logistic(0.1, True), forest(30, 20, True), boosting(20, 0.1, 20, True)])
def test_balanced_classes_say_more(balanced: Candidate) -> None:
    features, labels = training_rows()
    plain = {"logistic_regression_balanced": LINE, "random_forest_balanced": TREES}.get(balanced.family, STEPS)
    means = [
        c.build(["visits"], []).fit(features, labels).predict_proba(features)[:, 1].mean() for c in (plain, balanced)
    ]
    assert labels.mean() < 0.4
    assert means[0] == pytest.approx(labels.mean(), abs=0.03)
    assert means[1] > means[0] + 0.05


def test_names_in_the_grid_are_unique_and_a_definition_changes_with_a_setting() -> None:
    assert len({candidate.name for candidate in GRID}) == len(GRID)
    assert GRID[0].family == "logistic_regression"
    assert logistic(0.1).definition(["a"], []) != logistic(0.2).definition(["a"], [])
    assert forest(30, 20).definition(["a"], []) == forest(30, 20).definition(["a"], [])
