"""What goes into the cluster segments of a run: features a date at a time, the recorded past, settings and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from ml.catalogue import Feature, read_catalogue
from orchestration.cluster_ledger import RecordedModel, recorded_models, used_keys
from orchestration.model_inputs import customer_features
from orchestration.own_words import own_words
from orchestration.warehouse import reading
from shops import Settings, ShopFolders

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.clusters.segment_model import SegmentModel
    from ml.clusters.settings import ClusterSettings
    from ml.clusters.words import Words

WORDS_FILE = "cluster_words.yml"
# The features of the date that a model was fitted on may be gone, if it was not a scheduled one: so many days before
# are near enough to see drift from.
REFERENCE_DAYS = 7


def settings_of(settings: Settings) -> ClusterSettings:
    """A shop's settings as `ml` takes them."""
    from ml.clusters.drift import DriftLimits
    from ml.clusters.settings import ClusterSettings

    own = settings.models.clusters
    drift = own.drift
    return ClusterSettings(
        min_members=own.min_members,
        scaling=own.scaling,
        components=own.components,
        algorithms=tuple(own.algorithms),
        max_clusters=own.max_clusters,
        max_micro_clusters=own.max_micro_clusters,
        anchor=own.anchor,
        max_inertia_loss=own.max_inertia_loss,
        drift=DriftLimits(drift.false_alarm_rate, drift.min_feature_effect, drift.min_segment_effect),
        choose_drift=drift.choose_factor,
    )


def read_words(folders: ShopFolders) -> Words:
    """The naming table: the shipped words with those of `shops/<name>/cluster_words.yml` over them."""
    from ml.clusters.words import shipped_words, words_of

    own = own_words(folders, WORDS_FILE)
    return words_of(own.content, own.file, own.features) if own else shipped_words()


class ClusterFeatures:
    """The clustering features of a warehouse, a date at a time: of a large shop all dates do not fit into memory.

    Attributes
    ----------
    current : the current as-of date.
    scheduled : the scheduled dates before it, oldest first.
    """

    def __init__(self, warehouse: Path, horizon_days: int) -> None:
        from ml.clusters.segment_model import DESCRIBED, FEATURES

        self._warehouse, self._horizon_days = warehouse, horizon_days
        self._features: Sequence[Feature] = read_catalogue().named((*FEATURES, *DESCRIBED))
        with reading(warehouse) as connection:
            dates = connection.execute(
                "select as_of_date, is_scheduled, is_current from features.int_as_of_dates order by 1"
            ).fetchall()
        self.current: date = next(day for day, _, is_current in dates if is_current)
        self.scheduled: list[date] = [day for day, is_scheduled, _ in dates if is_scheduled and day < self.current]
        self._known: list[date] = [day for day, _, _ in dates if day <= self.current]

    def at(self, day: date) -> pd.DataFrame:
        """All customers at `day`."""
        with reading(self._warehouse) as connection:
            return customer_features(connection, self._features, "as_of_date = ?", day)

    def nearest(self, day: date) -> date | None:
        """`day`, or one shortly before it where its features are gone; None if those are, too."""
        found = max((one for one in self._known if one <= day), default=None)
        return None if found is None or day - found > timedelta(days=REFERENCE_DAYS) else found

    def before(self, count: int) -> list[date]:
        """The last scheduled dates before the current one, newest first."""
        return self.scheduled[::-1][:count]

    def outcomes(self) -> tuple[date, pd.DataFrame] | None:
        """What customers bought after the newest scheduled date of which that is known; None before there is one."""
        with reading(self._warehouse) as connection:
            day = connection.execute(
                "select max(as_of_date) from features.label_purchase join features.int_as_of_dates using (as_of_date) "
                "where is_scheduled and horizon_days = ?",
                [self._horizon_days],
            ).fetchone()
            if day is None or day[0] is None:
                return None
            labels = connection.execute(
                "select customer_id, has_purchased, spend from features.label_purchase "
                "where as_of_date = ? and horizon_days = ?",
                [day[0], self._horizon_days],
            ).df()
        return day[0], labels


@dataclass(frozen=True)
class ClusterPast:
    """What the ledger says of the models before this run.

    Attributes
    ----------
    previous : the model that holds at the current date; None if none of an earlier date was recorded.
    predecessor : the model whose keys `previous` carried on, to show beside it; None where it cannot be read.
    namesake : without a previous model, the first one of a later date: keys are taken from it, nothing else.
    keys : every key that was ever given.
    """

    previous: SegmentModel | None
    predecessor: SegmentModel | None
    namesake: SegmentModel | None
    keys: list[str]
    artifact_sha256: str | None

    @classmethod
    def of(cls, folders: ShopFolders, as_of: date) -> ClusterPast:
        """The past as a run at `as_of` may know it."""
        recorded = recorded_models(folders)
        held = [one for one in recorded if one.holds_from <= as_of]
        later = [one for one in recorded if one.holds_from > as_of]
        return cls(
            previous=_load(folders, held[-1]) if held else None,
            predecessor=_predecessor(folders, held) if held else None,
            namesake=_load(folders, later[0]) if later and not held else None,
            keys=used_keys(folders),
            artifact_sha256=held[-1].artifact_sha256 if held else None,
        )


def _predecessor(folders: ShopFolders, held: list[RecordedModel]) -> SegmentModel | None:
    found = [one for one in held if one.model_version == held[-1].previous_model_version]
    try:
        return _load(folders, found[-1]) if found else None
    except dg.Failure:  # Only shown: a run does not need it.
        return None


def _load(folders: ShopFolders, recorded: RecordedModel) -> SegmentModel:
    from ml.artifacts import ArtifactError
    from ml.clusters.segment_model import MODEL_NAME
    from ml.clusters.storing import load_model

    folder = folders.models / MODEL_NAME / recorded.model_version
    try:
        return load_model(folder, recorded.artifact_sha256)
    except ArtifactError as error:
        raise dg.Failure(
            f"the model of cluster segments that holds since {recorded.holds_from} cannot be used: {error} "
            f"Next: restore {folders.shown(folder)} from a backup. If it is lost for good, move "
            f"{folders.shown(folders.state / 'cluster_models')} away and run again: the clusters then begin anew, with "
            "keys that none ever had."
        ) from error
