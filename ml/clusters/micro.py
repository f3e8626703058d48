"""Many small groups of like rows: what a hierarchy is built on, and what a cluster of any shape is known by."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin

from ml.clusters.base import Floats, Labels, means_of, not_converged_is_fine, sample_rows

MICRO_CENTROIDS = 1_000
# So many rows stand behind a prototype on average ...
ROWS_EACH = 5
# ... and one with fewer than this is not kept: it would be a customer's own row.
MIN_ROWS = 3


def micro_centroids_of(rows: Floats, most: int, fit_rows: int, seed: int) -> tuple[Floats, Floats]:
    """At most `most` groups of like rows, found on a sample and weighed on all rows.

    Returns
    -------
    means : array of shape (n_groups, n_features)
        Of all rows in the group; if there are no more rows than `most`, the rows themselves.
    weights : array of shape (n_groups,)
        Rows in each group; none is empty.
    """
    if len(rows) <= most:
        return rows, np.ones(len(rows))
    sample = sample_rows(rows, fit_rows, seed)
    # Neighbors are all that is asked of them: a few rounds from random rows do, where k-means++ would take longer
    # than all the rest.
    with not_converged_is_fine():
        found = KMeans(most, init="random", n_init=1, max_iter=10, random_state=seed).fit(sample)
    nearest = found.labels_ if len(sample) == len(rows) else pairwise_distances_argmin(rows, found.cluster_centers_)
    weights = np.bincount(nearest, minlength=most).astype(np.float64)
    means = means_of(rows, nearest, most)
    return means[weights > 0], weights[weights > 0]


def prototypes_of(rows: Floats, labels: Labels, centers: Floats, most: int, seed: int) -> tuple[Floats, Labels]:
    """What each cluster is known by: means of about five rows and at least three, or its center if it has no such.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
    labels : array of shape (n_rows,), 0 to n_clusters - 1
    centers : array of shape (n_clusters, n_features)
    most : int
        Prototypes of all clusters together, shared out by size.

    Returns
    -------
    prototypes : array of shape (n_prototypes, n_features)
    clusters : array of shape (n_prototypes,)
    """
    parts = []
    for cluster, center in enumerate(centers):
        own = rows[labels == cluster]
        asked = min(len(own) // ROWS_EACH, most * len(own) // len(rows))
        part = center[None]
        if asked > 1:
            means, weights = micro_centroids_of(own, asked, len(own), seed)
            if (weights >= MIN_ROWS).any():
                part = means[weights >= MIN_ROWS]
        parts.append(part)
    return np.vstack(parts), np.repeat(np.arange(len(centers)), [len(part) for part in parts])
