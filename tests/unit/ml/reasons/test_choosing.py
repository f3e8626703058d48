import numpy as np
import pandas as pd
import pytest

from ml.reasons.choosing import NOTHING, WORTH_TELLING, choose_reasons
from ml.reasons.contributions import Explainer
from tests.unit.ml.reasons.conftest import FAMILIES, drawn

THEMES = ("orders", "orders", "pause", "spend", "idle", "campaign")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reason_moves_the_score_the_way_it_says(explainers: dict[str, Explainer], family: str) -> None:
    explainer, rows = explainers[family], drawn(40, seed=12)
    found = choose_reasons(explainer, rows, THEMES)
    stated = [(place, rank) for place, rank in zip(*np.nonzero(found.theme != NOTHING), strict=True)]
    without = rows.iloc[[place for place, _ in stated]].reset_index(drop=True)
    for name, own in zip(rows.columns, THEMES, strict=True):
        named = [found.themes[found.theme[one]] == own for one in stated]
        without[name] = without[name].where(~np.array(named), explainer.reference[name].iloc[0])
    now = explainer.margin(rows)[[place for place, _ in stated]]
    amounts = np.array([found.contribution[one] for one in stated])
    assert (np.sign(now - explainer.margin(without)) == np.sign(amounts)).all()
    assert len(stated) > 50
    assert found.tried == len(stated) + found.left_out


@pytest.mark.parametrize("family", FAMILIES)
def test_reasons_come_largest_first_and_are_worth_telling(explainers: dict[str, Explainer], family: str) -> None:
    found = choose_reasons(explainers[family], drawn(60, seed=13), THEMES)
    sizes = np.abs(found.contribution)
    assert (np.diff(sizes, axis=1) <= 1e-12).all()
    assert (sizes[found.theme != NOTHING] >= WORTH_TELLING).all()
    assert all(len(set(row[row != NOTHING])) == (row != NOTHING).sum() for row in found.theme)
    # one without a reason has none after it
    assert ((found.theme[:, :-1] != NOTHING) | (found.theme[:, 1:] == NOTHING)).all()


class Sum:
    """A model whose log-odds are those given, and whose contributions may be wrong on purpose."""

    def __init__(self, weights: list[float], told: list[float] | None = None) -> None:
        names = [f"f{place}" for place in range(len(weights))]
        self.weights, self.told = np.array(weights), np.array(told or weights)
        self.reference = pd.DataFrame([[0.0] * len(weights)], columns=names)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(self.reference.columns)

    def margin(self, rows: pd.DataFrame) -> np.ndarray:
        return rows.to_numpy() @ self.weights

    def contributions(self, rows: pd.DataFrame) -> np.ndarray:
        return rows.to_numpy() * self.told


def row(*values: float) -> pd.DataFrame:
    return pd.DataFrame([values], columns=[f"f{place}" for place in range(len(values))])


def test_a_feature_that_the_model_does_not_use_is_never_a_reason() -> None:
    """Its contribution is made up: the model does not bear it out, and the next one takes its place."""
    found = choose_reasons(Sum([1.0, 0.0, -0.5], told=[1.0, 9.0, -0.5]), row(1, 1, 1), ("a", "b", "c"))
    assert [found.themes[theme] for theme in found.theme[0] if theme != NOTHING] == ["a", "c"]
    assert found.left_out == 1


def test_what_goes_the_other_way_is_left_out() -> None:
    found = choose_reasons(Sum([1.0, -2.0], told=[1.0, 2.0]), row(1, 1), ("a", "b"))
    assert [found.themes[theme] for theme in found.theme[0] if theme != NOTHING] == ["a"]


def test_features_of_a_theme_are_one_reason_told_by_the_one_that_says_most_of_it() -> None:
    found = choose_reasons(Sum([1.0, 1.0, -1.2, 1.5]), row(1, 1, 1, 1), ("a", "a", "a", "b"))
    assert found.themes == ("a", "b")
    assert [found.themes[theme] for theme in found.theme[0][:2]] == ["b", "a"]
    assert found.contribution[0, 1] == pytest.approx(0.8)
    # of the theme's features one that points its way, though another is larger
    assert found.feature[0, 1] in (0, 1)


def test_who_is_typical_has_no_reason() -> None:
    found = choose_reasons(Sum([1.0, 2.0]), row(0, 0), ("a", "b"))
    assert (found.theme == NOTHING).all()
    assert found.tried == 0


@pytest.mark.parametrize("family", ["line", "trees", "mean", "forest"])
def test_an_idle_feature_gets_next_to_nothing(explainers: dict[str, Explainer], family: str) -> None:
    found = choose_reasons(explainers[family], drawn(300, seed=14), THEMES)
    shares = np.abs(found.by_theme).sum(axis=0) / np.abs(found.by_theme).sum()
    assert shares[found.themes.index("idle")] < 0.1
    assert shares[found.themes.index("orders")] > 0.3
