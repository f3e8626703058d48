"""Many divisions of the same rows, made alike and held against each other on every criterion."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.metrics import davies_bouldin_score, pairwise_distances_argmin

from ml.clusters.algorithms import WITH_COUNT, Algorithm, clusterer
from ml.clusters.base import Floats, Labels, sample_rows
from ml.clusters.criteria import (
    distances_between,
    information_gain,
    kept_by_cluster,
    share_kept,
    silhouettes,
    structureless,
    within_squares,
)
from ml.clusters.micro import MICRO_CENTROIDS, micro_centroids_of
from ml.clusters.ward import cut, ward_merges
from ml.threads import in_processes

# The silhouette of 5,000 points is that of all to a thousandth or two, and every other figure steadier.
COMPARED_ROWS = 5_000
# Without groups there is little to find: fewer rows do.
REFERENCE_ROWS = 2_500
REFERENCES = 4
RESAMPLES = 5
# With fewer the choice is made before other processes have imported what they need.
ROWS_WORTH_PROCESSES = 1_000
# There are hundreds of refits, which need less effort each. Where there are no groups, a mixture has no best optimum
# that is worth a search.
REFIT_EFFORT = {
    "k_means": {"n_init": 3},
    "gaussian_mixture": {"n_init": 2, "successes": 1, "max_iter": 40},
}
REFERENCE_EFFORT = {
    "k_means": {"n_init": 3},
    "gaussian_mixture": {"n_init": 1, "successes": 0, "max_iter": 40},
}

Candidate = tuple[Algorithm, int | None]
Effort = Mapping[str, Mapping[str, int]]


@dataclass
class Division:
    """One way to divide the compared rows, and what was found of it."""

    algorithm: Algorithm
    asked: int | None
    labels: Labels
    criteria: dict[str, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Clusters that have rows."""
        return int(self.labels.max()) + 1


def divide(
    rows: Floats, targets: Sequence[Floats], algorithms: Iterable[Algorithm], counts: Sequence[int], seed: int,
    effort: Effort | None = None,
) -> Iterator[tuple[Candidate, list[Labels]]]:  # fmt: skip
    """Fit every algorithm with every number of clusters on `rows`, and divide each of `targets` by it.

    Yields
    ------
    candidate : algorithm and number asked for (None: the algorithm finds it)
    labels : one array for each target
    """
    for algorithm in algorithms:
        if algorithm == "ward":
            # one hierarchy for all numbers of clusters
            means, weights = micro_centroids_of(rows, MICRO_CENTROIDS, len(rows), seed)
            merges, _ = ward_merges(means, weights)
            nearest = [pairwise_distances_argmin(target, means) for target in targets]
            for count in counts:
                clusters = cut(merges, len(means), min(count, len(means)))
                yield (algorithm, count), [clusters[places] for places in nearest]
            continue
        asked: Sequence[int | None] = counts if algorithm in WITH_COUNT else (None,)
        for wanted in asked:
            model = clusterer(algorithm, wanted, seed=seed).set_params(**(effort or {}).get(algorithm, {}))
            model.fit(rows)
            yield (algorithm, wanted), [model.predict(target) for target in targets]


