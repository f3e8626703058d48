"""What each load was made of: the source's columns then, and how many rows became what. Drift is told from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ingestion.landing_zone import LoadSummary
from ingestion.mapping.sources import SourceTable


@dataclass(frozen=True)
class TableCount:
    """Rows of one landing table in one extraction.

    Attributes
    ----------
    read : rows of its source that were new or could have changed.
    left_out : of them, those that `where` did not let through.
    collapsed : of the rest, further rows of the same `keys`.
    rows : what the mapping made of them.
    landed : of these, those that did not stand in the landing zone already.
    """

    read: int
    left_out: int
    collapsed: int
    rows: int
    landed: int = 0


@dataclass(frozen=True)
class Receipt:
    """One load: its name, the mapping it was made with, and the columns that its sources had."""

    load_id: str
    mapping: str
    sources: Mapping[str, Mapping[str, str]]


@dataclass
class Receipts:
    """The receipts in a folder, one JSON file a load."""

    folder: Path
    landed_now: list[LoadSummary] = field(default_factory=list)

    def newest(self) -> Receipt | None:
        """The receipt of the newest load."""
        files = sorted(self.folder.glob("*.json"))
        if not files:
            return None
        content: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
        return Receipt(content["load_id"], content["mapping"], content["sources"])

    def write(
        self,
        load_id: str,
        mapping: str,
        tables: Mapping[str, SourceTable],
        counts: Mapping[str, TableCount],
        notes: list[str],
    ) -> None:
        """Keep what a load was made of; written beside and renamed, so that it is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "load_id": load_id,
            "mapping": mapping,
            "sources": {name: dict(table.columns) for name, table in tables.items()},
            "tables": {name: asdict(count) for name, count in counts.items()},
            "notes": notes,
        }
        unfinished = self.folder / f"{load_id}.unfinished"
        unfinished.write_text(json.dumps(content, indent=2), encoding="utf-8")
        unfinished.rename(self.folder / f"{load_id}.json")


def drift(before: Receipt | None, now: Mapping[str, SourceTable]) -> list[str]:
    """What has changed in the columns of the sources since an earlier load, one sentence a column."""
    found = []
    for name, table in now.items():
        earlier = before.sources.get(name) if before else None
        if before is None or earlier is None:
            continue
        found += [
            f"{name}: the column '{column}' ({kind}) is new since {before.load_id}; no mapping reads it by itself"
            for column, kind in table.columns.items()
            if column not in earlier
        ]
        found += [
            f"{name}: the column '{column}' was {earlier[column]} in {before.load_id} and is {kind} now"
            for column, kind in table.columns.items()
            if earlier.get(column, kind) != kind
        ]
        found += [
            f"{name}: the column '{column}' has vanished since {before.load_id}"
            for column in earlier
            if column not in table.columns
        ]
    return found
