"""Both levels of a model fitted on the customers of one date: broad clusters, and micro-segments within each."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.algorithms import Algorithm
from ml.clusters.base import FIT_ROWS
from ml.clusters.choosing import chosen_division
from ml.clusters.dividing import Division, divide_again, with_keys
from ml.clusters.duplicates import drop_near_duplicates
from ml.clusters.naming import effect_sizes, name_parts
from ml.clusters.preparation import preparation
from ml.clusters.segment_model import DESCRIBED, FEATURES, MODEL_NAME, WHAT, Level, SegmentModel
from ml.clusters.settings import ClusterSettings
from ml.clusters.words import Words
from ml.frames import content_hash, feature_matrix, model_version, schema_hash

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.object_]

LINEAGE = ("level", "parent_cluster_key", "event", "old_key", "new_key", "shared_members", "old_members",
           "new_members", "share_of_old", "share_of_new", "center_distance")  # fmt: skip
SELECTION = ("level", "parent_cluster_key", "algorithm", "cluster_count", "criterion", "value", "is_chosen")


@dataclass(frozen=True)
class Fitted:
    """A model, and how it came out of its predecessor.

    Attributes
    ----------
    events : DataFrame with `LINEAGE`
    """

    model: SegmentModel
    events: pd.DataFrame


def fit_model(
    rows: pd.DataFrame,
    settings: ClusterSettings,
    words: Words,
    *,
    previous: SegmentModel | None,
    again: bool,
    earlier: Sequence[pd.DataFrame] = (),
    used_keys: Sequence[str] = (),
) -> Fitted:
    """Fit both levels.

    Parameters
    ----------
    rows : the customers of one as-of date in the order of their ids, with FEATURES and DESCRIBED
    previous : whose keys are carried over; None: there is nothing to carry
    again : fit `previous` again; otherwise choose algorithm, number and features anew
    earlier : the features at earlier dates, for the choice
    used_keys : every key that was ever given
    """
    as_of_date = rows["as_of_date"].iloc[0].date()
    floor = settings.floor(len(rows))
    matrix = feature_matrix(rows, FEATURES, (), WHAT)
    kept = again and previous is not None
    features = previous.features if kept and previous else drop_near_duplicates(matrix)[0] or FEATURES
    prepare = preparation(settings.scaling, settings.components).fit(_sampled(matrix[list(features)]))
    fitter = _Fitter(rows, prepare.transform(matrix[list(features)]), settings, floor, previous, again, used_keys)
    fitter.earlier = [prepare.transform(feature_matrix(one, features, (), WHAT)) for one in earlier]
    broad = fitter.broad()
    micro = fitter.micro(broad) if broad.estimator is not None else {}
    names = _names(rows, broad, micro, fitter.prepared, words, previous)
    trained_through = as_of_date - datetime.timedelta(days=1)
    version = model_version(
        MODEL_NAME,
        trained_through,
        asdict(settings),
        schema_hash(FEATURES, ()),
        content_hash(matrix.assign(customer_id=rows["customer_id"].to_numpy())),
        previous.model_version if previous else None,
        "again" if again else "chosen",
    )
    model = SegmentModel(
        model_version=version,
        fitted_on=as_of_date,
        chosen_on=previous.chosen_on if kept and previous else as_of_date,
        features=features,
        offered=FEATURES,
        preparation=prepare,
        broad=broad,
        micro=micro,
        names=names,
        used_keys=tuple(sorted(fitter.used)),
        selection=previous.selection if kept and previous else _frame(fitter.selection, SELECTION),
        facts={
            "customers": len(rows),
            "floor": floor,
            "settings": settings.of_choice,
            "levels": fitter.facts,
            "folds": fitter.folds,
        },
    )
    return Fitted(model, _frame(fitter.events, LINEAGE))


def _frame(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)[list(columns)]


class _Fitter:
    """Fits level after level and notes what became of the old keys."""

    def __init__(
        self,
        rows: pd.DataFrame,
        prepared: Floats,
        settings: ClusterSettings,
        floor: int,
        previous: SegmentModel | None,
        again: bool,
        used: Sequence[str],
    ) -> None:
        self.prepared, self.settings, self.floor = prepared, settings, floor
        self.previous, self.again = previous, again
        self.spend = np.asarray(rows["spend_90d"].astype(float).fillna(0.0), dtype=np.float64)
        self.used = {*used, *(previous.used_keys if previous else ())}
        self.earlier: list[Floats] = []
        self.events: list[pd.DataFrame] = []
        self.folds: list[dict[str, Any]] = []
        self.selection: list[pd.DataFrame] = []
        self.facts: dict[str, Any] = {}
        nobody = np.full(len(rows), None, dtype=object)
        self.old_broad, self.old_micro = nobody, nobody
        if previous is not None:
            old = previous.divide(rows)
            self.old_broad, self.old_micro = old["broad_key"].to_numpy(), old["micro_key"].to_numpy()
        self.new_broad: Keys = nobody

    def broad(self) -> Level:
        """The broad clusters."""
        division = None
        if self.again and self.previous is not None:
            division = self._again(self.prepared, self.old_broad, self.previous.broad, "broad")
        if division is None:
            division = chosen_division(
                self.prepared,
                self.earlier,
                self.floor,
                self.settings.algorithms,
                self.settings.max_clusters,
                current=self._standing("broad"),
            )
        level = self._level(division, None, None)
        self.new_broad = level.keys_of(self.prepared)
        return level

    def micro(self, broad: Level) -> dict[str, Level]:
        """Micro-segments of each broad cluster that divides into stable ones."""
        found = {}
        gone = [] if self.previous is None else [key for key in self.previous.micro if key not in broad.keys]
        for parent in sorted(set(broad.keys), key=int):
            inside = self.new_broad == parent
            old = self.previous.micro.get(parent) if self.previous is not None else None
            division = None
            if self.again and old is not None:
                division = self._again(self.prepared[inside], self._old_within(parent)[inside], old, parent)
            elif not self.again or self.previous is None or parent not in self.previous.broad_keys:
                division = chosen_division(
                    self.prepared[inside],
                    [matrix[broad.keys_of(matrix) == parent] for matrix in self.earlier],
                    self.floor,
                    ("k_means",),
                    self.settings.max_micro_clusters,
                    current=self._standing(parent),
                    only_if_stable=True,
                )
            if division is not None and division.count > 1:
                found[parent] = self._level(division, parent, inside)
            elif division is not None:
                self._note_folds(division, parent, [parent] * len(division.groups))
            if parent not in found and old is not None:
                gone.append(parent)
        for parent in gone:
            self._died(parent)
        return found

    def _again(self, rows: Floats, old_keys: Keys, old: Level, where: str) -> Division | None:
        if old.estimator is None:
            return None
        assert self.previous is not None
        algorithm: Algorithm = self.previous.facts["levels"][where]["algorithm"]
        return divide_again(
            rows, old_keys, algorithm, self.settings.anchor, self.settings.max_inertia_loss, self.floor, old.is_natural
        )

    def _standing(self, where: str) -> tuple[Algorithm, int] | None:
        """What the previous model has there."""
        facts = self.previous.facts["levels"].get(where) if self.previous is not None else None
        return (facts["algorithm"], facts["n_clusters"]) if facts and facts.get("n_clusters") else None

    def _old_within(self, parent: str) -> Keys:
        keys = self.old_micro.copy()
        keys[self.old_broad != parent] = None
        return keys

    def _level(self, division: Division | None, parent: str | None, inside: npt.NDArray[np.bool_] | None) -> Level:
        """The division with its keys; None divides nobody."""
        if division is None:
            division = Division.of_one(self.prepared)
        old_keys = self.old_broad if parent is None else self._old_within(parent)
        all_old: tuple[str, ...] = ()
        if self.previous is not None:
            all_old = self.previous.broad_keys if parent is None else self.previous.micro_keys(parent)
        keys, lineage = with_keys(
            division,
            self.prepared,
            old_keys,
            all_old,
            sorted(self.used),
            parent=parent,
            inside=inside,
            rank=self.spend,
        )
        self.used |= set(keys)
        level = "broad" if parent is None else "micro"
        self.events.append(lineage.events.assign(level=level, parent_cluster_key=parent))
        self._note_folds(division, parent, keys)
        self.facts[parent or "broad"] = dict(division.facts)
        if division.comparison is not None:
            self.selection.append(division.comparison.assign(level=level, parent_cluster_key=parent))
        return Level(division.estimator, keys, division.is_natural)

    def _note_folds(self, division: Division, parent: str | None, keys: Sequence[str]) -> None:
        self.folds += [
            {
                "level": "broad" if parent is None else "micro",
                "parent_cluster_key": parent,
                "member_count": fold.members,
                "floor": self.floor,
                "folded_into": keys[fold.into],
                "center_distance": round(fold.distance, 6),
            }
            for fold in division.folds
        ]

    def _died(self, parent: str) -> None:
        """Micro-segments whose parent is gone or is not divided any more."""
        assert self.previous is not None
        old = self._old_within(parent)
        rows = [
            {"level": "micro", "parent_cluster_key": parent, "event": "died", "old_key": key, "new_key": None,
             "shared_members": 0, "old_members": int((old == key).sum()), "new_members": 0}
            for key in self.previous.micro_keys(parent)
        ]  # fmt: skip
        self.events.append(pd.DataFrame(rows).reindex(columns=list(LINEAGE)))


def _names(
    rows: pd.DataFrame,
    broad: Level,
    micro: dict[str, Level],
    prepared: Floats,
    words: Words,
    previous: SegmentModel | None,
) -> dict[str, Any]:
    kept = dict(previous.names) if previous is not None else {}
    scaled = scaled_features(rows)
    keys = broad.keys_of(prepared)
    names = name_parts(effect_sizes(scaled, sorted(set(broad.keys), key=int), keys), words, kept)
    for parent, level in micro.items():
        inside = keys == parent
        within = effect_sizes(
            scaled[inside].reset_index(drop=True), sorted(set(level.keys)), level.keys_of(prepared[inside])
        )
        names |= name_parts(within, words, kept, is_micro=True)
    return names


def scaled_features(rows: pd.DataFrame) -> pd.DataFrame:
    """All features that cards describe, each as near to normal as a power takes it, mean 0, standard deviation 1."""
    matrix = feature_matrix(rows, (*FEATURES, *DESCRIBED), (), WHAT)
    return pd.DataFrame(preparation().fit(_sampled(matrix)).transform(matrix), columns=matrix.columns)


def _sampled(matrix: pd.DataFrame) -> pd.DataFrame:
    """Rows enough to learn a scale from."""
    return matrix if len(matrix) <= FIT_ROWS else matrix.sample(FIT_ROWS, random_state=0).sort_index()
