import numpy as np
import pandas as pd
import pytest

from ml.reasons.contributions import Explainer
from ml.reasons.sampling import sampled_contributions
from tests.unit.ml.reasons.conftest import FAMILIES, drawn, exact_shapley

EXPECTED = {
    "line": "exact",
    "trees": "exact",
    "mean": "carried through",
    "forest": "carried through",
    "unknown": "walked through",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_contributions_add_up_to_the_difference_of_the_log_odds(explainers: dict[str, Explainer], family: str) -> None:
    explainer, rows = explainers[family], drawn(60, seed=8)
    found = explainer.contributions(rows)
    difference = explainer.margin(rows) - explainer.margin(explainer.reference)[0]
    np.testing.assert_allclose(found.sum(axis=1), difference, atol=1e-9)
    assert np.abs(difference).max() > 0.5
    assert explainer.method == EXPECTED[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_typical_customer_has_no_contributions(explainers: dict[str, Explainer], family: str) -> None:
    explainer = explainers[family]
    assert np.abs(explainer.contributions(explainer.reference)).max() == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_explained_by_itself_and_in_any_order(explainers: dict[str, Explainer], family: str) -> None:
    explainer, rows = explainers[family], drawn(30, seed=9)
    whole = explainer.contributions(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(
        explainer.contributions(rows.iloc[order].reset_index(drop=True)), whole[order], atol=1e-12
    )
    np.testing.assert_allclose(explainer.contributions(rows.iloc[[4]].reset_index(drop=True)), whole[[4]], atol=1e-12)


def _exact(explainer: Explainer, row: pd.DataFrame) -> np.ndarray:
    """Shapley values of the pipeline itself, over all coalitions of its features."""
    names = list(explainer.features)
    masks = (np.arange(2 ** len(names))[:, None] >> np.arange(len(names))) & 1
    mixtures = pd.DataFrame(
        {
            name: np.where(masks[:, place] == 1, row[name].iloc[0], explainer.reference[name].iloc[0])
            for place, name in enumerate(names)
        }
    ).astype({name: row[name].dtype for name in names})
    worth = explainer.margin(mixtures)
    return exact_shapley(lambda inside: worth[int((inside * 2 ** np.arange(len(names))).sum())], len(names))


@pytest.mark.parametrize("family", ["line", "trees"])
def test_they_are_the_shapley_values_of_the_model(explainers: dict[str, Explainer], family: str) -> None:
    explainer, rows = explainers[family], drawn(12, seed=10)
    found = explainer.contributions(rows)
    for place in range(len(rows)):
        np.testing.assert_allclose(found[place], _exact(explainer, rows.iloc[[place]]), atol=1e-9)


@pytest.mark.parametrize("family", ["mean", "forest", "unknown"])
def test_elsewhere_they_come_near_and_name_the_same_first_reason(explainers: dict[str, Explainer], family: str) -> None:
    explainer, rows = explainers[family], drawn(20, seed=11)
    found = explainer.contributions(rows)
    wanted = np.array([_exact(explainer, rows.iloc[[place]]) for place in range(len(rows))])
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99
    assert (np.abs(found).argmax(axis=1) == np.abs(wanted).argmax(axis=1)).mean() >= 0.9


def test_a_walk_and_its_reverse_are_exact_where_only_pairs_interact() -> None:
    rows = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 3)), columns=["a", "b", "c"])
    reference = pd.DataFrame([[0.5, -1.0, 2.0]], columns=["a", "b", "c"])

    def margin(frame: pd.DataFrame) -> np.ndarray:
        return (frame["a"] * frame["b"] + 2 * frame["c"]).to_numpy()

    found = sampled_contributions(margin, rows, reference)
    together = margin(rows) - margin(reference)[0] - 2 * (rows["c"] - 2.0).to_numpy()
    a, b = rows["a"].to_numpy(), rows["b"].to_numpy()
    of_a = ((a - 0.5) * -1.0 + (a - 0.5) * b) / 2
    np.testing.assert_allclose(found[:, 0], of_a, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], together - of_a, atol=1e-12)
    np.testing.assert_allclose(found[:, 2], 2 * (rows["c"] - 2.0), atol=1e-12)


def test_no_rows_have_no_contributions(explainers: dict[str, Explainer]) -> None:
    for explainer in explainers.values():
        assert explainer.contributions(drawn(5).iloc[:0]).shape == (0, 6)
        assert explainer.margin(drawn(5).iloc[:0]).shape == (0,)
