"""The landing contract as Python sees it; it is declared once, in `models/landing.yml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from shops import PROJECT_ROOT

CONTRACT_FILE = PROJECT_ROOT / "models" / "landing.yml"


@dataclass(frozen=True)
class LandingContract:
    """Tables of the landing zone: name to columns, columns to SQL types, in the order of the contract.

    `without_it` says for each optional table what is off while it has no rows.
    """

    version: str
    tables: Mapping[str, Mapping[str, str]]
    required: frozenset[str] = frozenset()
    without_it: Mapping[str, str] = field(default_factory=dict)

    def select_list(self, table: str, given: Collection[str] | None = None) -> str:
        """The columns of `table`, each cast to its type, as SQL; null for a column that is not among the `given`."""
        return ", ".join(
            f"cast({name if given is None or name in given else 'null'} as {kind}) as {name}"
            for name, kind in self.tables[table].items()
        )

    def empty_select(self, table: str) -> str:
        """SQL that gives zero rows of `table`, typed."""
        columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in self.tables[table].items())
        return f"select {columns} limit 0"

    def switched_off(self, rows: Mapping[str, int]) -> dict[str, list[str]]:
        """What is off, to the tables whose rows it needs, given the rows of each table over all loads."""
        found: dict[str, list[str]] = {}
        for table, consequence in self.without_it.items():
            if not rows.get(table):
                found.setdefault(consequence, []).append(table)
        return found


def read_contract(file: Path = CONTRACT_FILE) -> LandingContract:
    """The contract in `file`, a dbt sources file."""
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(file: Path, _: int) -> LandingContract:
    # The C loader where PyYAML has it: a tenth of the time, and every command reads the contract.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    source = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)["sources"][0]
    return LandingContract(
        version=source["config"]["meta"]["contract_version"],
        tables={
            table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
            for table in source["tables"]
        },
        required=frozenset(table["name"] for table in source["tables"] if table["config"]["meta"]["required"]),
        without_it={
            table["name"]: table["config"]["meta"]["without_it"]
            for table in source["tables"]
            if not table["config"]["meta"]["required"]
        },
    )
