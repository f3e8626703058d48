"""K-means on a sample, with centers that may begin at, and lean on, those of a predecessor."""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin

from ml.clusters.base import FIT_ROWS, Clusterer, Floats, Labels, largest_first, means_of, sample_rows
from ml.threads import one_thread

STARTS = 10
# The starts are tried on fewer rows, and the best of them goes on with all: which optimum is the best shows early.
START_ROWS = 10_000
MAX_ROUNDS = 300


class SampledKMeans(Clusterer):
    """K-means fitted on at most `fit_rows` rows.

    Parameters
    ----------
    n_clusters : int
    start : array of shape (n_clusters, n_features) or None
        Centers to begin from: cluster i stays the continuation of row i. None: ten starts of k-means++, largest
        cluster first.
    anchor : float, 0 or more
        Weight of each center of `start`, as a share of the rows that lie nearest to it: so many pseudo-members stand
        at the old center. 0 lets the centers go where they will.
    fit_rows, n_init, seed : int
    """

    def __init__(
        self,
        n_clusters: int = 8,
        start: npt.ArrayLike | None = None,
        anchor: float = 0.0,
        fit_rows: int = FIT_ROWS,
        n_init: int = STARTS,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.start = start
        self.anchor = anchor
        self.fit_rows = fit_rows
        self.n_init = n_init
        self.seed = seed

    def _fit(self, rows: Floats) -> None:
        sample = sample_rows(rows, self.fit_rows, self.seed)
        start = checked_start(self.start, self.anchor, self.n_clusters, rows.shape[1])
        if start is None:
            few = sample_rows(sample, START_ROWS, self.seed)
            # Rounds over so few rows are over before a second thread has begun; on a busy machine it is waited for.
            with one_thread():
                found = KMeans(self.n_clusters, n_init=self.n_init, random_state=self.seed).fit(few)
                if len(few) < len(sample):
                    found = KMeans(self.n_clusters, init=found.cluster_centers_, n_init=1).fit(sample)
            order = np.argsort(largest_first(found.labels_, found.cluster_centers_))
            centers: Floats = found.cluster_centers_[order]
        else:
            _, centers = anchored_k_means(sample, start, self.anchor)
        self._know_by(centers, np.arange(len(centers)), centers)
        self._learn_limits(sample)


def checked_start(
    start: npt.ArrayLike | None, anchor: float, n_clusters: int, n_features: int
) -> npt.NDArray[np.float64] | None:
    """The centers to begin from as an array; raises ValueError if they do not fit what is asked for."""
    if not anchor >= 0:
        raise ValueError(f"anchor is 0 or more, not {anchor}")
    if start is None:
        if anchor:
            raise ValueError("an anchor needs a start: the old centers that hold the new ones")
        return None
    centers = np.array(start, dtype=np.float64)
    if centers.shape != (n_clusters, n_features):
        raise ValueError(f"start has the shape {centers.shape}, asked for are {(n_clusters, n_features)}")
    return centers


def anchored_k_means(
    rows: Floats, start: Floats, anchor: float, weights: Floats | None = None
) -> tuple[Labels, Floats]:
    """Lloyd's rounds from `start`, with pseudo-members at each old center: the mode under a normal prior.

    What is minimized is the sum of squares of rows to their center plus, for each cluster, its pseudo-members times
    the squared way of its center from the old one. Their number is fixed before the first round (`anchor` times the
    rows nearest to the old center), so that every round lowers the sum and the rounds end.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    start : array of shape (n_clusters, n_features)
    anchor : float
    weights : array of shape (n_rows,) or None

    Returns
    -------
    labels : array of shape (n_rows,)
    centers : array of shape (n_clusters, n_features)
    """
    weights = np.ones(len(rows)) if weights is None else weights
    count = len(start)
    labels: Labels = pairwise_distances_argmin(rows, start)
    pseudo = anchor * np.bincount(labels, weights, minlength=count)
    centers = start
    for _ in range(MAX_ROUNDS):
        sizes = np.bincount(labels, weights, minlength=count)
        mass = sizes + pseudo
        moved = (means_of(rows, labels, count, weights) * sizes[:, None] + start * pseudo[:, None]) / np.where(
            mass > 0, mass, 1.0
        )[:, None]
        # a cluster that nobody is left in stays where it was
        centers = np.where((mass > 0)[:, None], moved, centers)
        nearest = pairwise_distances_argmin(rows, centers)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
    return labels, centers
