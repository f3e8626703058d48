"""One division of prepared rows: chosen anew, or fitted again from what its predecessor made of the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.algorithms import Algorithm, clusterer
from ml.clusters.base import Clusterer, means_of
from ml.clusters.folding import Fold, fold_small
from ml.clusters.lineage import Lineage, trace

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Division:
    """Groups of rows before they have keys.

    Attributes
    ----------
    estimator : Clusterer or None
        None: everybody is in one group.
    labels : array of shape (n_rows,)
    groups : tuple of int
        Group of each label, after small ones were folded.
    folds : list of Fold
    is_natural : bool
    facts : dict
        algorithm, and what a refit lost.
    comparison : DataFrame or None
        What a choice was made from.
    """

    estimator: Clusterer | None
    labels: npt.NDArray[np.intp]
    groups: tuple[int, ...]
    folds: list[Fold]
    is_natural: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    comparison: pd.DataFrame | None = None

    @classmethod
    def of_one(cls, rows: Floats) -> "Division":
        """All rows in one group."""
        return cls(None, np.zeros(len(rows), dtype=np.intp), (0,), [], facts={"algorithm": "one group"})

    @property
    def group_names(self) -> Keys:
        """The group of each row, as a text."""
        return np.array([str(group) for group in self.groups], dtype=object)[self.labels]

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(set(self.groups))


def folded(estimator: Clusterer, rows: Floats, floor: int, **more: Any) -> Division:
    """The division of `rows` by a fitted estimator, with groups below `floor` folded."""
    labels = estimator.predict(rows)
    groups, folds = fold_small(rows, labels, estimator.n_clusters_, floor)
    return Division(estimator, labels, groups, folds, **more)


def divide_again(
    rows: Floats, old_keys: Keys, algorithm: Algorithm, anchor: float, max_loss: float, floor: int, is_natural: bool
) -> Division | None:
    """Fit again, beginning from where the old model puts these very rows.

    Each old cluster that still has rows gives a center to begin from, the mean of its rows now, which also pulls
    (`anchor`). If that costs more than `max_loss` of inertia against a fit without a past, the latter is taken: the
    old groups are then no longer a good division.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    old_keys : array of shape (n_rows,)
        None for rows that the old model had in no group of this level.

    Returns
    -------
    Division or None
        None if fewer than two old clusters have rows.
    """
    present = sorted({key for key in old_keys.tolist() if key is not None})
    if len(present) < 2:
        return None
    start = np.stack([rows[old_keys == key].mean(axis=0) for key in present])
    estimator = clusterer(algorithm, len(present), start=start, anchor=anchor).fit(rows)
    free = clusterer(algorithm, len(present)).fit(rows)
    loss = inertia_of(rows, estimator) / max(inertia_of(rows, free), 1e-12) - 1
    held = loss <= max_loss
    facts = {"algorithm": algorithm, "n_clusters": len(present), "inertia_loss": round(loss, 6), "kept_its_start": held}
    return folded(estimator if held else free, rows, floor, is_natural=is_natural, facts=facts)


def inertia_of(rows: Floats, estimator: Clusterer) -> float:
    """Sum of squared distances of rows to the mean of their cluster."""
    labels = estimator.predict(rows)
    return float(((rows - means_of(rows, labels, estimator.n_clusters_)[labels]) ** 2).sum())


def with_keys(
    division: Division,
    rows: Floats,
    old_keys: Keys,
    all_old: Sequence[str],
    used: Sequence[str],
    parent: str | None = None,
    inside: npt.NDArray[np.bool_] | None = None,
    rank: npt.NDArray[np.float64] | None = None,
) -> tuple[tuple[str, ...], Lineage]:
    """Keys for the labels of a division, carried over from the old one.

    Parameters
    ----------
    rows, old_keys : of all customers of the level, in the order of their ids
    all_old : old keys, also those without members
    inside : array of shape (n_rows,)
        Rows that were divided; default: all.
    rank : array of shape (n_rows,)
        Mean of it orders the first keys, highest first; default: the number of members.
    """
    inside = np.ones(len(rows), dtype=bool) if inside is None else inside
    groups = np.full(len(rows), None, dtype=object)
    groups[inside] = division.group_names
    names = [str(group) for group in sorted(set(division.groups))]
    means = None
    if rank is not None:
        by_group = pd.Series(rank[inside]).groupby(division.group_names).mean()
        means = {name: float(by_group.get(name, -np.inf)) for name in names}
    distances = pd.DataFrame(
        [[_apart(rows, old_keys == old, groups == new) for new in names] for old in all_old],
        index=list(all_old),
        columns=names,
        dtype=np.float64,
    )
    lineage = trace(old_keys, groups, all_old, names, used=used, parent=parent, rank=means, distances=distances)
    return tuple(lineage.keys[str(group)] for group in division.groups), lineage


def _apart(rows: Floats, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Distance between the means of two groups of rows; NaN if one is empty."""
    if not first.any() or not second.any():
        return float("nan")
    return float(np.linalg.norm(rows[first].mean(axis=0) - rows[second].mean(axis=0)))
