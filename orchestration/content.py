"""What a database holds, apart from how it is laid out: one hash a table over the sorted content of its rows.

Two builds of the same tables give different files. These hashes are equal when, and only when, the rows are.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.warehouse import reading

# Which run or promotion wrote a row, and when, is not content.
RUN_METADATA = frozenset({"run_id", "run_at", "promotion_number", "is_new"})
# Nor is what a build had to look at again: of an increment little, of a full build all.
HOW_IT_WAS_BUILT = (
    "identity.int_identity__changed_",
    "identity.int_identity__touched_",
    "features.int_activity__fingerprints",
    "features.int_activity__customers",
    "features.int_activity__owners",
    "features.int_as_of_grid",
    "features.int_as_of_calendar",
    "features.int_features__order_rhythm",
    "segments.int_segments__due",
    "segments.int_segments__dates",
    "segments.int_segments__web_",
    "segments.int_segments__niche_types",
    "segments.int_segments__carts",
    "segments.int_segments__candidates",
    "segments.int_segments__customers",
    "segments.int_segments__evaluated",
)


def content_hashes(database: Path) -> dict[str, str]:
    """`schema.table` to a hash of its rows, for every table of results; the order of the rows does not matter."""
    with reading(database) as connection:
        columns: dict[str, list[str]] = {}
        for schema, table, column in connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "join duckdb_tables() using (database_name, schema_name, table_name) "
            "where not duckdb_columns.internal order by schema_name, table_name, column_index"
        ).fetchall():
            if not f"{schema}.{table}".startswith(HOW_IT_WAS_BUILT):
                columns.setdefault(f"{schema}.{table}", []).append(column)
        hashes = {}
        for name, of_table in columns.items():
            listed = ", ".join(f'"{column}"' for column in of_table if column not in RUN_METADATA)
            row = connection.execute(
                f"select md5(string_agg(row_hash, '' order by row_hash)) "
                f"from (select md5(row({listed})::varchar) as row_hash from {name})"
            ).fetchone()
            hashes[name] = str(row[0]) if row else ""
    return hashes
