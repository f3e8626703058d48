"""What all ways of dividing have in common: a group for every row, and how far out a row lies in its group."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin, pairwise_distances_argmin_min
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

# Larger inputs are divided on a sample and every row is assigned: the same centers at a fraction of the time.
FIT_ROWS = 50_000
# A row is an outlier of its cluster beyond the median distance plus so many of a normal's standard deviations, which
# are taken from the median deviation: outliers themselves do not move the limit.
OUTLIER_REACH = 5.0


def sample_rows(rows: Floats, size: int, seed: int) -> Floats:
    """At most `size` rows, in their order."""
    if len(rows) <= size:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size, replace=False)
    sampled: Floats = rows[np.sort(chosen)]
    return sampled


@contextmanager
def not_converged_is_fine() -> Iterator[None]:
    """Without scikit-learn's warnings that a fit ended early, or that there are fewer different rows than groups."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def means_of(rows: Floats, labels: Labels, count: int, weights: Floats | None = None) -> Floats:
    """Mean of each cluster's rows, shape (count, n_features); zeros for a cluster without rows."""
    weights = np.ones(len(rows)) if weights is None else weights
    totals = np.bincount(labels, weights, minlength=count)
    sums = np.stack([np.bincount(labels, weights * column, minlength=count) for column in rows.T], axis=1)
    means: Floats = sums / np.where(totals > 0, totals, 1.0)[:, None]
    return means


class Clusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Divides rows; every row gets a cluster, and outliers are told apart by their score.

    A cluster is known by its prototypes: points near which its rows lie (one, its center, or several), each the mean
    of rows and none a row itself where that can be. No row of the training data is kept, so that a stored model
    holds nobody's data; `labels_` is missing for the same reason.

    Attributes
    ----------
    n_clusters_ : int
    centers_ : array of shape (n_clusters_, n_features)
        Means of the rows.
    prototypes_ : array of shape (n_prototypes, n_features)
    prototype_clusters_ : array of shape (n_prototypes,)
    limits_ : array of shape (n_clusters_,)
        Distance beyond which a row of the cluster is an outlier.
    """

    n_clusters_: int
    centers_: Floats
    prototypes_: Floats
    prototype_clusters_: Labels
    limits_: Floats

    def fit(self, X: npt.ArrayLike, y: Any = None) -> Self:
        """Find the clusters in rows of shape (n_rows, n_features), without gaps."""
        rows: Floats = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self._fit(rows)
        return self

    @abstractmethod
    def _fit(self, rows: Floats) -> None:
        """Set the attributes."""

    def fit_predict(self, X: npt.ArrayLike, y: Any = None, **parameters: Any) -> Labels:
        """Fit, then the cluster of each row."""
        return self.fit(X).predict(X)

    def predict(self, X: npt.ArrayLike) -> Labels:
        """The cluster of each row, 0 to n_clusters_ - 1, outliers included."""
        return self._assign(self._checked(X))

    def outlier_scores(self, X: npt.ArrayLike) -> Floats:
        """How far out each row lies in its cluster: 0 in the middle, over 1 an outlier."""
        return self._scores(self._checked(X))

    def is_outlier(self, X: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each row lies beyond its cluster's limit."""
        return self.outlier_scores(X) > 1.0

    def _checked(self, X: npt.ArrayLike) -> Floats:
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return rows

    def _assign(self, rows: Floats) -> Labels:
        labels: Labels = self.prototype_clusters_[pairwise_distances_argmin(rows, self.prototypes_)]
        return labels

    def _distances(self, rows: Floats) -> tuple[Labels, Floats]:
        """The cluster of each row, and its distance to the nearest prototype."""
        nearest, distances = pairwise_distances_argmin_min(rows, self.prototypes_)
        return self.prototype_clusters_[nearest], distances

    def _scores(self, rows: Floats) -> Floats:
        labels, distances = self._distances(rows)
        scores: Floats = distances / self.limits_[labels]
        return scores

    def _know_by(self, prototypes: Floats, clusters: Labels, centers: Floats) -> None:
        self.prototypes_, self.prototype_clusters_, self.centers_ = prototypes, clusters, centers
        self.n_clusters_ = len(centers)

    def _learn_limits(self, rows: Floats) -> None:
        labels, distances = self._distances(rows)
        limits = np.zeros(self.n_clusters_)
        for cluster in range(self.n_clusters_):
            own = distances[labels == cluster]
            if len(own):
                middle = np.median(own)
                limits[cluster] = middle + OUTLIER_REACH * 1.4826 * np.median(np.abs(own - middle))
        # rows that all lie in one point: whatever is not there is an outlier
        self.limits_ = np.maximum(limits, 1e-9)


def largest_first(labels: Labels, centers: Floats, weights: Floats | None = None) -> Labels:
    """New number of each cluster: the largest is 0; among equals the one with the smaller coordinates comes first."""
    sizes = np.bincount(labels, weights, minlength=len(centers))
    order = np.lexsort((*centers.T[::-1], -sizes))
    numbers = np.empty(len(centers), dtype=np.intp)
    numbers[order] = np.arange(len(centers))
    return numbers
