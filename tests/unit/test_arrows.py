"""Arrows run one way: `orchestration` imports the domain packages, which import neither it nor each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shops import PROJECT_ROOT

ALLOWED = {
    "shops": set(),
    "ml": set(),
    "ingestion": {"shops"},
    "expectations": {"shops"},
    "pages": set(),
    "orchestration": {"shops", "ml", "ingestion", "expectations", "pages"},
    "tour": {"shops", "ml", "ingestion", "expectations", "pages", "orchestration"},
}
FOREIGN_TO = {
    "ml": {"duckdb", "dagster", "dbt", "dagster_dbt", "great_expectations"},
    "pages": {"dagster", "dbt", "dagster_dbt", "great_expectations"},
}


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_arrows_run_one_way(package: str) -> None:
    forbidden = (set(ALLOWED) - ALLOWED[package] - {package}) | FOREIGN_TO.get(package, set())
    files = list((PROJECT_ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        wrong = _imported(file) & forbidden
        assert not wrong, f"{file.relative_to(PROJECT_ROOT)} imports {sorted(wrong)}"
