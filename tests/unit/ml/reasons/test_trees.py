import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.reasons import trees
from ml.reasons.trees import Tree, TreeContributions
from tests.unit.ml.reasons.conftest import exact_shapley


def random_tree(seed: int, depth: int, columns: int) -> Tree:
    """A tree with random splits that ends early here and there; a column may be asked more than once."""
    generator = np.random.default_rng(seed)
    nodes: list[list[float]] = []

    def grow(level: int) -> int:
        place = len(nodes)
        nodes.append([0, 0.0, 0, -1, -1, 1, float(generator.normal())])
        if level < depth and (level == 0 or generator.random() < 0.8):
            nodes[place][:3] = [int(generator.integers(columns)), float(generator.normal()), int(generator.integers(2))]
            nodes[place][3], nodes[place][4], nodes[place][5] = grow(level + 1), grow(level + 1), 0
        return place

    grow(0)
    table = np.array(nodes)
    whole = table.astype(np.intp)
    return Tree(
        column=whole[:, 0],
        threshold=table[:, 1],
        missing_left=table[:, 2].astype(bool),
        left=whole[:, 3],
        right=whole[:, 4],
        is_leaf=table[:, 5].astype(bool),
        value=table[:, 6],
    )


def output(tree: Tree, row: np.ndarray) -> float:
    node = 0
    while not tree.is_leaf[node]:
        asked = row[tree.column[node]]
        left = bool(tree.missing_left[node]) if np.isnan(asked) else asked <= tree.threshold[node]
        node = tree.left[node] if left else tree.right[node]
    return float(tree.value[node])


def rows_and_reference(seed: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(6, columns))
    rows[generator.random(rows.shape) < 0.2] = np.nan
    reference = generator.normal(size=columns)
    reference[generator.random(columns) < 0.2] = np.nan
    return rows, reference


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_they_are_shapley_values_of_the_game(seed: int, depth: int, is_large: bool) -> None:
    """Against the formula over all coalitions, with two columns that are one player, by table and by rows."""
    columns, players = 5, np.array([0, 1, 2, 2, 3])
    forest = [random_tree(seed + number, depth, columns) for number in range(3)]
    rows, reference = rows_and_reference(seed, columns)
    limit = trees.MAX_SPLITS_IN_TABLE
    try:
        trees.MAX_SPLITS_IN_TABLE = 0 if is_large else limit
        found = TreeContributions(forest, reference, players, 4).of(rows)
    finally:
        trees.MAX_SPLITS_IN_TABLE = limit
    for row, own in zip(rows, found, strict=True):
        wanted = exact_shapley(
            lambda inside, row=row: sum(output(tree, np.where(inside[players], row, reference)) for tree in forest), 4
        )
        np.testing.assert_allclose(own, wanted, atol=1e-12)


def test_a_tree_that_asks_nothing_contributes_nothing() -> None:
    leaf = Tree(*(np.array([value]) for value in (0, 0.0, False, -1, -1, True, 0.7)))
    assert (TreeContributions([leaf], np.zeros(2), np.array([0, 1]), 2).of(np.ones((3, 2))) == 0).all()


def test_rows_in_parts_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = [random_tree(number, 5, 4) for number in range(4)]
    generator = np.random.default_rng(0)
    rows, reference, players = generator.normal(size=(40, 4)), generator.normal(size=4), np.arange(4)
    monkeypatch.setattr(trees, "MAX_SPLITS_IN_TABLE", 0)
    whole = TreeContributions(forest, reference, players, 4).of(rows)
    monkeypatch.setattr(trees, "ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(TreeContributions(forest, reference, players, 4).of(rows), whole)


def test_more_features_than_a_mask_holds_is_said() -> None:
    with pytest.raises(NotImplementedError, match="trees of 65 features"):
        TreeContributions([], np.zeros(65), np.arange(65), 65)
