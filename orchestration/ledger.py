"""What was promoted, when and from what: append-only Parquet under `state/`, one small file a promotion.

The ledger outlives the warehouse. It also answers whether anything has changed since readers last switched.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from ingestion.sql import literal
from orchestration.publishing import URL_VARIABLE
from orchestration.warehouse import has_table
from shops import PROJECT_ROOT, ShopFolders

CONTRACT_FILE = PROJECT_ROOT / "models" / "ledger.yml"
SCHEMA_VERSION = 1
KEY_VARIABLE = "AUDIENCE_IDENTIFIER_KEY"
# What a result depends on besides the data: the code and settings of these folders and files.
_CODE = ("models", "macros", "ml", "expectations", "ingestion", "orchestration", "pages", "shops", "dbt_project.yml",
         "profiles.yml", "requirements.lock")  # fmt: skip
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".yaml", ".lock", ".j2", ".css"}


@dataclass(frozen=True)
class Promotion:
    """One switch of the readers."""

    run_id: str
    promoted_at: datetime
    fingerprint: str


@dataclass(frozen=True)
class Decision:
    """What a person decided about two source records, each named by (source system, record id)."""

    decision_id: str
    verdict: str
    left: tuple[str | None, str | None]
    right: tuple[str | None, str | None]
    undoes: str | None
    reason: str | None
    decided_by: str
    decided_at: datetime

    @classmethod
    def of(
        cls, verdict: str, left: tuple[str, str], right: tuple[str, str], *, reason: str | None, decided_by: str
    ) -> Decision:
        """A new decision, `same` or `not same`."""
        return cls._new(verdict, left, right, None, reason, decided_by)

    @classmethod
    def undoing(cls, decision_id: str, *, reason: str | None, decided_by: str) -> Decision:
        """A new decision that an older one no longer holds."""
        return cls._new("undo", (None, None), (None, None), decision_id, reason, decided_by)

    @classmethod
    def _new(
        cls,
        verdict: str,
        left: tuple[str | None, str | None],
        right: tuple[str | None, str | None],
        undoes: str | None,
        reason: str | None,
        decided_by: str,
    ) -> Decision:
        now = datetime.now(UTC).replace(tzinfo=None)
        parts = (now.isoformat(), verdict, *left, *right, undoes, decided_by)
        decision_id = "d_" + hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:12]
        return cls(decision_id, verdict, left, right, undoes, reason, decided_by, now)


def fingerprint(folders: ShopFolders) -> str:
    """A hash of all that a run's result depends on: code, settings, landed files, what people decided, the date.

    With it the address of a PostgreSQL: one that has just been named has not got the tables yet.
    """
    names = ("AUDIENCE_AS_OF", "AUDIENCE_DEMO_HOUSEHOLDS", URL_VARIABLE)
    asked = [os.environ.get(name, "") for name in names]
    digest = hashlib.sha256(" ".join(asked).encode())
    for name in _CODE:
        path = PROJECT_ROOT / name
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in _CODE_SUFFIXES)
        for file in files:
            digest.update(str(file.relative_to(PROJECT_ROOT)).encode())
            digest.update(file.read_bytes())
    by_hand = (
        *(folders.state / "identity_decisions").glob("*-d_*.parquet"),
        *(folders.state / "model_champions").glob("*-rollback-*.parquet"),
    )
    for file in sorted((*folders.landing.rglob("*.parquet"), *by_hand)):
        stat = file.stat()
        digest.update(f"{file.relative_to(folders.data)} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()


def record_promotion(folders: ShopFolders, run_id: str, of: str) -> None:
    """Append a promotion."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with duckdb.connect() as connection:
        append_rows(
            connection,
            folders.state / "promotions" / f"{now:%Y%m%dT%H%M%S%f}-{run_id}.parquet",
            f"select {SCHEMA_VERSION} as schema_version, {literal(run_id)} as run_id, "
            f"timestamp '{now}' as promoted_at, {literal(of)} as fingerprint",
        )


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


def open_ledger(folders: ShopFolders) -> None:
    """Make sure that every table that models read has a file: an empty one, typed, where nothing was recorded yet."""
    for table, columns in ledger_contract().items():
        file = folders.state / table / f"_columns-{SCHEMA_VERSION}.parquet"
        if not file.exists():
            listed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
            with duckdb.connect() as connection:
                append_rows(connection, file, f"select {listed} limit 0")


def record_decision(folders: ShopFolders, decision: Decision) -> None:
    """Append a decision; it takes effect with the next run."""
    open_ledger(folders)
    values = {
        "schema_version": SCHEMA_VERSION,
        "decision_id": decision.decision_id,
        "verdict": decision.verdict,
        "left_source_system": decision.left[0],
        "left_source_record_id": decision.left[1],
        "right_source_system": decision.right[0],
        "right_source_record_id": decision.right[1],
        "undoes": decision.undoes,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
    }
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        listed = ", ".join(
            f"cast({'null' if values[name] is None else literal(str(values[name]))} as {kind}) as {name}"
            for name, kind in ledger_contract()["identity_decisions"].items()
        )
        name = f"{decision.decided_at:%Y%m%dT%H%M%S%f}-{decision.decision_id}.parquet"
        append_rows(connection, folders.state / "identity_decisions" / name, f"select {listed}")


