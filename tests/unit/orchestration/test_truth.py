"""What was planted into generated data is read by benchmarks and tests, never by the warehouse."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from orchestration.dbt_in_process import InProcessDbt
from shops import PROJECT_ROOT, ShopFolders

READERS = ("orchestration", "ml", "expectations", "pages", "shops")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return InProcessDbt(ShopFolders.of("demo", tmp_path_factory.mktemp("data"))).manifest_dict


def _reads_truth(manifest: Mapping[str, Any]) -> list[str]:
    """Sources, models, seeds, tests and macros that name the folder of the truth tables, or a file in it."""
    truth = ShopFolders.of("demo").truth.name
    # As a part of a path or of a table's name; the word in a sentence of a description is no path.
    path = re.compile(rf"(['\"/.]){truth}(['\"/.])|{truth}_|_{truth}\b")
    found = []
    for kind in ("sources", "nodes", "macros"):
        for name, node in manifest[kind].items():
            if node["package_name"] != "audience_warehouse":
                continue
            texts = [node.get(field) for field in ("raw_code", "compiled_code", "macro_sql", "identifier", "schema")]
            texts += [json.dumps(node.get(field) or {}) for field in ("config", "meta")]
            if any(text and path.search(text) for text in texts):
                found.append(name)
    return found


def test_no_model_or_source_reads_the_truth(manifest: Mapping[str, Any]) -> None:
    assert {node["package_name"] for node in manifest["nodes"].values()} >= {"audience_warehouse"}
    assert _reads_truth(manifest) == []


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        ("nodes", "raw_code", "select * from read_parquet('truth/people.parquet')"),
        ("nodes", "raw_code", "select * from {{ source('truth', 'people') }}"),
        ("sources", "config", {"meta": {"external_location": "read_parquet('truth/{name}.parquet')"}}),
        ("macros", "macro_sql", "read_parquet('../demo/truth/bots.parquet')"),
    ],
)
def test_one_that_did_would_be_found(manifest: Mapping[str, Any], kind: str, field: str, text: object) -> None:
    spoiled = {name: dict(manifest[name]) for name in ("sources", "nodes", "macros")}
    name = next(key for key, node in spoiled[kind].items() if node["package_name"] == "audience_warehouse")
    spoiled[kind][name] = {**copy.copy(spoiled[kind][name]), field: text}
    assert _reads_truth(spoiled) == [name]


def test_no_python_of_the_warehouse_asks_for_the_folder() -> None:
    for package in READERS:
        for file in (PROJECT_ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            asked = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "truth"]
            assert not asked, f"{file.relative_to(PROJECT_ROOT)} reads the truth in line {asked[0]}"
