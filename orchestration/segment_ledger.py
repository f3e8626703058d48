"""Who was in which segment, as it was published: appended to the ledger when a run is promoted.

What the ledger has of a rule segment and an as-of date stands until a later promotion says something else of the same
date. Cluster segments have a ledger of their own (`orchestration.cluster_ledger`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.sql import literal
from orchestration.ledger import SCHEMA_VERSION, append_rows, ledger_contract, open_ledger, passed_gate
from orchestration.warehouse import has_table
from shops import ShopFolders

EVALUATIONS, MEMBERSHIPS = "segment_evaluations", "segment_memberships"


def record_segments(folders: ShopFolders, warehouse: Path, run_id: str) -> int:
    """Append what the run `run_id` found of segments and dates that the ledger does not have so; returns how many.

    Only what passed the gate of the segments in that run is recorded. To record again changes nothing.
    """
    if not has_table(warehouse, "segments", "int_segments__evaluations"):
        return 0
    open_ledger(folders)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if not passed_gate(connection, "segments", run_id):
            return 0
        files = literal(folders.state / EVALUATIONS / "*.parquet")
        # By the names of both: members without the row that names them may be left of a promotion that was killed.
        written = (folders.state / table for table in (EVALUATIONS, MEMBERSHIPS))
        number = (
            max((int(file.name[:6]) for folder in written for file in folder.glob("[0-9]*.parquet")), default=0) + 1
        )
        connection.execute(
            f"""
            create temp table news as
            with recorded as (
                select segment_key, as_of_date, max_by(members_hash, promotion_number) as members_hash,
                    max_by(definition_hash, promotion_number) as definition_hash,
                from read_parquet({files}, union_by_name = true) group by all
            )
            select evaluations.*
            from segments.int_segments__evaluations as evaluations
            left join recorded using (segment_key, as_of_date)
            where evaluations.segment_type = 'rule' and (evaluations.members_hash, evaluations.definition_hash)
                is distinct from (recorded.members_hash, recorded.definition_hash)
            """
        )
        count = connection.execute("select count(*) from news").fetchone()
        assert count is not None
        if count[0]:
            constants = {"schema_version": str(SCHEMA_VERSION), "promotion_number": str(number),
                         "run_id": literal(run_id)}  # fmt: skip
            members = "segments.int_segments__history semi join news using (segment_key, as_of_date)"
            # The members first: without the row that names them nobody reads them.
            for table, rows, order in (
                (MEMBERSHIPS, members, "segment_key, as_of_date, customer_id"),
                (EVALUATIONS, "news", "segment_key, as_of_date"),
            ):
                listed = ", ".join(
                    f"cast({constants.get(name, name)} as {kind}) as {name}"
                    for name, kind in ledger_contract()[table].items()
                )
                file = folders.state / table / f"{number:06d}-{run_id}.parquet"
                append_rows(connection, file, f"select {listed} from {rows} order by {order}")
    return int(count[0])
