"""Models on disk: a skops file and a JSON manifest, tied together by checksums. No pickle, so nothing runs on load.

The same model gives the same bytes: a file of skops holds memory addresses and times, which are taken out before it
is written. So the checksum in ``ml.model_versions`` changes only when the model does.
"""

import dataclasses
import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ml.propensity.calibration import Calibration
from ml.propensity.cohorts import Fallback
from ml.propensity.scorer import PropensityScorer

MODEL_FILE = "model.skops"
MANIFEST_FILE = "manifest.json"
FORMAT = 1
LIBRARIES = ("numpy", "scikit-learn", "skops")
# Fitted parts of scikit-learn's own estimators that skops does not know by name, and estimators of this project.
# Anything else is refused.
TRUSTED_TYPES = (
    "ml.clusters.density.FixedDensityRegions",
    "ml.clusters.density.HierarchicalRegions",
    "ml.clusters.k_means.SampledKMeans",
    "ml.clusters.mixture.NormalMixture",
    "ml.clusters.preparation.RobustSpread",
    "ml.clusters.preparation.Winsorizer",
    "ml.clusters.ward.MicroWard",
    "ml.lifetime.bg_nbd.BGNBD",
    "ml.lifetime.boosted_value.BoostedValue",
    "ml.lifetime.candidates.MeanSpend",
    "ml.lifetime.candidates.PastSpend",
    "ml.lifetime.gamma_gamma.GammaGamma",
    "ml.lifetime.purchase_value.PurchaseValue",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)


class ArtifactError(ValueError):
    """A stored model cannot be used; the message says which file and why."""


@dataclass(frozen=True)
class Artifact:
    """A fitted estimator (None for a fallback) and what is known about it."""

    estimator: Any
    manifest: dict[str, Any]
    sha256: str


