"""What a fault must leave as it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from shops import ShopFolders


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@dataclass(frozen=True)
class ReaderView:
    """What readers and the next run see: the published folder and file, the Parquet copies and the warehouse."""

    folder: Path
    database: str
    parquet: tuple[str, ...]
    warehouse: str

    @classmethod
    def of(cls, folders: ShopFolders) -> ReaderView:
        current = folders.current.resolve()
        return cls(
            current,
            sha256(current / "audience.duckdb"),
            tuple(sha256(file) for file in sorted((current / "parquet").rglob("*.parquet"))),
            sha256(folders.warehouse),
        )
