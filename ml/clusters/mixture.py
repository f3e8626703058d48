"""A mixture of normal distributions: clusters that are long, flat or of different size."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from ml.clusters.base import Clusterer, Floats, Labels, not_converged_is_fine, sample_rows
from ml.clusters.k_means import anchored_k_means, checked_start

MIXTURE_ROWS = 20_000
# Added to every variance, as a share of the mean variance: a feature that is constant in a cluster (nobody of it uses
# coupons) would have an infinite density.
SMALLEST_VARIANCE = 1e-3


# Maximization ends in whatever optimum is near, and k-means' best division need not be near the best of them: it and
# others are followed for a few rounds, the likeliest to the end, and then exchanges are tried.
STARTS = 4
FIRST_ROUNDS = 10
# An exchange unites two clusters and cuts a third; so many are tried, the most promising first, after each success.
EXCHANGES = 8
SUCCESSES = 5


class NormalMixture(Clusterer):
    """Expectation and maximization from divisions that k-means finds; full covariances.

    Parameters
    ----------
    n_clusters : int
    start : array of shape (n_clusters, n_features) or None
        Means to begin from; weights and covariances begin as those of the rows nearest to them.
    anchor : float
        The means are drawn towards `start` at the end, as if `anchor` times their rows stood there.
    fit_rows, n_init, max_iter, successes, seed : int
        `successes`: exchanges of clusters that may raise the likelihood before the fit ends.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        start: npt.ArrayLike | None = None,
        anchor: float = 0.0,
        fit_rows: int = MIXTURE_ROWS,
        n_init: int = STARTS,
        max_iter: int = 100,
        successes: int = SUCCESSES,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.start = start
        self.anchor = anchor
        self.fit_rows = fit_rows
        self.n_init = n_init
        self.max_iter = max_iter
        self.successes = successes
        self.seed = seed

    def _fit(self, rows: Floats) -> None:
        sample = sample_rows(rows, self.fit_rows, self.seed)
        start = checked_start(self.start, self.anchor, self.n_clusters, rows.shape[1])
        if start is None:
            best_first = (self.n_init, *(1 for _ in range(self.n_init - 1)))
            first = [
                self._followed(
                    sample, KMeans(self.n_clusters, n_init=starts, random_state=self.seed + one).fit(sample).labels_
                )
                for one, starts in enumerate(best_first)
            ]
            self.mixture_ = self._continued(sample, max(first, key=lambda one: float(one.lower_bound_)))
            self._exchange(sample)
            order = np.argsort(-self.mixture_.weights_, kind="stable")
            for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
                setattr(self.mixture_, name, getattr(self.mixture_, name)[order])
        else:
            labels, _ = anchored_k_means(sample, start, self.anchor)
            self.mixture_ = self._continued(sample, self._followed(sample, labels))
            self.mixture_.means_ = (self.mixture_.means_ + self.anchor * start) / (1 + self.anchor)
        # what it began from is of no use to anybody later
        self.mixture_.set_params(weights_init=None, means_init=None, precisions_init=None)
        self.n_iter_ = self.mixture_.n_iter_
        self._know_by(self.mixture_.means_, np.arange(self.n_clusters), self.mixture_.means_)
        self._learn_limits(sample)

    def _exchange(self, sample: Floats) -> None:
        """Leave an optimum in which one cluster covers two groups and two share one (Ueda et al. 2000)."""
        for _ in range(self.successes):
            for labels in exchanges(sample, self.mixture_.predict(sample), self.n_clusters):
                other = self._followed(sample, labels)
                if other.lower_bound_ > self.mixture_.lower_bound_ + 1e-4:
                    self.mixture_ = self._continued(sample, other)
                    break
            else:
                return

    def _followed(self, sample: Floats, labels: Labels) -> GaussianMixture:
        """A few rounds from the moments of a division."""
        weights, means, precisions = moments(sample, labels, self.n_clusters, smallest_variance(sample))
        return self._rounds(sample, FIRST_ROUNDS, weights, means, precisions)

    def _continued(self, sample: Floats, found: GaussianMixture) -> GaussianMixture:
        if found.converged_:
            return found
        return self._rounds(sample, self.max_iter, found.weights_, found.means_, found.precisions_)

    def _rounds(
        self, sample: Floats, rounds: int, weights: Floats, means: Floats, precisions: Floats
    ) -> GaussianMixture:
        mixture = GaussianMixture(
            self.n_clusters,
            reg_covar=smallest_variance(sample),
            max_iter=rounds,
            weights_init=weights,
            means_init=means,
            precisions_init=precisions,
            random_state=self.seed,
        )
        # to end before the last digit stands is meant
        with not_converged_is_fine():
            return mixture.fit(sample)

    def _assign(self, rows: Floats) -> Labels:
        labels: Labels = self.mixture_.predict(rows)
        return labels

    def _distances(self, rows: Floats) -> tuple[Labels, Floats]:
        """The cluster of each row, and its distance from the mean in the cluster's own standard deviations."""
        labels = self._assign(rows)
        distances = np.zeros(len(rows))
        for cluster in range(self.n_clusters):
            own = labels == cluster
            whitened = (rows[own] - self.centers_[cluster]) @ self.mixture_.precisions_cholesky_[cluster]
            distances[own] = np.sqrt((whitened**2).sum(axis=1))
        return labels, distances


