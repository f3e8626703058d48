"""A fitted model of cluster segments: which key a customer goes by, at the broad level and within it."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from ml.catalogue import read_catalogue
from ml.clusters.base import Clusterer
from ml.clusters.lineage import key_order
from ml.clusters.naming import NameParts
from ml.frames import as_days, feature_matrix, in_key_order, require_columns
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.object_]

MODEL_NAME = "shopping_clusters"
KEYS = ("customer_id", "as_of_date")
FEATURES = read_catalogue().numbers_of(MODEL_NAME)
# Described on the cards but not clustered on: spend and range follow from activity and basket and would count them
# twice; the share of shelf discounts hardly differs between customers.
DESCRIBED = ("spend_90d", "total_spend", "category_count", "retail_discount_share")
WHAT = "the clustering features"


@dataclass(frozen=True)
class Level:
    """One division and the keys of its clusters.

    Attributes
    ----------
    estimator : Clusterer or None
        None if there was nothing to divide: everybody has the one key.
    keys : tuple of str
        Key of each label of the estimator. Labels that were folded together share one.
    is_natural : bool
        Whether the groups are clearly more than a slicing of one cloud.
    """

    estimator: Clusterer | None
    keys: tuple[str, ...]
    is_natural: bool = False

    def keys_of(self, rows: Floats) -> Keys:
        """The key of each prepared row."""
        if self.estimator is None or not len(rows):
            return np.full(len(rows), self.keys[0], dtype=object)
        return np.array(self.keys, dtype=object)[self.estimator.predict(rows)]


@dataclass(frozen=True)
class SegmentModel:
    """What an artifact holds, and all that is needed to divide customers of any date.

    Attributes
    ----------
    model_version : str
    fitted_on, chosen_on : date
        As-of dates of the customers whom it was fitted on, and at which algorithm and number were last chosen.
    features : tuple of str
        What it divides by; `offered` are those it could choose from.
    preparation : Pipeline
    broad : Level
    micro : dict
        Broad key to the level within it, where there is one.
    names : dict
        Key to name, as parts.
    used_keys : tuple of str
        Every key that was ever given.
    selection : DataFrame
        What the choice compared: level, parent_cluster_key, algorithm, cluster_count, criterion, value, is_chosen.
    facts : dict
        What JSON can hold: customers, floor, settings of the choice, what each level was made by and lost, folds.
    """

    model_version: str
    fitted_on: datetime.date
    chosen_on: datetime.date
    features: tuple[str, ...]
    offered: tuple[str, ...]
    preparation: Pipeline
    broad: Level
    micro: Mapping[str, Level]
    names: Mapping[str, NameParts]
    used_keys: tuple[str, ...]
    selection: pd.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def broad_keys(self) -> tuple[str, ...]:
        """Keys of the broad clusters, in order."""
        return tuple(sorted(set(self.broad.keys), key=int))

    def micro_keys(self, parent: str) -> tuple[str, ...]:
        """Keys of the micro-segments of a broad cluster, in order; none if it is not divided."""
        level = self.micro.get(parent)
        return tuple(sorted(set(level.keys), key=key_order)) if level else ()

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Broad keys, each followed by its micro-segments."""
        return tuple(key for broad in self.broad_keys for key in (broad, *self.micro_keys(broad)))

    def prepare(self, rows: pd.DataFrame) -> Floats:
        """The features as the model sees them, shape (n_rows, n_features)."""
        matrix = feature_matrix(rows, self.features, (), WHAT)
        prepared: Floats = self.preparation.transform(matrix) if len(matrix) else np.empty((0, len(self.features)))
        return prepared

    def divide(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The keys of each customer.

        Parameters
        ----------
        rows : DataFrame with the features

        Returns
        -------
        DataFrame with broad_key, micro_key (None where there is none) and is_outlier, one row for each of `rows`
        """
        with one_thread():
            prepared = self.prepare(rows)
            broad, micro = self.keys_of(prepared)
            outlier = np.zeros(len(prepared), dtype=bool)
            if self.broad.estimator is not None and len(prepared):
                outlier = self.broad.estimator.is_outlier(prepared)
        return pd.DataFrame(
            {"broad_key": pd.Series(broad, dtype=object), "micro_key": pd.Series(micro, dtype=object),
             "is_outlier": outlier}
        )  # fmt: skip

    def keys_of(self, prepared: Floats) -> tuple[Keys, Keys]:
        """Broad and micro key of each prepared row."""
        broad = self.broad.keys_of(prepared)
        micro = np.full(len(prepared), None, dtype=object)
        for parent, level in self.micro.items():
            inside = broad == parent
            micro[inside] = level.keys_of(prepared[inside])
        return broad, micro


def in_order(features: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows by date and customer, whatever the order they came in; raises if a column is missing or a row is double."""
    require_columns(features, [*KEYS, *columns], WHAT)
    days = features.assign(as_of_date=as_days(features["as_of_date"]))
    return in_key_order(days, ("as_of_date", "customer_id"), WHAT)
