"""Shapley values of decision trees against one reference, exactly, for all rows at once.

The game of Lundberg et al., *From local explanations to global understanding with explainable AI for trees* (Nature
Machine Intelligence 2, 2020; "interventional" TreeSHAP) with a background of one row: a coalition of features has the
row's values, all others have the reference's (Sundararajan and Najmi, *The many Shapley values for model explanation*,
ICML 2020: "baseline Shapley"). A leaf is reached by a coalition if the features in X, on whose splits of the path only
the row goes there, are in it, and those in R, where only the reference does, are not. So it gives each of X

    value * (|X| - 1)! |R|! / (|X| + |R|)!

and takes from each of R ``value * |X|! (|R| - 1)! / (|X| + |R|)!``.

What a tree gives depends on a row only through which way it goes at each split. A tree with few splits has few such
patterns: their contributions are worked out once, and a row looks its own up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.uint64]

# 2 ** splits patterns are worked out once a tree; beyond this many splits the rows themselves go through it.
MAX_SPLITS_IN_TABLE = 10
# Rows that go through a large tree together: what they reach is held in memory.
ROWS_AT_ONCE = 20_000
MAX_PLAYERS = 64


@dataclass(frozen=True)
class Tree:
    """One tree as arrays, one entry a node.

    Attributes
    ----------
    column, threshold : which prepared column is asked, and up to what it goes left
    missing_left : where null goes
    left, right : number of the child
    is_leaf, value : what a row gets that arrives
    """

    column: npt.NDArray[np.intp]
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    is_leaf: npt.NDArray[np.bool_]
    value: Floats

    @property
    def splits(self) -> npt.NDArray[np.intp]:
        """Numbers of the nodes that ask something."""
        return np.flatnonzero(~self.is_leaf)

    def goes_left(self, rows: Floats, nodes: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Whether each row goes left at its node; `rows` and `nodes` are as long as each other."""
        asked = rows[np.arange(len(nodes)), self.column[nodes]]
        return np.where(np.isnan(asked), self.missing_left[nodes], asked <= self.threshold[nodes])


def boosted_trees(model: Any) -> list[Tree]:
    """The trees of a fitted HistGradientBoostingClassifier of two classes; with its baseline they sum to log-odds."""
    return [_boosted(one.nodes) for (one,) in model._predictors]


def _boosted(nodes: npt.NDArray[Any]) -> Tree:
    if nodes["is_categorical"].any():
        raise NotImplementedError("splits on kinds that are not one-hot encoded")
    return Tree(
        column=nodes["feature_idx"].astype(np.intp),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left=nodes["left"].astype(np.intp),
        right=nodes["right"].astype(np.intp),
        is_leaf=nodes["is_leaf"].astype(bool),
        value=nodes["value"].astype(np.float64),
    )


def forest_trees(model: Any) -> list[Tree]:
    """The trees of a fitted random forest of two classes; their sum is the probability of the second class."""
    return [_of_forest(one.tree_, len(model.estimators_)) for one in model.estimators_]


def _of_forest(tree: Any, count: int) -> Tree:
    votes = tree.value[:, 0, :]
    return Tree(
        column=np.maximum(tree.feature, 0).astype(np.intp),
        threshold=tree.threshold.astype(np.float64),
        missing_left=np.asarray(tree.missing_go_to_left).astype(bool),
        left=tree.children_left.astype(np.intp),
        right=tree.children_right.astype(np.intp),
        is_leaf=np.asarray(tree.children_left == -1),
        value=votes[:, 1] / votes.sum(axis=1) / count,
    )


class TreeContributions:
    """What each feature contributes to the sum of some trees, against one reference.

    Parameters
    ----------
    trees : the trees
    reference : array of shape (n_columns,), prepared
    players : array of shape (n_columns,)
        For each prepared column the feature that it belongs to, 0 to n_players - 1.
    n_players : at most 64
    """

    def __init__(self, trees: Sequence[Tree], reference: Floats, players: npt.NDArray[np.intp], n_players: int) -> None:
        if n_players > MAX_PLAYERS:
            raise NotImplementedError(f"trees of {n_players} features; a mask holds {MAX_PLAYERS}")
        self.n_players = n_players
        self._small: list[_Table] = []
        self._large: list[_Game] = []
        for tree in trees:
            game = _Game(tree, reference, players)
            if not len(tree.splits):
                continue
            if len(tree.splits) <= MAX_SPLITS_IN_TABLE:
                self._small.append(game.table())
            else:
                self._large.append(game)

    def of(self, rows: Floats) -> Floats:
        """Contributions of the rows, shape (n_rows, n_players); they add up to sum(row) - sum(reference).

        Parameters
        ----------
        rows : array of shape (n_rows, n_columns), prepared
        """
        found = np.zeros((self.n_players, len(rows)))
        columns = np.asfortranarray(rows)
        nulls = np.isnan(columns)
        columns_with_null = {int(column) for column in np.flatnonzero(nulls.any(axis=0))}
        for table in self._small:
            code = np.zeros(len(rows), dtype=np.intp)
            for place, (column, threshold, missing_left) in enumerate(table.questions):
                left = columns[:, column] <= threshold
                if missing_left and column in columns_with_null:
                    left |= nulls[:, column]
                code |= left.astype(np.intp) << place
            for player, values in table.given.items():
                found[player] += values[code]
        if self._large:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                part = np.ascontiguousarray(rows[start : start + ROWS_AT_ONCE])
                for game in self._large:
                    game.add(part, found[:, start : start + ROWS_AT_ONCE])
        return found.T


