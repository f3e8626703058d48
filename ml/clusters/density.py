"""Clusters as dense regions: HDBSCAN and DBSCAN, which find their number themselves and leave noise aside.

Noise is kept: it goes to the nearest cluster and is told as an outlier.
"""

from abc import abstractmethod

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.neighbors import NearestNeighbors

from ml.clusters.base import Clusterer, Floats, Labels, largest_first, means_of, sample_rows
from ml.clusters.micro import MICRO_CENTROIDS, prototypes_of

# Both compare rows with their neighbors, which in a dozen dimensions is slow: they see fewer rows than k-means.
DENSITY_ROWS = 10_000
# A dense region with fewer rows than this share is none.
SMALLEST_SHARE = 0.01
# A row farther from the nearest prototype than this share of its cluster's own rows is an outlier.
INSIDE = 0.99


class DensityClusterer(Clusterer):
    """Dense regions of a sample, each kept as the means of many small groups of its rows.

    Parameters
    ----------
    n_clusters : int or None
        Taken because all ways of dividing take it, and not used: regions are found.
    start : array of shape (n_old, n_features) or None
        Regions have no beginning. It gives the numbers: a region takes that of the nearest old center (optimal
        assignment), and regions beyond follow, largest first.
    anchor : float
        Taken and not used, for the same reason.
    smallest_share : float
        Least share of the sample in a cluster.
    fit_rows, seed : int
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        start: npt.ArrayLike | None = None,
        anchor: float = 0.0,
        smallest_share: float = SMALLEST_SHARE,
        fit_rows: int = DENSITY_ROWS,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.start = start
        self.anchor = anchor
        self.smallest_share = smallest_share
        self.fit_rows = fit_rows
        self.seed = seed

    @abstractmethod
    def _regions(self, sample: Floats, smallest: int) -> Labels:
        """The region of each row, -1 for noise."""

    def _fit(self, rows: Floats) -> None:
        sample = sample_rows(rows, self.fit_rows, self.seed)
        smallest = max(5, int(np.ceil(self.smallest_share * len(sample))))
        labels = self._regions(sample, smallest) if len(sample) > smallest else np.full(len(sample), -1)
        sizes = np.bincount(labels[labels >= 0], minlength=1)
        labels = np.where((labels >= 0) & (sizes[labels] >= smallest), labels, -1)
        if (labels < 0).all():
            # no region at all: everybody is one cluster
            labels = np.zeros_like(labels)
        dense, labels = sample[labels >= 0], np.unique(labels[labels >= 0], return_inverse=True)[1]
        centers = means_of(dense, labels, int(labels.max()) + 1)
        numbers = self._numbers(labels, centers)
        labels, centers = numbers[labels], centers[np.argsort(numbers)]
        self._know_by(*prototypes_of(dense, labels, centers, MICRO_CENTROIDS, self.seed), centers)
        distances = self._distances(dense)[1]
        self.limits_ = np.array(
            [max(float(np.quantile(distances[labels == cluster], INSIDE)), 1e-9) for cluster in range(len(centers))]
        )

    def _numbers(self, labels: Labels, centers: Floats) -> Labels:
        numbers = largest_first(labels, centers)
        if self.start is None:
            return numbers
        old = np.asarray(self.start, dtype=np.float64)
        found, kept = linear_sum_assignment(cdist(centers, old))
        rest = np.setdiff1d(np.argsort(numbers), found, assume_unique=True)
        # as many regions as before or more: a matched one keeps its number; with fewer, numbers close up in order
        order = np.concatenate([found[np.argsort(kept)], rest])
        numbers[order] = np.arange(len(centers))
        return numbers


class HierarchicalRegions(DensityClusterer):
    """HDBSCAN (Campello, Moulavi and Sander 2013): regions that stay through the widest range of densities."""

    def _regions(self, sample: Floats, smallest: int) -> Labels:
        found: Labels = HDBSCAN(min_cluster_size=smallest, min_samples=min(10, smallest), copy=True).fit_predict(sample)
        return found


class FixedDensityRegions(DensityClusterer):
    """DBSCAN (Ester et al. 1996) at the density where the distances to the neighbors bend."""

    def _regions(self, sample: Floats, smallest: int) -> Labels:
        neighbors = min(max(5, 2 * sample.shape[1]), len(sample) - 1)
        found = NearestNeighbors(n_neighbors=neighbors + 1).fit(sample)
        distances = np.sort(found.kneighbors(sample)[0][:, -1])
        radius = float(distances[bend(distances)])
        if radius <= 0:
            radius = float(distances[distances > 0].min()) if (distances > 0).any() else 1.0
        regions: Labels = DBSCAN(eps=radius, min_samples=neighbors).fit_predict(sample)
        return regions


def bend(values: Floats) -> int:
    """Where a curve lies farthest from the straight line between its ends (Satopaa et al. 2011, "Kneedle").

    Parameters
    ----------
    values : array of shape (n,), n at least 1, at even steps
    """
    line = np.linspace(values[0], values[-1], len(values))
    return int(np.abs(values - line).argmax())
