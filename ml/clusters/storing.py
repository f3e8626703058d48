"""A segment model on disk: estimators as skops, keys, names and the comparison in the manifest."""

import datetime
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ml import artifacts
from ml.clusters.naming import NameParts
from ml.clusters.segment_model import MODEL_NAME, Level, SegmentModel

SELECTION = ("level", "parent_cluster_key", "algorithm", "cluster_count", "criterion", "value", "is_chosen")


def save_model(folder: Path, model: SegmentModel) -> str:
    """Write a model into `folder`; returns its ``artifact_sha256``. The same model gives the same bytes."""
    levels = {"broad": model.broad, **model.micro}
    estimators: dict[str, Any] = {"preparation": model.preparation}
    estimators |= {name: level.estimator for name, level in levels.items() if level.estimator is not None}
    return artifacts.save(
        folder,
        estimators,
        {
            "model_name": MODEL_NAME,
            "model_version": model.model_version,
            "feature_names": list(model.features),
            "offered": list(model.offered),
            "fitted_on": model.fitted_on,
            "chosen_on": model.chosen_on,
            "trained_through": model.fitted_on - datetime.timedelta(days=1),
            "levels": {
                name: {"keys": list(level.keys), "is_natural": level.is_natural} for name, level in levels.items()
            },
            "names": {key: asdict(parts) for key, parts in model.names.items()},
            "used_keys": list(model.used_keys),
            "selection": model.selection.astype(object).where(model.selection.notna(), None).to_dict("split")["data"],
            "facts": dict(model.facts),
        },
    )


def load_model(folder: Path, sha256: str | None = None) -> SegmentModel:
    """Read a model back.

    Raises
    ------
    ArtifactError
        If a file is missing or was changed, or was written by another scikit-learn.
    """
    artifact = artifacts.load(folder, sha256=sha256)
    told, estimators = artifact.manifest, artifact.estimator
    levels = {
        name: Level(estimators.get(name), tuple(level["keys"]), level["is_natural"])
        for name, level in told["levels"].items()
    }
    return SegmentModel(
        model_version=told["model_version"],
        fitted_on=datetime.date.fromisoformat(told["fitted_on"]),
        chosen_on=datetime.date.fromisoformat(told["chosen_on"]),
        features=tuple(told["feature_names"]),
        offered=tuple(told["offered"]),
        preparation=estimators["preparation"],
        broad=levels.pop("broad"),
        micro=levels,
        names={
            key: NameParts(parts["noun"], tuple((name, high) for name, high in parts["adjectives"]), parts["place"])
            for key, parts in told["names"].items()
        },
        used_keys=tuple(told["used_keys"]),
        selection=pd.DataFrame(told["selection"], columns=list(SELECTION)),
        facts=told["facts"],
    )
