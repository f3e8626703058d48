"""The size floor: a group with fewer members goes to the group next to it, and a row says so."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """One group that was too small.

    Attributes
    ----------
    group, into : int
        Labels; `into` is the group that took it in.
    members : int
    distance : float
        Between the centers, in the scale of the prepared features.
    """

    group: int
    into: int
    members: int
    distance: float


def fold_small(
    rows: Floats, labels: npt.NDArray[np.intp], count: int, floor: int
) -> tuple[tuple[int, ...], list[Fold]]:
    """Fold groups below `floor`, the smallest first, until none is left or all are one.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    labels : array of shape (n_rows,), 0 to count - 1
    floor : least number of members

    Returns
    -------
    groups : tuple of int
        The group that each label is part of now, by the label of its largest part; a label without rows goes to 0's
        place like any other.
    folds : list of Fold, in the order in which they were made
    """
    groups = list(range(count))
    folds: list[Fold] = []
    for _ in range(count - 1):
        current = np.array(groups)[labels]
        members = {group: int((current == group).sum()) for group in sorted(set(groups))}
        small = [group for group in members if members[group] < floor]
        if not small or len(members) == 1:
            break
        smallest = min(small, key=lambda group: (members[group], group))
        centers = {group: _center(rows, current == group) for group in members}
        others = [group for group in members if group != smallest and members[group]]
        if not others:
            break
        apart = {group: float(np.linalg.norm(centers[group] - centers[smallest])) for group in others}
        into = min(others, key=lambda group: (apart[group], group))
        folds.append(Fold(smallest, into, members[smallest], apart[into]))
        groups = [into if group == smallest else group for group in groups]
    return tuple(groups), folds


def _center(rows: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    center: Floats = rows[inside].mean(axis=0) if inside.any() else rows.mean(axis=0)
    return center