@dataclass(frozen=True)
class _Table:
    """Contributions by pattern of a small tree.

    Attributes
    ----------
    questions : column, threshold and where null goes, of each split; the first is the lowest bit of a pattern
    given : player -> contribution of each pattern, shape (2 ** splits,)
    """

    questions: list[tuple[int, float, bool]]
    given: dict[int, Floats]


class _Game:
    """A tree beside one reference."""

    def __init__(self, tree: Tree, reference: Floats, players: npt.NDArray[np.intp]) -> None:
        self.tree = tree
        nodes = np.arange(len(tree.is_leaf))
        # A leaf is its own child: who has arrived stays.
        self._left = np.where(tree.is_leaf, nodes, tree.left)
        self._right = np.where(tree.is_leaf, nodes, tree.right)
        by_reference = tree.goes_left(np.broadcast_to(reference, (len(nodes), len(reference))), nodes)
        self._reference_child = np.where(by_reference, self._left, self._right)
        self._bit = np.left_shift(np.uint64(1), players[tree.column].astype(np.uint64))
        self.asked = sorted({int(one) for one in players[tree.column[tree.splits]]})
        self._weight = _weights(len(self.asked))

    def table(self) -> _Table:
        """The contributions of every pattern of a tree with few splits."""
        tree, splits = self.tree, self.tree.splits
        patterns = (np.arange(2 ** len(splits))[:, None] >> np.arange(len(splits))) & 1
        left = np.zeros((len(patterns), len(tree.is_leaf)), dtype=bool)
        left[:, splits] = patterns.astype(bool)
        found = np.zeros((max(self.asked) + 1, len(patterns)))
        self._add(len(patterns), lambda rows, nodes: left[rows, nodes], found)
        questions = [(int(tree.column[n]), float(tree.threshold[n]), bool(tree.missing_left[n])) for n in splits]
        return _Table(questions, {player: found[player] for player in self.asked})

    def add(self, rows: Floats, found: Floats) -> None:
        """Add the contributions of prepared rows to `found`, shape (n_players, n_rows)."""
        tree = self.tree

        def goes_left(places: npt.NDArray[np.intp], nodes: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
            asked = rows[places, tree.column[nodes]]
            left = asked <= tree.threshold[nodes]
            if has_null:
                left |= np.isnan(asked) & tree.missing_left[nodes]
            return left

        has_null = bool(np.isnan(rows).any())
        self._add(len(rows), goes_left, found)

    def _add(self, count: int, goes_left: Any, found: Floats) -> None:
        rows, value, from_row, from_reference = self._reached(count, goes_left)
        own, others = np.bitwise_count(from_row), np.bitwise_count(from_reference)
        places, amounts = [], []
        for mask, amount in (
            (from_row, value * self._weight[own, others]),
            (from_reference, -value * self._weight[others, own]),
        ):
            for player, entries in _members(mask):
                places.append(player * count + rows[entries])
                amounts.append(amount[entries])
        if places:
            flat = np.bincount(np.concatenate(places), np.concatenate(amounts), found.shape[0] * count)
            found += flat.reshape(found.shape)

    def _reached(self, count: int, goes_left: Any) -> tuple[npt.NDArray[np.intp], Floats, Masks, Masks]:
        """Leaves that some mixture of a row and the reference reaches: row, value, X and R as masks."""
        rows, nodes = np.arange(count), np.zeros(count, dtype=np.intp)
        from_row, from_reference = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=np.uint64)
        arrived: list[tuple[npt.NDArray[np.intp], Floats, Masks, Masks]] = []
        while len(rows):
            row_child = np.where(goes_left(rows, nodes), self._left[nodes], self._right[nodes])
            reference_child = self._reference_child[nodes]
            parted = np.flatnonzero(row_child != reference_child)
            bit = self._bit[nodes[parted]]
            with_row = (from_reference[parted] & bit) == 0
            with_reference = (from_row[parted] & bit) == 0
            forked = parted[with_row & with_reference]
            more = (
                rows[forked],
                reference_child[forked],
                from_row[forked],
                from_reference[forked] | bit[with_row & with_reference],
            )
            nodes = row_child
            nodes[parted[~with_row]] = reference_child[parted[~with_row]]
            from_row[parted[with_row]] |= bit[with_row]
            rows, nodes, from_row, from_reference = (
                np.concatenate(pair) for pair in zip((rows, nodes, from_row, from_reference), more, strict=True)
            )
            done = self.tree.is_leaf[nodes]
            if done.any():
                arrived.append((rows[done], self.tree.value[nodes[done]], from_row[done], from_reference[done]))
                on = ~done
                rows, nodes, from_row, from_reference = rows[on], nodes[on], from_row[on], from_reference[on]
        gathered = [np.concatenate(parts) for parts in zip(*arrived, strict=True)]
        return gathered[0], gathered[1], gathered[2], gathered[3]


def _members(masks: Masks) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """The set bits of masks, the lowest of each first: numbers of the bits, and the places of their masks."""
    places = np.flatnonzero(masks)
    left = masks[places]
    while len(places):
        lowest = left & (~left + np.uint64(1))
        yield np.bitwise_count(lowest - np.uint64(1)).astype(np.intp), places
        left = left ^ lowest
        on = left != 0
        places, left = places[on], left[on]


def _weights(players: int) -> Floats:
    """``(a - 1)! b! / (a + b)!`` at [a, b]; 0 where a is 0."""
    table = np.zeros((players + 1, players + 1))
    for own in range(1, players + 1):
        for others in range(players + 1 - own):
            table[own, others] = factorial(own - 1) * factorial(others) / factorial(own + others)
    return table
