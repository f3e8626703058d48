"""What speaks for a division: tightness, distance, shape, and whether it comes out again. Numbers in, numbers out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.metrics import pairwise_distances
from sklearn.metrics.cluster import contingency_matrix

from ml.clusters.base import Floats, Labels, means_of
from ml.clusters.mixture import smallest_variance

Distances = npt.NDArray[np.float32]


def distances_between(rows: Floats) -> Distances:
    """All Euclidean distances, shape (n_rows, n_rows): 100 MB for 5,000 rows."""
    distances: Distances = pairwise_distances(rows.astype(np.float32))
    np.fill_diagonal(distances, 0.0)
    return distances


def silhouettes(distances: Distances, divisions: Sequence[Labels]) -> list[float]:
    """Mean silhouette (Rousseeuw 1987) of many divisions of the same rows, by one product of matrices.

    Parameters
    ----------
    distances : array of shape (n_rows, n_rows)
    divisions : arrays of shape (n_rows,), clusters 0 to n - 1, none empty

    Returns
    -------
    list of float
        -1 to 1; 0 for a division into one.
    """
    indicators = [np.eye(int(labels.max()) + 1, dtype=np.float32)[labels] for labels in divisions]
    sums = distances @ np.hstack(indicators)
    found, first = [], 0
    for labels, indicator in zip(divisions, indicators, strict=True):
        count = indicator.shape[1]
        own_sums = sums[:, first : first + count].astype(np.float64)
        first += count
        sizes = indicator.sum(axis=0).astype(np.float64)
        if count < 2:
            found.append(0.0)
            continue
        places = np.arange(len(labels))
        inside = own_sums[places, labels] / np.maximum(sizes[labels] - 1, 1)
        others = own_sums / np.maximum(sizes, 1)
        others[places, labels] = np.inf
        outside = others.min(axis=1)
        widest = np.maximum(inside, outside)
        values = np.divide(outside - inside, widest, out=np.zeros(len(labels)), where=widest > 0)
        found.append(float(np.where(sizes[labels] > 1, values, 0.0).mean()))
    return found


def structureless(rows: Floats, size: int, seed: int) -> Floats:
    """So many rows without any groups: normal, with the means and covariances of these."""
    generator = np.random.default_rng(seed)
    covariance = np.atleast_2d(np.cov(rows.T, ddof=0))
    drawn: Floats = generator.multivariate_normal(rows.mean(axis=0), covariance, size, method="eigh")
    return drawn


def within_squares(rows: Floats, labels: Labels) -> float:
    """Sum of squared distances of rows to the mean of their cluster (WCSS)."""
    count = int(labels.max()) + 1
    return float(((rows - means_of(rows, labels, count)[labels]) ** 2).sum())


def elbow(squares: Mapping[int, float]) -> dict[int, float]:
    """How near each number of clusters is to the bend of the sum of squares: 1 at the bend, 0 at the ends.

    The depth of the curve below the line between its ends, as a share of the greatest (Satopaa et al. 2011,
    "Kneedle"). Empty if there are fewer than three numbers or no bend.
    """
    counts = sorted(squares)
    if len(counts) < 3:
        return {}
    values = np.array([squares[count] for count in counts])
    depth = np.interp(counts, [counts[0], counts[-1]], [values[0], values[-1]]) - values
    if depth.max() <= 0:
        return {}
    return {count: float(value) for count, value in zip(counts, np.maximum(depth / depth.max(), 0.0), strict=True)}


def information_gain(rows: Floats, labels: Labels) -> float:
    """Bits a row saved by describing each cluster by a normal distribution of its own, instead of all by one.

    Likelihood less Schwarz's price of the parameters: it grows only while a further cluster saves more than it costs,
    asks nothing of the algorithm, and takes long, flat and unequal clusters for what they are, which silhouette and
    squares take for bad ones. Each cluster is described by whichever shape is cheapest for it: round, along the axes,
    or any; a small one cannot pay for any.

    The likelihood is that of the mixture, which lets clusters overlap, but only if the clusters can be told apart at
    all: if it does not even pay to say of each row where it belongs (the classification likelihood of Biernacki,
    Celeux and Govaert 2000), that loss is the answer. Slices of a continuum always have one.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    labels : array of shape (n_rows,), clusters 0 to n - 1, none empty
    """
    count, n_rows = int(labels.max()) + 1, len(rows)
    smallest = smallest_variance(rows)
    one_price, one_cloud = _described(rows, n_rows, smallest)
    price, log_densities = -one_price, np.empty((n_rows, count))
    for cluster in range(count):
        own = rows[labels == cluster]
        own_price, normal = _described(own, n_rows, smallest)
        price += own_price
        log_densities[:, cluster] = normal.logpdf(rows) + np.log(len(own) / n_rows)
    # the shares of all clusters but one
    price += 0.5 * np.log(n_rows) * (count - 1)
    alone = float(one_cloud.logpdf(rows).sum()) + price
    told_apart = float(log_densities[np.arange(n_rows), labels].sum()) - alone
    mixed = float(logsumexp(log_densities, axis=1).sum()) - alone
    return float((mixed if told_apart > 0 else told_apart) / n_rows / np.log(2))


def _described(own: Floats, n_rows: int, smallest: float) -> tuple[float, Any]:
    """Price of the parameters and the normal distribution of the shape that is cheapest for these rows."""
    n_features = own.shape[1]
    covariance = np.atleast_2d(np.cov(own.T, ddof=0)) + smallest * np.eye(n_features)
    variances = np.diag(covariance)
    shapes = [variances.mean() * np.eye(n_features), np.diag(variances), covariance]
    parameters = n_features + np.array([1, n_features, n_features * (n_features + 1) / 2])
    costs = 0.5 * np.log(n_rows) * parameters
    lengths = [0.5 * len(own) * np.linalg.slogdet(shape)[1] for shape in shapes]
    cheapest = int((np.array(lengths) + costs).argmin())
    return float(costs[cheapest]), multivariate_normal(own.mean(axis=0), shapes[cheapest])


def kept_by_cluster(old: Labels, new: Labels, count: int) -> Floats:
    """How far each cluster comes out again: common members over all members of it and its counterpart (Jaccard).

    Counterparts are assigned so that as many rows as possible keep their cluster. A cluster that is cut in two, or
    united with another of its size, keeps a half; one without a counterpart keeps 0 (Hennig 2007).

    Parameters
    ----------
    old, new : arrays of shape (n_rows,)
        Two divisions of the same rows.
    count : int
        Clusters of the old one.

    Returns
    -------
    array of shape (count,)
    """
    table = _table(old, new, count)
    pairs = linear_sum_assignment(-table)
    either = table.sum(axis=1)[pairs[0]] + table.sum(axis=0)[pairs[1]] - table[pairs]
    kept = np.zeros(count)
    kept[pairs[0]] = np.divide(table[pairs], either, out=np.zeros(len(either)), where=either > 0)
    return kept


def share_kept(old: Labels, new: Labels, count: int) -> float:
    """Share of rows that keep their cluster when the two divisions are matched by optimal assignment."""
    table = _table(old, new, count)
    return float(table[linear_sum_assignment(-table)].sum() / len(old))


def _table(old: Labels, new: Labels, count: int) -> Floats:
    small = contingency_matrix(old, new).astype(np.float64)
    table = np.zeros((count, small.shape[1]))
    table[np.unique(old)] = small
    return table
