"""Groups of customers who shop alike, as many as two halves of the customers agree on."""

import datetime
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.impute import SimpleImputer
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PowerTransformer

from ml.catalogue import read_catalogue
from ml.frames import (
    as_days,
    content_hash,
    dates_out,
    feature_matrix,
    in_key_order,
    model_version,
    require_columns,
    schema_hash,
)
from ml.naming import describe_cluster, name_clusters
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]

MODEL_NAME = "shopping_clusters"
KEYS = ("customer_id", "as_of_date")
FEATURES = read_catalogue().numbers_of(MODEL_NAME)
# Described in the profiles but not clustered on: spend and range follow from activity and basket and would count them
# twice; with the share of shelf discounts, which hardly differs between customers, halves agreed less.
DESCRIBED = ("spend_90d", "total_spend", "category_count", "retail_discount_share")

# A feature that is constant within the clusters but not between them has an infinite effect.
MAX_EFFECT = 10.0

CLUSTER_COUNTS = tuple(range(2, 11))
# Customers form a continuum, and then the silhouette always says two. What a marketer needs is the finest division
# that is not an accident of who happened to be in the data: with centers from another half of the customers at least
# seven in ten pairs of every cluster must stay together. A real group that is cut in two at random keeps about half.
MIN_AGREEMENT = 0.7
HALVINGS = 12
# Larger shops are divided on a sample and everybody is assigned: the same centers at a tenth of the time.
FIT_ROWS = 50_000
SELECTION_ROWS = 10_000
SILHOUETTE_ROWS = 2_000
SEED = 0


