"""Which algorithm, and how many clusters: every candidate on every criterion, limits, one weighting, one answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.algorithms import WITH_COUNT, Algorithm
from ml.clusters.base import Floats
from ml.clusters.comparison import as_rows, compare
from ml.clusters.criteria import elbow
from ml.threads import one_thread

CLUSTER_COUNTS = tuple(range(2, 13))
COMPARED: tuple[Algorithm, ...] = ("k_means", "ward", "gaussian_mixture", "hdbscan")

# Below a half a cluster is not found again but made anew: one that is cut in two at random keeps a half (Hennig 2007
# calls such a cluster dissolved).
MIN_AGREEMENT = 0.5
# What each criterion weighs, all of them scaled from 0 to 1 (see `_scaled`); those that are missing (no earlier dates)
# leave the others their shares. The gain in information leads because it alone finds planted clusters of any shape;
# where rows form a continuum it is 0 for every honest candidate, and agreement decides.
WEIGHTS = {
    "information_gain": 4.0,
    "agreement_over_dates": 2.0,
    "agreement_under_resampling": 1.0,
    "silhouette": 1.0,
    "davies_bouldin": 1.0,
    "elbow": 1.0,
}
# Bits a row by which a candidate may fall behind the best one before its share is halved.
HALVING_BITS = 0.05
# An advance in silhouette over structureless rows that earns the full share.
FULL_ADVANCE = 0.25
# Groups are natural where the silhouette of k-means is above that of every structureless draw by this, and by more than
# the draws differ. Features are never quite normal, so a small advance says only that.
NATURAL_ADVANCE = 0.05
# A division that stands is kept unless another one's score (0 to 1) is better by more than this.
KEEP_MARGIN = 0.05


@dataclass(frozen=True)
class Choice:
    """The chosen division and all that was considered.

    Attributes
    ----------
    algorithm : str
    n_clusters : int
        1 if no candidate has only clusters above the floor.
    is_natural : bool
        Whether these are groups; if not, they are a convenient slicing of a continuum.
    reason : str
        One sentence: what decided.
    comparison : DataFrame with algorithm, cluster_count, criterion, value, is_chosen
        Every criterion of every candidate, with `score` and `is_within_limits` (0 or 1) among the criteria.
    scores : DataFrame
        The same, one row a candidate: algorithm, cluster_count, the criteria, `scaled_<criterion>` for those that
        weigh, failed_limit (null if none), score, is_chosen.
    """

    algorithm: Algorithm
    n_clusters: int
    is_natural: bool
    reason: str
    comparison: pd.DataFrame
    scores: pd.DataFrame


def choose(
    prepared: npt.ArrayLike,
    earlier: Sequence[npt.ArrayLike] = (),
    *,
    floor: int,
    algorithms: Sequence[Algorithm] = COMPARED,
    cluster_counts: Sequence[int] = CLUSTER_COUNTS,
    current: tuple[Algorithm, int] | None = None,
    keep_margin: float = KEEP_MARGIN,
    seed: int = 0,
) -> Choice:
    """Compare the algorithms with every number of clusters and take the best within the limits.

    Limits: the smallest cluster has `floor` rows; the worst cluster agrees by `MIN_AGREEMENT` between refits, over
    dates and under resampling; the silhouette is not below that of structureless rows of the same covariance. The
    best weighted mean of the scaled criteria wins (`WEIGHTS`); of equal ones the first algorithm and the fewest
    clusters. Without any candidate within all limits, the one that agrees most is taken from those above the floor.

    Parameters
    ----------
    prepared : array of shape (n_rows, n_features)
        Rows without gaps, in an order that does not change from run to run (by key).
    earlier : arrays of shape (n_rows_then, n_features)
        The same preparation applied to the features of earlier dates, newest first.
    floor : int
        Least rows in a cluster.
    algorithms, cluster_counts : what to compare
        "hdbscan" and "dbscan" enter with the number that they find.
    current : algorithm and number of clusters that stand, or None
    keep_margin : float
        By how much another score must be better before what stands is given up.
    seed : int

    Raises
    ------
    ValueError
        If a matrix is empty or has gaps, or its columns differ in number.
    """
    rows = _checked(prepared, None)
    before = [_checked(matrix, rows.shape[1]) for matrix in earlier]
    # a division of hardly more points than clusters says nothing
    distinct = len(np.unique(rows[: 4 * max(cluster_counts) * 50], axis=0))
    counts = [count for count in cluster_counts if distinct >= 4 * count]
    with one_thread():
        divisions = compare(rows, before, algorithms, counts, seed) if counts else []
    scores = score(as_rows(divisions), floor)
    chosen, reason = _decide(scores, current, keep_margin)
    scores["is_chosen"] = scores.index == chosen
    long = _long(scores)
    if chosen is None:
        return Choice("k_means", 1, False, reason, long, scores)
    algorithm, count, is_natural = (
        scores[name].tolist()[chosen] for name in ("algorithm", "cluster_count", "is_natural")
    )
    return Choice(algorithm, count, is_natural, reason, long, scores)


def _checked(matrix: npt.ArrayLike, columns: int | None) -> Floats:
    rows = np.asarray(matrix, dtype=np.float64)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise ValueError(f"a prepared matrix has rows, columns and no gaps; this one has the shape {rows.shape}")
    if columns is not None and rows.shape[1] != columns:
        raise ValueError(f"an earlier matrix has {rows.shape[1]} columns, the current one {columns}")
    return rows


def score(candidates: pd.DataFrame, floor: int) -> pd.DataFrame:
    """Add limits, scaled criteria and the score to a wide comparison.

    Parameters
    ----------
    candidates : DataFrame with algorithm, cluster_count and the criteria of `ml.clusters.comparison.compare`
    floor : int
    """
    names = [name for name in WEIGHTS if name != "elbow"]
    wide = candidates.reindex(
        columns=[*dict.fromkeys([*_COLUMNS, *names, *candidates.columns])]
    ).reset_index(drop=True)  # fmt: skip
    wide["failed_limit"] = _failed_limits(wide, floor)
    wide["is_natural"] = _are_natural(wide)
    scaled = _scaled(wide)
    shares = scaled.notna() * pd.Series(WEIGHTS)
    wide[[f"scaled_{name}" for name in WEIGHTS]] = scaled[list(WEIGHTS)].to_numpy()
    total = shares.sum(axis=1)
    wide["score"] = ((scaled.fillna(0.0) * shares).sum(axis=1) / total.where(total > 0)).fillna(0.0)
    return wide


_COLUMNS = (
    "algorithm",
    "cluster_count",
    "smallest_cluster",
    "silhouette",
    "reference_mean",
    "reference_highest",
    "davies_bouldin",
    "within_squares",
    "information_gain",
    "agreement_over_dates",
    "kept_over_dates",
    "agreement_under_resampling",
)


def _failed_limits(wide: pd.DataFrame, floor: int) -> pd.Series:
    """The first limit that each candidate fails, null if it keeps all."""
    agreement = wide[["agreement_over_dates", "agreement_under_resampling"]].min(axis=1)
    failed = pd.Series(None, index=wide.index, dtype=object)
    # the first limit is told: it is written last
    failed[wide["silhouette"] < wide["reference_mean"]] = "structureless"
    failed[agreement < MIN_AGREEMENT] = "agreement"
    failed[wide["smallest_cluster"] < floor] = "floor"
    failed[wide["cluster_count"] < 2] = "one cluster"
    return failed


def _are_natural(wide: pd.DataFrame) -> pd.Series:
    """Whether each division is of groups that lie apart.

    Its silhouette must be above that of structureless rows, and k-means with the same number must be clearly so:
    a mixture puts a dense core and its tails apart, which lie around each other, and gets a high silhouette for it.
    """
    advance = wide["silhouette"] - wide["reference_highest"]
    spread = wide["reference_highest"] - wide["reference_mean"]
    is_clear = advance > np.maximum(NATURAL_ADVANCE, spread)
    by_distance = wide["algorithm"] == "k_means"
    clear_counts = wide.loc[by_distance & is_clear, "cluster_count"]
    known_counts = wide.loc[by_distance, "cluster_count"]
    # more clusters than k-means was asked for: the division must be clear itself
    is_apart = wide["cluster_count"].isin(clear_counts) | (~wide["cluster_count"].isin(known_counts) & is_clear)
    return is_apart & (advance > spread)


def _scaled(wide: pd.DataFrame) -> pd.DataFrame:
    """Every criterion that weighs, from 0 (speaks against) to 1; null where it is missing."""
    is_within = wide["failed_limit"].isna()
    gain = wide["information_gain"]
    best = float(gain[is_within].max()) if is_within.any() else np.nan
    divided = wide[wide["cluster_count"] > 1]
    # the lowest sum of squares that any algorithm reaches: one curve, one bend
    lowest = divided.groupby("cluster_count")["within_squares"].min()
    nearness = elbow(dict(zip(lowest.index, lowest, strict=True)))
    return pd.DataFrame(
        {
            "information_gain": (0.5 ** ((best - gain) / HALVING_BITS)).clip(upper=1.0).where(gain > 0, 0.0)
            if np.isfinite(best)
            else gain * np.nan,
            "agreement_over_dates": wide["agreement_over_dates"],
            "agreement_under_resampling": wide["agreement_under_resampling"],
            "silhouette": ((wide["silhouette"] - wide["reference_mean"]) / FULL_ADVANCE).clip(0.0, 1.0),
            "davies_bouldin": 1.0 / (1.0 + wide["davies_bouldin"]),
            "elbow": wide["cluster_count"].map(nearness).astype(np.float64),
        }
    )


def _decide(scores: pd.DataFrame, current: tuple[Algorithm, int] | None, keep_margin: float) -> tuple[int | None, str]:
    """Index of the chosen row, and why."""
    above_floor = scores[~scores["failed_limit"].isin(["one cluster", "floor"])]
    if above_floor.empty:
        return None, "every division has a cluster below the floor: all customers are one group"
    within = scores[scores["failed_limit"].isna()]
    if within.empty:
        agreement = above_floor[["agreement_over_dates", "agreement_under_resampling"]].min(axis=1)
        return _highest(agreement), "none is within all limits: the one that agrees most"
    best = _highest(within["score"])
    if current is not None:
        is_current = within["algorithm"] == current[0]
        if current[0] in WITH_COUNT:
            is_current &= within["cluster_count"] == current[1]
        if is_current.any():
            standing = _highest(within.loc[is_current, "score"])
            ahead = float(scores["score"].to_numpy()[best] - scores["score"].to_numpy()[standing])
            if ahead <= keep_margin:
                return standing, f"it stands, and the best other score is ahead by {ahead:.3f}, not {keep_margin:g}"
    return best, f"the best score within the limits: {within['score'].max():.3f}"


def _highest(values: pd.Series) -> int:
    """Place of the highest value; the first of equal ones."""
    return int(values.index.to_numpy()[values.fillna(-1.0).to_numpy().argmax()])


def _long(scores: pd.DataFrame) -> pd.DataFrame:
    """algorithm, cluster_count, criterion, value, is_chosen; criteria that a candidate lacks have no row."""
    figures = scores.assign(
        is_within_limits=scores["failed_limit"].isna().astype(float), is_natural=scores["is_natural"].astype(float)
    ).drop(columns="failed_limit")
    keys = ["algorithm", "cluster_count", "is_chosen"]
    long = figures.melt(id_vars=keys, var_name="criterion", value_name="value").dropna(subset="value")
    long["value"] = long["value"].astype(float).round(6)
    return long[["algorithm", "cluster_count", "criterion", "value", "is_chosen"]].reset_index(drop=True)
