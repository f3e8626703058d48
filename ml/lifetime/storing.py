"""Lifetime value on disk: the estimator in a file of skops, all else in the manifest."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml import artifacts
from ml.lifetime.candidates import Cohort, Widening
from ml.lifetime.value_model import ValueScorer


def save_scorer(folder: Path, scorer: ValueScorer, metrics: Mapping[str, float] | None = None) -> str:
    """Write a scorer; returns its ``artifact_sha256``."""
    facts = {
        "model_name": scorer.model_name,
        "model_version": scorer.model_version,
        "algorithm": scorer.algorithm,
        "feature_names": list(scorer.feature_names),
        "widening": dataclasses.asdict(scorer.widening),
        "cohorts": {name: dataclasses.asdict(cohort) for name, cohort in scorer.cohorts.items()},
        "trained_through": scorer.trained_through,
        "horizon_days": scorer.horizon_days,
        "yearly_discount": scorer.yearly_discount,
        "metrics": dict(metrics or {}),
    }
    return artifacts.save(folder, scorer.estimator, facts)


def load_scorer(folder: Path, feature_names: Sequence[str] | None = None, sha256: str | None = None) -> ValueScorer:
    """Read a scorer back; raises `ml.artifacts.ArtifactError` like `ml.artifacts.load`."""
    artifact = artifacts.load(folder, feature_names, sha256)
    facts = artifact.manifest
    return ValueScorer(
        model_name=facts["model_name"],
        model_version=facts["model_version"],
        algorithm=facts["algorithm"],
        estimator=artifact.estimator,
        widening=Widening(**facts["widening"]),
        cohorts={name: Cohort(**cohort) for name, cohort in facts["cohorts"].items()},
        trained_through=datetime.date.fromisoformat(facts["trained_through"]),
        horizon_days=facts["horizon_days"],
        yearly_discount=facts["yearly_discount"],
        feature_names=tuple(facts["feature_names"]),
    )
