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
    """Tables of the landing zone: name to columns, columns to SQL types, in the order of the contract."""

    version: str
    tables: Mapping[str, Mapping[str, str]]
    required: frozenset[str] = frozenset()
    without_it: Mapping[str, str] = field(default_factory=dict)
    """Optional table to what is switched off without it."""

    def select_list(self, table: str, given: Collection[str] | None = None) -> str:
        """The columns of `table`, each cast to its type, as SQL; null for a column that is not among the `given`."""
        return ", ".join(
            f"cast({name if given is None or name in given else 'null'} as {kind}) as {name}"
            for name, kind in self.tables[table].items()
        )

    def switched_off(self, landed: Collection[str]) -> dict[str, str]:
        """What is off because only the tables `landed` have rows: what is off, to the tables that it lacks."""
        found: dict[str, list[str]] = {}
        for table, reason in self.without_it.items():
            if table not in landed:
                found.setdefault(reason, []).append(table)
        return {reason: ", ".join(tables) for reason, tables in found.items()}

    def empty_select(self, table: str) -> str:
        """SQL that gives zero rows of `table`, typed."""
        columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in self.tables[table].items())
        return f"select {columns} limit 0"


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
            if "without_it" in table["config"]["meta"]
        },
    )
