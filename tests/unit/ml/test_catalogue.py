"""The feature catalogue is whole, and models take no frame that does not match it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ml import catalogue
from ml.catalogue import CatalogueError, read_catalogue
from ml.clusters.segment_model import DESCRIBED
from ml.clusters.segment_model import MODEL_NAME as CLUSTERS
from ml.frames import WrongTypeError, feature_matrix
from ml.propensity.tasks import families

KEYS = {
    "customer_id", "as_of_date", "as_of_at", "campaign_id", "category", "attribute", "product_id", "product_category",
    "identity_basis",
}  # fmt: skip
FOLDER = catalogue.PROJECT_ROOT / "models" / "features"


def test_every_column_of_a_feature_table_is_declared() -> None:
    declared = {(feature.table, feature.name) for feature in read_catalogue().features}
    for file in FOLDER.rglob("feat_*.yml"):
        (model,) = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        columns = {column["name"] for column in model["columns"]} - KEYS
        assert {(model["name"], column) for column in columns} <= declared, file


@pytest.mark.parametrize("model", [*families(), CLUSTERS])
def test_models_learn_from_what_is_declared(model: str) -> None:
    learned = read_catalogue().of_model(model)
    assert learned
    assert len({feature.name for feature in learned}) == len(learned)
    assert read_catalogue().named(DESCRIBED)


def test_what_is_described_too_little_or_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "features"
    folder.mkdir(parents=True)
    monkeypatch.setattr(catalogue, "PROJECT_ROOT", tmp_path)
    column = "{name: visits, data_type: integer, description: Visits., config: {meta: {feature: {unit: visits%s}}}}"

    def declare(table: str, more: str) -> None:
        text = f"models: [{{name: {table}, columns: [{column % more}]}}]"
        (folder / f"{table}.yml").write_text(text, encoding="utf-8")

    declare("feat_a", ", source: [web_events]")
    with pytest.raises(CatalogueError, match=r"feat_a\.yml: the feature visits lacks purpose"):
        read_catalogue.__wrapped__("demo")
    declare("feat_a", ", source: [web_events], purpose: analytics")
    assert [feature.name for feature in read_catalogue.__wrapped__("demo").features] == ["visits"]
    declare("feat_b", ", source: [web_events], purpose: analytics")
    with pytest.raises(CatalogueError, match=r"feat_b\.yml: visits is a feature of feat_a"):
        read_catalogue.__wrapped__("demo")


def test_a_number_that_is_text_is_refused_with_its_row() -> None:
    frame = pd.DataFrame({"order_count": ["1", "many"]}, dtype=object)
    with pytest.raises(WrongTypeError, match="order_count holds '1' in row 0"):
        feature_matrix(frame, ["order_count"], [], "the purchase features")
    assert np.isnan(feature_matrix(pd.DataFrame({"order_count": [None, 2]}), ["order_count"], [], "f").iloc[0, 0])
