"""Which new cluster is which old one: optimal assignment on shared members and distance between centers.

Both models have divided the same customers at the same date, so whatever differs is a matter of definition. A pair may
be matched only if at least half of the members of one are in the other, and a tenth the other way round; among such
pairs the assignment (Kuhn 1955, scipy's `linear_sum_assignment`) takes those that share most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

Labels = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

# Half of the members of one in the other: with less, a key would move to people whom it never meant.
MIN_SHARE = 0.5
# ... and not a crumb: a key does not follow a twentieth of its members.
MIN_PART = 0.1
# What sharing all members counts beside having the nearest center: enough for the distance to decide near a tie only.
DISTANCE_WEIGHT = 0.1


@dataclass(frozen=True)
class Overlap:
    """How many members old and new clusters share.

    Attributes
    ----------
    old, new : tuple of str
        Old keys in order, new labels by their first member; clusters without members come last.
    shared : array of shape (n_old, n_new)
        Customers that are in both.
    old_members, new_members : arrays of shape (n_old,) and (n_new,)
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    shared: npt.NDArray[np.int64]
    old_members: npt.NDArray[np.int64]
    new_members: npt.NDArray[np.int64]

    @property
    def of_old(self) -> Floats:
        """Share of the old cluster's members that are in the new one, shape (n_old, n_new)."""
        return _ratio(self.shared, self.old_members[:, None])

    @property
    def of_new(self) -> Floats:
        """Share of the new cluster's members that were in the old one, shape (n_old, n_new)."""
        return _ratio(self.shared, self.new_members[None, :])

    @property
    def jaccard(self) -> Floats:
        """Members in both over members in either, shape (n_old, n_new)."""
        return _ratio(self.shared, self.old_members[:, None] + self.new_members[None, :] - self.shared)


def _ratio(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64]) -> Floats:
    whole = np.broadcast_to(denominator, numerator.shape)
    return np.divide(numerator, whole, out=np.zeros(numerator.shape), where=whole > 0)


def overlap(old: Labels, new: Labels, old_keys: Sequence[str], new_labels: Sequence[str]) -> Overlap:
    """Count the members that clusters of two models share.

    Parameters
    ----------
    old, new : arrays of shape (n_customers,)
        Cluster of each customer by either model, customers in the same order (by id, so that ties fall alike); None
        for a customer that the model leaves out.
    old_keys, new_labels : all clusters of the models, also those without members

    Raises
    ------
    ValueError
        If the arrays differ in length, or name a cluster that is not listed.
    """
    if len(old) != len(new):
        raise ValueError(f"both models must divide the same customers, not {len(old)} and {len(new)}")
    rows, columns = sorted(set(old_keys)), _by_first_member(new, new_labels)
    of_row, of_column = _positions(old, rows, "old"), _positions(new, columns, "new")
    both = (of_row >= 0) & (of_column >= 0)
    shared = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(shared, (of_row[both], of_column[both]), 1)
    return Overlap(
        tuple(rows),
        tuple(columns),
        shared,
        np.bincount(of_row[of_row >= 0], minlength=len(rows)),
        np.bincount(of_column[of_column >= 0], minlength=len(columns)),
    )


def _by_first_member(labels: Labels, clusters: Sequence[str]) -> list[str]:
    """Clusters in an order that does not depend on how they are numbered."""
    listed = set(clusters)
    present = [label for label in dict.fromkeys(labels.tolist()) if label in listed]
    return [*present, *sorted(listed - set(present))]


def _positions(labels: Labels, clusters: Sequence[str], which: str) -> npt.NDArray[np.intp]:
    """Place of each label among `clusters`; -1 for none."""
    place: dict[str | None, int] = {label: position for position, label in enumerate(clusters)}
    unknown = sorted(str(label) for label in set(labels.tolist()) - set(place) - {None})
    if unknown:
        raise ValueError(f"the {which} model has no cluster {unknown}")
    return np.array([place.get(label, -1) for label in labels.tolist()], dtype=np.intp)


def match(members: Overlap, distances: pd.DataFrame | None = None) -> dict[str, str]:
    """The old key of each new label that has one.

    Parameters
    ----------
    members : what the clusters share
    distances : DataFrame of shape (n_old, n_new), index old keys, columns new labels
        Distance between centers (NaN without members); of pairs that share about as many the nearer one is taken.

    Returns
    -------
    dict
        New label to old key; each key at most once. A pair that does not share enough is never in it.
    """
    if not members.shared.size:
        return {}
    of_old, of_new = members.of_old, members.of_new
    allowed = (np.maximum(of_old, of_new) >= MIN_SHARE) & (np.minimum(of_old, of_new) >= MIN_PART)
    score = members.jaccard
    if distances is not None:
        apart = distances.loc[list(members.old), list(members.new)].to_numpy(dtype=np.float64)
        widest = float(np.nanmax(apart, initial=0.0))
        if widest > 0:
            score = score + DISTANCE_WEIGHT * (1 - np.nan_to_num(apart, nan=widest) / widest)
    rows, columns = linear_sum_assignment(np.where(allowed, score, 0.0), maximize=True)
    return {
        members.new[column]: members.old[row] for row, column in zip(rows, columns, strict=True) if allowed[row, column]
    }