def save(folder: Path, estimator: Any, facts: Mapping[str, Any]) -> str:
    """Write an estimator and its manifest; the manifest comes last, so that half a model is never loaded.

    Parameters
    ----------
    folder : Path, created if need be
    estimator : fitted scikit-learn estimator, or None
    facts : values that JSON can hold: feature_names, as-of date, metrics ...

    Returns
    -------
    str
        SHA-256 of the manifest, which holds that of the model: ``artifact_sha256`` of ``ml.model_versions``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "format": FORMAT,
        "libraries": {name: version(name) for name in LIBRARIES},
        "model_sha256": None,
        **facts,
    }
    if estimator is not None:
        payload = _dump(estimator)
        content["model_sha256"] = hashlib.sha256(payload).hexdigest()
        _write(folder / MODEL_FILE, payload)
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, default=_plain)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    _write(folder / MANIFEST_FILE, json.dumps({"sha256": checksum, "content": text}, indent=1).encode())
    return checksum


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand in a manifest: {value!r}")


def _write(path: Path, payload: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(payload)
    partial.replace(path)


def load(folder: Path, feature_names: Sequence[str] | None = None, sha256: str | None = None) -> Artifact:
    """Read a model back, after every check has passed.

    Parameters
    ----------
    folder : Path
    feature_names : the features that the caller will give; None skips the check
    sha256 : the checksum recorded when the model was saved; None trusts the folder

    Raises
    ------
    ArtifactError
        If a file is missing or was changed, another scikit-learn wrote it, its features are not those of the caller,
        or it holds types that a model of this project does not have.
    """
    content, checksum = _read_manifest(folder)
    if sha256 is not None and checksum != sha256:
        raise ArtifactError(f"{folder / MANIFEST_FILE} is another model: its checksum is {checksum}, not {sha256}.")
    if content.get("format") != FORMAT:
        raise ArtifactError(f"{folder / MANIFEST_FILE} has format {content.get('format')}, this code reads {FORMAT}.")
    wrote, runs = content["libraries"].get("scikit-learn", "none"), version("scikit-learn")
    if wrote.split(".")[:2] != runs.split(".")[:2]:
        raise ArtifactError(f"{folder} was written by scikit-learn {wrote}, {runs} is installed: train again.")
    if feature_names is not None and list(feature_names) != list(content["feature_names"]):
        stored, given = set(content["feature_names"]), set(feature_names)
        detail = f"missing {sorted(stored - given)}, unknown {sorted(given - stored)}" if stored != given else "order"
        raise ArtifactError(f"{folder} was trained on other features ({detail}): train again.")
    if content["model_sha256"] is None:
        return Artifact(None, content, checksum)
    path = folder / MODEL_FILE
    if not path.is_file():
        raise ArtifactError(f"{path} is missing, though {MANIFEST_FILE} names it.")
    payload = path.read_bytes()
    found = hashlib.sha256(payload).hexdigest()
    if found != content["model_sha256"]:
        raise ArtifactError(f"{path} was changed: SHA-256 is {found}, the manifest says {content['model_sha256']}.")
    return Artifact(_parse(path, payload), content, checksum)


def _read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise ArtifactError(f"{path} is missing: no model was saved here, or saving it was interrupted.")
    try:
        outer = json.loads(path.read_text())
        text, recorded = outer["content"], outer["sha256"]
        content: dict[str, Any] = json.loads(text)
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}.") from error
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != recorded:
        raise ArtifactError(f"{path} was changed: SHA-256 of its content is {found}, it says {recorded}.")
    return content, recorded


def _dump(estimator: Any) -> bytes:
    """The estimator as skops writes it, with memory addresses replaced by serial numbers and no times."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as written:
        schema = json.loads(written.read("schema.json"))
        members = {name: written.read(name) for name in written.namelist() if name != "schema.json"}
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    _renumber(schema, numbers, files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, new_name in files.items():
            archive.writestr(_timeless(new_name), members[name])
        archive.writestr(_timeless("schema.json"), json.dumps(schema))
    return buffer.getvalue()


def _timeless(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    """Replace the ids of objects, and the file names made from them, by their order of appearance, in place."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, files)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("__id__"), int):
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
    if isinstance(node.get("file"), str) and "__loader__" in node:
        suffix = Path(node["file"]).suffix
        node["file"] = files.setdefault(node["file"], f"{len(files)}{suffix}")
    for key, item in node.items():
        if key not in ("__id__", "file"):
            _renumber(item, numbers, files)


def _parse(path: Path, payload: bytes) -> Any:
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(data=payload)) - set(TRUSTED_TYPES))
    if unknown:
        raise ArtifactError(f"{path} holds types that no model of this project has: {', '.join(unknown)}.")
    try:
        return skops.io.loads(payload, trusted=list(TRUSTED_TYPES))
    except Exception as error:  # whatever skops stumbles over, the file is unusable
        raise ArtifactError(f"{path} cannot be read: {error}.") from error


def save_scorer(folder: Path, scorer: PropensityScorer, metrics: Mapping[str, float | None] | None = None) -> str:
    """Write a propensity scorer; returns its ``artifact_sha256``."""
    return save(
        folder,
        scorer.pipeline,
        {
            "model_name": scorer.model_name,
            "model_version": scorer.model_version,
            "algorithm": scorer.algorithm,
            "feature_names": list(scorer.feature_names),
            "numeric": list(scorer.numeric),
            "categorical": list(scorer.categorical),
            "calibration": dataclasses.asdict(scorer.calibration),
            "fallback": dataclasses.asdict(scorer.fallback),
            "type_column": scorer.type_column,
            "trained_through": scorer.trained_through,
            "horizon_days": scorer.horizon_days,
            "metrics": dict(metrics or {}),
        },
    )


def load_scorer(
    folder: Path, feature_names: Sequence[str] | None = None, sha256: str | None = None
) -> PropensityScorer:
    """Read a propensity scorer back; raises `ArtifactError` like `load`."""
    artifact = load(folder, feature_names, sha256)
    facts = artifact.manifest
    missing = [name for name in ("calibration", "fallback", "trained_through") if name not in facts]
    if missing:
        raise ArtifactError(
            f"{folder} is no propensity model of this version: it lacks {', '.join(missing)}. Train again."
        )
    return PropensityScorer(
        model_name=facts["model_name"],
        model_version=facts["model_version"],
        algorithm=facts["algorithm"],
        numeric=tuple(facts["numeric"]),
        categorical=tuple(facts["categorical"]),
        pipeline=artifact.estimator,
        calibration=Calibration(**facts["calibration"]),
        fallback=Fallback(**{**facts["fallback"], "required": tuple(facts["fallback"]["required"])}),
        type_column=facts["type_column"],
        trained_through=datetime.date.fromisoformat(facts["trained_through"]),
        horizon_days=facts["horizon_days"],
    )
