"""Components of five million edges: a table in, a table out, ours beside Splink's, in turns, each in its own process.

Twice: edges between text ids as a stranger has them, and between the numbers that the identity stage mints beside its
identifiers. What is measured is all from opening the file to the written table; the answers are compared.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import duckdb

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results

RECORDS = 6_000_000
EDGES = 5_000_000
ROUNDS = 3
GOAL = "at least 8 times as fast as Splink's, under 3 GB"


def main() -> None:
    """Measure, compare the answers, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.duckdb"
        _draw(file)
        measured: dict[str, list[Measured]] = {"ours": [], "ours_numbers": [], "splink": []}
        for _ in range(ROUNDS):
            for who, runs in measured.items():
                runs.append(run_python("-m", "benchmarks.components", who, str(file)))
        _compare(file)
    peer = median_seconds(measured["splink"])
    rows = []
    for who, name in (("ours", "5 M edges between text ids"), ("ours_numbers", "5 M edges between numbers")):
        seconds = median_seconds(measured[who])
        rows.append(
            Row(
                name=name,
                ours_seconds=seconds,
                peer="Splink cluster_pairwise_predictions_at_threshold, text ids",
                peer_seconds=peer,
                ratio=round(peer / seconds, 1),
                goal=GOAL,
                rows=EDGES,
                peak_memory_mb=peak_memory(measured[who]),
            )
        )
        print(f"{name}: {seconds} s, {rows[-1].peak_memory_mb:.0f} MB; Splink {peer} s: {rows[-1].ratio} times as fast")
    print(f"Splink's peak memory: {peak_memory(measured['splink']):.0f} MB")
    print(f"written to {write_results('components', rows)}")


def _draw(file: Path) -> None:
    """Records in groups of 1 to 21, most small; in each group a tree of edges; ids that tell nothing."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"""
            create table records as
            select number, md5(number::varchar)[:16] as record_key from range({RECORDS}) as drawn(number)
        """)
        # Each record but a group's first has an edge to an earlier one of its group.
        connection.execute(f"""
            create table numbered_edges as
            with placed as (
                select number, number - number % 21 as first_of_group, number % 21 as place,
                    hash(number) % 1000 / 1000.0 as drawn
                from records
            )
            select number as right_number, first_of_group + floor(drawn * place)::bigint as left_number
            from placed where place > 0 and hash(number, 'cut') % 100 < 88
            order by hash(number, 'order') limit {EDGES}
        """)
        connection.execute("""
            create table edges as
            select l.record_key as left_key, r.record_key as right_key
            from numbered_edges join records as l on l.number = left_number join records as r on r.number = right_number
        """)
        found = connection.execute("select count(*) from edges").fetchone()
    assert found == (EDGES,), found


def _compare(file: Path) -> None:
    """All three must have found the same groups."""
    with duckdb.connect(str(file), read_only=True) as connection:
        for who in ("ours_numbers", "splink"):
            differing = connection.execute(f"""
                select count(*) from (
                    select ours.component, min(other.component) as low, max(other.component) as high
                    from components_ours as ours join components_{who} as other using (record_key) group by 1
                ) where low <> high
            """).fetchone()
            groups = connection.execute(f"""
                select (select count(distinct component) from components_ours),
                    (select count(distinct component) from components_{who})
            """).fetchone()
            assert differing == (0,), f"{who} groups otherwise"
            assert groups is not None
            assert groups[0] == groups[1], f"{who} has another number of groups"


def _ours(connection: duckdb.DuckDBPyConnection, has_numbers: bool) -> None:
    import numpy as np
    import pyarrow as pa

    from ml.graph import connected_components

    if not has_numbers:
        connection.execute("""
            create temp table minted as
            select record_key, row_number() over () - 1 as number from records;
            create temp table minted_edges as
            select l.number as left_number, r.number as right_number
            from edges join minted as l on left_key = l.record_key join minted as r on right_key = r.record_key
        """)
    records, edges = ("records", "numbered_edges") if has_numbers else ("minted", "minted_edges")
    count = connection.execute(f"select count(*) from {records}").fetchone()
    assert count is not None
    ends = connection.execute(f"select left_number, right_number from {edges}").fetchnumpy()
    component = connected_components(count[0], np.asarray(ends["left_number"]), np.asarray(ends["right_number"]))
    found = pa.table({"number": np.arange(count[0]), "component": component})  # noqa: F841 (read by DuckDB)
    name = "components_ours_numbers" if has_numbers else "components_ours"
    connection.execute(
        f"create or replace table {name} as select record_key, component from found join {records} using (number)"
    )


def _splink(connection: duckdb.DuckDBPyConnection) -> None:
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    api = DuckDBAPI(connection)
    nodes = api.register("records", dataset_display_name="nodes")
    edges = api.register("edges", dataset_display_name="pairs")
    found = cluster_pairwise_predictions_at_threshold(
        nodes, edges, node_id_column_name="record_key", edge_id_column_name_left="left_key",
        edge_id_column_name_right="right_key", db_api=api,
    )  # fmt: skip
    connection.execute(
        "create or replace table components_splink as "
        f"select record_key, cluster_id as component from {found.physical_name}"
    )


def _measured_part() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("who", choices=("ours", "ours_numbers", "splink"))
    parser.add_argument("file")
    asked = parser.parse_args()
    with duckdb.connect(asked.file) as connection:
        if asked.who == "splink":
            _splink(connection)
        else:
            _ours(connection, has_numbers=asked.who == "ours_numbers")


if __name__ == "__main__":
    _measured_part()
