"""Ward's hierarchy for any number of rows: k-means finds many small groups, and Ward joins those by their weight."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import pairwise_distances_argmin

from ml.clusters.base import FIT_ROWS, Clusterer, Floats, Labels, largest_first, means_of, sample_rows
from ml.clusters.k_means import anchored_k_means, checked_start
from ml.clusters.micro import MICRO_CENTROIDS, MIN_ROWS, ROWS_EACH, micro_centroids_of, prototypes_of


class MicroWard(Clusterer):
    """Ward's division of micro-centroids; a row belongs where its nearest micro-centroid belongs.

    Parameters
    ----------
    n_clusters : int
    start : array of shape (n_clusters, n_features) or None
        Begin from these centers: Ward's sum of squares is then lowered from the old division by k-means over the
        micro-centroids, since a hierarchy has no beginning that could be chosen.
    anchor : float
        As in `SampledKMeans`; needs `start`.
    micro_centroids, fit_rows, seed : int
        `fit_rows`: how many rows the micro-centroids are found on; all rows weigh.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        start: npt.ArrayLike | None = None,
        anchor: float = 0.0,
        micro_centroids: int = MICRO_CENTROIDS,
        fit_rows: int = FIT_ROWS,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.start = start
        self.anchor = anchor
        self.micro_centroids = micro_centroids
        self.fit_rows = fit_rows
        self.seed = seed

    def _fit(self, rows: Floats) -> None:
        start = checked_start(self.start, self.anchor, self.n_clusters, rows.shape[1])
        means, weights = micro_centroids_of(rows, self.micro_centroids, self.fit_rows, self.seed)
        if start is None:
            merges, _ = ward_merges(means, weights)
            self.take(rows, means, weights, cut(merges, len(means), min(self.n_clusters, len(means))))
        else:
            self._know(rows, means, weights, *anchored_k_means(means, start, self.anchor, weights))

    def take(self, rows: Floats, means: Floats, weights: Floats, clusters: Labels) -> None:
        """Become the model of a division of micro-centroids; the largest cluster is 0."""
        centers = means_of(means, clusters, int(clusters.max()) + 1, weights)
        numbers = largest_first(clusters, centers, weights)
        self._know(rows, means, weights, numbers[clusters], centers[np.argsort(numbers)])

    def _know(self, rows: Floats, means: Floats, weights: Floats, clusters: Labels, centers: Floats) -> None:
        most = len(means)
        if len(rows) < ROWS_EACH * most:
            # So few rows each that many micro-centroids are a customer's own row: coarser ones are kept.
            clusters = clusters[pairwise_distances_argmin(rows, means)]
            prototypes, clusters = prototypes_of(rows, clusters, centers, most, self.seed)
        else:
            is_kept = weights >= MIN_ROWS
            bare = np.setdiff1d(np.arange(len(centers)), clusters[is_kept])
            prototypes = np.vstack([means[is_kept], centers[bare]])
            clusters = np.concatenate([clusters[is_kept], bare])
        self._know_by(prototypes, clusters, centers)
        self._learn_limits(sample_rows(rows, self.fit_rows, self.seed))


def ward_merges(points: Floats, weights: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Ward's hierarchy of weighted points, by chains of nearest neighbors (Murtagh 1983).

    Joining two groups raises the sum of squares by w1 w2 / (w1 + w2) times the squared distance of their means; the
    two that raise it least are joined first. scikit-learn's and SciPy's Ward take every point for one row.

    Parameters
    ----------
    points : array of shape (n_points, n_features)
    weights : array of shape (n_points,), more than 0

    Returns
    -------
    merges : array of shape (n_points - 1, 2)
        In the order of their heights; a group is known by one of its points.
    heights : array of shape (n_points - 1,)
        The square root of twice the rise: SciPy's unit, in which two single rows are joined at their distance.
    """
    means, mass = points.astype(np.float64).copy(), weights.astype(np.float64).copy()
    is_left = np.ones(len(means), dtype=bool)
    merges: list[tuple[int, int]] = []
    heights: list[float] = []
    chain: list[int] = []
    while len(merges) < len(means) - 1:
        if not chain:
            chain.append(int(is_left.argmax()))
        while True:
            top = chain[-1]
            rise = 2 * mass[top] * mass / (mass[top] + mass) * ((means - means[top]) ** 2).sum(axis=1)
            rise[~is_left] = np.inf
            rise[top] = np.inf
            nearest = int(rise.argmin())
            # of equally near ones the one before in the chain, or the chain would not end
            if len(chain) > 1 and rise[chain[-2]] <= rise[nearest]:
                break
            chain.append(nearest)
        before = chain[-2]
        first, second = min(top, before), max(top, before)
        del chain[-2:]
        merges.append((first, second))
        heights.append(float(np.sqrt(rise[before])))
        total = mass[first] + mass[second]
        means[first] = (mass[first] * means[first] + mass[second] * means[second]) / total
        mass[first] = total
        is_left[second] = False
    order = np.argsort(heights, kind="stable")
    return np.array(merges, dtype=np.intp).reshape(-1, 2)[order], np.array(heights)[order]


def cut(merges: npt.NDArray[np.intp], n_points: int, n_clusters: int) -> Labels:
    """The division into `n_clusters` groups: all merges but the last ones."""
    kept = merges[: n_points - n_clusters]
    graph = coo_array((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(n_points, n_points))
    labels: Labels = connected_components(graph, directed=False)[1].astype(np.intp)
    return labels