def read_decisions(folders: ShopFolders) -> list[Decision]:
    """All decisions, the oldest first."""
    open_ledger(folders)
    files = folders.state / "identity_decisions" / "*.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select decision_id, verdict, left_source_system, left_source_record_id, right_source_system, "
            "right_source_record_id, undoes, reason, decided_by, decided_at from read_parquet(?, union_by_name = true) "
            "order by decided_at, decision_id",
            [str(files)],
        ).fetchall()
    return [Decision(row[0], row[1], (row[2], row[3]), (row[4], row[5]), *row[6:]) for row in rows]


def record_memberships(folders: ShopFolders, warehouse: Path, run_id: str) -> int:
    """Append to the ledger whom each source record came to belong to, as far as it is not there; returns the rows.

    Only what passed the identity gate in the run `run_id` is recorded. To record again changes nothing: rows that the
    ledger has come out of the warehouse with the number of their promotion.
    """
    if not has_table(warehouse, "identity", "int_identity__memberships"):
        return 0
    open_ledger(folders)
    folder = folders.state / "identity_memberships"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if not passed_gate(connection, "identity", run_id):
            return 0
        recorded = connection.execute(
            f"select coalesce(max(promotion_number), 0) from read_parquet({literal(folder / '*.parquet')})"
        ).fetchone()
        assert recorded is not None
        number = recorded[0] + 1
        constants = {
            "schema_version": SCHEMA_VERSION,
            "promotion_number": number,
            "known_through": "(select last_known_at from identity.int_identity__known_through)",
            "run_id": literal(run_id),
        }
        listed = ", ".join(
            f"cast({constants.get(name, name)} as {kind}) as {name}"
            for name, kind in ledger_contract()["identity_memberships"].items()
        )
        rows = connection.execute(
            "select count(*) from identity.int_identity__memberships where promotion_number is null"
        ).fetchone()
        assert rows is not None
        if rows[0]:
            append_rows(
                connection,
                folder / f"{number:06d}-{run_id}.parquet",
                f"select {listed} from identity.int_identity__memberships where promotion_number is null "
                "order by source_record_key, valid_from",
            )
        return int(rows[0])


def passed_gate(connection: duckdb.DuckDBPyConnection, stage: str, run_id: str) -> bool:
    """Whether a stage's gate was asked in the run `run_id`, and nothing critical failed."""
    row = connection.execute(
        "select count(*) > 0 and bool_and(success or severity <> 'critical') from quality.gate_results "
        "where gate = ? and run_id = ?",
        [stage, run_id],
    ).fetchone()
    return bool(row and row[0])


def record_linkage_model(folders: ShopFolders, warehouse: Path) -> None:
    """Keep the linkage model of a promoted run: retrained after a loss of the warehouse, it would tie other pairs."""
    if not has_table(warehouse, "ml", "linkage_models"):
        return
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        version = connection.execute("select model_version from ml.linkage_models").fetchone()
        newest = newest_linkage_model(folders)
        if version is None or (newest is not None and newest["model_version"] == version[0]):
            return
        number = len(list((folders.state / "linkage_models").glob("*.parquet"))) + 1
        append_rows(
            connection,
            folders.state / "linkage_models" / f"{number:06d}-{version[0]}.parquet",
            f"select {SCHEMA_VERSION} as schema_version, * from ml.linkage_models",
        )


def newest_linkage_model(folders: ShopFolders) -> dict[str, Any] | None:
    """The linkage model of the last promotion; None where there is none."""
    files = sorted((folders.state / "linkage_models").glob("*.parquet"))
    if not files:
        return None
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(files[-1])])
        names = [column[0] for column in found.description or []]
        row = found.fetchone()
    return None if row is None else dict(zip(names, row, strict=True))


def hash_keys(folders: ShopFolders) -> tuple[str, str]:
    """The two keys of HMAC-SHA-256 (RFC 2104), inner and outer, in hexadecimal; made of the installation's key.

    The key is the text in AUDIENCE_IDENTIFIER_KEY, or else in `state/identifier.key`, which is drawn once. Whoever
    loses it can join nothing any more to hashes that left before.
    """
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        file = folders.state / "identifier.key"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".unfinished")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_hex(32), encoding="utf-8")
            unfinished.replace(file)
        key = file.read_text(encoding="utf-8").strip()
    secret = key.encode()
    block = (secret if len(secret) <= 64 else hashlib.sha256(secret).digest()).ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block).hex(), bytes(byte ^ 0x5C for byte in block).hex()


def append_rows(connection: duckdb.DuckDBPyConnection, file: Path, query: str) -> None:
    """Write the rows of `query` as `file`; beside it and renamed, so that a cut file is never read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    connection.execute(f"copy ({query}) to {literal(unfinished)} (format parquet)")
    unfinished.replace(file)


@lru_cache(maxsize=1)
def ledger_contract() -> dict[str, dict[str, str]]:
    """Columns and types of the ledger tables that models read; declared once, in `models/ledger.yml`."""
    source = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))["sources"][0]
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }
