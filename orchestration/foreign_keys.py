"""Which published tables reference which, as the contracts say it: every `relationships` test between two of them.

A BI tool finds its joins by the foreign keys of the database. dbt cannot declare them in the warehouse, where it
replaces one table at a time; publishing can, because it writes all of them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ingestion.sql import quoted


@dataclass(frozen=True)
class ForeignKey:
    """`table.column` holds nothing but values of `parent.parent_column`, the parent's key, and nulls."""

    table: str
    column: str
    parent: str
    parent_column: str

    def clause(self, schema: str) -> str:
        """The key as it stands in the definition of a table, whose parent lies in `schema`."""
        parent = f"{quoted(schema)}.{quoted(self.parent)}"
        return f"foreign key ({quoted(self.column)}) references {parent} ({quoted(self.parent_column)})"


def foreign_keys(manifest: Mapping[str, Any], schema: str) -> list[ForeignKey]:
    """The keys between the tables of `schema`, by table and column.

    A test that looks at a part of the rows, or only warns, promises nothing. A parent whose contract makes the column
    no key cannot be referenced; dbt's test still holds it.
    """
    nodes = manifest["nodes"]
    found = set()
    for test in nodes.values():
        if (test.get("test_metadata") or {}).get("name") != "relationships":
            continue
        if test["config"]["where"] or test["config"]["severity"].lower() != "error":
            continue
        child_id = test["attached_node"]
        # A table that references itself depends on nothing else.
        parent_id = next((node for node in test["depends_on"]["nodes"] if node != child_id), child_id)
        child, parent = nodes.get(child_id), nodes.get(parent_id)
        if child is None or parent is None or not child["schema"] == parent["schema"] == schema:
            continue
        asked = test["test_metadata"]["kwargs"]
        if _is_key(parent, asked["field"]):
            found.add(ForeignKey(child["alias"], asked["column_name"], parent["alias"], asked["field"]))
    return sorted(found, key=lambda key: (key.table, key.column, key.parent))


def _is_key(model: Mapping[str, Any], column: str) -> bool:
    """Whether the contract of `model` makes `column` a key that its table enforces; a view enforces nothing."""
    constraints = [(each["type"], each.get("columns")) for each in model["constraints"] or ()]
    of_column = model["columns"].get(column, {}).get("constraints") or ()
    constraints += [(each["type"], [column]) for each in of_column]
    kinds = {kind for kind, columns in constraints if columns == [column]}
    return model["config"]["materialized"] != "view" and bool(kinds & {"primary_key", "unique"})


def parents_first(tables: Iterable[str], keys: Sequence[ForeignKey]) -> list[str]:
    """`tables`, each behind those that it references; where tables reference each other in a circle, one is before."""
    parents: dict[str, dict[str, None]] = {table: {} for table in sorted(tables)}
    for key in keys:
        if key.table in parents and key.parent in parents and key.parent != key.table:
            parents[key.table][key.parent] = None
    while True:
        try:
            return list(TopologicalSorter(parents).static_order())
        except CycleError as error:
            before, behind = error.args[1][:2]
            del parents[behind][before]