@dataclass(frozen=True)
class Clustering:
    """A fitted division of the customers, ready for the tables.

    Attributes
    ----------
    pipeline : Pipeline or None
        Fill, de-skew, scale and k-means in one; None if there were too few customers to divide.
    cluster_keys : tuple of str
        Key of the cluster for each label of `pipeline`: "1" is the one that spent most in 90 days.
    names, descriptions : dict
        By cluster key.
    clusters : DataFrame
        One row a cluster: cluster_key, cluster_name, cluster_description, member_count.
    assignments : DataFrame
        Rows of ``ml.customer_clusters`` without run_id.
    profiles : DataFrame
        Rows of ``ml.cluster_profiles`` without run_id.
    selection : DataFrame
        Rows of ``ml.cluster_selection`` without run_id: every criterion for every number of clusters.
    positions : DataFrame
        cluster_key and two coordinates (x, y) a customer, for the map.
    """

    model_version: str
    trained_through: datetime.date
    pipeline: Pipeline | None
    cluster_keys: tuple[str, ...]
    names: dict[str, str]
    descriptions: dict[str, str]
    clusters: pd.DataFrame
    assignments: pd.DataFrame
    profiles: pd.DataFrame
    selection: pd.DataFrame
    parameters: dict[str, Any]
    positions: pd.DataFrame

    @property
    def model_name(self) -> str:
        """Name of the clustering in every table."""
        return MODEL_NAME

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features that customers are divided by."""
        return FEATURES

    def version_row(self, artifact_sha256: str | None) -> pd.DataFrame:
        """The row of ``ml.model_versions`` without run_id."""
        return pd.DataFrame(
            [
                {
                    "model_name": MODEL_NAME,
                    "model_version": self.model_version,
                    "algorithm": "k-means" if self.pipeline is not None else "one group",
                    "trained_through": self.trained_through,
                    "feature_names": json.dumps(FEATURES),
                    "feature_schema_hash": schema_hash(FEATURES, ()),
                    "parameters": json.dumps(self.parameters, sort_keys=True),
                    "artifact_sha256": artifact_sha256,
                }
            ]
        )

    def plots(self) -> dict[str, bytes]:
        """PNG images: ``profiles`` (what sets each cluster apart), ``map`` and ``selection``."""
        from ml import plots

        if self.pipeline is None:
            return {}
        return {
            "profiles": plots.cluster_profiles(self.profiles),
            "map": plots.cluster_map(self.positions, self.names),
            "selection": plots.cluster_selection(self.selection, MIN_AGREEMENT),
        }


def _preparation() -> Pipeline:
    """Medians for nulls, then Yeo-Johnson: as near to normal as a power takes it, mean 0, standard deviation 1."""
    return Pipeline(
        [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("deskew", PowerTransformer())]
    )


def _k_means(cluster_count: int, starts: int = 10) -> KMeans:
    return KMeans(cluster_count, n_init=starts, random_state=SEED)


def _sample(rows: Floats, size: int, seed: int) -> Floats:
    if len(rows) <= size:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size, replace=False)
    return rows[np.sort(chosen)]


def agreement_of_halves(rows: Floats, cluster_count: int, halvings: int) -> float:
    """How surely customers who are together stay together when another half of the customers makes the centers.

    The prediction strength of Tibshirani and Walther (2005): each half is clustered alone, then one half is divided
    by the centers of the other. Of the pairs that share a cluster of their own half, the share that the other half's
    centers keep together is taken, for the cluster where it is worst. The mean over random halvings; 1 = always.
    """
    strengths = []
    generator = np.random.default_rng(SEED)
    for _ in range(halvings):
        order = generator.permutation(len(rows))
        first, second = rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]
        # two dozen fits for each number of clusters: a few starts each must do
        other, own = _k_means(cluster_count, 3).fit(first), _k_means(cluster_count, 3).fit(second)
        table = contingency_matrix(own.labels_, other.predict(second)).astype(np.float64)
        members = table.sum(axis=1)
        pairs = members * (members - 1)
        kept = (table * (table - 1)).sum(axis=1)
        strengths.append(float(np.divide(kept, pairs, out=np.zeros(len(pairs)), where=pairs > 0).min()))
    return float(np.mean(strengths))


def choose_cluster_count(
    rows: Floats, min_members: int, cluster_counts: tuple[int, ...] = CLUSTER_COUNTS
) -> tuple[int, pd.DataFrame]:
    """The largest number of clusters on which halves agree and whose smallest cluster is not too small.

    If the halves agree on none, the number with the highest agreement is taken; if every number has a cluster
    smaller than `min_members`, 1.

    Returns
    -------
    cluster_count : int
    comparison : DataFrame with cluster_count, criterion, value
        Criteria: agreement_of_halves, smallest_cluster, silhouette, calinski_harabasz.
    """
    sample = _sample(rows, SELECTION_ROWS, SEED)
    scale = len(rows) / len(sample)
    found: dict[int, dict[str, float]] = {}
    for count in cluster_counts:
        # both halves need enough different customers to be divided
        if len(np.unique(sample, axis=0)) < 4 * count:
            break
        labels = _k_means(count).fit(sample).labels_
        found[count] = {
            "agreement_of_halves": agreement_of_halves(sample, count, HALVINGS),
            "smallest_cluster": float(np.floor(np.bincount(labels, minlength=count).min() * scale)),
            "silhouette": float(
                silhouette_score(sample, labels, sample_size=min(SILHOUETTE_ROWS, len(sample)), random_state=SEED)
            ),
            "calinski_harabasz": float(calinski_harabasz_score(sample, labels)),
        }
    large_enough = {count: figures for count, figures in found.items() if figures["smallest_cluster"] >= min_members}
    agreed = [count for count, figures in large_enough.items() if figures["agreement_of_halves"] >= MIN_AGREEMENT]
    if agreed:
        chosen = max(agreed)
    elif large_enough:
        chosen = max(large_enough, key=lambda count: large_enough[count]["agreement_of_halves"])
    else:
        chosen = 1
    comparison = pd.DataFrame(
        [
            {"cluster_count": count, "criterion": criterion, "value": round(value, 6)}
            for count, figures in found.items()
            for criterion, value in figures.items()
        ],
        columns=["cluster_count", "criterion", "value"],
    )
    return chosen, comparison


def fit(features: pd.DataFrame, min_members: int = 50) -> Clustering:
    """Divide the customers of one as-of date, choose how finely, and name the groups.

    Parameters
    ----------
    features : DataFrame with `KEYS`, `FEATURES` and `DESCRIBED`, one row per customer, one as-of date
    min_members : int
        No group smaller than this. In a small sample the floor is a tenth of the customers instead.

    Raises
    ------
    MissingColumnsError
        If a key or a feature is not there.
    ValueError
        If there is no row, more than one as-of date, or a customer twice.

    Examples
    --------
    >>> clustering = fit(features)  # doctest: +SKIP
    >>> clustering.clusters[["cluster_name", "member_count"]]  # doctest: +SKIP
    """
    require_columns(features, [*KEYS, *FEATURES, *DESCRIBED], "the clustering features")
    rows = in_key_order(
        features.assign(as_of_date=as_days(features["as_of_date"])), ("customer_id",), "the clustering features"
    )
    if rows["as_of_date"].nunique() != 1:
        raise ValueError(f"clusters are made at one as-of date, not at {rows['as_of_date'].nunique()}")
    as_of_date = rows["as_of_date"].iloc[0].date()
    matrix = feature_matrix(rows, FEATURES, (), "the clustering features")
    floor = max(1, min(min_members, len(rows) // 10))

    with one_thread():
        preparation = _preparation().fit(matrix)
        prepared: Floats = preparation.transform(matrix)
        cluster_count, comparison = choose_cluster_count(prepared, floor)
        pipeline, labels = None, np.zeros(len(rows), dtype=np.intp)
        if cluster_count > 1:
            k_means = _k_means(cluster_count).fit(_sample(prepared, FIT_ROWS, SEED))
            # labels_ are the training customers: they have no place in an artifact
            del k_means.labels_
            pipeline = Pipeline([*preparation.steps, ("k_means", k_means)])
            labels = pipeline.predict(matrix)

    cluster_keys = _keys_by_spend(labels, rows["spend_90d"], cluster_count)
    keys = np.asarray(cluster_keys, dtype=object)[labels]
    profiles = _profiles(rows, keys, cluster_keys)
    effects = profiles.pivot(index="cluster_key", columns="feature", values="effect_size")
    ordered = sorted(cluster_keys, key=int)
    names = dict(zip(ordered, name_clusters(effects.loc[ordered]), strict=True))
    means = profiles.pivot(index="feature", columns="cluster_key", values="cluster_mean")
    overall = profiles.drop_duplicates("feature").set_index("feature")["overall_mean"]
    sizes = {key: int((keys == key).sum()) for key in ordered}
    descriptions = {key: describe_cluster(means[key], overall, sizes[key], len(rows)) for key in ordered}

    trained_through = as_of_date - datetime.timedelta(days=1)
    version = model_version(
        MODEL_NAME, trained_through, floor, MIN_AGREEMENT, schema_hash(FEATURES, ()), content_hash(matrix)
    )
    stamp = {"model_name": MODEL_NAME, "model_version": version, "as_of_date": as_of_date}
    return Clustering(
        model_version=version,
        trained_through=trained_through,
        pipeline=pipeline,
        cluster_keys=cluster_keys,
        names=names,
        descriptions=descriptions,
        clusters=pd.DataFrame(
            {
                "cluster_key": ordered,
                "cluster_name": [names[key] for key in ordered],
                "cluster_description": [descriptions[key] for key in ordered],
                "member_count": [sizes[key] for key in ordered],
            }
        ),
        assignments=_assignment_rows(rows, keys, names, version),
        profiles=profiles.assign(**stamp, cluster_name=profiles["cluster_key"].map(names))[
            [
                "model_name",
                "model_version",
                "as_of_date",
                "cluster_key",
                "cluster_name",
                "member_count",
                "feature",
                "cluster_mean",
                "overall_mean",
                "effect_size",
            ]
        ],
        selection=comparison.assign(**stamp, is_chosen=comparison["cluster_count"] == cluster_count)[
            ["model_name", "model_version", "as_of_date", "cluster_count", "criterion", "value", "is_chosen"]
        ],
        parameters={
            "cluster_count": cluster_count,
            "criterion": f"largest count with agreement_of_halves >= {MIN_AGREEMENT} and smallest_cluster >= {floor}",
            "halvings": HALVINGS,
            "customers": len(rows),
            "clusters": {key: {"name": names[key], "description": descriptions[key]} for key in ordered},
        },
        positions=_positions(prepared, keys),
    )


def _keys_by_spend(labels: npt.NDArray[np.intp], spend: pd.Series, cluster_count: int) -> tuple[str, ...]:
    """Key of each label: "1" for the highest mean spend, so that keys do not depend on how k-means numbered."""
    means = spend.astype(float).groupby(labels).mean().reindex(range(cluster_count))
    places = means.fillna(-np.inf).rank(ascending=False, method="first").astype(int)
    return tuple(str(place) for place in places)


def _profiles(rows: pd.DataFrame, keys: npt.NDArray[np.object_], cluster_keys: tuple[str, ...]) -> pd.DataFrame:
    """Means in the features' own units, and the effect sizes on the de-skewed scale.

    effect_size is Cohen's d: mean of the members less mean of all others, in pooled standard deviations, between
    -10 and 10.
    """
    matrix = feature_matrix(rows, (*FEATURES, *DESCRIBED), (), "the clustering features")
    prepared = pd.DataFrame(_preparation().fit_transform(matrix), columns=matrix.columns)
    parts = []
    for key in sorted(cluster_keys, key=int):
        inside = keys == key
        own, others = prepared[inside], prepared[~inside]
        pooled = np.sqrt(
            (own.var(ddof=0) * len(own) + others.var(ddof=0) * len(others)).div(len(prepared))
            if len(others)
            else own.var(ddof=0)
        )
        difference = own.mean() - others.mean() if len(others) else own.mean() * 0
        parts.append(
            pd.DataFrame(
                {
                    "cluster_key": key,
                    "member_count": int(inside.sum()),
                    "feature": matrix.columns,
                    "cluster_mean": matrix[inside].mean().round(6).to_numpy(),
                    "overall_mean": matrix.mean().round(6).to_numpy(),
                    "effect_size": (difference / pooled.clip(lower=1e-9))
                    .clip(-MAX_EFFECT, MAX_EFFECT)
                    .round(6)
                    .to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _positions(prepared: Floats, keys: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Customers on the plane of the two directions in which they differ most."""
    centered = prepared - prepared.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    plane = directions[:, ::-1][:, :2]
    # the sign of an eigenvector is arbitrary: its largest entry is made positive
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    places = centered @ plane
    return pd.DataFrame({"cluster_key": keys, "x": places[:, 0], "y": places[:, 1]})


def _assignment_rows(
    rows: pd.DataFrame, keys: npt.NDArray[np.object_], names: dict[str, str], version: str
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "as_of_date": dates_out(rows["as_of_date"]),
            "model_name": MODEL_NAME,
            "model_version": version,
            "cluster_key": keys,
            "cluster_name": [names[key] for key in keys],
        }
    )


def assign(clustering: Clustering, features: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``ml.customer_clusters`` without run_id for other customers or dates, by the centers already found.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`, one row per customer and as-of date
    """
    require_columns(features, [*KEYS, *FEATURES], "the clustering features")
    rows = in_key_order(
        features.assign(as_of_date=as_days(features["as_of_date"])),
        ("as_of_date", "customer_id"),
        "the clustering features",
    )
    matrix = feature_matrix(rows, FEATURES, (), "the clustering features")
    labels = np.zeros(len(rows), dtype=np.intp)
    if clustering.pipeline is not None and len(rows):
        with one_thread():
            labels = clustering.pipeline.predict(matrix)
    keys = np.asarray(clustering.cluster_keys, dtype=object)[labels]
    return _assignment_rows(rows, keys, clustering.names, clustering.model_version)
