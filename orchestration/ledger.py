"""What was promoted, when and from what: append-only Parquet under `state/`, one small file a promotion.

The ledger outlives the warehouse. It also answers whether anything has changed since readers last switched.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from shops import PROJECT_ROOT, ShopFolders

SCHEMA_VERSION = 1
# What a result depends on besides the data: the code and settings of these folders and files.
_CODE = ("models", "macros", "ml", "expectations", "ingestion", "orchestration", "shops", "dbt_project.yml",
         "profiles.yml", "requirements.lock")  # fmt: skip
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".yaml", ".lock"}


@dataclass(frozen=True)
class Promotion:
    """One switch of the readers."""

    run_id: str
    promoted_at: datetime
    fingerprint: str


def fingerprint(folders: ShopFolders) -> str:
    """A hash of all that a run's result depends on: code, settings, landed files, the as-of date asked for."""
    asked = [os.environ.get(name, "") for name in ("AUDIENCE_AS_OF", "AUDIENCE_DEMO_HOUSEHOLDS")]
    digest = hashlib.sha256(" ".join(asked).encode())
    for name in _CODE:
        path = PROJECT_ROOT / name
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in _CODE_SUFFIXES)
        for file in files:
            digest.update(str(file.relative_to(PROJECT_ROOT)).encode())
            digest.update(file.read_bytes())
    for file in sorted(folders.landing.rglob("*.parquet")):
        stat = file.stat()
        digest.update(f"{file.relative_to(folders.landing)} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()


def record_promotion(folders: ShopFolders, run_id: str, of: str) -> None:
    """Append a promotion; written beside and renamed, so that a cut file is never read."""
    folder = folders.state / "promotions"
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).replace(tzinfo=None)
    file = folder / f"{now:%Y%m%dT%H%M%S%f}-{run_id}.parquet"
    unfinished = file.with_suffix(".unfinished")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {SCHEMA_VERSION} as schema_version, ? as run_id, ?::timestamp as promoted_at, "
            f"? as fingerprint) to '{unfinished}' (format parquet)",
            [run_id, now, of],
        )
    unfinished.replace(file)


def published_promotion(folders: ShopFolders) -> Promotion | None:
    """The promotion that readers see now; None when nothing is published or the ledger does not know it."""
    if not folders.current.exists():
        return None
    run_id = folders.current.resolve().name
    files = sorted((folders.state / "promotions").glob(f"*-{run_id}.parquet"))
    if not files:
        return None
    with duckdb.connect() as connection:
        row = connection.execute(
            "select run_id, promoted_at, fingerprint from read_parquet(?)", [str(files[-1])]
        ).fetchone()
    return Promotion(*row) if row else None
