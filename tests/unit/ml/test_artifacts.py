import datetime
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.artifacts import MANIFEST_FILE, MODEL_FILE, ArtifactError, load, load_scorer, save, save_scorer
from ml.propensity.calibration import Calibration
from ml.propensity.candidates import blend, boosting, forest, logistic
from ml.propensity.scorer import PropensityScorer, fit_scorer

FEATURES = ("visits", "spend", "customer_age_days", "kind")
LINE, STEPS = logistic(0.1), boosting(rounds=10, learning_rate=0.1, min_leaf=20)


def rows(size: int = 300) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"visits": generator.gamma(2, 2, size), "spend": generator.gamma(2, 20, size)})
    frame["customer_age_days"] = generator.integers(1, 60, size).astype(float)
    return frame.assign(kind=np.where(frame["visits"] > 3, "A", "B").astype(object))


def fitted(candidate: object = blend(LINE, STEPS), positives: int = 120) -> PropensityScorer:
    frame = rows()
    labels = (frame["visits"].rank() > len(frame) - positives).astype(np.int64).to_numpy()
    return fit_scorer(
        candidate,  # type: ignore[arg-type]
        frame,
        labels,
        Calibration(1.1, -0.2, 0.1, {"A": 0.3}),
        FEATURES[:3],
        FEATURES[3:],
        required=("customer_age_days",),
        type_column="kind",
        model_name="m",
        model_version="m-1",
        trained_through=datetime.date(2017, 10, 15),
        horizon_days=14,
    )


@pytest.mark.parametrize(
    "candidate", [LINE, STEPS, blend(LINE, STEPS), forest(20, 10)], ids=lambda candidate: candidate.family
)
def test_a_stored_model_scores_the_same(candidate: object, tmp_path: Path) -> None:
    scorer = fitted(candidate)
    checksum = save_scorer(tmp_path, scorer, {"all/roc_auc": 0.9, "all/lift": None})
    again = load_scorer(tmp_path, FEATURES, checksum)
    np.testing.assert_array_equal(again.probabilities(rows()), scorer.probabilities(rows()))
    assert set(again.tiers(rows())) == {"model", "cohort"}
    assert (again.calibration, again.fallback) == (scorer.calibration, scorer.fallback)
    assert (again.model_version, again.trained_through, again.horizon_days) == ("m-1", datetime.date(2017, 10, 15), 14)
    manifest = load(tmp_path).manifest
    assert manifest["feature_names"] == list(FEATURES)
    assert manifest["metrics"] == {"all/roc_auc": 0.9, "all/lift": None}
    assert manifest["libraries"].keys() == {"numpy", "scikit-learn", "skops"}


def test_a_fallback_is_stored_without_an_estimator(tmp_path: Path) -> None:
    scorer = fitted(positives=3)
    save_scorer(tmp_path, scorer)
    assert not (tmp_path / MODEL_FILE).exists()
    again = load_scorer(tmp_path, FEATURES)
    assert again.fallback_tier == "cohort"
    np.testing.assert_array_equal(again.probabilities(rows()), scorer.probabilities(rows()))


def test_the_same_model_is_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    checksum = save_scorer(tmp_path, fitted())
    assert save_scorer(tmp_path / "again", fitted()) == checksum
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; from pathlib import Path; import test_artifacts as t;"
        "from ml.artifacts import save_scorer; print(save_scorer(Path(sys.argv[3]), t.fitted()))"
    )
    here = Path(__file__).parent
    arguments = [str(here.parents[2]), str(here), str(tmp_path / "other")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == checksum


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    payload = bytearray((tmp_path / MODEL_FILE).read_bytes())
    payload[len(payload) // 2] ^= 1
    (tmp_path / MODEL_FILE).write_bytes(bytes(payload))
    with pytest.raises(ArtifactError, match=r"model\.skops was changed"):
        load(tmp_path)


def test_a_missing_model_file_is_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    (tmp_path / MODEL_FILE).unlink()
    with pytest.raises(ArtifactError, match=r"model\.skops is missing"):
        load(tmp_path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json is missing"):
        load(tmp_path / "nothing here")


def test_a_manifest_that_is_cut_is_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    text = (tmp_path / MANIFEST_FILE).read_text()
    (tmp_path / MANIFEST_FILE).write_text(text[: len(text) // 2])
    with pytest.raises(ArtifactError, match="cannot be read"):
        load(tmp_path)


def change_manifest(folder: Path, reseal: bool, **changes: object) -> None:
    outer = json.loads((folder / MANIFEST_FILE).read_text())
    outer["content"] = json.dumps({**json.loads(outer["content"]), **changes})
    if reseal:
        outer["sha256"] = hashlib.sha256(outer["content"].encode()).hexdigest()
    (folder / MANIFEST_FILE).write_text(json.dumps(outer))


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    change_manifest(tmp_path, reseal=False, horizon_days=99)
    with pytest.raises(ArtifactError, match=r"manifest\.json was changed"):
        load(tmp_path)


def test_a_manifest_changed_and_sealed_again_is_refused_by_the_recorded_checksum(tmp_path: Path) -> None:
    checksum = save_scorer(tmp_path, fitted())
    change_manifest(tmp_path, reseal=True, horizon_days=99)
    load(tmp_path)
    with pytest.raises(ArtifactError, match="is another model"):
        load(tmp_path, sha256=checksum)


def test_other_features_are_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    with pytest.raises(ArtifactError, match=r"missing \['kind'\], unknown \['color'\]"):
        load(tmp_path, [*FEATURES[:3], "color"])
    with pytest.raises(ArtifactError, match="order"):
        load(tmp_path, ["spend", "visits", *FEATURES[2:]])


def test_another_scikit_learn_is_refused(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    libraries = load(tmp_path).manifest["libraries"] | {"scikit-learn": "0.1.0"}
    change_manifest(tmp_path, reseal=True, libraries=libraries)
    with pytest.raises(ArtifactError, match=r"written by scikit-learn 0\.1\.0"):
        load(tmp_path)


def test_a_manifest_without_a_fallback_is_refused(tmp_path: Path) -> None:
    save(tmp_path, None, {"feature_names": []})
    with pytest.raises(ArtifactError, match="lacks calibration, fallback, trained_through"):
        load_scorer(tmp_path)


class Stranger:
    """A type that no model of the project has."""

    def __init__(self) -> None:
        self.value = 1


def test_a_strange_type_is_refused(tmp_path: Path) -> None:
    save(tmp_path, {"model": Stranger()}, {"feature_names": []})
    with pytest.raises(ArtifactError, match=r"types that no model of this project has: .*Stranger"):
        load(tmp_path)


def test_a_model_file_holds_no_time(tmp_path: Path) -> None:
    save_scorer(tmp_path, fitted())
    with zipfile.ZipFile(tmp_path / MODEL_FILE) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
