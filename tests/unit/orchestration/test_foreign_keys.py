"""What dbt's tests say of references becomes keys of the published database."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.dbt_in_process import InProcessDbt
from orchestration.foreign_keys import ForeignKey, foreign_keys, parents_first
from shops import ShopFolders


def _model(name: str, keys: list[list[str]], schema: str = "marts", materialized: str = "table") -> dict[str, Any]:
    return {
        "schema": schema,
        "alias": name,
        "config": {"materialized": materialized},
        "constraints": [{"type": "primary_key", "columns": columns} for columns in keys],
        "columns": {"code": {"constraints": [{"type": "unique"}]}, "note": {}},
    }


def _test(child: str, column: str, parent: str, field: str, **config: Any) -> dict[str, Any]:
    return {
        "test_metadata": {"name": "relationships", "kwargs": {"column_name": column, "field": field}},
        "attached_node": child,
        "depends_on": {"nodes": sorted({child, parent})},
        "config": {"where": None, "severity": "ERROR", **config},
    }


def _found(**tests: dict[str, Any]) -> list[ForeignKey]:
    models = {
        "thing": _model("thing", [["id"]]),
        "sale": _model("sale", [["id", "line"]]),
        "seen": _model("seen", [["id"]], materialized="view"),
        "inner": _model("inner", [["id"]], schema="staging"),
    }
    return foreign_keys({"nodes": {**models, **tests}}, "marts")


def test_a_reference_between_published_tables_is_a_key() -> None:
    assert _found(one=_test("sale", "thing_id", "thing", "id")) == [ForeignKey("sale", "thing_id", "thing", "id")]
    assert _found(own=_test("thing", "part_of", "thing", "id")) == [ForeignKey("thing", "part_of", "thing", "id")]
    assert _found(code=_test("sale", "code", "thing", "code")) == [ForeignKey("sale", "code", "thing", "code")]


@pytest.mark.parametrize(
    "test",
    [
        _test("sale", "thing_id", "inner", "id"),
        _test("inner", "thing_id", "thing", "id"),
        _test("thing", "sale_id", "sale", "id"),
        _test("sale", "note", "thing", "note"),
        _test("sale", "seen_id", "seen", "id"),
        _test("sale", "thing_id", "thing", "id", where="line = 1"),
        _test("sale", "thing_id", "thing", "id", severity="warn"),
        {"test_metadata": {"name": "not_null"}},
        {"resource_type": "model"},
    ],
    ids=[
        "other schema",
        "of another schema",
        "part of a key",
        "no key",
        "a view",
        "a part",
        "a warning",
        "other",
        "model",
    ],
)
def test_other_tests_are_none(test: dict[str, Any]) -> None:
    assert _found(one=test) == []


def test_parents_come_first_and_a_circle_is_cut_once() -> None:
    keys = [ForeignKey(child, "x", parent, "x") for child, parent in ("ab", "bc", "aa")]
    assert (
        parents_first("abcd", keys).index("c")
        < parents_first("abcd", keys).index("b")
        < parents_first("abcd", keys).index("a")
    )
    circle = [*keys, ForeignKey("c", "x", "a", "x"), ForeignKey("d", "x", "a", "x")]
    order = parents_first("abcd", circle)
    behind = [key for key in circle if order.index(key.parent) > order.index(key.table)]
    assert sorted(order) == list("abcd")
    assert len(behind) == 1
    assert "d" not in {behind[0].table, behind[0].parent}


def test_every_reference_of_the_house_between_marts_is_a_key() -> None:
    """None is lost because its parent lacks a key: then the contract of the parent has to get one."""
    manifest = InProcessDbt(ShopFolders.of("demo")).manifest_dict
    written = [
        node
        for node in manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "relationships"
        and manifest["nodes"][node["attached_node"]]["schema"] == "marts"
    ]
    keys = foreign_keys(manifest, "marts")
    assert len(keys) == len(written) > 20
    assert ForeignKey("fct_order_lines", "order_id", "fct_orders", "order_id") in keys
