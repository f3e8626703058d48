"""What cannot be recomputed about cluster segments: models, what became of each cluster, who was in which when.

Append-only Parquet under `state/`, written when a run is promoted. A run at an as-of date reads nothing that was
recorded for a later one, but for which keys are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ingestion.sql import literal
from orchestration.ledger import SCHEMA_VERSION, append_rows, ledger_contract, open_ledger, passed_gate
from orchestration.warehouse import has_table
from shops import ShopFolders

# Ledger table to the table of the warehouse whose new rows it keeps.
TABLES = {
    "cluster_models": "ml.cluster_models",
    "cluster_lineage": "ml.cluster_lineage",
    "cluster_memberships": "ml.customer_clusters",
}


@dataclass(frozen=True)
class RecordedModel:
    """A model that was promoted."""

    model_version: str
    previous_model_version: str | None
    holds_from: date
    artifact_sha256: str


def record_clusters(folders: ShopFolders, warehouse: Path, run_id: str) -> None:
    """Append what the run `run_id` wrote of cluster segments, if it passed the scores gate; twice is as once."""
    if not all(has_table(warehouse, *table.split(".")) for table in TABLES.values()):
        return
    open_ledger(folders)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if not passed_gate(connection, "scores", run_id):
            return
        for ledger_table, table in TABLES.items():
            folder = folders.state / ledger_table
            if list(folder.glob(f"*-{run_id}.parquet")):
                continue
            number = 1 + max((int(file.name.split("-")[0]) for file in folder.glob("[0-9]*.parquet")), default=0)
            constants = {"schema_version": str(SCHEMA_VERSION), "promotion_number": str(number)}
            listed = ", ".join(
                f"cast({constants.get(name, name)} as {kind}) as {name}"
                for name, kind in ledger_contract()[ledger_table].items()
            )
            rows = f"from {table} where run_id = {literal(run_id)}"
            count = connection.execute(f"select count(*) {rows}").fetchone()
            if count and count[0]:
                file = folder / f"{number:06d}-{run_id}.parquet"
                append_rows(connection, file, f"select {listed} {rows} order by all")


def recorded_models(folders: ShopFolders) -> list[RecordedModel]:
    """All models, by the date from which they hold; of one date the last that was promoted comes last."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select model_version, previous_model_version, holds_from, artifact_sha256 "
            f"{_from(folders, 'cluster_models')} order by holds_from, promotion_number"
        ).fetchall()
    return [RecordedModel(*row) for row in rows]


def used_keys(folders: ShopFolders) -> list[str]:
    """Every key that any cluster ever had."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select distinct new_key {_from(folders, 'cluster_lineage')} where new_key is not null order by 1"
        ).fetchall()
    return [row[0] for row in rows]


def recorded_dates(folders: ShopFolders, as_of: date) -> set[date]:
    """As-of dates up to `as_of` whose memberships were recorded."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select distinct as_of_date {_from(folders, 'cluster_memberships')} where as_of_date <= ?", [as_of]
        ).fetchall()
    return {row[0] for row in rows}


def restore_clusters(connection: duckdb.DuckDBPyConnection, folders: ShopFolders, as_of: date) -> None:
    """Fill the warehouse's tables with what was recorded up to `as_of`, in the place of what they hold.

    Of a date that was recorded more than once the newest recording holds that was made at the date itself; without one
    the first reconstruction.
    """
    kept = {
        "cluster_models": ("holds_from", "promotion_number = min(promotion_number) over (partition by model_version)"),
        "cluster_lineage": ("as_of_date", "promotion_number = min(promotion_number) over (partition by model_version)"),
        "cluster_memberships": ("as_of_date", f"{_STANDING} = max({_STANDING}) over (partition by as_of_date)"),
    }
    for ledger_table, table in TABLES.items():
        day, standing = kept[ledger_table]
        columns = ", ".join(row[0] for row in connection.execute(f"describe {table}").fetchall())
        connection.execute(f"delete from {table}")
        connection.execute(
            f"insert into {table} ({columns}) select {columns} {_from(folders, ledger_table)} where {day} <= ? "
            f"qualify {standing}",
            [as_of],
        )


# Which recording of a date stands: the last one made at the date itself, or else the first reconstruction.
_STANDING = "case when is_reconstructed then -promotion_number else promotion_number end"


def _from(folders: ShopFolders, table: str) -> str:
    open_ledger(folders)
    return f"from read_parquet({literal(folders.state / table / '*.parquet')}, union_by_name = true)"