def compare(
    prepared: Floats, earlier: Sequence[Floats], algorithms: Sequence[Algorithm], counts: Sequence[int], seed: int
) -> list[Division]:
    """Every candidate on every criterion.

    Criteria, of which any is missing where it has no meaning: silhouette, reference_mean, reference_highest (of the
    structureless rows), davies_bouldin, within_squares, information_gain, agreement_over_dates,
    kept_over_dates, agreement_under_resampling, smallest_cluster (in rows of `prepared`).
    """
    rows = sample_rows(prepared, COMPARED_ROWS, seed)
    generator = np.random.default_rng(seed)
    halves = [rows[np.sort(generator.permutation(len(rows))[: len(rows) // 2])] for _ in range(RESAMPLES)]
    before = [sample_rows(matrix, COMPARED_ROWS, seed) for matrix in earlier]
    size = min(len(rows), REFERENCE_ROWS)
    references = [structureless(rows, size, seed + 1 + number) for number in range(REFERENCES)]
    with_count = [name for name in WITH_COUNT if name in algorithms]
    own, *others = in_processes(
        _divided,
        [
            (rows, rows, algorithms, counts, seed, None),
            *((other, rows, algorithms, counts, seed, REFIT_EFFORT) for other in (*before, *halves)),
            *((one, one, with_count, counts, seed, REFERENCE_EFFORT) for one in references),
        ],
        worth_it=len(rows) >= ROWS_WORTH_PROCESSES,
    )
    again = others[: len(before) + RESAMPLES]
    divisions = {
        candidate: Division(*candidate, np.unique(labels, return_inverse=True)[1]) for candidate, labels in own.items()
    }
    found = list(divisions.values())
    for one, silhouette in zip(found, silhouettes(distances_between(rows), [one.labels for one in found]), strict=True):
        if one.count > 1:
            one.criteria["silhouette"] = silhouette
            one.criteria["davies_bouldin"] = float(davies_bouldin_score(rows, one.labels))
        one.criteria["within_squares"] = within_squares(rows, one.labels)
        one.criteria["information_gain"] = information_gain(rows, one.labels)
        # a cluster asked for that nobody is in is the smallest there can be
        fewest = 0 if one.count < (one.asked or 0) else np.bincount(one.labels).min()
        smallest = fewest / len(rows) * len(prepared)
        one.criteria["smallest_cluster"] = float(np.floor(smallest + 1e-9))
    _against_references(divisions, references, others[len(again) :])
    _against_refits(divisions, "agreement_under_resampling", again[len(before) :])
    _against_refits(divisions, "agreement_over_dates", again[: len(before)])
    return found


def _divided(
    rows: Floats, target: Floats, algorithms: Sequence[Algorithm], counts: Sequence[int], seed: int,
    effort: Effort | None,
) -> dict[Candidate, Labels]:  # fmt: skip
    """`target` as each candidate divides it that was fitted on `rows`."""
    return {candidate: labels for candidate, (labels,) in divide(rows, [target], algorithms, counts, seed, effort)}


def _against_references(
    divisions: dict[Candidate, Division], references: Sequence[Floats], divided: Sequence[dict[Candidate, Labels]]
) -> None:
    drawn: dict[Candidate, list[float]] = {candidate: [] for candidate in divisions}
    for reference, found in zip(references, divided, strict=True):
        labels = {candidate: np.unique(one, return_inverse=True)[1] for candidate, one in found.items()}
        values = dict(zip(labels, silhouettes(distances_between(reference), list(labels.values())), strict=True))
        for candidate, division in divisions.items():
            if candidate in values:
                drawn[candidate].append(values[candidate])
            elif ("k_means", division.count) in values:
                # dense regions: structureless rows have one, which has no silhouette; k-means finds the most there is
                drawn[candidate].append(values["k_means", division.count])
    for candidate, values_drawn in drawn.items():
        if values_drawn:
            divisions[candidate].criteria["reference_mean"] = float(np.mean(values_drawn))
            divisions[candidate].criteria["reference_highest"] = float(max(values_drawn))


def _against_refits(
    divisions: dict[Candidate, Division], name: str, divided: Sequence[dict[Candidate, Labels]]
) -> None:
    kept: dict[Candidate, list[Floats]] = {candidate: [] for candidate in divisions}
    shares: dict[Candidate, list[float]] = {candidate: [] for candidate in divisions}
    for found in divided:
        for candidate, labels in found.items():
            if candidate in divisions:
                own = divisions[candidate]
                kept[candidate].append(kept_by_cluster(own.labels, labels, own.count))
                shares[candidate].append(share_kept(own.labels, labels, own.count))
    for candidate, division in divisions.items():
        if kept[candidate]:
            # the worst cluster of each refit: one that is cut at random hides behind others that are clear
            division.criteria[name] = float(np.median([one.min() for one in kept[candidate]]))
            if name == "agreement_over_dates":
                division.criteria["kept_over_dates"] = float(np.mean(shares[candidate]))


def as_rows(divisions: Sequence[Division]) -> pd.DataFrame:
    """One row a division: algorithm, cluster_count and its criteria."""
    return pd.DataFrame(
        [{"algorithm": one.algorithm, "cluster_count": one.asked or one.count, **one.criteria} for one in divisions]
    )