def exchanges(rows: Floats, labels: Labels, count: int) -> Iterator[Labels]:
    """Divisions with two clusters united and a third cut in two across its longest axis, best hopes first."""
    smallest = smallest_variance(rows) * np.eye(rows.shape[1])

    def described(own: Floats) -> float:
        if len(own) < 2:
            return 0.0
        return -0.5 * len(own) * float(np.linalg.slogdet(np.atleast_2d(np.cov(own.T, ddof=0)) + smallest)[1])

    groups = [rows[labels == cluster] for cluster in range(count)]
    alone = [described(own) for own in groups]
    cuts, gains = [], np.full(count, -np.inf)
    for cluster, own in enumerate(groups):
        centered = own - own.mean(axis=0) if len(own) else own
        axis = np.linalg.eigh(centered.T @ centered)[1][:, -1]
        cuts.append(centered @ axis > 0)
        if len(own) > 2 * rows.shape[1]:
            gains[cluster] = described(own[cuts[-1]]) + described(own[~cuts[-1]]) - alone[cluster]
    tries = [
        (gains[third] + described(np.vstack([groups[one], groups[two]])) - alone[one] - alone[two], one, two, third)
        for one, two in combinations(range(count), 2)
        for third in range(count)
        if third not in (one, two) and np.isfinite(gains[third])
    ]
    for _, one, two, third in sorted(tries, key=lambda found: -found[0])[:EXCHANGES]:
        exchanged = np.where(labels == two, one, labels)
        exchanged[np.flatnonzero(labels == third)[cuts[third]]] = two
        yield exchanged


def smallest_variance(rows: Floats) -> float:
    """What is added to every variance of a cluster of these rows."""
    return SMALLEST_VARIANCE * max(float(rows.var(axis=0).mean()), 1e-9)


def moments(rows: Floats, labels: Labels, count: int, smallest: float) -> tuple[Floats, Floats, Floats]:
    """Shares, means and inverse covariances of clusters; one with too few rows takes the covariance of all."""
    n_features = rows.shape[1]
    weights = (np.bincount(labels, minlength=count) + 1.0) / (len(rows) + count)
    means, precisions = np.zeros((count, n_features)), np.zeros((count, n_features, n_features))
    overall = np.atleast_2d(np.cov(rows.T, ddof=0))
    for cluster in range(count):
        own = rows[labels == cluster]
        means[cluster] = own.mean(axis=0) if len(own) else rows.mean(axis=0)
        covariance = np.atleast_2d(np.cov(own.T, ddof=0)) if len(own) > n_features else overall
        lower = np.linalg.cholesky(covariance + smallest * np.eye(n_features))
        inverse = solve_triangular(lower, np.eye(n_features), lower=True)
        precisions[cluster] = inverse.T @ inverse
    return weights / weights.sum(), means, precisions
