"""The ways of dividing, by name."""

from typing import Literal, get_args

import numpy.typing as npt

from ml.clusters.base import Clusterer
from ml.clusters.density import FixedDensityRegions, HierarchicalRegions
from ml.clusters.k_means import SampledKMeans
from ml.clusters.mixture import NormalMixture
from ml.clusters.ward import MicroWard

Algorithm = Literal["k_means", "ward", "gaussian_mixture", "hdbscan", "dbscan"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
# These take the number of clusters; the others find it.
WITH_COUNT: tuple[Algorithm, ...] = ("k_means", "ward", "gaussian_mixture")

_CLASSES: dict[str, type[Clusterer]] = {
    "k_means": SampledKMeans,
    "ward": MicroWard,
    "gaussian_mixture": NormalMixture,
    "hdbscan": HierarchicalRegions,
    "dbscan": FixedDensityRegions,
}


def clusterer(
    algorithm: Algorithm,
    n_clusters: int | None = None,
    *,
    start: npt.ArrayLike | None = None,
    anchor: float = 0.0,
    seed: int = 0,
) -> Clusterer:
    """An estimator that is not fitted yet, of the algorithm of this name.

    Parameters
    ----------
    algorithm : "k_means", "ward", "gaussian_mixture", "hdbscan" or "dbscan"
    n_clusters : int, at least 1, or None
        Needed by the first three; "hdbscan" and "dbscan" find the number, and theirs here is left aside.
    start : array of shape (n_clusters, n_features) or None
        Centers of a predecessor: cluster i of the new division continues its cluster i.
    anchor : float, 0 or more
        How much the old centers weigh, as a share of each cluster's members.
    seed : int

    Raises
    ------
    ValueError
        If there is no such algorithm, or a number of clusters is needed and missing.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1]])
    >>> clusterer("k_means", 2).fit_predict(rows).tolist()
    [0, 0, 0, 1, 1]
    """
    if algorithm not in _CLASSES:
        raise ValueError(f"there is no algorithm '{algorithm}'; there are {', '.join(ALGORITHMS)}")
    if algorithm not in WITH_COUNT:
        return _CLASSES[algorithm](start=start, anchor=anchor, seed=seed)
    if n_clusters is None or n_clusters < 1:
        raise ValueError(f"{algorithm} needs a number of clusters from 1, not {n_clusters}")
    return _CLASSES[algorithm](n_clusters, start=start, anchor=anchor, seed=seed)
