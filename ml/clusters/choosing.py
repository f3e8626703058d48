"""A division chosen anew, with the choice turned into the rows of a table."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.algorithms import Algorithm, clusterer
from ml.clusters.choice import Choice, choose
from ml.clusters.dividing import Division, folded

Floats = npt.NDArray[np.float64]

# A micro-segment must come out again: of the members of each and of its counterpart in another fit, so many are
# common. Hennig (2007), Cluster-wise assessment of cluster stability: 0.75 and more is a valid, stable cluster.
MIN_STABLE = 0.75


def chosen_division(
    rows: Floats,
    earlier: Sequence[Floats],
    floor: int,
    algorithms: Sequence[Algorithm],
    max_clusters: int,
    current: tuple[Algorithm, int] | None = None,
    only_if_stable: bool = False,
) -> Division | None:
    """Choose algorithm and number, fit, and fold what is below the floor.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    earlier : arrays of the same preparation at earlier dates, newest first
    floor : least members of a group
    current : algorithm and number that stand, and are given up only for better ones
    only_if_stable : whether a choice whose clusters do not come out again is refused

    Returns
    -------
    Division or None
        None if there is nothing to divide, or nothing stable.
    """
    counts = tuple(range(2, min(max_clusters, len(rows) // max(floor, 1)) + 1))
    if not counts or not len(rows):
        return None
    enough = [matrix for matrix in earlier if len(matrix) >= 2 * floor]
    choice = choose(rows, enough, floor=floor, algorithms=tuple(algorithms), cluster_counts=counts, current=current)
    if choice.n_clusters < 2 or (only_if_stable and not _is_stable(choice)):
        return None
    estimator = clusterer(choice.algorithm, choice.n_clusters).fit(rows)
    facts = {"algorithm": choice.algorithm, "n_clusters": choice.n_clusters, "reason": choice.reason}
    return folded(estimator, rows, floor, is_natural=choice.is_natural, facts=facts, comparison=choice.comparison)


def _is_stable(choice: Choice) -> bool:
    chosen = choice.scores[choice.scores["is_chosen"]].iloc[0]
    agreements = chosen[["agreement_over_dates", "agreement_under_resampling"]].astype(float).dropna()
    return bool(pd.isna(chosen["failed_limit"]) and len(agreements) and agreements.min() >= MIN_STABLE)
